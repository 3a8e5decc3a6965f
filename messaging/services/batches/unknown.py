"""Messages that stay unknown, with all that is known of them, for the person who must decide about them."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Max

from laaffic_console.gateway.models import LedgerEntry
from messaging.models import IS_OPEN_BATCH, Batch, Campaign, MessageState

SHOWN = 50
NOTHING = dt.datetime.min.replace(tzinfo=dt.UTC)  # seen: nothing at all


@dataclass(frozen=True, slots=True)
class Lost:
    """One request whose answer was lost, and what its messages say."""

    entry: LedgerEntry
    messages: int
    evidence: str  # of its first message: the same for all, and whether the vendor's records have been asked
    next_look: dt.datetime | None  # None when nothing is asked any more


def of(campaign: Campaign) -> list[Lost]:
    batches = (
        Batch.objects.filter(IS_OPEN_BATCH, campaign=campaign, unknown__gt=0)
        .exclude(entry=None)
        .select_related("entry")
        .order_by("state", "pk")  # as their index has them
    )
    found = []
    for batch in batches[:SHOWN]:
        if batch.entry is None:
            continue
        first = batch.messages().filter(state=MessageState.UNKNOWN).order_by("pk").values_list("evidence", flat=True)
        found.append(Lost(batch.entry, batch.unknown, first[:1][0] if first[:1] else "", batch.next_check_at))
    return found


def newest(campaign: Campaign) -> dt.datetime:
    """When the last answer was lost: what a person says does not apply to one that is lost later.

    What counts is when the answer was lost, not when the request left: an earlier request may be lost later.
    """
    lost = Batch.objects.filter(IS_OPEN_BATCH, campaign=campaign, unknown__gt=0)
    return lost.aggregate(newest=Max("entry__settled_at"))["newest"] or NOTHING
