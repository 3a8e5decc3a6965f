"""Requests about bindings and pools whose process died: a sync settles what may have left."""

import datetime as dt

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.ledger import lost_requests
from phone_numbers.services import binding_evidence, owned_evidence, pool_state

ABOUT = (binding_evidence.ABOUT, pool_state.ABOUT, owned_evidence.ABOUT)


def recover(*, now: dt.datetime | None = None) -> int:
    """Give up requests whose process died; how many."""
    return lost_requests.give_up(LedgerEntry.objects.filter(about_kind__in=ABOUT), now=now)
