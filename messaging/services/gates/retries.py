"""A retry is for the failed: who turns out to have been reached after all gets nothing more.

It is looked at when a retry is launched, and once more when a batch of it is claimed: reports come late.
"""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from messaging.models import Campaign, Message, MessageState
from messaging.services.gates.gates import Gate, Kind, Queued, Verdict

FAILED = (MessageState.REJECTED, MessageState.UNDELIVERED)


def reached(campaign: Campaign) -> QuerySet[Message]:
    """Messages that have not failed, as told now, of the campaign that it is a retry of, and of those that one was."""
    before: list[int] = []
    earlier = campaign.retry_of_id
    while earlier is not None and earlier not in before:
        before.append(earlier)
        earlier = Campaign.objects.filter(pk=earlier).values_list("retry_of_id", flat=True).first()
    return Message.objects.filter(campaign__in=before).exclude(state__in=FAILED)


def reached_among(campaign: Campaign, numbers: Sequence[str]) -> set[str]:
    return set(reached(campaign).filter(number__in=numbers).values_list("number", flat=True)) if numbers else set()


class RetryGate(Gate):
    """Who has been reached since the retry was launched is left out."""

    EVIDENCE = "its earlier message had not failed after all, when its batch was claimed"

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign

    def look(self, rows: Sequence[Queued]) -> Verdict:
        reached_since = reached_among(self.campaign, [row.number for row in rows])
        return Verdict(stopped={row.message_id: self.EVIDENCE for row in rows if row.number in reached_since})


KIND = Kind(
    "retry",
    lambda campaign: RetryGate(campaign) if campaign.retry_of_id is not None else None,
    stops=gettext_lazy("had been reached after all when claimed"),
)
