"""Reports without a message: however many wait or were given up, those that are due are found and tried."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.inbox.draining import Inbox
from laaffic_console.gateway.services.work import bell, turns

pytestmark = pytest.mark.django_db


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What is tried at once, slices of two."""
    monkeypatch.setattr(inbox, "ORPHANS_AT_ONCE", 2)
    return []


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    jobs: list[str] = []
    monkeypatch.setattr(bell, "ring", jobs.append)
    return jobs


def keep(n: int, minutes_due: float | None, kind: PushKind = PushKind.SMS_REPORT) -> None:
    now = timezone.now()  # not when this file was read: the tests may take longer than what is due later
    next_try = None if minutes_due is None else now - dt.timedelta(minutes=minutes_due)
    OrphanReport.objects.create(kind=kind, key=f"{kind} {n}", report={"n": n}, first_seen=now, next_try_at=next_try)


def box(tried: list[list[int]], then: Callable[[], object] = lambda: None) -> "Inbox[Any]":
    def retry(reports: list[dict[str, Any]]) -> list[bool]:
        tried.append([report["n"] for report in reports])
        then()
        return [True for _report in reports]

    return Inbox(
        PushKind.SMS_REPORT, "some.job", read=lambda _body, raw: ([raw], []), apply=lambda rows: [True] * len(rows),
        retry=retry,
    )  # fmt: skip


@pytest.mark.usefixtures("rung")
def test_one_job_tries_all_that_are_due_slice_after_slice_the_longest_due_first(tried: list[list[int]]) -> None:
    for n, minutes in enumerate([1, 2, 3, 4, 5]):
        keep(n, minutes)
    keep(7, None)
    keep(8, -5)  # later
    keep(9, -60)  # written by a wrong clock

    assert not box(tried).apply_waiting()

    assert tried == [[3, 4], [1, 2], [0, 9]]


def test_what_has_come_meanwhile_is_first(tried: list[list[int]], rung: list[str]) -> None:
    for n in range(4):
        keep(n, 4 - n)

    def one_comes() -> None:
        inbox.store(kind=PushKind.SMS_REPORT, body="[1]", source=None)

    assert box(tried, one_comes).apply_waiting()

    assert (tried, rung[-1:]) == ([[0, 1]], ["some.job"])
    assert PushedBody.objects.filter(applied_at=None).exists()


def test_a_turn_that_is_over_rings_for_the_rest(
    tried: list[list[int]], rung: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        keep(n, 4 - n)

    def time_is_up() -> None:
        monkeypatch.setattr(turns.Turn, "is_over", lambda _turn: True)

    assert box(tried, time_is_up).apply_waiting()

    assert (tried, rung) == ([[0, 1]], ["some.job"])


@pytest.mark.usefixtures("rung")
def test_those_that_are_due_are_tried_though_other_jobs_wait_and_its_worker_would_stay(
    tried: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that others wait for is shorter than the time for which a worker stays for what comes next."""
    monkeypatch.setattr(turns.taken_tasks, "is_task_waiting", lambda: True)
    monkeypatch.setattr(turns, "LEAST", 0.05)
    keep(1, 5)

    assert dataclasses.replace(box(tried), linger=60.0).apply_waiting()

    assert tried == [[1]]


def test_a_kind_without_retry_is_not_asked_for(rung: list[str]) -> None:
    keep(1, 5, PushKind.VOICE_RINGING)

    with CaptureQueriesContext(connection) as asked:
        inbox.ring_for_waiting()

    assert rung == []
    of_orphans = [one["sql"] for one in asked if "orphanreport" in one["sql"]]
    assert of_orphans
    assert not [sql for sql in of_orphans if PushKind.VOICE_RINGING in sql]


def test_those_that_are_due_are_found_in_order_by_an_index() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of few rows PostgreSQL reads all")
    for n in range(50):
        keep(n, None)

    with CaptureQueriesContext(connection) as asked:
        assert not inbox.is_any_orphan_due(PushKind.SMS_REPORT)

    plans = [plan_of(one["sql"]) for one in asked]
    assert len(plans) == 2
    assert all("orphan_due_of_kind (kind=? AND next_try_at" in plan for plan in plans)
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return str(cursor.fetchall())
