"""Amounts that a push names and that cannot be right. Nothing proves where a push comes from (laaffic-api#pushes).

Such an amount is kept as an event of its message and moves no total; getReport is asked what it cost.
"""

from decimal import Decimal

from messaging.models import Batch, Campaign, Message, MessageEvent
from messaging.services.reports import prices, standing_amounts

SOURCE = "doubtful amount"  # of the events that keep one
FAR = 20  # times what is known of a country
# Of one segment where nothing is known: beyond any price of the field.
UNLIKELY = {"": 10, "USD": 10, "EUR": 10, "GBP": 10, "CHF": 10}
UNLIKELY_ELSEWHERE = 20_000  # of a currency whose unit is small


class Judge:
    """What is known of prices, looked up once for the reports of one transaction, and only where it matters."""

    def __init__(self) -> None:
        self._channels: dict[int, str] = {}
        self._known: dict[str, dict[str, prices.Price]] = {}

    def is_doubtful(self, pay: Decimal, currency: str, *, campaign_id: int, country: str, segments: int) -> bool:
        if pay < 0:
            return True
        each = pay / max(segments, 1)
        known = self._prices_of(campaign_id).get(country) if each else None
        if known is not None and known.each and known.currency == currency:
            return each > known.each * FAR
        return is_unlikely(each, currency)

    def _prices_of(self, campaign_id: int) -> dict[str, prices.Price]:
        if campaign_id not in self._channels:
            self._channels[campaign_id] = Campaign.objects.values_list("channel", flat=True).get(pk=campaign_id)
        channel = self._channels[campaign_id]
        if channel not in self._known:
            learned = prices.learned(channel)
            enough = {country: price for country, price in learned.items() if price.sample >= prices.ENOUGH}
            self._known[channel] = {**prices.listed(channel), **enough}
        return self._known[channel]


def is_unlikely(each: Decimal, currency: str) -> bool:
    """Whether this is too much for one segment, or one minute of a call, whose price is not known."""
    return each > UNLIKELY.get(currency, UNLIKELY_ELSEWHERE)


def to_ask_for(batch: Batch) -> list[str]:
    """The gateway ids of a batch's messages whose amount was doubtful and is not known yet but by a worse report."""
    doubted = MessageEvent.objects.filter(
        source=SOURCE, message_id__gte=batch.first_message_id, message_id__lte=batch.last_message_id
    )
    messages = Message.objects.filter(pk__in=doubted.values("message_id"), batch_id=batch.pk)
    rows = list(messages.values_list("pk", "gateway_id", "state", "pay_micros"))
    ranks = standing_amounts.kept([pk for pk, _gateway_id, _state, pay in rows if pay is not None])
    return [
        gateway_id
        for pk, gateway_id, state, pay in rows
        if gateway_id and (pay is None or (pk in ranks and ranks[pk].state < state))
    ]
