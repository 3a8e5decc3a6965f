"""What a group call would cost: Laaffic names no price before the calls, so the last tasks' own costs say it."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from messaging.services.budgets import shares
from messaging.services.reports.prices import Cost
from voice.models import GroupTask
from voice.models.group_tasks import OVER

LAST_TASKS = 20
NOT_OLDER = dt.timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Learned:
    """Of one phone that was called, over all its seconds; from tasks whose call records have all come."""

    each: Decimal
    currency: str
    tasks: int
    calls: int


def learned(task: GroupTask) -> Learned | None:
    """From the application's last tasks; in the currency of most calls, where there are several. None: none tells."""
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


def real(task: GroupTask, entry: LedgerEntry) -> Cost | None:
    """What this request of it has cost; None as long as that is not known."""
    if not _is_told(task) or task.cost is None or task.entry_id != entry.pk:
        return None
    return Cost([], {task.currency: task.cost}, 0)


def _is_told(task: GroupTask) -> bool:
    """All its call records have come."""
    return task.state in OVER and task.recorded >= (task.called or 0) > 0


def charge(task: GroupTask) -> None:
    """Its budgets paid what was expected: now that all its records have come, what it has cost. Under its lock."""
    if _is_told(task) and task.cost is not None and task.entry_id is not None:
        shares.charge_request(task.entry_id, task.currency, task.cost)


def expected(price: Learned | None, phones: int) -> Cost:
    if price is None:
        return Cost([], {}, phones)
    return Cost([], {price.currency: price.each * phones}, 0)
