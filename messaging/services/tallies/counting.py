"""What the figures say, from tallies that are kept as things happen; no page counts the message table."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, IntegerField, QuerySet, Sum, Value, When

from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words.figures import in_percent, number
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, Campaign, CampaignState, MessageState, OutcomeTally

# The states that are columns of a batch. CLAIMED is not: it is what `queued` means in a claimed batch.
STORED_STATES = [state for state in MessageState if state is not MessageState.CLAIMED]

TAKEN = (MessageState.EXPIRED, MessageState.UNDELIVERED, MessageState.DELIVERED)  # ends of what the gateway took
SENT = (MessageState.ACCEPTED, *TAKEN)  # a batch's segments are those of its messages in these
MICROS = Decimal(1_000_000)


def state_counts(campaign: Campaign) -> dict[str, int]:
    """Every message state (ledger#message-states) by its word → how many messages are in it."""
    return counts_of_many([campaign.pk])[campaign.pk]


def counts_of_many(campaign_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """As `state_counts`, for a page of campaigns in one query: {campaign id: counts}."""
    claimed = Case(When(state=BatchState.CLAIMED, then=F("queued")), default=Value(0), output_field=IntegerField())
    sums = (
        Batch.objects.filter(campaign_id__in=campaign_ids)
        .order_by()
        .values("campaign_id")
        .annotate(claimed=Sum(claimed), **{f"sum_{state.key}": Sum(state.key) for state in STORED_STATES})
    )
    found: dict[int, dict[str, int]] = {
        pk: dict.fromkeys((state.key for state in MessageState), 0) for pk in campaign_ids
    }
    row: dict[str, Any]
    for row in sums:  # type: ignore[assignment]
        counts = {state.key: int(row[f"sum_{state.key}"] or 0) for state in STORED_STATES}
        counts["claimed"] = int(row["claimed"] or 0)
        counts["queued"] -= counts["claimed"]
        found[row["campaign_id"]] = counts
    return found


def segments_sent(campaign: Campaign) -> int:
    return int(Batch.objects.filter(campaign=campaign).aggregate(total=Sum("segments"))["total"] or 0)


def costs(campaign: Campaign) -> dict[str, Decimal]:
    """What the gateway said it charged, by currency."""
    rows = (
        OutcomeTally.objects.filter(campaign=campaign)
        .exclude(currency="")
        .values_list("currency")
        .annotate(total=Sum("pay_micros"))
        .order_by("currency")
    )
    return {currency: amount(total) for currency, total in rows}


def price_not_told(campaign: Campaign) -> int:
    """How many of those that the gateway took have ended without a price: they are in no cost."""
    ends = OutcomeTally.objects.filter(campaign=campaign, state__in=TAKEN, currency="")
    return int(ends.aggregate(n=Sum("messages"))["n"] or 0)


def amount(micros: int) -> Decimal:
    """Millionths of a currency as the decimal that a person writes: at least two places, no float on the way."""
    exact = Decimal(micros) / MICROS
    shortest = exact.normalize()
    exponent = shortest.as_tuple().exponent
    return shortest if isinstance(exponent, int) and exponent < -2 else exact.quantize(Decimal("0.01"))


def outcomes_by(campaign: Campaign, field: str) -> dict[str, dict[str, int]]:
    """{country or reason: {state word: messages}} for messages whose end is known."""
    rows = OutcomeTally.objects.filter(campaign=campaign).values_list(field, "state").annotate(total=Sum("messages"))
    table: dict[str, dict[str, int]] = defaultdict(dict)
    for value, state, total in rows:
        if total:
            table[value][MessageState(state).key] = total
    return dict(table)


def is_counted(campaign: Campaign) -> bool:
    """Its recipients are known, in part at least."""
    return campaign.total > 0 or campaign.audience == Campaign.Audience.FROZEN


def is_done(campaign: Campaign) -> bool:
    """Finished is computed: the audience is frozen and nothing is queued, claimed or unknown."""
    if campaign.audience != Campaign.Audience.FROZEN:
        return False
    return not _open.rows(campaign=campaign.pk)


@Select
def _open() -> "QuerySet[Batch, Any]":
    return Batch.objects.filter(IS_OPEN_BATCH, campaign=Given("campaign")).order_by().values_list("pk")[:1]


UNDER_WAY = ("queued", "claimed", "unknown", "accepted")  # words of states that pass, also once a campaign is over
OVER = (CampaignState.FINISHED, CampaignState.CANCELLED)


def is_moving(campaign: Campaign, counts: dict[str, int]) -> bool:
    """Whether its figures may still change: a cancelled one is settled for a while, and reports come after its end."""
    return campaign.state not in OVER or any(counts[state] for state in UNDER_WAY)


# Each state's place in a progress bar and its tone: grey waits, blue moves, amber is unsure, green and red are ends.
TONES = {
    "delivered": "good",
    "accepted": "moving",
    "claimed": "moving",
    "unknown": "warn",
    "undelivered": "bad",
    "rejected": "bad",
    "expired": "bad",
    "suppressed": "off",
    "cancelled": "off",
    "queued": "wait",
}


def progress(campaign: Campaign) -> dict[str, Any]:
    """Counts, their shares for the bar, and how much is done; 100 only when the campaign is over.

    What was cancelled is not done, nor what is unknown. `awaited`: reports that may still come when nothing else will.
    """
    return _progress(campaign, state_counts(campaign))


def progress_of_many(campaigns: Sequence[Campaign]) -> dict[int, dict[str, Any]]:
    counts = counts_of_many([campaign.pk for campaign in campaigns])
    return {campaign.pk: _progress(campaign, counts[campaign.pk]) for campaign in campaigns}


def done_in_words(campaign: Campaign, progress: dict[str, Any]) -> str:
    """How much is done, in per cent of all recipients; in recipients while these are counted: a share would fall."""
    done = _done(progress["total"], progress["counts"])
    if done and campaign.audience == Campaign.Audience.FREEZING:
        return number(done)
    return in_percent(progress["percent"])


def _done(total: int, counts: dict[str, int]) -> int:
    return total - sum(counts[state] for state in ("queued", "claimed", "cancelled", "unknown"))


def _progress(campaign: Campaign, counts: dict[str, int]) -> dict[str, Any]:
    total = campaign.total
    done = _done(total, counts)
    percent = 100 * done // total if total else 0
    if campaign.state not in OVER:
        percent = min(percent, 99)
    return {
        "total": total,
        "counts": counts,
        "percent": percent,
        "is_counted": is_counted(campaign),
        "awaited": counts["accepted"] if campaign.state in OVER else 0,
        "parts": [
            {
                "state": state,
                "label": str(MessageState[state.upper()].label),
                "tone": tone,
                "count": counts[state],
                "width": round(100 * counts[state] / total, 3) if total else 0,
            }
            for state, tone in TONES.items()
        ],
    }
