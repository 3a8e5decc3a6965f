"""Unknown messages and the vendor's records, matched by number within the request's own window (laws#unknown-stays).

getSentRcd gives an id, a number and a time, and no orderId. A record whose id belongs to nobody settles the one message
that can have it: same application, same subscriber, no id of its own, and a request that was under way at that time.
Where two messages could claim one record, or two records one message, none of them is settled. Where another
system sends with the same application, number and time prove nothing: only a record that carries our order id does.

Some gateways give the time of sending, others that of delivery (laaffic-api#ambiguities 35). So a record is settled as
if it said the first, and only where it can be no earlier message's that was delivered late; a message is called missing
only where nothing to its subscriber came since it left.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.laaffic import DeliveryReport
from messaging import msisdn
from messaging.models import IS_OPEN_BATCH, Batch, BatchState, Message, MessageState
from messaging.models.messages import has_never_left
from messaging.services.batches import unanswered
from messaging.services.reports import report_targets, reports
from messaging.subscribers import every_spelling, subscriber
from messaging.wire import gateway_ids
from messaging.wire.order_ids import order_id

CLOCKS_DIFFER_BY = dt.timedelta(seconds=settings.LAAFFIC_CLOCK_SLACK_SECONDS)

NOT_IN_RECORDS = "not in the vendor's records"
# A phone that is off has no record yet, though its message was accepted (laaffic-api#getsentrcd).
NOT_YET_IN_RECORDS = f"{NOT_IN_RECORDS} so far, which list finished messages only"
REPORTS_COME_FOR = dt.timedelta(hours=settings.REPORT_WINDOW_HOURS)
A_MOMENT = dt.timedelta(minutes=1)  # from when somebody asks for all until now to when it is read
SHARED_FOR = dt.timedelta(days=90)  # since another system was last seen on an application
NUMBERS_AT_ONCE = 10_000  # in one statement
MAYBE_IN_RECORDS = "the vendor's records hold one to this number that may be this message's or another's"

Window = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True, slots=True)
class _Claimant:
    """A message that has no id and may have left."""

    pk: int
    number: str
    attempt: int
    state: int
    batch_id: int
    left_at: dt.datetime
    clock_ahead: float | None = None

    @property
    def subscriber(self) -> str:
        return subscriber(self.number)

    @property
    def window(self) -> Window:
        return window_of(self.left_at, self.clock_ahead)

    def could_have(self, record: DeliveryReport) -> bool:
        start, end = self.window
        return record.at is not None and start <= record.at <= end

    def may_have(self, record: DeliveryReport) -> bool:
        """Whether it could be its record if that may tell when it was delivered, or tells no time."""
        return record.at is None or record.at >= self.window[0]

    def may_be_late(self, record: DeliveryReport) -> bool:
        """The same while reports are waited for: who waits for one from long ago keeps none from a later message."""
        return record.at is not None and self.may_have(record) and record.at <= self.window[1] + REPORTS_COME_FOR


def window_of(left_at: dt.datetime, clock_ahead: float | None = None) -> Window:
    """When the gateway can have taken what left at that moment; our clock may have been ahead by so many seconds."""
    either = (left_at, left_at - dt.timedelta(seconds=clock_ahead or 0.0))
    return min(either) - CLOCKS_DIFFER_BY, max(either) + unanswered.ANSWER_GRACE + CLOCKS_DIFFER_BY


def window_of_call(entry: LedgerEntry | None) -> Window | None:
    return window_of(entry.left_at, entry.clock_ahead) if entry is not None and entry.left_at else None


def windows_of(batches: Iterable[Batch]) -> list[Window]:
    """The windows of these batches' requests, in order, with those that touch made one."""
    return _merged(window for batch in batches if (window := window_of_call(batch.entry)))


def long_windows_of(batches: Iterable[Batch], now: dt.datetime) -> list[Window]:
    """The same, from when each request left until now or until no report is waited for any more."""
    return _merged(
        _as_long_as_reports_come(window, now) for batch in batches if (window := window_of_call(batch.entry))
    )


def _as_long_as_reports_come(window: Window, now: dt.datetime) -> Window:
    return window[0], max(window[1], min(now, window[0] + REPORTS_COME_FOR))


def _merged(windows: Iterable[Window]) -> list[Window]:
    found = sorted(windows)
    merged: list[Window] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one reading of the records between two moments came to."""

    start: dt.datetime
    end: dt.datetime
    seen: int
    unreadable: int = 0  # rows that might be anybody's
    undecided: frozenset[int] = frozenset()  # messages that have a record, which may be another's as well
    unread: Sequence[Window] = ()  # between these moments, where the reading broke off

    def covers(self, window: Window, lasting: dt.timedelta = dt.timedelta(0)) -> bool:
        """Whether what is not in this window's records, or was so long after it, is not there at all."""
        if self.unreadable or _touch_any((window[0], window[1] + lasting), self.unread):
            return False
        return self.start <= window[0] and window[1] <= self.end


def _is_inside(window: Window, period: Window, now: dt.datetime) -> bool:
    """Whether the period covers the part of the window that has passed: what is still to come has no records yet."""
    return period[0] <= window[0] and (window[1] <= period[1] or now - A_MOMENT <= period[1])


def _touch_any(window: Window, others: Iterable[Window]) -> bool:
    return any(start < window[1] and window[0] < end for start, end in others)


class Strays:
    """Records of one sweep whose ids belong to nobody; only those are kept that some message could claim."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.began = timezone.now()
        self.records: dict[str, DeliveryReport] = {}
        self.undecided: frozenset[int] = frozenset()
        self.unreadable = 0  # records without a number, or with one that hides digits: they might be anybody's
        self.partial: set[str] = set()  # numbers without their country code, of records that are nobody's
        self.is_shared = _was_shared(application)

    def add(self, records: Sequence[DeliveryReport]) -> None:
        """Add the records without an order id: one with ours was applied by it, any other is another system's."""
        anonymous = [record for record in records if not record.order_id]
        claimants = _claimants(self.application, every_spelling(sorted({number_of(r) for r in anonymous})))
        wanted = {subscriber(number) for number in claimants.values_list("number", flat=True)}
        self.records |= {gateway_ids.kept(r.msg_id): r for r in anonymous if r.msg_id and subscriber_of(r) in wanted}
        unclaimed = {number_of(r) for r in anonymous if subscriber_of(r) not in wanted}
        hidden, partial = not_whole(unclaimed)
        self.unreadable += sum(number_of(r) in hidden for r in anonymous)
        self.partial |= partial
        if not self.is_shared and self._tell_of_others(records, unclaimed):
            self._is_shared_from_now()

    def _tell_of_others(self, records: Sequence[DeliveryReport], unclaimed: set[str]) -> bool:
        """None of these records was found to be a message's: by its order id it would have been."""
        return any(record.order_id for record in records) or _anybody_elses(self.application, unclaimed)

    def _is_shared_from_now(self) -> None:
        self.is_shared = True
        Application.objects.filter(pk=self.application.pk).update(others_seen_at=timezone.now())

    def settle(self, period: Window, unread: Sequence[Window] = ()) -> int:
        """Give each record of this period to the one message that can have it; return how many were given.

        A message is skipped if its request's window was not read whole, or reaches beyond the period: it could have
        another record too.
        """
        settled = self._settle_whole(period, unread) if self.records else 0
        if self.partial:
            self.undecided |= ending_so(self.application, self.partial)
        return settled

    def _settle_whole(self, period: Window, unread: Sequence[Window]) -> int:
        with transaction.atomic():
            numbers = every_spelling(sorted({number_of(record) for record in self.records.values()}))
            some = [numbers[at : at + NUMBERS_AT_ONCE] for at in range(0, len(numbers), NUMBERS_AT_ONCE)]
            claimants = [_claimants(self.application, each) for each in some]
            # An answer may be on its way to the same rows: with their batches locked, nobody gives them an id.
            batch_ids = sorted({batch_id for each in claimants for batch_id in each.values_list("batch_id", flat=True)})
            list(Batch.objects.select_for_update().filter(pk__in=batch_ids).order_by("pk").values_list("pk"))
            taken = set(Message.objects.filter(gateway_id__in=self.records).values_list("gateway_id", flat=True))
            free = [record for msg_id, record in self.records.items() if msg_id not in taken]
            waiting = [_Claimant(*row) for each in claimants for row in each.values_list(*_COLUMNS)]
            matched = [] if self.is_shared else pairs(free, waiting)
            matched = [
                (record, claimant)
                for record, claimant in matched
                if _is_inside(claimant.window, period, self.began) and not _touch_any(claimant.window, unread)
            ]
            self.undecided = undecided(free, waiting, matched)
            named = [record._replace(order_id=_order_id(claimant)) for record, claimant in matched]
            return sum(reports.apply(named, how=report_targets.BY_NUMBER_AND_TIME))


def not_whole(numbers: set[str]) -> tuple[set[str], set[str]]:
    """(numbers in records with hidden digits or that are none, numbers without their country code)."""
    hidden = {number for number in numbers if not number.isdecimal()}
    return hidden, {number for number in numbers - hidden if not _is_whole(number)}


def ending_so(application: Application, partial: set[str]) -> frozenset[int]:
    """Unknown messages to whom one of these may have gone, written without the country code."""
    unknown = Message.objects.filter(campaign__application=application, state=MessageState.UNKNOWN).order_by()
    tails = {number.lstrip("0") for number in partial}
    by_length = {n: {tail for tail in tails if len(tail) == n} for n in {len(tail) for tail in tails}}
    return frozenset(
        pk
        for pk, number in unknown.values_list("pk", "number").iterator()
        if any(n >= msisdn.SHORTEST_NATIONAL and number[-n:] in those for n, those in by_length.items())
    )


def _was_shared(application: Application) -> bool:
    recently = Application.objects.filter(pk=application.pk, others_seen_at__gte=timezone.now() - SHARED_FOR)
    return recently.exists()


def _anybody_elses(application: Application, numbers: set[str]) -> bool:
    """Whether one of these was never written to with this application from here: somebody else did."""
    ours = Message.objects.filter(number__in=every_spelling(sorted(numbers)), campaign__application=application)
    reached = {subscriber(number) for number in ours.order_by().values_list("number", flat=True)}
    return any(subscriber(number) not in reached and _is_whole(number) for number in numbers)


def _is_whole(number: str) -> bool:
    """Some gateways leave the country code out, also of what we sent."""
    try:
        return msisdn.parse(f"+{number}").is_valid
    except msisdn.InvalidNumber:
        return False


_COLUMNS = ("pk", "number", "attempt", "state", "batch_id", "batch__entry__left_at", "batch__entry__clock_ahead")


def _claimants(application: Application, numbers: Sequence[str]) -> "QuerySet[Message]":
    """Messages to these numbers (in every spelling) that may have left and have no gateway id."""
    left = (EntryState.IN_FLIGHT, EntryState.ACCEPTED, EntryState.UNKNOWN)
    may_have_left = Message.objects.filter(
        number__in=set(numbers),
        gateway_id=None,
        campaign__application=application,
        batch__entry__state__in=left,
        batch__entry__left_at__isnull=False,
    )
    return may_have_left.exclude(has_never_left()).order_by()


def undecided(
    records: Sequence[DeliveryReport],
    claimants: Sequence[_Claimant],
    matched: Sequence[tuple[DeliveryReport, _Claimant]],
) -> frozenset[int]:
    """Who got no record and may have one: it could be another's too, or was delivered later, or does not say when."""
    placed = {record.msg_id for record, _claimant in matched}
    of_subscriber = defaultdict(list)
    for record in records:
        if record.msg_id not in placed:
            of_subscriber[subscriber_of(record)].append(record)
    return frozenset(
        claimant.pk
        for claimant in claimants
        if any(claimant.may_have(record) for record in of_subscriber[claimant.subscriber])
    )


def pairs(records: Sequence[DeliveryReport], claimants: Sequence[_Claimant]) -> list[tuple[DeliveryReport, _Claimant]]:
    """The records that exactly one message could claim, where that message could claim no other.

    Who left earlier and has none yet could claim it too, as one that was delivered late.
    """
    records_to, messages_to = defaultdict(list), defaultdict(list)
    for record in records:
        records_to[subscriber_of(record)].append(record)
    for claimant in claimants:
        messages_to[claimant.subscriber].append(claimant)
    return [pair for one, found in records_to.items() for pair in _pairs_of_one(found, messages_to[one])]


def _pairs_of_one(
    records: Sequence[DeliveryReport], claimants: Sequence[_Claimant]
) -> list[tuple[DeliveryReport, _Claimant]]:
    """Of one subscriber, the earliest record first: who has got one claims no later one."""
    found: list[tuple[DeliveryReport, _Claimant]] = []
    waiting = {claimant.pk: claimant for claimant in claimants}
    timed = sorted((record.at, at) for at, record in enumerate(records) if record.at is not None)
    for record in (records[at] for _moment, at in timed):
        may_be = [claimant for claimant in waiting.values() if claimant.may_be_late(record)]
        if len(may_be) != 1 or not may_be[0].could_have(record):
            continue
        claimant = may_be[0]
        has_others = sum(claimant.could_have(other) for other in records) > 1
        # Queued here means that its answer is awaited or not written yet: the answer knows better.
        if not has_others and claimant.state != MessageState.QUEUED:
            found.append((record, claimant))
            del waiting[claimant.pk]
    return found


def number_of(record: DeliveryReport) -> str:
    return record.number.lstrip("+")


def subscriber_of(record: DeliveryReport) -> str:
    """Carriers write some countries' numbers otherwise than they were sent."""
    return subscriber(number_of(record))


def _order_id(claimant: _Claimant) -> str:
    return order_id(settings.LAAFFIC_ORDER_PREFIX, claimant.pk, claimant.attempt)


def unknown_batches(application: Application) -> "QuerySet[Batch]":
    of_application = Batch.objects.filter(
        IS_OPEN_BATCH.implied, campaign__application=application, state=BatchState.UNKNOWN
    )
    return of_application.select_related("entry").order_by("pk")


def say_not_found(
    batch: Batch, asked_at: dt.datetime, sweeps: Sequence[Sweep], lasting: dt.timedelta | None = None
) -> int:
    """If one of the sweeps read the batch's window whole, and all since while reports are waited for, note on its
    unknown messages that the records do not have them, and return how many. If none did, nothing is asked or locked,
    however many are waiting.

    `lasting`: how long after it was taken a record may first be there. None where a phone that is off can delay it for
    as long as reports are waited for: until then the sentence says that only finished messages are listed.
    """
    if not _is_read_whole(batch, asked_at, sweeps, lasting):
        return 0
    return _say_not_found(batch.pk, asked_at, sweeps, lasting)


def _is_read_whole(batch: Batch, asked_at: dt.datetime, sweeps: Sequence[Sweep], lasting: dt.timedelta | None) -> bool:
    if batch.state != BatchState.UNKNOWN or (window := window_of_call(batch.entry)) is None:
        return False
    if lasting is None:
        long = _as_long_as_reports_come(window, asked_at - A_MOMENT)
        return window[1] <= asked_at and any(sweep.covers(long) for sweep in sweeps)
    return window[1] + lasting <= asked_at and any(sweep.covers(window, lasting) for sweep in sweeps)


@transaction.atomic
def _say_not_found(batch_id: int, asked_at: dt.datetime, sweeps: Sequence[Sweep], lasting: dt.timedelta | None) -> int:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    entry = batch.entry
    if entry is None or not _is_read_whole(batch, asked_at, sweeps, lasting):
        return 0  # another sending by now, or settled
    missing = NOT_IN_RECORDS if lasting is not None or _is_past_reports(batch, asked_at) else NOT_YET_IN_RECORDS
    asked = f"(asked {timezone.localtime(asked_at):%Y-%m-%d %H:%M}); {entry.evidence or 'the answer was lost'}"
    unknown = batch.messages().filter(state=MessageState.UNKNOWN)
    maybe = frozenset[int]().union(*(sweep.undecided for sweep in sweeps))
    theirs = maybe.intersection(unknown.values_list("pk", flat=True)) if maybe else maybe
    unknown.filter(pk__in=theirs).update(evidence=f"{MAYBE_IN_RECORDS} {asked}"[:200])
    return unknown.exclude(pk__in=theirs).update(evidence=f"{missing} {asked}"[:200])


def _is_past_reports(batch: Batch, asked_at: dt.datetime) -> bool:
    return batch.claimed_at is not None and asked_at - batch.claimed_at > REPORTS_COME_FOR
