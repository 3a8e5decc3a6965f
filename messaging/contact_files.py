"""Reading a file of contacts row by row, whatever program wrote it; memory does not grow with the file."""

import codecs
import csv
import datetime as dt
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.figures import number

MAX_COLUMNS = 200
MAX_CELL = 100_000
MAX_UNPACKED = 2 << 30
SAMPLE = 256 * 1024
DELIMITERS = ",;\t|"

_control = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f]")
_BINARY = {
    b"\x89PNG": gettext_lazy("a picture"),
    b"\xff\xd8\xff": gettext_lazy("a picture"),
    b"GIF8": gettext_lazy("a picture"),
    b"%PDF": gettext_lazy("a PDF"),
    b"\xd0\xcf\x11\xe0": gettext_lazy("an old Excel file (.xls)"),
    b"\x1f\x8b": gettext_lazy("a compressed file"),
    b"Rar!": gettext_lazy("a compressed file"),
    b"7z\xbc\xaf": gettext_lazy("a compressed file"),
    b"MZ": gettext_lazy("a program"),
    b"\x7fELF": gettext_lazy("a program"),
    b"SQLite format 3": gettext_lazy("a database"),
    b"{\\rtf": gettext_lazy("a text document (.rtf)"),
}


NO_WORKBOOK = gettext_lazy("This is no workbook that can be read. Save the list as CSV or XLSX and try again.")


class UnreadableFile(ValueError):
    """Why a file is no list of contacts, in a sentence that says what to do next."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a file is written. A workbook has neither encoding nor delimiter."""

    encoding: str
    delimiter: str
    headers: list[str]

    @property
    def is_workbook(self) -> bool:
        return not self.encoding


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # as a spreadsheet numbers it: the header is 1
    cells: list[str]
    problem: str = ""  # why its cells cannot be told apart


def detect(path: Path) -> Format:
    """Encoding, delimiter and columns; UnreadableFile for what is no table with a header and rows."""
    written = _how_it_is_written(path)
    headers = _workbook_headers(path) if written.is_workbook else _text_headers(path, written)
    found = Format(written.encoding, written.delimiter, _checked_headers(headers))
    if not any(True for _ in ContactFile(path, found)):
        raise UnreadableFile(_("The file has a header, but no rows below it. Export it again with its contacts."))
    return found


def plain_rows(path: Path) -> Iterator[Row]:
    """The rows of a list that may have a header or none: the first row is a row like any other."""
    yield from ContactFile(path, _how_it_is_written(path)).rows()


def _how_it_is_written(path: Path) -> Format:
    """Encoding and delimiter, without a look at the header."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \r\n\t"):
        raise UnreadableFile(_("The file is empty. Export it again and check that it has rows."))
    if head.startswith(b"PK\x03\x04"):
        _check_unpacked_size(path)
        return Format("", "", [])
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            said = _("This is %(kind)s, not a list of contacts. Save the list as CSV or XLSX.")
            raise UnreadableFile(said % {"kind": kind})
    encoding = _encoding(path, head)
    return Format(encoding, _delimiter(head, encoding), [])


def _text_headers(path: Path, written: Format) -> list[str]:
    csv.field_size_limit(MAX_CELL)
    with path.open("r", encoding=written.encoding, newline="") as text:
        try:
            return next(csv.reader(text, delimiter=written.delimiter), [])
        except csv.Error as problem:
            said = _("The first row cannot be read (%(problem)s). Save the list as CSV again.")
            raise UnreadableFile(said % {"problem": problem}) from None


class ContactFile:
    """A file's rows under its header; empty ones are passed over, but counted as lines."""

    def __init__(self, path: Path, written: Format) -> None:
        self.path = path
        self.written = written
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Row]:
        return (row for row in self.rows() if row.line > 1)

    def rows(self) -> Iterator[Row]:
        """The header's row too."""
        return self._workbook_rows() if self.written.is_workbook else self._csv_rows()

    def _workbook_rows(self) -> Iterator[Row]:
        size = self.path.stat().st_size
        for line, cells, lines in _sheet(self.path):
            self.bytes_read = size * min(line, lines) // lines if lines else 0
            if any(cell.strip() for cell in cells):
                yield Row(line, cells)

    def _csv_rows(self) -> Iterator[Row]:
        csv.field_size_limit(MAX_CELL)
        with self.path.open("rb") as raw:
            text = io.TextIOWrapper(raw, encoding=self.written.encoding, newline="")
            # Strict: a quotation mark that is left open would swallow the rows below it without a word.
            reader = csv.reader(text, delimiter=self.written.delimiter, strict=True)
            for row in self._readable(reader):
                if row.line % 1000 == 0:
                    self.bytes_read = raw.tell()
                if row.problem or any(cell.strip() for cell in row.cells):
                    yield row
            self.bytes_read = raw.tell()

    def _readable(self, reader: Iterator[list[str]]) -> Iterator[Row]:
        """The reader's rows. One that cannot be read is passed on with the reason; what cannot be decoded ends it."""
        for line in itertools.count(1):
            try:
                yield Row(line, next(reader))
            except StopIteration:
                return
            except csv.Error:
                said = _("A quotation mark is left open or stands in the middle of a cell. Write it twice.")
                yield Row(line, [], said)
            except UnicodeDecodeError:
                said = _("Below row %(n)d the file is not %(encoding)s any more. Save it as “CSV UTF-8”.")
                raise UnreadableFile(said % {"n": line - 1, "encoding": self.written.encoding}) from None


def _encoding(path: Path, head: bytes) -> str:
    """By its byte order mark, else UTF-16 by its zeros, else UTF-8 if it is that to the end, else by its letters."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return _checked(path, name)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 8 and min(even, odd) < max(even, odd) // 8:
        return _checked(path, "utf-16-le" if odd > even else "utf-16-be")
    for name in ("utf-8", _by_letters(head)):
        if name and _decodes(path, name):
            return name
    raise UnreadableFile(
        _("The file's characters cannot be read. If it is a list of contacts, save it as “CSV UTF-8” and try again.")
    )


def _checked(path: Path, encoding: str) -> str:
    if _decodes(path, encoding):
        return encoding
    said = _("The file is damaged: it is not %(encoding)s to its end. Save it as “CSV UTF-8” again.")
    raise UnreadableFile(said % {"encoding": encoding.upper()})


def _by_letters(head: bytes) -> str:
    """GB18030 writes a Chinese character as two bytes; Windows-1252 a letter like é as one, mostly between plain ones.

    Nearly any bytes are valid GB18030, and all are letters of some kind in Windows-1252: a wrong guess would store
    wrong names, so a file that looks like neither is refused.
    """
    runs = [len(run) for run in re.findall(rb"[\x80-\xff]+", head)]
    if not runs:
        return ""
    if sum(length == 1 for length in runs) >= 0.7 * len(runs):
        letters = re.findall(rb"[\xc0-\xd6\xd8-\xf6\xf8-\xff\x8a\x8c\x8e\x9a\x9c\x9e\x9f\x92\x80\xa0\xb4\xdf]", head)
        return "windows-1252" if len(letters) >= 0.9 * sum(runs) else ""
    characters = [c for c in head.decode("gb18030", errors="replace") if not c.isascii()]
    common = sum(_is_common_chinese(character) for character in characters)
    return "gb18030" if common >= 0.7 * len(characters) else ""


def _is_common_chinese(character: str) -> bool:
    """Among the 3,755 characters of everyday use, or Chinese punctuation."""
    written = character.encode("gb18030", errors="replace")
    return len(written) == 2 and (0xB0 <= written[0] <= 0xD7 or 0xA1 <= written[0] <= 0xA3)


def _decodes(path: Path, encoding: str) -> bool:
    """To the end, and as text: what holds NULs or other control characters is something else."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(1 << 20):
                _refuse_control_characters(decoder.decode(chunk))
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _refuse_control_characters(text: str) -> None:
    if found := _control.search(text):
        said = _(
            "The file holds a character that no text has (code %(code)d): it is damaged or no list of contacts. "
            "Export the list again as CSV or XLSX."
        )
        raise UnreadableFile(said % {"code": ord(found.group())})


def _delimiter(head: bytes, encoding: str) -> str:
    """The one that divides the header most often and the next lines as often."""
    lines = [line for line in head.decode(encoding, errors="ignore").splitlines()[:20] if line.strip()]
    if not lines:
        raise UnreadableFile(_("The file has no rows. Export it again and check that it has a header and numbers."))

    def divides(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines[:-1] or lines, delimiter=delimiter)]
        return (
            sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0,
            widths[0] if widths else 0,
        )

    best = max(DELIMITERS, key=divides)
    return best if divides(best)[0] else ","


def _checked_headers(headers: list[str]) -> list[str]:
    names = [header.strip() for header in headers]
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
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} {seen[name]}")
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


def _workbook_headers(path: Path) -> list[str]:
    return next((cells for _, cells, _ in _sheet(path)), [])


def _sheet(path: Path) -> Iterator[tuple[int, list[str], int]]:
    """The first sheet's rows, streamed: line, cells, and how many lines the sheet says it has."""
    import openpyxl  # takes a third of a second that only workbooks need

    file = path.open("rb")  # by its content: openpyxl refuses a name that does not end in .xlsx
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception as problem:  # openpyxl raises what its zip and XML parsers do
        file.close()
        raise UnreadableFile(NO_WORKBOOK) from problem
    try:
        if not book.worksheets:
            raise UnreadableFile(_("The workbook has no sheet. Save the list as CSV or XLSX and try again."))
        sheet = book.worksheets[0]
        lines = sheet.max_row or 0
        sheet.reset_dimensions()  # some programs write them wrong
        yield from _sheet_rows(sheet, lines)
    finally:
        book.close()
        file.close()


def _sheet_rows(sheet: Any, lines: int) -> Iterator[tuple[int, list[str], int]]:
    line = 0
    try:
        for line, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield line, [_cell_text(value) for value in values], lines
    except Exception as problem:  # openpyxl raises what its zip and XML parsers do
        said = _("After row %(n)d the workbook is damaged. Open it, save it again as XLSX or CSV, and try again.")
        raise UnreadableFile(said % {"n": line}) from problem


def _cell_text(value: object) -> str:
    """A number that a spreadsheet keeps as a number is still its digits, a day without a time still a day."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return _control.sub("", str(value))
