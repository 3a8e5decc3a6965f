"""Reading what a caller gives: a query's texts and a body's values alike."""

import datetime as dt
from typing import Any

from laaffic_console.sandbox.protocol import Refusal


def text(given: dict[str, Any], name: str) -> str:
    """A value as text; half of a surrogate pair, which nobody can send on, becomes a question mark."""
    value = given.get(name)
    return "" if value is None else str(value).encode(errors="replace").decode()


def is_id(said: str) -> bool:
    """Whether it looks like an id of the gateway's (laaffic-api#ids); any other is abnormal."""
    return said.isascii() and said.isdecimal()


def integer(given: dict[str, Any], name: str, lowest: int, highest: int, default: int | None = None) -> int:
    """A number, or the same as text; −22 for anything else and for what is out of range."""
    said = text(given, name).strip()
    if not said and default is not None:
        return default
    readable = said.isascii() and said.removeprefix("-").isdecimal() and len(said) <= 20
    if not readable or not lowest <= int(said) <= highest:
        raise Refusal("-22", f"{name} is not a number from {lowest} to {highest}")
    return int(said)


def moment(given: dict[str, Any], name: str) -> float:
    """ISO 8601 with offset; a `+` that was not encoded has become a space (laaffic-api#ambiguities 7)."""
    try:
        parsed = dt.datetime.fromisoformat(text(given, name).strip().replace(" ", "+"))
    except ValueError:
        raise Refusal("-11") from None
    if parsed.tzinfo is None:
        raise Refusal("-11")
    return parsed.timestamp()


def page_of(rows: list[Any], given: dict[str, Any]) -> dict[str, Any]:
    """`current` and `size` of `rows`, as the vendor's pages look (laaffic-api#pages-of-lists)."""
    current = integer(given, "current", 1, 10**9, 1)
    size = integer(given, "size", 1, 100, 25)
    return {
        "total": len(rows),
        "size": size,
        "current": current,
        "pages": -(-len(rows) // size),
        "records": rows[(current - 1) * size : current * size],
    }
