"""How long a request whose answer was lost may still be on its way at Laaffic, before its absence proves anything."""

import datetime as dt

from django.conf import settings
from django.db.models import QuerySet

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services import ledger

# What a list did not show may still turn up in a later one. After this time somebody else may have done the same.
SHOWS_WITHIN = dt.timedelta(days=1)
ARRIVES_WITHIN = dt.timedelta(seconds=settings.NUMBERS_GRACE_SECONDS)


def denied_lately(entries: "QuerySet[LedgerEntry]", began: dt.datetime) -> "QuerySet[LedgerEntry]":
    """Refused as a list did not show them, and not long ago: one that was read since `began` may."""
    return ledger.denied_by_evidence(entries).filter(left_at__gte=began - SHOWS_WITHIN, left_at__lt=began)


def accepted(entry_id: int) -> None:
    """The answer says so, also where a list did not show it before the answer came."""
    if not ledger.settle_accepted(entry_id):
        ledger.was_done_after_all(entry_id, evidence="the answer")
