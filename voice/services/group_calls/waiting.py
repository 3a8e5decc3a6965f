"""Launches that wait, for the end of their undo window or for their callees' hours; a worker starts them."""

import datetime as dt

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q

from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.ledger import open_acts
from laaffic_console.gateway.services.work import due, moments
from laaffic_console.kit.audit.acts import Act
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.plain_text import is_blank
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined
from messaging.models import HoldKind
from messaging.services.approvals import approval_rules
from messaging.services.gates import sending_hours
from messaging.services.launching import lateness, restored_drafts, undo
from messaging.services.refusals import EndNotAsked
from messaging.services.steps import is_restore_unfinished
from voice.models import GroupTask, TaskState
from voice.services import events
from voice.services.group_calls import answers as group_answers
from voice.services.group_calls import care as group_care
from voice.services.group_calls import costs as group_costs
from voice.services.group_calls import hours as group_hours
from voice.services.group_calls import launching as group_launching


class PastItsEnd(NotNow):
    """Its latest end came before its request could leave."""


START_JOB = "voice.jobs.start_launched"


def hour_of(task: GroupTask, numbers: list[str]) -> dt.datetime | None:
    """When its request may leave, None if now; ValidationError if it never may."""
    now = database_clock.now()
    places = group_hours.places_of(numbers) if group_hours.rules_of(task) else ()
    leaves = group_hours.leaves_at(task, places, now)
    if leaves is None:
        raise NotNow(group_hours.never(task, places))
    if task.starts_at is None:
        if too_late := group_hours.begins_too_late(task, leaves):
            raise NotNow(too_late)
    elif ended := group_hours.ended(task, leaves):
        raise PastItsEnd(ended)
    return leaves if leaves > now else None


@transaction.atomic
def start_later(
    task: GroupTask, numbers: list[str], seconds: float, leaves: dt.datetime | None, by: User | None
) -> None:
    """Let the launch wait. An open launch of the same is asked about now, while a person is there, and at the start.

    `leaves`: when its hours begin; until then it can be taken back anyway.
    """
    _require_no_other(task, numbers, by)
    until = undo.until(seconds)
    if leaves is None or leaves <= until:
        _wait(task, until, is_undo=True)
        said = _("Launched; it can be taken back for %(n)d s") % {"n": seconds}
    else:
        _wait(task, leaves, is_undo=False)
        said = _("Launched; it waits for its hours")
    group_launching.note(task, said, by)
    events.task_moved(task, TaskState.DRAFT, by=username(by))


def _require_no_other(task: GroupTask, numbers: list[str], by: User | None) -> None:
    if group_launching.require_no_other(task, numbers, task.again_reason):
        group_launching.note(task, _("Launched all the same: %(reason)s") % {"reason": task.again_reason}, by)


def _wait(task: GroupTask, until: dt.datetime, *, is_undo: bool) -> None:
    launched = group_launching.still(task).filter(entry=None)
    if not launched.update(
        state=TaskState.LAUNCHED,
        starts_at=until,
        undo_until=until if is_undo else None,
        waits_since=None if is_undo else database_clock.now(),
        look_at=None,
    ):
        raise NotNow(_("This launch timed out. Look at it again."))
    task.state = TaskState.LAUNCHED


def launches_due(by: dt.datetime) -> list[tuple[int, dt.datetime]]:
    waiting = GroupTask.objects.filter(state=TaskState.LAUNCHED, starts_at__lte=by).order_by()
    return [(pk, moment) for pk, moment in waiting.values_list("pk", "starts_at") if moment is not None]


def start_launched(task_id: int) -> None:
    """Start a launch as soon as it cannot be taken back any more; if this fails to, the sweeper does."""
    until = GroupTask.objects.filter(pk=task_id).values_list("starts_at", flat=True).first()
    if until is not None and moments.wait_for(until):
        start(task_id)


def start(task_id: int) -> None:
    """Make the request of a launch whose time has come; if something stops it now, it is held with a sentence."""
    its_moment = GroupTask.objects.filter(pk=task_id, state=TaskState.LAUNCHED, starts_at__lte=database_clock.now())
    task = group_launching.claimed(its_moment)
    if task is None:
        return
    if task.undo_until is not None and (late := lateness.too_late(task.undo_until, lateness.allowed())):
        group_launching.hold(task, late, HoldKind.TOO_LATE)
        return
    try:
        called = group_launching.ready(task)
        if (leaves := hour_of(task, called.numbers)) is not None:
            _wait(task, leaves, is_undo=False)
            return
        entry, numbers = group_launching.prepare(task, called, task.again_reason, task.launched_by)
    except ValidationError as problem:
        kind = HoldKind.LATEST_END if isinstance(problem, PastItsEnd) else HoldKind.OTHER
        group_launching.hold(task, joined(problem.messages), kind)
        return
    group_answers.leave(task, entry, numbers)


def start_due() -> None:
    _look_again_at_changed_hours()
    waiting = GroupTask.objects.filter(state=TaskState.LAUNCHED, starts_at__lte=database_clock.now())
    isolation.each(waiting.order_by("pk").values_list("pk", flat=True), start, "start of group-call task {}".format)


def _look_again_at_changed_hours() -> None:
    """Start launches that wait by a calendar which was changed in the meantime: they then look at their hours again."""
    waiting = GroupTask.objects.filter(state=TaskState.LAUNCHED, waits_since__isnull=False)
    # What waits since a moment ahead, which a wrong clock noted, would follow no change before that has come.
    changed = Q(waits_since__gt=database_clock.in_statement() + due.CLOCKS_DIFFER_BY)
    changed |= Q(calendar__changed_at__gte=F("waits_since"))
    for by in ("application", "sms_application"):
        changed |= Q(**{f"{by}__sending_hours__changed_at__gte": F("waits_since")})
        changed |= Q(**{f"{by}__sending_hours__calendar__changed_at__gte": F("waits_since")})
    moved = list(waiting.filter(changed).values_list("pk", flat=True))
    GroupTask.objects.filter(pk__in=moved, state=TaskState.LAUNCHED).update(starts_at=database_clock.in_statement())


def start_outside_hours(task_id: int, *, reason: str, by: User | None) -> GroupTask:
    """Let this task ignore its calendar, once; the caller checks who may say so."""
    if is_blank(reason):
        raise ValidationError(_("Say why it is sent outside its hours."))
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state not in (TaskState.LAUNCHED, TaskState.HELD):
            raise NotNow(_("It does not wait for its hours any more. Look at it again."))
        if not task.outside_hours and task.waits_since is None and not group_hours.rules_of(task):
            raise NotNow(sending_hours.has_no_hours())
        task.outside_hours, columns = True, ["outside_hours"]
        if task.waits_since is not None:
            task.starts_at, task.waits_since = database_clock.now(), None
            columns += ["starts_at", "waits_since"]
        task.save(update_fields=columns)
        group_launching.note(
            task, _("Sent outside its hours: %(reason)s") % {"reason": reason.strip()}, by, Act.APPROVAL
        )
    start(task_id)
    return group_launching.fresh(task_id)


def resume(task_id: int, *, by: User | None = None, again: str = "", past_end: bool | None = None) -> GroupTask:
    """Try a held launch again, now; if something still stops it, it is held again.

    `again`: why, although the same may have been launched (StillOpen without it); an earlier reason was for what was
    open then, and no longer counts. `past_end`: whether a page asked about its latest end; refused if not and the end
    holds the task by now.
    """
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state != TaskState.HELD:
            raise NotNow(_("This task is not held any more. Look at it again."))
        _require_restored(task)
        if unasked := sending_hours.not_asked(task, past_end):
            raise EndNotAsked(unasked)
        task.again_reason = again.strip()[: open_acts.LONGEST_REASON]
        numbers = group_care.called_now(task).numbers
        if missing := approval_rules.missing(task, numbers):
            raise NotNow(missing)
        _require_no_other(task, numbers, by)
        if used_up := group_costs.taken(task, len(numbers)).stop(_leaves_at(task, numbers)):
            raise NotNow(used_up)
        if sending_hours.is_lifted(task, past_end):
            task.latest_end = None
            group_launching.note(task, _("Its latest end no longer counts"), by)
        task.state, task.undo_until, task.starts_at = TaskState.LAUNCHED, None, database_clock.now()
        task.launched_by = by or task.launched_by
        columns = ["state", "undo_until", "starts_at", "launched_by", "latest_end", "again_reason"]
        task.save(update_fields=columns)
        group_launching.note(task, _("Resumed"), by)
        events.task_moved(task, TaskState.HELD, by=username(by))
    start(task_id)
    return group_launching.fresh(task_id)


def _leaves_at(task: GroupTask, numbers: list[str]) -> dt.datetime | None:
    """When its request would be made; None if no moment suits all, which its start then says."""
    places = group_hours.places_of(numbers) if group_hours.rules_of(task) else ()
    return group_hours.leaves_at(task, places, database_clock.now())


def _require_restored(task: GroupTask) -> None:
    """Refuse while a restore is unfinished: its request may have left, and nothing says so yet (laws#unknown-stays)."""
    if is_restore_unfinished(task):
        raise NotNow(_("A restore has not finished. Run it again with its file."))


def take_back(task_id: int, *, by: User | None = None) -> GroupTask:
    """Make a launch a draft again whose request was not made: nothing has left."""
    with transaction.atomic():
        task = GroupTask.objects.select_for_update().get(pk=task_id)
        if task.state == TaskState.DRAFT:
            return task
        was = task.state
        if was not in (TaskState.LAUNCHED, TaskState.HELD):
            raise NotNow(_("It cannot be taken back any more: its request was made. Look at it again."))
        _require_restored(task)
        mark = restored_drafts.kept_mark(task)
        task.hold_reason, task.hold_kind = mark.get("hold_reason", ""), mark.get("hold_kind", "")
        task.state, task.outside_hours = TaskState.DRAFT, False
        task.undo_until = task.starts_at = task.waits_since = None
        columns = ["state", "undo_until", "starts_at", "waits_since", "hold_reason", "hold_kind", "outside_hours"]
        task.save(update_fields=columns)
        group_launching.note(task, _("Taken back before anything left"), by)
        events.task_moved(task, was, by=username(by))
    return task
