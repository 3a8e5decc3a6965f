"""Call records as rows for a file, in chunks, in the order and with the filters of the list."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.lists import walks
from laaffic_console.kit.masking.masks import Typed
from voice.models import CallRecord

CHUNK = 1000
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
    Typed("termination_reason"),
    "call_status",
    "cost",
    "currency",
    "key_pressed",
    "recording",
    "audio_file",
    "phone",
    "task",
    Typed("mark"),
    "came_by",
]


def rows(records: QuerySet[CallRecord]) -> Iterator[list[Any]]:
    """The header, then a row for each record, the newest id first, in chunks that an index finds."""
    yield COLUMNS
    for chunk in walks.falling(records, CHUNK, attrgetter("pk")):
        for record in chunk:
            yield _cells(record)


def _cells(record: CallRecord) -> list[Any]:
    moments = (record.at, record.submitted_at, record.ringing_at, record.answered_at, record.hung_up_at)
    return [
        record.voice_id,
        record.get_kind_display() if record.kind else "",
        record.callee,
        record.display_number,
        record.operator,
        *moments,
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
