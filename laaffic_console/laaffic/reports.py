"""A delivery report, from whichever of the three sources it came."""

import datetime as dt
import functools
import re
import reprlib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import times
from laaffic_console.laaffic.delivery_states import DeliveryState, Source, delivery_state

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


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
        """The report as JSON, to keep it while its message is not known; `from_json` reads it back."""
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


class _Known(dict[_Key, _Value]):
    """Values by what they were read from: a price list has few prices, and a million reports name them."""

    def keep(self, key: _Key, value: _Value) -> None:
        if len(self) >= NUMBER_KEPT:
            self.clear()
        self[key] = value


NUMBER_KEPT, LONGEST_KEPT = 1000, 300  # characters, of a text that something is known by


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
    said = _said(report)
    return DeliveryReport(
        said.source,
        msg_id,
        digits(report.get("mobile", report.get("number"))),
        order_id,
        said.state,
        said.raw_status,
        said.reason,
        times.of_event(times.from_text(report.get("timestamp"), zone)),
        said.app_id,
        said.price,
        said.pay,
        said.currency,
        said.segments,
        said.mcc,
        said.mnc,
        said.remark,
    )


def _names(keys: tuple[object, ...]) -> tuple[str, ...]:
    names = _known_names.get(keys)
    if names is None:
        names = tuple(str(key).strip().lower() for key in keys)
        if len(keys) < 30 and sum(map(len, map(str, keys))) < 300:
            _known_names.keep(keys, names)
    return names


def _said(report: Mapping[str, object]) -> DeliveryReport:
    """A pushed report without its message and moment: the rest is the same in thousands of reports."""
    try:
        written = repr([report.get(name) for name in SAID])
    except RecursionError:  # nested as deep as the parser goes
        return _read_said(report)
    said = _known_reports.get(written)
    if said is None:
        said = _read_said(report)
        if len(written) <= LONGEST_KEPT:
            _known_reports.keep(written, said)
    return said


def _read_said(report: Mapping[str, object]) -> DeliveryReport:
    status = text(report["status"])
    state, price = delivery_state(Source.PUSH, status), _price(report.get("pricedetail"))
    return DeliveryReport(
        source=Source.PUSH,
        msg_id="",
        number="",
        order_id="",
        state=state,
        raw_status=status,
        reason=text(report.get("reason")),
        at=None,
        app_id=text(report.get("appid")),
        mcc=text(report.get("mcc")),
        mnc=text(report.get("mnc")),
        remark=_remark(status, state, price),
        price=price.each,
        pay=price.pay,
        currency=price.currency,
        segments=price.segments,
    )


def _remark(status: str, state: DeliveryState, price: "_Price") -> str:
    said = []
    if state is DeliveryState.UNKNOWN:
        said.append(f"the status {status[:40]!r} says nothing that is known: the message stays as it is")
    if price.unreadable:
        said.append(f"the amount {price.unreadable!r} cannot be read")
    return "; ".join(said)


def from_record(entry: object, source: Source, zone: ZoneInfo = times.DEFAULT_ZONE) -> DeliveryReport:
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
        at=times.of_event(times.from_text(record.get("receiveTime"), zone)),
        price=price.each,
        pay=price.pay,
        currency=price.currency,
        segments=price.segments,
    )


def text(value: object) -> str:
    """The value as text, be it a string or an int, without NUL and half surrogate pairs, which no database keeps."""
    if type(value) is str and value.isascii() and "\0" not in value:  # nearly all of them
        return value.strip()
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).replace("\0", "").encode(errors="replace").decode().strip()


def code(value: object) -> str:
    """A code as text; 0.0 and "-10.0" are those of a library that has no integers."""
    said = text(value)
    if "." in said and (whole := _WHOLE_CODE.fullmatch(said)):
        return str(int(whole[1]))
    return said


_WHOLE_CODE = re.compile(r"(-?[0-9]{1,9})\.0+")


def digits(value: object) -> str:
    """A phone number as digits, country code first where it has one: `+86 138-1234`, `0086…`. What is none stays."""
    said = text(value)
    if said.isascii() and said.isdigit():
        return said.removeprefix("00")
    bare = re.sub(r"[\s().\-\u2010-\u2015+]", "", said)
    if not (bare.isascii() and bare.isdigit()):
        return said.lstrip("+")
    return bare.removeprefix("00")


HIGHEST_PRICE, HIGHEST_BALANCE = 10**9, 10**13  # a thousand million rupiah or dong are not much money


def money(value: object, *, below: int = HIGHEST_PRICE) -> Decimal | None:
    """An amount; None for what is none, infinite or beyond any price. `0,0080` and `USD 0.0080` are amounts too."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    written = str(value)
    amount = _known_amount(written) if len(written) < 40 else _amount(written)
    return amount if amount is not None and amount.copy_abs() < below else None


def _amount(written: str) -> Decimal | None:
    try:
        amount = Decimal(_plain(written))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


_known_amount = functools.lru_cache(maxsize=1000)(
    _amount
)  # a price list has few prices, and a million reports say them


def _plain(amount: str) -> str:
    """The amount without its currency, and with a point. `1,234` may be either, and stays unreadable."""
    bare = _CURRENCY.sub("", amount).strip()
    if re.fullmatch(r"[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+", bare):
        return bare.replace(",", "")
    if re.fullmatch(r"[+-]?(0,[0-9]+|[0-9]+,([0-9]{1,2}|[0-9]{4,}))", bare):
        return bare.replace(",", ".")
    return bare


_CURRENCY = re.compile(r"^\s*[A-Za-z]{3}(?=[\s\d+-])|(?<=[\s\d])[A-Za-z]{3}\s*$")


def currency(named: object, amount: object = None) -> str:
    """The currency in capitals, as `usd` is no second one; where none is named, the one beside the amount."""
    if said := text(named):
        return said.upper()[:8]
    beside = _CURRENCY.search(text(amount))
    return beside[0].strip().upper() if beside else ""


def count(value: object) -> int | None:
    """A whole number from 0 on, also as `99`, 99.0 or 50,000; None for anything else."""
    written = str(value).strip()
    if _IN_THOUSANDS.fullmatch(written):
        written = re.sub(r"[^0-9]", "", written)
    try:
        number = int(_WHOLE.sub("", written))
    except ValueError:
        return None
    return number if 0 <= number < 1_000_000_000 else None


_IN_THOUSANDS = re.compile(r"[0-9]{1,3}(?:(?:,[0-9]{3})+|(?:[ '’\u00a0\u2009\u202f][0-9]{3})+)")
_WHOLE = re.compile(r"(?<=[0-9])\.0{1,2}$")  # three zeros may be thousands


class _Price(NamedTuple):
    each: Decimal | None = None  # of one segment
    pay: Decimal | None = None  # of the message
    currency: str = ""
    segments: int | None = None
    unreadable: str = ""  # the amount, where it is none


_NO_PRICE = _Price()
SAID = ("status", "reason", "appid", "mcc", "mnc", "pricedetail")
_known_names: _Known[tuple[object, ...], tuple[str, ...]] = _Known()
_known_reports: _Known[str, DeliveryReport] = _Known()  # True and 1 are one key of a dictionary, and two texts
_known_prices: _Known[str, _Price] = _Known()


def _price(detail: object) -> _Price:
    if not isinstance(detail, dict):
        return _NO_PRICE
    written = repr(detail)
    if (price := _known_prices.get(written)) is None:
        price = _read_price({str(key).strip(): value for key, value in detail.items()})
        if len(written) <= LONGEST_KEPT:
            _known_prices.keep(written, price)
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
