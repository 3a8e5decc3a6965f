"""Tasks made from others: templates, new tasks, updates of waiting tasks, and repetitions of finished ones.

Each is a draft of its own, which a person reviews before anything is sent.
"""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from voice.models import GroupTask, TaskKind, TaskState
from voice.models.group_tasks import NOT_LEFT, OVER, copied
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import care as group_care
from voice.services.group_calls import repetitions
from voice.services.group_calls.callees import Audience
from voice.services.group_calls.care import Called


def template(task: GroupTask, *, by: User | None = None) -> GroupTask:
    """A template with the task's announcement and settings, under the same name; without numbers and time."""
    return _made(task, is_template=True, created_by=by)


def new_from(task: GroupTask, *, unreached_only: bool = False, by: User | None = None) -> GroupTask:
    """A draft with the same parameters and numbers, without numbers that are suppressed or erased by now."""
    if task.is_template:
        return _made(task, created_by=by)
    if task.state in (TaskState.SENDING, TaskState.UNKNOWN):
        raise NotNow(
            _("It is not yet known whether this task is calling. Settle that first: a copy calls everyone again.")
        )
    audience = group_callees.callable_now(task)
    without_erased = _without_erased(task, audience)
    if unreached_only:
        audience.numbers = _unreached(task, audience.numbers)
    source = _not_reached(task) if unreached_only else _("the numbers of “%(task)s”") % {"task": task.name}
    audience.sources = [source, *without_erased]
    return _drafted(task, audience, kind=TaskKind.SEND, parent=None, by=by)


def update_of(task: GroupTask, *, by: User | None = None) -> GroupTask:
    """A draft that replaces a task which has not begun; the open one if there is one already."""
    if task.state != TaskState.WAITING or not task.key:
        raise NotNow(_("Only a task that waits can be changed. This one has begun or is over."))
    if open_one := task.children.filter(kind=TaskKind.UPDATE, state=TaskState.DRAFT).first():
        return open_one
    audience = group_callees.callable_now(task)
    audience.sources = [task.numbers_from, *_without_erased(task, audience)]
    made = _drafted(task, audience, kind=TaskKind.UPDATE, parent=task, by=by)
    made.send_at, made.latest_end = task.send_at, task.latest_end
    made.save(update_fields=["send_at", "latest_end"])
    return made


def again(task: GroupTask, *, failed_only: bool, by: User | None = None) -> GroupTask:
    """A draft of Laaffic's own repetition of a finished task; the open one if there is one already."""
    if task.state != TaskState.FINISHED or not task.key:
        raise NotNow(_("Only a finished task can be repeated. Make a new task from this one."))
    kind = TaskKind.RESEND_FAILED if failed_only else TaskKind.RESEND
    numbers = group_callees.of(task)
    if failed_only:
        numbers = _failed_at_laaffic(task, numbers)
    source = _not_reached(task) if failed_only else _("the numbers of “%(task)s”") % {"task": task.name}
    audience = Audience(numbers, sources=[source])
    return _open_repetition(task, kind, audience) or _drafted(task, audience, kind=kind, parent=task, by=by)


def _open_repetition(task: GroupTask, kind: TaskKind, audience: Audience) -> GroupTask | None:
    """An open draft with the same numbers, so that pressing twice makes one; a draft with others stays as it was seen.

    Its note of where the numbers come from is renewed: call records may have come since, or be missing for good.
    """
    drafts = task.children.filter(kind=kind, state=TaskState.DRAFT)
    found = next((draft for draft in drafts.order_by("-pk") if group_callees.of(draft) == audience.numbers), None)
    if found:
        found.numbers_from = group_callees.sources_of(audience)
        drafts.filter(pk=found.pk).update(numbers_from=found.numbers_from)
    return found


def _failed_at_laaffic(task: GroupTask, numbers: list[str]) -> list[str]:
    """Numbers that this task has not reached, all of which Laaffic calls; NotNow if another task has reached some."""
    left = _unreached(task, numbers)
    failed = repetitions.unreached([task], numbers)
    reached = Called(failed, reached=len(failed) - len(left))
    if sentence := group_care.repeats(TaskKind.RESEND_FAILED, reached):
        raise NotNow(sentence)
    return left


def _without_erased(task: GroupTask, audience: Audience) -> list[str]:
    """Take erased people out of the audience, whose numbers the task keeps as proof; a sentence about that, if any."""
    if not (gone := group_callees.erased_since_launch(task, audience.numbers)):
        return []
    audience.numbers = [one for one in audience.numbers if one not in gone]
    said = ngettext(
        "without %(n)s person who was erased since", "without %(n)s people who were erased since", len(gone)
    )
    return [said % {"n": number(len(gone))}]


def _unreached(task: GroupTask, numbers: list[str]) -> list[str]:
    """Numbers reached neither by this task nor by those that called its people again. NotNow while records are missing:
    somebody who was reached would be called again."""
    tasks = [task, *repetitions.of(task)]
    if running := next((one for one in tasks if one.state not in (*NOT_LEFT, *OVER)), None):
        said = _("“%(task)s” is still calling, so it is not known who is reached. Wait until it is over.")
        raise NotNow(said % {"task": running.name})
    if unknown := repetitions.never_known(tasks):
        raise NotNow(
            _(
                "Nobody knows whom “%(task)s” reached: Laaffic has never listed it, so it has no call records. Make a "
                "new task from it, which calls everybody again, or write one to those who you know were not reached."
            )
            % {"task": unknown.name}
        )
    if awaited := repetitions.awaited(tasks):
        missing = repetitions.missing_records(awaited)
        raise NotNow(
            ngettext(
                "%(n)s call record has not come yet, so it is not known who was reached. Try again in a few minutes. "
                "If it does not come by %(when)s, the person it is about counts as not reached.",
                "%(n)s call records have not come yet, so it is not known who was reached. Try again in a few minutes. "
                "If they do not come by %(when)s, the people they are about count as not reached.",
                missing,
            )
            % {"n": number(missing), "when": max(map(repetitions.awaited_until, awaited))}
        )
    left = repetitions.unreached(tasks, numbers)
    if not left:
        raise NotNow(_("Everybody was reached: there is nobody to call again."))
    return left


def _not_reached(task: GroupTask) -> str:
    """Where the numbers come from, and how many call records are missing: the person who launches it sees that."""
    if missing := repetitions.missing_records([task, *repetitions.of(task)]):
        said = ngettext(
            "those not reached by “%(task)s”, and the one called without a call record (%(n)s)",
            "those not reached by “%(task)s”, and those called without a call record (%(n)s)",
            missing,
        )
        return said % {"task": task.name, "n": number(missing)}
    return _("those not reached by “%(task)s”") % {"task": task.name}


@transaction.atomic
def _drafted(
    task: GroupTask, audience: Audience, *, kind: TaskKind, parent: GroupTask | None, by: User | None
) -> GroupTask:
    made = _made(task, kind=kind, parent=parent, created_by=by)
    group_callees.keep(made, audience)
    made.save(update_fields=[*group_callees.GIVEN, *group_callees.LEFT_OUT])
    return made


@transaction.atomic
def _made(task: GroupTask, **own: Any) -> GroupTask:
    made: GroupTask = GroupTask.objects.create(**copied(task), name=task.name, **own)
    record(Act.ADDED, made)
    return made
