"""Reading a file of contacts row by row, whatever program wrote it; memory does not grow with the file."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MAX_COLUMNS = 200
MAX_CELL = 100_000
SAMPLE = 256 * 1024
DELIMITERS = ",;\t|"

_BINARY = {
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)",
    b"\x1f\x8b": "a compressed file",
    b"Rar!": "a compressed file",
    b"MZ": "a program",
}


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


def detect(path: Path) -> Format:
    """Encoding, delimiter and columns; UnreadableFile for what is no table with a header."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \r\n\t"):
        raise UnreadableFile("The file is empty. Export it again and check that it has rows.")
    if head.startswith(b"PK\x03\x04"):
        return Format("", "", _checked_headers(_workbook_headers(path)))
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            raise UnreadableFile(f"This is {kind}, not a list of contacts. Save the list as CSV or XLSX.")
    encoding = _encoding(path, head)
    delimiter = _delimiter(head, encoding)
    csv.field_size_limit(MAX_CELL)
    with path.open("r", encoding=encoding, newline="") as text:
        try:
            headers = next(csv.reader(_without_nul(text), delimiter=delimiter), [])
        except csv.Error as problem:
            raise UnreadableFile(f"The first row cannot be read ({problem}).") from None
    return Format(encoding, delimiter, _checked_headers(headers))


class ContactFile:
    """A file's rows under its header; empty ones are passed over, but counted as lines."""

    def __init__(self, path: Path, written: Format) -> None:
        self.path = path
        self.written = written
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Row]:
        return _workbook_rows(self.path) if self.written.is_workbook else self._csv_rows()

    def _csv_rows(self) -> Iterator[Row]:
        csv.field_size_limit(MAX_CELL)
        with self.path.open("rb") as raw:
            text = io.TextIOWrapper(raw, encoding=self.written.encoding, newline="")
            reader = csv.reader(_without_nul(text), delimiter=self.written.delimiter)
            next(reader, None)
            line = 1
            for line, cells in enumerate(self._readable(reader), start=2):
                if line % 1000 == 0:
                    self.bytes_read = raw.tell()
                if any(cell.strip() for cell in cells):
                    yield Row(line, cells)
            self.bytes_read = raw.tell()

    def _readable(self, reader: Iterator[list[str]]) -> Iterator[list[str]]:
        """The reader's rows, with what can break on the way said in words."""
        count = 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as problem:
                raise UnreadableFile(
                    f"Row {count + 1} cannot be read ({problem}). Is a quotation mark left open?"
                ) from None
            except UnicodeDecodeError:
                raise UnreadableFile(
                    f"After row {count} the file is not {self.written.encoding} any more. Save it as UTF-8."
                ) from None
            count += 1
            yield cells


def _without_nul(lines: Iterable[str]) -> Iterator[str]:
    """Neither csv nor PostgreSQL takes a NUL."""
    for line in lines:
        yield line.replace("\0", "") if "\0" in line else line


def _encoding(path: Path, head: bytes) -> str:
    """By its byte order mark, else UTF-8 if it is that to the end, else UTF-16 by its zeros, else GB18030."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 8:
        return "utf-16-le" if odd > even else "utf-16-be"
    for name in ("utf-8", "gb18030"):
        if _decodes(path, name):
            return name
    raise UnreadableFile("The file's characters cannot be read. Save it as CSV UTF-8 and try again.")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _delimiter(head: bytes, encoding: str) -> str:
    """The one that divides the header most often and the next lines as often."""
    lines = [line for line in head.decode(encoding, errors="ignore").splitlines()[:20] if line.strip()]
    if not lines:
        raise UnreadableFile("The file has no rows. Export it again and check that it has a header and numbers.")

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
        raise UnreadableFile("The first row is empty. It must name the columns, for example: number,name,city")
    if len(names) > MAX_COLUMNS:
        raise UnreadableFile(
            f"The file has {len(names):,} columns; at most {MAX_COLUMNS} are read. Delete those you do not need."
        )
    if all(_is_number(name) for name in names if name):
        raise UnreadableFile(
            "The first row holds numbers. Add a row above it that names the columns, for example: number,name"
        )
    return _distinct([name or f"column {index + 1}" for index, name in enumerate(names)])


def _is_number(text: str) -> bool:
    return sum(character.isdigit() for character in text) >= 6


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return result


def _workbook_headers(path: Path) -> list[str]:
    for _, cells in _sheet(path):
        return cells
    return []


def _workbook_rows(path: Path) -> Iterator[Row]:
    for line, cells in _sheet(path):
        if line > 1 and any(cell.strip() for cell in cells):
            while cells and not cells[-1]:
                cells.pop()
            yield Row(line, cells)


def _sheet(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The first sheet's rows, streamed."""
    import openpyxl  # takes a third of a second that only workbooks need

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as problem:  # openpyxl raises what its zip and XML parsers do
        raise UnreadableFile(
            "This is no workbook that can be read. Save the list as CSV or XLSX and try again."
        ) from problem
    try:
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            raise UnreadableFile("The workbook has no sheet.")
        for line, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield line, [_cell_text(value) for value in values]
    finally:
        book.close()


def _cell_text(value: object) -> str:
    """A number that a spreadsheet keeps as a number is still its digits."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
