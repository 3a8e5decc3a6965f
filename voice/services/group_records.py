"""Which task a call record belongs to. Pushes say it; records that are asked for do not (wire §2.19)."""

import datetime as dt

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from laaffic_console.laaffic import CallKind
from voice.models import CallRecord, GroupTask
from voice.services import group_numbers

AT_ONCE = 900


def adopt(task: GroupTask) -> int:
    """Give the task what can only be its own: calls of its numbers while it ran, where no other task had the number.

    Each number is called once, so one that has its record takes no other. How many records were given.
    """
    if not task.key or task.launched_at is None or task.recorded >= (task.called or 0):
        return 0
    slack = dt.timedelta(seconds=settings.LAAFFIC_CLOCK_SLACK_SECONDS)
    start, end = task.launched_at - slack, (task.finished_at or timezone.now()) + slack
    homeless = CallRecord.objects.filter(Q(kind=None) | Q(kind=CallKind.GROUP), task_id="", called_info="")
    homeless = homeless.filter(at__gte=start, at__lte=end).order_by("pk")
    if not homeless.exists():
        return 0
    wanted = _only_its_own(task, start, end)
    last = given = 0
    while chunk := list(homeless.filter(pk__gt=last).values_list("pk", "callee")[:AT_ONCE]):
        last = chunk[-1][0]
        ours = []
        for pk, callee in chunk:
            if callee in wanted:
                wanted.discard(callee)
                ours.append(pk)
        given += CallRecord.objects.filter(pk__in=ours, task_id="").update(task_id=task.key)
    return given


def _only_its_own(task: GroupTask, start: dt.datetime, end: dt.datetime) -> set[str]:
    wanted = set(group_numbers.of(task))
    wanted.difference_update(CallRecord.objects.filter(task_id=task.key).values_list("callee", flat=True))
    others = GroupTask.objects.exclude(pk=task.pk).exclude(key="").exclude(key=task.key)
    running = others.filter(Q(finished_at=None) | Q(finished_at__gte=start), launched_at__lte=end)
    for other in running.order_by("pk"):
        wanted.difference_update(group_numbers.of(other))
    return wanted
