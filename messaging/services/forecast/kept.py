"""What was expected at a launch, as the campaign keeps it: what comes is held against it (batches/expected.py)."""

from typing import Any

from messaging import merge_fields
from messaging.models import Campaign
from messaging.services.channels import channels
from messaging.services.forecast import forecast
from messaging.services.forecast.forecast import Forecast
from messaging.services.reports import prices


def of(campaign: Campaign, planned: Forecast | None) -> dict[str, Any]:
    """By country where its recipients were counted; else what one message should have and cost, wherever it goes."""
    is_sampled = bool(merge_fields.fields(channels.texts_of(campaign)))
    if planned is None:
        known = prices.known(campaign.channel)
        by_country = {country: _priced(price) for country, price in sorted(known.items())}
        return {"each": forecast.segments_each(campaign), "is_sampled": is_sampled, "by_country": by_country}
    parts = {
        part.country: {
            "recipients": part.recipients,
            "segments": part.segments,
            "cost": None if part.cost is None else f"{part.cost}",
            **_priced(part.price),
        }
        for part in planned.cost.by_country
    }
    each = planned.segments_total / planned.recipients if planned.recipients else forecast.segments_each(campaign)
    return {"each": round(each, 4), "is_sampled": is_sampled, "by_country": parts}


def _priced(price: prices.Price | None) -> dict[str, str | None]:
    return {"price": None, "currency": ""} if price is None else {"price": f"{price.each}", "currency": price.currency}
