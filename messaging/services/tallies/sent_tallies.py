"""What happened to the messages of each hour, kept as things happen: what reports say.

A message belongs to the hour in which the gateway answered for it, or was given up on; until then, and where an answer
never came, to the hour of its campaign's launch. What was heard of an earlier sending belongs to the hour in which it
was heard. All of it can be read off the messages: `standing` does, for a batch that changes and for `report prove`.

These tallies are locked last, after outcomes and activity (docs/mechanisms/locks.md).
"""

import datetime as dt
import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from laaffic_console.kit import delivery_buckets
from messaging.models import Batch, Campaign, DeliveryTimeTally, EarlierAttempt, Message, MessageState, SentTally
from messaging.services.tallies.hour_tallies import hour_of
from messaging.services.tallies.tally_writes import upsert_tallies
from messaging.wire import networks

# What is queued, suppressed or cancelled has no answer. Money and reasons count with an end, as everywhere.
COUNTED = (
    MessageState.UNKNOWN,
    MessageState.REJECTED,
    MessageState.ACCEPTED,
    MessageState.EXPIRED,
    MessageState.UNDELIVERED,
    MessageState.DELIVERED,
)
ENDS = (MessageState.REJECTED, MessageState.EXPIRED, MessageState.UNDELIVERED, MessageState.DELIVERED)


class Sent(NamedTuple):
    hour: dt.datetime
    country: str
    network: int
    state: int
    reason: str
    currency: str


class Took(NamedTuple):
    hour: dt.datetime
    country: str
    network: int
    bucket: int


class Sums(NamedTuple):
    messages: int
    billed_segments: int
    pay_micros: int


class Moves:
    """Changes to one campaign's tallies, gathered and then written at once."""

    def __init__(self) -> None:
        self.sent: dict[Sent, Sums] = {}
        self.took: Counter[Took] = Counter()

    def add(self, sent: Sent, sums: Sums, sign: int = 1) -> None:
        """Add messages to the tallies. Before a message has an end, only its number counts."""
        if sent.state not in ENDS:
            sent, sums = sent._replace(reason="", currency=""), Sums(sums.messages, 0, 0)
        there = self.sent.get(sent, Sums(0, 0, 0))
        self.sent[sent] = Sums(*(a + sign * b for a, b in zip(there, sums, strict=True)))

    def add_time(self, sent: Sent, settled_at: dt.datetime | None, reported_at: dt.datetime | None, n: int) -> None:
        if sent.state == MessageState.DELIVERED:
            self.add_bucket(sent, delivery_buckets.bucket_of(settled_at, reported_at), n)

    def add_bucket(self, sent: Sent, bucket: int | None, n: int) -> None:
        """How long deliveries took; None where that is not known."""
        if bucket is not None:
            self.took[Took(sent.hour, sent.country, sent.network, bucket)] += n

    def less(self, before: "Moves") -> "Moves":
        for sent, sums in before.sent.items():
            self.add(sent, sums, -1)
        self.took.subtract(before.took)
        return self


def move(moves: dict[int, Moves]) -> None:
    """{campaign: its changes}, in the caller's transaction, after every other tally."""
    upsert_tallies(
        SentTally._meta.db_table,
        ["hour", "campaign_id", "country", "network", "state", "reason", "currency"],
        ["messages", "billed_segments", "pay_micros"],
        [
            (sent.hour, campaign_id, *sent[1:], *sums)
            for campaign_id, moved in moves.items()
            for sent, sums in moved.sent.items()
            if any(sums)
        ],
    )
    upsert_tallies(
        DeliveryTimeTally._meta.db_table,
        ["hour", "campaign_id", "country", "network", "bucket"],
        ["messages"],
        [
            (took.hour, campaign_id, *took[1:], n)
            for campaign_id, moved in moves.items()
            for took, n in moved.took.items()
            if n
        ],
    )


def hour(moment: dt.datetime) -> dt.datetime:
    """The begin of the hour in the console's zone, in UTC, so that an hour that clocks repeat counts as two."""
    return _hour(moment.replace(second=0, microsecond=0), timezone.get_current_timezone())


@functools.lru_cache(maxsize=1000)  # thousands of messages have the same
def _hour(minute: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    with timezone.override(zone):
        return hour_of(minute).astimezone(dt.UTC)


@contextmanager
def following(batch: Batch) -> Iterator[None]:
    """Whatever the block does to the messages of a locked batch, their tallies follow. Not to be nested."""
    before = standing(batch.messages()).get(batch.campaign_id, Moves())
    yield
    move({batch.campaign_id: standing(batch.messages()).get(batch.campaign_id, Moves()).less(before)})


def of_accepted(batch: Batch, n: int, at: dt.datetime) -> Moves | None:
    """The moves of an answer that accepts `n` untouched messages; None if a report or a person's word came first.

    `following` would find the same, with two long queries instead of a short one.
    """
    return of_untouched(dict(untouched_by_country(batch.messages())), n, at)


def untouched_by_country(messages: "QuerySet[Message]") -> "QuerySet[Message, Any]":
    """(country, how many) of those that nobody has looked after."""
    untouched = messages.filter(state=MessageState.QUEUED, settled_at=None).order_by()
    return untouched.values_list("country").annotate(n=Count("pk"))


def of_untouched(by_country: dict[str, int], n: int, at: dt.datetime) -> Moves | None:
    """As `of_accepted`, for untouched messages of one campaign, counted by country; their batches are locked."""
    if sum(by_country.values()) != n:
        return None
    moves = Moves()
    for country, count in by_country.items():
        moves.add(Sent(hour(at), country, networks.NONE, MessageState.ACCEPTED, "", ""), Sums(count, 0, 0))
    return moves


def standing(messages: "QuerySet[Message]") -> dict[int, Moves]:
    """{campaign: what its tallies would be if these were all its messages}; grouped by the database."""
    found: dict[int, Moves] = defaultdict(Moves)
    launches = Launches()
    counted = messages.filter(state__in=COUNTED).order_by()
    key = ("campaign_id", "settled_at", "country", "network", "state")
    sums = {"n": Count("pk"), "billed": Sum("billed_segments", default=0), "paid": Sum("pay_micros", default=0)}
    delivered = False
    for row in counted.values_list(*key, "reason", "currency").annotate(**sums).iterator():
        campaign_id, settled_at, *about = row[:7]
        found[campaign_id].add(_sent(launches, campaign_id, settled_at, *about), Sums(*row[7:]))
        delivered |= about[2] == MessageState.DELIVERED
    if delivered:
        told = counted.filter(state=MessageState.DELIVERED, settled_at__isnull=False, reported_at__isnull=False)
        for row in told.values_list(*key, "reported_at").annotate(n=Count("pk")).iterator():
            campaign_id, settled_at, *about, reported_at, n = row
            found[campaign_id].add_time(
                _sent(launches, campaign_id, settled_at, *about, "", ""), settled_at, reported_at, n
            )
    return found


def _sent(
    launches: "Launches",
    campaign_id: int,
    settled_at: dt.datetime | None,
    country: str,
    network: int | None,
    *rest: Any,
) -> Sent:
    return Sent(hour(settled_at or launches[campaign_id]), country, network or networks.NONE, *rest)


class Launches(dict[int, dt.datetime]):
    """{campaign: its launch}, looked up when it is asked for."""

    def __missing__(self, campaign_id: int) -> dt.datetime:
        launch = Coalesce("launched_at", "created_at")
        self[campaign_id] = Campaign.objects.values_list(launch, flat=True).get(pk=campaign_id)
        return self[campaign_id]


def earlier(attempt: EarlierAttempt, *, campaign_id: int, country: str, launches: Launches) -> tuple[Sent, Sums]:
    """What an earlier sending cost: money without a message (earlier_attempts.key_of)."""
    at = hour(attempt.heard_at or launches[campaign_id])
    sent = Sent(at, country, networks.NONE, MessageState.EXPIRED, "", attempt.currency)
    return sent, Sums(0, attempt.billed_segments or 0, attempt.pay_micros or 0)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of a period or of a campaign: what was kept, and what it is kept of."""

    messages: "QuerySet[Message]"
    attempts: "QuerySet[EarlierAttempt]"
    sent: "QuerySet[SentTally]"
    times: "QuerySet[DeliveryTimeTally]"


def of_campaign(campaign_id: int) -> Part:
    return Part(
        Message.objects.filter(campaign=campaign_id),
        EarlierAttempt.objects.filter(message__campaign=campaign_id),
        SentTally.objects.filter(campaign=campaign_id),
        DeliveryTimeTally.objects.filter(campaign=campaign_id),
    )


def of_period(start: dt.datetime, end: dt.datetime) -> Part:
    """The rows of the hours from `start` to before `end`. No index finds its messages: all are read."""
    begun = Campaign.objects.annotate(launch=Coalesce("launched_at", "created_at"))
    launched = begun.filter(launch__gte=start, launch__lt=end).values("pk")
    in_hours = {"hour__gte": start, "hour__lt": end}
    return Part(
        Message.objects.filter(
            Q(settled_at__gte=start, settled_at__lt=end) | Q(settled_at=None, campaign__in=launched)
        ),
        EarlierAttempt.objects.filter(
            Q(heard_at__gte=start, heard_at__lt=end) | Q(heard_at=None, message__campaign__in=launched)
        ),
        SentTally.objects.filter(**in_hours),
        DeliveryTimeTally.objects.filter(**in_hours),
    )


def derived(part: Part) -> dict[int, Moves]:
    """{campaign: what its tallies must be}, from messages and earlier attempts alone."""
    found = standing(part.messages)
    launches = Launches()
    for attempt in part.attempts.exclude(pay_micros=None).select_related("message").iterator():
        of = attempt.message
        sent, sums = earlier(attempt, campaign_id=of.campaign_id, country=of.country, launches=launches)
        found[of.campaign_id].add(sent, sums)
    return found


def kept(part: Part) -> dict[int, Moves]:
    """{campaign: its tallies}"""
    found: dict[int, Moves] = defaultdict(Moves)
    for row in part.sent.iterator():
        sent = Sent(row.hour, row.country, row.network, row.state, row.reason, row.currency)
        found[row.campaign_id].add(sent, Sums(row.messages, row.billed_segments, row.pay_micros))
    for time in part.times.iterator():
        found[time.campaign_id].took[Took(time.hour, time.country, time.network, time.bucket)] += time.messages
    return found


def disagreements(part: Part) -> Iterator[str]:
    """A sentence for each tally that is not what its messages say."""
    said, true = kept(part), derived(part)
    for campaign_id in sorted(said.keys() | true.keys()):
        one, other = said[campaign_id], true[campaign_id]
        for sent in sorted(one.sent.keys() | other.sent.keys()):
            has, should = one.sent.get(sent, Sums(0, 0, 0)), other.sent.get(sent, Sums(0, 0, 0))
            if has != should:
                yield f"campaign {campaign_id}, {_named(sent)}: tallied {tuple(has)}, derived {tuple(should)}"
        for took in sorted(one.took.keys() | other.took.keys()):
            if one.took[took] != other.took[took]:
                yield (
                    f"campaign {campaign_id}, delivery times of {timezone.localtime(took.hour):%Y-%m-%d %H:%M} "
                    f"{tuple(took[1:])}: tallied {one.took[took]}, derived {other.took[took]}"
                )


def _named(sent: Sent) -> str:
    about = [sent.country, networks.shown(sent.network), MessageState(sent.state).key, sent.reason, sent.currency]
    return " ".join([f"{timezone.localtime(sent.hour):%Y-%m-%d %H:%M}", *filter(None, about)])


def write_again(campaigns: Iterable[int]) -> None:
    """Make the tallies of campaigns whose rows were filled in without the services (scripts/fill.py)."""
    for campaign_id in campaigns:
        move(standing(Message.objects.filter(campaign_id=campaign_id)))
