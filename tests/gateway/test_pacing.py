"""The pace of sending, with a clock that is moved by hand."""

import datetime as dt

import pytest

from laaffic_console.gateway.models import RatePacer
from laaffic_console.gateway.services.work import pacing
from laaffic_console.gateway.services.work.pacing import RateLimit

pytestmark = pytest.mark.django_db

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Clock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> dt.datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pacing, "database_clock", clock)
    return clock


def send_for(clock: Clock, limits: list[RateLimit], seconds: float, at_once: int, late: float = 0.0) -> int:
    """What a worker sends that waits as long as it is told, and wakes a little late each time."""
    end = clock.time + dt.timedelta(seconds=seconds)
    sent = 0
    while clock.time < end:
        until = pacing.reserve(limits, at_once)
        if until is None:
            sent += at_once
        else:
            clock.time = until + dt.timedelta(seconds=late)
    return sent


class RateTests:
    @pytest.mark.parametrize(("rate", "at_once"), [(1, 1), (7, 7), (50, 50), (50, 5), (1000, 1000)])
    def test_the_rate_is_exact(self, clock: Clock, rate: int, at_once: int) -> None:
        sent = send_for(clock, [RateLimit("campaign:1", rate)], 60, at_once)

        assert sent == 60 * rate

    def test_waking_late_costs_no_pace(self, clock: Clock) -> None:
        sent = send_for(clock, [RateLimit("campaign:1", 50)], 60, 50, late=0.1)

        assert sent == 60 * 50

    def test_nothing_leaves_before_its_time(self, clock: Clock) -> None:
        limits = [RateLimit("campaign:1", 10)]
        assert pacing.reserve(limits, 10) is None

        clock.move(0.999)

        assert pacing.reserve(limits, 1) == START + dt.timedelta(seconds=1)

    def test_an_idle_hour_saves_up_no_burst(self, clock: Clock) -> None:
        limits = [RateLimit("campaign:1", 10)]
        pacing.reserve(limits, 10)
        clock.move(3600)

        sent = send_for(clock, limits, 0.7, 10)

        assert sent == 10

    def test_without_a_limit_nothing_waits_and_nothing_is_written(self) -> None:
        assert [pacing.reserve([], 1000) for _ in range(3)] == [None] * 3
        assert not RatePacer.objects.exists()


class SeveralLimitsTests:
    def test_the_lower_one_counts(self, clock: Clock) -> None:
        limits = [RateLimit("campaign:1", 100), RateLimit("application:1", 20)]

        assert send_for(clock, limits, 30, 20) == 600

    def test_two_campaigns_share_their_applications_limit(self, clock: Clock) -> None:
        first = [RateLimit("campaign:1", 100), RateLimit("application:1", 20)]
        second = [RateLimit("campaign:2", 100), RateLimit("application:1", 20)]

        sent = 0
        while clock.time < START + dt.timedelta(seconds=30):
            sent += sum(20 for limits in (first, second) if pacing.reserve(limits, 20) is None)
            clock.move(0.05)

        assert sent == 600

    def test_who_has_to_wait_reserves_nothing(self, clock: Clock) -> None:
        pacing.reserve([RateLimit("application:1", 10)], 10)
        before = dict(RatePacer.objects.values_list("name", "next_at"))

        until = pacing.reserve([RateLimit("campaign:1", 10), RateLimit("application:1", 10)], 10)

        after = dict(RatePacer.objects.values_list("name", "next_at"))
        assert until == START + dt.timedelta(seconds=1)
        assert after["application:1"] == before["application:1"]
        assert after["campaign:1"] == START


class BatchTests:
    @pytest.mark.parametrize(
        ("rates", "at_most", "taken"), [([], 1000, 1000), ([50], 1000, 50), ([50, 20], 1000, 20), ([5000], 300, 300)]
    )
    def test_a_claim_takes_about_a_second(self, rates: list[int], at_most: int, taken: int) -> None:
        limits = [RateLimit(f"limit:{n}", rate) for n, rate in enumerate(rates)]

        assert pacing.pacing_batch(limits, at_most) == taken


class WrongClockTests:
    @pytest.mark.parametrize("hours", [0.01, 1, 10_000])
    def test_a_time_further_ahead_than_any_reservation_holds_up_nobody(self, clock: Clock, hours: float) -> None:
        limits = [RateLimit("campaign:1", 10), RateLimit("application:1", 10)]
        ahead = START + dt.timedelta(hours=hours)
        RatePacer.objects.create(name="application:1", next_at=ahead)

        assert pacing.reserve(limits, 10) is None

        assert pacing.reserve(limits, 10) == START + dt.timedelta(seconds=1)
