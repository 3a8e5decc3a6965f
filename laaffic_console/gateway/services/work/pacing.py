"""How fast recipients may leave, exact over any number of workers and machines.

Each limit has one row with the time at which its next recipient may leave. A claim of n recipients moves it by n / rate
in the claim's own transaction, from *now* if it lies behind: an idle queue saves up no burst.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from laaffic_console.gateway.models import RatePacer
from laaffic_console.gateway.services.database import database_clock

SLACK = dt.timedelta(seconds=0.25)
FURTHEST = dt.timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class RateLimit:
    name: str  # "application:3", "campaign:17"
    per_second: int


def pacing_batch(limits: Sequence[RateLimit], at_most: int) -> int:
    """How many recipients one claim may take: about a second's worth, so that a change of rate is felt at once."""
    return min([at_most, *(limit.per_second for limit in limits)])


def claims_at_once(limits: Sequence[RateLimit], recipients: int, at_most: int) -> int:
    """How many requests of so many recipients one claim may take: with a rate, those of a twentieth of a second."""
    if not limits:
        return at_most
    return max(1, min(at_most, *(limit.per_second // (20 * recipients) for limit in limits)))


class Pace:
    """The pacers of some limits, locked in the claim's transaction: how long to wait, and then one reservation."""

    def __init__(self, limits: Sequence[RateLimit]) -> None:
        self.limits = limits
        self.now = database_clock.now() if limits else None
        self.next_at = _locked(limits, self.now) if self.now else {}

    @property
    def wait_until(self) -> dt.datetime | None:
        """None: now."""
        latest = max(self.next_at.values(), default=None)
        return latest if latest and self.now and latest > self.now else None

    def reserve(self, recipients: int) -> None:
        for limit in self.limits if recipients else ():
            moved = self.next_at[limit.name] + dt.timedelta(seconds=recipients / limit.per_second)
            RatePacer.objects.filter(name=limit.name).update(next_at=moved)


def reserve(limits: Sequence[RateLimit], recipients: int) -> dt.datetime | None:
    """Take the right to send now, inside the claim's transaction; or say when to come back, having taken nothing."""
    pace = Pace(limits)
    if pace.wait_until is None:
        pace.reserve(recipients)
    return pace.wait_until


def _locked(limits: Sequence[RateLimit], now: dt.datetime) -> dict[str, dt.datetime]:
    """When the next recipient of each may leave.

    Locked in one order by everybody; SQLite's immediate transaction already holds the only write lock.
    """
    names = sorted(limit.name for limit in limits)
    RatePacer.objects.bulk_create([RatePacer(name=name, next_at=now) for name in names], ignore_conflicts=True)
    pacers = RatePacer.objects.select_for_update().filter(name__in=names).order_by("name")
    return {pacer.name: _believed(pacer.next_at, now) for pacer in pacers}


def _believed(next_at: dt.datetime, now: dt.datetime) -> dt.datetime:
    """A worker wakes a little late each time; that much is made up for, and no more.

    No claim reserves more than a second: what lies further ahead was written by a clock that was wrong.
    """
    return now if next_at > now + FURTHEST else max(next_at, now - SLACK)
