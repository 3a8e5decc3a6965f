"""Giving up calls whose process died: what never left is taken back, what may have left is unknown from then on.

A process that is only slow may let its call leave at any moment. So each call is judged in the statement that writes
the judgement: one that left meanwhile is not called "not sent", and one that was answered keeps its answer.
"""

import datetime as dt

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import GatewayCall
from laaffic_console.gateway.services import ledger

# Longer than connecting and reading may take.
LOST_AFTER = max(dt.timedelta(minutes=2), dt.timedelta(seconds=sum(settings.LAAFFIC_TIMEOUTS) + 30))


def give_up(calls: "QuerySet[GatewayCall]", *, now: dt.datetime | None = None) -> int:
    """Settle those among the calls that nobody can be waiting for any more; how many."""
    long_ago = (now or timezone.now()) - LOST_AFTER
    taken_back = ledger.take_back(calls.filter(prepared_at__lt=long_ago), "its process ended before it left")
    left_long_ago = Q(left_at__lt=long_ago) | Q(left_at=None, prepared_at__lt=long_ago)
    return taken_back + ledger.lose(calls.filter(left_long_ago), "its process ended before an answer")
