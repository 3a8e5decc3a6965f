"""Any order of claims, answers, crashes, reports and words, over several days: no budget is exceeded, each is true."""

import contextlib
import datetime as dt
import os
from decimal import Decimal
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from laaffic_console.kit.words.not_now import NotNow
from messaging.models import Budget, BudgetCounter, BudgetShare, EarlierAttempt, ListPrice, MessageState
from messaging.services.budgets import budget_gate, budgets, shares
from tests.messaging.sending.test_message_machine import (
    MessageMachine,
    rolled_back,
    standing,
    time_flies,  # noqa: F401  (a fixture)
)

MESSAGES = 4  # a day; the campaign has 6
AMOUNT = Decimal("0.05")  # a month, at 0.01 a message
COUNTED = (
    MessageState.CLAIMED,
    MessageState.UNKNOWN,
    MessageState.ACCEPTED,
    MessageState.EXPIRED,
    MessageState.UNDELIVERED,
    MessageState.DELIVERED,
)


class BudgetMachine(MessageMachine):
    def __init__(self) -> None:
        super().__init__()
        self.day = dt.date(2026, 3, 1)
        self.undo.enter_context(mock.patch.object(budgets, "today", side_effect=lambda: self.day))
        budget_gate.forget_prices()
        self.undo.callback(budget_gate.forget_prices)
        ListPrice.objects.create(country="IN", price=Decimal("0.01"), currency="USD")
        budgets.put(self.application, per="day", limit=Decimal(MESSAGES))
        budgets.put(self.application, per="month", limit=AMOUNT, currency="USD")

    @rule()
    def a_day_passes(self) -> None:
        self.day += dt.timedelta(days=1)

    @rule(is_meant=st.integers(0, 3), place=st.integers(0, 1))
    def an_approver_lifts_one(self, is_meant: int, place: int) -> None:
        """Seldom, or little would be left that a budget could stop."""
        budget = Budget.objects.order_by("pk")[place]
        if not is_meant:
            with contextlib.suppress(NotNow):  # it is lifted already
                budgets.lift(budget.pk, reason="they wait")

    @rule()
    def the_sweep_comes_by(self) -> None:
        for counter in BudgetCounter.objects.all():
            shares.follow_slowly(counter.pk)

    @invariant()
    def no_budget_is_exceeded(self) -> None:
        for counter in BudgetCounter.objects.select_related("budget"):
            assert counter.lifted_at is not None or counter.used <= budgets.units(counter.budget)
            assert counter.used == sum(counter.shares.values_list("used", flat=True))

    @invariant()
    def what_the_gateway_took_is_counted(self) -> None:
        by_messages = BudgetCounter.objects.filter(budget__currency="")
        assert sum(by_messages.values_list("used", flat=True)) >= len(self.records)

    @invariant()
    def once_followed_it_is_what_the_messages_say(self) -> None:
        with rolled_back():
            self.the_sweep_comes_by()
            for counter in BudgetCounter.objects.all():
                assert counter.used == shares.derived(counter)
            sent_again = BudgetShare.objects.filter(batch=None, counter__budget__currency="", before=0)
            kept = sum(sent_again.values_list("used", flat=True)) if self.day == dt.date(2026, 3, 1) else None
            used = sum(BudgetCounter.objects.filter(budget__currency="").values_list("used", flat=True))
            counted = sum(state in COUNTED for state in standing().values())
            never_sent_again = EarlierAttempt.objects.filter(took_out=True).values("message").distinct().count()
            if kept is not None:
                assert used == counted + kept - never_sent_again


@pytest.mark.thorough
@pytest.mark.django_db
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("time_flies")
def test_no_order_of_events_exceeds_a_budget() -> None:
    run_state_machine_as_test(
        BudgetMachine,
        settings=settings(
            max_examples=int(os.environ.get("MACHINE_EXAMPLES", "5")),
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],  # shrinking takes longer than reading the steps
            suppress_health_check=list(HealthCheck),
        ),
    )
