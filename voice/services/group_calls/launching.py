"""One launch of a group-call task: claimed, recorded, and held or given back if it did not leave.

The name at Laaffic is made here and belongs to one row. It is the only idempotency key of the whole API: a launch whose
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

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import ledger, open_acts
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.audit.acts import Act, record_event
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import Family
from messaging.models import HoldKind
from messaging.services.approvals import approval_rules, approvals
from messaging.services.refusals import NotApproved
from voice.models import GroupTask, GroupTaskEvent, TaskKind, TaskState
from voice.models.group_tasks import PARAMETERS
from voice.services import called_numbers, events
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import requesting as group_requests
from voice.services.group_calls import states as group_state
from voice.services.group_calls.care import Called
from voice.services.group_calls.states import ABOUT, CANCEL

INTERFACES = {
    TaskKind.SEND: "voice/group/call/send",
    TaskKind.UPDATE: "voice/group/call/update",
    TaskKind.RESEND: "voice/group/call/resend",
    TaskKind.RESEND_FAILED: "voice/group/call/resend",
}
RELATED = ("application", "audio", "sms_application", "parent", "entry")
# The fields that the editor of a draft sets.
EDITED = ("name", "send_at", "latest_end", *PARAMETERS, *group_callees.GIVEN, *group_callees.LEFT_OUT)


class OverBudget(NotNow):
    """It does not fit into what is left of a budget; the sentence names the budget and until when."""


def note(task: GroupTask, text: str, by: User | None, kind: Act = Act.STEPPED) -> None:
    GroupTaskEvent.objects.create(task=task, text=text, actor=by)
    record_event(task, text, by, kind)


def claimed(rows: QuerySet[GroupTask], **fields: Any) -> GroupTask | None:
    """The task among `rows`, claimed for this launch alone; None if another launch has it or `rows` is empty."""
    token = str(uuid.uuid4())
    now = database_clock.now()
    taken = {"state": TaskState.SENDING, "entry": None, "look_at": now, "launch_token": token}
    if not rows.update(**taken, hold_reason="", hold_kind="", **fields):
        return None
    task = GroupTask.objects.select_related(*RELATED).filter(launch_token=token).get()
    task.launch_token = token  # a worker that reads it this late could read another launch's token
    return task


def ready(task: GroupTask) -> Called:
    """The numbers it calls; ValidationError if it may not leave."""
    group_requests.check(task)
    called = _called(task)
    if missing := approval_rules.missing(task, called.numbers):
        raise NotApproved(missing)
    return called


def _called(task: GroupTask) -> Called:
    """The numbers that are called now: suppression, consents and caps are checked again."""
    task.suppression_seen = group_callees.newest_entry()
    called = group_care.called_now(task)
    group_care.require_somebody(task, called)
    if task.kind == TaskKind.UPDATE:
        _require_waiting(task.parent)
    return called


def _require_waiting(parent: GroupTask | None) -> None:
    if parent is None or parent.state != TaskState.WAITING:
        raise NotNow(_("The task has begun or ended in the meantime: it can no longer be changed."))


def _lock_what_it_changes(task: GroupTask) -> None:
    """NotNow unless that task waits, and no other change of it is on its way: of two, nobody knows which comes last."""
    task.parent = GroupTask.objects.select_for_update().filter(pk=task.parent_id or 0).first()
    _require_waiting(task.parent)
    others = GroupTask.objects.filter(parent=task.parent_id, kind=TaskKind.UPDATE).exclude(pk=task.pk)
    if other := others.filter(entry__state__in=(EntryState.PREPARED, EntryState.IN_FLIGHT)).first():
        said = _("Another change of it, “%(task)s”, is on its way to Laaffic. Wait for the answer, then look again.")
        raise NotNow(said % {"task": other.name})


def fresh(task_id: int) -> GroupTask:
    return GroupTask.objects.select_related(*RELATED).get(pk=task_id)


@transaction.atomic
def prepare(task: GroupTask, called: Called, again: str, by: User | None) -> tuple[LedgerEntry, list[str]]:
    """The committed ledger row of the request that is about to leave (laws#record-send-settle), and its numbers."""
    if not still(task).select_for_update().filter(entry=None).exists():
        raise NotNow(_("This launch timed out. Look at it again."))
    if task.kind == TaskKind.UPDATE:
        _lock_what_it_changes(task)  # behind its own row, as an answer does
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
    task.launched_at = entry.prepared_at
    called_numbers.keep(task, numbers)
    task.save()
    taken.count(entry)
    was = TaskState.DRAFT if task.starts_at is None else TaskState.LAUNCHED
    events.task_moved(task, was, step="launched", by=username(by))
    return entry, numbers


def require_no_other(task: GroupTask, numbers: list[str], again: str) -> dict[str, Any]:
    """What its ledger summary says about an open or waiting launch of the same; StillOpen if a reason is needed.

    Waiting launches are looked for only while a person is there: of two that workers start, neither stops the other.
    """
    digest = digest_of(task, numbers)
    why = open_acts.require(digest, task.application, again=again)
    if why or task.starts_at is not None or (waiting := _about_to_leave(task, digest, len(numbers))) is None:
        return why
    if is_blank(again):
        said = _("group call %(id)d") % {"id": waiting.pk}
        raise open_acts.StillOpen(said, waiting.waits_since or timezone.now())  # otherwise it waits for seconds only
    return {"all the same": again.strip()[: open_acts.LONGEST_REASON], "group call": waiting.pk}


def _about_to_leave(task: GroupTask, digest: str, n_numbers: int) -> GroupTask | None:
    """A launched task like this one whose request is not prepared yet; under the application's lock."""
    waits = Q(state=TaskState.LAUNCHED) | Q(state=TaskState.SENDING, entry=None, starts_at__isnull=False)
    alike = {name: getattr(task, name) for name in ("application", "kind", "source", "text", "audio", "send_at")}
    others = GroupTask.objects.filter(waits, **alike, number_count__gte=n_numbers).exclude(pk=task.pk)
    for other in others.select_related(*RELATED).order_by("-pk"):
        if digest_of(other, group_care.called_now(other).numbers) == digest:
            return other
    return None


def _name_for(task: GroupTask) -> str:
    """The name of the last launch, whose answer may have been lost, if this is the same again; else a new one.

    An edited draft gets a new name: under the old one −20 would say that it arrived, though the old numbers are called.
    """
    before = group_state.requests_of(task).exclude(interface=CANCEL).order_by("-pk").first()
    is_same = before is not None and before.digest == digest_of(task, group_callees.of(task))
    return task.task_name if task.task_name and is_same else unique_name(task.name)


def digest_of(task: GroupTask, numbers: list[str]) -> str:
    """The digest of everything that Laaffic is sent, except the name."""
    fields = group_requests.request(task, ["10000000"], "name").fields()
    return ledger.digest_of(task.kind, json.dumps(fields, sort_keys=True, default=str), *numbers)


def unique_name(name: str) -> str:
    """2 to 64 characters that no task had before (laaffic-api#group-calls)."""
    mark = f"{settings.LAAFFIC_ORDER_PREFIX}-{secrets.token_hex(5)}"
    return f"{' '.join(name.split())[: 63 - len(mark)].strip()} {mark}".strip()


def give_back(task: GroupTask, as_seen: QuerySet[GroupTask]) -> None:
    """Give back a launch whose process died before its request left, as a draft or for a worker or person to start."""
    if task.starts_at is None:
        as_seen.update(state=TaskState.DRAFT, look_at=None)
    elif task.entry is None:
        as_seen.update(state=TaskState.LAUNCHED, look_at=None)
    else:
        held = {"hold_reason": why_nobody_was_called(task.entry), "hold_kind": HoldKind.OTHER}
        as_seen.update(state=TaskState.HELD, look_at=None, **held)


@transaction.atomic
def hold(task: GroupTask, reason: str, kind: HoldKind = HoldKind.OTHER) -> None:
    """Hold it, if this launch still has it: certainly no request has left, and a person decides."""
    if still(task).select_for_update().exists():
        hold_waiting(task, reason, kind=kind)


def hold_waiting(
    task: GroupTask, reason: str, was: str = TaskState.LAUNCHED, *, kind: HoldKind = HoldKind.OTHER
) -> None:
    """Hold it, under its lock: its request leaves only after a person says so."""
    held = {"state": TaskState.HELD, "hold_reason": reason, "hold_kind": kind, "look_at": None}
    held |= {"undo_until": None, "starts_at": None, "waits_since": None}
    GroupTask.objects.filter(pk=task.pk).update(**held)
    task.state, task.hold_reason, task.hold_kind = TaskState.HELD, reason, kind
    note(task, _("Held: %(reason)s") % {"reason": reason}, None)
    events.task_moved(task, was)


def still(task: GroupTask) -> QuerySet[GroupTask]:
    """The task, if this very launch still has it: after a pause it may have been given back, or launched again."""
    return GroupTask.objects.filter(pk=task.pk, state=TaskState.SENDING, launch_token=task.launch_token)


def why_nobody_was_called(entry: LedgerEntry) -> str:
    if entry.state == EntryState.REFUSED:
        why = code_words.refused_before(Family.VOICE, entry.code, entry.reason)
        return _("%(why)s Nobody was called.") % {"why": why}
    return _("It did not leave: %(why)s Nobody was called.") % {"why": entry.reason or entry.evidence}
