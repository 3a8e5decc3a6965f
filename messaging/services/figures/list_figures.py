"""What the list of campaigns says of a page of them, in a fixed number of queries however long the page is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, OuterRef, Subquery, Sum

from laaffic_console.kit.words.figures import share
from messaging.models import Batch, Campaign, MessageState, OutcomeTally, Reply
from messaging.services.figures import insights
from messaging.services.figures.insights import Pace
from messaging.services.tallies import counting

FAILED = (MessageState.REJECTED, MessageState.EXPIRED, MessageState.UNDELIVERED)


@dataclass(frozen=True, slots=True)
class ListFigures:
    """What a row of the list shows of one campaign."""

    progress: dict[str, Any]  # as counting.progress
    pace: Pace | None  # None where it does not run
    costs: dict[str, Decimal]  # by currency
    replies: int

    @property
    def delivered(self) -> int:
        return int(self.progress["counts"]["delivered"])

    @property
    def failed(self) -> int:
        return sum(self.progress["counts"][state.key] for state in FAILED)

    @property
    def delivered_share(self) -> float | None:
        """Per cent of those whose end is known; None while there is none."""
        ends = self.delivered + self.failed
        return share(self.delivered, ends) if ends else None


def of_many(campaigns: Sequence[Campaign]) -> dict[int, ListFigures]:
    ids = [campaign.pk for campaign in campaigns]
    progress = counting.progress_of_many(campaigns)
    paces = insights.paces(campaigns, {pk: progress[pk]["counts"] for pk in ids})
    costs = _costs_of(ids)
    replied = Reply.objects.filter(campaign__in=ids).order_by().values_list("campaign_id").annotate(n=Count("pk"))
    replies: dict[int, int] = dict(replied)
    return {pk: ListFigures(progress[pk], paces.get(pk), costs[pk], replies.get(pk, 0)) for pk in ids}


def _costs_of(ids: Sequence[int]) -> dict[int, dict[str, Decimal]]:
    paid = OutcomeTally.objects.filter(campaign__in=ids).exclude(currency="").order_by("campaign_id", "currency")
    found: dict[int, dict[str, Decimal]] = defaultdict(dict)
    for pk, currency, micros in paid.values_list("campaign_id", "currency").annotate(total=Sum("pay_micros")):
        found[pk][currency] = counting.amount(micros)
    return found


def summed(*states: MessageState) -> Subquery:
    """To sort campaigns by: how many of each one's messages are in these states."""
    total = sum((Sum(state.key) for state in states[1:]), start=Sum(states[0].key))
    batches = Batch.objects.filter(campaign=OuterRef("pk")).order_by().values("campaign")
    return Subquery(batches.annotate(n=total).values("n"))


def replied() -> Subquery:
    """To sort campaigns by: how many replies each one has."""
    replies = Reply.objects.filter(campaign=OuterRef("pk")).order_by().values("campaign")
    return Subquery(replies.annotate(n=Count("pk")).values("n"))
