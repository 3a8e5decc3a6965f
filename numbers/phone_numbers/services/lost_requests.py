"""Requests about bindings and pools whose process died: a sync settles what may have left."""

import datetime as dt

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.ledger import lost_requests

ABOUT = ("binding request", "number pool", "owned number")


def recover(*, now: dt.datetime | None = None) -> int:
    """Give up requests whose process died; how many."""
    return lost_requests.give_up(LedgerEntry.objects.filter(about_kind__in=ABOUT), now=now)
