"""What a rehearsal will do is decided by its seed alone."""

import pytest

from laaffic_console.rehearsal import plan
from laaffic_console.rehearsal.plan import DISTURBANCES, KILLS, Blow, Kind


class BlowTests:
    def test_one_seed_is_one_plan(self) -> None:
        assert plan.blows(7, 30) == plan.blows(7, 30)
        assert plan.blows(7, 30) != plan.blows(8, 30)

    @pytest.mark.parametrize("kills", [0, 1, 6, 200])
    def test_as_many_kills_as_asked_for_and_disturbances_on_top(self, kills: int) -> None:
        kinds = [blow.kind for blow in plan.blows(1, kills)]

        assert sum(kind in KILLS for kind in kinds) == kills
        assert sum(kind in DISTURBANCES for kind in kinds) == kills // plan.DISTURBANCE_EVERY

    def test_disturbances_can_be_counted_or_named(self) -> None:
        counted = [blow.kind for blow in plan.blows(1, 0, len(DISTURBANCES))]
        named = [blow.kind for blow in plan.blows(1, 1, [Kind.CLOCK, Kind.LATE])]

        assert sorted(counted) == sorted(DISTURBANCES)
        assert sorted(kind for kind in named if kind in DISTURBANCES) == sorted([Kind.CLOCK, Kind.LATE])

    def test_six_kills_strike_each_kind_of_process(self) -> None:
        for seed in range(20):
            assert {blow.kind for blow in plan.blows(seed, 6)} >= set(KILLS)

    def test_two_hundred_kills_bring_every_disturbance_but_one_that_must_be_asked_for(self) -> None:
        assert {blow.kind for blow in plan.blows(1, 200)} == set(Kind) - {Kind.CLOCK}

    def test_they_come_while_the_campaign_runs_and_in_order(self) -> None:
        blows = plan.blows(3, 200)
        shares = [blow.at_share for blow in blows if blow.at_share is not None]

        assert blows[0].at_share is not None
        assert shares == sorted(shares)
        assert shares[0] >= plan.FIRST_SHARE
        assert shares[-1] <= plan.LAST_SHARE
        assert 20 < len(blows) - len(shares) < 120  # the hurried ones

    def test_a_choice_is_always_one_of_those_that_are_there(self) -> None:
        for choice in (0.0, 0.5, 0.999, 1.0):
            assert Blow(Kind.CHILD, None, 0.0, choice).pick(3) in (0, 1, 2)


class RecipientTests:
    def test_numbers_differ_and_are_what_a_phone_has(self) -> None:
        numbers = plan.numbers(5000)

        assert len(set(numbers)) == 5000
        assert {len(number) for number in numbers} == {12}

    def test_the_abnormal_are_some_of_them_by_the_seed(self) -> None:
        numbers = plan.numbers(10_000)

        assert plan.abnormal(1, numbers) == plan.abnormal(1, numbers)
        assert len(plan.abnormal(1, numbers)) == 5
        assert set(plan.abnormal(1, numbers)) < set(numbers)

    @pytest.mark.parametrize(
        ("recipients", "strikes", "per_call"), [(100, 0, 10), (2000, 7, 14), (100_000, 250, 20), (10**6, 0, 1000)]
    )
    def test_calls_are_so_small_that_a_strike_meets_several(self, recipients: int, strikes: int, per_call: int) -> None:
        assert plan.recipients_per_call(recipients, strikes) == per_call
