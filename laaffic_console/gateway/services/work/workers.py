"""Signs of life of the workers, written from inside their tasks."""

import datetime as dt
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet

from laaffic_console.gateway.models import Lease, WorkerHeartbeat
from laaffic_console.gateway.services.client import clock
from laaffic_console.gateway.services.database import database_clock

WORKER_VARIABLE = "CONSOLE_WORKER"  # set by `manage.py worker` for the cluster that it starts
STOP_VARIABLE = "CONSOLE_STOP_FILE"  # names a file that is there once the worker has to stop; for its cluster's tasks
BEAT_EVERY = 2.0
SWEEP_RUNG = "sweep rung"  # the lease on there being a sweep in the queue
SWEPT = "swept"  # a lease that nobody holds: its end is when the last sweep ended
BEATS = "beats"  # the thread's name
AHEAD_AT_MOST = 0.9  # of what a beat is believed for
# A beat before a request is believed for 1.4 times this (beat_through): as long as the longest request may last.
STALE_AFTER = dt.timedelta(
    seconds=max(settings.LAAFFIC_WORKER_STALE_SECONDS, sum(settings.LAAFFIC_TIMEOUTS) / (AHEAD_AT_MOST + 0.5))
)
GONE_AFTER = 60 * STALE_AFTER

_last_beat = 0.0
_last_ahead = dt.timedelta(0)


def worker_name() -> str:
    return os.environ.get(WORKER_VARIABLE) or f"{socket.gethostname()}-{os.getpid()}"


def is_stopping() -> bool:
    """Whether this worker was told to stop: nothing new may leave, what is in flight is awaited. Asks no database."""
    told = os.environ.get(STOP_VARIABLE)
    return bool(told) and os.path.exists(told or "")


def beat() -> None:
    """Write that this worker's tasks run; called often, writes at most every two seconds a process."""
    if time.monotonic() - _last_beat >= BEAT_EVERY:
        _write_beat(dt.timedelta(0))


def beat_through(seconds: float) -> None:
    """Called before what takes so long without a sign of life: the beat is dated ahead, as far as it is believed."""
    beyond = dt.timedelta(seconds=seconds) - STALE_AFTER / 2
    ahead = max(dt.timedelta(0), min(beyond, STALE_AFTER * AHEAD_AT_MOST))
    if ahead > _last_ahead or time.monotonic() - _last_beat >= BEAT_EVERY:
        _write_beat(ahead)


@contextmanager
def beating(also: Callable[[], object] = lambda: None, *, every: float = BEAT_EVERY) -> Iterator[None]:
    """Around what may be silent for longer than a worker may be that is thought alive, such as one query over some
    millions of rows. `also` is done at each beat, in the same thread beside the work: a lease is renewed by it.
    """
    is_over = threading.Event()

    def go_on() -> None:
        while not is_over.wait(min(every, BEAT_EVERY)):
            with suppress(DatabaseError):
                beat()
                also()
        connection.close()

    beats = threading.Thread(target=go_on, name=BEATS, daemon=True)
    beats.start()
    try:
        yield
    finally:
        is_over.set()
        beats.join()


def beat_through_request() -> None:
    """Called before asking Laaffic, which may hang; not between a request's departure and its bytes."""
    beat_through(sum(settings.LAAFFIC_TIMEOUTS))


def _write_beat(ahead: dt.timedelta) -> None:
    global _last_beat, _last_ahead
    if WORKER_VARIABLE not in os.environ:
        return
    _last_beat, _last_ahead = time.monotonic(), ahead
    now = database_clock.now()
    said: dict[str, object] = {"beat_at": now + ahead}
    if (skew := clock.observed_here()) is not None:
        said["clock_skew"] = skew
    # The worker's other processes write the same row: one that is dated further ahead stands for a request of theirs.
    behind = WorkerHeartbeat.objects.exclude(beat_at__gt=now + ahead, beat_at__lt=now + STALE_AFTER)
    behind.filter(worker=worker_name()).update(**said)


def note_sweep() -> None:
    """A sweep has ended."""
    Lease.objects.update_or_create(name=SWEPT, defaults={"token": "", "until": database_clock.now()})


def last_sweep() -> dt.datetime | None:
    """When the last sweep ended; None before any."""
    return Lease.objects.filter(name=SWEPT).values_list("until", flat=True).first()


def forget_gone() -> None:
    """Rows of those that ended long ago, or were killed and said nothing."""
    WorkerHeartbeat.objects.filter(beat_at__lt=database_clock.now() - GONE_AFTER).delete()


def living() -> QuerySet[WorkerHeartbeat]:
    now = database_clock.now()  # a beat that lies ahead was written by a clock that was wrong: it says nothing
    return WorkerHeartbeat.objects.filter(stopped_at=None, beat_at__gt=now - STALE_AFTER, beat_at__lt=now + STALE_AFTER)


def alive() -> int:
    return living().count()


def silent() -> dt.datetime | None:
    """The last beat of those that neither live nor were stopped: killed, or standing still; None without any."""
    silent = WorkerHeartbeat.objects.filter(stopped_at=None).exclude(pk__in=living().values("pk"))
    return silent.order_by("-beat_at").values_list("beat_at", flat=True).first()


def skewed() -> list[WorkerHeartbeat]:
    """The living whose machine's clock is so far off that somebody should set it, the worst first."""
    known = living().exclude(clock_skew=None)
    return sorted(
        (worker for worker in known if clock.is_off(worker.clock_skew)),
        key=lambda worker: -abs(worker.clock_skew or 0.0),
    )
