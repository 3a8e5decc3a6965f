"""Requests that carry all recipients at once, and their application's budgets: one fits into each, or is held.

It is counted in the transaction that prepares its request, under the counters' locks, and kept with the request's row:
what was refused or did not leave is given back (`shares.put_right`). An unknown outcome stays counted.
"""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from laaffic_console.gateway.models import Application, LedgerEntry
from messaging.models import Budget, BudgetCounter
from messaging.services.budgets import budgets, shares
from messaging.services.reports.prices import Cost


class Part(NamedTuple):
    """What the request makes another application send: the SMS after the calls of a group call."""

    application: Application
    recipients: int | None  # None: nobody knows
    cost: Cost
    adds_nobody: bool = False  # it changes what was counted before, and reaches no more people


class Taken:
    """What a request would take, looked at under the locks of the counters; `count` writes it down."""

    def __init__(
        self,
        application: Application,
        recipients: int | None,
        cost: Cost,
        *,
        adds_nobody: bool = False,
        also: Sequence[Part] = (),
    ) -> None:
        own = Part(application, recipients, cost, adds_nobody)
        self.parts = {part.application.pk: part for part in (own, *also)}
        chosen = list(Budget.objects.filter(application__in=self.parts).select_related("application"))
        self.budgets = {budget.pk: budget for budget in chosen}
        self.counters = budgets.locked_counters(chosen) if chosen else []

    def stop(self, leaves: dt.datetime | None = None) -> str:
        """The sentence of the first budget into which it does not fit; "" where it fits into all of them.

        `leaves`: when it is requested, where that is later: each budget is looked at as of its period of then.
        """
        for now in self.counters:
            budget = self.budgets[now.budget_id]
            counter = budgets.counter_at(budget, now, leaves)
            if counter.lifted_at is not None:
                continue
            if not budget.currency and self.parts[budget.application_id].recipients is None:
                return budgets.size_not_known(budget)
            if self._fits(counter, budget):
                continue
            if counter.pk is not None:
                shares.follow(counter, budget.currency, partial(self._fits, counter, budget))
            if not self._fits(counter, budget):
                return budgets.too_little_left(budget, counter, self._needs(budget))
        return ""

    def count(self, entry: LedgerEntry) -> None:
        for counter in self.counters:
            budget = self.budgets[counter.budget_id]
            shares.take_of_request(counter, entry, self._needs(budget))
            budgets.warn_if_nearly_used(counter, budget)

    def _fits(self, counter: BudgetCounter, budget: Budget) -> bool:
        """Without a price nothing can be told beforehand; when all of it has gone, nothing more leaves anyway."""
        if self.parts[budget.application_id].adds_nobody:
            return True
        left = budgets.units(budget) - counter.used
        return left > 0 and self._needs(budget) <= left

    def _needs(self, budget: Budget) -> int:
        part = self.parts[budget.application_id]
        return shares.needed(budget, part.recipients or 0, part.cost)
