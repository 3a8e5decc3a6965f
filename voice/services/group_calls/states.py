"""What Laaffic says about a group-call task, copied to its row (laaffic-api#group-call-tasks).

A task is found by its name, which only we use: if it is listed, the request arrived, even if the answer was lost. If it
is not listed, that alone proves nothing; a person decides, and sees how often it was looked for.
"""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, EvidenceKind, LedgerEntry
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, late_evidence, ledger
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import GroupTask as WireTask
from laaffic_console.laaffic import TaskStatus
from messaging.services.budgets import shares
from voice.models import GroupTask, TaskKind, TaskState
from voice.models.group_tasks import NOT_LEFT, OPEN, OVER
from voice.services import events
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import figures as group_figures

ABOUT = "group task"
CANCEL = "voice/group/call/cancel"
STATES = {
    TaskStatus.WAITING: TaskState.WAITING,
    TaskStatus.CALLING: TaskState.CALLING,
    TaskStatus.FINISHED: TaskState.FINISHED,
    TaskStatus.FAILED: TaskState.FAILED,
    TaskStatus.CANCELLED: TaskState.CANCELLED,
    TaskStatus.PAUSED: TaskState.PAUSED,
    TaskStatus.SUBMITTING: TaskState.SUBMITTING,
}
ENDED = tuple(state for state in OVER if state != TaskState.REPLACED)  # its records are its own, and may still change
# Call records of its key are those of the task that has replaced it.
REPLACED: dict[str, Any] = {"state": TaskState.REPLACED, "look_at": None, "ended_because": ""}
REPLACED |= {"recorded": 0, "talk_seconds": 0, "keys_pressed": {}, "cost": None, "currency": ""}
CLOCKS_DIFFER_BY = dt.timedelta(days=1)  # tasks are listed by when they were made, in a zone that is a setting
SOON = dt.timedelta(seconds=5)
COUNT_EVERY = dt.timedelta(seconds=30)
SELDOM, HOUR = dt.timedelta(minutes=10), dt.timedelta(hours=1)
MISSED_AT_MOST = 80  # times that a task is not listed, the last of them an hour apart: about three days
CANCELS_WITHIN = dt.timedelta(minutes=1)  # until a list shows it
LAST_LOOK = dt.timedelta(hours=6)  # after its end, for late call records
UNSETTLED = (EntryState.UNKNOWN, EntryState.IN_FLIGHT)


def look(task: GroupTask) -> GroupTask:
    """Ask Laaffic for this task now and take over what it says; LaafficError if it cannot be asked."""
    began = database_clock.now()
    found = find(task)
    if found is not None:
        return take(task.pk, found, began=began)
    now = database_clock.now()
    planned = _planned_look(task.pk)
    figures = group_figures.of(task.key) if task.key and task.state in ENDED else {}
    with transaction.atomic():
        row = GroupTask.objects.select_for_update().get(pk=task.pk)
        row.looks, row.looked_at = row.looks + 1, now
        if row.state in ENDED:
            _set(row, figures)
        row.look_at = _following(row, now, planned, was_over=row.state in OVER)
        row.save(update_fields=["looks", "looked_at", "look_at", *figures])
        if figures:
            group_costs.charge(row)
    return row


def _planned_look(task_id: int) -> dt.datetime | None:
    """When it is to be looked at next, read before its records are added up."""
    return GroupTask.objects.values_list("look_at", flat=True).get(pk=task_id)


def _set(task: GroupTask, figures: dict[str, Any]) -> None:
    for field, value in figures.items():
        setattr(task, field, value)


def _following(task: GroupTask, now: dt.datetime, planned: dt.datetime | None, *, was_over: bool) -> dt.datetime | None:
    """The next look at a task, under its lock: no later than one that was asked for since `planned` was read.

    If it has just ended, there is one more look: records that came while the sums were made did not find it over.
    """
    moments = [next_look(task, now)]
    if task.state in OVER:
        moments += [task.look_at if task.look_at != planned else None, None if was_over else now + 3 * SOON]
    return min((moment for moment in moments if moment is not None), default=None)


def find(task: GroupTask) -> WireTask | None:
    """The task of exactly this name, from the list of the time when it can have been made."""
    first = task
    while first.kind == TaskKind.UPDATE and first.parent is not None:
        first = first.parent
    # A request that a restore made doubtful may have left long after it was recorded.
    last = max(task.entry.prepared_at, task.entry.left_at or task.entry.prepared_at) if task.entry else timezone.now()
    # A launch that was given up, or refused because the name was taken, may not be the one that made it.
    asked = launches_of(first, first.task_name).aggregate(first=Min("prepared_at"))["first"]
    return laaffic_client().group_calls.find(
        task.task_name,
        start=(asked or first.launched_at or last) - CLOCKS_DIFFER_BY,
        end=last + CLOCKS_DIFFER_BY,
    )


def take(task_id: int, found: WireTask, *, began: dt.datetime) -> GroupTask:
    """Set the task's state to the list's, and settle its unknown requests by that.

    `began`: when the list was asked for, or before.
    """
    now = database_clock.now()
    planned = _planned_look(task_id)
    figures = group_figures.of(found.key) if _is_to_be_counted(task_id, found, now) else {}
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state in (*NOT_LEFT, TaskState.REPLACED):
            return task
        evidence = listing(found)
        _settle_launches(task, evidence)
        was, was_over = task.state, task.state in OVER
        is_there(task, found.key, listed_at=began)
        task.state = STATES.get(found.status, task.state) if found.status is not None else task.state
        _count(task, found)
        _set(task, figures)
        if found.cost is not None and task.recorded < (task.called or 0):
            task.cost = found.cost  # Laaffic's own sum, while records are missing
        task.looks, task.looked_at, task.ended_because = 0, now, ""
        if task.state in OVER and not was_over:
            task.finished_at = now
        task.look_at = _following(task, now, planned, was_over=was_over)
        task.save()
        _settle_cancelling(task, evidence, began, is_said=found.status is not None)
        group_costs.charge(task)
        events.task_moved(task, was)
    return task


def listing(found: WireTask) -> Evidence:
    return known_by.listing(f"group/call/query lists {found.name}: {found.key}, status {found.raw_status}")


def _is_to_be_counted(task_id: int, found: WireTask, now: dt.datetime) -> bool:
    """Whether to add up its records: for a large task that takes a moment, so not at every look while it calls."""
    counted_at = GroupTask.objects.values_list("counted_at", flat=True).get(pk=task_id)
    is_over = STATES.get(found.status) in OVER if found.status is not None else False
    return bool(found.key) and (is_over or counted_at is None or counted_at < now - COUNT_EVERY)


def is_there(task: GroupTask, key: str, *, listed_at: dt.datetime | None = None) -> None:
    """Note that Laaffic has it; an update replaces the task that it updated. The caller saves the task.

    `listed_at`: when the list was asked for that has it; None if an answer says so.
    """
    task.key = key[:40] or task.key
    if task.state in (TaskState.SENDING, TaskState.UNKNOWN, *NOT_LEFT):
        task.state, task.hold_reason, task.hold_kind = TaskState.SUBMITTING, "", ""
        task.undo_until = task.starts_at = task.waits_since = None
    if task.kind == TaskKind.UPDATE and task.parent_id is not None:
        replaced = GroupTask.objects.filter(pk=task.parent_id).exclude(state=TaskState.REPLACED)
        if replaced.update(finished_at=timezone.now(), **REPLACED):
            group_costs.replace(task)
        if task.key:
            _replace_other_changes(task, listed_at)


def _replace_other_changes(task: GroupTask, listed_at: dt.datetime | None) -> None:
    """Laaffic has one task of a key: other changes that it took are no longer there, unless one may have come later.

    One that is locked is left to the next look: its own transaction may wait for this one.
    """
    came_before = Q(entry__lt=task.entry_id or 0) if listed_at is None else Q(entry__settled_at__lt=listed_at)
    goes_on = ~Q(state__in=(*NOT_LEFT, *OVER)) | (Q(state=TaskState.FINISHED) & ~Q(ended_because=""))  # a person's word
    others = GroupTask.objects.filter(came_before, goes_on, key=task.key, kind=TaskKind.UPDATE).exclude(pk=task.pk)
    for other in others.select_for_update(skip_locked=True, of=("self",)).order_by("pk"):
        GroupTask.objects.filter(pk=other.pk).update(finished_at=timezone.now(), **REPLACED)
        group_costs.replace(task, other)


def at_laaffic(task: GroupTask) -> str:
    """The status in Laaffic's list, in words and as its number; "" if it has said nothing yet."""
    said = task.vendor_status
    named = [state.label for status, state in STATES.items() if str(int(status)) == said]
    return f"{named[0]} ({said})" if named else said


def _count(task: GroupTask, found: WireTask) -> None:
    task.vendor_status = found.raw_status[:16] or task.vendor_status
    for field, said in (
        ("total", found.total),
        ("called", found.called),
        ("connected", found.succeeded),
        ("failed", found.failed),
        ("sms_sent", found.sms_sent),
    ):
        if said is not None:
            setattr(task, field, min(max(said, 0), 2_000_000_000))


def next_look(task: GroupTask, now: dt.datetime) -> dt.datetime | None:
    """Often while it calls, seldom while it waits for its time, and after its end until all its records are there."""
    if task.state == TaskState.UNKNOWN and task.looks > MISSED_AT_MOST:
        return None
    if task.state == TaskState.UNKNOWN:
        age = now - (task.launched_at or now)
        following = now + min(max(3 * SOON, age / 2), HOUR)
        # A task found by then can be cancelled by then.
        return min(following, task.latest_end) if task.latest_end and task.latest_end > now else following
    if task.state == TaskState.WAITING and task.send_at is not None and task.send_at > now + SOON:
        start: dt.datetime = task.send_at
        return min(start, now + SELDOM)
    if task.state in OPEN and task.looks:
        return _next_look_for_missing(task, now)
    if task.state in OPEN:
        return now + SOON
    if task.state in OVER and task.recorded < (task.called or 0):
        age = now - (task.finished_at or now)
        return now + max(3 * SOON, age / 2) if age < LAST_LOOK else None
    return None


def is_due() -> Q:
    """Tasks whose look is due, or lies further ahead than `next_look` or a failure ever plans it."""
    now = database_clock.now()
    unknown, over = Q(state=TaskState.UNKNOWN), Q(state__in=OVER)
    waits = [(Q(state__in=OPEN, looks=0), SELDOM)]
    for rows, longest in due.by_age("launched_at", now, part=0.5, oldest=2 * HOUR, at_least=SELDOM):
        waits.append((unknown & rows, min(longest, HOUR)))
    for rows, longest in due.by_age("finished_at", now, part=0.5, oldest=LAST_LOOK, at_least=SELDOM):
        waits.append((over & rows, longest))
    missed = [SOON.total_seconds() * 2**n for n in range(1, 11)]
    for rows, longest in due.by_steps("looks", missed, SELDOM, first=1):
        waits.append((Q(state__in=OPEN, looks__gt=0) & rows, min(longest, HOUR)))
    return due.come("look_at", waits, now)


def _next_look_for_missing(task: GroupTask, now: dt.datetime) -> dt.datetime | None:
    """The next look at a task that is no longer listed: less and less often, after some days never."""
    if task.looks > MISSED_AT_MOST:
        return None
    doubled: int = 2 ** min(task.looks, 20)
    return now + min(SOON * doubled, HOUR)


def records_came() -> None:
    """Plan a look at tasks that miss records, as more have come."""
    GroupTask.objects.filter(state__in=OVER, look_at__isnull=False).update(look_at=database_clock.in_statement())


def records_changed(keys: Collection[str]) -> None:
    """Plan new sums for ended tasks with these keys, whose records came or changed, complete or not.

    In the transaction of the records, whose rows are locked first.
    """
    if not keys:
        return
    over = GroupTask.objects.filter(key__in=keys, state__in=ENDED)
    found = list(over.select_for_update().order_by("pk").values_list("pk", flat=True))
    if found:
        GroupTask.objects.filter(pk__in=found).update(look_at=database_clock.in_statement())


def _settle_cancelling(task: GroupTask, evidence: Evidence, began: dt.datetime, *, is_said: bool) -> None:
    """Settle requests to cancel whose answer was lost: a task that still calls a minute later never got the request.

    If it is cancelled later than that after all, the last request did that, unless another was accepted.
    """
    asked = requests_of(task).filter(interface=CANCEL)
    lost = asked.filter(state=EntryState.UNKNOWN)
    if task.state in OPEN:  # and the list says so: with an unknown status it keeps the state it had
        lost = lost.filter(left_at__lt=began - CANCELS_WITHIN) if is_said else lost.none()
    outcome = EntryState.ACCEPTED if task.state == TaskState.CANCELLED else EntryState.REFUSED
    for entry in lost:
        ledger.settle_by_evidence(entry.pk, outcome, evidence=evidence)
    if task.state == TaskState.CANCELLED and not asked.filter(state=EntryState.ACCEPTED).exists():
        denied = asked.filter(late_evidence.denied_lately(began)).order_by("pk").last()
        if denied is not None:
            ledger.was_done_after_all(denied.pk, evidence=evidence)


def _settle_launches(task: GroupTask, evidence: Evidence) -> None:
    """Its name is listed, so exactly one of its requests made it, as a name is taken once."""
    of_name = launches_of(task, task.task_name)
    arrived = of_name.filter(state=EntryState.ACCEPTED).first()
    if arrived is not None:
        ledger.prove_done(arrived.pk, evidence=evidence)
    for entry in of_name.filter(state__in=UNSETTLED).order_by("-pk"):
        if arrived is None:
            ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=evidence, provided=UNSETTLED)
            arrived = entry
        else:
            ledger.settle_by_evidence(entry.pk, EntryState.REFUSED, evidence=brought_by(arrived))
    if arrived is not None:
        made_by(task, arrived)


def made_by(task: GroupTask, entry: LedgerEntry) -> None:
    """Note which of its requests made it, and so when it was launched. The caller saves the task."""
    task.entry, task.launched_at = entry, entry.prepared_at


def brought_by(arrived: LedgerEntry) -> Evidence:
    return known_by.request(f"a name is taken once, and request {arrived.pk} has brought it there")


def arrived_after_all(entry_id: int, evidence: Evidence) -> bool:
    """Evidence from Laaffic overrides a person's word that a request did not arrive, but no other evidence."""
    given_up = LedgerEntry.objects.filter(pk=entry_id, evidence_kind=EvidenceKind.PERSON).exists()
    return given_up and turned_out(entry_id, EntryState.ACCEPTED, evidence, was=EntryState.NOT_SENT)


def turned_out(entry_id: int, state: EntryState, evidence: Evidence, *, was: EntryState) -> bool:
    """Change the outcome of a request that had ended; its budgets count it by the new one."""
    has_turned = ledger.settle_by_evidence(entry_id, state, evidence=evidence, provided=[was])
    if has_turned:
        shares.look_again(entry_id)
    return has_turned


def launches_of(task: GroupTask, name: str) -> QuerySet[LedgerEntry]:
    """The requests that give Laaffic a task of this name."""
    return requests_of(task).filter(summary__task=name).exclude(interface=CANCEL)


def requests_of(task: GroupTask) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=ABOUT, about_id=task.pk)
