"""The numbers of a group-call task as rows for a file, each with the records of its calls.

A task has at most 200,000 numbers. Records are read for some of the numbers at a time; records of numbers that are not
in our list (called by an earlier console, or written differently) come at the end.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any

from laaffic_console.kit.lists import walks
from laaffic_console.kit.masking.masks import Typed
from messaging.models import Contact
from voice.models import CallRecord, GroupTask
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import figures as group_figures

CHUNK = 500
COLUMNS = [
    "number",
    Typed("name"),
    "state",
    Typed("reason"),
    "seconds",
    "billed_seconds",
    "cost",
    "currency",
    "called_at",
]
COLUMNS += ["ringing_at", "answered_at", "hung_up_at", "key_pressed", "recalls", "recording", "voice_id", "evidence"]
NO_RECORD = "no record"

Row = list[Any]


def rows(task: GroupTask, *, with_names: bool = True) -> Iterator[Row]:
    """The header, then a row for each call, and one for each number without a known call."""
    yield COLUMNS
    numbers = group_callees.of(task)
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        records, names = records_of(task, chunk), _names(chunk) if with_names else {}
        for number in chunk:
            name = names.get(number, "")
            if number not in records:
                yield [number, name, NO_RECORD, *[""] * (len(COLUMNS) - 3)]
            for record in records.get(number, ()):
                yield _cells(record, name)
    yield from _others(task, set(numbers), with_names=with_names)


def records_of(task: GroupTask, numbers: Sequence[str]) -> dict[str, list[CallRecord]]:
    """The records of the task's calls to these numbers."""
    found: dict[str, list[CallRecord]] = defaultdict(list)
    for record in group_figures.records_of(task).filter(callee__in=numbers).order_by("pk"):
        found[record.callee].append(record)
    return found


def _names(numbers: Sequence[str]) -> dict[str, str]:
    return dict(Contact.objects.filter(number__in=numbers).values_list("number", "name"))


def _others(task: GroupTask, ours: set[str], *, with_names: bool) -> Iterator[Row]:
    for chunk in walks.rising(group_figures.records_of(task), CHUNK, attrgetter("pk")):
        others = [record for record in chunk if record.callee not in ours]
        names = _names([record.callee for record in others]) if with_names and others else {}
        for record in others:
            yield _cells(record, names.get(record.callee, ""))


def _cells(record: CallRecord, name: str) -> Row:
    reason = f"{record.termination_code} {record.termination_reason}".strip()
    return [
        record.callee,
        name,
        record.outcome,
        reason,
        record.duration,
        record.charged,
        record.cost,
        record.currency,
        record.called_at or record.at,
        record.ringing_at,
        record.answered_at,
        record.hung_up_at,
        record.key_pressed,
        record.recall_count,
        record.recording_id,
        record.voice_id,
        record.source,
    ]
