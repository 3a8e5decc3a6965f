"""The few first: until their reports have decided, nobody leaves but those who were chosen.

Who they are is fixed once, when the audience is frozen, so it holds whatever happens to batches, claims and senders:
a message that was not chosen waits, and one that was chosen leaves once as any other.
"""

import datetime as dt
from collections.abc import Sequence

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.words.said import gettext as _
from messaging.models import Campaign, Canary, CanaryMessage
from messaging.services.gates.gates import Gate, Kind, Later, Queued, Verdict

NAME = "canary"
WHY = f"{NAME}:"
LONG = dt.timedelta(days=365)  # what waits is let go by the decision; nobody looks at it before


def begin(campaign: Campaign) -> None:
    """Make the canary of a launch that has one; call it before anybody of the audience is frozen."""
    if campaign.launched_at is not None:
        Canary.objects.filter(campaign=campaign).delete()  # of a launch that was taken back
    if campaign.canary:
        Canary.objects.create(campaign=campaign)


def waits_until() -> dt.datetime:
    return database_clock.now() + LONG


class CanaryGate(Gate):
    """`canary` is locked: a decision waits for the claim, so it sees whatever the claim has kept back."""

    def __init__(self, canary: Canary) -> None:
        self.canary = canary
        self.later = Later(waits_until(), WHY)

    def look(self, rows: Sequence[Queued]) -> Verdict:
        ids = [row.message_id for row in rows]
        chosen: set[int] = set()
        if self.canary.drawn_at is not None:
            found = CanaryMessage.objects.filter(canary=self.canary, message_id__in=ids)
            chosen = set(found.values_list("message_id", flat=True))
        return Verdict(waiting={message_id: self.later for message_id in ids if message_id not in chosen})


def _of(campaign: Campaign) -> Gate | None:
    if not campaign.canary:
        return None
    canary = Canary.objects.select_for_update(no_key=True).filter(pk=campaign.pk).first()
    return CanaryGate(canary) if canary is not None and canary.passed_at is None else None


KIND = Kind(
    NAME,
    _of,
    says=lambda _value: _("It waits for the few first, and for what their reports say."),
    tells_when=lambda _value: False,
)
