"""The rows of a workbook as its sheet shows them, streamed."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.files import number_formats, workbook_limits
from messaging.files.unreadable import UnreadableFile
from messaging.files.workbook_limits import LimitedArchive

NO_WORKBOOK = gettext_lazy("This is not a workbook that can be read. Save the list as CSV or XLSX and try again.")
MAX_CELL = 100_000  # characters; a spreadsheet's own limit is a third of it


def sheets(path: Path) -> list[str]:
    """The names of the sheets that a person sees, the one that was open first; UnreadableFile if there is none."""
    with _Opened(path, workbook_limits.LOOK_SECONDS) as opened:
        return [sheet.title for sheet in opened.visible()]


def rows(path: Path, name: str, within: float | None = None) -> Iterator[tuple[int, list[str], int]]:
    """A visible sheet's rows, the first one's without a name: line, cells, and how many lines the sheet says it has.

    UnreadableFile at the first row that takes more than `within` seconds from the beginning.
    """
    with _Opened(path, within) as opened:
        sheet = opened.sheet(name)
        lines = sheet.max_row or 0
        sheet.reset_dimensions()  # some programs write them wrong
        yield from _rows(sheet, lines)


class _Opened:
    """A workbook opened as a stream of bytes, because openpyxl refuses a file name that does not end in .xlsx."""

    def __init__(self, path: Path, within: float | None = None) -> None:
        self.path = path
        self.deadline = None if within is None else time.monotonic() + within

    def __enter__(self) -> Self:
        from openpyxl.reader.excel import ExcelReader  # takes a third of a second that only workbooks need

        self.file = self.path.open("rb")
        try:
            reader = ExcelReader(self.file, read_only=True, data_only=True, keep_links=False)
            reader.archive = LimitedArchive(self.file)
            reader.archive.deadline = self.deadline
            reader.read()
            self.book = reader.wb
        except Exception as problem:  # openpyxl raises what its zip and XML parsers do
            self.file.close()
            raise _said_in(problem) or UnreadableFile(NO_WORKBOOK) from problem
        return self

    def __exit__(self, *_exception: object) -> None:
        self.book.close()
        self.file.close()

    def visible(self) -> list[Any]:
        if not self.book.worksheets:
            raise UnreadableFile(_("The workbook has no sheet. Save the list as CSV or XLSX and try again."))
        seen = [sheet for sheet in self.book.worksheets if sheet.sheet_state == "visible"]
        if not seen:
            raise UnreadableFile(
                _("All sheets of the workbook are hidden. Show the one with the contacts and save it.")
            )
        active = self.book.active
        return sorted(seen, key=lambda sheet: sheet is not active)

    def sheet(self, name: str) -> Any:
        seen = self.visible()
        if not name:
            return seen[0]
        found = next((sheet for sheet in seen if sheet.title == name), None)
        if found is None:
            said = _("The workbook has no visible sheet “%(name)s”. Choose one of: %(names)s.")
            raise UnreadableFile(said % {"name": name, "names": ", ".join(sheet.title for sheet in seen)})
        return found


def _said_in(problem: BaseException | None) -> UnreadableFile | None:
    """The limit that was met, which openpyxl wraps in errors of its own."""
    while problem is not None and not isinstance(problem, UnreadableFile):
        problem = problem.__cause__ or problem.__context__
    return problem


def _rows(sheet: Any, lines: int) -> Iterator[tuple[int, list[str], int]]:
    line = 0
    try:
        for line, cells in _lines(sheet):
            yield line, [_text(cell) for cell in cells], lines
    except Exception as problem:  # openpyxl raises what its zip and XML parsers do
        said = _("After row %(n)d the workbook is damaged. Open it, save it again as XLSX or CSV, and try again.")
        raise _said_in(problem) or UnreadableFile(said % {"n": line}) from problem


def _lines(sheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows that are there, by their numbers. openpyxl's own iteration makes every row and column between them."""
    from openpyxl.worksheet._reader import WorkSheetParser

    above, book = 0, sheet.parent
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=book.data_only,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for line, row in parser.parse():
            columns = [cell["column"] for cell in row]
            holds_something = any(cell["value"] is not None for cell in row)
            workbook_limits.check_place(line, above, columns, holds_something=holds_something)
            if above == 0 and line > 1:
                yield 1, ()  # nothing stands where the header should
            above = line
            yield line, sheet._get_row(row, max_col=max(columns)) if row else ()


def _text(cell: Any) -> str:
    """What the sheet shows; nothing for an error such as #N/A."""
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    if isinstance(value, str):
        return _of_text(value, cell)
    return number_formats.shown(value, cell.number_format)


def _of_text(value: str, cell: Any) -> str:
    if cell.has_style and "@" in (text_format := cell.number_format) and text_format != "@":
        return number_formats.shown(value, text_format)
    return value
