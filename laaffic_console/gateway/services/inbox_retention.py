"""Pushed bodies that were wholly applied are kept for some days: they hold numbers and texts, and one comes per report.

One that was not applied, or not all of it, waits for somebody who looks, and stays.
"""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from laaffic_console.gateway.models import PushedBody
from laaffic_console.gateway.services import database_clock

AT_ONCE = 1000
A_SWEEP = 10_000


def sweep() -> int:
    """Some of the oldest, with their reports without a message; how many."""
    days = settings.LAAFFIC_INBOX_DAYS
    before = database_clock.now() - dt.timedelta(days=days)
    removed = 0
    while days and removed < A_SWEEP and (some := _oldest(before)):
        removed += _remove(some, before)
        if len(some) < AT_ONCE:
            break
    return removed


def _oldest(before: dt.datetime) -> list[int]:
    return list(_done(before).order_by("received_at", "pk").values_list("pk", flat=True)[:AT_ONCE])


@transaction.atomic
def _remove(some: list[int], before: dt.datetime) -> int:
    """But what is to be applied again since."""
    chosen = list(_done(before).filter(pk__in=some).select_for_update().order_by("pk").values_list("pk", flat=True))
    PushedBody.objects.filter(pk__in=chosen).delete()
    return len(chosen)


def _done(before: dt.datetime) -> QuerySet[PushedBody]:
    return PushedBody.objects.filter(received_at__lt=before, failed=0).exclude(applied_at=None)
