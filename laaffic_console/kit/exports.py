"""Every list that leaves the console as a file, CSV or XLSX: both are streamed and both hold the same.

Rows come with their values as Python has them. Here is the one place that says what becomes of them: text is guarded
against being run as a formula, numbers are numbers and dates are dates, and a moment is by the console's clock and
says its offset.
"""

import csv
import datetime as dt
import enum
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone

from laaffic_console.kit import acts, masks, xlsx_stream

KINDS = ("csv", "xlsx")
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {"csv": CSV, "xlsx": XLSX}
ROWS_A_PIECE = 1000
EXACT_DIGITS = 15  # what a spreadsheet keeps of a number; a longer one stays whole as text

Rows = Iterable[Sequence[Any]]
Cell = str | int | float | Decimal | dt.date | dt.datetime

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(text: str) -> str:
    """A cell that a spreadsheet would run begins with a quotation mark instead; one that has some gets one more."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def unescaped(text: str) -> str:
    """The cell as it was before it was escaped: an export that is read again changes nothing."""
    return text[1:] if text.lstrip("'").startswith(_FORMULA) else text


def cell(value: Any) -> Cell:
    """What both formats write. A phone number is text, and everything that isn't a figure or a date is guarded."""
    if value is None:
        return ""
    if type(value) is str:
        return escape_formula(value)
    if isinstance(value, enum.Enum):
        return cell(value.value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return value if _is_exact(value) else str(value)
    if isinstance(value, dt.datetime):
        return timezone.localtime(value) if timezone.is_aware(value) else value
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
    for number, row in enumerate(rows, start=1):
        writer.writerow([_as_text(cell(value)) for value in row])
        if number == 1 or number % ROWS_A_PIECE == 0:  # the header at once: a browser shows that something comes
            yield _emptied(text)
    yield _emptied(text)


def workbook(rows: Rows, title: str) -> Iterator[bytes]:
    return xlsx_stream.workbook(([cell(value) for value in row] for row in rows), title)


def answer(rows: Rows, kind: str, name: str, title: str = "") -> StreamingHttpResponse:
    """A million rows take no more memory than one, and begin to arrive at once. The file's name ends in the day."""
    rows = masks.in_columns(rows)
    return attached(content(rows, kind, title or name.capitalize()), kind, f"{name}-{timezone.localdate():%Y-%m-%d}")


def attached(pieces: Iterator[bytes], kind: str, name: str) -> StreamingHttpResponse:
    taken_away(f"{name}.{kind}")
    made = StreamingHttpResponse(pieces, content_type=TYPES[kind])
    made["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    made["X-Accel-Buffering"] = "no"  # a proxy that gathers it all would time out instead
    return made


def taken_away(name: str) -> None:
    """Record that somebody takes rows away as a file, with the filters of the page that they come from."""
    who = acts.actor()
    filters: dict[str, Any] = {"filters": who.query} if who and who.query else {}
    acts.record(acts.Act.EXPORTED, label=name, **filters)


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
