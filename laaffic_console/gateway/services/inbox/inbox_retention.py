"""Pushed bodies that were wholly applied are kept for some days: they hold numbers and texts, and one comes per report.

One that was not applied, or not all of it, stays until *Apply again* has taken it.
"""

import datetime as dt
import itertools

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from laaffic_console.gateway.models import PushedBody
from laaffic_console.gateway.services.database import database_clock

AT_ONCE = 1000
TEXT_AT_ONCE = 16 * 1024 * 1024  # characters: SQLite gives all their pages back before anybody else may write


def sweep() -> int:
    """Delete some of the oldest bodies, with their reports without a message; how many."""
    if not settings.LAAFFIC_INBOX_DAYS:
        return 0
    before = database_clock.now() - dt.timedelta(days=settings.LAAFFIC_INBOX_DAYS)
    some = _oldest(before)
    return _remove(some, before) if some else 0


def _oldest(before: dt.datetime) -> list[int]:
    found = list(_done(before).order_by("received_at", "pk").values_list("pk", "size")[:AT_ONCE])
    text = itertools.accumulate(size for _pk, size in found)
    return [pk for n, ((pk, _), total) in enumerate(zip(found, text, strict=True)) if not n or total <= TEXT_AT_ONCE]


@transaction.atomic
def _remove(some: list[int], before: dt.datetime) -> int:
    """Delete these, but none that is to be applied again since."""
    chosen = list(_done(before).filter(pk__in=some).select_for_update().order_by("pk").values_list("pk", flat=True))
    PushedBody.objects.filter(pk__in=chosen).only("pk").delete()  # or their texts would be read first
    return len(chosen)


def _done(before: dt.datetime) -> QuerySet[PushedBody]:
    return PushedBody.objects.filter(received_at__lt=before, failed=0).exclude(applied_at=None)
