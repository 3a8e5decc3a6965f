"""A pool's numbers, pasted or from a CSV file: digits only, each once (laaffic-api#editnumberpool)."""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from laaffic_console.kit.words.said import ngettext
from messaging import msisdn
from messaging.files import pasted_lines
from messaging.files.contact_headers import guess_mapping

MIN_DIGITS, MAX_DIGITS = 7, 15
MAX_FILE = 1024 * 1024  # bytes
SHOWN_PROBLEMS = 10

_between = re.compile(r"[,;\n\r\t，；、]+")
_separators = re.compile(r"[\s\-‐‑–./()\u200b-\u200f\u202a-\u202e\ufeff]+")


class NumberList(NamedTuple):
    numbers: tuple[str, ...]
    duplicates: tuple[str, ...]  # left out, once for each repetition


class InvalidNumbers(ValueError):
    """The text is not a list of numbers; one sentence for each of the first parts that are not numbers."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def read_pasted(text: str, *, held: Collection[str] = ()) -> NumberList:
    """Numbers on lines of their own or separated by commas; + and spaces inside a number are dropped. A number that
    Laaffic holds already, such as a short one, stays as it is. A first line that names the column is skipped."""
    lines = text.splitlines()
    first = pasted_lines.header_of(lines[: pasted_lines.HEAD])
    parts = [
        (number, line)
        for line, text in enumerate(lines[first:], first + 1)
        for part in _between.split(text)
        for number in _apart(part.strip())
        if number
    ]
    shown = _("Line %(line)d: “%(value)s”")
    return _with_held([(part, shown % {"line": line, "value": part[:40]}) for part, line in parts], held)


def _with_held(written: list[tuple[str, str]], held: Collection[str]) -> NumberList:
    kept = frozenset(held)
    read = _collect((part, shown) for part, shown in written if part not in kept)
    as_held = _once([part for part, _shown in written if part in kept])
    return join(as_held, read) if as_held.numbers else read


def _apart(part: str) -> list[str]:
    """The numbers in `part`: spaces separate numbers if each piece is long enough to be one."""
    pieces = part.split()
    whole = all(len(_separators.sub("", piece).lstrip("+")) >= MIN_DIGITS for piece in pieces)
    return pieces if whole else [part]


def read_csv(raw: bytes, *, held: Collection[str] = ()) -> NumberList:
    """Numbers from the column called number, phone …; a file with one column needs no header. `held`: as pasted."""
    rows = _rows(raw)
    rows_with_lines = [(line, row) for line, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
    if not rows_with_lines:
        raise InvalidNumbers([_("The file is empty. Export it again and check that it has rows.")])
    column, body = _column(rows_with_lines)
    return _with_held(list(_cells(column, body)), held)


def _rows(raw: bytes) -> list[list[str]]:
    """The rows of a CSV file, read strictly: an unclosed quotation mark would silently swallow the numbers below it."""
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(_decoded(raw)), delimiter=_delimiter(raw), strict=True):
            rows.append(row)  # noqa: PERF402 - how far it came is told
    except csv.Error:
        said = _("Row %(n)d: a quotation mark is left open or is in the middle of a cell. Write it twice.")
        raise InvalidNumbers([said % {"n": len(rows) + 1}]) from None
    return rows


def join(*lists: NumberList) -> NumberList:
    """Several lists as one; a number that is in two of them is a duplicate."""
    every = [number for numbers in lists for number in numbers.numbers]
    joined = _once(every)
    again = [number for numbers in lists for number in numbers.duplicates]
    return NumberList(joined.numbers, (*again, *joined.duplicates))


def _column(rows: list[tuple[int, list[str]]]) -> tuple[int, list[tuple[int, list[str]]]]:
    header = [cell.strip() for cell in rows[0][1]]
    mapping = guess_mapping(header)
    named = [index for index, name in enumerate(header) if name and mapping.get(name) == "number"]
    if named:
        return named[0], rows[1:]
    if max(len(row) for _line, row in rows) == 1:
        return 0, rows
    raise InvalidNumbers([_("No column is called number. Name the column with the numbers “number” and try again.")])


def _cells(column: int, rows: list[tuple[int, list[str]]]) -> Iterator[tuple[str, str]]:
    for line, row in rows:
        cell = row[column].strip() if column < len(row) else ""
        yield cell, _("Row %(line)d: “%(value)s”") % {"line": line, "value": cell[:40]}


def _collect(written: Iterable[tuple[str, str]]) -> NumberList:
    found, problems = [], []
    for text, shown in written:
        try:
            text = msisdn.from_spreadsheet(text, text[:40])
        except msisdn.InvalidNumber as problem:
            problems.append(f"{shown}: {problem}")
            continue
        digits = _separators.sub("", unicodedata.normalize("NFKC", text))
        digits = digits[1:] if digits.startswith("+") else digits.removeprefix("00")
        if not (digits.isdecimal() and digits.isascii()):
            problems.append(_("%(shown)s is not a number: use digits with the country code.") % {"shown": shown})
        elif not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
            problems.append(
                _("%(shown)s has %(n)d digits; a number has %(least)d to %(most)d with its country code.")
                % {"shown": shown, "n": len(digits), "least": MIN_DIGITS, "most": MAX_DIGITS}
            )
        else:
            found.append(digits)
    if problems:
        raise InvalidNumbers(_shortened(problems))
    return _once(found)


def _once(found: list[str]) -> NumberList:
    seen: set[str] = set()
    again = [number for number in found if number in seen or seen.add(number)]  # type: ignore[func-returns-value]
    return NumberList(tuple(dict.fromkeys(found)), tuple(again))


def _shortened(problems: list[str]) -> list[str]:
    more = len(problems) - SHOWN_PROBLEMS
    if more <= 0:
        return problems
    rest = ngettext("And %(n)d more like it.", "And %(n)d more like these.", more) % {"n": more}
    return [*problems[:SHOWN_PROBLEMS], rest]


def _decoded(raw: bytes) -> str:
    if len(raw) > MAX_FILE:
        raise InvalidNumbers([_("The file is larger than 1 MB. A list of numbers is smaller: choose another file.")])
    if raw.startswith(b"PK\x03\x04"):
        raise InvalidNumbers([_("This is a workbook. Save the list as CSV and try again.")])
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (b"", "utf-8-sig")):
        if not raw.startswith(mark):
            continue
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            break
        if "\0" not in text:
            return text
    raise InvalidNumbers([_("This is not a text file that can be read. Save the list as “CSV UTF-8” and try again.")])


def _delimiter(raw: bytes) -> str:
    first = _decoded(raw).lstrip().split("\n", 1)[0]
    return max(",;\t|", key=first.count)
