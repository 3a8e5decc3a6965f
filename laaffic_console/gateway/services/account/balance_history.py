"""How much money was on the account, and whether it runs low."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import BalanceReading
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import Balance

KEPT = dt.timedelta(days=92)

_told: list[Callable[[BalanceReading, Decimal], None]] = []


def tell_when_low(listener: Callable[[BalanceReading, Decimal], None]) -> None:
    """Called from an app's ready() to register a listener for a balance that has fallen under its limit."""
    if listener not in _told:
        _told.append(listener)


@transaction.atomic
def record(balance: Balance) -> BalanceReading:
    now = database_clock.now()
    BalanceReading.objects.filter(at__lt=now - KEPT).delete()
    was_low = is_low(latest())
    reading = BalanceReading.objects.create(
        at=now,
        balance=balance.balance,
        gift=balance.gift,
        credit=balance.credit,
        currency=(balance.currency or settings.LAAFFIC_BALANCE_CURRENCY)[:8],
    )
    if is_low(reading) and not was_low:
        for listener in _told:
            listener(reading, settings.LAAFFIC_BALANCE_ALERT)
    return reading


def latest() -> BalanceReading | None:
    return _readings().order_by("-at").first()


def _readings() -> "QuerySet[BalanceReading]":
    """Without those that lie ahead: they were written by a clock that was wrong."""
    return BalanceReading.objects.filter(at__lte=database_clock.in_statement() + due.CLOCKS_DIFFER_BY)


def is_low(reading: BalanceReading | None) -> bool:
    """Under LAAFFIC_BALANCE_ALERT; a threshold of 0 never warns."""
    return reading is not None and 0 < settings.LAAFFIC_BALANCE_ALERT > reading.balance


def is_old(reading: BalanceReading | None) -> bool:
    """Older than three readings: the gateway has not told for a while."""
    return reading is not None and timezone.now() - reading.at > 3 * every()


def every() -> dt.timedelta:
    return dt.timedelta(minutes=settings.LAAFFIC_BALANCE_MINUTES)


def is_due() -> bool:
    reading = latest()
    return reading is None or database_clock.now() - reading.at >= every()


def points(since: dt.datetime, at_most: int = 200) -> list[BalanceReading]:
    """Readings for a chart, oldest first, thinned evenly."""
    found = list(_readings().filter(at__gte=since).order_by("at").values_list("pk", flat=True))
    step = max(1, -(-len(found) // at_most))
    chosen = sorted({*found[::step], *found[-1:]})
    return list(BalanceReading.objects.filter(pk__in=chosen).order_by("at"))
