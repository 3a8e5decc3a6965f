"""Reports: what was sent in some days, what happened to it and what it cost, by whatever one wants to compare.

Each kind of sending registers a source when its app is made ready, as channels do; here they are added up. A source
says what it knows and leaves out the rest: a figure that no source of a row can tell is empty, not 0.

Days are days of the console's time zone (TIME_ZONE), both ends included.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit import delivery_buckets
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.figures import number, share
from laaffic_console.kit.words.planned_years import check_year

LONGEST_DAYS = 3653  # ten years
MICROS = 1_000_000
PLACES = Decimal("0.000001")

DIMENSIONS: dict[str, Any] = {
    "day": gettext_lazy("Day"),
    "month": gettext_lazy("Month"),
    "channel": gettext_lazy("Channel"),
    "application": gettext_lazy("Application"),
    "country": gettext_lazy("Country"),
    "network": gettext_lazy("Network"),
    "campaign": gettext_lazy("Campaign"),
    "sender": gettext_lazy("Sender"),
    "person": gettext_lazy("Launched by"),
}
OF_TIME = ("day", "month")
OF_TIMES = frozenset(("median_seconds", "p95_seconds"))


@dataclass(frozen=True, slots=True)
class Period:
    first: dt.date
    last: dt.date

    @property
    def start(self) -> dt.datetime:
        return _midnight(self.first)

    @property
    def end(self) -> dt.datetime:
        """The first moment after the period."""
        return _midnight(self.last + dt.timedelta(days=1))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """The period of as many days that ends the day before this one."""
        return Period(self.first - dt.timedelta(days=self.days), self.first - dt.timedelta(days=1))


def _midnight(day: dt.date) -> dt.datetime:
    """The beginning of the day; where clocks are put forward at midnight, it is an hour later."""
    return dt.datetime.combine(day, dt.time.min, timezone.get_current_timezone())


def period(first: dt.date, last: dt.date) -> Period:
    """ValidationError for days in the wrong order, years nobody plans for, and more than ten years."""
    for day in (first, last):
        check_year(day)
    if first > last:
        raise ValidationError(
            _("The report would begin on %(first)s, after its end on %(last)s. Swap the two days.")
            % {"first": dates.day(first), "last": dates.day(last)}
        )
    wanted = Period(first, last)
    if wanted.days > LONGEST_DAYS:
        raise ValidationError(
            _("A report covers at most ten years, and this one would cover %(days)s days. Ask for fewer.")
            % {"days": number(wanted.days)}
        )
    return wanted


@dataclass(slots=True)
class Figures:
    """Figures that can be added up. A count that is missing cannot be told; amounts are millionths by currency."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)  # those of the reasons for which it was not taken
    cost: Counter[str] = field(default_factory=Counter)
    delivered_in: Counter[str] = field(default_factory=Counter)  # delivered messages by the currency they cost
    times: Counter[int] = field(default_factory=Counter)  # delivered messages by kit/delivery_buckets.py

    def tell(self, words: Iterable[str]) -> None:
        """Note that these counts can be told here, if only as 0."""
        for word in words:
            self.counts.setdefault(word, 0)

    def add(self, other: "Figures") -> None:
        for name in ("counts", "reasons", "rejections", "cost", "delivered_in", "times"):
            mine: Counter[Any] = getattr(self, name)
            for key, n in getattr(other, name).items():
                mine[key] += n


Value = tuple[Any, ...]  # what is shown, then what tells it from others that are shown alike


Rows = defaultdict[tuple[Value, ...], Figures]  # by one value for each dimension that was asked for, in that order


@dataclass(frozen=True, slots=True)
class Limits:
    """The part of a report that is wanted: keys by dimension (`key_of`), and whether anybody wants times to deliver."""

    only: Mapping[str, Collection[str]] = field(default_factory=dict)
    with_times: bool = True


class Source(ABC):
    """A kind of sending."""

    @abstractmethod
    def add_to(self, rows: Rows, period: Period, by: Sequence[str], limits: "Limits") -> None:
        """Add what it knows of the period to the rows; several sources may have one row in common.

        A source may read less by the limits, and need not: what is not wanted is left out afterwards.
        """

    def choices(self, name: str, most: int) -> Iterable[tuple[str, str]]:
        """What a person may choose of a dimension, the newest first: (key, name), at most so many."""
        return ()

    def prove(self, period: Period) -> Iterator[str]:
        """A sentence for each kept figure that its ledger does not say too."""
        return iter(())


_sources: list[Source] = []


def register(source: Source) -> None:
    _sources.append(source)


@dataclass(frozen=True, slots=True)
class Column:
    label: Any
    of: Callable[[Figures], Any]  # int, float, {currency: Decimal}, {reason: int}, or None: cannot be told


def _count(name: str) -> Callable[[Figures], int | None]:
    return lambda figures: figures.counts.get(name)


def _failed(figures: Figures) -> int | None:
    parts = [figures.counts[name] for name in ("undelivered", "rejected") if name in figures.counts]
    return sum(parts) if parts else None


def _delivered_percent(figures: Figures) -> float | None:
    sent, delivered = figures.counts.get("sent"), figures.counts.get("delivered")
    return share(delivered, sent) if sent and delivered is not None else None


def _cost(figures: Figures) -> dict[str, Decimal]:
    return {currency: _amount(micros) for currency, micros in sorted(figures.cost.items()) if micros}


def _cost_per_delivered(figures: Figures) -> dict[str, Decimal]:
    """What was charged in a currency, failures too, over the delivered messages that were charged in it."""
    return {
        currency: (_amount(micros) / figures.delivered_in[currency]).quantize(PLACES)
        for currency, micros in sorted(figures.cost.items())
        if micros and figures.delivered_in[currency] > 0
    }


def _amount(micros: int) -> Decimal:
    return Decimal(micros).scaleb(-6).quantize(PLACES)


def _reasons(figures: Figures) -> dict[str, int]:
    ordered = sorted(figures.reasons.items(), key=lambda entry: (-entry[1], entry[0]))
    return {reason: n for reason, n in ordered if n}


def _within(share: float) -> Callable[[Figures], int | None]:
    return lambda figures: delivery_buckets.reached(figures.times, share)


COLUMNS: dict[str, Column] = {
    "sent": Column(gettext_lazy("Sent"), _count("sent")),
    "delivered": Column(gettext_lazy("Delivered"), _count("delivered")),
    "delivered_percent": Column(gettext_lazy("Delivered %"), _delivered_percent),
    "failed": Column(gettext_lazy("Failed"), _failed),
    "undelivered": Column(gettext_lazy("Undelivered"), _count("undelivered")),
    "rejected": Column(gettext_lazy("Rejected"), _count("rejected")),
    "expired": Column(gettext_lazy("No report"), _count("expired")),
    "awaited": Column(gettext_lazy("Report awaited"), _count("awaited")),
    "unknown": Column(gettext_lazy("Unknown"), _count("unknown")),
    "segments": Column(gettext_lazy("Segments billed"), _count("segments")),
    "cost": Column(gettext_lazy("Cost"), _cost),
    "cost_per_delivered": Column(gettext_lazy("Cost per delivered"), _cost_per_delivered),
    "price_not_told": Column(gettext_lazy("Price not reported"), _count("price_not_told")),
    "median_seconds": Column(gettext_lazy("Median, s"), _within(0.5)),
    "p95_seconds": Column(gettext_lazy("95%, s"), _within(0.95)),
    "replies": Column(gettext_lazy("Replies"), _count("replies")),
    "opt_outs": Column(gettext_lazy("Opt-outs"), _count("opt_outs")),
    "reasons": Column(gettext_lazy("Failed by reason"), _reasons),
}

BY_CURRENCY = ("cost", "cost_per_delivered")  # an amount for each currency
OF_PRICES = ("segments", "cost", "cost_per_delivered")  # lack what no report has named a price for


@dataclass(slots=True)
class Row:
    values: tuple[Value, ...]
    figures: Figures
    before: Figures | None = None


@dataclass(slots=True)
class Report:
    period: Period
    by: tuple[str, ...]
    columns: tuple[str, ...]
    rows: list[Row]
    totals: Row
    compared_with: Period | None = None


def run(
    wanted: Period,
    by: Sequence[str],
    *,
    columns: Sequence[str] = (),
    compare: bool = False,
    only: Mapping[str, Collection[str]] | None = None,
) -> Report:
    """Totals and a row for each combination of `by` in which anything happened, ordered by their values.

    With `compare` each row has the same of as many days before; by day or month it cannot. `only` names dimensions and
    the keys (`key_of`) that are wanted of each: nothing else is counted. ValidationError, by parameter, for names that
    are none. Where prices are missing from a chosen column, one more column says of how many messages.
    """
    by = tuple(dict.fromkeys(by))
    only = only or {}
    chosen = tuple(dict.fromkeys(columns)) or tuple(COLUMNS)
    _require_known("by", by, DIMENSIONS, _("A report cannot be grouped by %(name)s. Choose from: %(known)s."))
    _require_known("columns", chosen, COLUMNS, _("A report has no column %(name)s. Choose from: %(known)s."))
    _require_known(
        "only", list(only), DIMENSIONS, _("A report cannot be filtered by %(name)s. Choose from: %(known)s.")
    )
    if compare and (named := [name for name in by if name in OF_TIME]):
        said = _("A report by %(name)s cannot be compared with the period before: no day is in both. Leave out one.")
        raise ValidationError({"compare": said % {"name": named[0]}})
    limits = Limits(only, with_times=not OF_TIMES.isdisjoint(chosen))
    rows = _added_up(wanted, by, limits)
    earlier = _added_up(wanted.before(), by, limits) if compare else {}
    made = [
        Row(values, rows.get(values, Figures()), earlier.get(values, Figures()) if compare else None)
        for values in sorted(rows.keys() | earlier.keys(), key=_order)
    ]
    totals = Row((), _total(rows.values()), _total(earlier.values()) if compare else None)
    shown = with_missing_prices(chosen, totals)
    return Report(wanted, by, shown, made, totals, wanted.before() if compare else None)


def with_missing_prices(columns: Sequence[str], totals: Row) -> tuple[str, ...]:
    """The columns, and behind the last that lacks prices the one that counts what has none."""
    lacking = [place for place, name in enumerate(columns) if name in OF_PRICES]
    sides = [totals.figures, *([totals.before] if totals.before else [])]
    if not lacking or "price_not_told" in columns or not any(one.counts["price_not_told"] for one in sides):
        return tuple(columns)
    return (*columns[: lacking[-1] + 1], "price_not_told", *columns[lacking[-1] + 1 :])


def price_not_told(wanted: Period) -> int:
    """How many sent messages have ended without a report that names their price: no cost includes them."""
    return run(wanted, (), columns=("price_not_told",)).totals.figures.counts["price_not_told"]


def _order(values: tuple[Value, ...]) -> list[tuple[str, ...]]:
    return [tuple(str(part).casefold() for part in value) for value in values]


def _require_known(asked: str, names: Sequence[str], known: Mapping[str, Any], sentence: str) -> None:
    for name in names:
        if name not in known:
            raise ValidationError({asked: sentence % {"known": ", ".join(known), "name": f"“{name}”"}})


def key_of(name: str, value: Value) -> str:
    """A value of a dimension as an address and a filter name it: IN, an appId, campaign:7; "" for none."""
    if name == "campaign":
        return f"{value[1]}:{value[2]}" if value[2] is not None else ""
    return str(value[1] if name == "application" else value[0])


def _added_up(wanted: Period, by: Sequence[str], limits: Limits) -> dict[tuple[Value, ...], Figures]:
    """The figures of all sources. They sum up by what limits the report too; then what is not wanted is left out."""
    only = limits.only
    asked = (*by, *(name for name in only if name not in by))
    found: Rows = defaultdict(Figures)
    for source in _sources:
        source.add_to(found, wanted, asked, limits)
    if only:
        found = _limited(found, asked, len(by), only)
    return {values: figures for values, figures in found.items() if _says_something(figures)}


def _limited(found: Rows, asked: Sequence[str], width: int, only: Mapping[str, Collection[str]]) -> Rows:
    limits = [(place, name, frozenset(only[name])) for place, name in enumerate(asked) if name in only]
    kept: Rows = defaultdict(Figures)
    for values, figures in found.items():
        if all(key_of(name, values[place]) in keys for place, name, keys in limits):
            kept[values[:width]].add(figures)
    return kept


def _says_something(figures: Figures) -> bool:
    return any(figures.counts.values()) or any(figures.cost.values())


def _total(rows: Iterable[Figures]) -> Figures:
    total = Figures()
    for figures in rows:
        total.add(figures)
    return total


def choices(name: str, most: int) -> list[tuple[str, str]]:
    """The choices of all sources, each key once."""
    found = {key: label for source in _sources for key, label in source.choices(name, most) if key}
    return list(found.items())[:most]


def prove(wanted: Period) -> Iterator[str]:
    for source in _sources:
        yield from source.prove(wanted)


def time_values(by: Sequence[str], day: dt.date) -> dict[str, Value]:
    """For a source: the values of its rows of a day for the dimensions of time."""
    return {name: (f"{day:%Y-%m}" if name == "month" else day.isoformat(),) for name in by if name in OF_TIME}


def local_day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(timezone.get_current_timezone()).date()
