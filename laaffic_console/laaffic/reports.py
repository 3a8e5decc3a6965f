"""A delivery report, from whichever of the three sources it came."""

import datetime as dt
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import times
from laaffic_console.laaffic.codes import DeliveryState, Source, delivery_state


@dataclass(frozen=True, slots=True)
class DeliveryReport:
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

    def as_json(self) -> dict[str, Any]:
        """For keeping a report whose message is not known yet; `from_json` reads it back."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
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
    """One pushed report (wire §2.4): `msgid` in lower case, `mobile`, keys that may have spaces around them."""
    if not isinstance(entry, dict):
        raise MalformedReport(f"not an object: {reprlib.repr(entry)[:80]}")
    report = {str(key).strip().lower(): value for key, value in entry.items()}
    msg_id, order_id = text(report.get("msgid")), text(report.get("orderid"))
    if "status" not in report or not (msg_id or order_id):
        raise MalformedReport("without a status, or without msgid and orderId")
    status = text(report["status"])
    return DeliveryReport(
        source=Source.PUSH,
        msg_id=msg_id,
        number=text(report.get("mobile", report.get("number"))),
        order_id=order_id,
        state=delivery_state(Source.PUSH, status),
        raw_status=status,
        reason=text(report.get("reason")),
        at=times.of_event(times.from_text(report.get("timestamp"), zone)),
        app_id=text(report.get("appid")),
        mcc=text(report.get("mcc")),
        mnc=text(report.get("mnc")),
        **_price(report.get("pricedetail")),
    )


def from_record(entry: object, source: Source) -> DeliveryReport:
    """A row of getReport or getSentRcd (wire §2.2, §2.3): no orderId and no error detail in either."""
    if not isinstance(entry, dict):
        raise MalformedReport(f"not an object: {reprlib.repr(entry)[:80]}")
    record = {str(key).strip(): value for key, value in entry.items()}
    if not record.get("msgId") or "status" not in record:
        raise MalformedReport("without msgId or status")
    status = text(record["status"])
    return DeliveryReport(
        source=source,
        msg_id=text(record["msgId"]),
        number=text(record.get("number")),
        order_id=text(record.get("orderId")),
        state=delivery_state(source, status),
        raw_status=status,
        reason="",
        at=times.of_event(times.from_text(record.get("receiveTime"))),
        **_price(record.get("pricedetail")),
    )


def text(value: object) -> str:
    """Numbers come as strings and as ints; NUL and half a surrogate pair are what no database keeps."""
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).replace("\0", "").encode(errors="replace").decode().strip()


def money(value: object) -> Decimal | None:
    """A decimal string; None for what is none, infinite or beyond any price."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount.copy_abs() < 1_000_000_000 else None


def count(value: object) -> int | None:
    try:
        number = int(str(value).strip())
    except ValueError:
        return None
    return number if 0 <= number < 1_000_000_000 else None


def _price(detail: object) -> dict[str, Any]:
    if not isinstance(detail, dict):
        return {}
    known = {str(key).strip(): value for key, value in detail.items()}
    return {
        "price": money(known.get("price")),
        "pay": money(known.get("pay")),
        "currency": text(known.get("currency"))[:8],
        "segments": count(known.get("chargeCnt")),
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
