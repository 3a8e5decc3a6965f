"""Which task a call record belongs to. Pushes say it; records that we ask for do not (laaffic-api#call-records)."""

import datetime as dt
from collections import Counter
from operator import itemgetter

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import Channel
from laaffic_console.kit.lists import walks
from laaffic_console.laaffic import CallKind
from messaging.models import Message
from messaging.subscribers import every_spelling, subscriber
from voice.models import CallRecord, GroupTask, TaskState
from voice.models.group_tasks import NOT_LEFT
from voice.services.group_calls import callees as group_callees

AT_ONCE = 900
SPOKEN = Channel.VOICE


def adopt(task: GroupTask) -> int:
    """Give the task records that can only be its own: calls to its numbers while it ran that nothing else made.

    Each number is called once, so a number that has its record takes no other. How many records were given.
    """
    if not task.key or task.launched_at is None or task.recorded >= (task.called or 0):
        return 0
    slack = dt.timedelta(seconds=settings.LAAFFIC_CLOCK_SLACK_SECONDS)
    start, end = task.launched_at - slack, (task.finished_at or timezone.now()) + slack
    homeless = CallRecord.objects.filter(Q(kind=None) | Q(kind=CallKind.GROUP), task_id="", called_info="")
    homeless = homeless.filter(at__gte=start, at__lte=end).order_by("pk")
    if not homeless.exists():
        return 0
    wanted = _only_its_own(task, start, end) - _called_twice(homeless)
    given = 0
    for chunk in walks.rising(homeless.values_list("pk", "callee"), AT_ONCE, itemgetter(0)):
        called = [(pk, subscriber(callee)) for pk, callee in chunk]
        wanted -= _spoken_to({who for _pk, who in called} & wanted, start, end)
        ours = []
        for pk, who in called:
            if who in wanted:
                wanted.discard(who)
                ours.append(pk)
        given += CallRecord.objects.filter(pk__in=ours, task_id="").update(task_id=task.key)
    return given


def _only_its_own(task: GroupTask, start: dt.datetime, end: dt.datetime) -> set[str]:
    """Subscribers that only this task called and that have no record; a record may spell a number differently."""
    wanted = set(map(subscriber, group_callees.of(task)))
    recorded = CallRecord.objects.filter(task_id=task.key).values_list("callee", flat=True)
    wanted.difference_update(map(subscriber, recorded))
    for other in _rivals(task, start, end).order_by("pk"):
        wanted.difference_update(map(subscriber, group_callees.of(other)))
    return wanted


def _rivals(task: GroupTask, start: dt.datetime, end: dt.datetime) -> QuerySet[GroupTask]:
    """Tasks that may have called at the same time, also one whose answer was lost or that has no key."""
    may_call = GroupTask.objects.exclude(state__in=[*NOT_LEFT, TaskState.FAILED], key="")
    others = may_call.exclude(pk=task.pk).exclude(key=task.key)
    return others.filter(Q(finished_at=None) | Q(finished_at__gte=start), launched_at__lte=end)


def _called_twice(homeless: QuerySet[CallRecord]) -> set[str]:
    """Subscribers with several of these records: a task calls each once, so one is not its own."""
    calls: Counter[str] = Counter()
    for callee, n in homeless.order_by().values_list("callee").annotate(n=Count("pk")):
        calls[subscriber(callee)] += n
    return {who for who, n in calls.items() if n > 1}


def _spoken_to(subscribers: set[str], start: dt.datetime, end: dt.datetime) -> set[str]:
    """Subscribers that a spoken message may have called at the same time: its record can come without our mark."""
    spoken = Message.objects.filter(
        number__in=every_spelling(sorted(subscribers)),
        campaign__channel=SPOKEN,
        batch__entry__left_at__range=(start, end),
    )
    return set(map(subscriber, spoken.order_by().values_list("number", flat=True)))
