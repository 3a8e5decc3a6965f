"""Giving up requests whose process died: what never left is taken back, what may have left is unknown from then on.

A process that is only slow may let its request leave at any moment. So each is judged in the statement that writes
the judgement: one that left in the meantime is not called "not sent", and one that was answered keeps its answer.
"""

import datetime as dt

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.ledger import ledger

# Longer than connecting and reading may take.
LOST_AFTER = dt.timedelta(seconds=settings.LAAFFIC_LOST_AFTER_SECONDS)


def give_up(entries: "QuerySet[LedgerEntry]", *, now: dt.datetime | None = None) -> int:
    """Settle those among the requests that nobody can be waiting for any more; how many.

    What lies ahead was written by a clock that was wrong. If its process lives after all, the answer still counts.
    """
    now = now or timezone.now()
    taken_back = ledger.take_back(entries.filter(_is_past("prepared_at", now)), "its process ended before it left")
    left_long_ago = _is_past("left_at", now) | Q(left_at=None) & _is_past("prepared_at", now)
    return taken_back + ledger.lose(entries.filter(left_long_ago), "its process ended before an answer")


def _is_past(field: str, now: dt.datetime) -> Q:
    return Q(**{f"{field}__lt": now - LOST_AFTER}) | Q(**{f"{field}__gt": now + LOST_AFTER})
