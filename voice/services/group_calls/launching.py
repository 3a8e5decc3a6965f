"""One launch of a group-call task: claimed, put down, asked of Laaffic, and what its answer says of it.

The name at Laaffic is made here and belongs to one row. It is the one idempotency key of the whole API: a launch whose
answer was lost is looked for by it, and another try under the same name cannot ring anybody twice, as Laaffic takes a
name once (−20 then says that the first try arrived).
"""

import json
import secrets
import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, EvidenceKind, LedgerEntry
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, ledger, open_acts, single_requests
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.audit.acts import Act, record_event
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import Family, LaafficError, OutcomeUnknown, Refused
from laaffic_console.laaffic import GroupTask as WireTask
from messaging.models import HoldKind
from messaging.services.approvals import approval_rules, approvals
from messaging.services.budgets import shares
from voice.models import GroupTask, GroupTaskEvent, TaskKind, TaskNumbers, TaskState
from voice.models.group_tasks import NOT_LEFT, PARAMETERS
from voice.services import called_numbers, events, syncing
from voice.services.group_calls import care as group_care
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import numbers as group_numbers
from voice.services.group_calls import requesting as group_requests
from voice.services.group_calls import states as group_state
from voice.services.group_calls.care import Called
from voice.services.group_calls.states import ABOUT, CANCEL, SOON

SYNC = "group tasks"
# What says that a task of this name is there, and not which of its requests has brought it there.
NAMES_NO_REQUEST = (EvidenceKind.LIST, EvidenceKind.REQUEST, EvidenceKind.PERSON)
INTERFACES = {
    TaskKind.SEND: "voice/group/call/send",
    TaskKind.UPDATE: "voice/group/call/update",
    TaskKind.RESEND: "voice/group/call/resend",
    TaskKind.RESEND_FAILED: "voice/group/call/resend",
}
# Of a launch whose request was not made yet.
WAITING = ("hold_reason", "hold_kind", "undo_until", "starts_at", "waits_since")
RELATED = ("application", "audio", "sms_application", "parent", "entry")
# What somebody who edits a draft writes.
EDITED = ("name", "send_at", "latest_end", *PARAMETERS, *group_numbers.GIVEN, *group_numbers.LEFT_OUT)


class NotApproved(NotNow):
    """A second person's word is missing; the sentence says why it is needed, or what happened to it."""


class OverBudget(NotNow):
    """It does not fit into what a budget has left; the sentence says which, and until when."""


def note(task: GroupTask, text: str, by: User | None, kind: Act = Act.STEPPED) -> None:
    GroupTaskEvent.objects.create(task=task, text=text, actor=by)
    record_event(task, text, by, kind)


def claimed(rows: QuerySet[GroupTask], **fields: Any) -> GroupTask | None:
    """The one of these rows, in hand of this launch alone; None where another has it, or it is none of them."""
    token = str(uuid.uuid4())
    now = database_clock.now()
    taken = {"state": TaskState.SENDING, "entry": None, "look_at": now, "launch_token": token}
    if not rows.update(**taken, hold_reason="", hold_kind="", **fields):
        return None
    task = GroupTask.objects.select_related(*RELATED).filter(launch_token=token).get()
    task.launch_token = token  # a worker that reads it this late may read another launch's
    return task


def ready(task: GroupTask) -> Called:
    """Whom it calls; ValidationError where it may not leave."""
    group_requests.check(task)
    called = _called(task)
    if missing := approval_rules.missing(task, called.numbers):
        raise NotApproved(missing)
    return called


def _called(task: GroupTask) -> Called:
    """Who is called now: the suppression list, consents and caps are looked at again."""
    task.suppression_seen = group_numbers.newest_entry()
    called = group_care.called_now(task)
    group_care.require_somebody(task, called)
    if task.kind == TaskKind.UPDATE and (task.parent is None or task.parent.state != TaskState.WAITING):
        raise NotNow(_("The task has begun or ended in the meantime: it can no longer be changed."))
    return called


def fresh(task_id: int) -> GroupTask:
    return GroupTask.objects.select_related(*RELATED).get(pk=task_id)


@transaction.atomic
def prepare(task: GroupTask, called: Called, again: str, by: User | None) -> tuple[LedgerEntry, list[str]]:
    """The committed row that says what is about to leave (laws#record-send-settle), and to whom."""
    if not still(task).select_for_update().filter(entry=None).exists():
        raise NotNow(_("This launch timed out. Look at it again."))
    called = group_care.under_lock(task, called)
    numbers = called.numbers
    digest = digest_of(task, numbers)
    why = require_no_other(task, numbers, again)
    taken = group_costs.taken(task, len(numbers))
    if used_up := taken.stop():
        raise OverBudget(used_up)
    task.task_name = _name_for(task)
    if len(numbers) != task.number_count:
        task.left_twice += called.twice
        task.left_suppressed += called.suppressed
        task.left_no_consent += called.no_consent
        task.left_capped += called.capped
        task.number_count = len(numbers)
        task.kept_numbers.lines = "\n".join(numbers)
        task.kept_numbers.save(update_fields=["lines"])
        approvals.without_dropped(task)
    task.launched_at = task.launched_at or timezone.now()
    entry = task.entry = ledger.prepare(
        interface=INTERFACES[TaskKind(task.kind)],
        application=task.application,
        about_kind=ABOUT,
        about_id=task.pk,
        summary={"task": task.task_name, "numbers": len(numbers), "seconds of talk": task.max_talk, **why},
        digest=digest,
        attempt=group_state.requests_of(task).count() + 1,
        worker=workers.worker_name(),
        requested_by=by,
    )
    called_numbers.keep(task, numbers)
    task.save()
    taken.count(entry)
    was = TaskState.DRAFT if task.starts_at is None else TaskState.LAUNCHED
    events.task_moved(task, was, step="launched", by=username(by))
    return entry, numbers


def require_no_other(task: GroupTask, numbers: list[str], again: str) -> dict[str, Any]:
    """What its row's summary says of the same that is open or waits; StillOpen where a reason is missing.

    What waits is asked for while somebody is there to be told: of two that a worker starts, neither stops the other.
    """
    digest = digest_of(task, numbers)
    why = open_acts.require(digest, task.application, again=again)
    if why or task.starts_at is not None or (waiting := _about_to_leave(task, digest, len(numbers))) is None:
        return why
    if is_blank(again):
        said = _("group call %(id)d") % {"id": waiting.pk}
        raise open_acts.StillOpen(said, waiting.waits_since or timezone.now())  # else it waits for seconds only
    return {"all the same": again.strip()[: open_acts.LONGEST_REASON], "group call": waiting.pk}


def _about_to_leave(task: GroupTask, digest: str, n_numbers: int) -> GroupTask | None:
    """The same, launched, whose request is not prepared yet; under the application's lock."""
    waits = Q(state=TaskState.LAUNCHED) | Q(state=TaskState.SENDING, entry=None, starts_at__isnull=False)
    alike = {name: getattr(task, name) for name in ("application", "kind", "source", "text", "audio", "send_at")}
    others = GroupTask.objects.filter(waits, **alike, number_count__gte=n_numbers).exclude(pk=task.pk)
    for other in others.select_related(*RELATED).order_by("-pk"):
        if digest_of(other, group_care.called_now(other).numbers) == digest:
            return other
    return None


def _name_for(task: GroupTask) -> str:
    """The name of the launch before, whose answer may have been lost, where this is the same again.

    An edited draft gets another: under the old one −20 would say that it arrived, while the old numbers are called.
    """
    before = group_state.requests_of(task).exclude(interface=CANCEL).order_by("-pk").first()
    is_same = before is not None and before.digest == digest_of(task, group_numbers.of(task))
    return task.task_name if task.task_name and is_same else unique_name(task.name)


def digest_of(task: GroupTask, numbers: list[str]) -> str:
    """Of everything that Laaffic is told, without the name."""
    fields = group_requests.request(task, ["10000000"], "name").fields()
    return ledger.digest_of(task.kind, json.dumps(fields, sort_keys=True, default=str), *numbers)


def unique_name(name: str) -> str:
    """2 to 64 characters that no task had before (laaffic-api#group-calls)."""
    mark = f"{settings.LAAFFIC_ORDER_PREFIX}-{secrets.token_hex(5)}"
    return f"{' '.join(name.split())[: 63 - len(mark)].strip()} {mark}".strip()


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
    """An answer knows better than a list, which names no request."""
    others = group_state.launches_of(row, row.task_name).filter(state=EntryState.ACCEPTED).exclude(pk=arrived.pk)
    for other in others.filter(evidence_kind__in=NAMES_NO_REQUEST):
        said = group_state.brought_by(arrived)
        group_state.turned_out(other.pk, EntryState.REFUSED, said, was=EntryState.ACCEPTED)


def _as_it_left(row: GroupTask, task: GroupTask, entry: LedgerEntry, numbers: list[str]) -> None:
    """Laaffic has what left, and so the task says. What somebody has made of it since becomes a draft of its own."""
    is_as_launched = row.entry_id == entry.pk and row.state not in NOT_LEFT
    if is_as_launched or entry.digest == digest_of(row, group_numbers.of(row)):
        return
    edited = _edit_apart(row)
    for name in EDITED:
        setattr(row, name, getattr(task, name))
    row.number_count = len(numbers)
    TaskNumbers.objects.filter(task=row).update(lines="\n".join(numbers))
    row.save(update_fields=EDITED)
    said = _("Laaffic has it as it was before it was edited, and so it says now. The edit is kept as draft %(id)d.")
    note(row, said % {"id": edited.pk}, None)


def _edit_apart(row: GroupTask) -> GroupTask:
    """An edit of what takes the place of another task is one of that task, as Laaffic has it."""
    parent = row if row.kind == TaskKind.UPDATE else row.parent
    given = {name: getattr(row, name) for name in EDITED}
    edited = GroupTask.objects.create(**given, kind=row.kind, parent=parent, created_by=row.created_by)
    edited.authors.set(row.authors.all())
    TaskNumbers.objects.create(task=edited, lines="\n".join(group_numbers.of(row)))
    said = _("An edit of task %(id)d, which Laaffic has as it was before")
    note(edited, said % {"id": row.pk}, None)
    return edited


@transaction.atomic
def _listed_after_all(task: GroupTask, entry: LedgerEntry, numbers: list[str], found: WireTask) -> None:
    """A person had said in the meantime that it did not arrive, and Laaffic's list has its name."""
    row = GroupTask.objects.select_for_update().get(pk=task.pk)
    if row.task_name == task.task_name and group_state.arrived_after_all(entry.pk, group_state.listing(found)):
        _as_it_left(row, task, entry, numbers)
        _is_there(row, entry, found.key)


def _is_there(row: GroupTask, entry: LedgerEntry, key: str) -> None:
    """This request has brought it there, also where it was given up and the same is being launched again."""
    was, row.entry = row.state, entry
    group_state.is_there(row, key)
    row.look_at = database_clock.now() + SOON / 5
    row.save(update_fields=["entry", "key", "state", "look_at", *WAITING])
    events.task_moved(row, was)


@transaction.atomic
def arrived_before(task: GroupTask, refused: LedgerEntry, numbers: list[str]) -> None:
    """Its name is taken, and is nobody else's: an earlier request arrived, perhaps one of which a person said that it
    did not, and the task is that request's. Where none can have, this one came to Laaffic twice on its way.
    """
    launched_again = Q(entry=None, task_name=task.task_name, state__in=NOT_LEFT)  # and its request is yet to be made
    rows = GroupTask.objects.select_for_update().filter(Q(entry=refused) | launched_again)
    row = rows.filter(pk=task.pk).first()
    if row is None:
        return
    task.entry = row.entry = _bringer(row, refused)
    was = row.state
    if was in NOT_LEFT:  # a person had spoken before this came
        _as_it_left(row, task, refused, numbers)
        group_state.is_there(row, "")
        row.state, row.looks, row.look_at = TaskState.UNKNOWN, 0, database_clock.now()
    row.save(update_fields=["entry", "state", "looks", "look_at", *WAITING])
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
    """It may have arrived: Laaffic is asked for its name, now and then by the job. It is never sent again by itself."""
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
    """A draft again where somebody waits for the answer; what a worker had started is held, so that people are told."""
    if task.starts_at is None:
        _move(task, TaskState.DRAFT, look_at=None)
    else:
        hold(task, why_nobody_was_called(LedgerEntry.objects.get(pk=entry.pk)))
    _certainly_not(task, entry)


@transaction.atomic
def _certainly_not(task: GroupTask, entry: LedgerEntry) -> None:
    """Given up for lost, or over by a person's word, and now it is certain that this request called nobody. Where no
    other can have brought its name there, it is as if that had been known at once.
    """
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
        hold_waiting(row, why_nobody_was_called(LedgerEntry.objects.get(pk=entry.pk)), was)


def give_back(task: GroupTask, as_seen: QuerySet[GroupTask]) -> None:
    """Of a launch whose process died before its request left: a draft again, or to be restarted by a worker."""
    if task.starts_at is None:
        as_seen.update(state=TaskState.DRAFT, look_at=None)
    elif task.entry is None:
        as_seen.update(state=TaskState.LAUNCHED, look_at=None)
    else:
        held = {"hold_reason": why_nobody_was_called(task.entry), "hold_kind": HoldKind.OTHER}
        as_seen.update(state=TaskState.HELD, look_at=None, **held)


@transaction.atomic
def hold(task: GroupTask, reason: str, kind: HoldKind = HoldKind.OTHER) -> None:
    """While this launch has it in hand: no request of it has left, for certain, and a person decides."""
    if still(task).select_for_update().exists():
        hold_waiting(task, reason, kind=kind)


def hold_waiting(
    task: GroupTask, reason: str, was: str = TaskState.LAUNCHED, *, kind: HoldKind = HoldKind.OTHER
) -> None:
    """Under the task's lock: its request does not leave before a person says so."""
    held = {"state": TaskState.HELD, "hold_reason": reason, "hold_kind": kind, "look_at": None}
    held |= {"undo_until": None, "starts_at": None, "waits_since": None}
    GroupTask.objects.filter(pk=task.pk).update(**held)
    task.state, task.hold_reason, task.hold_kind = TaskState.HELD, reason, kind
    note(task, _("Held: %(reason)s") % {"reason": reason}, None)
    events.task_moved(task, was)


@transaction.atomic
def _move(task: GroupTask, state: TaskState, **fields: Any) -> None:
    if still(task).update(state=state, **fields):
        was, task.state = TaskState.SENDING, state
        events.task_moved(task, was)


def still(task: GroupTask) -> QuerySet[GroupTask]:
    """The task while this very launch has it in hand: one that slept may find it given back, or launched again."""
    return GroupTask.objects.filter(pk=task.pk, state=TaskState.SENDING, launch_token=task.launch_token)


def why_nobody_was_called(entry: LedgerEntry) -> str:
    if entry.state == EntryState.REFUSED:
        why = code_words.refused_before(Family.VOICE, entry.code, entry.reason)
        return _("%(why)s Nobody was called.") % {"why": why}
    return _("It did not leave: %(why)s Nobody was called.") % {"why": entry.reason or entry.evidence}
