"""The rows of messages that reports are about: as they are found, under lock, and what is written of them afterwards.

With a message its batch's counts move, its campaign's outcomes and the tallies of its hour, in the same transaction.
Messages that stood alike and were reported alike are one row here, and are written by one statement.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit import delivery_buckets
from laaffic_console.kit.sql.constant_sql import Given, Select, Update, moment
from messaging.models import Batch, BatchState, EarlierAttempt, Message, MessageState
from messaging.services import events
from messaging.services.batches import answers, own_segments
from messaging.services.batches.bulk_writes import ALIKE_COLUMNS, move_counts, write_reports, write_same_reports
from messaging.services.batches.unanswered import FIRST_CHECK
from messaging.services.tallies import counting, sent_tallies
from messaging.services.tallies.tally_writes import Outcome, count_activity, count_outcomes
from messaging.wire import networks

# An outcome is a known end; what is on its way is in the batches' tallies.
FINAL_STATES = {MessageState.REJECTED, MessageState.EXPIRED, MessageState.UNDELIVERED, MessageState.DELIVERED}


class Written(NamedTuple):
    """The state of a message as the tallies of its hour have counted it."""

    state: int
    settled_at: dt.datetime | None
    reported_at: dt.datetime | None
    network: int | None


@dataclass(slots=True)
class Row:
    """A message as a batch of reports finds and leaves it."""

    pk: int
    number: str
    gateway_id: str | None
    reported_at: dt.datetime | None
    batch_id: int
    campaign_id: int
    country: str
    attempt: int
    settled_at: dt.datetime | None
    state: int
    report_source: str
    reason: str
    evidence: str
    billed_segments: int | None
    pay_micros: int | None
    currency: str
    segments: int
    network: int | None
    was: tuple[int, str, str, int, int] = (0, "", "", 0, 0)
    touched: bool = False
    written: Written | None = None  # as its own row said it before an answer that is not written yet
    earlier: list[tuple[EarlierAttempt, int]] = field(default_factory=list)  # 1: whose price counts now, -1: no longer
    alike: "Alike | None" = None  # those that it stands for, itself among them


COLUMNS = [one.name for one in fields(Row)][:18]


@dataclass(slots=True)
class Alike:
    """Messages of one batch that stood alike and were reported alike: what the rules say of one is true of each."""

    pks: list[int] = field(default_factory=list)
    moments: list[dt.datetime | None] = field(default_factory=list)  # when each was reported


def locked(pks: Sequence[int], batch_of: Mapping[int, int]) -> tuple[dict[int, Any], dict[int, answers.Accepted]]:
    """The messages' columns with their batches' rows locked, in one order everywhere: batches by id, then messages.

    And what their rows do not say yet. `batch_of` are the batches of some of them, which need not be looked for.
    """
    batch_ids = {batch_of[pk] for pk in pks if pk in batch_of}
    if others := [pk for pk in pks if pk not in batch_of]:
        batch_ids |= {batch_id for (batch_id,) in _batches_of.rows(ids=others)}
    _lock.rows(ids=sorted(batch_ids))
    return {values[0]: values for values in _as_they_are.rows(ids=pks)}, answers.overlay(batch_ids)


def as_found(values: tuple[Any, ...], answered: Mapping[int, answers.Accepted]) -> Row:
    row = Row(*values)
    row.written = Written(row.state, row.settled_at, row.reported_at, row.network)
    if row.settled_at is None and (accepted := answered.get(row.pk)):
        row.state = max(row.state, MessageState.ACCEPTED)
        row.gateway_id, row.segments, row.settled_at = accepted.gateway_id or row.gateway_id, *accepted[1:]
    row.was = _standing(row)
    return row


@Select
def _batches_of() -> "QuerySet[Message, Any]":
    return Message.objects.filter(pk__among=Given("ids")).order_by().values_list("batch_id").distinct()


@Select
def _lock() -> "QuerySet[Batch, Any]":
    return Batch.objects.select_for_update().filter(pk__among=Given("ids")).order_by("pk").values_list("pk")


@Select
def _as_they_are() -> "QuerySet[Message, Any]":
    return Message.objects.filter(pk__among=Given("ids")).order_by().values_list(*COLUMNS)


def _standing(row: Row) -> tuple[int, str, str, int, int]:
    return row.state, row.reason, row.currency, row.billed_segments or 0, row.pay_micros or 0


def write(rows: list[Row]) -> None:
    if not rows:
        return
    rows.sort(key=lambda row: row.pk)
    _count_own_segments(rows)
    write_reports([row for row in rows if row.alike is None])
    _write_alike([row for row in rows if row.alike is not None])
    _move_batches(rows)
    _move_tallies(rows)
    events.messages_moved({pk: row.was[0] for row in rows if row.was[0] != row.state for pk in _pks(row)})
    events.reasons_told([pk for row in rows if _has_a_reason_now(row) for pk in _pks(row)])


def _has_a_reason_now(row: Row) -> bool:
    return row.was[:2] == (MessageState.UNDELIVERED, "") and row.state == MessageState.UNDELIVERED and bool(row.reason)


def _count_own_segments(rows: Sequence[Row]) -> None:
    """Count the segments of the rows that no answer has counted yet."""
    if unanswered := [row for row in rows if is_unanswered(row)]:
        own = own_segments.of_merged([row.pk for row in unanswered])
        for row in unanswered:
            row.segments = own.get(row.pk, row.segments)


def is_unanswered(row: Row) -> bool:
    """Its report is the first to say that the gateway took it; such a row never stands for others."""
    return row.state in counting.SENT and row.was[0] not in counting.SENT


def _pks(row: Row) -> Sequence[int]:
    return row.alike.pks if row.alike is not None else (row.pk,)


def _number(row: Row) -> int:
    """How many messages it stands for."""
    return len(row.alike.pks) if row.alike is not None else 1


def _moments(row: Row) -> Sequence[dt.datetime | None]:
    """The moments at which the messages of this row were reported, if these are what their rows say now."""

    return row.alike.moments if row.alike is not None and row.reported_at is not None else (row.reported_at,)


def _write_alike(rows: Sequence[Row]) -> None:
    """One statement for all, of whichever batch, that say the same now."""
    same: dict[tuple[Any, ...], Alike] = defaultdict(Alike)
    for row in rows:
        assert row.alike is not None  # noqa: S101
        now = (*(getattr(row, column) for column in ALIKE_COLUMNS), row.reported_at is not None)
        same[now].pks.extend(row.alike.pks)
        same[now].moments.extend(row.alike.moments)
    for now, alike in same.items():
        moments = alike.moments if now[-1] else None
        write_same_reports(alike.pks, dict(zip(ALIKE_COLUMNS, now[:-1], strict=True)), moments)


def _move_batches(rows: Sequence[Row]) -> None:
    moves: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.was[0] != row.state:
            moves[row.batch_id][MessageState(row.was[0]).key] -= _number(row)
            moves[row.batch_id][MessageState(row.state).key] += _number(row)
        if is_unanswered(row):
            moves[row.batch_id]["segments"] += row.segments
    move_counts(moves)
    if moves:
        _resolve(ids=sorted(moves))
    if on_their_way := sorted(batch for batch, moved in moves.items() if moved[MessageState.ACCEPTED.key] > 0):
        now = database_clock.in_statement()
        _ask_again(moment(now), ids=on_their_way, first_check=now + FIRST_CHECK)


@Update
def _resolve() -> "tuple[QuerySet[Batch, Any], dict[str, Any]]":
    resolved = Batch.objects.filter(pk__among=Given("ids"), state=BatchState.UNKNOWN.value, unknown=0)
    return resolved, {"state": BatchState.SETTLED.value}


@Update
def _ask_again(now: Any) -> "tuple[QuerySet[Batch, Any], dict[str, Any]]":
    """Ask again about settled batches of which a message is on its way again, so that it gets an end or expires."""
    over = [BatchState.UNKNOWN.value, BatchState.SETTLED.value]
    forgotten = Batch.objects.filter(pk__among=Given("ids"), state__in=over, next_check_at=None)
    return forgotten, {
        "next_check_at": Given("first_check") if isinstance(now, Given) else now + FIRST_CHECK,
        "checks": 0,
    }


def _move_tallies(rows: Sequence[Row]) -> None:
    outcomes: dict[int, dict[Outcome, tuple[int, int, int]]] = defaultdict(dict)
    activity: dict[int, Counter[MessageState]] = defaultdict(Counter)
    for row in rows:
        now = _standing(row)
        if now == row.was:
            continue
        for (state, reason, currency, segments, pay), n in ((row.was, -_number(row)), (now, _number(row))):
            if state in FINAL_STATES:
                key = (row.country, state, reason, currency)
                messages, billed, paid = outcomes[row.campaign_id].get(key, (0, 0, 0))
                outcomes[row.campaign_id][key] = (messages + n, billed + n * segments, paid + n * pay)
        if row.was[0] != row.state:
            activity[row.campaign_id][MessageState(row.state)] += _number(row)
            if is_unanswered(row) and row.state != MessageState.ACCEPTED:
                activity[row.campaign_id][MessageState.ACCEPTED] += _number(row)  # no answer will count it any more
            if row.was[0] in FINAL_STATES:
                activity[row.campaign_id][MessageState(row.was[0])] -= _number(row)
    for campaign_id in sorted(outcomes):
        count_outcomes(campaign_id, outcomes[campaign_id])
    for campaign_id in sorted(activity):
        count_activity(campaign_id, dict(activity[campaign_id]), timezone.now())
    sent_tallies.move(_moves_by_hour(rows))


class _Shared(NamedTuple):
    """The columns that many messages share, which are the keys of their tallies."""

    campaign_id: int
    minute: dt.datetime | None  # None: that of the launch
    country: str
    network: int
    state: int
    reason: str
    currency: str


def _moves_by_hour(rows: Sequence[Row]) -> dict[int, sent_tallies.Moves]:
    """Gathered first by what they share: a thousand messages have a few minutes, countries and ends."""
    sums: dict[_Shared, list[int]] = defaultdict(lambda: [0, 0, 0])
    took: Counter[tuple[_Shared, int | None]] = Counter()
    for row in rows:
        now = Written(row.state, row.settled_at, row.reported_at, row.network)
        number, written = _number(row), row.written or now
        before = (written, row.was, -number, [written.reported_at])  # alike are only such as had none
        for at, said, n, moments in (before, (now, _standing(row), number, _moments(row))):
            if at.state not in sent_tallies.COUNTED:
                continue
            minute = at.settled_at and at.settled_at.replace(second=0, microsecond=0)
            shared = _Shared(row.campaign_id, minute, row.country, at.network or networks.NONE, at.state, *said[1:3])
            total = sums[shared]
            total[0] += n
            total[1] += n * said[3]
            total[2] += n * said[4]
            if at.state == MessageState.DELIVERED:
                buckets = Counter(delivery_buckets.bucket_of(at.settled_at, moment) for moment in moments)
                for bucket, times in buckets.items():
                    took[shared, bucket] += times if n > 0 else -times
    moves: dict[int, sent_tallies.Moves] = defaultdict(sent_tallies.Moves)
    launches = sent_tallies.Launches()
    hours = {shared: sent_tallies.hour(shared.minute or launches[shared.campaign_id]) for shared in sums}
    for shared, total in sums.items():
        moves[shared.campaign_id].add(sent_tallies.Sent(hours[shared], *shared[2:]), sent_tallies.Sums(*total))
    for (shared, bucket), n in took.items():
        moves[shared.campaign_id].add_bucket(sent_tallies.Sent(hours[shared], *shared[2:]), bucket, n)
    for row in rows:
        for attempt, sign in row.earlier:
            cost = sent_tallies.earlier(attempt, campaign_id=row.campaign_id, country=row.country, launches=launches)
            moves[row.campaign_id].add(*cost, sign)
    return moves
