"""Phones that ring now, as pushed: one row for each phone of a call, however often and late the pushes come."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.laaffic import RingingEvent
from voice.models import CallRecord, GroupTask, Ringing
from voice.services.calls import matching as call_matching
from voice.services.calls import sip_calls as calls

SHOWN = 20  # phones of a task


def apply(events: Sequence[RingingEvent]) -> list[bool]:
    """Keep the events, and update the calls from SIP phones; in the caller's transaction. None is ever an orphan."""
    told: dict[tuple[str, str], Ringing] = {}
    for row in map(_row, events):
        key = row.call_id, row.sip_account
        told[key] = min(told.get(key, row), row, key=lambda one: one.at)
    Ringing.objects.bulk_create(told.values(), ignore_conflicts=True, batch_size=200)
    kept = list(Ringing.objects.filter(call_id__in={call_id for call_id, _account in told}))
    earlier = []
    for row in kept:
        given = told.get((row.call_id, row.sip_account))
        if given is not None and given.at < row.at:
            row.at = given.at
            earlier.append(row)
    Ringing.objects.bulk_update(earlier, ["at"], batch_size=200)
    call_matching.settle_by_ringing(kept)
    return [True] * len(events)


def of_task(task: GroupTask) -> list[tuple[Ringing, str]]:
    """The agents' phones that rang last for a task, each with what is known about its call."""
    if not task.key:
        return []
    rows = list(Ringing.objects.filter(task_id=task.key)[:SHOWN])
    ended = {r.voice_id: r for r in CallRecord.objects.filter(voice_id__in=[row.call_id for row in rows])}
    return [(row, _state(row, ended.get(row.call_id))) for row in rows]


def _state(row: Ringing, record: CallRecord | None) -> str:
    if record is not None:
        return str(record.get_outcome_display())
    return _("ringing") if calls.is_now(row.at) else _("rang, no record")


def _row(event: RingingEvent) -> Ringing:
    return Ringing(
        call_id=event.call_id[:64],
        sip_account=event.sip_account[:64],
        kind=event.kind,
        called=event.called[:20],
        called_info=event.called_info[:200],
        agent_group=event.agent_group[:80],
        unanswered=", ".join(event.unanswered)[:300],
        task_id=event.task_id[:40],
        at=event.at or timezone.now(),
    )
