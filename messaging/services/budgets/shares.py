"""What each batch has taken of a budget's period, and how that is put right from the batch itself.

A claim takes at once (budget_gate.py), under the counter's lock. What was refused, released or billed otherwise is
given back when somebody looks: the gate before it says no, and the sweep. So a counter is soon exact, and never counts
less than has left.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services import isolation
from laaffic_console.kit.constant_sql import Given, Insert, Select, Update
from messaging.models import Batch, BatchAnswer, BatchState, Budget, BudgetCounter, BudgetShare, MessageState, SentTally
from messaging.services.gates.gates import Queued
from messaging.services.reports.prices import Cost

# What left or may have left. What is queued counts too while its batch is in somebody's hands, or answered.
GONE = (
    MessageState.UNKNOWN,
    MessageState.ACCEPTED,
    MessageState.EXPIRED,
    MessageState.UNDELIVERED,
    MessageState.DELIVERED,
)
OF_SOMETHING = Q(batch__isnull=False) | Q(entry__isnull=False)
# Of a whole request: what has left for certain stays counted, what has not is given back, the rest may turn out either.
LEFT = (EntryState.ACCEPTED, EntryState.LAPSED)
ENDED = (*LEFT, EntryState.REFUSED, EntryState.NOT_SENT)
WHOLE = ""  # among a share's prices, in the place of a country: what its whole request was expected to take
MICROS = 1_000_000
AT_ONCE = 50  # shares in a transaction: a claim waits for no more
LOOKED_AT_AGAIN = 20  # money of closed shares, in each sweep: an amount may change without a state
FOLLOWED = dt.timedelta(days=40)  # a month, and the reports of its last days


def messages_of(batch: Batch) -> int:
    """How many of the batch's messages have left, or may have."""
    gone = [int(getattr(batch, state.key)) for state in GONE]
    return sum(gone) + (batch.queued if batch.state != BatchState.QUEUED else 0)


def micros_of(batch: Batch, currency: str, prices: Mapping[str, int]) -> int:
    """What reports say was charged; of those that none speaks for, what was expected at the claim."""
    messages = batch.messages().order_by()
    paid = messages.filter(currency=currency).aggregate(total=Sum("pay_micros"))["total"] or 0
    states = [*GONE, MessageState.QUEUED] if batch.state != BatchState.QUEUED else GONE
    awaited = messages.filter(state__in=states, pay_micros=None).values_list("country", "segments")
    expected: int = sum(
        prices.get(country, 0) * segments * n for country, segments, n in awaited.annotate(n=Count("pk"))
    )
    return int(paid) + expected


def gone_without_share(batch_id: int, taken: Sequence[Queued], currency: str) -> int:
    """What reports have charged of a batch, or has left of it beside these: before anything of it was taken."""
    messages = Batch.objects.get(pk=batch_id).messages().order_by()
    if currency:
        return int(messages.filter(currency=currency).aggregate(total=Sum("pay_micros"))["total"] or 0)
    return messages.filter(state__in=GONE).exclude(pk__in=[row.message_id for row in taken]).count()


def measured(share: BudgetShare, batch: Batch, currency: str) -> int:
    return (micros_of(batch, currency, share.prices) if currency else messages_of(batch)) - share.before


def _standing(batch: Batch, is_answered: bool) -> str:
    """Changes whenever messages of the batch have moved."""
    counts = [batch.queued, batch.unknown, batch.rejected, *(getattr(batch, state.key) for state in GONE)]
    return f"{batch.state}{'+' if is_answered else ''} {batch.segments} {' '.join(map(str, counts))}"[:120]


def _is_settled(batch: Batch, is_answered: bool) -> bool:
    """Nothing is awaited of it any more."""
    return batch.state == BatchState.SETTLED and not is_answered and not batch.accepted


def put_right(counter: BudgetCounter, currency: str, shares: Sequence[BudgetShare], *, always: bool = False) -> int:
    """Measure those whose batches have moved; the counter is locked by the caller. How many were measured."""
    change, looked = _put_requests_right(shares)
    batches = Batch.objects.in_bulk([share.batch_id for share in shares if share.batch_id])
    answered = set(BatchAnswer.objects.filter(batch__in=batches).values_list("batch_id", flat=True))
    for share in shares:
        batch = batches.get(share.batch_id or 0)
        if batch is None:
            continue
        seen = _standing(batch, batch.pk in answered)
        if seen == share.seen and not always:
            continue
        used = measured(share, batch, currency)
        change, looked = change + used - share.used, looked + 1
        share.used, share.seen, share.measured_at = used, seen, timezone.now()
        share.is_open = not _is_settled(batch, batch.pk in answered)
        share.save(update_fields=["used", "seen", "measured_at", "is_open"])
    if change:
        BudgetCounter.objects.filter(pk=counter.pk).update(used=F("used") + change)
        counter.used += change
    return looked


def _put_requests_right(shares: Sequence[BudgetShare]) -> tuple[int, int]:
    """(change, how many were looked at) of shares of whole requests: all of it, or nothing where none has left."""
    entries = LedgerEntry.objects.in_bulk([share.entry_id for share in shares if share.entry_id and share.is_open])
    change = 0
    for share in shares:
        entry = entries.get(share.entry_id or 0)
        if entry is None or entry.state not in ENDED:
            continue
        used = (share.used or share.prices.get(WHOLE, 0)) if entry.state in LEFT else 0
        change += used - share.used
        share.used, share.is_open, share.measured_at = used, False, timezone.now()
        share.save(update_fields=["used", "is_open", "measured_at"])
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


def charge_request(entry_id: int, application_id: int, currency: str, amount: Decimal) -> None:
    """What a whole request has really cost, in the application's budgets of that currency; said again it changes
    nothing.
    """
    if currency:
        _charge_each(entry_id, application_id, currency, int(amount * MICROS))


def count_request(entry_id: int, application_id: int, messages: int) -> None:
    """Likewise, how many messages the application has really sent for it."""
    _charge_each(entry_id, application_id, "", messages)


def _charge_each(entry_id: int, application_id: int, unit: str, used: int) -> None:
    """Each counter is corrected by the difference, under its lock, in the period in which the request left."""
    of = {"counter__budget__currency": unit, "counter__budget__application": application_id}
    found = BudgetShare.objects.filter(entry=entry_id, **of).order_by("counter_id")
    for pk, counter_id in list(found.values_list("pk", "counter_id")):
        with transaction.atomic():
            BudgetCounter.objects.select_for_update().get(pk=counter_id)
            _charge(BudgetShare.objects.get(pk=pk), used)


def _charge(share: BudgetShare, used: int) -> None:
    change, share.used, share.is_open = used - share.used, used, False
    if change:
        share.measured_at = timezone.now()
        BudgetCounter.objects.filter(pk=share.counter_id).update(used=F("used") + change)
    share.save(update_fields=["used", "is_open", "measured_at"])


def follow(counter: BudgetCounter, currency: str) -> None:
    """Everything that may have been given back, for who is about to say no."""
    open_ones = BudgetShare.objects.filter(OF_SOMETHING, counter=counter, is_open=True)
    put_right(counter, currency, list(open_ones))


def keep_for_good(batch: Batch, again: Sequence[int]) -> None:
    """Under the batch's lock, before these unknown messages of it are queued again: they may have left, and stay
    counted where they are. Sent once more, they count once more."""
    shares = BudgetShare.objects.filter(batch=batch).select_related("counter__budget")
    for share in shares.order_by("counter_id"):
        currency = share.counter.budget.currency
        if currency:
            expected = batch.messages().filter(pk__in=again, pay_micros=None).values_list("country", "segments")
            kept = sum(share.prices.get(country, 0) * segments for country, segments in expected)
        else:
            kept = len(again)
        BudgetCounter.objects.select_for_update().get(pk=share.counter_id)
        BudgetShare.objects.create(counter=share.counter, used=kept, is_open=False)
        BudgetShare.objects.filter(pk=share.pk).update(used=F("used") - kept, is_open=True, seen="")


def sent_since(budget: Budget, start: dt.datetime) -> int:
    """What has left of messages, in the budget's unit, by the tallies of sending."""
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
    last = 0
    while True:
        with transaction.atomic():
            counter = BudgetCounter.objects.select_for_update().get(pk=counter_id)
            currency = counter.budget.currency
            of_batches = BudgetShare.objects.filter(counter=counter, batch__isnull=False)
            of_all = BudgetShare.objects.filter(OF_SOMETHING, counter=counter)
            some = list(of_all.filter(is_open=True, pk__gt=last).order_by("pk")[:AT_ONCE])
            put_right(counter, currency, some)
            if len(some) < AT_ONCE:
                break
            last = some[-1].pk
    if currency:
        with transaction.atomic():
            counter = BudgetCounter.objects.select_for_update().get(pk=counter_id)
            oldest = list(of_batches.order_by(F("measured_at").asc(nulls_first=True))[:LOOKED_AT_AGAIN])
            put_right(counter, currency, oldest, always=True)


def derived(counter: BudgetCounter) -> int:
    """What the counter must say, from the batches and messages alone."""
    currency = counter.budget.currency
    shares = list(counter.shares.all())
    batches = Batch.objects.in_bulk([share.batch_id for share in shares if share.batch_id])
    return sum(
        measured(share, batches[share.batch_id], currency) if share.batch_id in batches else share.used
        for share in shares
    )


def of_batches(counter: BudgetCounter, batch_ids: Iterable[int]) -> list[BudgetShare]:
    return _of_batches.objects(BudgetShare, counter=counter.pk, batches=list(batch_ids))


@Select
def _of_batches() -> "QuerySet[BudgetShare]":
    return BudgetShare.objects.filter(counter=Given("counter"), batch__id__among=Given("batches"))


def others_of(counter: BudgetCounter, batch_ids: Iterable[int]) -> "list[BudgetShare]":
    """What these batches have taken of earlier periods of the same budget."""
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
    """Of a counter that the caller has locked."""
    return BudgetCounter.objects.filter(pk=Given("counter")), {"used": F("used") + Given("taken", BigIntegerField())}


keep_new = Insert(BudgetShare, keys=True)
