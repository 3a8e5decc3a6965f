"""Every list that leaves the console as a file, CSV or XLSX: both are streamed and both hold the same.

Rows come with their values as Python has them. Here is the one place that says what happens to them: text is guarded
against being run as a formula, numbers are numbers and dates are dates, and a moment is by the console's clock and
says its offset.
"""

import csv
import datetime as dt
import enum
import errno
import io
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.kit.audit import acts
from laaffic_console.kit.files import leftovers, xlsx_stream
from laaffic_console.kit.files.uploads import FULL
from laaffic_console.kit.masking import masks

KINDS = ("csv", "xlsx")
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {"csv": CSV, "xlsx": XLSX, "zip": "application/zip"}
ROWS_A_PIECE = 1000
EXACT_DIGITS = 15  # what a spreadsheet keeps of a number; a longer one stays whole as text

Rows = Iterable[Sequence[Any]]
Cell = str | int | float | Decimal | dt.date | dt.datetime

_KEPT = 5000  # different values of a type whose cell is written once: times and counts come again and again
_SHORT = 100  # characters of a text that is kept so
_KNOWN_TYPES = (int, dt.datetime, dt.date, type(None))  # equal ones are written alike; Decimals are not

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_SUSPECT = frozenset((*_FORMULA, "'"))
# Where a spreadsheet that takes a semicolon or a tab for what stands between cells begins a new one: quotes about a
# cell that began within one of its own mean nothing to it, so a line break ends the row too.
_BEGINS_WITHIN = re.compile(r"""(?<=[;\t\r\n])(?='*"*[=+\-@＝＋－＠])""")
_BEGAN_WITHIN = re.compile(r"""(?<=[;\t\r\n])'(?='*"*[=+\-@＝＋－＠])""")


def escape_formula(text: str) -> str:
    """A cell that a spreadsheet would run begins with a quotation mark instead; one that has some gets one more.

    So does what is within it behind a semicolon, a tab or a line break.
    """
    if text.isalnum():
        return text
    text = _BEGINS_WITHIN.sub("'", text)
    if text[:1] not in _SUSPECT:
        return text
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def unescaped(text: str) -> str:
    """The cell as it was before it was escaped: an export that is read again changes nothing."""
    text = _BEGAN_WITHIN.sub("", text)
    return text[1:] if text.lstrip("'").startswith(_FORMULA) else text


def cell(value: Any, zone: dt.tzinfo | None = None) -> Cell:
    """The value as both formats write it. A phone number is text, and all but figures and dates is guarded.

    `zone` is the console's clock, where its caller has asked for it: asking takes as long as writing the cell.
    """
    if value is None:
        return ""
    if type(value) is str:
        return escape_formula(value)
    if isinstance(value, enum.Enum):
        return cell(value.value, zone)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return value if _is_exact(value) else str(value)
    if isinstance(value, dt.datetime):
        return timezone.localtime(value, zone) if value.tzinfo is not None else value
    return value if isinstance(value, dt.date) else escape_formula(str(value))


def _is_exact(value: float | Decimal) -> bool:
    if isinstance(value, int):
        return bool(abs(value) < 10**EXACT_DIGITS)
    if isinstance(value, Decimal):
        return bool(value.is_finite()) and len(value.as_tuple().digits) <= EXACT_DIGITS
    return math.isfinite(value)


def content(rows: Rows, kind: str, title: str) -> Iterator[bytes]:
    """The file, piece by piece; the first row is the header."""
    return workbook(rows, title) if kind == "xlsx" else csv_bytes(rows)


def csv_bytes(rows: Rows) -> Iterator[bytes]:
    text = io.StringIO(newline="")
    text.write("\ufeff")
    writer = csv.writer(text)
    zone = timezone.get_current_timezone()
    written = _once(lambda value: _as_text(cell(value, zone)), escape_formula)
    for number, row in enumerate(rows, start=1):
        writer.writerow(map(written, row))
        if number == 1 or number % ROWS_A_PIECE == 0:  # the header at once: a browser shows that something comes
            yield _emptied(text)
    yield _emptied(text)


def workbook(rows: Rows, title: str) -> Iterator[bytes]:
    as_cell, zone = xlsx_stream.Cells(), timezone.get_current_timezone()
    written = _once(lambda value: as_cell.write(cell(value, zone)), _text_cell)
    return xlsx_stream.workbook(rows, title, cells=as_cell, write=written)


def _text_cell(text: str) -> str:
    return xlsx_stream.plain_text(text) or xlsx_stream.text(escape_formula(text))


def _once(write: Callable[[Any], Any], write_text: Callable[[str], str]) -> Callable[[Any], Any]:
    """`write`, which remembers its results: within one file the clock's zone and the language hold.

    Most texts, such as numbers and names, come once; the others, such as states, come early: the first ones are kept.
    """
    known: dict[type, dict[Any, Any]] = {kind: {} for kind in _KNOWN_TYPES}
    texts: dict[str, str] = {}

    def written(value: Any) -> Any:
        if type(value) is str:
            known_text = texts.get(value)
            if known_text is None:
                known_text = write_text(value)
                if len(texts) < _KEPT and len(value) <= _SHORT:
                    texts[value] = known_text
            return known_text
        of_type = known.get(type(value))
        if of_type is None:
            return write(value)
        found = of_type.get(value)
        if found is None:
            if len(of_type) >= _KEPT:
                of_type.clear()
            found = of_type[value] = write(value)
        return found

    return written


def answer(rows: Rows, kind: str, name: str, title: str = "", n_rows: int | None = None) -> StreamingHttpResponse:
    """A million rows take no more memory than one, and begin to arrive at once. The file's name ends in the day."""
    rows = masks.in_columns(rows)
    pieces = content(rows, kind, title or name.capitalize())
    return attached(pieces, kind, f"{name}-{timezone.localdate():%Y-%m-%d}", title, n_rows)


def attached(
    pieces: Iterator[bytes], kind: str, name: str, title: str = "", n_rows: int | None = None
) -> StreamingHttpResponse:
    taken_away(f"{name}.{kind}", what=title, n_rows=n_rows)
    made = StreamingHttpResponse(pieces, content_type=TYPES[kind])
    made["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    made["X-Accel-Buffering"] = "no"  # a proxy that gathers it all would time out instead
    return made


def kind_of(path: Path) -> str:
    """The format that a file's name asks for; ValueError for an unknown format."""
    return format_of(path, KINDS)


def format_of(path: Path, formats: Sequence[str]) -> str:
    kind = path.suffix.lower().removeprefix(".")
    if kind in formats:
        return kind
    if os.path.isdir(path):
        raise ValueError(_folder(path))
    if len(formats) == 1:
        raise ValueError(_("%(name)s does not end in .%(format)s.") % {"name": path, "format": formats[0]})
    raise ValueError(_("%(name)s must end in .csv or .xlsx.") % {"name": path})


def _folder(path: Path) -> str:
    return _("%(path)s is a folder. Name a file in it.") % {"path": path}


def write_file(rows: Rows, path: Path, title: str) -> None:
    """Like `write_whole`, in the format of the name's ending."""
    kind = kind_of(path)

    def write(file: BinaryIO) -> None:
        file.writelines(content(rows, kind, title))

    write_whole(path, write)


def write_whole(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Under that name there is the whole file or what was there before: it is written beside it and renamed.

    A link stays, and what it names is written. A device is not: the file would take its place, /dev/null's too.
    OSError and whatever `write` raises leave nothing behind; of a killed process a hidden `.part` stays,
    which is removed when something is written there a day later.
    """
    path = Path(os.path.realpath(path))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, _("it is a device or a pipe. Name a file"), str(path))
    leftovers.remove(path.parent)
    beside = path.with_name(leftovers.name_beside(path.stem))
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def why_not_written(problem: OSError, path: Path) -> str:
    """One sentence for the person who waits for the file, and what to do."""
    names = {"path": path, "folder": path.parent}
    if problem.errno in FULL:
        return _("There is no room on the disk for %(path)s. Make room, then export it again.") % names
    if isinstance(problem, IsADirectoryError):
        return _folder(path)
    if isinstance(problem, FileNotFoundError | NotADirectoryError):
        return _("There is no folder %(folder)s. Make it, or name another.") % names
    if isinstance(problem, PermissionError) or problem.errno == errno.EROFS:
        return _("%(path)s cannot be written: the folder %(folder)s does not allow it.") % names
    return f"{path}: {problem.strerror or problem}"


def taken_away(name: str, *, what: str = "", kind: str = "", n_rows: int | None = None) -> None:
    """Record that somebody takes rows away as a file: of what, how many where that is known by now, in which format,
    and with the filters of the page that they come from."""
    who = acts.actor()
    told: dict[str, Any] = {
        "what": what,
        "rows": n_rows,
        "format": (kind or Path(name).suffix[1:]).upper(),
        "filters": who.query if who else "",
    }
    acts.record(acts.Act.EXPORTED, label=name, **{key: value for key, value in told.items() if value not in ("", None)})


def _as_text(value: Cell) -> str | int | float:
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value


def _emptied(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece
