"""Whom later tasks have reached that call the same people again: a repetition of the failed would ring them too."""

from collections.abc import Sequence

from voice.models import GroupTask
from voice.models.group_tasks import CALLED_NOBODY
from voice.services.group_calls import figures as group_figures


def of(task: GroupTask) -> list[GroupTask]:
    """What was launched to call its people again, and theirs again after that; the oldest first."""
    found: list[GroupTask] = []
    parents = [task.pk]
    while parents:
        children = list(GroupTask.objects.filter(parent__in=parents).order_by("pk"))
        found += children
        parents = [child.pk for child in children]
    return [one for one in found if one.state not in CALLED_NOBODY]


def missing_records(tasks: Sequence[GroupTask]) -> int:
    """Of calls that were made: until they come nobody knows whom they reached."""
    return sum(max(0, (task.called or 0) - task.recorded) for task in tasks)


def under_way(tasks: Sequence[GroupTask]) -> GroupTask | None:
    """The first of them of which it is not known yet whom it reaches."""
    return next((task for task in tasks if not task.is_over or missing_records([task])), None)


def unreached(tasks: Sequence[GroupTask], numbers: Sequence[str]) -> list[str]:
    """Those of the numbers that none of these tasks has reached."""
    left = list(numbers)
    for task in tasks:
        if task.key and left:
            left = group_figures.unreached(task, left)
    return left
