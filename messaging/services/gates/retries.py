"""A retry is for the failed: who turns out to have been reached after all gets nothing more.

It is looked at when a retry is launched, and once more when a batch of it is claimed: reports come late.
"""

from collections.abc import Sequence

from django.db import connection
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext_lazy

from messaging.models import BatchState, Campaign, EarlierAttempt, Message, MessageState
from messaging.services.gates.gates import Gate, Kind, Queued, Verdict
from messaging.subscribers import every_spelling, subscriber

LOCK = 7_220_100  # and the first campaign: nobody else looks whom its retries reach until what was claimed is committed
FAILED = (MessageState.REJECTED, MessageState.UNDELIVERED)
MAY_HAVE_REACHED = (MessageState.UNKNOWN, MessageState.ACCEPTED, MessageState.EXPIRED, MessageState.DELIVERED)


def reached(campaign: Campaign) -> QuerySet[Message]:
    """Messages that have not failed, as told now, of the campaign that it is a retry of, and of those that one was;
    and those that have left, or leave before its own, of every other retry of the same campaign.
    """
    before = _before(campaign)
    beside = _after(before[-1:]) - {campaign.pk, *before}
    return Message.objects.filter(
        Q(campaign__in=before) & ~has_failed() | Q(campaign__in=beside) & _may_reach(campaign)
    )


def has_failed() -> Q:
    """A condition on messages: by each of their sendings. One that a person had sent again may have arrived before."""
    failed = EarlierAttempt.objects.filter(message=OuterRef("pk"), state__in=FAILED).order_by().values("message")
    known = Coalesce(Subquery(failed.annotate(n=Count("pk")).values("n")), 0)
    return Q(state__in=FAILED) & (Q(attempt__lte=1) | Q(GreaterThanOrEqual(known, F("attempt") - 1)))


def _may_reach(campaign: Campaign) -> Q:
    """Messages that may reach the person. Of two waiting retries the older sends: else each would leave it to the
    other, and none would send."""
    waits = Q(state=MessageState.QUEUED)
    return Q(state__in=MAY_HAVE_REACHED) | waits & (Q(campaign__lt=campaign.pk) | ~Q(batch__state=BatchState.QUEUED))


def _before(campaign: Campaign) -> list[int]:
    """The ids of the campaign that it retries, of the one which that one retried, and so on, the first of them last."""
    before: list[int] = []
    earlier = campaign.retry_of_id
    while earlier is not None and earlier not in before:
        before.append(earlier)
        earlier = Campaign.objects.filter(pk=earlier).values_list("retry_of_id", flat=True).first()
    return before


def _after(campaigns: Sequence[int]) -> set[int]:
    """Every retry of these, and of those again."""
    found: set[int] = set()
    newest = set(campaigns)
    while newest:
        newest = set(Campaign.objects.filter(retry_of__in=newest).values_list("pk", flat=True)) - found
        found |= newest
    return found


def reached_among(campaign: Campaign, numbers: Sequence[str]) -> set[str]:
    """The numbers whose subscriber was reached, in whatever spelling."""
    if campaign.retry_of_id is None or not numbers:
        return set()
    had = reached(campaign).filter(number__in=every_spelling(numbers)).values_list("number", flat=True)
    subscribers = {subscriber(number) for number in had}
    return {number for number in numbers if subscriber(number) in subscribers}


def _look_alone(campaign: Campaign) -> None:
    """Until the transaction ends; of two retries of one campaign the second sees what the first has claimed.

    SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        first = (_before(campaign) or [campaign.pk])[-1]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK, first % 2**31])


class RetryGate(Gate):
    """Who has been reached since the retry was launched is left out."""

    EVIDENCE = "its earlier message had not failed after all, when its batch was claimed"

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign

    def look(self, rows: Sequence[Queued]) -> Verdict:
        _look_alone(self.campaign)
        reached_since = reached_among(self.campaign, [row.number for row in rows])
        return Verdict(stopped={row.message_id: self.EVIDENCE for row in rows if row.number in reached_since})


KIND = Kind(
    "retry",
    lambda campaign: RetryGate(campaign) if campaign.retry_of_id is not None else None,
    stops=gettext_lazy("had been reached after all when claimed"),
)
