"""The document of `campaign report --json` (commands#documents); the API and the dossier give the same."""

from typing import Any

from messaging import msisdn
from messaging.models import Campaign
from messaging.services.batches import waiting
from messaging.services.figures import expected
from messaging.services.tallies import counting, gate_tallies


def document(campaign: Campaign) -> dict[str, Any]:
    return {
        "id": campaign.pk,
        "state": campaign.state,
        "total": campaign.total,
        "frozen": campaign.audience == Campaign.Audience.FROZEN,
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
    """Who was meant and is not a recipient, by why: as it was when the audience was frozen."""
    invalid, duplicates = _invalid_and_duplicates(campaign)
    return {
        "suppressed": campaign.dropped_suppressed,
        "excluded": campaign.dropped_excluded,
        "invalid": invalid,
        "duplicates": duplicates,
        "capped": campaign.dropped_capped,
        "no_consent": campaign.dropped_consent,
    }


def _invalid_and_duplicates(campaign: Campaign) -> tuple[int, int]:
    """(invalid numbers, duplicates of people who are in the audience anyway), which one column counts together.

    Invalid numbers are counted when the freezing has ended.
    """
    if not campaign.dropped_invalid or campaign.audience != Campaign.Audience.FROZEN:
        return 0, campaign.dropped_invalid
    invalid = sum(1 for text in campaign.extra_numbers if not msisdn.is_valid(text))
    invalid = min(campaign.dropped_invalid, invalid + (campaign.paste.invalid if campaign.paste else 0))
    return invalid, campaign.dropped_invalid - invalid
