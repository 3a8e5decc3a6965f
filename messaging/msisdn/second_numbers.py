"""Fields with two numbers in them, or one with two endings, which would be read as one longer number."""

import re

from laaffic_console.kit.words.said import gettext as _
from messaging.msisdn.calling_codes import in_table, is_mobile
from messaging.msisdn.national import read_national
from messaging.msisdn.number import InvalidNumber

# A second number, or a second ending of the same one, would be read as more digits of the first.
TWO_NUMBERS = 14  # digits

_WHOLE = 7  # digits of a number that can be dialled

_WITHOUT_CODE = 10  # digits of most mobile numbers without country code

_AREA, _AREA_WITH_CODE, _SUBSCRIBER = 6, 9, 4  # digits before and behind the slash of one number

_CALLING_CODE = 3  # digits at most

digit_group = re.compile(r"\d+")

_line = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+|[ ]{3,}")

_in_brackets_at_the_end = re.compile(r"\d[^\d]*[(\[]\s*\d{1,4}\s*[)\]]\s*$")

_short_tail = re.compile(r"^(.*\d)\s*[-‐‑‒–—−./()\[\]·]\s*\d{1,2}\s*$", re.DOTALL)

_halves = re.compile(r"[-‐‑‒–—−./·]+")


def refuse_a_second_number(text: str, shown: str, region: str | None) -> None:
    if _in_brackets_at_the_end.search(text) and _count(text) > _WHOLE:
        raise _second(shown)
    if any(_are_several(text, parts) for parts in (_line.split(text.strip()), _halves.split(text), text.split("/"))):
        raise _second(shown)
    if "/" in text and not _is_slash_of_one_number(text):
        raise _second(shown)
    if (tail := _short_tail.match(text)) and _is_whole(tail[1], text, region):
        raise _second(shown)


def _second(shown: str) -> InvalidNumber:
    said = _(
        "“%(text)s” holds a second number or a second ending. If these are several numbers, give each a row of its "
        "own; leave an extension out."
    )
    return InvalidNumber(said % {"text": shown.strip()[:40]})


def _count(text: str) -> int:
    return sum(len(digits) for digits in digit_group.findall(text))


def _are_several(text: str, parts: list[str]) -> bool:
    return sum(_count(part) - _dialled_out(part) >= _WHOLE for part in parts) > 1


def _dialled_out(part: str) -> int:
    """The digits at its beginning that stand for a +."""
    return 2 if part.lstrip(" (").startswith("00") else 0


def _is_slash_of_one_number(text: str) -> bool:
    """Whether the slash is part of one number (030/123456, +49 171/1234567, +49/171/1234567, 0475/12.34.56,
    06/12/34/56/78).
    """
    head, *tails = text.split("/")
    is_international = head.strip().startswith(("+", "00"))
    if is_international and len(tails) == 2 and _count(head) - _dialled_out(head) <= _CALLING_CODE:
        return _count(tails[0]) <= _AREA and _count(tails[1]) >= _SUBSCRIBER
    if len(tails) == 1:
        return _count(head) <= (_AREA_WITH_CODE if is_international else _AREA) and _count(tails[0]) >= _SUBSCRIBER
    sizes = {_count(tail) for tail in tails}
    return _count(head) <= _AREA - 1 and (sizes <= {2, 3} or len(sizes) == 1)


def _is_whole(head: str, text: str, region: str | None) -> bool:
    """A mobile number has no extension; one without + and country is whole with ten digits between few marks."""
    digits = "".join(digit_group.findall(head))
    if text.lstrip(" (").startswith("+") or digits.startswith("00"):
        found = in_table(digits.removeprefix("00"))
    elif region:
        found = read_national(digits, region)
    else:
        return len(digits) >= _WITHOUT_CODE and not _halves.search(head)
    return found is not None and found.is_valid and is_mobile(found)
