"""When a message left, or may have, by its request and its own row."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q
from django.db.models.functions import Coalesce

from messaging.models import BatchState, Message, MessageState
from messaging.models.messages import has_never_left

CLOCKS_APART = dt.timedelta(minutes=5)  # the console's and the gateway's, by which replies are dated
# A request leaves before its answer is settled, and what is unknown may never be.
LEFT_AT = Coalesce("batch__entry__left_at", "settled_at", "batch__claimed_at", "campaign__launched_at")


@dataclass(frozen=True, slots=True)
class Departure:
    at: dt.datetime  # at the latest
    surely_not_before: dt.datetime | None  # None where no request says when it left
    has_failed: bool  # the only sending did not arrive, says its report


def of_one_person(campaigns: Collection[int]) -> dict[int, Departure]:
    """{campaign: when its message left, or may have} of those among these campaigns to one number each.

    Not of what waits or was stopped, suppressed or rejected before it left.
    """
    if not campaigns:
        return {}
    sent = Q(state__gt=MessageState.QUEUED) | Q(attempt__gt=1)
    # Claimed, its request may have left; answered, its own row does not say so yet.
    leaving = Q(batch__state=BatchState.SETTLED) | Q(
        batch__state=BatchState.CLAIMED, batch__entry__left_at__isnull=False
    )
    messages = Message.objects.filter(sent | leaving, campaign__in=campaigns).exclude(has_never_left()).order_by()
    rows = messages.annotate(left=LEFT_AT).values_list("campaign", "left", "batch__entry__left_at", "state", "attempt")
    return {
        pk: Departure(left, by_request, state == MessageState.UNDELIVERED and attempt == 1)
        for pk, left, by_request, state, attempt in rows
        if left is not None
    }
