"""Signs of life of the workers, written from inside their tasks."""

import datetime as dt
import os
import socket
import time

from django.utils import timezone

from laaffic_console.gateway.models import WorkerHeartbeat

WORKER_VARIABLE = "CONSOLE_WORKER"  # set by `manage.py worker` for the cluster that it starts
BEAT_EVERY = 2.0
SWEEP_RUNG = "sweep rung"  # the lease on there being a sweep in the queue
STALE_AFTER = dt.timedelta(seconds=30)

_last_beat = 0.0


def worker_name() -> str:
    return os.environ.get(WORKER_VARIABLE) or f"{socket.gethostname()}-{os.getpid()}"


def beat() -> None:
    """Write that this worker's tasks run; called often, writes at most every two seconds a process."""
    global _last_beat
    if WORKER_VARIABLE not in os.environ or time.monotonic() - _last_beat < BEAT_EVERY:
        return
    _last_beat = time.monotonic()
    WorkerHeartbeat.objects.filter(worker=worker_name()).update(beat_at=timezone.now())


def alive() -> int:
    return WorkerHeartbeat.objects.filter(stopped_at=None, beat_at__gt=timezone.now() - STALE_AFTER).count()
