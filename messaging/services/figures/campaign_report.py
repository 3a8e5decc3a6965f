"""The document of `campaign report --json` (commands#documents); the API and the dossier give the same."""

from typing import Any

from messaging.models import Campaign
from messaging.services.batches import counting, expected, gate_tallies, waiting


def document(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.pk,
        "state": campaign.state,
        "total": campaign.total,
        "counts": counting.state_counts(campaign),
        "segments": counting.segments_sent(campaign),
        "cost": {currency: str(total) for currency, total in counting.costs(campaign).items()},
        "price_not_told": counting.price_not_told(campaign),
        "waiting": waiting.as_documents(campaign),
        "left_out": left_out(campaign),
        "stopped": gate_tallies.of(campaign),
        "forecast": expected.document(campaign),
    }


def left_out(campaign: Campaign) -> dict[str, int]:
    """Who was meant and is no recipient, by why: as it was when the audience was frozen."""
    return {
        "suppressed": campaign.dropped_suppressed,
        "excluded": campaign.dropped_excluded,
        "invalid": campaign.dropped_invalid,
        "capped": campaign.dropped_capped,
        "no_consent": campaign.dropped_consent,
    }
