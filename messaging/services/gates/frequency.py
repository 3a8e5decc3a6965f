"""Never too often: how many messages a person has had on a channel, and who has had as many as a cap allows.

Nothing is counted beside the messages themselves: a number's messages are found by the index that keeps one message
for each person and campaign, and only those of campaigns that sent within the week are read. Without a cap nothing is
asked. What reaches people on the channel without being a message here, such as a group call, is told by its own app
(`counts_too`).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.sql.sql_lists import among
from messaging.models import IS_OPEN_BATCH, ActivityTally, Batch, BatchState, Campaign, CampaignState, FrequencyCap
from messaging.models import MessageState as State
from messaging.models.messages import NEVER_LEFT
from messaging.services.gates import as_frozen
from messaging.services.gates.gates import Gate, Kind, Queued, Verdict
from messaging.subscribers import every_spelling, has_spellings, subscriber

HOUR, DAY, WEEK = dt.timedelta(hours=1), dt.timedelta(hours=24), dt.timedelta(days=7)
# Nobody else counts the same people until what was claimed is committed. Every worker has to use the same keys, those
# of an older version too: no channel's key may change.
LOCK = 7_220_000
LOCK_OF_CHANNEL = {"sms": LOCK, "mms": LOCK + 1, "voice": LOCK + 2, "email": LOCK + 3}
LOCK_OF_OTHERS = LOCK + 4

Sending = frozenset[int]  # campaigns
Had = Iterable[tuple[str, int, int]]  # (number, how many within 24 hours, how many within 7 days); some come twice
Source = Callable[[Sequence[str], dt.datetime, dt.datetime], Had]  # numbers, since when in all, since when a day


class Cap(NamedTuple):
    per_day: int
    per_week: int

    def __bool__(self) -> bool:
        return bool(self.per_day or self.per_week)


NO_CAP = Cap(0, 0)


def cap_of(campaign: Campaign) -> Cap:
    """The cap of a campaign; no cap for a test."""
    is_test = campaign.kind == Campaign.Kind.TEST
    return NO_CAP if is_test else cap_for(campaign.application_id, campaign.purpose)


def cap_for(application_id: int, purpose: str) -> Cap:
    """An application's own, else the console's; none for what nobody may miss."""
    if purpose == Campaign.Purpose.TRANSACTIONAL:
        return NO_CAP
    own = _caps.rows(application=application_id)
    per_day, per_week = settings.LAAFFIC_FREQUENCY_CAP_DAY, settings.LAAFFIC_FREQUENCY_CAP_WEEK
    for own_day, own_week in own:
        per_day = per_day if own_day is None else own_day
        per_week = per_week if own_week is None else own_week
    return Cap(per_day, per_week)


@Select
def _caps() -> "QuerySet[FrequencyCap, Any]":
    return FrequencyCap.objects.filter(application=Given("application")).values_list("per_day", "per_week")


class Elsewhere(NamedTuple):
    had: Source
    has_left_since: Callable[[dt.datetime], bool]


_elsewhere: dict[str, Elsewhere] = {}


def counts_too(channel: str, source: Source, has_left_since: Callable[[dt.datetime], bool]) -> None:
    """Register, in ready(), what else an app sends on a channel and counts towards the caps of campaigns.

    `has_left_since`: whether anything of it counts that did not at that moment. A claim asks that in one statement.
    ValueError for a channel's second source, which would take the first one's place.
    """
    if channel in _elsewhere:
        raise ValueError(f"What else is sent on {channel} is counted already; make one source of the two.")
    _elsewhere[channel] = Elsewhere(source, has_left_since)


def full_among(campaign: Campaign, cap: Cap, numbers: Iterable[str], sending: Sending | None = None) -> dict[str, str]:
    """{number: why} of those whose subscribers have had, or are about to get, as many as the cap allows."""
    if sending is None:
        sending = sending_since(campaign.channel, start_of(cap))
    elsewhere = _elsewhere.get(campaign.channel)
    return full_on(cap, numbers, sending - {campaign.pk}, elsewhere.had if elsewhere else None)


def start_of(cap: Cap) -> dt.datetime:
    """The moment from which on messages count: a week ago if the cap has a limit for a week, else a day ago."""
    return timezone.now() - (WEEK if cap.per_week else DAY)


def full_on(cap: Cap, numbers: Iterable[str], sending: Sending, elsewhere: Source | None = None) -> dict[str, str]:
    """{number: why}, as above, counting the messages of these campaigns and what `elsewhere` counted."""
    now, since, asked = timezone.now(), start_of(cap), list(numbers)
    others = list(elsewhere(asked, since, now - DAY)) if elsewhere else []
    perhaps = {*_may_be_full(asked, since, min(filter(None, cap)), sending)}
    if others:
        counted_elsewhere = {subscriber(number) for number, _in_day, _in_week in others}
        perhaps.update(number for number in asked if subscriber(number) in counted_elsewhere)
    wanted = {number: subscriber(number) for number in asked if number in perhaps}
    day, week = dict.fromkeys(wanted.values(), 0), dict.fromkeys(wanted.values(), 0)
    for number, in_day, in_week in [*_had(list(wanted), since, now - DAY, sending), *others]:
        who = wanted.get(number) or subscriber(number)
        day[who] += in_day
        week[who] += in_week
    full_today = {who for who, n in day.items() if n >= cap.per_day} if cap.per_day else set()
    full_this_week = {who for who, n in week.items() if n >= cap.per_week} if cap.per_week else set()
    if not full_today and not full_this_week:
        return {}
    why: dict[str, str] = {}
    for number, who in wanted.items():
        if who in full_today:
            why[number] = f"has had {day[who]} within 24 hours, and the frequency cap is {cap.per_day}"
        elif who in full_this_week:
            why[number] = f"has had {week[who]} within 7 days, and the frequency cap is {cap.per_week}"
    return why


def sending_since(channel: str, since: dt.datetime) -> Sending:
    """Campaigns of the channel whose messages count, and of which one may have left since then."""
    begun = (
        Campaign.objects.filter(channel=channel)
        .exclude(kind=Campaign.Kind.TEST)
        .exclude(purpose=Campaign.Purpose.TRANSACTIONAL)
        .order_by()
        .values_list("pk", flat=True)
    )
    # In two parts: an index leads past all that finished before, which "or" does not use. In one statement: between two
    # a campaign may go on that had finished.
    open_ones = begun.filter(
        ~Q(state=CampaignState.CANCELLED) | is_active_since(since),
        state__in=[*as_frozen.UNDER_WAY, CampaignState.CANCELLED],
    )
    finished = begun.filter(state=CampaignState.FINISHED, finished_at__gte=since)
    return frozenset(open_ones.union(finished, all=True))


def is_active_since(since: dt.datetime) -> Q:
    """A condition on campaigns: something of it was answered since, or is in a worker's hands, or has no known outcome.

    For campaigns that were cancelled: they do not say when the last of what had left was answered.
    """
    in_hands = [BatchState.CLAIMED, BatchState.UNKNOWN]
    open_batches = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=OuterRef("pk"), state__in=in_hands)
    active = ActivityTally.objects.filter(campaign=OuterRef("pk"), minute__gte=since - dt.timedelta(minutes=1))
    return Q(Exists(active)) | Q(Exists(open_batches))


def _may_be_full(numbers: list[str], since: dt.datetime, least: int, sending: Sending) -> list[str]:
    """Numbers with `least` messages or more, counted generously by the database, and all with several spellings."""
    if not numbers or not sending:
        return []
    spelt = [number for number in numbers if has_spellings(number)]
    there, params = _those_of(numbers, since, sending)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT number {there} GROUP BY number HAVING sum(attempt) >= %s", [*params, least])
        return list(dict.fromkeys([*spelt, *(number for (number,) in cursor.fetchall())]))


def _had(
    numbers: Sequence[str], since: dt.datetime, day: dt.datetime, sending: Sending
) -> Iterator[tuple[str, int, int]]:
    """(number, how many since `day`, how many since `since`) of what left, or is leaving; a number may come twice."""
    if not numbers or not sending:
        return
    waiting: list[tuple[str, int, int, int]] = []
    for number, campaign_id, state, attempt, batch_id, in_day in _messages(
        every_spelling(numbers), since, day, sending
    ):
        if campaign_id not in sending:
            continue
        if in_day is None or state == State.QUEUED:
            waiting.append((number, state, attempt, batch_id))
        else:
            n = attempt - (state in NEVER_LEFT)
            yield number, n if in_day else 0, n
    # Queued in a batch that is claimed, or answered and not yet written: as far as we know it has left.
    rows_of = Batch.objects.filter(pk__in={row[3] for row in waiting}).values_list("pk", "state", "claimed_at")
    batches = {pk: (standing, at) for pk, standing, at in rows_of} if waiting else {}
    for number, state, attempt, batch_id in waiting:
        standing, at = batches[batch_id]
        n = attempt - (state in NEVER_LEFT or (state == State.QUEUED and standing == BatchState.QUEUED))
        if at is None or at >= since:
            yield number, n if at is None or at >= day else 0, n


def _messages(numbers: list[str], since: dt.datetime, day: dt.datetime, sending: Sending) -> list[Any]:
    """(number, campaign, state, attempt, batch, whether answered since `day`; None: not answered) since `since`.

    Found by the index of (number, campaign), with only the first and the last campaign as a range: a list of campaigns
    would cost one search for each of them.
    """
    there, params = _those_of(numbers, since, sending)
    of_day = connection.ops.adapt_datetimefield_value(day)
    with connection.cursor() as cursor:
        columns = "number, campaign_id, state, attempt, batch_id, settled_at >= %s"
        cursor.execute(f"SELECT {columns} {there}", [of_day, *params])
        return list(cursor.fetchall())


def _those_of(numbers: list[str], since: dt.datetime, sending: Sending) -> tuple[str, list[Any]]:
    is_one, given = among(numbers)
    never = ", ".join(str(state.value) for state in NEVER_LEFT)
    there = (
        f"FROM messaging_message WHERE number {is_one} AND campaign_id >= %s AND campaign_id <= %s "
        f"AND (state NOT IN ({never}) OR attempt > 1) AND (settled_at IS NULL OR settled_at >= %s)"
    )
    return there, [given, min(sending), max(sending), connection.ops.adapt_datetimefield_value(since)]


def count_alone(channel: str) -> None:
    """Until the transaction ends; two campaigns that reach one person count one after the other.

    SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_OF_CHANNEL.get(channel, LOCK_OF_OTHERS)])


class FrequencyGate(Gate):
    """Who has had enough by now is left out, for good: this message was written for now."""

    def __init__(self, campaign: Campaign, cap: Cap) -> None:
        self.campaign = campaign
        self.cap = cap
        self._has_looked = False
        self._sending: Sending | None = None

    def look(self, rows: Sequence[Queued]) -> Verdict:
        if not self._has_looked:
            count_alone(self.campaign.channel)
            self._sending, self._has_looked = self._others(), True
        if self._sending is None:
            return Verdict()
        full = full_among(self.campaign, self.cap, [row.number for row in rows], self._sending)
        return Verdict(stopped={row.message_id: full[row.number] for row in rows if row.number in full})

    def _others(self) -> Sending | None:
        """The campaigns whose messages must be counted; None if nothing has left since the freezing counted them."""
        frozen = as_frozen.of(self.campaign)
        if frozen is not None and frozen.cap == self.cap and not self._others_sent(frozen):
            return None
        return sending_since(self.campaign.channel, start_of(self.cap))

    def _others_sent(self, frozen: as_frozen.Frozen) -> bool:
        elsewhere = _elsewhere.get(self.campaign.channel)
        is_sent_elsewhere = elsewhere is not None and elsewhere.has_left_since(frozen.since)
        return is_sent_elsewhere or as_frozen.others_sent(self.campaign, frozen)


def _of(campaign: Campaign) -> Gate | None:
    cap = cap_of(campaign)
    return FrequencyGate(campaign, cap) if cap else None


KIND = Kind("frequency", _of, stops=gettext_lazy("had enough messages when claimed"))
