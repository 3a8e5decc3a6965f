"""The expected cost of a group call: Laaffic names no price before the calls, so the cost of the last tasks is used."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from messaging.models import Budget, BudgetShare
from messaging.services.budgets import shares
from messaging.services.budgets.earlier_requests import NEVER_LEFT
from messaging.services.budgets.whole_requests import Part, Taken
from messaging.services.reports.prices import Cost
from voice.models import GroupTask, TaskKind, TaskState
from voice.models.group_tasks import ENDED_EARLY, OVER
from voice.services.group_calls import figures as group_figures

LAST_TASKS = 20
NOT_OLDER = dt.timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Learned:
    """Cost per called phone, whatever its seconds, from tasks whose call records have all come."""

    each: Decimal
    currency: str
    tasks: int
    calls: int


def learned(task: GroupTask) -> Learned | None:
    """Cost per phone in the application's last tasks, in the currency of most calls; None if none tells a cost."""
    last = list(_that_tell().filter(application=task.application_id).order_by("-pk")[:LAST_TASKS])
    calls: Counter[str] = Counter()
    for one in last:
        calls[one.currency] += one.called or 0
    if not calls:
        return None
    [(currency, n)] = calls.most_common(1)
    told = [one for one in last if one.currency == currency]
    total = sum((one.cost for one in told if one.cost is not None), Decimal(0))
    return Learned((total / n).quantize(Decimal("0.000001")), currency, len(told), n)


def _that_tell() -> QuerySet[GroupTask]:
    told = GroupTask.objects.filter(state__in=OVER, cost__isnull=False, called__gt=0, recorded__gte=F("called"))
    recent = told.exclude(currency="").filter(launched_at__gte=timezone.now() - NOT_OLDER)
    return recent.defer("text", "sms_text")


def taken(task: GroupTask, n_numbers: int) -> Taken:
    """What the task's request would take from budgets, under the locks of their counters."""
    calls, sms = calls_added(task, n_numbers), sms_after(task, n_numbers)
    return Taken(task.application, calls, expected(learned(task), calls), adds_nobody=not calls, also=sms)


def calls_added(task: GroupTask, n_numbers: int) -> int:
    """How many numbers it calls beyond those that count already; all, unless it changes a task."""
    return max(n_numbers - _counted(task, _calls_by), 0)


def sms_after(task: GroupTask, n_numbers: int, *, is_added: bool = True) -> list[Part]:
    """The SMS after calls: at most one per number, depending on the calls. Their cost is not known beforehand.

    `is_added`: without those that count already, if it changes a task.
    """
    if not task.hang_up_sms or task.sms_application is None:
        return []
    n = max(n_numbers - _counted(task, _sms_by), 0) if is_added else n_numbers
    return [Part(task.sms_application, n, Cost([], {}, n), adds_nobody=not n)]


def _calls_by(task: GroupTask) -> int | None:
    return task.application_id


def _sms_by(task: GroupTask) -> int | None:
    return task.sms_application_id if task.hang_up_sms else None


def _counted(task: GroupTask, application: Callable[[GroupTask], int | None]) -> int:
    """The numbers of the task that it would replace, which stay counted until it has replaced it.

    No more than those of another change that may have arrived first: what that does not call is given back with it.
    """
    parent = task.parent if task.kind == TaskKind.UPDATE else None
    if parent is None or parent.state == TaskState.REPLACED:
        return 0
    changes = GroupTask.objects.filter(parent=parent, kind=TaskKind.UPDATE, entry__isnull=False).exclude(pk=task.pk)
    perhaps = changes.exclude(entry__state__in=NEVER_LEFT).select_related("entry").defer("text", "sms_text")
    before = [one for one in (parent, *perhaps) if application(one) == application(task)]
    return min(_numbers(one) for one in before) if len(before) == 1 + len(perhaps) else 0


def _numbers(task: GroupTask) -> int:
    """As many as its request has."""
    return int(task.entry.summary.get("numbers", task.number_count)) if task.entry else 0


def replace(task: GroupTask, other: GroupTask | None = None) -> None:
    """Laaffic has put this change into its parent's place: give back what only the parent had. Under the task's lock.

    What both call stays counted in the period in which the parent left. `other`: another change of the same task, whose
    place it has taken.
    """
    if (parent := task.parent) is None:
        return
    if other is not None:
        _replace_change(task, other)
        return

    def kept(budget: Budget, held: int) -> int | None:
        stays = [by for by in (_calls_by, _sms_by) if by(task) == by(parent) == budget.application_id]
        had, has = _numbers(parent), _numbers(task) if stays else 0
        return -(-held * has // had) if has < had else None

    shares.correct_requests(_requests(parent), kept)


def _replace_change(task: GroupTask, other: GroupTask) -> None:
    """The other change may have given back what this one calls: this one counts whole, and that one not at all."""

    def whole(budget: Budget, _held: int) -> int:
        n = _numbers(task) if budget.application_id in (_calls_by(task), _sms_by(task)) else 0
        is_of_calls = budget.application_id == _calls_by(task)
        return shares.needed(budget, n, expected(learned(task), n) if is_of_calls else Cost([], {}, n))

    shares.correct_requests([pk for pk in (other.entry_id,) if pk is not None], lambda _budget, _held: 0)
    shares.correct_requests(_requests(task), whole)


def _requests(task: GroupTask) -> list[int]:
    """Its own and those of the tasks that it replaced one after the other: they share what it cost."""
    found = [task.entry_id]
    while task.kind == TaskKind.UPDATE and task.parent is not None and task.parent.state == TaskState.REPLACED:
        task = task.parent
        found.append(task.entry_id)
    return [pk for pk in found if pk is not None]


def real(task: GroupTask, entry: LedgerEntry) -> Cost | None:
    """What the calls of this request have cost; None while that is not known."""
    billed = _billed(task) if task.entry_id == entry.pk else None
    return None if billed is None else Cost([], billed, 0)


def real_calls(task: GroupTask, entry: LedgerEntry) -> int | None:
    """How many numbers this request has called, where that may be fewer than it was given; None while not known."""
    return _calls(task) if task.entry_id == entry.pk else None


def real_sms(task: GroupTask, entry: LedgerEntry) -> int | None:
    """How many SMS Laaffic has sent after the calls; None while that is not known."""
    return _sms(task) if task.entry_id == entry.pk else None


def _billed(task: GroupTask) -> dict[str, Decimal] | None:
    """By currency. None while it is not known, also where no amount names its currency: such are in no sum."""
    if task.has_called_nobody:
        return {}
    costs = group_figures.costs(task) if _is_told(task) else {}
    return {currency: cost for currency, cost in costs.items() if currency} or None


def _calls(task: GroupTask) -> int | None:
    return max(task.called or 0, task.recorded) if task.state in ENDED_EARLY and _is_told(task) else None


def _sms(task: GroupTask) -> int | None:
    if task.has_called_nobody:
        return task.sms_sent or 0
    return task.sms_sent if _is_told(task) else None


def _is_told(task: GroupTask) -> bool:
    """Whether all call records have come, or none will."""
    return task.has_called_nobody or (task.state in OVER and task.recorded >= (task.called or 0) > 0)


def charge(task: GroupTask) -> None:
    """Charge budgets what the task took, not what was expected, once all its records have come. Under its lock.

    Records that Laaffic's figures know nothing of are charged too: it may have been charged nothing before they came.
    """
    if task.entry_id is None or not (_is_told(task) or _is_unsaid(task)):
        return

    def real(budget: Budget, held: int) -> int | None:
        took = _took(task, budget)
        if took is None or (_is_unsaid(task) and took <= held):
            return None
        return min(took, held) if _lacks_an_earlier_share(task, budget) else took

    shares.correct_requests(_requests(task), real)


def _took(task: GroupTask, budget: Budget) -> int | None:
    """In the budget's unit, by what is known; None if it is not."""
    if budget.application_id != _calls_by(task):
        return None if budget.currency or budget.application_id != _sms_by(task) else _sms(task)
    if not budget.currency:
        return task.recorded if _is_unsaid(task) else _calls(task)
    billed = group_figures.costs(task) if _is_unsaid(task) else _billed(task)
    return None if billed is None else shares.needed(budget, 0, Cost([], billed, 0))


def _is_unsaid(task: GroupTask) -> bool:
    """Whether there are records of calls, though Laaffic says that it called nobody, or does not say whom."""
    return bool(task.state in OVER and task.recorded and not task.called)


def _lacks_an_earlier_share(task: GroupTask, budget: Budget) -> bool:
    """Whether a task that it has changed left before the budget was set, which so counts only what the change added."""
    earlier, parent = _requests(task)[1:], task.parent
    if parent is None or not earlier or budget.application_id not in (_calls_by(parent), _sms_by(parent)):
        return False
    return not BudgetShare.objects.filter(entry__in=earlier, counter__budget=budget).exists()


def expected(price: Learned | None, phones: int) -> Cost:
    if price is None:
        return Cost([], {}, phones)
    return Cost([], {price.currency: price.each * phones}, 0)
