"""Sums of a task's call records, kept on its row, so that no page adds them up."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypedDict

from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from messaging.subscribers import subscriber
from voice.models import CallRecord, GroupTask, TaskState
from voice.models.group_tasks import NOT_LEFT, connect_rate
from voice.services.call_charts import CONNECTED


def of(key: str) -> dict[str, Any]:
    """Values for the fields of the task with this key, from its records."""
    records = CallRecord.objects.filter(task_id=key).order_by()
    told = records.aggregate(n=Count("pk"), seconds=Sum("duration"))
    pressed = records.exclude(key_pressed="").values_list("key_pressed").annotate(n=Count("pk"))
    paid = records.exclude(cost=None).values_list("currency").annotate(total=Sum("cost")).order_by("-total")
    figures = {
        "recorded": told["n"],
        "talk_seconds": told["seconds"] or 0,
        "keys_pressed": dict(sorted(pressed)),
        "counted_at": timezone.now(),
    }
    if dearest := paid.first():  # an account is billed in one currency
        figures |= {"currency": dearest[0], "cost": dearest[1]}
    return figures


class Totals(TypedDict):
    tasks: int
    total: int
    called: int
    connected: int
    failed: int
    rate: float | None
    sms: int
    costs: list[tuple[str, Decimal]]


def totals(tasks: QuerySet[GroupTask]) -> Totals:
    """Sums over a filtered list of tasks; drafts and templates, which have called nobody, are left out."""
    counted = tasks.order_by().filter(is_template=False).exclude(state__in=[*NOT_LEFT, TaskState.REPLACED])
    sums: dict[str, Any] = counted.aggregate(
        tasks=Count("pk"),
        total=Sum("total"),
        called=Sum("called"),
        connected=Sum("connected"),
        failed=Sum("failed"),
        sms=Sum("sms_sent"),
    )
    costs = counted.exclude(cost=None).values_list("currency").annotate(total=Sum("cost")).order_by("currency")
    sums = {name: value or 0 for name, value in sums.items()}
    return Totals(
        tasks=sums["tasks"],
        total=sums["total"],
        called=sums["called"],
        connected=sums["connected"],
        failed=sums["failed"],
        rate=connect_rate(sums["connected"], sums["failed"]),
        sms=sums["sms"],
        costs=[(currency, total) for currency, total in costs],
    )


def reached(task: GroupTask) -> set[str]:
    """The numbers that its records say were reached."""
    records = CallRecord.objects.filter(task_id=task.key, outcome__in=CONNECTED)
    return set(records.values_list("callee", flat=True))


def unreached(task: GroupTask, numbers: Iterable[str]) -> list[str]:
    answered = {subscriber(number) for number in reached(task)}
    return [number for number in numbers if subscriber(number) not in answered]
