"""A delivery report, from whichever of the three sources it came."""

import datetime as dt
import functools
import re
import reprlib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import times
from laaffic_console.laaffic.codes import DeliveryState, Source, delivery_state


class DeliveryReport(NamedTuple):
    source: Source
    msg_id: str
    number: str
    order_id: str
    state: DeliveryState
    raw_status: str
    reason: str
    at: dt.datetime | None
    app_id: str = ""
    price: Decimal | None = None  # of one segment
    pay: Decimal | None = None  # of the message
    currency: str = ""
    segments: int | None = None  # as billed
    mcc: str = ""
    mnc: str = ""
    remark: str = ""  # what of it could not be understood, in words; the rest counts

    def as_json(self) -> dict[str, Any]:
        """For keeping a report whose message is not known yet; `from_json` reads it back."""
        plain: dict[str, Any] = self._asdict()
        plain["at"] = self.at.isoformat() if self.at else None
        plain["price"], plain["pay"] = _text(self.price), _text(self.pay)
        return plain

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "DeliveryReport":
        return cls(
            **{
                **kept,
                "source": Source(kept["source"]),
                "state": DeliveryState(kept["state"]),
                "at": dt.datetime.fromisoformat(kept["at"]) if kept["at"] else None,
                "price": money(kept["price"]),
                "pay": money(kept["pay"]),
            }
        )


class MalformedReport(ValueError):
    """An entry that cannot be a report; says what is wrong with it."""


def from_push(entry: object, zone: ZoneInfo = times.DEFAULT_ZONE) -> DeliveryReport:
    """One pushed report: `msgid` in lower case, `mobile`, keys that may have spaces around them."""
    if not isinstance(entry, dict):
        raise MalformedReport(f"not an object: {reprlib.repr(entry)[:80]}")
    report = dict(zip(_names(tuple(entry)), entry.values(), strict=True))
    msg_id, order_id = text(report.get("msgid")), text(report.get("orderid"))
    if "status" not in report or not (msg_id or order_id):
        raise MalformedReport("without a status, or without msgid and orderId")
    status = text(report["status"])
    state, price = delivery_state(Source.PUSH, status), _price(report.get("pricedetail"))
    return DeliveryReport(
        source=Source.PUSH,
        msg_id=msg_id,
        number=digits(report.get("mobile", report.get("number"))),
        order_id=order_id,
        state=state,
        raw_status=status,
        reason=text(report.get("reason")),
        at=times.of_event(times.from_text(report.get("timestamp"), zone)),
        app_id=text(report.get("appid")),
        mcc=text(report.get("mcc")),
        mnc=text(report.get("mnc")),
        remark=_remark(status, state, price),
        price=price.each,
        pay=price.pay,
        currency=price.currency,
        segments=price.segments,
    )


def _names(keys: tuple[object, ...]) -> tuple[str, ...]:
    return _known_names(keys) if len(keys) < 30 and sum(map(len, map(str, keys))) < 300 else _plain_names(keys)


def _plain_names(keys: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(str(key).strip().lower() for key in keys)


_known_names = functools.lru_cache(maxsize=100)(_plain_names)  # the same in each of a million reports


def _remark(status: str, state: DeliveryState, price: "_Price") -> str:
    said = []
    if state is DeliveryState.UNKNOWN:
        said.append(f"the status {status[:40]!r} says nothing that is known: the message stays as it is")
    if price.unreadable:
        said.append(f"the amount {price.unreadable!r} cannot be read")
    return "; ".join(said)


def from_record(entry: object, source: Source) -> DeliveryReport:
    """A row of getReport or getSentRcd: no error detail, and nearly never an orderId."""
    if not isinstance(entry, dict):
        raise MalformedReport(f"not an object: {reprlib.repr(entry)[:80]}")
    record = {str(key).strip(): value for key, value in entry.items()}
    if not record.get("msgId") or "status" not in record:
        raise MalformedReport("without msgId or status")
    status, price = text(record["status"]), _price(record.get("pricedetail"))
    return DeliveryReport(
        source=source,
        msg_id=text(record["msgId"]),
        number=digits(record.get("number")),
        order_id=text(record.get("orderId", record.get("orderid"))),
        state=delivery_state(source, status),
        raw_status=status,
        reason="",
        at=times.of_event(times.from_text(record.get("receiveTime"))),
        price=price.each,
        pay=price.pay,
        currency=price.currency,
        segments=price.segments,
    )


def text(value: object) -> str:
    """Numbers come as strings and as ints; NUL and half a surrogate pair are what no database keeps."""
    if type(value) is str and value.isascii() and "\0" not in value:  # nearly all of them
        return value.strip()
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).replace("\0", "").encode(errors="replace").decode().strip()


def digits(value: object) -> str:
    """A phone number as digits, country code first where it has one: `+86 138-1234`, `0086…`. What is none stays."""
    said = text(value)
    if said.isascii() and said.isdigit():
        return said.removeprefix("00")
    bare = re.sub(r"[\s().\-\u2010-\u2015+]", "", said)
    if not (bare.isascii() and bare.isdigit()):
        return said.lstrip("+")
    return bare.removeprefix("00")


def money(value: object) -> Decimal | None:
    """An amount; None for what is none, infinite or beyond any price. `0,0080` and `USD 0.0080` are amounts too."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    written = str(value)
    return _known_amount(written) if len(written) < 40 else _amount(written)


def _amount(written: str) -> Decimal | None:
    try:
        amount = Decimal(_plain(written))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount.copy_abs() < 1_000_000_000 else None


_known_amount = functools.lru_cache(maxsize=1000)(
    _amount
)  # a price list has few prices, and a million reports say them


def _plain(amount: str) -> str:
    """Without its currency, and with a point. `1,234` may be either, and stays unreadable."""
    bare = _CURRENCY.sub("", amount).strip()
    if re.fullmatch(r"[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+", bare):
        return bare.replace(",", "")
    if re.fullmatch(r"[+-]?(0,[0-9]+|[0-9]+,([0-9]{1,2}|[0-9]{4,}))", bare):
        return bare.replace(",", ".")
    return bare


_CURRENCY = re.compile(r"^\s*[A-Za-z]{3}(?=[\s\d+-])|(?<=[\s\d])[A-Za-z]{3}\s*$")


def currency(named: object, amount: object = None) -> str:
    """In capitals: `usd` is no second currency. Where none is named, the one that stands beside the amount."""
    if said := text(named):
        return said.upper()[:8]
    beside = _CURRENCY.search(text(amount))
    return beside[0].strip().upper() if beside else ""


def count(value: object) -> int | None:
    try:
        number = int(str(value).strip())
    except ValueError:
        return None
    return number if 0 <= number < 1_000_000_000 else None


class _Price(NamedTuple):
    each: Decimal | None = None  # of one segment
    pay: Decimal | None = None  # of the message
    currency: str = ""
    segments: int | None = None
    unreadable: str = ""  # the amount, where it is none


_NO_PRICE = _Price()
_known_prices: dict[str, _Price] = {}  # by what it was read from
PRICES_KEPT, LONGEST_KEPT = 1000, 200  # a price list has few prices, and a million reports say them


def _price(detail: object) -> _Price:
    if not isinstance(detail, dict):
        return _NO_PRICE
    written = repr(detail)
    if (price := _known_prices.get(written)) is None:
        price = _read_price({str(key).strip(): value for key, value in detail.items()})
        if len(written) <= LONGEST_KEPT:
            if len(_known_prices) >= PRICES_KEPT:
                _known_prices.clear()
            _known_prices[written] = price
    return price


def _read_price(said: Mapping[str, object]) -> _Price:
    pay = money(said.get("pay"))
    return _Price(
        each=money(said.get("price")),
        pay=pay,
        currency=currency(said.get("currency"), said.get("pay")),
        segments=count(said.get("chargeCnt")),
        unreadable=text(said.get("pay"))[:40] if pay is None else "",
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
