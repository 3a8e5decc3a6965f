"""Keeping a django-q2 cluster alive that can freeze while it looks alive.

Killing the worker that waits on the queue freezes the whole cluster for good, and its processes stay. So the cluster
runs in a process group of its own, its tasks write a heartbeat, and when that goes stale the group is killed and a new
one started.
"""

import contextlib
import datetime as dt
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from types import FrameType

from django.db import InterfaceError, OperationalError, ProgrammingError, close_old_connections, connection
from django.db.models import F
from django.utils import timezone
from django_q.tasks import async_task

from laaffic_console import environment
from laaffic_console.gateway import queue
from laaffic_console.gateway.cluster_guard import NONE, Guard
from laaffic_console.gateway.models import WorkerHeartbeat
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.work import bell, leases, moments, workers
from laaffic_console.gateway.services.work.workers import SWEEP_RUNG
from laaffic_console.kit.sql import database_troubles, unfinished_restores

logger = logging.getLogger(__name__)

TICK = 1.0
PING_EVERY = 3.0
SWEEP_EVERY = 5.0
SWEEP_LOST_AFTER = 15.0  # a sweep that was rung for and did not run by then was lost with its cluster
START_PATIENCE = workers.STALE_AFTER.total_seconds()
LONGEST_START = 8 * START_PATIENCE  # on a machine that is too busy to load a cluster within that
QUEUE_ENOUGH = 50  # pings wait in the queue too: with this many tasks there, another tells nothing
RETRY_START_EVERY = 2.0


def _away(*also: type[Exception]) -> bell.Errors:
    """Whatever database or queue raise while they are away."""
    return (OperationalError, InterfaceError, OSError, *bell.redis_errors(), *also)


def _which(problem: Exception) -> str:
    return "the queue in Redis" if isinstance(problem, bell.redis_errors()) else "the database"


def _ask_queue() -> None:
    """Raises while the queue is away: a cluster without it ends as it starts, with a trace of each of its processes."""
    queue.ask()


class Supervisor:
    """One `manage.py worker`: a cluster, its heartbeat and its bells."""

    def __init__(self, *, stale_after: float = workers.STALE_AFTER.total_seconds()) -> None:
        self.worker = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.stale_after = stale_after
        self.cluster: subprocess.Popen[bytes] | None = None
        self.guard = Guard()
        self.stopping = False
        # Not there before it is wanted, so that a worker that is killed leaves nothing behind.
        self.stop_file = Path(tempfile.gettempdir()) / f"console-worker-{uuid.uuid4().hex}"
        self.is_away = False
        self.moments = moments.Ringer()
        self.started = self.next_ping = self.next_sweep = 0.0
        self.start_patience = START_PATIENCE
        self.begun_at: dt.datetime | None = None  # the beat that the row has from its start, of no task

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # its terminal was closed, and it is not to go on (nohup)
            signal.signal(signal.SIGHUP, self._stop)
        try:
            if self._registered():
                self._start()
            while not self.stopping:
                time.sleep(TICK)
                self._tick()
        finally:
            self._end()

    def _registered(self) -> bool:
        """Wait for queue and database, however long they are away; False when asked to stop in the meantime."""
        while not self.stopping:
            try:
                _ask_queue()  # first: a row says that tasks can run
                unfinished_restores.refuse()
                self._register()
            except _away(ProgrammingError) as problem:
                self._say_away(_which(problem), problem)
                connection.close()
                time.sleep(RETRY_START_EVERY)
            else:
                self._say_back()
                return True
        return False

    def _tick(self) -> None:
        """Database or queue may be gone for a while: the next tick tries again."""
        try:
            if self.is_away:
                _ask_queue()  # a tick with no bell to ring would say that it is back
            unfinished_restores.refuse()
            self._watch()
            self._ring()
        except unfinished_restores.HalfRestored as problem:  # begun by force while this worker ran
            self._say_away("the database", problem)
            self._kill()
        except _away() as problem:
            self._say_away(_which(problem), problem)
            connection.close()
            # Its tasks cannot run or cannot say so: that proves nothing against the cluster.
            self.started = time.monotonic()
        except Exception as problem:
            if isolation.is_read_only(problem):
                self._say_away("the database, which is read-only,", problem)
                connection.close()
                self.started = time.monotonic()
                return
            logger.exception("worker's watch failed; it goes on")
            close_old_connections()
        else:
            self._say_back()

    def _say_away(self, what: str, problem: Exception) -> None:
        """Once an outage: a line every second would bury what matters."""
        if not self.is_away:
            self.is_away = True
            said = str(problem).strip().splitlines() or [type(problem).__name__]
            if database_troubles.of(problem) is database_troubles.Trouble.BEHIND:
                said = [database_troubles.sentence(problem)]
            if isinstance(problem, unfinished_restores.HalfRestored):
                logger.warning("worker %s waits: %s", self.worker, said[0])
                return
            logger.warning("worker %s cannot reach %s and waits for it: %s", self.worker, what, said[0])

    def _say_back(self) -> None:
        if self.is_away:
            self.is_away = False
            logger.warning("worker %s goes on", self.worker)

    def _watch(self) -> None:
        if self.cluster is None or self.cluster.poll() is not None:
            self._restart("its cluster ended")
        elif time.monotonic() - self.started > self.start_patience and self._is_stale():
            self._restart("no task of its cluster ran for a while")

    def _is_stale(self) -> bool:
        row = WorkerHeartbeat.objects.filter(pk=self.worker).values_list("beat_at").first()
        if row is None:  # forgotten as one long gone: after a long outage of the database
            self._register()
            return False
        (beat_at,) = row
        silent = self.stale_after + 1 if beat_at is None else (database_clock.now() - beat_at).total_seconds()
        if abs(silent) <= self.stale_after:
            return False
        # One that was never ready gets longer: killed again and again in the middle of its start, it would never work.
        never_ran = beat_at == self.begun_at
        self.start_patience = min(2 * self.start_patience, LONGEST_START) if never_ran else START_PATIENCE
        return True

    def _ring(self) -> None:
        now = time.monotonic()
        self.moments.ring()
        if now >= self.next_ping and queue.of_ringing().queue_size() < QUEUE_ENOUGH:
            self.next_ping = now + PING_EVERY
            async_task("laaffic_console.gateway.jobs.heartbeat", broker=queue.of_ringing())
        if now >= self.next_sweep:
            self.next_sweep = now + SWEEP_EVERY
            # Not released here: of all the supervisors on all machines one sweeps in this time. The second lease is
            # given back by the sweep itself, so that no more than one waits in the queue of a cluster that is frozen.
            if leases.take("sweep", SWEEP_EVERY - TICK) and leases.take(SWEEP_RUNG, SWEEP_LOST_AFTER):
                async_task("laaffic_console.gateway.jobs.sweep", broker=queue.of_ringing())

    def _register(self) -> None:
        now = database_clock.now()
        workers.forget_gone()
        WorkerHeartbeat.objects.create(
            worker=self.worker, host=socket.gethostname(), pid=os.getpid(), started_at=now, beat_at=now
        )
        self.begun_at = now

    def _start(self) -> None:
        self.started = time.monotonic()
        told = {workers.WORKER_VARIABLE: self.worker, workers.STOP_VARIABLE: str(self.stop_file)}
        environment = {**os.environ, **told}
        command = [sys.executable, "-m", "laaffic_console", "qcluster"]
        self.cluster = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603
        self.guard.watch(self.cluster.pid)

    def _restart(self, why: str) -> None:
        self._kill()
        _ask_queue()
        logger.warning("worker %s: %s; restarting it whole", self.worker, why)
        self.begun_at = database_clock.now()
        WorkerHeartbeat.objects.filter(pk=self.worker).update(restarts=F("restarts") + 1, beat_at=self.begun_at)
        self._start()

    def _kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """The whole group: orphans of a dead parent go on working without a guard."""
        if self.cluster is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.cluster.pid, how)
        if how is signal.SIGKILL:
            self.cluster.wait()
            self.cluster = None  # while the queue is waited for, its number may become another's
            self.guard.watch(NONE)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        """Note the signal. From then on nothing new leaves: the tasks look at this file before each request."""
        self.stopping = True
        with contextlib.suppress(OSError):
            self.stop_file.touch(0o600)

    def _end(self) -> None:
        """Let running jobs finish their slice; what does not end in time is found again by its lease."""
        if self.cluster is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.cluster.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.cluster.wait(environment.patience_of_a_request())
            self._kill()
        self.guard.end()
        self.stop_file.unlink(missing_ok=True)
        with contextlib.suppress(Exception):
            WorkerHeartbeat.objects.filter(pk=self.worker).update(stopped_at=timezone.now())
