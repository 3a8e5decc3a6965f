"""A month of two campaigns, as tallies: what they count is shown by tests/messaging/reports/test_period_reports.py."""

import datetime as dt
from dataclasses import dataclass

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, DeliveryTimeTally, MessageState, SentTally

REASONS = {MessageState.UNDELIVERED: "absent subscriber", MessageState.REJECTED: "-3 content is empty"}


@dataclass
class Sent:
    spring: Campaign
    autumn: Campaign


@pytest.fixture
def sent(db: None) -> Sent:
    """This hour: India 90 of 100 by the first campaign, 10 of 20 by the second; Germany once."""
    application = Application.objects.create(app_id="4luaKsL2", channel="sms", sender_id="SHOP", name="Shop")
    now = timezone.now()
    spring, autumn = (
        Campaign.objects.create(
            name=name, application=application, channel="sms", sender_id="SHOP", text="Hi", launched_at=now
        )
        for name in ("Spring", "Autumn")
    )
    hour = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
    tally(spring, hour, "IN", MessageState.DELIVERED, 90, cost=900_000, currency="INR")
    tally(spring, hour, "IN", MessageState.UNDELIVERED, 8, cost=80_000, currency="INR")
    tally(spring, hour, "IN", MessageState.REJECTED, 2)
    tally(spring, hour, "DE", MessageState.DELIVERED, 5, cost=250_000, currency="EUR")
    tally(autumn, hour, "IN", MessageState.DELIVERED, 10, cost=100_000, currency="INR")
    tally(autumn, hour, "IN", MessageState.UNDELIVERED, 10, cost=100_000, currency="INR")
    DeliveryTimeTally.objects.create(hour=hour, campaign=spring, country="IN", bucket=4, messages=90)
    return Sent(spring, autumn)


def tally(
    campaign: Campaign,
    hour: dt.datetime,
    country: str,
    state: MessageState,
    n: int,
    *,
    cost: int = 0,
    currency: str = "",
) -> None:
    SentTally.objects.create(
        hour=hour,
        campaign=campaign,
        country=country,
        state=state,
        reason=REASONS.get(state, ""),
        messages=n,
        billed_segments=n,
        pay_micros=cost,
        currency=currency,
    )
