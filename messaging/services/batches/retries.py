"""A retry is for the failed: who turns out to have been reached after all gets nothing more.

It is looked at when a retry is launched, and once more when a batch of it is claimed: reports come late.
"""

from collections.abc import Sequence

from django.db.models import QuerySet

from messaging.models import Campaign, Message, MessageState

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
