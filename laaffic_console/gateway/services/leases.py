"""At most one worker at a time does a named piece of work; a dead one's lease runs out by itself."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from laaffic_console.gateway.models import Lease
from laaffic_console.gateway.services import database_clock

LEASE_SECONDS = (
    settings.LAAFFIC_LEASE_SECONDS
)  # within half a minute a sweeper finds what a killed worker left (laws#queue-only-rings)
CLOCKS_DIFFER_BY = dt.timedelta(seconds=2)  # a clock is set by so much now and then


@dataclass(slots=True)
class HeldLease:
    name: str
    token: str
    seconds: float

    def renew(self) -> bool:
        """Push the end out again; False when somebody else has taken it: stop at once."""
        held = Lease.objects.filter(name=self.name, token=self.token)
        return held.update(until=_end(self.seconds)) == 1

    def release(self) -> None:
        Lease.objects.filter(name=self.name, token=self.token).update(token="", until=database_clock.now())


def take(name: str, seconds: float = LEASE_SECONDS) -> HeldLease | None:
    token = str(uuid.uuid4())
    with transaction.atomic():
        now = database_clock.now()
        Lease.objects.bulk_create([Lease(name=name, until=now - dt.timedelta(days=1))], ignore_conflicts=True)
        seen = Lease.objects.get(name=name)
        if _is_live(seen, now):
            return None
        unchanged = Lease.objects.filter(name=name, token=seen.token, until=seen.until)
        taken = unchanged.update(token=token, seconds=seconds, until=now + dt.timedelta(seconds=seconds))
    return HeldLease(name, token, seconds) if taken else None


@contextmanager
def lease(name: str, seconds: float = LEASE_SECONDS) -> Iterator[HeldLease | None]:
    """`with lease("inbox") as lease: if lease is None: return`."""
    held = take(name, seconds)
    try:
        yield held
    finally:
        if held is not None:
            held.release()


def holder(name: str) -> str:
    """The token of whoever holds it now; "" when nobody does."""
    found = Lease.objects.filter(name=name).first()
    return found.token if found and _is_live(found, database_clock.now()) else ""


def is_held(name: str) -> bool:
    return bool(holder(name))


def free(name: str) -> None:
    """Give back a lease that another process took, when what it stands for is done."""
    Lease.objects.filter(name=name).update(token="", until=database_clock.now())


def _is_live(lease: Lease, now: dt.datetime) -> bool:
    """One that ends further ahead than it is long was written by a clock that was wrong: it has run out."""
    furthest = now + dt.timedelta(seconds=lease.seconds) + CLOCKS_DIFFER_BY
    return bool(lease.token) and now <= lease.until <= furthest


def _end(seconds: float) -> dt.datetime:
    return database_clock.now() + dt.timedelta(seconds=seconds)
