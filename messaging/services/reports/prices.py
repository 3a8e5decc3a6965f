"""What a message costs, by country: learned from what reports said was charged, else from the imported price list.

Laaffic publishes no prices on its interface (a report carries `pay` and `currency`), so the last campaigns
are asked. Prices are per segment: of those that reports name, else of our own count. Where a channel counts none, a
message is one.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum

from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, record
from messaging.models import Campaign, ListPrice, OutcomeTally
from messaging.services.batches import own_segments
from messaging.services.tallies.counting import MICROS

LAST_CAMPAIGNS = 200  # of a channel: what older ones cost says little
ENOUGH = 20  # charged messages, before a learned price is preferred to a list's


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one segment (or message) to a country, from `sample` charged messages until `as_of`; 0: listed."""

    country: str
    each: Decimal
    currency: str
    sample: int
    as_of: dt.datetime | None

    @property
    def is_learned(self) -> bool:
        return self.sample > 0


@dataclass(frozen=True, slots=True)
class CountryCost:
    country: str
    recipients: int
    segments: int
    price: Price | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a campaign would cost; recipients in countries without a price are not in the sums."""

    by_country: list[CountryCost]
    by_currency: dict[str, Decimal]
    without_price: int

    @property
    def countries_without_price(self) -> list[str]:
        return [part.country for part in self.by_country if part.price is None]


def learned(channel: str) -> dict[str, Price]:
    """{country: price} from the last campaigns' reports; the currency with most messages where there are several."""
    last = list(
        Campaign.objects.filter(channel=channel).order_by("-pk").values_list("pk", "launched_at")[:LAST_CAMPAIGNS]
    )
    launched = dict(last)
    rows = list(
        OutcomeTally.objects.filter(campaign__in=launched)
        .exclude(currency="")
        .order_by()
        .values_list("country", "currency", "campaign_id")
        .annotate(messages=Sum("messages"), segments=Sum("billed_segments"), paid=Sum("pay_micros"))
        .filter(messages__gt=0)
    )
    lacking = {row[2] for row in rows if not are_of_all(row[4], row[3])}
    own = own_segments.each_of(lacking) if lacking else {}
    sums: dict[tuple[str, str], _Sum] = {}
    for country, currency, campaign_id, messages, segments, paid in rows:
        units = Decimal(segments) if are_of_all(segments, messages) else messages * own[campaign_id]
        sums.setdefault((country, currency), _Sum()).add(messages, units, paid, launched[campaign_id])
    found: dict[str, Price] = {}
    for (country, currency), total in sorted(sums.items(), key=lambda entry: entry[1].messages):
        found[country] = Price(country, total.each, currency, total.messages, total.as_of)
    return found


def are_of_all(segments: int, messages: int) -> bool:
    """Whether these segments can be of all of these messages; fewer are of some, whose reports named them."""
    return segments >= messages > 0


@dataclass(slots=True)
class _Sum:
    messages: int = 0
    units: Decimal = Decimal(0)
    paid: int = 0
    as_of: dt.datetime | None = None

    def add(self, messages: int, units: Decimal, paid: int, launched: dt.datetime | None) -> None:
        self.messages += messages
        self.units += units
        self.paid += paid
        self.as_of = max((moment for moment in (self.as_of, launched) if moment), default=None)

    @property
    def each(self) -> Decimal:
        return (Decimal(self.paid) / MICROS / max(self.units, Decimal(1))).quantize(Decimal("0.000001"))


def listed(channel: str) -> dict[str, Price]:
    entries = ListPrice.objects.filter(channel=channel)
    return {entry.country: Price(entry.country, entry.price, entry.currency, 0, entry.updated_at) for entry in entries}


def known(channel: str) -> dict[str, Price]:
    """The best that is known for each country: learned where enough was charged, else listed, else learned from few."""
    from_reports = learned(channel)
    enough = {country: price for country, price in from_reports.items() if price.sample >= ENOUGH}
    return {**from_reports, **listed(channel), **enough}


def cost_of(recipients: Mapping[str, int], segments_each: float, prices: Mapping[str, Price]) -> Cost:
    """Recipients by country and how many segments one message has on average → what they cost, most dear first."""
    parts, sums, without = [], dict[str, Decimal](), 0
    for country, n in recipients.items():
        segments = round(n * segments_each)
        price = prices.get(country)
        cost = None if price is None else price.each * segments
        if price is None or cost is None:
            without += n
        else:
            sums[price.currency] = sums.get(price.currency, Decimal()) + cost
        parts.append(CountryCost(country, n, segments, price, cost))
    parts.sort(key=lambda part: (-(part.cost or Decimal()), -part.recipients, part.country))
    return Cost(parts, dict(sorted(sums.items())), without)


@transaction.atomic
def put(*, channel: str, country: str, price: Decimal, currency: str) -> ListPrice:
    """Add or change what the list says of a country; ValidationError names the field that is wrong."""
    given = ListPrice(channel=channel, country=country, price=price, currency=currency)
    given.clean_fields()
    given.clean()
    said = {"price": price, "currency": currency}
    entry, is_new = ListPrice.objects.get_or_create(channel=channel, country=country, defaults=said)
    before = row_changes.kept(entry)
    if is_new:
        record(Act.ADDED, entry)
    elif {name: getattr(entry, name) for name in said} != said:
        entry.price, entry.currency = price, currency
        entry.save(update_fields=["price", "currency", "updated_at"])
        row_changes.record(entry, before)
    return entry
