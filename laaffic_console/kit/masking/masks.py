"""Phone numbers and addresses are shown whole to anyone who may see them, and masked to everybody else: 9198•••••210.

The viewer is the person who acts (`acts`), so that a page, its title, a list and a file all ask in one place.
What a worker or a command does is shown to nobody and stays whole.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from laaffic_console.kit.audit import acts

SEE = "messaging.see_numbers"
REVEAL = "messaging.reveal_number"
COLUMNS = {"number", "callee", "phone_a", "phone_b", "address", "email", "value.number", "value.email"}  # in files
SUMMARIES = {"summary"}  # columns of files that hold JSON

PAIRS = {"callee", "test to"}  # names in the ledger's summaries
TYPED_PAIRS = {"all the same"}  # those of what a person has written

_DOTS = "•"
# Addresses in a text, with an @ in them, and seven digits or more as people write a number; no moments and days.
_IN_TEXT = re.compile(
    r"(?P<address>[\w.%+-]+?(?:@|%40)[\w.@-]+)"
    r"|(?P<moment>(?<!\d)\d{4}-\d\d-\d\d(?!\d)(?:[T ]\d\d:[\d:.]+(?:[+-]\d\d:?\d\d)?)?)"
    r"|(?P<day>(?<!\d)(?<!\d[./ -])(?:(?:[0-2]?\d|3[01])[./-]){2}(?:19|20)\d\d(?!\d|[./ -]\d))"
    r"|\d(?:[ \u00a0\u2000-\u2015\u202f().\-/+]{0,2}\d){6,}"
)


class Typed(str):
    """In a file's header, the name of a column that holds what people have typed, where a number may stand."""

    __slots__ = ()


def may_see() -> bool:
    who = acts.actor()
    return who is None or who.sees_numbers


def masked(value: Any) -> Any:
    """A number or an address as the viewer may see it; what is empty stays so."""
    return value if may_see() or not value else mask(str(value))


def mask(text: str) -> str:
    """The text with enough left to tell two apart in a list: the country and the network, and the last three digits."""
    local, at, domain = text.rpartition("@")
    if at:
        return f"{local[:1]}{_DOTS * 3}@{domain}"
    if len(text) < 9:
        return _DOTS * max(len(text) - 2, 1) + text[-2:]
    return f"{text[:4]}{_DOTS * (len(text) - 7)}{text[-3:]}"


def in_text(said: Any) -> str:
    """A sentence in which a number or an address may stand, as the viewer may see it."""
    text = str(said)
    return text if may_see() else mask_in_text(text)


def mask_in_text(text: str) -> str:
    return _IN_TEXT.sub(_masked_match, text)


def is_masked(text: str) -> bool:
    return _DOTS in text


def _masked_match(found: re.Match[str]) -> str:
    if found["moment"] or found["day"]:
        return found[0]
    return mask(found[0].replace("%40", "@") if found["address"] else re.sub(r"\D", "", found[0]))


def in_pairs(said: dict[str, Any]) -> dict[str, Any]:
    """A summary for the viewer: values whose names say that they hold or tell a number are masked."""
    return said if may_see() else masked_pairs(said)


def masked_pairs(said: dict[str, Any]) -> dict[str, Any]:
    return {name: _masked_value(name, value) for name, value in said.items()}


def _masked_value(name: str, value: Any) -> Any:
    if value and name in PAIRS:
        return mask(str(value))
    return mask_in_text(str(value)) if name in TYPED_PAIRS else value


def in_columns(rows: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """A file's rows for the person who asks; decided now, while that is known, since the rows are written later."""
    return rows if may_see() else masked_columns(rows)


def masked_columns(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """The rows of a file, its header first, for people who see no whole number."""
    ways: dict[int, Callable[[str], str]] | None = None
    for row in rows:
        if ways is None:
            ways = {place: way for place, name in enumerate(row) if (way := _way_of(name))}
            yield row
        else:
            yield [ways[place](str(cell)) if cell and place in ways else cell for place, cell in enumerate(row)]


def _way_of(header: Any) -> Callable[[str], str] | None:
    column = str(header).lower()
    if column in COLUMNS and not isinstance(header, Typed):
        return mask
    if column in SUMMARIES:
        return _masked_json
    return mask_in_text if isinstance(header, Typed) else None


def _masked_json(said: str) -> str:
    return json.dumps(masked_pairs(json.loads(said)), ensure_ascii=False)
