"""At most one worker at a time does a named piece of work; a dead one's lease runs out by itself."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from laaffic_console.gateway.models import Lease

LEASE_SECONDS = (
    settings.LAAFFIC_LEASE_SECONDS
)  # within half a minute a sweeper finds what a killed worker left (DESIGN §1.3)


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
        Lease.objects.filter(name=self.name, token=self.token).update(token="", until=timezone.now())


def take(name: str, seconds: float = LEASE_SECONDS) -> HeldLease | None:
    token = str(uuid.uuid4())
    now = timezone.now()
    with transaction.atomic():
        Lease.objects.bulk_create([Lease(name=name, until=now - dt.timedelta(days=1))], ignore_conflicts=True)
        free = Lease.objects.filter(name=name).filter(Q(token="") | Q(until__lt=now))
        taken = free.update(token=token, until=_end(seconds))
    return HeldLease(name, token, seconds) if taken else None


@contextmanager
def lease(name: str, seconds: float = LEASE_SECONDS) -> Iterator[HeldLease | None]:
    """`with lease("inbox") as held: if held is None: return`."""
    held = take(name, seconds)
    try:
        yield held
    finally:
        if held is not None:
            held.release()


def holder(name: str) -> str:
    """The token of whoever holds it now; "" when nobody does."""
    token = Lease.objects.filter(name=name, until__gte=timezone.now()).values_list("token", flat=True).first()
    return token or ""


def is_held(name: str) -> bool:
    return bool(holder(name))


def free(name: str) -> None:
    """Give back a lease that another process took, when what it stands for is done."""
    Lease.objects.filter(name=name).update(token="", until=timezone.now())


def _end(seconds: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=seconds)
