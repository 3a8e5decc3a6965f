"""The gate of the budgets: a claim takes what it needs of each, under their counters' locks, or is told to stop."""

import time
from collections.abc import Sequence
from decimal import Decimal

from django.db.models import F
from django.utils import timezone

from laaffic_console.kit.said import gettext as _
from messaging.models import Batch, Budget, BudgetCounter, BudgetShare, Campaign, CampaignEvent
from messaging.services.budgets import budgets, shares
from messaging.services.gates.gates import Gate, Kind, Later, Queued, Verdict
from messaging.services.reports import prices

PRICES_SECONDS = 60.0  # a price moves by reports; asking anew for each claim would cost more than it tells

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
        self._counters: list[BudgetCounter] | None = None

    def look(self, rows: Sequence[Queued]) -> Verdict:
        fits = len(rows)
        for counter in self.counters():
            budget = self.budgets[counter.budget_id]
            self._give_back(counter, rows[0].batch_id)
            if counter.lifted_at is not None:
                continue
            if (room := self._fitting(counter, rows)) < len(rows):
                shares.follow(counter, budget.currency)
                room = self._fitting(counter, rows)
            if not room:
                return Verdict(hold=budgets.used_up(budget))
            fits = min(fits, room)
        beyond = rows[fits:]
        return Verdict(waiting={row.message_id: Later(None, "budget:") for row in beyond})

    def counters(self) -> list[BudgetCounter]:
        """Locked once in a claim."""
        if self._counters is None:
            self._counters = budgets.locked_counters(list(self.budgets.values()))
        return self._counters

    def _give_back(self, counter: BudgetCounter, batch_id: int) -> None:
        """What this batch had taken when it was claimed before: it is queued again, so nobody holds it."""
        mine = list(BudgetShare.objects.filter(counter=counter, batch=batch_id))
        if mine:
            shares.put_right(counter, self.budgets[counter.budget_id].currency, mine)

    def _fitting(self, counter: BudgetCounter, rows: Sequence[Queued]) -> int:
        """How many of the first rows fit into what is left."""
        budget = self.budgets[counter.budget_id]
        left = budgets.units(budget) - counter.used
        if not budget.currency:
            return max(0, min(left, len(rows)))
        each = self._each(budget.currency)
        for n, row in enumerate(rows):
            left -= each.get(row.country, 0) * row.segments
            if left < 0:
                return n
        # Without a price nothing can be told beforehand; when all of it has gone, nothing more leaves all the same.
        return len(rows) if counter.used < budgets.units(budget) else 0

    def _each(self, currency: str) -> dict[str, int]:
        """{country: millionths} of those whose price is known in this currency."""
        known = known_prices(self.campaign.channel)
        return {
            country: int(price.each * Decimal(budgets.MICROS))
            for country, price in known.items()
            if price.currency == currency
        }

    def taken(self, rows: Sequence[Queued]) -> None:
        for counter in self.counters():
            budget = self.budgets[counter.budget_id]
            each = self._each(budget.currency) if budget.currency else {}
            needs = sum(each.get(row.country, 0) * row.segments for row in rows) if budget.currency else len(rows)
            here = {country: each[country] for country in {row.country for row in rows} if country in each}
            self._take(counter, budget, rows[0].batch_id, needs, here)
            self._warn(counter, budget)

    def _take(
        self, counter: BudgetCounter, budget: Budget, batch_id: int, needs: int, prices_here: dict[str, int]
    ) -> None:
        share = BudgetShare.objects.filter(counter=counter, batch=batch_id).first()
        if share is None:
            before = self._taken_before(counter, budget, batch_id)
            share = BudgetShare(counter=counter, batch_id=batch_id, before=before)
        share.used += needs
        share.prices = {**share.prices, **prices_here}
        share.seen, share.is_open = "", True
        share.save()
        BudgetCounter.objects.filter(pk=counter.pk).update(used=F("used") + needs)
        counter.used += needs

    def _taken_before(self, counter: BudgetCounter, budget: Budget, batch_id: int) -> int:
        """A batch that left in part in an earlier period stays counted there, for good, and here with the rest."""
        before = 0
        if earlier := shares.others_of(counter, batch_id):
            batch = Batch.objects.get(pk=batch_id)
            for share in earlier:
                used = shares.measured(share, batch, budget.currency)
                BudgetCounter.objects.filter(pk=share.counter_id).update(used=F("used") + used - share.used)
                BudgetShare.objects.filter(pk=share.pk).update(batch=None, used=used, is_open=False)
                before = used + share.before
        return before

    def _warn(self, counter: BudgetCounter, budget: Budget) -> None:
        if counter.warned_at is None and 100 * counter.used >= budgets.WARN_AT * budgets.units(budget):
            counter.warned_at = timezone.now()
            counter.save(update_fields=["warned_at"])
            CampaignEvent.objects.create(campaign=self.campaign, text=budgets.warning(budget))


def _of(campaign: Campaign) -> Gate | None:
    chosen = list(Budget.objects.filter(application=campaign.application_id).select_related("application"))
    return BudgetGate(campaign, chosen) if chosen else None


KIND = Kind("budget", _of, says=lambda _value: _("It waits for what a budget has left."), counts=True)
