"""Who has not agreed to marketing, or not any more, is left out; looked at once more when a batch is claimed."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy

from messaging.models import Campaign
from messaging.services.contacts import consents
from messaging.services.gates import as_frozen
from messaging.services.gates.gates import Gate, Kind, Queued, Verdict


class ConsentGate(Gate):
    """A message that it has stopped never goes, whatever consent comes afterwards: it was written for now."""

    EVIDENCE = "no consent for marketing when its batch was claimed"

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self._looked = False
        self._withdrawn: frozenset[str] | None = None  # None: everybody is asked

    def look(self, rows: Sequence[Queued]) -> Verdict:
        numbers = self._asked([row.number for row in rows])
        given = consents.given_among(numbers, self.campaign.channel)
        missing = {number for number in numbers if number not in given}
        if not missing:
            return Verdict()
        return Verdict(stopped={row.message_id: self.EVIDENCE for row in rows if row.number in missing})

    def _asked(self, numbers: list[str]) -> list[str]:
        """The numbers whose consent may have changed since they were frozen."""
        if not self._looked:
            self._looked = True
            frozen = as_frozen.of(self.campaign)
            if frozen is not None and frozen.consent:
                self._withdrawn = consents.withdrawn_since(self.campaign.channel, frozen.since)
        if self._withdrawn is None:
            return numbers
        return [number for number in numbers if number in self._withdrawn] if self._withdrawn else []


def _of(campaign: Campaign) -> Gate | None:
    return ConsentGate(campaign) if consents.is_needed(campaign) else None


KIND = Kind("consent", _of, stops=gettext_lazy("no consent when claimed"))
