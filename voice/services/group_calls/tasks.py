"""Group-call tasks: drafts, launched once; cancelled, and settled by a person's word."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.ledger import known_by, late_evidence, ledger, single_requests
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import sendable
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import lasting
from laaffic_console.laaffic import LaafficError, OutcomeUnknown, Refused
from messaging.services import steps
from messaging.services.approvals import approvals
from messaging.services.launching import restored_drafts
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import OPEN, PARAMETERS
from voice.services import events, syncing
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care
from voice.services.group_calls import launching as group_launching
from voice.services.group_calls import requesting as group_requests
from voice.services.group_calls import states as group_state
from voice.services.group_calls import waiting as group_waiting
from voice.services.group_calls.callees import Audience
from voice.services.group_calls.states import ABOUT, CANCEL
from voice.services.group_calls.unread_list import why_unread

# The fields of an edit that are shown in the activity log.
TOLD = {"name", "send_at", "latest_end", *PARAMETERS, "number_count", "numbers_from"}
NUMBERS: Any = GroupTask._meta.get_field("number_count")


class NotAsShown(NotNow):
    """It would not do what the page showed: the person has to look again."""


class CancelUnknown(NotNow):
    """Nobody knows whether Laaffic has cancelled it."""


def save(task: GroupTask, *, audience: Audience | None = None, by: User | None = None) -> GroupTask:
    """Keep a draft or a template; ValidationError with every problem at its field. Nothing is sent.

    `audience` None leaves the numbers as they are.
    """
    task.text, task.sms_text = sendable(task.text), sendable(task.sms_text)
    group_requests.check(task)
    if audience is not None:
        _require_numbers_of_its_own(task)
    elif not task.number_count and not task.is_template:
        raise ValidationError({"numbers": _("Choose who is called: select groups, paste numbers or choose a file.")})
    with transaction.atomic():
        stored, before, has_others = None, None, False
        if task.pk is None:
            task.created_by = by
            task.save()
        elif not _drafts().select_for_update().filter(pk=task.pk).exists():
            raise NotNow(_("This task has been launched in the meantime: it was not changed."))
        else:
            stored = _as_stored(task.pk)
            before = row_changes.kept(stored, only=TOLD)
            has_others = audience is not None and not group_callees.is_kept(task, audience)
        if audience is not None:
            group_callees.keep(task, audience)
        elif stored is not None:  # somebody may have given it other numbers since this one was read
            for name in (*group_callees.GIVEN, *group_callees.LEFT_OUT):
                setattr(task, name, getattr(stored, name))
        task.save(update_fields=group_launching.EDITED)
        is_edited = stored is None or has_others or steps.is_edited(stored, task, group_launching.EDITED)
        if by is not None and is_edited:
            task.authors.add(by)
        approvals.void_if_changed(task, by=by)
        _tell(task, before, has_others=has_others)
    return task


def _tell(task: GroupTask, before: row_changes.Before | None, *, has_others: bool) -> None:
    """Record the edit in the activity log. Numbers are only counted: also if there are other ones, but as many."""
    if before is None:
        record(Act.ADDED, task)
        return
    changes = row_changes.changes(task, before)
    if has_others and task.number_count == before["number_count"]:
        changes.append([str(lasting(NUMBERS.verbose_name)), str(task.number_count), str(task.number_count)])
    if changes:
        record(Act.CHANGED, task, changes=changes)


def _require_numbers_of_its_own(task: GroupTask) -> None:
    if task.is_template:
        raise ValidationError({"numbers": _("A template calls nobody: give the numbers to a task made from it.")})
    if task.kind in group_care.AGAIN:
        raise ValidationError({"numbers": _("A repetition calls the same people: its numbers stay as they are.")})


def edit(
    task_id: int,
    changes: Mapping[str, Any],
    *,
    audience_for: Callable[[GroupTask], Audience | None],
    seen: str | None = None,
    by: User | None = None,
) -> GroupTask:
    """Set these fields of a draft or template and leave the others; a value that is set already changes nothing.

    `audience_for` gives the numbers once the fields are set; None: the same. `seen`: `content_digest` of what the
    editor looked at.
    """
    with transaction.atomic():
        task = _locked(task_id)
        state, stood = task.state, content_digest(task)
        new = {name: value for name, value in changes.items() if getattr(task, name) != value}
        for name, value in new.items():
            setattr(task, name, value)
        audience = audience_for(task)
        if audience is not None and group_callees.is_kept(task, audience):
            audience = None
        if not new and audience is None:
            return task
        if state != TaskState.DRAFT:
            raise NotNow(_("This task has been launched in the meantime: it was not changed."))
        if seen is not None and seen != stood:
            raise NotNow(_("Somebody else has changed it since you looked. Look again, then change it."))
        if task.is_template:
            _require_no_time(new)
        return save(task, audience=audience, by=by)


def _require_no_time(new: Mapping[str, Any]) -> None:
    said = _("A template has no time: give it to a task made from it.")
    if problems := {name: said for name in ("send_at", "latest_end") if new.get(name) is not None}:
        raise ValidationError(problems)


def _locked(task_id: int) -> GroupTask:
    """The task, read after it is locked: joined rows are as old as the statement (docs/mechanisms/locks.md)."""
    GroupTask.objects.select_for_update().get(pk=task_id)
    return _as_stored(task_id)


def _as_stored(task_id: int) -> GroupTask:
    return GroupTask.objects.select_related(*group_launching.RELATED).defer("audio__content").get(pk=task_id)


def discard(task_id: int) -> None:
    """Delete a task that never left: a template, or a draft that nobody tried to launch."""
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if not is_untouched(task):
            raise NotNow(_("Only a draft that nobody tried to launch, or a template, can be deleted."))
        record(Act.DELETED, task)
        task.delete()


def is_untouched(task: GroupTask) -> bool:
    return task.state == TaskState.DRAFT and not group_state.requests_of(task).exists()


def content_digest(task: GroupTask) -> str:
    """The digest of what an editor can change."""
    names = {"name", "send_at", "latest_end", "number_count", "numbers_digest", *PARAMETERS}
    return ledger.digest_of(json.dumps(_content(task, names), default=str, sort_keys=True))


def _content(task: GroupTask, names: Collection[str]) -> dict[str, Any]:
    fields = [field for field in GroupTask._meta.concrete_fields if field.name in names]
    return {field.name: getattr(task, field.attname) for field in fields}


def shown_digest(task: GroupTask, numbers: Sequence[str]) -> str:
    """The digest of what a page before the launch shows: who is called, with what, and when."""
    names = {"kind", "parent", "application", "send_at", "latest_end", *PARAMETERS}
    return ledger.digest_of(json.dumps(_content(task, names), default=str, sort_keys=True), *numbers)


def launch(
    task_id: int, *, by: User | None = None, seen: str | None = None, again: str = "", undo_seconds: float = 0
) -> GroupTask:
    """Hand the draft to Laaffic, once. The task's state says what happened; ValidationError if it may not leave.

    `seen`: the digest of what a page showed. Compared after the draft is claimed, when nobody can edit it any more.
    `again`: why it is launched although the same may have been (StillOpen without it).
    `undo_seconds`: a worker makes its request so much later, and it can be taken back until then.
    """
    drafts = _drafts().filter(pk=task_id, is_template=False)
    draft = drafts.first()
    why = restored_drafts.reason_for(draft, again) if draft else ""  # read before the claim, which clears it
    task = group_launching.claimed(
        drafts, launched_by=by, undo_until=None, starts_at=None, again_reason=again.strip()[:200]
    )
    if task is None:
        raise NotNow(_("This task was launched already: it is not launched twice."))
    try:
        called = group_launching.ready(task)
        if seen is not None and seen != shown_digest(task, called.numbers):
            not_as_shown()
        leaves = group_waiting.hour_of(task, called.numbers)
        if undo_seconds > 0 or leaves is not None:
            group_waiting.start_later(task, called.numbers, undo_seconds, leaves, by)
            _note_why(task, why, by)
            return group_launching.fresh(task_id)
        entry, numbers = group_launching.prepare(task, called, again, by)
    except ValidationError:
        mark = restored_drafts.kept_mark(draft) if draft else {}
        group_launching.still(task).filter(entry=None).update(state=TaskState.DRAFT, look_at=None, **mark)
        raise
    _note_why(task, why, by)
    group_answers.leave(task, entry, numbers)
    return group_launching.fresh(task_id)


def _note_why(task: GroupTask, why: str, by: User | None) -> None:
    if why:
        group_launching.note(task, _("Launched all the same: %(reason)s") % {"reason": why}, by)


def not_as_shown() -> NoReturn:
    raise NotAsShown(_("It was changed since you looked. Look at who it calls now, and launch it again."))


def _drafts() -> QuerySet[GroupTask]:
    return GroupTask.objects.filter(state=TaskState.DRAFT)


def not_there(task_id: int, *, why: str, by: User, seen: int | None = None) -> None:
    """Take a person's word that a launch whose answer was lost did not arrive: it is a draft again, under the same name
    until it is edited.

    `seen`: the entry of the launch that this person was shown; ValidationError if it was launched again since.
    """
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        has_arrived = task.entry is not None and task.entry.state == EntryState.ACCEPTED
        if task.state != TaskState.UNKNOWN or has_arrived:
            raise NotNow(_("What happened to this launch is known by now. Look at it again."))
        _require_as_seen(task, seen)
        unread = why_unread(task)
        if not task.looks and not unread:
            raise NotNow(_("Laaffic's list was not read since its answer was lost. Synchronise it first."))
        looked = "its list cannot be read" if unread else f"looked for {task.looks} times"
        said = f"{by.get_username()} says that it did not arrive: {why}; {looked}"
        task.state, task.look_at, task.outside_hours = TaskState.DRAFT, None, False
        task.save(update_fields=["state", "look_at", "outside_hours"])
        events.task_moved(task, TaskState.UNKNOWN, by=by.get_username())
        if task.entry is not None:
            ledger.settle_by_evidence(task.entry.pk, EntryState.NOT_SENT, evidence=known_by.person(said))
        record(Act.SETTLED, task, event=said)


def say_over(task_id: int, *, why: str, by: User, seen: int | None = None) -> None:
    """Take a person's word that a task which Laaffic no longer, or never, lists was called and is over.

    If the list has it again when somebody asks, the list counts. `seen`: as `not_there`.
    """
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state not in (*OPEN, TaskState.UNKNOWN):
            raise NotNow(_("This task is over already. Look at it again."))
        _require_as_seen(task, seen)
        if not task.looks and not why_unread(task):
            raise NotNow(_("Laaffic's list has it, or was not read yet. Synchronise it first."))
        said = f"{by.get_username()} says that it is over: {why}"
        for entry in group_state.requests_of(task).filter(state__in=group_state.UNSETTLED):
            if entry.interface == CANCEL:
                ledger.lapse(entry.pk, evidence=known_by.person(said))
            else:
                ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=known_by.person(said))
        was, task.state = task.state, TaskState.FINISHED
        task.ended_because, task.look_at = said, None
        task.finished_at = timezone.now()
        task.save(update_fields=["state", "ended_because", "look_at", "finished_at"])
        record(Act.SETTLED, task, event=said)
        events.task_moved(task, was, by=by.get_username())


def _require_as_seen(task: GroupTask, seen: int | None) -> None:
    if seen is not None and (task.entry_id or 0) != seen:
        raise NotNow(_("It was launched again since you looked, and you decided about the launch before: look again."))


def stop(task_id: int, *, by: User | None = None) -> GroupTask:
    """Make a launch a draft again of which nothing has left; otherwise as `cancel`."""
    if GroupTask.objects.get(pk=task_id).state in (TaskState.LAUNCHED, TaskState.HELD):
        return group_waiting.take_back(task_id, by=by)
    return cancel(task_id, by=by)


def cancel(task_id: int, *, by: User | None = None) -> GroupTask:
    """Have Laaffic stop the task; calls that ring already go on. ValidationError says why not."""
    task = GroupTask.objects.select_related(*group_launching.RELATED).get(pk=task_id)
    if task.state not in OPEN or not task.key:
        raise NotNow(_("Only a task that Laaffic has and that is not over can be cancelled."))
    with transaction.atomic():
        entry = prepare_cancelling(task, by=by)
    return ask_to_cancel(task, entry)


def prepare_cancelling(task: GroupTask, *, by: User | None) -> LedgerEntry:
    return ledger.prepare(
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


def ask_to_cancel(task: GroupTask, entry: LedgerEntry) -> GroupTask:
    """Send the prepared request to cancel; ValidationError says why it did not work."""
    try:
        single_requests.send(entry, lambda: laaffic_client().group_calls.cancel([task.key]))
    except OutcomeUnknown:
        syncing.COPIES.request(group_answers.SYNC)
        raise CancelUnknown(
            _("Laaffic's answer was lost. The task's state will soon show whether it was cancelled.")
        ) from None
    except LaafficError as problem:
        if isinstance(problem, Refused) and (now := _looked_at_once(task)).state == TaskState.CANCELLED:
            return now  # cancelled by somebody else, or by a request whose answer was lost
        raise NotNow(_("It was not cancelled: %(why)s") % {"why": code_words.said(problem)}) from problem
    late_evidence.accepted(entry.pk)  # a list may have denied it while the answer was on its way
    return _looked_at_once(task)


def _looked_at_once(task: GroupTask) -> GroupTask:
    """The task as Laaffic lists it now, for the page that follows; if Laaffic cannot be asked, the job asks later."""
    try:
        return group_state.look(task)
    except (LaafficError, NotConfigured):
        syncing.COPIES.request(group_answers.SYNC)
        return task


def advice(task: GroupTask) -> str:
    """The outcome of the launch in plain words, with what to do; "" if Laaffic has it or nothing was launched."""
    entry = task.entry
    if task.state == TaskState.UNKNOWN:
        return _(
            "Laaffic's answer was lost, so phones may ring. It is not sent again by itself: Laaffic is asked for its "
            "name, which no other task has."
        )
    if task.state == TaskState.SENDING:
        return _("The request is under way.")
    if task.state != TaskState.DRAFT or entry is None:
        return ""
    return group_launching.why_nobody_was_called(entry)
