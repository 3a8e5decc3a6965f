"""At most one worker at a time does a named piece of work; a dead one's lease runs out by itself."""

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from laaffic_console.gateway.models import Lease
from laaffic_console.gateway.services.database import database_clock, durability
from laaffic_console.kit.sql.constant_sql import Given, Insert, Select, Update

LEASE_SECONDS = (
    settings.LAAFFIC_LEASE_SECONDS
)  # within half a minute a sweeper finds what a killed worker left (laws#queue-only-rings)
KEPT = dt.timedelta(hours=1)  # a row of what nobody does any more
FORGOTTEN_AT_ONCE = 1000
CLOCKS_DIFFER_BY = dt.timedelta(seconds=2)  # a clock is set by so much now and then


@dataclass(slots=True)
class HeldLease:
    name: str
    token: str
    seconds: float
    taken_at: float = field(default_factory=time.monotonic)

    def renew(self) -> bool:
        """Push the end out again; False when somebody else has taken it: stop at once."""
        return _end(name=self.name, token=self.token, until=_after(self.seconds)) == 1

    def release(self) -> None:
        _give_back(name=self.name, token=self.token, until=database_clock.now())


def take(name: str, seconds: float = LEASE_SECONDS) -> HeldLease | None:
    token = str(uuid.uuid4())
    while (taken := _try_to_take(name, token, seconds)) is None:
        pass  # its row was forgotten between two looks: nobody holds it
    return HeldLease(name, token, seconds) if taken else None


def _try_to_take(name: str, token: str, seconds: float) -> bool | None:
    """Whether the lease was taken; None where the row that was there has gone in the meantime."""
    with transaction.atomic():
        durability.relax()  # what is done under it and must last waits for the disk, and takes this along
        now = database_clock.now()
        seen = _named.first(Lease, name=name)
        ends = now + dt.timedelta(seconds=seconds)
        if seen is None:
            _begin([Lease(name=name, token=token, seconds=seconds, until=ends)])
            seen = _named.first(Lease, name=name)
            if seen is None:
                return None
            if seen.token == token:
                return True
        if _is_live(seen, now):
            return False
        if _take(name=name, seen=seen.token, ended=seen.until, token=token, seconds=seconds, until=ends):
            return True
        return False if _named.first(Lease, name=name) else None


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
    """The token of its holder; "" when nobody does."""
    found = Lease.objects.filter(name=name).first()
    return found.token if found and _is_live(found, database_clock.now()) else ""


def is_held(name: str) -> bool:
    return bool(holder(name))


def free(name: str) -> None:
    """Give back a lease that another process took, when what it stands for is done."""
    Lease.objects.filter(name=name).update(token="", until=database_clock.now())


def forget_old() -> None:
    """Each campaign has had a lease, and each message of the API is a campaign: what was given back is removed."""
    given_back = Lease.objects.filter(token="", until__lt=database_clock.now() - KEPT).order_by()
    names = list(given_back.values_list("name", flat=True)[:FORGOTTEN_AT_ONCE])
    if names:  # nearly never on a small console: a DELETE would take SQLite's lock each time
        given_back.filter(name__in=names).delete()


def _is_live(lease: Lease, now: dt.datetime) -> bool:
    """Whether it holds; one that ends further ahead than it is long was written by a wrong clock, and has run out."""
    furthest = now + dt.timedelta(seconds=lease.seconds) + CLOCKS_DIFFER_BY
    return bool(lease.token) and now <= lease.until <= furthest


def _after(seconds: float) -> dt.datetime:
    return database_clock.now() + dt.timedelta(seconds=seconds)


@Select
def _named() -> QuerySet[Lease]:
    return Lease.objects.filter(name=Given("name")).order_by()


_begin = Insert(Lease, keys=False, unless_there=True)


@Update
def _take() -> tuple[QuerySet[Lease], dict[str, Any]]:
    unchanged = Lease.objects.filter(name=Given("name"), token=Given("seen"), until=Given("ended"))
    return unchanged, {"token": Given("token"), "seconds": Given("seconds"), "until": Given("until")}


@Update
def _end() -> tuple[QuerySet[Lease], dict[str, Any]]:
    return Lease.objects.filter(name=Given("name"), token=Given("token")), {"until": Given("until")}


@Update
def _give_back() -> tuple[QuerySet[Lease], dict[str, Any]]:
    held = Lease.objects.filter(name=Given("name"), token=Given("token"))
    return held, {"token": "", "until": Given("until")}
