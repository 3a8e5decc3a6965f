"""What a message costs, by country: learned from what reports said was charged, else from the imported price list.

Laaffic publishes no prices on its interface (a report carries `pay` and `currency`), so of each country the last
campaigns that were charged are asked, however long ago that was: single messages are campaigns too, and a price of last
year says more than none. Prices are per segment: of those that reports name, else of our own count. Where a channel
counts none, a message is one.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from laaffic_console.kit.audit import row_changes
from laaffic_console.kit.audit.acts import Act, record
from messaging.models import Campaign, ListPrice, OutcomeTally
from messaging.services.batches import own_segments
from messaging.services.tallies.counting import MICROS

LAST_CHARGED = 100  # tallies of a channel and country, with whole campaigns: what older ones cost says little
COUNTRIES_AT_ONCE = 100  # of one statement
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
    """{country: price} from the last reports of each; the currency with most messages where there are several."""
    rows = [row for tallies in _last_charged(channel) for row in _summed(tallies)]
    campaigns = Campaign.objects.filter(pk__among={row.campaign for row in rows}, channel=channel)
    launched = dict(campaigns.order_by().values_list("pk", "launched_at"))
    rows = [row for row in rows if row.campaign in launched]  # what came since the last fold is of every channel
    lacking = {row.campaign for row in rows if not are_of_all(row.segments, row.messages)}
    own = own_segments.each_of(lacking) if lacking else {}
    sums: dict[tuple[str, str], _Sum] = {}
    for row in rows:
        is_of_all = are_of_all(row.segments, row.messages)
        units = Decimal(row.segments) if is_of_all else row.messages * own[row.campaign]
        of_it = sums.setdefault((row.country, row.currency), _Sum())
        of_it.add(row.messages, units, row.paid, launched[row.campaign])
    found: dict[str, Price] = {}
    for (country, currency), total in sorted(sums.items(), key=lambda entry: entry[1].messages):
        found[country] = Price(country, total.each, currency, total.messages, total.as_of)
    return found


class _Charged(NamedTuple):
    country: str
    currency: str
    campaign: int
    messages: int
    segments: int
    paid: int


def _summed(tallies: "QuerySet[OutcomeTally]") -> Iterator[_Charged]:
    """Summed up here: grouped by SQLite, they would be read by the index that begins like the groups, all of it."""
    keys = ("country", "currency", "campaign_id")
    sums: dict[tuple[str, str, int], list[int]] = {}
    rows = tallies.exclude(currency="").order_by().values_list(*keys, "messages", "billed_segments", "pay_micros")
    for *key, messages, segments, paid in rows:
        of_key = sums.setdefault((key[0], key[1], key[2]), [0, 0, 0])
        for place, n in enumerate((messages, segments, paid)):
            of_key[place] += n
    return (_Charged(*key, *total) for key, total in sums.items() if total[0] > 0)


def _last_charged(channel: str) -> "Iterator[QuerySet[OutcomeTally]]":
    """The last charged tallies of each country: those that a fold has seen, and, of every channel, what came since.

    Each condition is an index's range with its own bounds, so the rest of the history is not read.
    """
    yield OutcomeTally.objects.filter(OutcomeTally.UNFOLDED, charged_channel=None)
    since = list(_since(channel))
    for start in range(0, len(since), COUNTRIES_AT_ONCE):
        ranges = Q()
        for country, campaign_id in since[start : start + COUNTRIES_AT_ONCE]:
            ranges |= Q(charged_channel=channel, country=country, campaign_id__gte=campaign_id)
        yield OutcomeTally.objects.filter(ranges)


def _since(channel: str) -> Iterator[tuple[str, int]]:
    """(country, the earliest of its last charged campaigns). Leaps along the index, a step for each country."""
    tallies = f"FROM {OutcomeTally._meta.db_table} WHERE charged_channel = %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE found(country) AS (SELECT (SELECT country {tallies} ORDER BY country LIMIT 1) "  # noqa: S608
            f"UNION ALL SELECT (SELECT country {tallies} AND country > found.country ORDER BY country LIMIT 1) "
            "FROM found WHERE found.country IS NOT NULL) "
            f"SELECT country, (SELECT campaign_id {tallies} AND country = found.country "
            "ORDER BY campaign_id DESC LIMIT 1 OFFSET %s) FROM found WHERE country IS NOT NULL",
            [channel, channel, channel, LAST_CHARGED - 1],
        )
        yield from [(country, campaign_id or 0) for country, campaign_id in cursor.fetchall()]


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
