"""Reading a caller's values, from a query's texts and a body's values alike."""

import calendar
import datetime as dt
from typing import Any

from laaffic_console.sandbox.protocol import Refusal
from laaffic_console.sandbox.store import ZONE


def text(given: dict[str, Any], name: str) -> str:
    """A value as text; half of a surrogate pair, which cannot be sent on, becomes a question mark."""
    value = given.get(name)
    return "" if value is None else str(value).encode(errors="replace").decode()


def is_id(said: str) -> bool:
    """Whether it looks like an id of the gateway (laaffic-api#ids); any other is abnormal."""
    return said.isascii() and said.isdecimal()


def integer(given: dict[str, Any], name: str, lowest: int, highest: int, default: int | None = None) -> int:
    """An integer, also if it is given as text; −22 for anything else and for values out of range."""
    said = text(given, name).strip()
    if not said and default is not None:
        return default
    readable = said.isascii() and said.removeprefix("-").isdecimal() and len(said) <= 20
    if not readable or not lowest <= int(said) <= highest:
        raise Refusal("-22", f"{name} is not a number from {lowest} to {highest}")
    return int(said)


def moment(given: dict[str, Any], name: str) -> float:
    """A moment in ISO 8601 with offset; an unencoded `+` has become a space (laaffic-api#ambiguities 7)."""
    try:
        parsed = dt.datetime.fromisoformat(text(given, name).strip().replace(" ", "+"))
    except ValueError:
        raise Refusal("-11") from None
    if parsed.tzinfo is None:
        raise Refusal("-11")
    return parsed.timestamp()


def months_before(moment: float, months: int) -> float:
    """The same time of day on the same day of an earlier month, or on its last day; negative: of a later one."""
    day = dt.datetime.fromtimestamp(moment, ZONE)
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last)).timestamp()


def page_of(rows: list[Any], given: dict[str, Any]) -> dict[str, Any]:
    """The page `current` of `rows`, with `size` rows, in the vendor's form (laaffic-api#pages-of-lists)."""
    current = integer(given, "current", 1, 10**9, 1)
    size = integer(given, "size", 1, 100, 25)
    return {
        "total": len(rows),
        "size": size,
        "current": current,
        "pages": -(-len(rows) // size),
        "records": rows[(current - 1) * size : current * size],
    }
