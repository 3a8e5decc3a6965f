"""Sweeps that work themselves: at most one of a name at a time, and each step has its turn."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

import messaging.jobs
import voice.jobs
from laaffic_console.gateway.models import Lease, Trouble
from laaffic_console.gateway.services.work import leases, sweeps
from messaging.services.sending import forgotten
from voice.services.calls import sip_calls as calls

pytestmark = pytest.mark.django_db


def run_out() -> None:
    Lease.objects.update(until=timezone.now() - dt.timedelta(seconds=1))


class OneAtATimeTests:
    def test_the_next_one_ends_at_once_while_one_is_at_its_steps(self) -> None:
        done: list[str] = []

        def slow() -> None:
            done.append("slow")
            sweeps.run("shop", lambda: done.append("beside"))

        sweeps.run("shop", slow, lambda: done.append("last"))
        sweeps.run("shop", lambda: done.append("next"))

        assert done == ["slow", "last", "next"]

    def test_another_name_is_another_sweep(self) -> None:
        done: list[str] = []

        sweeps.run("shop", lambda: sweeps.run("voice", lambda: done.append("voice")))

        assert done == ["voice"]

    def test_what_a_killed_one_left_is_found_when_its_lease_has_run_out(self) -> None:
        done: list[str] = []
        leases.take("sweep:shop")  # and then it was killed

        sweeps.run("shop", lambda: done.append("too early"))
        run_out()
        sweeps.run("shop", lambda: done.append("found"))

        assert done == ["found"]

    def test_steps_behind_one_that_outlasts_the_lease_have_their_turn(self) -> None:
        done: list[str] = []

        def outlasts() -> None:
            run_out()
            leases.take("sweep:shop")  # the next sweep begins beside it

        sweeps.run("shop", outlasts, lambda: done.append("behind"))

        assert done == ["behind"]
        assert leases.is_held("sweep:shop")  # the other one's, which this one has not given back

    def test_the_lease_is_as_long_again_behind_each_step(self) -> None:
        held: list[bool] = []

        sweeps.run("shop", run_out, lambda: held.append(leases.is_held("sweep:shop")))

        assert held == [True]

    def test_a_step_that_fails_skips_none(self) -> None:
        done: list[str] = []

        def fails() -> None:
            raise ValueError("no such thing")

        sweeps.run("shop", fails, lambda: done.append("behind"))

        assert done == ["behind"]
        assert Trouble.objects.get().problem == "ValueError: no such thing"


@pytest.mark.parametrize(
    ("job", "service", "step"), [(messaging.jobs, forgotten, "sweep"), (voice.jobs, calls, "recover")]
)
def test_what_walks_tables_itself_is_not_joined_by_the_next(
    monkeypatch: pytest.MonkeyPatch, job: Any, service: Any, step: str
) -> None:
    began: list[str] = []

    def long() -> None:
        began.append(step)
        if len(began) < 3:
            job.sweep()

    monkeypatch.setattr(service, step, long)

    job.sweep()
    once = len(began)
    job.sweep()

    assert (once, len(began)) == (1, 2)
