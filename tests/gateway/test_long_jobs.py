"""Long jobs take turns: whoever is done rings for the other kinds first, and for its own last."""

import pytest

from laaffic_console.gateway.services.work import leases, long_jobs, workers
from laaffic_console.gateway.services.work.long_jobs import LongJob

pytestmark = pytest.mark.django_db

WAITING = {"file": True, "proof": True, "mail": False}


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    bells: list[tuple[str, int]] = []
    monkeypatch.setattr(long_jobs, "_kinds", {})
    monkeypatch.setattr(long_jobs.bell, "ring", lambda job, timeout: bells.append((job, timeout)))
    for n, (name, is_waiting) in enumerate(WAITING.items()):
        long_jobs.register(LongJob(name, lambda is_waiting=is_waiting: is_waiting, 100 + n))
    return bells


def test_the_others_come_before_more_of_the_same(rung: list[tuple[str, int]]) -> None:
    with long_jobs.turn("file") as held:
        assert held is not None
        assert not rung

    assert rung == [("proof", 101), ("file", 100)]
    assert leases.take(long_jobs.LEASE)


def test_a_worker_that_stops_rings_for_none(rung: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "is_stopping", lambda: True)

    with long_jobs.turn("file"):
        pass

    assert rung == []


def test_who_meets_another_does_nothing_and_rings_for_nobody(rung: list[tuple[str, int]]) -> None:
    with leases.lease(long_jobs.LEASE), long_jobs.turn("proof") as held:
        assert held is None

    assert rung == []


def test_the_sweep_rings_for_what_waits_while_none_is_made(rung: list[tuple[str, int]]) -> None:
    with leases.lease(long_jobs.LEASE):
        long_jobs.ring_for_waiting()
    assert rung == []

    long_jobs.ring_for_waiting()

    assert [job for job, _timeout in rung] == ["file", "proof"]
