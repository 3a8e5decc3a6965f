"""Lines of numbers as people paste them: one a line, several with commas or semicolons, or rows of a CSV file."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from messaging import msisdn
from messaging.files.contact_files import MAX_COLUMNS, said_delimiter
from messaging.files.contact_headers import guess_mapping, visible
from messaging.files.contact_rows import NULL_WORDS, more_cells
from messaging.msisdn import Msisdn

HEAD = 5  # lines among which the titles are looked for
_DELIMITERS = ",;\t"
_SEPARATORS = re.compile(f"[{_DELIMITERS}，；、]")
_NEXT_PLUS = re.compile(r"\s+(?=[+＋])")
FEWEST_DIGITS = 7  # an age or an amount beside a number is none
WHOLE = 10  # digits, with which a piece between spaces is a number and no part of one


@dataclass(frozen=True, slots=True)
class Problem:
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Titles:
    """The line that names the columns of those below it."""

    line: int  # the first is 1
    delimiter: str = ""
    width: int = 0
    columns: tuple[int, ...] = ()  # that hold numbers; none where the titles name none
    name: str = ""  # of the column that is read


def titles_of(head: Sequence[str]) -> Titles | None:
    """Which of the first lines names the columns; None where the first that says something is read like any other."""
    said = ""
    for n, line in enumerate(head, 1):
        if delimiter := said_delimiter(line):
            said = delimiter
        elif line.strip():
            return _naming(n, line, said) or _of_words(n, line, is_alone=not any(map(str.strip, head[n:])))
    return None


def header_of(head: Sequence[str]) -> int:
    """Which of the first lines only says that numbers follow, such as “phone”; 0 where none does."""
    titles = titles_of(head)
    return titles.line if titles and not titles.columns and _names_numbers(head[titles.line - 1]) else 0


def _names_numbers(line: str) -> bool:
    return "number" in guess_mapping([visible(_bare(line))]).values()


def read(line: str, titles: Titles | None = None) -> Iterator[Msisdn | Problem]:
    """The numbers of a line. Under titles that name a column of numbers, the one in that column, as in an import.

    Without titles a line of which only some cells look like numbers is a row, and the first number in it counts; if
    several do, and each of the others is a number but for a letter, it is a list in which these are invalid. Bytes
    that cannot be decoded show as �, and so does NUL, which no database keeps: a number with such a gap is invalid.
    """
    line = line.replace("\0", "\ufffd")
    if said_delimiter(line):
        return
    if titles and titles.columns and len(row := _row(line, titles.delimiter)) > 1 and not _is_torn(line, row, titles):
        yield from _of_row(row, titles)
        return
    cells = cells_of(line)
    if not cells:
        return
    alike = [cell for cell in cells if _is_alike(cell)]
    if alike and (len(alike) == len(cells) or (len(alike) > 1 and all(map(_may_be_misspelt, cells)))):
        yield from map(_parsed, cells)
        return
    found = [_parsed(cell) for cell in alike or cells[:1]]
    yield next((one for one in found if isinstance(one, Msisdn)), found[0])


def _naming(n: int, line: str, said: str) -> Titles | None:
    """Titles that name a column of numbers. The likeliest is read, the others stand in where its cell is empty."""
    delimiter = said or max(_DELIMITERS, key=lambda one: len(_row(line, one)))
    names = [visible(_bare(cell)) for cell in _row(line, delimiter)]
    if len(names) > MAX_COLUMNS or any(map(_is_alike, names)):
        return None
    fields = guess_mapping(names)
    if "number" not in fields.values():
        return None
    if len(names) == 1:  # no columns: several numbers may be in a line below it
        return Titles(n)
    places = range(len(names))
    columns = [i for field in ("number", "other_number") for i in places if fields[names[i]] == field]
    return Titles(n, delimiter, len(names), tuple(columns), names[columns[0]])


def _of_words(n: int, line: str, *, is_alone: bool) -> Titles | None:
    return None if is_alone or any(character.isdigit() for character in line) else Titles(n)


def _row(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.strip("\r\n")], delimiter=delimiter), [])
    except csv.Error:  # not strict: a cell that is too long, or a break within one
        return line.split(delimiter)


def _is_torn(line: str, row: Sequence[str], titles: Titles) -> bool:
    """Whether it is the rest of a row with a line break in a quoted cell: its columns are not those of the titles."""
    return line.count('"') % 2 == 1 and len(row) <= min(titles.columns)


def _of_row(row: Sequence[str], titles: Titles) -> Iterator[Msisdn | Problem]:
    cells = list(map(_bare, row))
    written = [cells[i] for i in titles.columns if i < len(cells) and cells[i] and cells[i] not in NULL_WORDS]
    shown = " ".join(filter(None, cells))[:60]
    if any(cells[titles.width :]):
        yield Problem(shown, str(more_cells(titles.width)))
    elif written:
        yield _parsed(written[0])
    elif shown:
        yield Problem(shown, _("There is no number in its column."))


def cells_of(line: str) -> list[str]:
    """What lies between commas, semicolons, tabs, and the spaces between whole numbers."""
    return [one for cell in map(_bare, _SEPARATORS.split(line)) if cell for one in _apart(cell)]


def _apart(cell: str) -> list[str]:
    """The numbers in a cell, where spaces lie between several: each begins with +, or has digits enough to be whole."""
    for pieces, least in ((_NEXT_PLUS.split(cell), FEWEST_DIGITS), (cell.split(), WHOLE)):
        if len(pieces) > 1 and all(len(msisdn.digits_alone(piece)) >= least for piece in pieces):
            return pieces
    return [cell]


def _bare(cell: str) -> str:
    return cell.strip().strip("\"'").strip()


def _is_alike(cell: str) -> bool:
    return len(msisdn.digits_alone(cell)) >= FEWEST_DIGITS


def _may_be_misspelt(cell: str) -> bool:
    """Whether a cell among numbers is one too, or one into which a letter slipped, and no order's number or name."""
    has_one_letter = cell[:1] in "+0123456789" and sum(map(str.isalpha, cell)) == 1
    return _is_alike(cell) or (has_one_letter and sum(map(str.isdigit, cell)) >= FEWEST_DIGITS)


def _parsed(cell: str) -> Msisdn | Problem:
    if len(cell) > 60:
        return Problem(cell[:60], _("This is too long to be a number."))
    try:
        return msisdn.parse(cell)
    except msisdn.InvalidNumber as problem:
        return Problem(cell, str(problem))
