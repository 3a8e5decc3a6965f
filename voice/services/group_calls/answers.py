"""Asking Laaffic for a prepared launch, and what its answer means for the task: there, not there, or unknown."""

from typing import Any

from django.db import transaction
from django.db.models import Q

from laaffic_console.gateway.models import EntryState, EvidenceKind, LedgerEntry
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, ledger, single_requests
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import GroupTask as WireTask
from laaffic_console.laaffic import LaafficError, OutcomeUnknown, Refused
from messaging.services.budgets import shares
from voice.models import GroupTask, TaskKind, TaskNumbers, TaskState
from voice.models.group_tasks import NOT_LEFT
from voice.services import events, syncing
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import requesting as group_requests
from voice.services.group_calls import states as group_state
from voice.services.group_calls.states import SOON

SYNC = "group tasks"
# Evidence that a task of this name exists, which does not say which of its requests made it.
NAMES_NO_REQUEST = (EvidenceKind.LIST, EvidenceKind.REQUEST, EvidenceKind.PERSON)
# Fields of a launch whose request was not made yet.
WAITING = ("hold_reason", "hold_kind", "undo_until", "starts_at", "waits_since")


def leave(task: GroupTask, entry: LedgerEntry, numbers: list[str]) -> None:
    try:
        key = single_requests.send(entry, lambda: _ask(task, numbers))
    except Refused as refusal:
        if refusal.says_duplicate:
            arrived_before(task, entry, numbers)
            _look_for(task, entry, numbers)
        else:
            _did_not_leave(task, entry)
    except OutcomeUnknown:
        _look_for(task, entry, numbers)
    except LaafficError:
        _did_not_leave(task, entry)
    else:
        _accepted(task, entry, numbers, key)


def _ask(task: GroupTask, numbers: list[str]) -> str:
    api = laaffic_client().group_calls
    asked = group_requests.request(task, numbers, task.task_name)
    if task.kind == TaskKind.SEND or task.parent is None:
        return api.send(asked)
    if task.kind == TaskKind.UPDATE:
        api.update(task.parent.key, asked)
        return task.parent.key
    return api.resend(task.parent.key, asked, failed_only=task.kind == TaskKind.RESEND_FAILED)


def _accepted(task: GroupTask, entry: LedgerEntry, numbers: list[str], key: str) -> None:
    with transaction.atomic():
        row = GroupTask.objects.select_for_update().get(pk=task.pk)  # before the ledger's row, as everywhere
        evidence = known_by.answer(f"task {key}") if key else known_by.answer_without("a key")
        if not group_state.arrived_after_all(entry.pk, evidence):
            ledger.settle_accepted(entry.pk, evidence=evidence)
        if row.task_name == task.task_name:
            _brought_by_no_other(row, entry)
            _as_it_left(row, task, entry, numbers)
            _is_there(row, entry, key)
    syncing.COPIES.request(SYNC)


def _brought_by_no_other(row: GroupTask, arrived: LedgerEntry) -> None:
    """Correct earlier conclusions from a list, which names no request: the answer knows better."""
    others = group_state.launches_of(row, row.task_name).filter(state=EntryState.ACCEPTED).exclude(pk=arrived.pk)
    for other in others.filter(evidence_kind__in=NAMES_NO_REQUEST):
        said = group_state.brought_by(arrived)
        group_state.turned_out(other.pk, EntryState.REFUSED, said, was=EntryState.ACCEPTED)


def _as_it_left(row: GroupTask, task: GroupTask, entry: LedgerEntry, numbers: list[str]) -> None:
    """Set the task to what left, as Laaffic has that. An edit since then becomes a draft of its own."""
    is_as_launched = row.entry_id == entry.pk and row.state not in NOT_LEFT
    if is_as_launched or entry.digest == group_launching.digest_of(row, group_callees.of(row)):
        return
    edited = _edit_apart(row)
    for name in group_launching.EDITED:
        setattr(row, name, getattr(task, name))
    row.number_count = len(numbers)
    TaskNumbers.objects.filter(task=row).update(lines="\n".join(numbers))
    row.save(update_fields=group_launching.EDITED)
    said = _("Laaffic has it as it was before it was edited, and so it says now. The edit is kept as draft %(id)d.")
    group_launching.note(row, said % {"id": edited.pk}, None)


def _edit_apart(row: GroupTask) -> GroupTask:
    """Keep an edit as an update: that of an update for the same task, that of any other task for the task itself."""
    parent = row if row.kind == TaskKind.UPDATE else row.parent
    given = {name: getattr(row, name) for name in group_launching.EDITED}
    edited = GroupTask.objects.create(**given, kind=row.kind, parent=parent, created_by=row.created_by)
    edited.authors.set(row.authors.all())
    TaskNumbers.objects.create(task=edited, lines="\n".join(group_callees.of(row)))
    said = _("An edit of task %(id)d, which Laaffic has as it was before")
    group_launching.note(edited, said % {"id": row.pk}, None)
    return edited


@transaction.atomic
def _listed_after_all(task: GroupTask, entry: LedgerEntry, numbers: list[str], found: WireTask) -> None:
    """Laaffic's list has the name, though a person has said in the meantime that the request did not arrive."""
    row = GroupTask.objects.select_for_update().get(pk=task.pk)
    if row.task_name == task.task_name and group_state.arrived_after_all(entry.pk, group_state.listing(found)):
        _as_it_left(row, task, entry, numbers)
        _is_there(row, entry, found.key)


def _is_there(row: GroupTask, entry: LedgerEntry, key: str) -> None:
    """Note that this request made the task, also if it was given up and the same is being launched again."""
    was = row.state
    group_state.made_by(row, entry)
    group_state.is_there(row, key)
    row.look_at = database_clock.now() + SOON / 5
    row.save(update_fields=["entry", "launched_at", "key", "state", "look_at", *WAITING])
    events.task_moved(row, was)


@transaction.atomic
def arrived_before(task: GroupTask, refused: LedgerEntry, numbers: list[str]) -> None:
    """Its name is taken, by one of our own: an earlier request arrived, perhaps one that a person said had not, and the
    task is that request's. If no earlier one can have arrived, this one reached Laaffic twice."""
    launched_again = Q(entry=None, task_name=task.task_name, state__in=NOT_LEFT)  # and its request is yet to be made
    rows = GroupTask.objects.select_for_update().filter(Q(entry=refused) | launched_again)
    row = rows.filter(pk=task.pk).first()
    if row is None:
        return
    bringer = _bringer(row, refused)
    for one in (task, row):
        group_state.made_by(one, bringer)
    was = row.state
    if was in NOT_LEFT:  # a person had spoken before this answer came
        _as_it_left(row, task, refused, numbers)
        group_state.is_there(row, "")
        row.state, row.looks, row.look_at = TaskState.UNKNOWN, 0, database_clock.now()
    row.save(update_fields=["entry", "launched_at", "state", "looks", "look_at", *WAITING])
    events.task_moved(row, was)


def _bringer(row: GroupTask, refused: LedgerEntry) -> LedgerEntry:
    said = known_by.request(f"the name was taken when request {refused.pk} came")
    for entry in group_state.launches_of(row, row.task_name).exclude(pk=refused.pk).order_by("-pk"):
        if entry.state == EntryState.ACCEPTED or _has_arrived(entry, said):
            group_state.turned_out(
                refused.pk, EntryState.REFUSED, group_state.brought_by(entry), was=EntryState.ACCEPTED
            )
            return entry
    if not group_state.turned_out(refused.pk, EntryState.ACCEPTED, said, was=EntryState.REFUSED):
        _has_arrived(refused, said)
    return refused


def _has_arrived(entry: LedgerEntry, said: Evidence) -> bool:
    settled = ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=said, provided=group_state.UNSETTLED)
    return settled or group_state.arrived_after_all(entry.pk, said)


def _look_for(task: GroupTask, entry: LedgerEntry, numbers: list[str]) -> None:
    """The request may have arrived: look for its name now, later by the job. It is never sent again automatically."""
    now = database_clock.now()
    _move(task, TaskState.UNKNOWN, looks=0, look_at=now + SOON)
    began = database_clock.now()
    try:
        found = group_state.find(task)
    except (LaafficError, NotConfigured):
        return
    if found is not None and group_state.take(task.pk, found, began=began).state in NOT_LEFT:
        _listed_after_all(task, entry, numbers, found)


def _did_not_leave(task: GroupTask, entry: LedgerEntry) -> None:
    """Make it a draft again if somebody waits for the answer; if a worker started it, hold it, so that it is seen."""
    if task.starts_at is None:
        _move(task, TaskState.DRAFT, look_at=None)
    else:
        group_launching.hold(task, group_launching.why_nobody_was_called(LedgerEntry.objects.get(pk=entry.pk)))
    _certainly_not(task, entry)


@transaction.atomic
def _certainly_not(task: GroupTask, entry: LedgerEntry) -> None:
    """A request that counted as lost, or as over by a person's word, certainly called nobody. If no other request can
    have brought its name to Laaffic, the task is set as if that had been known at once."""
    given_up = Q(state=TaskState.UNKNOWN) | Q(state=TaskState.FINISHED, key="") & ~Q(ended_because="")
    row = GroupTask.objects.select_for_update().filter(given_up, pk=task.pk, entry=entry).first()
    launches = group_state.launches_of(task, task.task_name)
    if row is None or launches.exclude(state__in=group_care.DID_NOT_LEAVE).exists():
        return
    shares.look_again(entry.pk)
    was, row.state, row.look_at, row.finished_at, row.ended_because = row.state, TaskState.DRAFT, None, None, ""
    row.save(update_fields=["state", "look_at", "finished_at", "ended_because"])
    if row.starts_at is None:
        events.task_moved(row, was)
    else:
        group_launching.hold_waiting(
            row, group_launching.why_nobody_was_called(LedgerEntry.objects.get(pk=entry.pk)), was
        )


@transaction.atomic
def _move(task: GroupTask, state: TaskState, **fields: Any) -> None:
    if group_launching.still(task).update(state=state, **fields):
        was, task.state = TaskState.SENDING, state
        events.task_moved(task, was)
