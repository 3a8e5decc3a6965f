"""Group-call tasks: drafts, launched once; cancelled, settled after lost answers.

The name at Laaffic is made here and belongs to one row. It is the one idempotency key of the whole API: a launch whose
answer was lost is looked for by it, and another try under the same name cannot ring anybody twice, as Laaffic takes a
name once (−20 then says that the first try arrived).
"""

import datetime as dt
import json
import secrets
import uuid
from collections.abc import Sequence
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services import (
    code_words,
    database_clock,
    isolation,
    ledger,
    moments,
    open_acts,
    single_requests,
    workers,
)
from laaffic_console.gateway.services.account import NotConfigured, laaffic_client
from laaffic_console.kit.acts import Act, record, record_event
from laaffic_console.kit.figures import number
from laaffic_console.kit.said import gettext as _
from laaffic_console.kit.said import joined
from laaffic_console.laaffic import Family, LaafficError, OutcomeUnknown, Refused
from messaging.services.approvals import approval_rules, approvals
from messaging.services.budgets import whole_requests
from messaging.services.launching import undo
from voice.models import GroupTask, GroupTaskEvent, TaskKind, TaskState
from voice.models.group_tasks import OPEN, PARAMETERS
from voice.services import events, group_costs, group_hours, group_numbers, group_requests, group_state, syncing
from voice.services.group_numbers import Audience
from voice.services.group_state import ABOUT, CANCEL, SOON

SYNC = "group tasks"
START_JOB = "voice.jobs.start_launched"
INTERFACES = {
    TaskKind.SEND: "voice/group/call/send",
    TaskKind.UPDATE: "voice/group/call/update",
    TaskKind.RESEND: "voice/group/call/resend",
    TaskKind.RESEND_FAILED: "voice/group/call/resend",
}
AGAIN = (TaskKind.RESEND, TaskKind.RESEND_FAILED)
RELATED = ("application", "audio", "sms_application", "parent", "entry")


class NotAsShown(ValidationError):
    """It would not do what the page showed: whoever pressed its button looks again."""


class NotApproved(ValidationError):
    """A second person's word is missing; the sentence says why it is needed, or what became of it."""


def note(task: GroupTask, text: str, by: User | None, kind: Act = Act.STEERED) -> None:
    GroupTaskEvent.objects.create(task=task, text=text, actor=by)
    record_event(task, text, by, kind)


class OverBudget(ValidationError):
    """It does not fit into what a budget has left; the sentence says which, and until when."""


class CancelUnknown(ValidationError):
    """Nobody knows whether Laaffic has taken the cancelling."""


def save(task: GroupTask, *, audience: Audience | None = None, by: User | None = None) -> GroupTask:
    """Keep a draft or a template; ValidationError with every problem at its field. Nothing is sent.

    `audience` None leaves the numbers as they are.
    """
    group_requests.check(task)
    if audience is None and not task.number_count and not task.is_template:
        raise ValidationError({"numbers": _("Say whom to call: choose groups, paste numbers or choose a file.")})
    with transaction.atomic():
        if task.pk is None:
            task.created_by = by
            task.save()
        elif not _drafts().select_for_update().filter(pk=task.pk).exists():
            raise ValidationError(_("This task was launched meanwhile: it is not changed."))
        if audience is not None:
            group_numbers.keep(task, audience)
        counters = ("number_count", "numbers_from", "left_twice", "left_suppressed", "left_invalid")
        task.save(update_fields=["name", "send_at", "latest_end", *PARAMETERS, *counters])
        if by is not None:
            task.authors.add(by)
        approvals.void_if_changed(task, by=by)
    return task


def shown_digest(task: GroupTask, numbers: Sequence[str]) -> str:
    """Of what a page before the launch shows: who is called, with what, and when."""
    names = {"kind", "parent", "application", "send_at", "latest_end", *PARAMETERS}
    fields = [field for field in GroupTask._meta.concrete_fields if field.name in names]
    content = {field.name: getattr(task, field.attname) for field in fields}
    return ledger.digest_of(json.dumps(content, default=str, sort_keys=True), *numbers)


def launch(
    task_id: int, *, by: User | None = None, seen: str | None = None, again: str = "", undo_seconds: float = 0
) -> GroupTask:
    """Hand the draft to Laaffic, once. What came of it is the task's state; ValidationError when it may not leave.

    `seen`: the digest of what a page showed. Compared once the draft is claimed, when nobody can edit it any more.
    `again`: why it is launched although the same may have been (StillOpen without it).
    With `undo_seconds` its request is made so much later, by a worker, and it can be taken back until then.
    """
    drafts = _drafts().filter(pk=task_id, is_template=False)
    task = _claimed(drafts, launched_by=by, undo_until=None, starts_at=None, again_reason=again.strip()[:200])
    if task is None:
        raise ValidationError(_("This task was launched already: it is not launched twice."))
    try:
        numbers = _ready(task)
        if seen is not None and seen != shown_digest(task, numbers):
            not_as_shown()
        leaves = _hour_of(task, numbers)
        if undo_seconds > 0 or leaves is not None:
            _start_later(task, numbers, undo_seconds, leaves, by)
            return _fresh(task_id)
        entry = _prepare(task, numbers, again, by)
    except ValidationError:
        _still(task).filter(entry=None).update(state=TaskState.DRAFT, look_at=None)
        raise
    _leave(task, entry, numbers)
    return _fresh(task_id)


def not_as_shown() -> NoReturn:
    raise NotAsShown(_("It was changed since the page was shown. Look at whom it calls now, and launch it again."))


def _claimed(rows: QuerySet[GroupTask], **fields: Any) -> GroupTask | None:
    """The one of these rows, in hand of this launch alone; None where another has it, or it is none of them."""
    token = str(uuid.uuid4())
    now = database_clock.now()
    if not rows.update(state=TaskState.SENDING, entry=None, look_at=now, launch_token=token, hold_reason="", **fields):
        return None
    task = GroupTask.objects.select_related(*RELATED).filter(launch_token=token).get()
    task.launch_token = token  # whoever reads it this late may read another launch's
    return task


def _ready(task: GroupTask) -> list[str]:
    """Whom it calls; ValidationError where it may not leave."""
    group_requests.check(task)
    numbers = _numbers(task)
    if missing := approval_rules.missing(task, numbers):
        raise NotApproved(missing)
    return numbers


def _hour_of(task: GroupTask, numbers: list[str]) -> dt.datetime | None:
    """When its request may leave, where that is not now; ValidationError where it never may."""
    now = database_clock.now()
    leaves = group_hours.leaves_at(task, numbers, now)
    if leaves is None:
        raise ValidationError(group_hours.never(task, numbers))
    if ended := group_hours.ended(task, leaves):
        raise ValidationError(ended)
    return leaves if leaves > now else None


@transaction.atomic
def _start_later(
    task: GroupTask, numbers: list[str], seconds: float, leaves: dt.datetime | None, by: User | None
) -> None:
    """What is open like it is asked for now, while somebody is there to be told, and once more when it starts.

    `leaves`: when its hours begin; until then it can be taken back anyway.
    """
    open_acts.require(_digest(task, numbers), task.application, again=task.again_reason)
    until = undo.until(seconds)
    if leaves is None or leaves <= until:
        _wait(task, until, is_undo=True)
        said = _("Launched; it can be taken back for %(n)d s") % {"n": seconds}
    else:
        _wait(task, leaves, is_undo=False)
        said = _("Launched; it waits for its hours")
    note(task, said, by)
    events.task_moved(task, TaskState.DRAFT, by=by.get_username() if by else "")


def _wait(task: GroupTask, until: dt.datetime, *, is_undo: bool) -> None:
    launched = _still(task).filter(entry=None)
    if not launched.update(
        state=TaskState.LAUNCHED,
        starts_at=until,
        undo_until=until if is_undo else None,
        waits_since=None if is_undo else database_clock.now(),
        look_at=None,
    ):
        raise ValidationError(_("This launch stood still for too long and was given up meanwhile. Look at it again."))
    task.state = TaskState.LAUNCHED


def _fresh(task_id: int) -> GroupTask:
    return GroupTask.objects.select_related(*RELATED).get(pk=task_id)


def launches_due(by: dt.datetime) -> list[tuple[int, dt.datetime]]:
    waiting = GroupTask.objects.filter(state=TaskState.LAUNCHED, starts_at__lte=by).order_by()
    return [(pk, moment) for pk, moment in waiting.values_list("pk", "starts_at") if moment is not None]


def start_launched(task_id: int) -> None:
    """Start a launch as soon as it cannot be taken back any more; the sweeper does what this forgets."""
    until = GroupTask.objects.filter(pk=task_id).values_list("starts_at", flat=True).first()
    if until is not None and moments.wait_for(until):
        start(task_id)


def start(task_id: int) -> None:
    """Make the request of a launch whose moment has come. What speaks against it by now holds it, with a sentence."""
    its_moment = GroupTask.objects.filter(pk=task_id, state=TaskState.LAUNCHED, starts_at__lte=database_clock.now())
    task = _claimed(its_moment)
    if task is None:
        return
    try:
        numbers = _ready(task)
        if (leaves := _hour_of(task, numbers)) is not None:
            _wait(task, leaves, is_undo=False)
            return
        entry = _prepare(task, numbers, task.again_reason, task.launched_by)
    except ValidationError as problem:
        _hold(task, joined(problem.messages))
        return
    _leave(task, entry, numbers)


def start_due() -> None:
    _look_again_at_changed_hours()
    waiting = GroupTask.objects.filter(state=TaskState.LAUNCHED, starts_at__lte=database_clock.now())
    isolation.each(waiting.order_by("pk").values_list("pk", flat=True), start, "start of group-call task {}".format)


def _look_again_at_changed_hours() -> None:
    """What waits by a calendar that was changed meanwhile is looked at anew."""
    waiting = GroupTask.objects.filter(state=TaskState.LAUNCHED, waits_since__isnull=False)
    changed = Q(calendar__changed_at__gte=F("waits_since"))
    changed |= Q(application__sending_hours__changed_at__gte=F("waits_since"))
    changed |= Q(application__sending_hours__calendar__changed_at__gte=F("waits_since"))
    anew = list(waiting.filter(changed).values_list("pk", flat=True))
    GroupTask.objects.filter(pk__in=anew, state=TaskState.LAUNCHED).update(starts_at=database_clock.in_statement())


def end_due() -> None:
    """Cancel at Laaffic, once, what it still calls at its latest end; who was not called yet is not."""
    late = GroupTask.objects.filter(state__in=OPEN, latest_end__lte=database_clock.now(), end_asked_at=None)
    isolation.each(
        late.exclude(key="").order_by("pk").values_list("pk", flat=True), _end, "end of group-call task {}".format
    )


def _end(task_id: int) -> None:
    asked = GroupTask.objects.filter(pk=task_id, end_asked_at=None, state__in=OPEN)
    if not asked.update(end_asked_at=database_clock.in_statement()):
        return
    said = _("Its latest end has come: Laaffic was asked to cancel it")
    try:
        cancel(task_id)
    except ValidationError as problem:
        said = joined([_("Its latest end has come, and it is not cancelled for certain."), *problem.messages])
    note(GroupTask.objects.get(pk=task_id), said, None)


def start_outside_hours(task_id: int, *, reason: str, by: User | None) -> GroupTask:
    """Once, for this task: no calendar keeps it back. Who may say so the door asks."""
    if not reason.strip():
        raise ValidationError(_("Say why it is sent outside its hours."))
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state not in (TaskState.LAUNCHED, TaskState.HELD):
            raise ValidationError(_("It does not wait for its hours any more. Look at it again."))
        task.outside_hours, columns = True, ["outside_hours"]
        if task.waits_since is not None:
            task.starts_at, task.waits_since = database_clock.now(), None
            columns += ["starts_at", "waits_since"]
        task.save(update_fields=columns)
        note(task, _("Sent outside its hours: %(reason)s") % {"reason": reason.strip()}, by, Act.APPROVAL)
    start(task_id)
    return _fresh(task_id)


def resume(task_id: int, *, by: User | None = None) -> GroupTask:
    """Try a held launch again, now; what speaks against it holds it anew."""
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state != TaskState.HELD:
            raise ValidationError(_("This task is not held any more. Look at it again."))
        task.state, task.undo_until, task.starts_at = TaskState.LAUNCHED, None, database_clock.now()
        task.launched_by = by or task.launched_by
        if group_hours.ended(task):
            task.latest_end = None
            note(task, _("Its latest end no longer counts"), by)
        task.save(update_fields=["state", "undo_until", "starts_at", "launched_by", "latest_end"])
        note(task, _("Resumed"), by)
        events.task_moved(task, TaskState.HELD, by=by.get_username() if by else "")
    start(task_id)
    return _fresh(task_id)


def take_back(task_id: int, *, by: User | None = None) -> GroupTask:
    """Make a draft again of a launch whose request was not made: nothing has left."""
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state == TaskState.DRAFT:
            return task
        was = task.state
        if was not in (TaskState.LAUNCHED, TaskState.HELD):
            raise ValidationError(_("It cannot be taken back any more: its request was made. Look at it again."))
        task.state, task.hold_reason, task.outside_hours = TaskState.DRAFT, "", False
        task.undo_until = task.starts_at = task.waits_since = None
        columns = ["state", "undo_until", "starts_at", "waits_since", "hold_reason", "outside_hours"]
        task.save(update_fields=columns)
        note(task, _("Taken back before anything left"), by)
        events.task_moved(task, was, by=by.get_username() if by else "")
    return task


@transaction.atomic
def _hold(task: GroupTask, reason: str) -> None:
    """While this launch has it in hand: no request of it has left, for certain, and a person decides."""
    if _still(task).select_for_update().exists():
        hold_waiting(task, reason)


def hold_waiting(task: GroupTask, reason: str) -> None:
    """Under the task's lock: its request does not leave before a person says so."""
    held = {"state": TaskState.HELD, "look_at": None, "undo_until": None, "starts_at": None, "hold_reason": reason}
    held |= {"waits_since": None}
    GroupTask.objects.filter(pk=task.pk).update(**held)
    task.state, task.hold_reason = TaskState.HELD, reason
    note(task, _("Held: %(reason)s") % {"reason": reason}, None)
    events.task_moved(task, TaskState.LAUNCHED)


def _still(task: GroupTask) -> QuerySet[GroupTask]:
    """The task while this very launch has it in hand: one that slept may find it given back, or launched anew."""
    return GroupTask.objects.filter(pk=task.pk, state=TaskState.SENDING, launch_token=task.launch_token)


def _drafts() -> QuerySet[GroupTask]:
    return GroupTask.objects.filter(state=TaskState.DRAFT)


def _numbers(task: GroupTask) -> list[str]:
    """Who is called now: the suppression list is looked at again."""
    task.suppression_seen = group_numbers.newest_entry()
    numbers, stopped = group_numbers.callable_now(task)
    if not numbers:
        raise ValidationError({"numbers": _("Nobody is left to call: all numbers are on the suppression list.")})
    if task.kind in AGAIN and stopped:
        raise ValidationError({"numbers": opted_out_since(stopped)})
    if task.kind == TaskKind.UPDATE and (task.parent is None or task.parent.state != TaskState.WAITING):
        raise ValidationError(_("The task has begun or ended meanwhile: it cannot be changed any more."))
    return numbers


def opted_out_since(count: int) -> str:
    return _(
        "%(n)s of its numbers were suppressed since. Laaffic's own repetition would call them too. Make a new task "
        "from it instead: they are left out of that."
    ) % {"n": number(count)}


@transaction.atomic
def _prepare(task: GroupTask, numbers: list[str], again: str, by: User | None) -> LedgerEntry:
    """The committed row that says what is about to leave (laws#record-send-settle)."""
    if not _still(task).select_for_update().filter(entry=None).exists():
        raise ValidationError(_("This launch stood still for too long and was given up meanwhile. Look at it again."))
    digest = _digest(task, numbers)
    why = open_acts.require(digest, task.application, again=again)
    cost = group_costs.expected(group_costs.learned(task), len(numbers))
    taken = whole_requests.Taken(task.application, len(numbers), cost)
    if used_up := taken.stop():
        raise OverBudget(used_up)
    task.task_name = _name_for(task)
    if len(numbers) != task.number_count:
        task.left_suppressed += task.number_count - len(numbers)
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
    task.save()
    taken.count(entry)
    was = TaskState.DRAFT if task.starts_at is None else TaskState.LAUNCHED
    events.task_moved(task, was, step="launched", by=by.get_username() if by else "")
    return entry


def _name_for(task: GroupTask) -> str:
    """The name of the launch before, whose answer may have been lost, where this is the same again.

    An edited draft gets another: under the old one −20 would say that it arrived, while the old numbers are called.
    """
    before = group_state.requests_of(task).exclude(interface=CANCEL).order_by("-pk").first()
    is_same = before is not None and before.digest == _digest(task, group_numbers.of(task))
    return task.task_name if task.task_name and is_same else unique_name(task.name)


def _digest(task: GroupTask, numbers: list[str]) -> str:
    """Of everything that Laaffic is told, without the name."""
    fields = group_requests.request(task, ["10000000"], "name").fields()
    return ledger.digest_of(task.kind, json.dumps(fields, sort_keys=True, default=str), *numbers)


def unique_name(name: str) -> str:
    """2 to 64 characters that no task had before (laaffic-api#group-calls)."""
    mark = f"{settings.LAAFFIC_ORDER_PREFIX}-{secrets.token_hex(5)}"
    return f"{' '.join(name.split())[: 63 - len(mark)].strip()} {mark}".strip()


def _leave(task: GroupTask, entry: LedgerEntry, numbers: list[str]) -> None:
    try:
        key = single_requests.send(entry, lambda: _ask(task, numbers))
    except Refused as refusal:
        if refusal.says_duplicate:
            _look_for(task)
        else:
            _did_not_leave(task, entry)
    except OutcomeUnknown:
        _look_for(task)
    except LaafficError:
        _did_not_leave(task, entry)
    else:
        _accepted(task, entry, key)


def _ask(task: GroupTask, numbers: list[str]) -> str:
    api = laaffic_client().group_calls
    asked = group_requests.request(task, numbers, task.task_name)
    if task.kind == TaskKind.SEND or task.parent is None:
        return api.send(asked)
    if task.kind == TaskKind.UPDATE:
        api.update(task.parent.key, asked)
        return task.parent.key
    return api.resend(task.parent.key, asked, failed_only=task.kind == TaskKind.RESEND_FAILED)


def _accepted(task: GroupTask, entry: LedgerEntry, key: str) -> None:
    with transaction.atomic():
        row = GroupTask.objects.select_for_update().get(pk=task.pk)  # before the ledger's row, as everywhere
        was = row.state
        ledger.settle_accepted(entry.pk, evidence=f"the answer: task {key}" if key else "the answer, without a key")
        group_state.is_there(row, key)
        row.look_at = database_clock.now() + SOON / 5
        row.save(update_fields=["key", "state", "look_at"])
        events.task_moved(row, was)
    syncing.COPIES.request(SYNC)


def _look_for(task: GroupTask) -> None:
    """It may have arrived: Laaffic is asked for its name, now and then by the job. It is never sent again by itself."""
    now = database_clock.now()
    _move(task, TaskState.UNKNOWN, looks=0, look_at=now + SOON)
    try:
        found = group_state.find(task)
    except (LaafficError, NotConfigured):
        return
    if found is not None:
        group_state.take(task.pk, found)


def give_back(task: GroupTask, as_seen: QuerySet[GroupTask]) -> None:
    """Of a launch whose process died before its request left: a draft again, or to be started anew by a worker."""
    if task.starts_at is None:
        as_seen.update(state=TaskState.DRAFT, look_at=None)
    elif task.entry is None:
        as_seen.update(state=TaskState.LAUNCHED, look_at=None)
    else:
        as_seen.update(state=TaskState.HELD, look_at=None, hold_reason=_why_nobody_was_called(task.entry))


def _did_not_leave(task: GroupTask, entry: LedgerEntry) -> None:
    """A draft again for whoever waits for the answer; what a worker had started is held, so that somebody is told."""
    if task.starts_at is None:
        _move(task, TaskState.DRAFT, look_at=None)
    else:
        _hold(task, _why_nobody_was_called(LedgerEntry.objects.get(pk=entry.pk)))


@transaction.atomic
def _move(task: GroupTask, state: TaskState, **fields: Any) -> None:
    if _still(task).update(state=state, **fields):
        was, task.state = TaskState.SENDING, state
        events.task_moved(task, was)


def not_there(task_id: int, *, why: str, by: User) -> None:
    """A person's word about a launch whose answer was lost; it is a draft again, which keeps its name until it is
    edited.
    """
    task = GroupTask.objects.select_related("entry").get(pk=task_id)
    if task.state != TaskState.UNKNOWN:
        raise ValidationError(_("What became of this launch is known by now. Look at it again."))
    if not task.looks:
        raise ValidationError(_("Laaffic's list was not read since the answer was lost. Synchronise it first."))
    said = f"{by.get_username()} says that it did not arrive: {why}; looked for {task.looks} times"
    with transaction.atomic():
        unknown = GroupTask.objects.filter(pk=task_id, state=TaskState.UNKNOWN)
        if unknown.update(state=TaskState.DRAFT, look_at=None):
            task.state = TaskState.DRAFT
            events.task_moved(task, TaskState.UNKNOWN, by=by.get_username())
        if task.entry is not None:
            ledger.settle_by_evidence(task.entry.pk, EntryState.NOT_SENT, evidence=said)
        record(Act.SETTLED, task, event=said)


def say_over(task_id: int, *, why: str, by: User) -> None:
    """A person's word about a task that Laaffic's list does not have, any more or at all: it was called and is over.

    Should the list have it again, when somebody asks for it, that counts.
    """
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state not in (*OPEN, TaskState.UNKNOWN):
            raise ValidationError(_("This task is over already. Look at it again."))
        if not task.looks:
            raise ValidationError(_("Laaffic's list has it, or was not read yet. Synchronise it first."))
        said = f"{by.get_username()} says that it is over: {why}"
        for entry in group_state.requests_of(task).filter(state__in=group_state.UNSETTLED):
            if entry.interface == CANCEL:
                ledger.lapse(entry.pk, evidence=said)
            else:
                ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=said)
        was, task.state = task.state, TaskState.FINISHED
        task.ended_because, task.look_at = said, None
        task.finished_at = timezone.now()
        task.save(update_fields=["state", "ended_because", "look_at", "finished_at"])
        record(Act.SETTLED, task, event=said)
        events.task_moved(task, was, by=by.get_username())


def cancel(task_id: int, *, by: User | None = None) -> GroupTask:
    """Have Laaffic stop it; calls that ring already go on. ValidationError says why not."""
    task = GroupTask.objects.select_related(*RELATED).get(pk=task_id)
    if task.state not in OPEN or not task.key:
        raise ValidationError(_("Only a task that Laaffic has and that is not over can be cancelled."))
    with transaction.atomic():
        entry = ledger.prepare(
            interface=CANCEL,
            application=task.application,
            about_kind=ABOUT,
            about_id=task.pk,
            summary={"task": task.task_name, "key": task.key},
            digest=ledger.digest_of("cancel", task.key),
            attempt=group_state.requests_of(task).filter(interface=CANCEL).count() + 1,
            worker=workers.worker_name(),
            requested_by=by,
        )
    try:
        single_requests.send(entry, lambda: laaffic_client().group_calls.cancel([task.key]))
    except OutcomeUnknown:
        syncing.COPIES.request(SYNC)
        raise CancelUnknown(_("The answer was lost. The task's state tells soon whether it was cancelled.")) from None
    except LaafficError as problem:
        raise ValidationError(_("It was not cancelled: %(why)s") % {"why": code_words.said(problem)}) from problem
    ledger.settle_accepted(entry.pk)
    return _looked_at_once(task)


def _looked_at_once(task: GroupTask) -> GroupTask:
    """The page that follows shows what Laaffic says now; when it cannot be asked, the job asks."""
    try:
        return group_state.look(task)
    except (LaafficError, NotConfigured):
        syncing.COPIES.request(SYNC)
        return task


def advice(task: GroupTask) -> str:
    """What came of the launch, in plain words with what to do; "" when Laaffic has it or nothing was launched."""
    entry = task.entry
    if task.state == TaskState.UNKNOWN:
        return _(
            "The answer was lost, so phones may ring. It is not sent again by itself: Laaffic is asked for its name, "
            "which no other task has."
        )
    if task.state == TaskState.SENDING:
        return _("The request is under way.")
    if task.state != TaskState.DRAFT or entry is None:
        return ""
    return _why_nobody_was_called(entry)


def _why_nobody_was_called(entry: LedgerEntry) -> str:
    if entry.state == EntryState.REFUSED:
        why = code_words.refused_before(Family.VOICE, entry.code, entry.reason)
        return _("%(why)s Nobody was called.") % {"why": why}
    return _("It did not leave: %(why)s Nobody was called.") % {"why": entry.reason or entry.evidence}
