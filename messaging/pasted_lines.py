"""Lines of numbers as people paste them: one a line, several with commas or semicolons, or rows of a CSV file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from messaging import msisdn
from messaging.msisdn import Msisdn

_SEPARATORS = re.compile(r"[,;\t]")
_LIKE_A_NUMBER = re.compile(r"\+?[\d\s().\-/\u00a0]{7,}")
FEWEST_DIGITS = 7  # an age or an amount beside a number is none


@dataclass(frozen=True, slots=True)
class Problem:
    text: str
    why: str


def read(line: str, *, is_first: bool = False) -> Iterator[Msisdn | Problem]:
    """The numbers of a line. Where only some of its cells look like one, it is a row: the first that is one counts.

    What cannot be decoded shows as �, and so does NUL, which no database keeps: a number with a hole in it is none.
    """
    line = line.replace("\0", "\ufffd")
    cells = [cell for cell in (part.strip().strip("\"'").strip() for part in _SEPARATORS.split(line)) if cell]
    if not cells or (is_first and not any(character.isdigit() for character in line)):
        return  # empty, or a line of titles
    alike = [cell for cell in cells if _is_alike(cell)]
    if alike and len(alike) == len(cells):
        yield from map(_parsed, alike)
        return
    found = [_parsed(cell) for cell in alike or cells[:1]]
    yield next((one for one in found if isinstance(one, Msisdn)), found[0])


def _is_alike(cell: str) -> bool:
    return bool(_LIKE_A_NUMBER.fullmatch(cell)) and sum(map(str.isdigit, cell)) >= FEWEST_DIGITS


def _parsed(cell: str) -> Msisdn | Problem:
    if len(cell) > 60:
        return Problem(cell[:60], _("This is too long to be a number."))
    try:
        return msisdn.parse(cell)
    except msisdn.InvalidNumber as problem:
        return Problem(cell, str(problem))
