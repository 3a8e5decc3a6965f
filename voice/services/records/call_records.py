"""Call records, pushed or asked for: one row for each call, and a worse record never replaces a better one.

Every record also settles what asked for the call: a SIP call by its mark or id, a TTS message as a report.
"""

import datetime as dt
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.services.database import isolation
from laaffic_console.laaffic import CallKind, CallOutcome, Source
from laaffic_console.laaffic import CallRecord as WireRecord
from messaging.services.reports import reports, standing_amounts
from messaging.services.tallies.tally_writes import upsert_tallies
from messaging.wire.order_ids import message_id_of
from voice.models import CallRecord, CallTally
from voice.services.calls import matching as call_matching
from voice.services.group_calls import states as group_state
from voice.services.records import call_costs
from voice.services.spoken import recalls
from voice.services.spoken.call_reports import as_delivery_report

logger = logging.getLogger(__name__)

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# The record that heard more of a call is the better one.
RANK = {
    CallOutcome.FAILED: 0,
    CallOutcome.NO_SUCH_NUMBER: 1,
    CallOutcome.DECLINED: 2,
    CallOutcome.BUSY: 3,
    CallOutcome.NO_ANSWER: 4,
    CallOutcome.VOICEMAIL: 5,
    CallOutcome.ANSWERED: 6,
}
# Fields that are taken together, as they say one thing; the others are filled one by one.
VERDICT = ("outcome", "termination_code", "termination_reason", "call_status")
FILLED = (
    "kind",
    "callee",
    "display_number",
    "operator",
    "submitted_at",
    "called_at",
    "ringing_at",
    "answered_at",
    "hung_up_at",
    "duration",
    "charged",
    "bill_period",
    "key_pressed",
    "called_info",
    "phone_group",
    "phone_name",
    "voice_file_id",
    "recording_id",
    "recall_count",
    "task_id",
)
# An amount and what it is in; a currency without an amount says nothing.
AMOUNTS = (("cost", "currency"), ("doubtful_cost", "doubtful_currency"))
WRITTEN = (*VERDICT, *FILLED, *sum(AMOUNTS, ()), "at", "source")
Key = tuple[dt.date, int, str, str]


def take(found: Sequence[WireRecord], source: Source, *, kind: CallKind | None = None) -> list[bool]:
    """Store records, in a transaction of their own; for each, False if it names a message that nobody knows.

    `kind` is what the interface says about records that do not name their kind.
    """
    with transaction.atomic():
        return apply(found, source, kind=kind)


def take_each(found: Sequence[WireRecord], source: Source, *, kind: CallKind | None = None) -> None:
    """`take` for code that reads a list: a record that cannot be stored is logged and shown, the others are stored."""

    def work(piece: Sequence[WireRecord]) -> None:
        take(piece, source, kind=kind)

    def give_up(record: WireRecord, problem: Exception) -> None:
        logger.error("the record of call %s cannot be kept: %s", record.voice_id, problem)
        isolation.note(f"call record {record.voice_id}", problem)

    isolation.in_pieces(found, work, give_up)


def apply(found: Sequence[WireRecord], source: Source, *, kind: CallKind | None = None) -> list[bool]:
    """`take` in the caller's transaction."""
    if not found:
        return []
    keep([_row(record, source, kind) for record in found])
    known = [True] * len(found)
    ours = [(at, report) for at, record in enumerate(found) if (report := as_delivery_report(record, source, kind))]
    if source == Source.VOICE_RECORD:
        ended = recalls.ended([report for _at, report in ours], timezone.now())
        said = {recalls.key_of(report): report for report in ended}
        ours = [(at, said.pop(key)) for at, report in ours if (key := recalls.key_of(report)) in said]
    for (at, _report), is_known in zip(ours, reports.apply([report for _at, report in ours]), strict=True):
        known[at] = is_known
    return known


def keep(rows: Sequence[CallRecord]) -> None:
    """Insert new records, merge the others into their rows, and move the tallies by the difference."""
    ids = sorted({row.voice_id for row in rows})
    known = set(CallRecord.objects.filter(voice_id__in=ids).values_list("voice_id", flat=True))
    fresh: dict[str, CallRecord] = {}
    for row in rows:
        if row.voice_id not in known and row.voice_id not in fresh:
            fresh[row.voice_id] = row
    # Another worker may insert the same call at the same moment: its first_seen_at shows whose row it is.
    CallRecord.objects.bulk_create(fresh.values(), ignore_conflicts=True, batch_size=200)
    locked = {
        row.voice_id: row for row in CallRecord.objects.select_for_update().filter(voice_id__in=ids).order_by("pk")
    }
    counts: Counter[Key] = Counter()
    sums: dict[Key, list[int]] = {}
    changed = []
    before = {
        voice_id: None if voice_id in fresh and _is_mine(row, fresh[voice_id]) else _counted(row)
        for voice_id, row in locked.items()
    }
    folded = {row.voice_id for row in rows if fold(locked[row.voice_id], row)}
    for voice_id, row in locked.items():
        if voice_id in folded:  # a row that was just inserted needs no update
            changed.append(row)
        was, now = before[voice_id], _counted(row)
        if was == now:
            continue
        for sign, said in ((-1, was), (1, now)):
            if said is not None:
                counts[said[0]] += sign
                sums[said[0]] = [
                    old + sign * new for old, new in zip(sums.get(said[0], [0, 0, 0]), said[1], strict=True)
                ]
    CallRecord.objects.bulk_update(changed, WRITTEN, batch_size=100)
    upsert_tallies(
        CallTally._meta.db_table,
        ["day", "kind", "outcome", "currency"],
        ["calls", "seconds", "charged", "cost_micros"],
        [(*key, counts[key], *total) for key, total in sums.items() if counts[key] or any(total)],
    )
    news = [row for row in locked.values() if before[row.voice_id] is None or row.voice_id in folded]
    group_state.records_changed({row.task_id for row in news} - {""})
    call_matching.settle_by_records(locked.values())


def _is_mine(row: CallRecord, made: CallRecord) -> bool:
    return row.first_seen_at == made.first_seen_at and row.source == made.source


def _counted(row: CallRecord) -> tuple[Key, tuple[int, int, int]]:
    key = (row.at.astimezone(dt.UTC).date(), row.kind or 0, str(row.outcome), row.currency)
    return key, (row.duration or 0, row.charged or 0, standing_amounts.micros(row.cost) if row.cost is not None else 0)


def fold(kept: CallRecord, given: CallRecord) -> bool:
    """Merge `given` into `kept`: known values stay, better or new ones are added, in any order; whether any was."""
    given_is_better = _rank(given) > _rank(kept)
    first, second = (given, kept) if given_is_better else (kept, given)
    values: dict[str, Any] = {}
    for name in FILLED:
        value = getattr(first, name)
        values[name] = getattr(second, name) if value in (None, "") else value
    for amount, currency in AMOUNTS:
        told = first if getattr(first, amount) is not None else second
        known = getattr(told, amount)
        values |= {amount: known, currency: "" if known is None else getattr(told, currency)}
    if given_is_better:
        values |= {name: getattr(given, name) for name in VERDICT}
    values |= _told_cost(kept, given)
    moment = values["called_at"] or values["submitted_at"] or values["hung_up_at"]
    values["at"] = moment or min(kept.at, given.at)
    is_news = any(getattr(kept, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(kept, name, value)
    return is_news


def _told_cost(kept: CallRecord, given: CallRecord) -> dict[str, Any]:
    """The cost by Laaffic's own record where one of two is a push, which anybody may have sent; `source` tells by
    which the row knows its cost. A person's word on the cost stays, whatever is pushed after it."""
    if kept.cost_word and not given.cost_word and given.source == CallRecord.Source.PUSH:
        return {"cost": kept.cost, "currency": kept.currency}
    if kept.source == given.source or given.cost is None:
        return {}
    told = kept if kept.cost is not None and (kept.source == CallRecord.Source.RECORD or kept.cost_word) else given
    return {"cost": told.cost, "currency": told.currency, "source": told.source}


def _rank(row: CallRecord) -> tuple[Any, ...]:
    """How good a record is: best with `callStatus`, then a later recall, then more that was heard, then a later end."""
    return (
        row.call_status is not None,
        row.recall_count or 0,
        RANK[CallOutcome(row.outcome)],
        row.hung_up_at or EPOCH,
        row.cost is not None,
        row.termination_code,
    )


def _row(record: WireRecord, source: Source, kind: CallKind | None) -> CallRecord:
    now = timezone.now()
    is_doubtful = call_costs.is_doubtful(record, source)
    return CallRecord(
        voice_id=record.voice_id[:64],
        kind=record.kind or _kind_of(record, kind),
        callee=record.callee[:20],
        display_number=record.display_number[:20],
        operator=_clean(record.operator)[:80],
        at=record.called_at or record.submitted_at or record.hung_up_at or now,
        submitted_at=record.submitted_at,
        called_at=record.called_at,
        ringing_at=record.ringing_at,
        answered_at=record.answered_at,
        hung_up_at=record.hung_up_at,
        duration=_seconds(record.duration),
        charged=_seconds(record.charged),
        outcome=record.outcome.value,
        termination_code=record.termination_code[:16],
        termination_reason=_clean(record.termination_reason)[:200],
        call_status=_small(record.call_status),
        cost=None if is_doubtful else record.cost,
        currency="" if is_doubtful or record.cost is None else record.currency[:8],
        doubtful_cost=record.cost if is_doubtful else None,
        doubtful_currency=record.currency[:8] if is_doubtful else "",
        bill_period=record.bill_period[:16],
        key_pressed=record.key_pressed[:8],
        called_info=_clean(record.called_info)[:1000],
        phone_group=_clean(record.phone_group)[:80],
        phone_name=_clean(record.phone_name)[:80],
        voice_file_id=record.voice_file_id[:120],
        recording_id=record.recording_id[:200],
        recall_count=_small(record.recall_count),
        task_id=record.task_id[:40],
        source=CallRecord.Source.PUSH if source is Source.VOICE_PUSH else CallRecord.Source.RECORD,
        first_seen_at=now,
    )


def _kind_of(record: WireRecord, kind: CallKind | None) -> CallKind | None:
    """The kind of a record that does not say it: our mark is a TTS message's, a task's id a group call's."""
    if kind is not None:
        return kind
    if message_id_of(settings.LAAFFIC_ORDER_PREFIX, record.called_info) is not None:
        return CallKind.TTS
    return CallKind.GROUP if record.task_id or record.voice_file_id else None


def _clean(text: str) -> str:
    return text.replace("\0", "")


def _seconds(value: int | None) -> int | None:
    return None if value is None else min(max(value, 0), 2_000_000_000)


def _small(value: int | None) -> int | None:
    return None if value is None else min(max(value, 0), 32767)
