"""Reading a file of contacts row by row, whatever program wrote it; memory does not grow with the file."""

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, TextIO

from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.said import gettext as _
from messaging.files import encodings, other_files, workbooks
from messaging.files.contact_headers import visible
from messaging.files.encodings import Reading
from messaging.files.unreadable import SeveralReadings, UnreadableFile
from messaging.files.workbook_limits import LOOK_SECONDS
from messaging.files.workbooks import NO_WORKBOOK

MAX_COLUMNS = 200
MAX_CELL = 100_000
MAX_UNPACKED = 2 << 30
LOOKED_AT = 5000  # rows of a text, before anything is written of it: some milliseconds
SAMPLE = 256 * 1024
DELIMITERS = ",;\t|"

_preface = re.compile('\ufeff*"?sep=([^"\r\n])"?[,;\t]*\\s*$', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is written. A workbook has a sheet, and neither encoding nor delimiter."""

    encoding: str
    delimiter: str
    headers: list[str]
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)  # those that can be chosen
    readings: list[Reading] = field(default_factory=list)  # several: what the words are, a person has to say

    @property
    def is_workbook(self) -> bool:
        return not self.encoding


class Row(NamedTuple):
    line: int  # as a spreadsheet numbers it: the header is 1
    cells: list[str]
    problem: str = ""  # why its cells cannot be told apart
    text: str = ""  # such a row as it is in the file


def detect(path: Path, *, encoding: str = "", sheet: str = "") -> Format:
    """Encoding or sheet, unless they are chosen, delimiter and columns.

    UnreadableFile for a file without a header and rows.
    """
    written = _how_it_is_written(path, encoding, sheet)
    headers = _workbook_headers(path, written.sheet) if written.is_workbook else _text_headers(path, written)
    found = replace(written, headers=_checked_headers(headers))
    looked_at = 1 if written.is_workbook else LOOKED_AT
    if not list(itertools.islice(ContactFile(path, found, within=LOOK_SECONDS), looked_at)):
        raise UnreadableFile(no_rows())
    return found


def no_rows() -> str:
    return _("The file has a header, but no rows below it. Export it again with its contacts.")


def plain_rows(path: Path) -> Iterator[Row]:
    """The rows of a list that may have a header or none: the first row is a row like any other."""
    yield from ContactFile(path, _how_it_is_written(path)).rows()


def plain_rows_as_meant(path: Path, encoding: str = "") -> Iterator[Row]:
    """As `plain_rows`, for lists whose words are kept: SeveralReadings if `encoding` leaves several readings."""
    written = _how_it_is_written(path, encoding)
    if len(written.readings) > 1:
        said = _("The file's letters can be read in several ways. Say which encoding is right: %(all)s")
        raise SeveralReadings(said % {"all": _readings(written.readings)})
    yield from ContactFile(path, written).rows()


def which_encoding(readings: Sequence[Reading]) -> str:
    said = _(
        "The file's letters can be read in several ways. Say its encoding, for example with --encoding %(one)s: %(all)s"
    )
    return said % {"one": readings[0].encoding, "all": _readings(readings)}


def _readings(readings: Sequence[Reading]) -> str:
    return "; ".join(f"{found.encoding}: {', '.join(found.words)}" for found in readings)


def require_one_sheet(path: Path) -> None:
    """UnreadableFile for a workbook with rows on several sheets, of which only the first would be read."""
    written = _how_it_is_written(path)
    filled = [name for name in written.sheets if next(ContactFile(path, replace(written, sheet=name)).rows(), None)]
    if len(filled) > 1:
        said = _("The workbook has rows on several sheets: %(sheets)s. Keep all rows on one, and delete the others.")
        raise UnreadableFile(said % {"sheets": ", ".join(filled[:5])})


def _how_it_is_written(path: Path, encoding: str = "", sheet: str = "") -> Format:
    """Encoding and delimiter, or sheet, without a look at the header."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    other_files.refuse(path, head)
    if not head.strip(other_files.BLANK):
        raise UnreadableFile(_("The file is empty. Export it again and check that it has rows."))
    if head.startswith(b"PK\x03\x04"):
        _check_unpacked_size(path)
        sheets = workbooks.sheets(path)
        return Format("", "", [], sheet or sheets[0], sheets)
    readings = encodings.readings(path, head) if not encoding else []
    found = encodings.chosen(path, encoding) if encoding else readings[0].encoding
    return Format(found, _delimiter(head, found), [], readings=readings)


def opened(path: Path) -> TextIO:
    """A file of text to read line by line, whatever its encoding; UnreadableFile for a workbook."""
    written = _how_it_is_written(path)
    if written.is_workbook:
        raise UnreadableFile(_("This is a workbook. Save it as “CSV UTF-8”, or import it as contacts."))
    return path.open("r", encoding=written.encoding, errors="replace")


def _text_headers(path: Path, written: Format) -> list[str]:
    csv.field_size_limit(MAX_CELL)
    with path.open("r", encoding=written.encoding, newline="") as text:
        try:
            return next(csv.reader(_without_preface(text), delimiter=written.delimiter), [])
        except csv.Error:  # it is not strict: only of a cell that is too long
            raise _never_closed(1) from None


def _never_closed(line: int) -> UnreadableFile:
    said = _(
        "Row %(n)s has a cell of more than %(most)s characters: a quotation mark that opens there is not closed. "
        "Write it twice, or delete it, and save the list again."
    )
    return UnreadableFile(said % {"n": number(line), "most": number(MAX_CELL)})


class ContactFile:
    """A file's rows under its header; empty ones are passed over, but counted as lines."""

    def __init__(self, path: Path, written: Format, within: float | None = None) -> None:
        """`within`: seconds that reading a workbook may take, for anyone who only looks at it."""
        self.path = path
        self.written = written
        self.within = within
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Row]:
        return (row for row in self.rows() if row.line > 1)

    def rows(self) -> Iterator[Row]:
        """The header's row too."""
        return self._workbook_rows() if self.written.is_workbook else self._csv_rows()

    def _workbook_rows(self) -> Iterator[Row]:
        size = self.path.stat().st_size
        for line, cells, lines in workbooks.rows(self.path, self.written.sheet, self.within):
            self.bytes_read = size * min(line, lines) // lines if lines else 0
            if any(cell.strip() for cell in cells):
                yield Row(line, cells)

    def _csv_rows(self) -> Iterator[Row]:
        csv.field_size_limit(MAX_CELL)
        with self.path.open("rb") as raw:
            text = io.TextIOWrapper(raw, encoding=self.written.encoding, newline="")
            # Strict: a quotation mark that is left open would swallow the rows below it without a word.
            of_this_row: list[str] = []
            reader = csv.reader(_remembered(text, of_this_row), delimiter=self.written.delimiter, strict=True)
            for row in self._readable(reader, of_this_row):
                if row.line % 1000 == 0:
                    self.bytes_read = raw.tell()
                if row.problem or not _is_empty(row.cells):
                    yield row
            self.bytes_read = raw.tell()

    def _readable(self, reader: Iterator[list[str]], of_this_row: list[str]) -> Iterator[Row]:
        """The reader's rows. One that cannot be read is passed on with the reason; what cannot be decoded ends it."""
        for line in itertools.count(1):
            of_this_row.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                # After a cell that never ends, all further rows would be read wrongly, perhaps a million.
                if len(of_this_row) > 1 and sum(map(len, of_this_row)) > MAX_CELL:
                    raise _never_closed(line) from None
                said = _("A quotation mark is left open or is in the middle of a cell. Write it twice.")
                if "field larger" in str(problem) and not any('"' in text for text in of_this_row):
                    said = _("A cell has more than %(most)s characters.") % {"most": number(MAX_CELL)}
                yield Row(line, [], said, "".join(of_this_row).rstrip("\r\n"))
            except UnicodeDecodeError:
                said = _("Below row %(n)d the file is not %(encoding)s any more. Save it as “CSV UTF-8”.")
                raise UnreadableFile(said % {"n": line - 1, "encoding": self.written.encoding}) from None
            else:
                yield Row(line, cells)


def _is_empty(cells: list[str]) -> bool:
    return not "".join(cells).strip()


def _remembered(text: TextIO, of_this_row: list[str]) -> Iterator[str]:
    """Lines on their way to the reader: of a row that it cannot read they are all that is left."""
    for line in _without_preface(text):
        of_this_row.append(line)
        yield line


def said_delimiter(line: str) -> str:
    """What `sep=;` says; "" for every other line."""
    found = _preface.match(line)
    return found[1] if found else ""


def _without_preface(lines: Iterator[str]) -> Iterator[str]:
    """Without the line `sep=;`, which tells a spreadsheet how to read the file, and which none shows or counts."""
    for first in itertools.islice(lines, 1):
        if not said_delimiter(first):
            yield first
    yield from lines


def _delimiter(head: bytes, encoding: str) -> str:
    """What a line `sep=;` says, else the one that divides the header most often and the next lines as often."""
    lines = [line for line in head.decode(encoding, errors="ignore").splitlines()[:20] if line.strip()]
    if not lines:
        raise UnreadableFile(_("The file has no rows. Export it again and check that it has a header and numbers."))
    if said := said_delimiter(lines[0]):
        return said

    def divides(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines[:-1] or lines, delimiter=delimiter)]
        except csv.Error:
            return 0, 0  # one cell that never ends: the header or the row will say so
        return (
            sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0,
            widths[0] if widths else 0,
        )

    best = max(DELIMITERS, key=divides)
    return best if divides(best)[0] else ","


def _checked_headers(headers: list[str]) -> list[str]:
    names = [visible(header) for header in headers]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UnreadableFile(_("The first row is empty. It must name the columns, for example: number,name,city"))
    if len(names) > MAX_COLUMNS:
        said = _("The file has %(n)s columns; at most %(most)s are read. Delete those you do not need.")
        raise UnreadableFile(said % {"n": number(len(names)), "most": number(MAX_COLUMNS)})
    if any(_is_number(name) for name in names):
        raise UnreadableFile(
            _("The first row holds a phone number. Add a row above it that names the columns, for example: number,name")
        )
    return _distinct([name or f"column {index + 1}" for index, name in enumerate(names)])


def _is_number(text: str) -> bool:
    """Ten digits or more and nothing else: no column is called that, and a date is shorter."""
    return bool(re.fullmatch(r"[+]?\d{10,15}", re.sub(r"[\s()./-]", "", text)))


def _distinct(names: list[str]) -> list[str]:
    """Each once: a second “city” is “city 2”, or “city 3” where the file has a “city 2” of its own."""
    result: list[str] = []
    for name in names:
        numbered = (f"{name} {n}" for n in itertools.count(2))
        free = (one for one in numbered if one not in result and one not in names)
        result.append(next(free) if name in result else name)
    return result


def _check_unpacked_size(path: Path) -> None:
    """A small file can unpack to more than the disk holds."""
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except zipfile.BadZipFile:
        raise UnreadableFile(NO_WORKBOOK) from None
    if size > MAX_UNPACKED:
        said = _("The workbook unpacks to %(n)s MB. Save the list as CSV and import that.")
        raise UnreadableFile(said % {"n": number(size >> 20)})


def _workbook_headers(path: Path, sheet: str) -> list[str]:
    return next((cells for _, cells, _ in workbooks.rows(path, sheet, LOOK_SECONDS)), [])
