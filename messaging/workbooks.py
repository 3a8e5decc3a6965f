"""The rows of a workbook as its sheet shows them, streamed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging import number_formats
from messaging.unreadable import UnreadableFile

NO_WORKBOOK = gettext_lazy("This is no workbook that can be read. Save the list as CSV or XLSX and try again.")
MAX_CELL = 100_000  # characters; a spreadsheet's own limit is a third of it


def sheets(path: Path) -> list[str]:
    """The names of the sheets that a person sees, the one that was open first; UnreadableFile if there is none."""
    with _Opened(path) as opened:
        return [sheet.title for sheet in opened.visible()]


def rows(path: Path, name: str) -> Iterator[tuple[int, list[str], int]]:
    """A visible sheet's rows, the first one's without a name: line, cells, and how many lines the sheet says it has."""
    with _Opened(path) as opened:
        sheet = opened.sheet(name)
        lines = sheet.max_row or 0
        sheet.reset_dimensions()  # some programs write them wrong
        yield from _rows(sheet, lines)


class _Opened:
    """By its content: openpyxl refuses a name that does not end in .xlsx."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Self:
        import openpyxl  # takes a third of a second that only workbooks need

        self.file = self.path.open("rb")
        try:
            self.book = openpyxl.load_workbook(self.file, read_only=True, data_only=True)
        except Exception as problem:  # openpyxl raises what its zip and XML parsers do
            self.file.close()
            raise UnreadableFile(NO_WORKBOOK) from problem
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


def _rows(sheet: Any, lines: int) -> Iterator[tuple[int, list[str], int]]:
    line = 0
    try:
        for line, cells in enumerate(sheet.iter_rows(), start=1):
            yield line, [_text(cell) for cell in cells], lines
    except Exception as problem:  # openpyxl raises what its zip and XML parsers do
        said = _("After row %(n)d the workbook is damaged. Open it, save it again as XLSX or CSV, and try again.")
        raise UnreadableFile(said % {"n": line}) from problem


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
