"""Call records as CSV or XLSX, streamed in chunks, in the order and with the filters of the list."""

import csv
import io
from collections.abc import Iterator

from django.db.models import QuerySet

from messaging.contact_rows import escape_formula
from messaging.xlsx_stream import workbook
from voice.models import CallRecord

CHUNK = 1000
KINDS = ("csv", "xlsx")
COLUMNS = [
    "voice_id",
    "kind",
    "number",
    "display_number",
    "operator",
    "at",
    "submitted_at",
    "ringing_at",
    "answered_at",
    "hung_up_at",
    "seconds",
    "billed_seconds",
    "outcome",
    "termination_code",
    "termination_reason",
    "call_status",
    "cost",
    "currency",
    "key_pressed",
    "recording",
    "audio_file",
    "phone",
    "task",
    "mark",
    "came_by",
]


def rows(records: QuerySet[CallRecord]) -> Iterator[list[str]]:
    """The header and then a row each, the newest id first, in chunks that an index finds."""
    yield COLUMNS
    last: int | None = None
    ordered = records.order_by("-pk")
    while chunk := list((ordered if last is None else ordered.filter(pk__lt=last))[:CHUNK]):
        last = chunk[-1].pk
        for record in chunk:
            yield [escape_formula(str(cell)) if cell is not None else "" for cell in _cells(record)]


def _cells(record: CallRecord) -> list[object]:
    moments = (record.at, record.submitted_at, record.ringing_at, record.answered_at, record.hung_up_at)
    return [
        record.voice_id,
        record.get_kind_display() if record.kind else "",
        record.callee,
        record.display_number,
        record.operator,
        *(moment.isoformat(sep=" ", timespec="seconds") if moment else "" for moment in moments),
        record.duration,
        record.charged,
        record.get_outcome_display(),
        record.termination_code,
        record.termination_reason,
        record.call_status,
        record.cost,
        record.currency,
        record.key_pressed,
        record.recording_id,
        record.voice_file_id,
        record.phone_name,
        record.task_id,
        record.called_info,
        record.source,
    ]


def content(records: QuerySet[CallRecord], kind: str) -> Iterator[bytes]:
    return workbook(rows(records), "Calls") if kind == "xlsx" else as_csv(rows(records))


def as_csv(lines: Iterator[list[str]]) -> Iterator[bytes]:
    text = io.StringIO("\ufeff", newline="")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text)
    for number, row in enumerate(lines, start=1):
        writer.writerow(row)
        if number % CHUNK == 0:
            yield _emptied(text)
    yield _emptied(text)


def _emptied(text: io.StringIO) -> bytes:
    piece = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return piece
