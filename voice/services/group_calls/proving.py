"""Deriving a group call's figures again from its numbers, call records and requests, and naming each that differs."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum

from laaffic_console.gateway.models import EntryState
from laaffic_console.kit.sql import snapshots
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import NOT_LEFT, OVER
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import figures as group_figures
from voice.services.group_calls import states as group_state

OPEN_REQUESTS = (EntryState.PREPARED, EntryState.IN_FLIGHT)
# States in which no accepted request need exist: the task never came to Laaffic, or a person has ended it.
WITHOUT_A_REQUEST = (
    *NOT_LEFT,
    *(TaskState.SENDING, TaskState.UNKNOWN, TaskState.FAILED, TaskState.CANCELLED),
)


def prove(task: GroupTask, look: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """{"id", "numbers", "records", "calls", "counts", "keys", "cost", "disagreements"}, all read in one moment."""
    return snapshots.at_one_moment(lambda: _found(task.pk), look)


def is_over(task: GroupTask) -> bool:
    return task.state in OVER


def _found(pk: int) -> dict[str, Any]:
    task = GroupTask.objects.select_related("entry").get(pk=pk)
    derived = of_records(task)
    numbers = group_callees.of(task)
    disagreements = [*_numbers(task, numbers), *_records(task, derived), *_laaffics(task), *_requests(task)]
    return {
        "id": task.pk,
        "numbers": len(numbers),
        "calls": group_state.requests_of(task).count(),
        **derived,
        "disagreements": disagreements,
    }


def of_records(task: GroupTask) -> dict[str, Any]:
    """Sums of its call records."""
    records = group_figures.records_of(task).order_by()
    told = records.aggregate(n=Count("pk"), seconds=Sum("duration"))
    paid = records.exclude(cost=None).exclude(currency="").values_list("currency").annotate(total=Sum("cost"))
    return {
        "records": told["n"],
        "seconds": told["seconds"] or 0,
        "counts": dict(sorted(records.values_list("outcome").annotate(n=Count("pk")))),
        "keys": dict(sorted(records.exclude(key_pressed="").values_list("key_pressed").annotate(n=Count("pk")))),
        "cost": {currency: str(total.quantize(group_figures.MICRO)) for currency, total in sorted(paid)},
    }


def _numbers(task: GroupTask, numbers: list[str]) -> Iterator[str]:
    if task.number_count != len(numbers):
        yield f"numbers: the task says {task.number_count}, its list has {len(numbers)}"
    if len(set(numbers)) != len(numbers):
        yield f"numbers: {len(numbers) - len(set(numbers))} are in its list twice"


def _records(task: GroupTask, derived: dict[str, Any]) -> Iterator[str]:
    kept = {"records": task.recorded, "seconds": task.talk_seconds, "keys": task.keys_pressed}
    for name, said in kept.items():
        if said != derived[name]:
            yield f"{name}: the task says {said}, its call records say {derived[name]}"
    paid = {currency: Decimal(total) for currency, total in derived["cost"].items()}
    said_cost = {currency: cost for currency, cost in group_figures.costs(task).items() if currency}
    for currency in sorted(set(paid) | set(said_cost)):
        if paid.get(currency, 0) != said_cost.get(currency, 0):
            yield f"cost in {currency}: kept {said_cost.get(currency, 0)}, derived {paid.get(currency, 0)}"


def _laaffics(task: GroupTask) -> Iterator[str]:
    """Contradictions among Laaffic's own figures, which can only be compared with each other."""
    ended = (task.connected or 0) + (task.failed or 0)
    if task.called is not None and ended > task.called:
        yield f"Laaffic says that {ended} calls have ended, and that it called {task.called}"
    if task.total is not None and (task.called or 0) > task.total:
        yield f"Laaffic says that it called {task.called} of {task.total}"


def _requests(task: GroupTask) -> Iterator[str]:
    was_accepted = task.entry is not None and task.entry.state == EntryState.ACCEPTED
    if task.state not in WITHOUT_A_REQUEST and not was_accepted:
        yield f"it is {task.state} at Laaffic, and no request of it was accepted"
    if task.state in OVER and (n := group_state.requests_of(task).filter(state__in=OPEN_REQUESTS).count()):
        yield f"it is over, and {n} of its requests are still on their way"
