"""The watch over a cluster, with a cluster that is none."""

import datetime as dt
import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, ProgrammingError
from django.utils import timezone
from django_q.models import OrmQ
from redis.exceptions import ConnectionError as RedisConnectionError

from laaffic_console.conf import BASE_DIR
from laaffic_console.gateway import jobs as gateway_jobs
from laaffic_console.gateway.models import Lease, WorkerHeartbeat
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import leases, supervision, workers
from laaffic_console.gateway.services.work.supervision import Supervisor
from laaffic_console.kit.sql import database_troubles

pytestmark = pytest.mark.django_db


class FakeCluster:
    """What Popen gives back; it ends when a test says so."""

    started: list["FakeCluster"] = []

    def __init__(self, command: list[str], **options: Any) -> None:
        self.command, self.options = command, options
        self.pid = 4_000_000 + len(self.started)  # beyond any process id
        self.code: int | None = None
        self.waited = 0
        self.stdin = None
        if command[-1] == "qcluster":
            self.started.append(self)

    def poll(self) -> int | None:
        return self.code

    def wait(self, timeout: float | None = None) -> int:
        self.waited += 1
        return self.code or 0


@pytest.fixture
def clusters(monkeypatch: pytest.MonkeyPatch) -> list[FakeCluster]:
    FakeCluster.started = []
    monkeypatch.setattr(supervision.subprocess, "Popen", FakeCluster)
    return FakeCluster.started


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(supervision.os, "killpg", lambda pid, how: sent.append((pid, how)))
    monkeypatch.setattr(supervision.os, "kill", lambda pid, how: sent.append((pid, how)))
    return sent


@pytest.fixture
def supervisor(clusters: list[FakeCluster], killed: list[tuple[int, int]]) -> Supervisor:
    supervisor = Supervisor()
    supervisor._register()
    supervisor._start()
    return supervisor


def silence(supervisor: Supervisor, seconds: float) -> None:
    """As if the cluster had been up for an hour and no task of it had run for so long."""
    supervisor.started -= 3600
    beat_at = timezone.now() - dt.timedelta(seconds=seconds)
    WorkerHeartbeat.objects.filter(pk=supervisor.worker).update(beat_at=beat_at)


def restarts(supervisor: Supervisor) -> int:
    return WorkerHeartbeat.objects.get(pk=supervisor.worker).restarts


def fails_with(problem: Exception) -> Any:
    def fail(*args: Any) -> None:
        raise problem

    return fail


class PatienceTests:
    def test_a_start_that_takes_long_gets_longer_each_time(
        self, supervisor: Supervisor, clusters: list[FakeCluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a machine too busy to load a cluster in half a minute it would else be killed for ever."""
        passed = [0.0]
        real = database_clock.now
        monkeypatch.setattr(database_clock, "now", lambda: real() + dt.timedelta(seconds=passed[0]))

        def later(seconds: float) -> int:
            passed[0] += seconds
            supervisor.started -= seconds
            supervisor._watch()
            return restarts(supervisor)

        patience = supervision.START_PATIENCE + 1
        assert later(patience) == 1
        assert later(patience) == 1
        assert later(patience) == 2
        assert [later(patience) for _n in range(4)] == [2, 2, 2, 3]

    def test_one_that_has_worked_gets_no_longer(self, supervisor: Supervisor) -> None:
        for n in (1, 2, 3):
            silence(supervisor, supervision.START_PATIENCE + 1)
            supervisor._watch()
            assert (restarts(supervisor), supervisor.start_patience) == (n, supervision.START_PATIENCE)


class StartTests:
    def test_a_database_that_is_away_is_waited_for(
        self,
        clusters: list[FakeCluster],
        killed: list[tuple[int, int]],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        supervisor = Supervisor()
        problems: list[Exception] = [OperationalError("starting up"), ProgrammingError("no table")]
        register = supervisor._register
        monkeypatch.setattr(supervisor, "_register", lambda: fails_with(problems.pop(0))() if problems else register())
        monkeypatch.setattr(supervision, "connection", type("Connection", (), {"close": lambda: None}))
        monkeypatch.setattr(supervision.signal, "signal", lambda signum, handler: None)
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            if seconds == supervision.TICK:
                supervisor._stop(signal.SIGTERM, None)

        monkeypatch.setattr(supervision.time, "sleep", sleep)

        supervisor.run()

        assert slept == [supervision.RETRY_START_EVERY] * 2 + [supervision.TICK]
        assert len(clusters) == 1
        assert "cannot reach the database and waits for it: starting up" in caplog.text
        assert not any(record.exc_info for record in caplog.records)

    def test_a_queue_that_is_away_is_waited_for_before_a_row_says_that_a_worker_is_there(
        self,
        clusters: list[FakeCluster],
        killed: list[tuple[int, int]],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        supervisor = Supervisor()
        problems = [RedisConnectionError("refused"), RedisConnectionError("refused")]
        monkeypatch.setattr(supervision, "_ask_queue", lambda: fails_with(problems.pop())() if problems else None)
        monkeypatch.setattr(supervision, "connection", type("Connection", (), {"close": lambda: None}))
        monkeypatch.setattr(supervision.signal, "signal", lambda signum, handler: None)
        seen: list[tuple[float, int, int]] = []

        def sleep(seconds: float) -> None:
            seen.append((seconds, WorkerHeartbeat.objects.count(), len(clusters)))
            if seconds == supervision.TICK:
                supervisor._stop(signal.SIGTERM, None)

        monkeypatch.setattr(supervision.time, "sleep", sleep)

        supervisor.run()

        assert seen == [(supervision.RETRY_START_EVERY, 0, 0)] * 2 + [(supervision.TICK, 1, 1)]
        first, second = (record.message for record in caplog.records)
        assert first.endswith("cannot reach the queue in Redis and waits for it: refused")
        assert second.endswith("goes on")

    def test_a_database_without_its_tables_is_said_with_what_to_do(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(database_troubles, "_is_behind", lambda: True)

        supervisor._say_away("the database", OperationalError("no such table: gateway_workerheartbeat"))

        assert "waits for it: The database lacks tables of this version. Run: manage.py migrate" in caplog.text

    def test_a_closed_terminal_stops_it_as_others_do(
        self, clusters: list[FakeCluster], killed: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        supervisor = Supervisor()
        asked: dict[int, Any] = {}
        monkeypatch.setattr(supervision.signal, "signal", asked.__setitem__)
        monkeypatch.setattr(supervision.signal, "getsignal", lambda one: signal.SIG_DFL)
        monkeypatch.setattr(supervision.time, "sleep", lambda seconds: asked[signal.SIGHUP](signal.SIGHUP, None))

        supervisor.run()

        assert supervisor.stopping

    def test_under_nohup_it_outlives_its_terminal(
        self, clusters: list[FakeCluster], killed: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        supervisor = Supervisor()
        asked: dict[int, Any] = {}
        monkeypatch.setattr(supervision.signal, "signal", asked.__setitem__)
        monkeypatch.setattr(supervision.signal, "getsignal", lambda one: signal.SIG_IGN)
        monkeypatch.setattr(supervision.time, "sleep", lambda seconds: supervisor._stop(signal.SIGTERM, None))

        supervisor.run()

        assert set(asked) == {signal.SIGTERM, signal.SIGINT}

    def test_who_waits_for_the_database_can_be_stopped(
        self, clusters: list[FakeCluster], killed: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        supervisor = Supervisor()
        monkeypatch.setattr(supervisor, "_register", fails_with(OperationalError("gone")))
        monkeypatch.setattr(supervision, "connection", type("Connection", (), {"close": lambda: None}))
        monkeypatch.setattr(supervision.signal, "signal", lambda signum, handler: None)
        monkeypatch.setattr(supervision.time, "sleep", lambda seconds: supervisor._stop(signal.SIGTERM, None))

        supervisor.run()

        assert clusters == []

    def test_the_cluster_has_a_group_of_its_own_and_knows_its_name(
        self, supervisor: Supervisor, clusters: list[FakeCluster]
    ) -> None:
        (cluster,) = clusters

        assert cluster.command[-1] == "qcluster"
        assert cluster.options["start_new_session"] is True
        assert cluster.options["env"][workers.WORKER_VARIABLE] == supervisor.worker

    def test_two_workers_of_one_machine_have_two_names(self) -> None:
        assert Supervisor().worker != Supervisor().worker

    def test_workers_long_gone_are_forgotten(self, clusters: list[FakeCluster]) -> None:
        old = timezone.now() - dt.timedelta(days=2)
        WorkerHeartbeat.objects.create(worker="old", host="h", pid=1, started_at=old, beat_at=old)

        supervisor = Supervisor()
        supervisor._register()

        assert list(WorkerHeartbeat.objects.values_list("worker", flat=True)) == [supervisor.worker]


class WatchTests:
    def test_a_cluster_that_runs_and_beats_is_left_alone(
        self, supervisor: Supervisor, clusters: list[FakeCluster], killed: list[tuple[int, int]]
    ) -> None:
        silence(supervisor, 10)

        supervisor._tick()

        assert (len(clusters), killed, restarts(supervisor)) == (1, [], 0)

    def test_a_cluster_that_ended_is_started_again(
        self, supervisor: Supervisor, clusters: list[FakeCluster], killed: list[tuple[int, int]]
    ) -> None:
        clusters[0].code = 1

        supervisor._tick()

        assert len(clusters) == 2
        assert supervisor.cluster is clusters[1]
        assert killed == [(clusters[0].pid, signal.SIGKILL)]  # children may have outlived their parent
        assert restarts(supervisor) == 1

    def test_one_that_ended_without_its_queue_is_started_again_with_it(
        self,
        supervisor: Supervisor,
        clusters: list[FakeCluster],
        killed: list[tuple[int, int]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What it left running is ended at once, and once: later its number may be of another."""
        clusters[0].code = 1
        monkeypatch.setattr(supervision, "connection", type("Connection", (), {"close": lambda: None}))
        with monkeypatch.context() as away:
            away.setattr(supervision, "_ask_queue", fails_with(RedisConnectionError("refused")))
            for _ in range(3):
                supervisor._tick()
            assert (len(clusters), restarts(supervisor)) == (1, 0)
        supervisor._tick()

        assert (len(clusters), restarts(supervisor)) == (2, 1)
        assert killed == [(clusters[0].pid, signal.SIGKILL)]

    def test_a_frozen_cluster_is_killed_whole_and_started_again(
        self, supervisor: Supervisor, clusters: list[FakeCluster], killed: list[tuple[int, int]]
    ) -> None:
        silence(supervisor, 60)

        supervisor._tick()

        assert killed == [(clusters[0].pid, signal.SIGKILL)]
        assert clusters[0].waited == 1
        assert len(clusters) == 2
        assert restarts(supervisor) == 1

    def test_a_restart_gives_the_new_one_time(self, supervisor: Supervisor, clusters: list[FakeCluster]) -> None:
        silence(supervisor, 60)

        for _ in range(5):
            supervisor._tick()

        assert len(clusters) == 2

    def test_a_cluster_that_starts_is_given_time(self, supervisor: Supervisor, clusters: list[FakeCluster]) -> None:
        silence(supervisor, 60)
        supervisor.started += 3600

        supervisor._tick()

        assert len(clusters) == 1

    def test_a_group_that_is_gone_is_no_obstacle(
        self, supervisor: Supervisor, clusters: list[FakeCluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(pid: int, how: int) -> None:
            raise ProcessLookupError

        monkeypatch.setattr(supervision.os, "killpg", gone)
        clusters[0].code = 1

        supervisor._tick()

        assert len(clusters) == 2

    def test_one_that_was_forgotten_in_a_long_outage_registers_again(
        self, supervisor: Supervisor, clusters: list[FakeCluster]
    ) -> None:
        supervisor.started -= 3600
        WorkerHeartbeat.objects.all().delete()

        supervisor._tick()

        assert len(clusters) == 1
        assert WorkerHeartbeat.objects.get().worker == supervisor.worker

    def test_after_an_outage_the_cluster_is_given_time(
        self, supervisor: Supervisor, clusters: list[FakeCluster], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        silence(supervisor, 600)
        monkeypatch.setattr(supervision, "connection", type("Connection", (), {"close": lambda: None}))
        with monkeypatch.context() as away:
            away.setattr(supervisor, "_is_stale", fails_with(RedisConnectionError("gone")))
            supervisor._tick()

        supervisor._tick()

        assert len(clusters) == 1

    def test_an_outage_is_said_once_and_without_a_traceback(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(supervision, "connection", type("Connection", (), {"close": lambda: None}))
        with monkeypatch.context() as away:
            away.setattr(supervisor, "_watch", fails_with(RedisConnectionError("no route")))
            for _ in range(5):
                supervisor._tick()
        supervisor._tick()

        assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
        assert "no route" in caplog.text
        assert "goes on" in caplog.text
        assert not any(record.exc_info for record in caplog.records)

    def test_a_queue_is_not_back_because_nothing_was_rung(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(supervision, "connection", type("Connection", (), {"close": lambda: None}))
        with monkeypatch.context() as away:
            away.setattr(supervision, "_ask_queue", fails_with(RedisConnectionError("refused")))
            with monkeypatch.context() as rung:
                rung.setattr(supervisor, "_ring", fails_with(RedisConnectionError("refused")))
                supervisor._tick()
            supervisor._tick()
            assert len(caplog.records) == 1
        supervisor._tick()

        assert caplog.records[1].message.endswith("goes on")

    @pytest.mark.parametrize("problem", [OperationalError("gone"), ConnectionError("gone"), RuntimeError("odd")])
    def test_the_watch_goes_on_when_the_database_does_not(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, problem: Exception
    ) -> None:
        def fail() -> None:
            raise problem

        monkeypatch.setattr(supervisor, "_watch", fail)
        monkeypatch.setattr(supervision, "connection", type("Connection", (), {"close": lambda: None}))
        monkeypatch.setattr(supervision, "close_old_connections", lambda: None)

        supervisor._tick()


class RingTests:
    def jobs(self) -> list[str]:
        return [task.task["func"].rsplit(".", 1)[1] for task in OrmQ.objects.order_by("id")]

    def test_it_rings_for_a_heartbeat_and_a_sweep(self, supervisor: Supervisor) -> None:
        supervisor._ring()
        supervisor._ring()

        assert self.jobs() == ["heartbeat", "sweep"]

    def test_of_two_supervisors_one_sweeps(self, supervisor: Supervisor) -> None:
        supervisor._ring()
        Supervisor()._ring()

        assert self.jobs().count("sweep") == 1

    def test_sweeps_do_not_pile_up_while_the_cluster_is_frozen(self, supervisor: Supervisor) -> None:
        for _ in range(5):
            supervisor.next_sweep = 0.0
            leases.free("sweep")
            supervisor._ring()

        assert self.jobs().count("sweep") == 1

    def test_a_sweep_that_ran_makes_room_for_the_next(self, supervisor: Supervisor) -> None:
        supervisor._ring()
        gateway_jobs.sweep()
        supervisor.next_sweep = 0.0
        leases.free("sweep")
        supervisor._ring()

        assert self.jobs().count("sweep") == 2

    def test_a_sweep_that_was_lost_is_rung_for_again(self, supervisor: Supervisor) -> None:
        supervisor._ring()
        Lease.objects.update(until=timezone.now() - dt.timedelta(seconds=1))
        supervisor.next_sweep = 0.0
        supervisor._ring()

        assert self.jobs().count("sweep") == 2

    def test_a_sweep_is_rung_for_where_bells_are_that_wait_for_no_silent_queue(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: dict[str, Any] = {}
        monkeypatch.setattr(supervision, "async_task", lambda job, **more: given.update({job: more.get("broker")}))

        supervisor._ring()

        assert len(given) == 2
        assert all(broker is not None for broker in given.values())

    def test_a_full_queue_gets_no_more_pings(self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(supervision, "QUEUE_ENOUGH", 0)

        supervisor._ring()

        assert self.jobs() == ["sweep"]


class EndTests:
    def test_it_asks_first_then_kills_and_says_that_it_stopped(
        self, supervisor: Supervisor, clusters: list[FakeCluster], killed: list[tuple[int, int]]
    ) -> None:
        supervisor._end()

        assert killed == [(clusters[0].pid, signal.SIGTERM), (clusters[0].pid, signal.SIGKILL)]
        assert WorkerHeartbeat.objects.get().stopped_at is not None
        assert workers.alive() == 0

    def test_a_cluster_that_does_not_end_is_killed(
        self,
        supervisor: Supervisor,
        clusters: list[FakeCluster],
        killed: list[tuple[int, int]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def too_long(timeout: float | None = None) -> int:
            if timeout is not None:
                raise subprocess.TimeoutExpired("qcluster", timeout)
            return 0

        monkeypatch.setattr(clusters[0], "wait", too_long)

        supervisor._end()

        assert killed[-1] == (clusters[0].pid, signal.SIGKILL)
        assert WorkerHeartbeat.objects.get().stopped_at is not None

    def test_a_signal_ends_the_run(
        self, clusters: list[FakeCluster], killed: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        supervisor = Supervisor()
        monkeypatch.setattr(supervision.signal, "signal", lambda signum, handler: None)
        monkeypatch.setattr(supervision.time, "sleep", lambda seconds: supervisor._stop(signal.SIGTERM, None))

        supervisor.run()

        assert (clusters[0].pid, signal.SIGTERM) in killed
        assert WorkerHeartbeat.objects.get().stopped_at is not None


class HeartbeatTests:
    @pytest.fixture(autouse=True)
    def _fresh(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workers, "_last_beat", -1000.0)

    def test_a_task_of_the_worker_beats(self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(workers.WORKER_VARIABLE, supervisor.worker)
        silence(supervisor, 60)
        assert workers.alive() == 0

        workers.beat()

        assert workers.alive() == 1

    def test_it_writes_at_most_every_two_seconds(self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(workers.WORKER_VARIABLE, supervisor.worker)
        monkeypatch.setattr(workers, "BEAT_EVERY", 600)
        workers.beat()
        silence(supervisor, 60)

        workers.beat()

        assert workers.alive() == 0

    def test_a_request_that_hangs_for_as_long_as_it_may_is_no_silence(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A gateway that does not answer must not end what the worker's other processes are at."""
        monkeypatch.setenv(workers.WORKER_VARIABLE, supervisor.worker)
        workers.beat()

        workers.beat_through(sum(settings.LAAFFIC_TIMEOUTS))

        at = WorkerHeartbeat.objects.get(pk=supervisor.worker).beat_at
        assert workers.alive() == 1
        assert at is not None
        assert at + workers.STALE_AFTER > timezone.now() + dt.timedelta(seconds=sum(settings.LAAFFIC_TIMEOUTS))

    @pytest.mark.parametrize(("stale", "read"), [("30", "80"), ("10", "30")])
    def test_the_longest_request_that_check_accepts_is_believed(self, stale: str, read: str) -> None:
        code = """
import django; django.setup()
from django.conf import settings
from laaffic_console.gateway.services.work import workers
longest, stale = sum(settings.LAAFFIC_TIMEOUTS), workers.STALE_AFTER.total_seconds()
print(stale + min(longest - stale / 2, 0.9 * stale) >= longest)
"""
        told = {"LAAFFIC_WORKER_STALE_SECONDS": stale, "LAAFFIC_READ_TIMEOUT": read, "LAAFFIC_CONNECT_TIMEOUT": "10"}
        environment = {**os.environ, **told, "DJANGO_SETTINGS_MODULE": "laaffic_console.settings"}

        said = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=BASE_DIR, capture_output=True, text=True, check=True
        )

        assert said.stdout == "True\n"

    def test_another_process_of_the_worker_does_not_take_it_back(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They write one row, and each knows its own beats only."""
        monkeypatch.setenv(workers.WORKER_VARIABLE, supervisor.worker)
        workers.beat_through_request()
        before = WorkerHeartbeat.objects.get(pk=supervisor.worker).beat_at
        assert before is not None
        assert before > timezone.now()

        monkeypatch.setattr(workers, "_last_beat", -1000.0)
        monkeypatch.setattr(workers, "_last_ahead", dt.timedelta(0))
        workers.beat()

        assert WorkerHeartbeat.objects.get(pk=supervisor.worker).beat_at == before

    def test_a_beat_of_a_clock_that_was_wrong_is_taken_back(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(workers.WORKER_VARIABLE, supervisor.worker)
        WorkerHeartbeat.objects.update(beat_at=timezone.now() + dt.timedelta(days=1))

        workers.beat()

        assert workers.alive() == 1

    def test_a_command_beats_for_no_worker(self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(workers.WORKER_VARIABLE, raising=False)
        silence(supervisor, 60)

        workers.beat()

        assert workers.alive() == 0


def test_the_signal_tells_the_tasks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor()
    monkeypatch.setenv(workers.STOP_VARIABLE, str(supervisor.stop_file))
    before = workers.is_stopping()

    supervisor._stop(15, None)

    assert (before, workers.is_stopping()) == (False, True)
    supervisor._end()
    assert not supervisor.stop_file.exists()
