"""Sums of a task's call records, kept on its row, so that no page adds them up."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypedDict

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from messaging.subscribers import subscriber
from voice.models import CallRecord, CallTally, GroupTask, TaskState
from voice.models.group_tasks import NOT_LEFT, connect_rate
from voice.services.call_charts import CONNECTED

MICRO = Decimal("0.000001")  # as it is kept; SQLite adds up in floats


def of(key: str) -> dict[str, Any]:
    """Values for the fields of the task with this key, from its records."""
    records = CallRecord.objects.filter(task_id=key).order_by()
    told = records.aggregate(n=Count("pk"), seconds=Sum("duration"))
    pressed = records.exclude(key_pressed="").values_list("key_pressed").annotate(n=Count("pk"))
    paid = list(records.exclude(cost=None).values_list("currency").annotate(total=Sum("cost")))
    figures = {
        "recorded": told["n"],
        "talk_seconds": told["seconds"] or 0,
        "keys_pressed": dict(sorted(pressed)),
        "counted_at": timezone.now(),
    }
    if paid:  # a named currency first: amounts without one are in no sum. Others: `other_costs`
        currency, cost = max(paid, key=lambda one: (bool(one[0]), one[1]))
        figures |= {"currency": currency, "cost": cost}
    return figures


def records_of(task: GroupTask) -> QuerySet[CallRecord]:
    """The records of its calls. One without a key from Laaffic has none; those of a key are of the last change."""
    has_called = task.key and task.state != TaskState.REPLACED
    return CallRecord.objects.filter(task_id=task.key) if has_called else CallRecord.objects.none()


def other_costs(tasks: QuerySet[GroupTask]) -> dict[int, dict[str, Decimal]]:
    """{task: {currency: cost}} beside the cost on its row, by its records in further currencies.

    A page adds records up only for an account that was ever billed in several; not while records are missing, as long
    as the row has Laaffic's own sum.
    """
    billed = CallTally.objects.filter(cost_micros__gt=0).exclude(currency="").order_by()
    if billed.values("currency").distinct().count() < 2:
        return {}
    told = (
        tasks.order_by()
        .exclude(state=TaskState.REPLACED)
        .exclude(cost=None)
        .exclude(key="")
        .filter(recorded__gte=Coalesce("called", 0))
    )
    known = {key: (pk, currency) for pk, key, currency in told.values_list("pk", "key", "currency")}
    records = CallRecord.objects.filter(task_id__in=told.values("key")).exclude(cost=None).exclude(currency="")
    found: dict[int, dict[str, Decimal]] = {}
    for key, currency, cost in records.order_by().values_list("task_id", "currency").annotate(total=Sum("cost")):
        pk, kept = known.get(key, (0, currency))  # its last record may have come since
        if currency != kept:
            found.setdefault(pk, {})[currency] = cost.quantize(MICRO)
    return {pk: dict(sorted(costs.items())) for pk, costs in found.items()}


def costs(task: GroupTask) -> dict[str, Decimal]:
    """What its calls have cost in each currency, that of its row first."""
    kept = {} if task.cost is None else {task.currency: task.cost}
    return kept | other_costs(GroupTask.objects.filter(pk=task.pk)).get(task.pk, {})


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
    kept = counted.exclude(cost=None).exclude(currency="").values_list("currency").annotate(total=Sum("cost"))
    paid: dict[str, Decimal] = dict(kept)
    for others in other_costs(counted).values():
        for currency, cost in others.items():
            paid[currency] = paid.get(currency, Decimal(0)) + cost
    sums = {name: value or 0 for name, value in sums.items()}
    return Totals(
        tasks=sums["tasks"],
        total=sums["total"],
        called=sums["called"],
        connected=sums["connected"],
        failed=sums["failed"],
        rate=connect_rate(sums["connected"], sums["failed"]),
        sms=sums["sms"],
        costs=sorted(paid.items()),
    )


def reached(task: GroupTask) -> set[str]:
    """The numbers that its records say were reached."""
    records = records_of(task).filter(outcome__in=CONNECTED)
    return set(records.values_list("callee", flat=True))


def unreached(task: GroupTask, numbers: Iterable[str]) -> list[str]:
    answered = {subscriber(number) for number in reached(task)}
    return [number for number in numbers if subscriber(number) not in answered]
