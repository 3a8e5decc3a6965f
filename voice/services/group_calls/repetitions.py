"""People reached by later tasks that repeat a task: a repetition of the failed calls would ring them too."""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from voice.models import GroupTask
from voice.models.group_tasks import CALLS_NOBODY
from voice.services.group_calls import figures as group_figures

AWAITED = dt.timedelta(days=1)  # for call records, after the end of their task


def of(task: GroupTask) -> list[GroupTask]:
    """Tasks launched to call its people again, and those that repeat these; the oldest first."""
    found: list[GroupTask] = []
    parents = [task.pk]
    while parents:
        children = list(GroupTask.objects.filter(parent__in=parents).order_by("pk"))
        found += children
        parents = [child.pk for child in children]
    return that_called(found)


def that_called(tasks: Sequence[GroupTask]) -> list[GroupTask]:
    return [one for one in tasks if one.state not in CALLS_NOBODY and not one.has_called_nobody]


def missing_records(tasks: Sequence[GroupTask]) -> int:
    """How many calls have no record yet: until it comes, nobody knows whom they reached."""
    return sum(max(0, _calls(task) - task.recorded) for task in that_called(tasks))


def _calls(task: GroupTask) -> int:
    """As Laaffic says; it may have called all of its numbers where that is not known."""
    return int(task.number_count if task.called is None else task.called)


def never_known(tasks: Sequence[GroupTask]) -> GroupTask | None:
    """The first of these tasks whose calls no record can name, as Laaffic has never named its key."""
    return next((task for task in that_called(tasks) if task.is_over and not task.key and _calls(task)), None)


def awaited(tasks: Sequence[GroupTask]) -> list[GroupTask]:
    """The tasks whose call records are still awaited. Later, people without a record count as not reached,
    which the draft says before a person launches it."""
    now = timezone.now()
    return [task for task in tasks if missing_records([task]) and now < awaited_until(task)]


def awaited_until(task: GroupTask) -> dt.datetime:
    return (task.finished_at or task.launched_at or task.created_at) + AWAITED


def under_way(tasks: Sequence[GroupTask]) -> GroupTask | None:
    """The first of these tasks for which it is not known yet whom it reaches."""
    return next((task for task in tasks if not task.is_over or awaited([task])), None)


def unreached(tasks: Sequence[GroupTask], numbers: Sequence[str]) -> list[str]:
    """The numbers that none of these tasks has reached."""
    left = list(numbers)
    for task in tasks:
        if task.key and left:
            left = group_figures.unreached(task, left)
    return left
