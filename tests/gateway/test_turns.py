"""A job's turn ends early while another job waits for a process, and only then."""

import json
import multiprocessing
import threading
from typing import Any

import pytest
from django_q.brokers.redis_broker import Redis
from django_q.models import OrmQ
from django_q.signals import post_spawn, pre_execute
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from laaffic_console.gateway import queue
from laaffic_console.gateway.models import PushedBody
from laaffic_console.gateway.queue import taken_tasks
from laaffic_console.gateway.queue.redis_queue import RedisQueue
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import bell, leases, turns
from messaging.services.batches import answers
from messaging.services.email import deliveries as email_deliveries
from messaging.services.reports import report_pulls, report_pushes


@pytest.fixture(autouse=True)
def _nobody_waits() -> Any:
    post_spawn.send(sender="test")
    yield
    post_spawn.send(sender="test")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds, set by hand."""
    shown = [1000.0]
    monkeypatch.setattr(turns.time, "monotonic", lambda: shown[0])
    return shown


def wait_for_a_process() -> None:
    taken_tasks._change(1)


class TurnTests:
    def test_it_lasts_its_seconds_while_nobody_waits(self, clock: list[float]) -> None:
        turn = turns.Turn()

        clock[0] += turns.SECONDS - 0.1
        assert not turn.is_over()
        clock[0] += 0.2
        assert turn.is_over()

    def test_it_gives_way_to_whoever_waits_once_it_has_done_something(self, clock: list[float]) -> None:
        turn = turns.Turn()
        wait_for_a_process()

        assert not turn.is_over()
        clock[0] += turns.LEAST
        assert turn.is_over()

    def test_who_took_long_to_begin_works_four_times_as_long(self, clock: list[float]) -> None:
        turn = turns.Turn()
        wait_for_a_process()
        clock[0] += 2
        turn.has_begun()

        clock[0] += 5.9
        turn.has_begun()
        assert not turn.is_over()
        clock[0] += 0.2
        assert turn.is_over()

    def test_who_looked_for_longer_than_a_turn_still_has_one(self, clock: list[float]) -> None:
        """Three hundred thousand rows of a workbook are passed over before the next is taken."""
        turn = turns.Turn()
        clock[0] += 3 * turns.SECONDS
        turn.has_begun()

        clock[0] += turns.SECONDS - 0.1
        assert not turn.is_over()
        clock[0] += 0.2
        assert turn.is_over()


class SlowBeginningTests:
    """What is found behind a lock or by a long question: each turn does at least some of it."""

    @pytest.mark.django_db
    @pytest.mark.parametrize("job", ["reports", "deliveries", "answers"])
    def test_a_turn_that_was_slow_to_find_its_work_does_some(
        self, clock: list[float], monkeypatch: pytest.MonkeyPatch, settings: Any, job: str
    ) -> None:
        settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
        wait_for_a_process()
        module: Any = {"reports": report_pulls, "deliveries": email_deliveries, "answers": answers}[job]
        work = "write_one" if job == "answers" else "_check_apart"
        renew = leases.HeldLease.renew
        waiting, done = [1], []

        def slowly(lease: leases.HeldLease) -> bool:
            clock[0] += 0.5
            return renew(lease)

        def next_one() -> Any:
            return waiting[0] if waiting else None

        class Rows:
            def order_by(self, *_names: str, **_more: object) -> Any:
                return self

            select_related = values_list = order_by

            def first(self) -> Any:
                return next_one()

            def __getattr__(self, name: str) -> Any:
                return lambda *_given, **_more: self

        def act(*given: object) -> None:
            done.append(waiting.pop())

        monkeypatch.setattr(leases.HeldLease, "renew", slowly)
        monkeypatch.setattr(module, work, act)
        if job == "reports":
            monkeypatch.setattr(module, "_next_due", next_one)
        elif job == "deliveries":
            monkeypatch.setattr(module, "_due", Rows)
        else:
            monkeypatch.setattr(module, "BatchAnswer", type("Answers", (), {"objects": Rows()}))

        {"reports": report_pulls.pull_due, "deliveries": email_deliveries.pull_due, "answers": answers.write_waiting}[
            job
        ]()

        assert done == [1]


class WaitingTests:
    def test_a_process_that_was_killed_while_it_counted_stops_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(taken_tasks, "_taken", multiprocessing.Value("i", 0))
        killed = threading.Thread(target=taken_tasks._taken.get_lock().acquire)  # and it never lets go
        killed.start()
        killed.join()

        wait_for_a_process()

        assert taken_tasks.is_task_waiting()

    @pytest.mark.django_db
    def test_a_task_waits_from_being_taken_until_it_begins(self) -> None:
        async_task("laaffic_console.gateway.jobs.heartbeat")
        assert not taken_tasks.is_task_waiting()  # in the queue of all clusters: another may be free for it
        OrmQ.objects.update(lock="2020-01-01T00:00Z")

        (taken,) = queue.of_cluster("laaffic-console").dequeue() or []
        assert taken_tasks.is_task_waiting()
        pre_execute.send(sender="django_q", func=None, task=SignedPackage.loads(taken[1]))

        assert not taken_tasks.is_task_waiting()

    def test_redis_counts_the_same_and_not_what_nobody_signed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given = [[(None, b"forged")], None, [(None, SignedPackage.dumps({"func": "job"}))]]
        monkeypatch.setattr(Redis, "dequeue", lambda self: given.pop(0))
        monkeypatch.setattr(Redis, "get_connection", staticmethod(lambda list_key=None: None))
        queue = RedisQueue()

        found = [(queue.dequeue(), taken_tasks.is_task_waiting())[1] for _ in range(3)]

        assert found == [False, False, True]

    def test_what_a_killed_process_had_is_forgotten(self) -> None:
        wait_for_a_process()

        post_spawn.send(sender="django_q", proc_name="another")
        pre_execute.send(sender="django_q", func=None, task={})

        assert not taken_tasks.is_task_waiting()
        wait_for_a_process()
        assert taken_tasks.is_task_waiting()


@pytest.mark.django_db
def test_an_inbox_gives_way_and_rings_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LEAST", 0.0)
    inbox.store(kind="sms-report", body=json.dumps([]), source=None)
    rung: list[str] = []
    monkeypatch.setattr(bell, "ring", rung.append)
    wait_for_a_process()

    report_pushes.INBOX.apply_waiting()

    assert PushedBody.objects.get().applied_at is None
    assert rung == [report_pushes.INBOX.job]
