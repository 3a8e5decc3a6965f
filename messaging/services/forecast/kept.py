"""What was expected at a launch, as the campaign keeps it: what comes is held against it (figures/expected.py)."""

from typing import Any

from django.core.cache import cache

from messaging.models import Campaign
from messaging.services.channels import channels
from messaging.services.forecast import forecast
from messaging.services.forecast.forecast import Forecast
from messaging.services.reports import prices
from messaging.text import merge_fields

ByCountry = dict[str, dict[str, str | None]]


def of(campaign: Campaign, planned: Forecast | None) -> dict[str, Any]:
    """The forecast to keep: by country if its recipients were counted, else the segments and price of one message."""
    is_sampled = bool(merge_fields.fields(channels.texts_of(campaign)))
    if planned is None:
        by_country = _lately(campaign.channel) if campaign.kind == Campaign.Kind.QUICK else _now(campaign.channel)
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


LATELY = 60  # seconds


def _now(channel: str) -> ByCountry:
    return {country: _priced(price) for country, price in sorted(prices.known(channel).items())}


def _lately(channel: str) -> ByCountry:
    """Asked once a minute: single messages come by the dozen a second, and nobody was shown a price for them."""
    key = f"prices:{channel}"
    found: ByCountry | None = cache.get(key)
    if found is None:
        found = _now(channel)
        cache.set(key, found, LATELY)
    return found


def _priced(price: prices.Price | None) -> dict[str, str | None]:
    return {"price": None, "currency": ""} if price is None else {"price": f"{price.each}", "currency": price.currency}
