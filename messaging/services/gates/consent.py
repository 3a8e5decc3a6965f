"""Who has not agreed to marketing, or not any more, is left out; looked at once more when a batch is claimed."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy

from messaging.models import Campaign
from messaging.services.contacts import consents
from messaging.services.gates.gates import Gate, Kind, Queued, Verdict


class ConsentGate(Gate):
    """A message that it has stopped never goes, whatever is said afterwards: it was written for now."""

    EVIDENCE = "no consent for marketing when its batch was claimed"

    def __init__(self, channel: str) -> None:
        self.channel = channel

    def look(self, rows: Sequence[Queued]) -> Verdict:
        given = consents.given_among([row.number for row in rows], self.channel)
        return Verdict(stopped={row.message_id: self.EVIDENCE for row in rows if row.number not in given})


def _of(campaign: Campaign) -> Gate | None:
    return ConsentGate(campaign.channel) if consents.is_needed(campaign) else None


KIND = Kind("consent", _of, stops=gettext_lazy("no consent when claimed"))
