"""The figures of messages for a report (reports/reporting.py): SMS, MMS and spoken campaigns, and their replies."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any

from django.db.models import F, QuerySet, Sum, Value
from django.db.models.aggregates import Count
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.query_utils import Q
from django.utils import timezone

from laaffic_console.gateway.models import Channel
from laaffic_console.kit.masking.masks import mask_in_text
from laaffic_console.kit.sql import snapshots
from laaffic_console.kit.words.plain_text import whole_number
from laaffic_console.reports import reporting
from laaffic_console.reports.reporting import Figures, Limits, Period, Rows
from messaging.models import Batch, Campaign, DeliveryTimeTally, MessageState, Reply, SentTally
from messaging.services.batches import answers
from messaging.services.figures import used_senders
from messaging.services.tallies import counting, sent_tallies
from messaging.wire import networks

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

WORDS = (
    *dict.fromkeys(word for words in COUNTED_AS.values() for word in words),
    *("segments", "price_not_told", "replies", "opt_outs"),
)

AT_ONCE = 2000  # rows whose campaigns are looked up together

OWN = ("country", "network")  # of a tally itself; the others are its campaign's
OF_CAMPAIGN = ("channel", "application", "campaign", "sender", "person")


class MessageReports(reporting.Source):
    def add_to(self, rows: Rows, period: Period, by: Sequence[str], limits: Limits) -> None:
        campaigns = Campaigns(by)
        wanted = _wanted(limits)
        in_hours = {"hour__gte": period.start, "hour__lt": period.end, **wanted}
        _add_outcomes(rows, _Grouping(SentTally.objects.filter(**in_hours), by, F("hour"), campaigns))
        if limits.with_times:
            _add_times(rows, _Grouping(DeliveryTimeTally.objects.filter(**in_hours), by, F("hour"), campaigns))
        # By the day on which they were written, whenever what they answer was sent.
        written = Reply.objects.filter(at__gte=period.start, at__lt=period.end, **wanted)
        _add_replies(
            rows,
            _Grouping(written, by, TruncDate("at", tzinfo=timezone.get_current_timezone()), campaigns),
        )

    def choices(self, name: str, most: int) -> Iterable[tuple[str, str]]:
        if name == "campaign":
            launched = Campaign.objects.filter(launched_at__isnull=False).order_by("-pk").values_list("pk", "name")
            return [(f"campaign:{pk}", called) for pk, called in launched[:most]]
        if name == "sender":
            return [(sender, sender) for sender in sorted({one.sender for one in used_senders.every()})[:most]]
        return ()

    def prove(self, period: Period) -> Iterator[str]:
        answers.write_all(Batch.objects.filter(answer__isnull=False))
        part = sent_tallies.of_period(period.start, period.end)
        return iter(snapshots.at_one_moment(lambda: list(sent_tallies.disagreements(part))))


def of_campaigns(ids: Sequence[int]) -> dict[int, Figures]:
    """Each one's figures, over all of its time."""
    by = ("campaign",)
    campaigns = Campaigns(by, {pk: {"campaign": (pk,)} for pk in ids})
    rows: Rows = defaultdict(Figures)
    for pk in ids:
        rows[((pk,),)].tell(WORDS)
    _add_outcomes(rows, _Grouping(SentTally.objects.filter(campaign__in=ids), by, F("hour"), campaigns))
    _add_times(rows, _Grouping(DeliveryTimeTally.objects.filter(campaign__in=ids), by, F("hour"), campaigns))
    _add_replies(rows, _Grouping(Reply.objects.filter(campaign__in=ids), by, F("at"), campaigns))
    return {pk: rows[((pk,),)] for pk in ids}


def _wanted(limits: Limits) -> dict[str, Any]:
    """A filter for the limits that a tally has columns for, so that the database reads nothing else."""
    found: dict[str, Any] = {}
    if "country" in limits.only:
        found["country__in"] = list(limits.only["country"])
    if keys := limits.only.get("campaign"):
        ids = [key.removeprefix("campaign:") for key in keys if key.startswith("campaign:")]
        if "" not in keys:  # replies that answer none
            found["campaign__in"] = [pk for said in ids if (pk := whole_number(said)) is not None]
    return found


class Campaigns(dict[int | None, dict[str, reporting.Value]]):
    """{campaign: its values}, of those that `look_up` was told of; None for replies that answer none."""

    def __init__(
        self, by: Sequence[str], known: Mapping[int, dict[str, reporting.Value]] = MappingProxyType({})
    ) -> None:
        super().__init__()
        for pk, values in known.items():
            self[pk] = values
        self.names = [name for name in by if name in OF_CAMPAIGN]
        self[None] = {
            "channel": (Channel.SMS.value,),
            "application": ("", ""),
            "campaign": ("", "", None),
            "sender": ("",),
            "person": ("",),
        }

    def __missing__(self, campaign_id: int | None) -> dict[str, reporting.Value]:
        return self[None]

    def look_up(self, ids: Iterable[int | None]) -> None:
        """Read those that are not known yet, in one statement; never all that have ever been."""
        unknown = sorted(pk for pk in set(ids) if pk is not None and pk not in self)
        person = Coalesce("launched_by__username", Value(""))  # its author has not launched it
        columns = ("pk", "name", "channel", "sender_id", "application__name", "application__app_id")
        rows = Campaign.objects.filter(pk__among=unknown).order_by().values_list(*columns, person)
        for pk, name, channel, sender, called, app_id, who in rows:
            self[pk] = {
                "channel": (channel,),
                "application": (called or app_id, app_id),
                "campaign": (name, "campaign", pk),
                "sender": (sender,),
                "person": (who,),
            }


class _Grouping:
    """Rows summed up by the database over plain columns: names and days are looked up afterwards, each once."""

    def __init__(self, rows: "QuerySet[Any]", by: Sequence[str], time: Any, campaigns: Campaigns) -> None:
        self.rows, self.by, self.campaigns = rows.order_by(), by, campaigns
        columns: dict[str, Any] = {name: F(name) for name in by if name in OWN}
        if campaigns.names:
            columns["campaign_id"] = F("campaign_id")
        if any(name in reporting.OF_TIME for name in by):
            columns["time"] = time
        self.columns = columns
        self.known: dict[tuple[Any, ...], tuple[reporting.Value, ...]] = {}
        self.days: dict[Any, dict[str, reporting.Value]] = {}

    def summed(self, keys: Sequence[str], **sums: Any) -> Iterator[tuple[tuple[reporting.Value, ...], tuple[Any, ...]]]:
        """(the values of `by`, the keys and sums)"""
        width = len(self.columns)
        named = self.rows.annotate(**{f"by_{name}": column for name, column in self.columns.items()})
        fields = [*(f"by_{name}" for name in self.columns), *keys]
        rows = named.values_list(*fields).annotate(**sums).iterator() if fields else iter(_all_of(named, sums))
        while piece := list(islice(rows, AT_ONCE)):
            if "campaign_id" in self.columns:
                place = list(self.columns).index("campaign_id")
                self.campaigns.look_up(row[place] for row in piece)
            for row in piece:
                yield self._named(row[:width]), row[width:]

    def _named(self, key: tuple[Any, ...]) -> tuple[reporting.Value, ...]:
        if key not in self.known:
            self.known[key] = self._values(dict(zip(self.columns, key, strict=True)))
        return self.known[key]

    def _values(self, key: dict[str, Any]) -> tuple[reporting.Value, ...]:
        found: dict[str, reporting.Value] = {}
        if "campaign_id" in key:
            found |= self.campaigns[key["campaign_id"]]
        if "time" in key:
            found |= self._time(key["time"])
        if "country" in key:
            found["country"] = (key["country"],)
        if "network" in key:
            found["network"] = (networks.shown(key["network"]),)
        return tuple(found[name] for name in self.by)

    def _time(self, moment: dt.datetime | dt.date) -> dict[str, reporting.Value]:
        if moment not in self.days:
            day = reporting.local_day(moment) if isinstance(moment, dt.datetime) else moment
            self.days[moment] = reporting.time_values(self.by, day)
        return self.days[moment]


def _add_outcomes(rows: Rows, grouping: _Grouping) -> None:
    masked = lru_cache(maxsize=1000)(mask_in_text)  # reports are mailed, and read by links
    sums = {"n": Sum("messages"), "billed": Sum("billed_segments"), "paid": Sum("pay_micros")}
    for values, (state, reason, currency, n, billed, paid) in grouping.summed(("state", "reason", "currency"), **sums):
        figures = rows[values]
        figures.tell(WORDS)
        for word in COUNTED_AS[state]:
            figures.counts[word] += n
        figures.counts["segments"] += billed
        if state in FAILED:
            figures.reasons[masked(reason)] += n
        if state == MessageState.REJECTED:
            figures.rejections[masked(reason)] += n
        if state in counting.TAKEN and not currency:  # an amount without a currency is in no sum
            figures.counts["price_not_told"] += n
        if currency:
            figures.cost[currency] += paid
            figures.delivered_in[currency] += n if state == MessageState.DELIVERED else 0


def _all_of(rows: QuerySet[Any], sums: dict[str, Any]) -> list[tuple[Any, ...]]:
    """In one row, or none: a list of values of no fields would have every column."""
    found = tuple(rows.order_by().aggregate(**sums).values())
    return [found] if any(found) else []


def _add_times(rows: Rows, grouping: _Grouping) -> None:
    for values, (bucket, n) in grouping.summed(("bucket",), n=Sum("messages")):
        rows[values].times[bucket] += n


def _add_replies(rows: Rows, grouping: _Grouping) -> None:
    for values, (n, opted_out) in grouping.summed((), n=Count("pk"), opted_out=Count("pk", filter=~Q(opt_out=""))):
        figures = rows[values]
        figures.counts["replies"] += n
        figures.counts["opt_outs"] += opted_out
