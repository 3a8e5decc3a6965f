"""Any order of claims, answers, crashes, reports, words and looks: before the decision nobody leaves but the few, and
it is made on no fewer reports than it says."""

import os
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from laaffic_console.laaffic.reports import Source
from messaging.models import Campaign, CampaignState, Canary, CanaryMessage, Message, MessageState
from messaging.services.batches import settling
from messaging.services.campaigns import campaigns, canaries
from messaging.services.gates import canary as gate
from messaging.services.refusals import FewFirstFailed
from tests.messaging.sending.test_message_machine import (
    FATES,
    OUTCOME,
    Flight,
    MessageMachine,
    report_of,
    result_of,
    standing,
    time_flies,  # noqa: F401  (a fixture)
)

FEW = 3  # of 6, and one request carries 3
REPORTS = 60  # percent of those that left: of three, two


class CanaryMachine(MessageMachine):
    def __init__(self) -> None:
        super().__init__()
        chosen = {"canary": str(FEW), "canary_wait": 0, "canary_reports": REPORTS, "canary_least": 60}
        Campaign.objects.update(**chosen)
        self.campaign.refresh_from_db()
        gate.begin(self.campaign)
        self.chosen: set[int] = set()
        self.may_all_leave = False  # it was decided, or a person said so

    @initialize(outcome=OUTCOME, fates=FATES, reports=st.integers(-1, FEW))  # type: ignore[override]
    def two_requests_are_under_way(self, outcome: str, fates: list[bool], reports: int) -> None:
        """In the place of the other's two, as nobody leaves before the few are chosen.

        From there: the few chosen and on their way, or all of them taken, and some with a report.
        """
        self.claim()
        assert not self.flights
        self.somebody_looks()
        self.a_sender_goes_on("accepted" if reports >= 0 else outcome, fates)
        if reports >= 0:
            for flight in self.awaited():
                flight.answered = True
                settling.settle_answers(self.campaign.pk, [(flight.claim, result_of(flight))])
            told = self.records[:reports]
            self.tell([report_of(record, Source.PUSH, record.delivered) for record in told])
            self.somebody_looks()

    @rule()
    def somebody_looks(self) -> None:
        """The job; where it held the campaign for the few, a person lets it look again."""
        with suppress(FewFirstFailed):
            campaigns.resume(self.campaign.pk) if self.is_held() else None
        canaries.follow()

    @rule(step=st.sampled_from(["choose", "part", "decide"]))
    def a_look_is_cut_off(self, step: str) -> None:
        """Killed behind one of its steps: whoever looks next goes on there."""
        canary = Canary.objects.get()
        campaign = Campaign.objects.get(pk=self.campaign.pk)
        if step == "choose" and canary.drawn_at is None:
            canaries._draw(campaign)
        elif step == "part" and canary.drawn_at and not canary.parted_at and not canary.passed_at:
            first = Message.objects.filter(pk__in=CanaryMessage.objects.values("message_id")).earliest("pk")
            canaries._part_batch(first.batch_id)
        elif step == "decide" and campaign.state == CampaignState.RUNNING and canary.drawn_at:
            canaries._decide(campaign)

    @precondition(lambda self: self.chosen)
    @rule(is_meant=st.integers(0, 5))
    def a_person_says_go_on(self, is_meant: int) -> None:
        """Seldom, or little would be left to decide."""
        if not is_meant:
            canaries.go_on(self.campaign.pk, reason="they wait", by=None)
            self.may_all_leave = True

    def let_leave(self, flight: Flight, outcome: str, fates: list[bool]) -> None:
        if not self.is_decided():
            assert set(flight.claim.message_ids) <= chosen(), "somebody leaves who was not chosen"
        super().let_leave(flight, outcome, fates)

    def is_held(self) -> bool:
        return Campaign.objects.filter(pk=self.campaign.pk, state=CampaignState.HELD).exists()

    def is_decided(self) -> bool:
        return Canary.objects.filter(passed_at__isnull=False).exists()

    @invariant()
    def they_are_chosen_once(self) -> None:
        now = chosen()
        assert len(now) in (0, FEW)
        assert not self.chosen or now == self.chosen
        self.chosen = now

    @invariant()
    def only_they_have_left_or_are_in_hand(self) -> None:
        if not self.is_decided():
            assert {pk for pk, state in standing().items() if state != MessageState.QUEUED} <= chosen()

    @invariant()
    def it_is_decided_on_no_fewer_reports(self) -> None:
        canary = Canary.objects.get()
        if canary.passed_at is None or self.may_all_leave:
            return
        known = canary.figures
        assert known["delivered"] + known["failed"] >= known["wanted"] >= -(-known["left"] * REPORTS // 100)
        few = chosen()
        ends = {pk: ends for pk, ends in self.told.items() if pk in few}
        rejected = Message.objects.filter(pk__in=few, state=MessageState.REJECTED).count()
        assert known["delivered"] <= sum(True in ends for ends in ends.values())
        assert known["delivered"] + known["failed"] <= len(ends) + rejected

    def teardown(self) -> None:
        """Once everybody is let go, nobody is kept back for good."""
        try:
            self.somebody_looks()
            if not self.is_decided():
                canaries.go_on(self.campaign.pk, reason="the end", by=None)
            if self.is_decided():
                canaries.follow()
                assert not self.campaign.batches.filter(waits_for__startswith=gate.WHY).exists()
        finally:
            super().teardown()


def chosen() -> set[int]:
    return set(CanaryMessage.objects.values_list("message_id", flat=True))


@pytest.mark.thorough
@pytest.mark.django_db
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("time_flies")
def test_no_order_of_events_lets_others_go_first() -> None:
    run_state_machine_as_test(CanaryMachine, settings=how(int(os.environ.get("MACHINE_EXAMPLES", "5")), 25))


@pytest.mark.django_db
@pytest.mark.usefixtures("time_flies")
def test_a_few_orders() -> None:
    run_state_machine_as_test(CanaryMachine, settings=how(1, 8))


def how(examples: int, steps: int) -> Any:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # shrinking takes longer than reading the steps
        suppress_health_check=list(HealthCheck),
    )
