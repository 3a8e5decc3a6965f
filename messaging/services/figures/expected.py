"""What was expected at the launch beside what came of it, by country."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import BigIntegerField, F, Q, Sum, Value
from django.db.models.functions import Cast, Coalesce, NullIf

from messaging.models import Campaign, MessageState, OutcomeTally
from messaging.services.batches import own_segments
from messaging.services.reports import prices

MICROS = 1_000_000
ENOUGH = 100  # charged messages of a country, before a difference tells anything
ENDED = (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.REJECTED)


@dataclass(frozen=True, slots=True)
class Expected:
    """What was expected for one country; None where nothing could tell it."""

    country: str
    recipients: int | None
    segments: int | None
    cost: Decimal | None
    each: float  # segments of one message
    price: Decimal | None  # of one segment, or of a message where no segments are billed
    currency: str

    @property
    def price_in_short(self) -> str:
        return in_short(self.price)


@dataclass(slots=True)
class Actual:
    """What came of the messages to one country, as far as reports have come."""

    ended: int = 0
    charged: int = 0  # messages whose report named an amount
    segments: int = 0
    paid: int = 0  # millionths
    currency: str = ""
    own_each: Decimal = Decimal(1)  # segments of one message by our own count, where reports name none

    @property
    def cost(self) -> Decimal:
        return Decimal(self.paid) / MICROS

    @property
    def each(self) -> float | None:
        return self.segments / self.charged if prices.are_of_all(self.segments, self.charged) else None

    @property
    def price(self) -> Decimal | None:
        named = prices.are_of_all(self.segments, self.charged)
        units = self.segments if named else self.charged * self.own_each
        return (self.cost / units).quantize(Decimal("0.000001")) if units else None

    @property
    def price_in_short(self) -> str:
        return in_short(self.price)


def in_short(price: Decimal | None) -> str:
    """Without the zeros behind it, and not rounded: what drifts shows."""
    return "–" if price is None else f"{price.normalize():f}"


@dataclass(frozen=True, slots=True)
class Drift:
    country: str
    what: str  # "segments" or "price"
    expected: str
    actual: str

    @property
    def query(self) -> str:
        """The query string that narrows the campaign's list of messages to those that drifted."""
        return urlencode({"country__exact": self.country, "drifted": self.what})


@dataclass(frozen=True, slots=True)
class Row:
    expected: Expected
    actual: Actual

    @property
    def drifts(self) -> list[Drift]:
        return drifts(self.expected, self.actual) if self.actual.charged >= ENOUGH else []


def of(kept: dict[str, Any] | None, country: str) -> Expected:
    kept = kept or {}
    part = kept.get("by_country", {}).get(country, {})
    return Expected(
        country,
        part.get("recipients"),
        part.get("segments"),
        None if part.get("cost") is None else Decimal(part["cost"]),
        float(kept.get("each") or 0),
        None if part.get("price") is None else Decimal(part["price"]),
        part.get("currency", ""),
    )


def rows(campaign: Campaign) -> list[Row]:
    """Countries that were expected, or to which something went; one question."""
    came = actuals([campaign.pk])
    kept = campaign.forecast or {}
    counted = {country for country, part in kept.get("by_country", {}).items() if part.get("recipients")}
    if campaign.forecast is None:
        return []
    found = [
        Row(of(kept, country), came.get((campaign.pk, country), Actual()))
        for country in counted | {country for _pk, country in came}
    ]
    return sorted(found, key=lambda row: (-(row.expected.recipients or row.actual.ended), row.expected.country))


def was_forecast(rows: Iterable[Row]) -> bool:
    """Whether recipients were forecast. A command can launch what no page has shown: then nothing was."""
    return any(row.expected.recipients is not None for row in rows)


def actuals(campaigns: Iterable[int]) -> dict[tuple[int, str], Actual]:
    """{(campaign, country): Actual} of messages that ended, in the currency in which most of them were charged."""
    tallies = OutcomeTally.objects.filter(campaign__in=campaigns, state__in=ENDED).order_by()
    is_charged = ~Q(currency="")
    sums = tallies.values_list("campaign_id", "country", "currency").annotate(
        ended=Sum("messages"),
        charged=Sum("messages", filter=is_charged, default=0),
        billed=Sum("billed_segments", filter=is_charged, default=0),
        paid=Sum("pay_micros", filter=is_charged, default=0),
    )
    found: dict[tuple[int, str], Actual] = defaultdict(Actual)
    for pk, country, currency, ended, charged, billed, paid in sums:
        actual = found[pk, country]
        actual.ended += ended
        if currency and charged > actual.charged:
            actual.charged, actual.segments, actual.paid, actual.currency = charged, billed, paid, currency
    if lacking := {key: actual for key, actual in found.items() if actual.charged and actual.each is None}:
        each = own_segments.each_of({pk for pk, _country in lacking})
        for (pk, _country), actual in lacking.items():
            actual.own_each = each[pk]
    return dict(found)


def drifts(expected: Expected, actual: Actual) -> list[Drift]:
    """What differs by more than LAAFFIC_DRIFT_PERCENT, whichever way; [] where nothing was expected."""
    found = []
    if actual.each is not None and expected.each and _differs(expected.each, actual.each):
        found.append(Drift(expected.country, "segments", f"{expected.each:.2f}", f"{actual.each:.2f}"))
    if expected.price is not None and actual.price is not None:
        before = f"{expected.price.normalize():f} {expected.currency}"
        after = f"{actual.price.normalize():f} {actual.currency}"
        if expected.currency != actual.currency or _differs(float(expected.price), float(actual.price)):
            found.append(Drift(expected.country, "price", before, after))
    return found


def _differs(expected: float, actual: float) -> bool:
    percent: float = settings.LAAFFIC_DRIFT_PERCENT
    return percent > 0 and abs(actual - expected) * 100 > percent * expected + 1e-9


def priced_otherwise(kept: dict[str, Any] | None) -> Q:
    """The messages of one campaign that cost something else than its launch expected."""
    found = Q(pk__in=[])
    for country in (kept or {}).get("by_country", {}):
        one = of(kept, country)
        if one.price is None:
            continue
        there = Q(country=country, pay_micros__isnull=False)
        segments = Coalesce(NullIf("billed_segments", Value(0)), F("segments"))
        units = Cast(segments, BigIntegerField())  # millionths of a small unit's price leave PostgreSQL's integer
        near = int(one.price * MICROS) * settings.LAAFFIC_DRIFT_PERCENT / 100
        above = Q(pay_micros__gt=units * int(one.price * MICROS + Decimal(near)))
        below = Q(pay_micros__lt=units * int(one.price * MICROS - Decimal(near)))
        found |= there & (above | below | ~Q(currency=one.currency))
    return found


def document(campaign: Campaign) -> list[dict[str, Any]]:
    """The rows as a document, for scripts and dossiers (commands#documents)."""
    return [
        {
            "country": row.expected.country,
            "expected": {
                "recipients": row.expected.recipients,
                "segments": row.expected.segments,
                "segments_each": row.expected.each,
                "price": _text(row.expected.price),
                "currency": row.expected.currency,
                "cost": _text(row.expected.cost),
            },
            "actual": {
                "ended": row.actual.ended,
                "charged": row.actual.charged,
                "segments": row.actual.segments,
                "price": _text(row.actual.price),
                "currency": row.actual.currency,
                "cost": f"{row.actual.cost}",
            },
        }
        for row in rows(campaign)
    ]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount}"
