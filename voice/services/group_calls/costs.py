"""The expected cost of a group call: Laaffic names no price before the calls, so the cost of the last tasks is used."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from messaging.services.budgets import shares
from messaging.services.budgets.whole_requests import Part, Taken
from messaging.services.reports.prices import Cost
from voice.models import GroupTask, TaskState
from voice.models.group_tasks import OVER
from voice.services.group_calls import figures as group_figures

LAST_TASKS = 20
NOT_OLDER = dt.timedelta(days=180)
ENDED_EARLY = (TaskState.CANCELLED, TaskState.FAILED)  # of its numbers some, or all, are never called


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
    return told.filter(launched_at__gte=timezone.now() - NOT_OLDER).defer("text", "sms_text")


def taken(task: GroupTask, n_numbers: int) -> Taken:
    """What the task's request would take from budgets, under the locks of their counters."""
    calls = expected(learned(task), n_numbers)
    return Taken(task.application, n_numbers, calls, also=sms_after(task, n_numbers))


def sms_after(task: GroupTask, n_numbers: int) -> list[Part]:
    """The SMS after calls: at most one per number, depending on the calls. Their cost is not known beforehand."""
    if not task.hang_up_sms or task.sms_application is None:
        return []
    return [Part(task.sms_application, n_numbers, Cost([], {}, n_numbers))]


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
    if _called_nobody(task):
        return {}
    costs = group_figures.costs(task) if _is_told(task) else {}
    return {currency: cost for currency, cost in costs.items() if currency} or None


def _calls(task: GroupTask) -> int | None:
    return task.called or 0 if task.state in ENDED_EARLY and _is_told(task) else None


def _sms(task: GroupTask) -> int | None:
    if _called_nobody(task):
        return task.sms_sent or 0
    return task.sms_sent if _is_told(task) else None


def _is_told(task: GroupTask) -> bool:
    """Whether all call records have come, or none will."""
    return _called_nobody(task) or (task.state in OVER and task.recorded >= (task.called or 0) > 0)


def _called_nobody(task: GroupTask) -> bool:
    """Whether Laaffic says so, and no record says otherwise: one that comes later is charged like any other."""
    if task.recorded or task.called:
        return False
    return task.state == TaskState.FAILED or (task.state == TaskState.CANCELLED and task.called is not None)


def charge(task: GroupTask) -> None:
    """Charge budgets what the task took, not what was expected, once all its records have come. Under its lock."""
    if task.entry_id is None:
        return
    if (billed := _billed(task)) is not None:
        shares.charge_request(task.entry_id, task.application_id, billed)
    if (calls := _calls(task)) is not None:
        shares.count_request(task.entry_id, task.application_id, calls)
    if task.hang_up_sms and task.sms_application_id is not None and (sent := _sms(task)) is not None:
        shares.count_request(task.entry_id, task.sms_application_id, sent)


def expected(price: Learned | None, phones: int) -> Cost:
    if price is None:
        return Cost([], {}, phones)
    return Cost([], {price.currency: price.each * phones}, 0)
