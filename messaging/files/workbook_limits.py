"""What a workbook may ask of us: a kilobyte can name a row beyond every sheet, or unpack to gigabytes.

Limits of the format (ECMA-376, as every spreadsheet keeps it) and of what a list of contacts can need. What is beyond
is a fault of the file, said before memory or time are spent on it.
"""

import re
import time
import zipfile
from typing import IO, Any, Self

from django.utils.translation import gettext as _

from laaffic_console.kit.words.figures import number
from messaging.files.unreadable import UnreadableFile

MAX_LINE = 1_048_576
MAX_COLUMN = 16_384
MAX_JUMP = 100_000  # empty rows above one that holds something
MAX_SMALL_PART = 8 << 20  # of what is neither a sheet nor the texts of all sheets
MAX_TEXTS = 512 << 20
MAX_ELEMENT = 1 << 20  # of one row, or of one text
SUSPICIOUS = 1 << 20  # from here on, what is packed tighter than any list is a bomb
TIGHTEST = 150
LOOK_SECONDS = 20.0

_ROW = re.compile(rb"</?(?:\w+:)?row[\s/>]")
_TEXT = re.compile(rb"</?(?:\w+:)?si[\s/>]")
_ROWS_END = re.compile(rb"</(?:\w+:)?sheetData\s*>")


class LimitedArchive(zipfile.ZipFile):
    """A workbook's parts, each read within its limits; all of it until `deadline` (time.monotonic), if there is one."""

    deadline: float | None = None

    def open(self, name: Any, *args: Any, **kwargs: Any) -> Any:
        part = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        check_time(self.deadline)
        check_part(part)
        return _Part(super().open(name, *args, **kwargs), part.filename, self)


class _Part:
    """A part as it is read: no element of it is larger than one row or text can be."""

    def __init__(self, raw: IO[bytes], name: str, archive: LimitedArchive) -> None:
        self.raw, self.archive = raw, archive
        self.marks = _marks_of(name)
        self.since = 0  # bytes since an element began or ended
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        check_time(self.archive.deadline)
        data = self.raw.read(size)
        if self.marks is not None and data:
            self._watch(data)
        return data

    def _watch(self, data: bytes) -> None:
        seen = self.tail + data
        self.tail = seen[-16:]
        if _ROWS_END.search(seen):
            self.marks = None  # what follows the rows is skipped
            return
        ends = [mark.end() for mark in self.marks.finditer(seen)] if self.marks else []
        self.since = len(seen) - ends[-1] if ends else self.since + len(data)
        if self.since > MAX_ELEMENT:
            raise UnreadableFile(
                _("A row or text of the workbook is larger than any list needs. Save the list as CSV and import that.")
            )

    def close(self) -> None:
        self.raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def _marks_of(name: str) -> "re.Pattern[bytes] | None":
    lowered = name.lower()
    if "sharedstrings" in lowered:
        return _TEXT
    return _ROW if "worksheets/" in lowered and lowered.endswith(".xml") else None


def check_part(part: zipfile.ZipInfo) -> None:
    is_tight = part.file_size > SUSPICIOUS and part.file_size > TIGHTEST * max(part.compress_size, 1)
    marks = _marks_of(part.filename)
    most = MAX_SMALL_PART if marks is None else MAX_TEXTS if marks is _TEXT else None
    if is_tight or (most is not None and part.file_size > most):
        said = _("A part of the workbook, %(name)s, unpacks to %(n)s MB. Save the list as CSV and import that.")
        raise UnreadableFile(said % {"name": part.filename[:60], "n": number(max(1, part.file_size >> 20))})


def check_time(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() > deadline:
        raise UnreadableFile(
            _("Looking at the workbook takes too long. Save the list as CSV, or as a smaller workbook, and try again.")
        )


def check_place(line: int, above: int, columns: list[int], *, holds_something: bool) -> None:
    """A row's number against the one above it and the format; its columns, as they come."""
    if not above < line <= MAX_LINE:
        said = _(
            "Below row %(n)s the workbook names row %(named)s, where none can be. Save the list again as XLSX or CSV."
        )
        raise UnreadableFile(said % {"n": number(above), "named": str(line)[:20]})
    if columns and not 1 <= max(columns) <= MAX_COLUMN:
        said = _("Row %(n)s of the workbook has a cell beyond the last column. Save the list again as XLSX or CSV.")
        raise UnreadableFile(said % {"n": number(line)})
    if holds_something and line - above > MAX_JUMP:
        said = _("There is nothing between rows %(n)s and %(named)s. Delete the empty rows, and save the list again.")
        raise UnreadableFile(said % {"n": number(above), "named": number(line)})
