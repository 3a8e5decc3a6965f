"""What messages give to a report (gateway/services/reporting.py): SMS, MMS and spoken campaigns, and their replies."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import F, QuerySet, Sum, Value
from django.db.models.aggregates import Count
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.query_utils import Q
from django.utils import timezone

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services import reporting
from laaffic_console.gateway.services.reporting import Figures, Period, Piece
from messaging import networks
from messaging.models import Batch, DeliveryTimeTally, MessageState, Reply, SentTally
from messaging.services.batches import answers, sent_tallies

# What each state counts as. What was rejected or is unknown is not said to have been sent.
COUNTED_AS = {
    MessageState.UNKNOWN: ("unknown",),
    MessageState.REJECTED: ("rejected",),
    MessageState.ACCEPTED: ("sent", "awaited"),
    MessageState.EXPIRED: ("sent", "expired"),
    MessageState.UNDELIVERED: ("sent", "undelivered"),
    MessageState.DELIVERED: ("sent", "delivered"),
}
FAILED = (MessageState.REJECTED, MessageState.UNDELIVERED)

# Each dimension that a campaign or a tally has: the columns that make its value.
COLUMNS: dict[str, list[Any]] = {
    "channel": [Coalesce("campaign__channel", Value(Channel.SMS.value))],
    "application": [
        Coalesce("campaign__application__name", Value("")),
        Coalesce("campaign__application__app_id", Value("")),
    ],
    "country": [F("country")],
    "network": [Coalesce("network", Value(networks.NONE))],
    "campaign": [Coalesce("campaign__name", Value("")), F("campaign_id")],
    "sender": [Coalesce("campaign__sender_id", Value(""))],
    "person": [Coalesce("campaign__launched_by__username", "campaign__created_by__username", Value(""))],
}


class MessageReports(reporting.Source):
    def pieces(self, period: Period, by: Sequence[str]) -> Iterable[Piece]:
        yield from _outcomes(period, by)
        yield from _times(period, by)
        yield from _replies(period, by)

    def prove(self, period: Period) -> Iterator[str]:
        answers.write_all(Batch.objects.filter(answer__isnull=False))
        return sent_tallies.disagreements(sent_tallies.of_period(period.start, period.end))


def _outcomes(period: Period, by: Sequence[str]) -> Iterator[Piece]:
    tallies = SentTally.objects.filter(hour__gte=period.start, hour__lt=period.end)
    sums = {"n": Sum("messages"), "billed": Sum("billed_segments"), "paid": Sum("pay_micros")}
    for values, (state, reason, currency, n, billed, paid) in _grouped(
        tallies, by, ("state", "reason", "currency"), sums, F("hour")
    ):
        figures = Figures()
        for word in dict.fromkeys(word for words in COUNTED_AS.values() for word in words):
            figures.counts[word] = n if word in COUNTED_AS[state] else 0
        figures.counts |= Counter(segments=billed, replies=0, opt_outs=0)
        if state in FAILED:
            figures.reasons[reason] = n
        if currency:
            figures.cost[currency] = paid
            figures.delivered_in[currency] = n if state == MessageState.DELIVERED else 0
        yield Piece(values, figures)


def _times(period: Period, by: Sequence[str]) -> Iterator[Piece]:
    tallies = DeliveryTimeTally.objects.filter(hour__gte=period.start, hour__lt=period.end)
    for values, (bucket, n) in _grouped(tallies, by, ("bucket",), {"n": Sum("messages")}, F("hour")):
        figures = Figures()
        figures.times[bucket] = n
        yield Piece(values, figures)


def _replies(period: Period, by: Sequence[str]) -> Iterator[Piece]:
    """By the day on which they were written, whenever what they answer was sent."""
    written = Reply.objects.filter(at__gte=period.start, at__lt=period.end)
    sums = {"n": Count("pk"), "opted_out": Count("pk", filter=~Q(opt_out=""))}
    day = TruncDate("at", tzinfo=timezone.get_current_timezone())
    for values, (n, opted_out) in _grouped(written, by, (), sums, day):
        figures = Figures()
        figures.counts["replies"], figures.counts["opt_outs"] = n, opted_out
        yield Piece(values, figures)


def _grouped(
    rows: "QuerySet[Any]", by: Sequence[str], keys: Sequence[str], sums: Mapping[str, Any], time: Any
) -> Iterator[tuple[tuple[reporting.Value, ...], tuple[Any, ...]]]:
    """(the values of `by`, the keys and sums), summed up by the database."""
    columns: dict[str, Any] = {}
    places: dict[str, slice] = {}
    for name in by:
        if name in reporting.OF_TIME:
            continue
        start = len(columns)
        columns |= {f"{name}_{place}": column for place, column in enumerate(COLUMNS[name])}
        places[name] = slice(start, len(columns))
    of_time = any(name in reporting.OF_TIME for name in by)
    if of_time:
        columns["time"] = time
    named = rows.order_by().annotate(**{f"by_{name}": column for name, column in columns.items()})
    width = len(columns)
    found = named.values_list(*(f"by_{name}" for name in columns), *keys).annotate(**sums)
    for row in found.iterator():
        moments = reporting.time_values(by, _day(row[width - 1])) if of_time else {}
        values = tuple(moments[name] if name in moments else _value(name, row[places[name]]) for name in by)
        yield values, row[width:]


def _day(moment: dt.datetime | dt.date) -> dt.date:
    return reporting.local_day(moment) if isinstance(moment, dt.datetime) else moment


def _value(name: str, columns: tuple[Any, ...]) -> reporting.Value:
    match name:
        case "network":
            return (networks.shown(columns[0]),)
        case "application":
            return (columns[0] or columns[1], columns[1])
        case "campaign":
            return (columns[0], "campaign", columns[1]) if columns[1] else ("", "", None)
    return columns
