"""Calls whose process died: what never left is taken back, what may have left is unknown until a sync settles it."""

import datetime as dt

from django.utils import timezone

from laaffic_console.gateway.models import CallState, GatewayCall
from laaffic_console.gateway.services import ledger

ABOUT = ("binding request", "number pool")
LOST_AFTER = dt.timedelta(minutes=2)  # longer than connecting and reading may take


def recover(*, now: dt.datetime | None = None) -> int:
    """How many were given up for lost."""
    long_ago = (now or timezone.now()) - LOST_AFTER
    ours = GatewayCall.objects.filter(about_kind__in=ABOUT)
    lost = 0
    for call in ours.filter(state=CallState.PREPARED, prepared_at__lt=long_ago):
        # By state again: a process that is only slow may depart at this moment, and then it is its own.
        lost += ledger.settle_by_evidence(
            call.pk,
            CallState.NOT_SENT,
            evidence="its process ended before it left",
            provided=[CallState.PREPARED],
        )
    for call in ours.filter(state=CallState.IN_FLIGHT, left_at__lt=long_ago):
        lost += ledger.settle_by_evidence(
            call.pk, CallState.UNKNOWN, evidence="its process ended before an answer", provided=[CallState.IN_FLIGHT]
        )
    return lost
