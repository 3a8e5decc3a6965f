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
HIDDEN = 5  # digits of a number, at the least
_MOMENT = r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)(?:[T ]\d\d:[\d:.]+(?:[+-]\d\d:?\d\d)?)?"
_DAY = r"(?<!\d)(?<!\d[./ -])(?:(?:[0-2]?\d|3[01])[./-]){2}(?:19|20)\d\d(?!\d|[./ -]\d)"
_BETWEEN = r" \u00a0\u2000-\u2015\u202f().\-/+"  # what people write between the digits of a number
_LOCAL = 192  # characters before the @, 64 of which may be escaped: without a limit a long word takes minutes
# Addresses in a text, with an @ in them, and seven digits or more as people write a number; no moments and days.
_KINDS = rf"(?P<address>[\w.%+-]{{1,{_LOCAL}}}?(?:@|%40)[\w.@-]+)|(?P<moment>{_MOMENT})|(?P<day>{_DAY})"
_RARELY = r"_·\[\]'’`\u2212\u200b-\u200f\u202a-\u202e\u2060\ufeff"
# Of a campaign, in conditions and sentences. Of fewer digits than seven nothing is hidden anyway.
_ID = rf"(?P<id>\bcampaign \d{{7,8}}(?![{_BETWEEN}{_RARELY}]{{0,6}}\d))"
_IN_TEXT = re.compile(rf"{_ID}|{_KINDS}|\d(?:[{_BETWEEN}{_RARELY}]{{0,6}}(?!{_MOMENT}|{_DAY})\d){{6,}}")
_CLOSE_IN_TEXT = re.compile(rf"{_KINDS}|\d(?:[{_BETWEEN}]{{0,2}}\d){{6,}}")
_WIDE = re.compile(rf"[{_BETWEEN}]*[{_RARELY}][{_BETWEEN}{_RARELY}]*|[{_BETWEEN}]{{3,}}")
_CLOSE = 7  # digits of a number whose parts are close to each other: 98765-43210
_FEWEST = 9  # of one whose parts are far from each other: 98765 - 43210
_LONG = 10  # of one that begins as a year or a price does: 2012 - 345 - 6789
_OTHER_PART = re.compile(r"\d+\.\d{1,2}")  # a price or a time of day: 10.30
_YEAR = re.compile(r"(?:19|20)\d\d")


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
    """The text with enough left to tell two apart in a list: the country and the network, and the last three digits.

    Of a short number less is left: what is hidden has so many digits that nobody can try them all.
    """
    local, at, domain = text.rpartition("@")
    if at:
        return f"{local[:1]}{_DOTS * 3}@{domain}"
    start, end = (4, 3) if len(text) >= 9 else (0, 2)
    end = max(0, min(end, len(text) - HIDDEN))
    start = max(0, min(start, len(text) - end - HIDDEN))
    return text[:start] + _DOTS * (len(text) - start - end) + text[len(text) - end :]


def in_text(said: Any) -> str:
    """A sentence in which a number or an address may stand, as the viewer may see it."""
    text = str(said)
    return text if may_see() else mask_in_text(text)


def mask_in_text(text: str) -> str:
    return _IN_TEXT.sub(_masked_match, text)


def is_masked(text: str) -> bool:
    return _DOTS in text


def _masked_match(found: re.Match[str]) -> str:
    if found["moment"] or found["day"] or found["id"]:
        return found[0]
    if found["address"]:
        return mask(found[0].replace("%40", "@"))
    said, has_plus = found[0], found.string.endswith("+", 0, found.start())
    start, end = _number_in(said, has_plus)
    if start == end:
        return _CLOSE_IN_TEXT.sub(_masked_close, said)
    return said[:start] + mask(re.sub(r"\D", "", said[start:end])) + said[end:]


def _masked_close(found: re.Match[str]) -> str:
    return found[0] if found["moment"] or found["day"] else mask(re.sub(r"\D", "", found[0]))


def _number_in(said: str, has_plus: bool) -> tuple[int, int]:
    """Where a number begins and ends that is written in parts far from each other; the same place twice where none is.

    Two prices, times or whole numbers are not one number; a single price, time or year may stand before or behind it.
    """
    breaks = [(found.start(), found.end()) for found in _WIDE.finditer(said)]
    starts, ends = [0, *(end for _start, end in breaks)], [*(start for start, _end in breaks), len(said)]
    parts = [said[start:end] for start, end in zip(starts, ends, strict=True)]
    if len(parts) == 1:
        return 0, len(said)
    others = [n for n, part in enumerate(parts) if _OTHER_PART.fullmatch(part)]
    if len(others) > 1 or all(map(_YEAR.fullmatch, parts)):
        return 0, 0
    first, last = 0, len(parts)
    if others == [0] or (_YEAR.fullmatch(parts[0]) and not has_plus):
        first = 1
    elif others == [last - 1]:
        last -= 1
    if (first, last) != (0, len(parts)) and not _are_one_number(parts[first:last], has_plus=False):
        # Alone it is too short to be one: with that it has the length of a number all the same, or is none.
        is_long = sum(map(_digits_of, parts)) >= _LONG
        return (0, len(said)) if is_long and len(parts) > 2 - len(others) else (0, 0)
    return (starts[first], ends[last - 1]) if _are_one_number(parts[first:last], has_plus=has_plus) else (0, 0)


def _digits_of(part: str) -> int:
    return len(re.sub(r"\D", "", part))


def _are_one_number(parts: Sequence[str], *, has_plus: bool) -> bool:
    digits = [_digits_of(part) for part in parts]
    if len(parts) == 1:
        return digits[0] >= _CLOSE
    return min(digits) < _CLOSE and (sum(digits) >= _FEWEST or has_plus)


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
