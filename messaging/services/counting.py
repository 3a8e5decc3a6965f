"""What the figures say, from tallies that are kept as things happen; no page counts the message table (DESIGN §1.7)."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, IntegerField, Sum, Value, When

from messaging.models import Batch, BatchState, Campaign, MessageState, OutcomeTally

# The states that are columns of a batch. CLAIMED is not: it is what `queued` means in a claimed batch.
STORED_STATES = [state for state in MessageState if state is not MessageState.CLAIMED]

MICROS = Decimal(1_000_000)


def state_counts(campaign: Campaign) -> dict[str, int]:
    """Every message state of DESIGN §4 by its word → how many messages are in it."""
    claimed = Case(When(state=BatchState.CLAIMED, then=F("queued")), default=Value(0), output_field=IntegerField())
    sums = Batch.objects.filter(campaign=campaign).aggregate(
        claimed=Sum(claimed), **{f"sum_{state.key}": Sum(state.key) for state in STORED_STATES}
    )
    counts = {state.key: int(sums[f"sum_{state.key}"] or 0) for state in STORED_STATES}
    counts["claimed"] = int(sums["claimed"] or 0)
    counts["queued"] -= counts["claimed"]
    return counts


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


def amount(micros: int) -> Decimal:
    """Millionths of a currency as the decimal that a person writes: at least two places, no float on the way."""
    exact = Decimal(micros) / MICROS
    shortest = exact.normalize()
    exponent = shortest.as_tuple().exponent
    return shortest if isinstance(exponent, int) and exponent < -2 else exact.quantize(Decimal("0.01"))


def report(campaign: Campaign) -> dict[str, Any]:
    """The document of `campaign report --json` (DESIGN §7)."""
    return {
        "id": campaign.pk,
        "state": campaign.state,
        "total": campaign.total,
        "counts": state_counts(campaign),
        "segments": segments_sent(campaign),
        "cost": {currency: str(total) for currency, total in costs(campaign).items()},
    }


def outcomes_by(campaign: Campaign, field: str) -> dict[str, dict[str, int]]:
    """{country or reason: {state word: messages}} for messages whose end is known."""
    rows = OutcomeTally.objects.filter(campaign=campaign).values_list(field, "state").annotate(total=Sum("messages"))
    table: dict[str, dict[str, int]] = defaultdict(dict)
    for value, state, total in rows:
        if total:
            table[value][MessageState(state).key] = total
    return dict(table)


def is_done(campaign: Campaign) -> bool:
    """Finished is computed: the audience is frozen and nothing is queued, claimed or unknown (DESIGN §1.4)."""
    if campaign.audience != Campaign.Audience.FROZEN:
        return False
    return not Batch.objects.filter(
        campaign=campaign, state__in=[BatchState.QUEUED, BatchState.CLAIMED, BatchState.UNKNOWN]
    ).exists()
