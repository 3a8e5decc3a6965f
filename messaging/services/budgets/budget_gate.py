"""The gate of the budgets: a claim takes what it needs of each, under their counters' locks, or is told to stop."""

import datetime as dt
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.kit.words.said import gettext as _
from messaging.models import (
    IS_OPEN_BATCH,
    Batch,
    BatchState,
    Budget,
    BudgetCounter,
    BudgetShare,
    Campaign,
    CampaignEvent,
    MessageState,
)
from messaging.services import events
from messaging.services.batches.own_segments import OwnSegments
from messaging.services.budgets import budgets, shares
from messaging.services.gates.gates import Gate, Kind, Later, Queued, Verdict
from messaging.services.reports import prices

PRICES_SECONDS = 60.0  # a price moves by reports; asking again for each claim would cost more than it tells
LOOK_AGAIN = dt.timedelta(seconds=5)

_prices: dict[str, tuple[float, dict[str, prices.Price]]] = {}


def known_prices(channel: str) -> dict[str, prices.Price]:
    at, found = _prices.get(channel, (0.0, {}))
    if not at or time.monotonic() - at > PRICES_SECONDS:
        found = prices.known(channel)
        _prices[channel] = time.monotonic(), found
    return found


def forget_prices() -> None:
    _prices.clear()


class BudgetGate(Gate):
    """All budgets of the campaign's application: what fits into each of them leaves."""

    def __init__(self, campaign: Campaign, chosen: list[Budget]) -> None:
        self.campaign = campaign
        self.budgets = {budget.pk: budget for budget in chosen}
        self.by_segments = any(budget.currency for budget in chosen)
        self._own: OwnSegments | None = None
        self._segments: dict[int, int] = {}  # by message, of texts with merge fields
        self._counters: list[BudgetCounter] | None = None
        self._known: dict[int, dict[int | None, BudgetShare | None]] = {}  # by counter and batch
        self._taken: set[int] = set()  # batches, in this claim
        self._measured: Counter[int] = Counter()  # shares, in this claim, by counter
        self._seen_all: set[int] = set()  # counters of which nothing more can be given back in this claim

    def look(self, rows: Sequence[Queued]) -> Verdict:
        fits = len(rows)
        for counter in self.counters():
            budget = self.budgets[counter.budget_id]
            self._give_back(counter, {row.batch_id for row in rows})
            if counter.lifted_at is not None:
                continue
            if (room := self._fitting(counter, rows)) < len(rows):
                has_seen_all = self._follow(counter, rows)
                room = self._fitting(counter, rows)
                if not room and not has_seen_all:
                    return Verdict(waiting=dict.fromkeys([row.message_id for row in rows], _a_moment_later()))
            if not room:
                self._say_used_up(counter, budget)
                return Verdict(hold=budgets.used_up(budget))
            fits = min(fits, room)
        beyond = rows[fits:]
        return Verdict(waiting={row.message_id: Later(None, "budget:") for row in beyond})

    def _follow(self, counter: BudgetCounter, rows: Sequence[Queued]) -> bool:
        """Whether all that may have been given back has been looked at, or makes room for these."""
        if counter.pk in self._seen_all:
            return True
        if (at_most := shares.MEASURED - self._measured[counter.pk]) <= 0:
            return False
        currency = self.budgets[counter.budget_id].currency
        followed = shares.follow(
            counter, currency, lambda: self._fitting(counter, rows) == len(rows), at_most, but_not=self._taken
        )
        self._measured[counter.pk] += followed.measured
        if followed.is_all:
            self._seen_all.add(counter.pk)
        return followed.is_enough or followed.is_all

    def counters(self) -> list[BudgetCounter]:
        """Locked once in a claim."""
        if self._counters is None:
            self._counters = budgets.locked_counters(list(self.budgets.values()))
        return self._counters

    def used_up_at(self, moment: dt.datetime) -> Iterator[Budget]:
        for now in self.counters():
            budget = self.budgets[now.budget_id]
            counter = budgets.counter_at(budget, now, moment)
            if counter.lifted_at is None and counter.used >= budgets.units(budget) and self._gives_nothing(counter):
                yield budget

    def _gives_nothing(self, counter: BudgetCounter) -> bool:
        """Whether nothing can be given back that makes room; False if too many shares moved to look at them all."""
        budget = self.budgets[counter.budget_id]

        def has_room() -> bool:
            return counter.used < budgets.units(budget)

        found = shares.follow(counter, budget.currency, has_room, shares.MEASURED)
        return found.is_all and not has_room()

    def _give_back(self, counter: BudgetCounter, batch_ids: set[int]) -> None:
        """Give back what these batches took when they were claimed before: they are queued again."""
        if mine := list(self._shares(counter, batch_ids).values()):
            shares.put_right(counter, self.budgets[counter.budget_id].currency, mine)

    def _shares(self, counter: BudgetCounter, batch_ids: set[int]) -> dict[int, BudgetShare]:
        """{batch id: the share that it has taken already}; read once in a claim, under the counter's lock."""
        known = self._known.setdefault(counter.pk, {})
        if unread := batch_ids - known.keys():
            known.update(dict.fromkeys(unread))
            known.update((one.batch_id, one) for one in shares.of_batches(counter, unread))
        return {pk: share for pk in batch_ids if (share := known[pk]) is not None}

    def _fitting(self, counter: BudgetCounter, rows: Sequence[Queued]) -> int:
        """How many of the first rows fit into what is left."""
        budget = self.budgets[counter.budget_id]
        left = budgets.units(budget) - counter.used
        if not budget.currency:
            return max(0, min(left, len(rows)))
        each = self._each(budget.currency)
        for n, row in enumerate(rows):
            left -= self._cost(row, each)
            if left < 0:
                return n
        # Without a price nothing can be told beforehand; when all of it has gone, nothing more leaves anyway.
        return len(rows) if counter.used < budgets.units(budget) else 0

    def _cost(self, row: Queued, each: Mapping[str, int]) -> int:
        if not (price := each.get(row.country, 0)):
            return 0
        return price * (row.segments if row.merge_values is None else self._merged(row))

    def _merged(self, row: Queued) -> int:
        """Counted once in a claim, however many counters ask."""
        if (known := self._segments.get(row.message_id)) is None:
            self._own = self._own or OwnSegments(self.campaign)
            known = self._segments[row.message_id] = self._own.of(row.merge_values, row.segments)
        return known

    def _each(self, currency: str) -> dict[str, int]:
        """{country: millionths} of those whose price is known in this currency."""
        known = known_prices(self.campaign.channel)
        return {
            country: int(price.each * Decimal(budgets.MICROS))
            for country, price in known.items()
            if price.currency == currency
        }

    def taken(self, rows: Mapping[int, Sequence[Queued]]) -> None:
        self._taken |= rows.keys()
        for counter in self.counters():
            budget = self.budgets[counter.budget_id]
            self._take(counter, budget, rows)
            self._warn(counter, budget)

    def may_have_left(self, batch: Batch, rows: Sequence[Queued]) -> None:
        """After a restore, of a batch that is unknown by now: measured at once, as it may have been claimed before."""
        self.taken({batch.pk: rows})
        for counter in self.counters():
            currency = self.budgets[counter.budget_id].currency
            shares.put_right(counter, currency, shares.of_batches(counter, [batch.pk]), always=True)

    def _take(self, counter: BudgetCounter, budget: Budget, by_batch: Mapping[int, Sequence[Queued]]) -> None:
        each = self._each(budget.currency) if budget.currency else {}
        kept = self._shares(counter, set(by_batch))
        before = self._taken_before(counter, budget, by_batch, by_batch.keys() - kept.keys())
        taken = 0
        fresh: list[BudgetShare] = []
        for batch_id, rows in by_batch.items():
            needs = sum(self._cost(row, each) for row in rows) if budget.currency else len(rows)
            share = kept.get(batch_id) or BudgetShare(
                counter=counter, batch_id=batch_id, before=before.get(batch_id, 0)
            )
            share.used += needs
            here = {row.country for row in rows} & each.keys() if each else ()
            share.prices = {**share.prices, **{country: each[country] for country in here}}
            if any(row.attempt > 1 for row in rows):
                share.prices[shares.AGAIN] = True
            share.seen, share.is_open = "", True
            taken += needs
            if share.pk is None:
                fresh.append(share)
            else:
                share.save()
        shares.keep_new(fresh)
        shares.take(counter=counter.pk, taken=taken)
        counter.used += taken

    def _taken_before(
        self, counter: BudgetCounter, budget: Budget, by_batch: Mapping[int, Sequence[Queued]], batch_ids: set[int]
    ) -> dict[int, int]:
        """{batch id: units counted earlier}. The part of a batch that left in an earlier period stays counted there for
        good; this period counts the rest.

        A part that left before there was a budget is counted in the period in which the budget began, or nowhere.
        """
        before: dict[int, int] = defaultdict(int)
        for batch_id in batch_ids:
            if any(row.attempt > 1 for row in by_batch[batch_id]):
                before[batch_id] = shares.gone_without_share(batch_id, by_batch[batch_id], budget.currency)
        for share in shares.others_of(counter, batch_ids):
            if (of := share.batch) is None:
                continue
            used = shares.measured([share], {of.pk: of}, budget.currency)[share.pk]
            BudgetCounter.objects.filter(pk=share.counter_id).update(used=F("used") + used - share.used)
            BudgetShare.objects.filter(pk=share.pk).update(batch=None, used=used, is_open=False)
            before[of.pk] = used + share.before
        return before

    def _say_used_up(self, counter: BudgetCounter, budget: Budget) -> None:
        """Once in its day or month, no matter which campaign is held by it."""
        if counter.used_up_at is None:
            counter.used_up_at = timezone.now()
            counter.save(update_fields=["used_up_at"])
            events.budget_used_up(budget, budgets.used_up(budget))

    def _warn(self, counter: BudgetCounter, budget: Budget) -> None:
        if budgets.warn_if_nearly_used(counter, budget):
            CampaignEvent.objects.create(campaign=self.campaign, text=budgets.warning(budget))


def of(campaign: Campaign) -> BudgetGate | None:
    chosen: list[Budget] = _budgets.objects(Budget, application=campaign.application_id)
    for budget in chosen:
        budget.application = campaign.application
    return BudgetGate(campaign, chosen) if chosen else None


@Select
def _budgets() -> "QuerySet[Budget]":
    return Budget.objects.filter(application=Given("application"))


def stop_of(campaign: Campaign) -> str:
    """The sentence with which the next claim would hold it; "" where something of it may leave, or cannot be told."""
    gate, rows = of(campaign), _next_of(campaign)
    if gate is None or not rows:
        return ""
    with transaction.atomic():
        return gate.look(rows).hold


def stop_at(campaign: Campaign, moment: dt.datetime) -> str:
    """As `stop_of`, before anything is queued: the sentence if at that moment a budget has nothing left for anyone."""
    gate = of(campaign)
    if gate is None:
        return ""
    with transaction.atomic():
        return next((budgets.used_up(one) for one in gate.used_up_at(moment)), "")


def _next_of(campaign: Campaign) -> list[Queued]:
    """Its next message that waits for no moment: where a claim has no room for it, none of them leaves."""
    now = database_clock.now()
    queued = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=campaign, state=BatchState.QUEUED, queued__gt=0)
    batch = queued.filter(Q(not_before=None) | Q(not_before__lte=now)).order_by("pk").first()
    message = batch and batch.messages().filter(state=MessageState.QUEUED).order_by("pk").first()
    if not batch or not message:
        return []
    of_it = (message.pk, message.number, message.segments, message.attempt, False, message.merge_values)
    return [Queued(*of_it, batch.pk, message.country)]


def _a_moment_later() -> Later:
    """Before a budget is called used up, all is looked at that may have been given back, each time some of it."""
    return Later(database_clock.now() + LOOK_AGAIN, "budget:")


KIND = Kind(
    "budget",
    of,
    says=lambda _value: _("It waits for what a budget has left."),
    tells_when=lambda _value: False,
    counts=True,
)
