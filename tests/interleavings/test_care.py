"""A budget's counter and a canary's row, each act on them against each that may come at the same moment: never more
leaves than the budget holds, never less is counted than has left, nobody but the few leaves before the decision, and
it is made on no fewer reports than it says."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import DeliveryState
from messaging.models import Batch, BatchState, Budget, BudgetCounter, Campaign, CampaignState, Canary, CanaryMessage
from messaging.services.batches import claiming, settling, unanswered
from messaging.services.budgets import budgets, shares
from messaging.services.campaigns import canaries
from messaging.services.channels.outgoing import Claim
from messaging.services.gates import canary as gate
from tests.interleaving import Act, Ending, Scene, Stage, interleave
from tests.interleavings import rows
from tests.interleavings.test_campaigns import fresh, only


def claims(campaign: Campaign) -> Act:
    return lambda: claiming.claim(campaign, "token")


def taken(*endings: Ending) -> int:
    """How many messages these acts have in hand."""
    return sum(len(ending.value.numbers) for ending in endings if isinstance(ending.value, Claim))


class BudgetTests:
    LIMIT = 3

    def two(self) -> tuple[Campaign, Campaign, Budget]:
        """Two campaigns of one application, each to two people, and three messages a day for both."""
        one = rows.running()
        other = rows.running(application=one.application)
        budget = budgets.put(one.application, per="day", limit=Decimal(self.LIMIT))
        return one, other, budget

    def holds(self, budget: Budget, left: int, *, is_lifted: bool = False) -> BudgetCounter:
        """`left`: what has left, or is in hand, and was not given back."""
        counter = BudgetCounter.objects.get(budget=budget)
        assert counter.used == sum(counter.shares.values_list("used", flat=True))
        assert left <= counter.used
        assert is_lifted or counter.used <= self.LIMIT
        shares.follow_slowly(counter.pk)
        counter.refresh_from_db()
        assert counter.used == shares.derived(counter) == left
        return counter

    @pytest.mark.parametrize("is_first", [True, False], ids=["the first of the day", "later in the day"])
    def test_two_claims(self, on: Stage, is_first: bool) -> None:
        def make() -> Scene:
            one, other, budget = self.two()
            if not is_first:
                BudgetCounter.objects.create(budget=budget, starts_on=budgets.today())

            def check(first: Ending, second: Ending) -> None:
                only(first)
                only(second)
                assert taken(first, second) == self.LIMIT
                self.holds(budget, self.LIMIT)

            return Scene(claims(one), claims(other), check)

        interleave(on, make)

    @pytest.mark.parametrize("ids", [("a", "b"), ("a", None), (None, None)], ids=["taken", "partly", "rejected"])
    def test_an_answer_comes(self, on: Stage, ids: tuple[str | None, ...]) -> None:
        """What Laaffic did not take is given back, and may go to the other; never before it is known."""

        def make() -> Scene:
            one, other, budget = self.two()
            claim = rows.claimed(one)
            ledger.depart(claim.entry_id)
            own = [one and f"{one}{claim.entry_id}" for one in ids]

            def check(claimed: Ending, settled: Ending) -> None:
                only(claimed)
                only(settled)
                left = sum(one is not None for one in own)
                assert 1 <= taken(claimed) <= self.LIMIT - left
                self.holds(budget, left + taken(claimed))

            return Scene(claims(other), lambda: settling.settle_answer(one.pk, claim, rows.answer(*own)), check)

        interleave(on, make)

    def test_an_approver_lifts_it(self, on: Stage) -> None:
        def make() -> Scene:
            one, other, budget = self.two()
            rows.claimed(one)

            def check(claimed: Ending, lifted: Ending) -> None:
                only(claimed)
                only(lifted)
                assert taken(claimed) in (1, 2)
                counter = self.holds(budget, 2 + taken(claimed), is_lifted=taken(claimed) == 2)
                assert counter.lifted_at is not None
                rest = claiming.claim(other, "token")
                assert (taken(claimed) == 2) == (rest is None)

            return Scene(claims(other), lambda: budgets.lift(budget.pk, reason="they wait"), check)

        interleave(on, make)

    def test_two_approvers_lift_it(self, on: Stage) -> None:
        def make() -> Scene:
            _one, _other, budget = self.two()

            def lift() -> Any:
                return budgets.lift(budget.pk, reason="they wait")

            def check(first: Ending, second: Ending) -> None:
                only(first, NotNow)
                only(second, NotNow)
                assert first.passed != second.passed

            return Scene(lift, lift, check)

        interleave(on, make)

    @pytest.mark.parametrize("has_left", [True, False])
    def test_a_process_is_lost(self, on: Stage, has_left: bool) -> None:
        """What it had claimed is queued again where its request had not left, and counts on where it may have."""

        def make() -> Scene:
            one, other, budget = self.two()
            claim = rows.claimed(one)
            if has_left:
                ledger.depart(claim.entry_id)
                long_ago = timezone.now() - dt.timedelta(hours=1)
                LedgerEntry.objects.filter(pk=claim.entry_id).update(left_at=long_ago)

            def check(claimed: Ending, recovered: Ending) -> None:
                only(claimed)
                only(recovered)
                assert not rows.stuck(one)
                lost = 2 if has_left else 0
                assert 1 <= taken(claimed) <= self.LIMIT - lost
                self.holds(budget, lost + taken(claimed))

            return Scene(claims(other), lambda: unanswered.recover_stale(one.pk, "another"), check)

        interleave(on, make)

    def test_the_sweep_comes_by(self, on: Stage) -> None:
        def make() -> Scene:
            one, other, budget = self.two()
            claim = rows.claimed(one)
            ledger.depart(claim.entry_id)
            settling.settle_answer(one.pk, claim, rows.answer(None, None))
            counter = BudgetCounter.objects.get(budget=budget)

            def check(claimed: Ending, swept: Ending) -> None:
                only(claimed)
                only(swept)
                assert taken(claimed) == 2
                self.holds(budget, 2)

            return Scene(claims(other), lambda: shares.follow_slowly(counter.pk), check)

        interleave(on, make)


class CanaryTests:
    FEW = 2

    def frozen(self, **given: Any) -> Campaign:
        """To four people, of whom two go first; nobody is chosen yet."""
        usual = {"canary": str(self.FEW), "canary_wait": 0, "canary_reports": 100, "canary_least": 80}
        return rows.running(4, **{**usual, **given})

    def sent(self, **given: Any) -> tuple[Campaign, Claim]:
        """The few have left, and Laaffic has taken them."""
        campaign = self.frozen(**given)
        canaries.follow_one(campaign.pk)
        claim = rows.claimed(campaign)
        ledger.depart(claim.entry_id)
        own = rows.answer(f"a{claim.entry_id}", f"b{claim.entry_id}")
        settling.settle_answers(campaign.pk, [(claim, own)])
        return campaign, claim

    def reports(self, claim: Claim, *delivered: bool) -> Act:
        ends = {True: DeliveryState.DELIVERED, False: DeliveryState.FAILED}
        told = [
            rows.report(pk, to, ends[end])
            for pk, to, end in zip(claim.message_ids, claim.numbers, delivered, strict=False)
        ]
        return lambda: rows.push(*told)

    def follows(self, campaign: Campaign) -> Act:
        return lambda: canaries.follow_one(campaign.pk)

    def chosen(self, campaign: Campaign) -> set[int]:
        return set(CanaryMessage.objects.filter(canary=campaign.pk).values_list("message_id", flat=True))

    def holds(self, campaign: Campaign, *endings: Ending) -> Canary:
        """Before it passed only the few were claimed or had left; after that, no message waits for it."""
        canary = Canary.objects.get(pk=campaign.pk)
        chosen = self.chosen(campaign)
        assert len(chosen) == (self.FEW if canary.drawn_at else 0)
        in_hand = [pk for one in endings if isinstance(one.value, Claim) for pk in one.value.message_ids]
        assert len(in_hand) == len(set(in_hand))
        if canary.passed_at is None:
            assert set(in_hand) <= chosen
        elif canary.let_go_at is not None:
            assert not Batch.objects.filter(
                campaign=campaign, state=BatchState.QUEUED, waits_for__startswith=gate.WHY
            ).exists()
        rows.agrees(campaign)
        return canary

    def test_two_look_at_once(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = self.frozen()

            def check(one: Ending, other: Ending) -> None:
                only(one)
                only(other)
                canary = self.holds(campaign)
                assert (canary.size, canary.passed_at) == (self.FEW, None)
                assert set(rows.claimed(campaign).message_ids) == self.chosen(campaign)
                assert claiming.claim(campaign, "token") is None

            return Scene(self.follows(campaign), self.follows(campaign), check)

        interleave(on, make)

    @pytest.mark.parametrize("is_drawn", [False, True])
    def test_somebody_claims_while_they_are_chosen(self, on: Stage, is_drawn: bool) -> None:
        def make() -> Scene:
            campaign = self.frozen()
            if is_drawn:
                canaries._draw(campaign)

            def check(claimed: Ending, followed: Ending) -> None:
                only(claimed)
                only(followed)
                self.holds(campaign, claimed)
                later = Ending(claiming.claim(campaign, "token"))
                assert taken(claimed, later) == self.FEW
                self.holds(campaign, claimed, later)

            return Scene(claims(campaign), self.follows(campaign), check)

        interleave(on, make)

    def test_two_claims(self, on: Stage) -> None:
        def make() -> Scene:
            campaign = self.frozen()
            canaries.follow_one(campaign.pk)
            Batch.objects.filter(campaign=campaign).update(not_before=None)  # whatever has woken the rest

            def check(one: Ending, other: Ending) -> None:
                only(one)
                only(other)
                assert taken(one, other) == self.FEW
                self.holds(campaign, one, other)

            return Scene(claims(campaign), claims(campaign), check)

        interleave(on, make)

    def test_the_rest_is_claimed_while_it_is_decided(self, on: Stage) -> None:
        """Whatever the claim kept back is let go by the decision: nothing waits for good."""

        def make() -> Scene:
            campaign, claim = self.sent()
            self.reports(claim, True, True)()
            Batch.objects.filter(campaign=campaign, state=BatchState.QUEUED).update(not_before=None)

            def check(claimed: Ending, decided: Ending) -> None:
                only(claimed)
                only(decided)
                assert self.holds(campaign, claimed).passed_at is not None
                later = Ending(claiming.claim(campaign, "token"))
                assert taken(claimed, later) == 2

            return Scene(claims(campaign), self.follows(campaign), check)

        interleave(on, make)

    @pytest.mark.parametrize("is_well", [True, False])
    def test_the_last_report_comes_while_it_is_decided(self, on: Stage, is_well: bool) -> None:
        def make() -> Scene:
            campaign, claim = self.sent()
            self.reports(claim, True)()
            told = [True, is_well]

            def check(reported: Ending, decided: Ending) -> None:
                only(reported)
                only(decided)
                canary = self.holds(campaign)
                assert not canary.figures or canary.figures["delivered"] + canary.figures["failed"] == self.FEW
                canaries.follow_one(campaign.pk)
                canary.refresh_from_db()
                assert (canary.passed_at is not None) == is_well
                assert fresh(campaign).state == (CampaignState.RUNNING if is_well else CampaignState.HELD)

            return Scene(self.reports(claim, *told), self.follows(campaign), check)

        interleave(on, make)

    def test_the_last_of_them_is_answered_while_it_is_decided(self, on: Stage) -> None:
        """One is in hand: nothing is decided without it, though the other's report alone would do."""

        def make() -> Scene:
            campaign = self.frozen(canary_reports=50, text="Hi {{name}}")
            canaries.follow_one(campaign.pk)
            claim = rows.claimed(campaign)
            ledger.depart(claim.entry_id)
            self.reports(claim, True)()
            own = rows.answer(f"a{claim.entry_id}", f"b{claim.entry_id}")

            def check(settled: Ending, decided: Ending) -> None:
                only(settled)
                only(decided)
                canary = self.holds(campaign)
                assert not canary.figures or canary.figures["left"] == self.FEW

            return Scene(lambda: settling.settle_answers(campaign.pk, [(claim, own)]), self.follows(campaign), check)

        interleave(on, make)

    def test_a_process_is_lost_while_it_is_decided(self, on: Stage) -> None:
        """What it had in hand is queued again: it is still one of the few, and still waited for."""

        def make() -> Scene:
            campaign = self.frozen(canary_reports=50)
            canaries.follow_one(campaign.pk)
            rows.claimed(campaign)

            def check(recovered: Ending, decided: Ending) -> None:
                only(recovered)
                only(decided)
                canary = self.holds(campaign)
                assert (canary.passed_at, canary.hold_reason) == (None, "")
                again = rows.claimed(campaign)
                assert set(again.message_ids) == self.chosen(campaign)

            return Scene(lambda: unanswered.recover_stale(campaign.pk, "another"), self.follows(campaign), check)

        interleave(on, make)

    @pytest.mark.parametrize("is_well", [True, False])
    def test_a_person_says_go_on_while_it_is_decided(self, on: Stage, is_well: bool) -> None:
        """Their word stands, whichever came first: the rest goes, and nothing holds it for the few."""

        def make() -> Scene:
            campaign, claim = self.sent()
            self.reports(claim, is_well, is_well)()

            def check(said: Ending, decided: Ending) -> None:
                only(said)
                only(decided)
                assert self.holds(campaign).passed_at is not None
                assert fresh(campaign).state == CampaignState.RUNNING
                assert taken(Ending(claiming.claim(campaign, "token"))) == 2

            return Scene(
                lambda: canaries.go_on(campaign.pk, reason="they wait", by=None), self.follows(campaign), check
            )

        interleave(on, make)

    def test_a_person_says_go_on_while_the_rest_is_claimed(self, on: Stage) -> None:
        def make() -> Scene:
            campaign, _claim = self.sent()
            Batch.objects.filter(campaign=campaign, state=BatchState.QUEUED).update(not_before=None)

            def check(said: Ending, claimed: Ending) -> None:
                only(said)
                only(claimed)
                self.holds(campaign, claimed)
                assert taken(claimed, Ending(claiming.claim(campaign, "token"))) == 2

            return Scene(lambda: canaries.go_on(campaign.pk, reason="they wait", by=None), claims(campaign), check)

        interleave(on, make)
