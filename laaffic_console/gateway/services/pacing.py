"""How fast recipients may leave, exact over any number of workers and machines.

Each limit has one row with the time at which its next recipient may leave. A claim of n recipients moves it by n / rate
in the claim's own transaction, from *now* if it lies behind: an idle queue saves up no burst.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from laaffic_console.gateway.models import RatePacer

SLACK = dt.timedelta(seconds=0.25)


@dataclass(frozen=True, slots=True)
class RateLimit:
    name: str  # "application:3", "campaign:17"
    per_second: int


def pacing_batch(limits: Sequence[RateLimit], at_most: int) -> int:
    """How many recipients one claim may take: about a second's worth, so that a change of rate is felt at once."""
    return min([at_most, *(limit.per_second for limit in limits)])


def reserve(limits: Sequence[RateLimit], recipients: int) -> dt.datetime | None:
    """Take the right to send now, inside the claim's transaction; or say when to come back, having taken nothing."""
    if not limits:
        return None
    now = timezone.now()
    names = sorted(limit.name for limit in limits)
    RatePacer.objects.bulk_create([RatePacer(name=name, next_at=now) for name in names], ignore_conflicts=True)
    # Locked in one order by everybody; SQLite's immediate transaction already holds the only write lock.
    pacers = {
        pacer.name: pacer for pacer in RatePacer.objects.select_for_update().filter(name__in=names).order_by("name")
    }
    latest = max(pacer.next_at for pacer in pacers.values())
    if latest > now:
        return latest
    for limit in limits:
        # A worker wakes a little late each time; that much is made up for, and no more.
        due = max(pacers[limit.name].next_at, now - SLACK)
        RatePacer.objects.filter(name=limit.name).update(
            next_at=due + dt.timedelta(seconds=recipients / limit.per_second)
        )
    return None
