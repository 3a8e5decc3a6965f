"""What each batch has taken of a budget's period, and how that is corrected from the batch itself.

A claim takes at once (budget_gate.py), under the counter's lock. What was refused, released or billed otherwise is
given back when somebody looks: the gate before it says no, and the sweep. So a counter is soon exact, and never counts
less than has left. What is not looked at yet counts as much as was taken: nothing more leaves because of it.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Case, CharField, Exists, F, Func, OuterRef, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.database import isolation
from laaffic_console.kit.sql.constant_sql import Given, Insert, Select, Update
from messaging.models import (
    Batch,
    BatchAnswer,
    BatchState,
    Budget,
    BudgetCounter,
    BudgetShare,
    EarlierAttempt,
    Message,
    MessageState,
    SentTally,
)
from messaging.services.gates.gates import Queued
from messaging.services.reports.prices import Cost

# States of messages that left or may have left. Queued ones count too while their batch is claimed or answered.
GONE = (
    MessageState.UNKNOWN,
    MessageState.ACCEPTED,
    MessageState.EXPIRED,
    MessageState.UNDELIVERED,
    MessageState.DELIVERED,
)
# Ends of a whole request: if it certainly left it stays counted, if not it is given back; others may still turn out.
LEFT = (EntryState.ACCEPTED, EntryState.LAPSED)
ENDED = (*LEFT, EntryState.REFUSED, EntryState.NOT_SENT)
# Among a share's prices, which are by country, also:
WHOLE = ""  # what its whole request was expected to take
AGAIN = "again"  # true where messages of the batch were sent again
KEPT = "kept"  # of sendings that a person gave up: [message, its attempt, what was expected] of each
MICROS = 1_000_000
AT_ONCE = 50  # shares in a transaction: a claim waits for no more
LOOKED_AT = 20_000  # open shares of a counter, in each sweep, by the database alone and without a lock
MEASURED = 2_000  # moved shares at most, in each sweep, and in a claim that a budget is about to stop
LOOKED_AT_AGAIN = 20  # money of closed shares, in each sweep: an amount may change without a state
FOLLOWED = dt.timedelta(days=40)  # a month, and the reports of its last days


def messages_of(batch: Batch) -> int:
    """How many of the batch's messages have left, or may have."""
    gone = [int(getattr(batch, state.key)) for state in GONE]
    return sum(gone) + (batch.queued if batch.state != BatchState.QUEUED else 0)


@dataclass(slots=True)
class Charged:
    """What reports say was charged for one batch's messages, and the messages for which no report says it."""

    micros: int = 0
    awaited: list[tuple[str, int]] = field(default_factory=list)  # (country, segments of its messages)

    def at(self, prices: Mapping[str, int]) -> int:
        """Millionths: what was charged, and for the messages without a report what the claim expected."""
        return self.micros + sum(prices.get(country, 0) * segments for country, segments in self.awaited)


def charged(batches: Collection[Batch], currency: str) -> dict[int, Charged]:
    """{batch id: what was charged, and what is awaited}, read by one statement."""
    found = {batch.pk: Charged() for batch in batches}
    still_queued = {batch.pk for batch in batches if batch.state == BatchState.QUEUED}
    of_state = messages_in(batches).order_by().values_list("batch_id", "state", "country", "currency")
    paid = Sum("pay_micros")
    awaited = Sum("segments", filter=Q(pay_micros=None, state__in=[*GONE, MessageState.QUEUED]))
    for batch_id, state, country, paid_in, micros, segments in of_state.annotate(paid=paid, awaited=awaited):
        if paid_in == currency:
            found[batch_id].micros += int(micros or 0)
        if segments and not (state == MessageState.QUEUED and batch_id in still_queued):
            found[batch_id].awaited.append((country, int(segments)))
    return found


def _taken_out(batches: Collection[Batch]) -> list[tuple[int, str, int, int | None]]:
    """(batch, country, segments, amount) of messages that were to be sent again and never were: an earlier sending,
    which is counted where it left, turned out to have arrived."""
    waited = messages_in(batches).order_by() if batches else Message.objects.none()
    found = waited.filter(attempt__gt=1, earlier_attempts__took_out=True).distinct()
    return list(found.values_list("batch_id", "country", "segments", "pay_micros"))


def messages_in(batches: Collection[Batch]) -> "QuerySet[Message]":
    """Their messages, by primary key: those of a batch of one by a list of ids, the others between two ids each."""
    singles = [batch for batch in batches if batch.first_message_id == batch.last_message_id]
    among = Q(pk__in=[one.first_message_id for one in singles], batch__in=[one.pk for one in singles])
    for batch in batches:
        if batch.first_message_id != batch.last_message_id:
            among |= Q(pk__range=(batch.first_message_id, batch.last_message_id), batch=batch.pk)
    return Message.objects.filter(among)


def gone_without_share(batch_id: int, taken: Sequence[Queued], currency: str) -> int:
    """What a batch used before it took anything: what reports charged, or its messages that left beside `taken`."""
    messages = Batch.objects.get(pk=batch_id).messages().order_by()
    if currency:
        return int(messages.filter(currency=currency).aggregate(total=Sum("pay_micros"))["total"] or 0)
    gone = messages.filter(state__in=GONE).exclude(pk__in=[row.message_id for row in taken])
    return gone.count() - len(_taken_out(Batch.objects.filter(pk=batch_id)))


def measured(shares: Collection[BudgetShare], batches: Mapping[int, Batch], currency: str) -> dict[int, int]:
    """{share id: units that its batch takes now}; shares whose batch is not in `batches` are left out."""
    of_batches = [(share, batch) for share in shares if (batch := batches.get(share.batch_id or 0)) is not None]
    out = _taken_out([batch for share, batch in of_batches if AGAIN in share.prices])
    if not currency:
        never_left = Counter(batch_id for batch_id, *_ in out)
        return {share.pk: messages_of(batch) - never_left[batch.pk] - share.before for share, batch in of_batches}
    told = charged([batch for _share, batch in of_batches], currency) if of_batches else {}
    for batch_id, country, segments, amount in out:
        if amount is None:
            told[batch_id].awaited.append((country, -segments))
    return {share.pk: told[batch.pk].at(share.prices) - share.before for share, batch in of_batches}


def _kept_now(share: BudgetShare, currency: str) -> int:
    """Units of sendings that were given up: what was charged for each, else what was expected."""
    sendings = share.prices[KEPT]
    told = EarlierAttempt.objects.filter(message__in=[pk for pk, _attempt, _expected in sendings])
    columns = ("message_id", "attempt", "currency", "pay_micros")
    amounts = told.exclude(pay_micros=None).values_list(*columns)
    paid = {(pk, attempt): micros if unit == currency else 0 for pk, attempt, unit, micros in amounts}
    return sum(paid.get((pk, attempt), expected) for pk, attempt, expected in sendings)


def _standing(batch: str = "") -> Func:
    """A text that changes whenever messages of the batch have moved; `batch`: the way to it, with its underscores."""
    answer = Exists(BatchAnswer.objects.filter(pk=OuterRef(f"{batch}pk")))
    counts = ["segments", "queued", "unknown", "rejected", *(state.key for state in GONE)]
    figures = [part for name in counts for part in (Value(" "), Cast(f"{batch}{name}", CharField()))]
    answered = Case(When(answer, then=Value("+")), default=Value(""))
    # Concat() writes pairs in pairs, too deep for SQLite's parser.
    parts = [F(f"{batch}state"), answered, *figures]
    return Func(*parts, template="(%(expressions)s)", arg_joiner=" || ", output_field=CharField())


def _is_settled(batch: Batch, seen: str) -> bool:
    """Nothing is awaited of it any more."""
    return batch.state == BatchState.SETTLED and "+" not in seen and not batch.accepted


def put_right(counter: BudgetCounter, currency: str, shares: Sequence[BudgetShare], *, always: bool = False) -> int:
    """Measure those whose batches have moved; the counter is locked by the caller. How many were measured.

    The statements are as many for fifty shares as for one.
    """
    change, looked = _put_requests_right(shares)
    change += _put_kept_right(shares, currency)
    ids = {share.batch_id for share in shares if share.batch_id}
    batches = {batch.pk: batch for batch in Batch.objects.filter(pk__in=ids).annotate(seen=_standing())}
    moved = [
        share for share in shares if (at := batches.get(share.batch_id or 0)) and (always or at.seen != share.seen)
    ]
    now = timezone.now()
    used = measured(moved, batches, currency)
    for share in moved:
        batch = batches[share.batch_id or 0]
        change += used[share.pk] - share.used
        share.used, share.seen, share.measured_at = used[share.pk], batch.seen, now
        share.is_open = not _is_settled(batch, batch.seen)
    BudgetShare.objects.bulk_update(moved, ["used", "seen", "measured_at", "is_open"])
    if change:
        BudgetCounter.objects.filter(pk=counter.pk).update(used=F("used") + change)
        counter.used += change
    return looked + len(moved)


def _put_kept_right(shares: Sequence[BudgetShare], currency: str) -> int:
    """The change of shares of sendings that were given up."""
    kept = [share for share in shares if KEPT in share.prices]
    change = 0
    for share in kept:
        used = _kept_now(share, currency)
        change, share.used, share.measured_at = change + used - share.used, used, timezone.now()
    BudgetShare.objects.bulk_update(kept, ["used", "measured_at"])
    return change


def _put_requests_right(shares: Sequence[BudgetShare]) -> tuple[int, int]:
    """(change, how many were looked at) of shares of whole requests: all of it, or nothing where none has left."""
    entries = LedgerEntry.objects.in_bulk([share.entry_id for share in shares if share.entry_id and share.is_open])
    change, ended = 0, []
    for share in shares:
        entry = entries.get(share.entry_id or 0)
        if entry is None or entry.state not in ENDED:
            continue
        used = (share.used or share.prices.get(WHOLE, 0)) if entry.state in LEFT else 0
        change += used - share.used
        share.used, share.is_open, share.measured_at = used, False, timezone.now()
        ended.append(share)
    BudgetShare.objects.bulk_update(ended, ["used", "is_open", "measured_at"])
    return change, len(entries)


def needed(budget: Budget, recipients: int, cost: Cost) -> int:
    """What a whole request takes, in the budget's unit."""
    return int(cost.by_currency.get(budget.currency, Decimal(0)) * MICROS) if budget.currency else recipients


def take_of_request(counter: BudgetCounter, entry: LedgerEntry, used: int) -> None:
    """Given back where it turns out that the request has not left; the counter is locked by the caller."""
    BudgetShare.objects.create(counter=counter, entry=entry, used=used, prices={WHOLE: used})
    BudgetCounter.objects.filter(pk=counter.pk).update(used=F("used") + used)
    counter.used += used


def look_again(entry_id: int) -> None:
    """A whole request ended, and turned out otherwise: it counts again, or is given back, in its own period, at once.

    In the transaction that writes it on its entry.
    """
    closed = BudgetShare.objects.filter(entry=entry_id, is_open=False).order_by("counter_id")
    for pk, counter_id in list(closed.values_list("pk", "counter_id")):
        counter = BudgetCounter.objects.select_for_update().get(pk=counter_id)
        share = BudgetShare.objects.get(pk=pk)
        share.is_open = True
        put_right(counter, "", [share])


def correct_requests(entry_ids: Collection[int], real: Callable[[Budget, int], int | None]) -> None:
    """Charge what whole requests really took, in the periods in which they left; repeated, it changes nothing.

    Several are one thing that was changed on the way, the first of them first: each is charged no more than it has
    taken, and the last the rest. `real`: the units of a budget, given those that they hold of it; None: they are right.
    """
    found = BudgetShare.objects.filter(entry__in=entry_ids).order_by("pk")
    counter_ids = set(found.values_list("counter_id", flat=True))
    if not counter_ids:
        return
    with transaction.atomic():
        list(BudgetCounter.objects.select_for_update().filter(pk__in=counter_ids).order_by("pk"))
        by_budget: dict[Budget, list[BudgetShare]] = defaultdict(list)
        for share in found.filter(counter__in=counter_ids).select_related("counter__budget__application"):
            by_budget[share.counter.budget].append(share)
        for budget, shares in by_budget.items():
            if (used := real(budget, sum(share.used for share in shares))) is not None:
                _spread(shares, used)


def _spread(shares: Sequence[BudgetShare], used: int) -> None:
    for share in shares[:-1]:
        _charge(share, min(share.used, used))
        used -= share.used
    _charge(shares[-1], used)


def _charge(share: BudgetShare, used: int) -> None:
    """Under its counter's lock. Its request counts as much again if it was refused, and turns out to have arrived."""
    change, share.used, share.is_open = used - share.used, used, False
    share.prices = {**share.prices, WHOLE: used}
    if change:
        share.measured_at = timezone.now()
        BudgetCounter.objects.filter(pk=share.counter_id).update(used=F("used") + change)
    share.save(update_fields=["used", "is_open", "prices", "measured_at"])


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a look at what may have been given back has come."""

    measured: int
    is_enough: bool
    is_all: bool  # nothing is left that would give anything back


def follow(
    counter: BudgetCounter,
    currency: str,
    is_enough: Callable[[], bool],
    at_most: int | None = None,
    *,
    but_not: Collection[int] = (),
) -> Followed:
    """Give back what is no longer used, until it is enough; the caller holds the counter's lock, and else would refuse.

    At most `at_most` moved shares are measured. `but_not`: batches that this claim has taken. Their rows say so only
    when all of it is written: until then they look as if nobody held them, and would be given back.
    """
    of_others = _moved(counter.pk).exclude(batch__in=but_not)
    moved = list(of_others.values_list("pk", flat=True)[: None if at_most is None else at_most + 1])
    measured = 0
    for some in _slices(moved[:at_most]):
        put_right(counter, currency, list(BudgetShare.objects.filter(pk__in=some).order_by("pk")))
        measured += len(some)
        if is_enough():
            return Followed(measured, is_enough=True, is_all=False)
    return Followed(measured, is_enough=False, is_all=at_most is None or len(moved) <= at_most)


def _slices(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _open_of(counter_id: int) -> "QuerySet[BudgetShare]":
    return BudgetShare.objects.filter(counter=counter_id, is_open=True).order_by("pk")


def _moved(counter_id: int) -> "QuerySet[BudgetShare]":
    """Open ones whose batch does not stand as when it was last measured, or whose request has ended."""
    batch_moved = Q(batch__isnull=False) & ~Q(seen=_standing("batch__"))
    return _open_of(counter_id).filter(batch_moved | Q(entry__state__in=ENDED))


def keep_for_good(batch: Batch, again: Sequence[int]) -> None:
    """Under the batch's lock, before these unknown messages of it are queued again: they may have left, and stay
    counted where they are. Sent once more, they count once more."""
    shares = BudgetShare.objects.filter(batch=batch).select_related("counter__budget")
    for share in shares.order_by("counter_id"):
        kept = BudgetShare(counter=share.counter, used=len(again), is_open=False, measured_at=timezone.now())
        if share.counter.budget.currency:
            expected = batch.messages().filter(pk__in=again, pay_micros=None).order_by("pk")
            columns = expected.values_list("pk", "attempt", "country", "segments")
            sendings = [(pk, n, share.prices.get(country, 0) * segments) for pk, n, country, segments in columns]
            kept.used, kept.prices = sum(micros for _pk, _n, micros in sendings), {KEPT: sendings}
        BudgetCounter.objects.select_for_update().get(pk=share.counter_id)
        kept.save()
        prices = {**share.prices, AGAIN: True}
        BudgetShare.objects.filter(pk=share.pk).update(used=F("used") - kept.used, prices=prices, is_open=True, seen="")


def sent_since(budget: Budget, start: dt.datetime) -> int:
    """How much has left since then, in the budget's unit, by the tallies of sending."""
    sent = SentTally.objects.filter(campaign__application=budget.application_id, hour__gte=start, state__in=GONE)
    amount = Sum("pay_micros", filter=Q(currency=budget.currency)) if budget.currency else Sum("messages")
    return int(sent.aggregate(used=amount)["used"] or 0)


def take_for_good(counter: BudgetCounter, used: int) -> None:
    """No batch's, and never given back; the counter is locked by the caller."""
    BudgetShare.objects.create(counter=counter, used=used, is_open=False)
    BudgetCounter.objects.filter(pk=counter.pk).update(used=F("used") + used)


def sweep() -> None:
    """Put the counters of this period, and of the one before, right; each in short transactions."""
    since = timezone.localdate() - FOLLOWED
    recent = BudgetCounter.objects.filter(starts_on__gte=since).order_by("pk").values_list("pk", flat=True)
    isolation.each(recent, follow_slowly, "budget counter {}".format)


def follow_slowly(counter_id: int) -> None:
    """Some of a counter's open shares, from where the sweep before ended: of a million that wait for their reports it
    is not started over each time. Only those that have moved are measured, and locked for."""
    counter = BudgetCounter.objects.select_related("budget").get(pk=counter_id)
    currency = counter.budget.currency
    moved, ends_at = _next_moved(counter)
    for some in _slices(moved):
        _measure(counter_id, currency, BudgetShare.objects.filter(pk__in=some, is_open=True))
    if ends_at != counter.followed_to:
        BudgetCounter.objects.filter(pk=counter_id).update(followed_to=ends_at)
    if currency:
        before = BudgetShare.objects.filter(counter=counter_id, batch__isnull=False, measured_at__isnull=False)
        oldest = list(before.order_by("measured_at").values_list("pk", flat=True)[:LOOKED_AT_AGAIN])
        oldest += _oldest_kept(counter)
        if oldest:
            _measure(counter_id, currency, BudgetShare.objects.filter(pk__in=oldest), always=True)


def _oldest_kept(counter: BudgetCounter) -> list[int]:
    """The shares of sendings that were given up, those first that were looked at longest ago. A person makes them, so
    they are few."""
    kept = BudgetShare.objects.filter(counter=counter, batch=None, prices__has_key=KEPT)
    return [pk for _at, pk in sorted(kept.values_list("measured_at", "pk"))[:LOOKED_AT_AGAIN]]


def _measure(counter_id: int, currency: str, shares: "QuerySet[BudgetShare]", *, always: bool = False) -> None:
    """Correct these shares, as they are once the counter is locked."""
    with transaction.atomic():
        counter = BudgetCounter.objects.select_for_update().get(pk=counter_id)
        put_right(counter, currency, list(shares.order_by("pk")), always=always)


def _next_moved(counter: BudgetCounter) -> tuple[list[int], int]:
    """(at most MEASURED shares to correct, where the next sweep goes on): 0 where this one comes to the end."""
    behind = _open_of(counter.pk).filter(pk__gt=counter.followed_to).values_list("pk", flat=True)
    ends_at = behind[LOOKED_AT - 1 : LOOKED_AT].first() or 0
    moved = _moved(counter.pk).filter(pk__gt=counter.followed_to)
    if ends_at:
        moved = moved.filter(pk__lte=ends_at)
    found = list(moved.values_list("pk", flat=True)[:MEASURED])
    return found, found[-1] if len(found) == MEASURED else ends_at


def derived(counter: BudgetCounter) -> int:
    """What the counter should be, computed from the batches and messages alone."""
    shares = list(counter.shares.all())
    batches = Batch.objects.in_bulk([share.batch_id for share in shares if share.batch_id])
    currency = counter.budget.currency
    now = measured(shares, batches, currency)
    now |= {share.pk: _kept_now(share, currency) for share in shares if KEPT in share.prices}
    return sum(now.get(share.pk, share.used) for share in shares)


def of_batches(counter: BudgetCounter, batch_ids: Iterable[int]) -> list[BudgetShare]:
    return _of_batches.objects(BudgetShare, counter=counter.pk, batches=list(batch_ids))


@Select
def _of_batches() -> "QuerySet[BudgetShare]":
    return BudgetShare.objects.filter(counter=Given("counter"), batch__id__among=Given("batches"))


def others_of(counter: BudgetCounter, batch_ids: Iterable[int]) -> "list[BudgetShare]":
    """The shares of these batches in other periods of the same budget."""
    of = {"batches": list(batch_ids), "budget": counter.budget_id, "counter": counter.pk}
    found = [pk for (pk,) in _elsewhere.rows(**of)] if of["batches"] else []
    rows = BudgetShare.objects.filter(pk__in=found).select_related("counter", "batch")
    return list(rows.order_by("pk")) if found else []


@Select
def _elsewhere() -> "QuerySet[BudgetShare, Any]":
    of_batches = BudgetShare.objects.filter(batch__id__among=Given("batches"), counter__budget=Given("budget"))
    return of_batches.exclude(counter=Given("counter")).values_list("pk")


@Update
def take() -> tuple["QuerySet[BudgetCounter]", dict[str, Any]]:
    """Add `taken` to a counter that the caller has locked."""
    return BudgetCounter.objects.filter(pk=Given("counter")), {"used": F("used") + Given("taken", BigIntegerField())}


keep_new = Insert(BudgetShare, keys=True)
