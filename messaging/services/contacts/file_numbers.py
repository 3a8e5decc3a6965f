"""Numbers in a file that has a header or none: one of each row, or every one that is in it."""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from messaging import msisdn
from messaging.files import contact_files
from messaging.files.contact_files import Row
from messaging.files.contact_headers import guess_mapping
from messaging.files.contact_rows import NULL_WORDS
from messaging.subscribers import subscriber

Written = tuple[int, str, str]  # line, what is in it, and why nobody can tell which part is the number

LOOKED_AT = 50  # cells of a column that nobody names: whether they are numbers
_like_a_number = re.compile(r"\+?[0-9][0-9 ().\-/]{6,24}")
_like_a_date = re.compile(r"(?:19|20)\d\d([-/.]?)[01]?\d\1[0-3]?\d|[0-3]?\d([-/.])[0-3]?\d\2(?:19|20)\d\d", re.ASCII)


def one_each(path: Path, region: str) -> Iterator[Written]:
    """The numbers of one column: the one that the header names, else the first with a number in the first row."""
    contact_files.require_one_sheet(path)
    rows = contact_files.plain_rows(path)
    first = next(rows, None)
    if first is None:
        return
    named = [index for index, field in enumerate(_fields(first)) if field == "number"]
    if not named:
        rows = itertools.chain([first], rows)
        named = [index for index, cell in enumerate(first.cells) if _is_number(cell, region)] or [0]
    yield from _cells(rows, named[:1])


def every_one(path: Path, region: str) -> Iterator[Written]:
    """The numbers of all columns of numbers; ValidationError if a column not named so seems to hold numbers too."""
    contact_files.require_one_sheet(path)
    rows = contact_files.plain_rows(path)
    first = next(rows, None)
    if first is None:
        return
    columns = [index for index, field in enumerate(_fields(first)) if field in ("number", "other_number")]
    header = first.cells if columns else []
    if not columns:
        rows = itertools.chain([first], rows)
        columns = _columns_of(first, region)
    others = _Others(columns, region)
    yield from _cells(others.looking_at(rows), columns)
    others.require_none(header)


def number(text: str, region: str) -> str:
    """Replies come from spellings that are not in use any more, such as 521…: they can be suppressed as they stand.

    A number of the region is read as one first: (22) 99812-3456 is of Brazil, and not an old one of Benin.
    """
    digits = "".join(character for character in text if character not in "+ -().")
    is_old = digits.isdecimal() and digits.isascii() and subscriber(digits) != digits
    if is_old and (not region or text.lstrip().startswith("+")):
        return digits
    try:
        return msisdn.parse(text, region).number
    except msisdn.InvalidNumber:
        if is_old and msisdn.is_of(subscriber(digits), region):
            return digits
        raise


def _fields(header: Row) -> list[str]:
    mapping = guess_mapping(header.cells)
    return [mapping.get(name, "") for name in header.cells]


def _columns_of(first: Row, region: str) -> list[int]:
    """Without a header: those that hold a number of somebody's in the first row."""
    found = [index for index, cell in enumerate(first.cells) if _is_number(cell, region)]
    return [index for index in found if _is_somebody_s(first.cells[index], region)] or found[:1] or [0]


def _cells(rows: Iterator[Row], columns: Sequence[int]) -> Iterator[Written]:
    for row in rows:
        if row.problem:
            yield row.line, row.text, row.problem
            continue
        for index in columns:
            cell = row.cells[index].strip() if len(row.cells) > index else ""
            if cell and not (len(columns) > 1 and cell in NULL_WORDS):  # few have a second number
                yield row.line, row.cells[index], ""


class _Others:
    """The columns that are not read."""

    def __init__(self, columns: Sequence[int], region: str) -> None:
        self.columns, self.region = frozenset(columns), region
        self.filled: dict[int, int] = {}
        self.alike: dict[int, list[str]] = {}  # the first of those that look like numbers
        self.counts: dict[int, int] = {}

    def looking_at(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            for index, cell in enumerate(row.cells):
                if index not in self.columns and (text := cell.strip()):
                    self._look(index, text)
            yield row

    def _look(self, index: int, text: str) -> None:
        self.filled[index] = self.filled.get(index, 0) + 1
        if _like_a_number.fullmatch(text) and not _like_a_date.fullmatch(text):
            self.counts[index] = self.counts.get(index, 0) + 1
            if len(alike := self.alike.setdefault(index, [])) < LOOKED_AT:
                alike.append(text)

    def require_none(self, header: Sequence[str]) -> None:
        """Nothing has been suppressed yet: the reader of the sentence loses nothing by it."""
        for index, alike in self.alike.items():
            known = sum(_is_somebody_s(text, self.region) for text in alike)
            if self.counts[index] * 2 >= self.filled[index] and known * 2 >= len(alike):
                raise ValidationError(_said(header, index, sorted(self.columns)))


def _said(header: Sequence[str], index: int, columns: Sequence[int]) -> str:
    if not header:
        said = _(
            "Nothing was suppressed: column %(n)d holds numbers too, and without a header only column %(read)s is "
            "read. Write “phone” above each column of numbers, or delete it."
        )
        return said % {"n": index + 1, "read": ", ".join(str(one + 1) for one in columns)}
    said = _(
        "Nothing was suppressed: column “%(name)s” seems to hold numbers too, and only “%(read)s” is read. "
        "Call it “phone 2” if it does, or delete it."
    )
    name = header[index] if index < len(header) else str(index + 1)
    return said % {"name": name[:60], "read": ", ".join(header[one] for one in columns)}


def _is_number(cell: str, region: str) -> bool:
    try:
        number(cell, region)
    except msisdn.InvalidNumber:
        return False
    return True


def _is_somebody_s(cell: str, region: str) -> bool:
    """Whether this is a number in a range that is in use, as dates and order numbers seldom are."""
    try:
        return msisdn.parse(subscriber(number(cell, region))).is_valid
    except msisdn.InvalidNumber:
        return False
