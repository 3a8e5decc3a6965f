"""Waking workers. The queue carries only "look again": the work itself is in our tables (laws#queue-only-rings).

A job may run twice, late or never, so each claims its work by a lease or a conditional update, and the sweeper rings
again for whatever was forgotten. So a bell that cannot be rung is logged and forgotten, whatever the trouble: it never
undoes what was committed, and never fails the request or the job that pulled it. That job would take its own commit for
a failed one, and do it again.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, transaction
from django_q.tasks import async_task

from laaffic_console.gateway import queue

logger = logging.getLogger(__name__)

Errors = tuple[type[Exception], ...]

_sweeps: list[str] = []
_seconds: dict[str, int] = {}  # by job


def redis_errors() -> Errors:
    """The errors of redis, none of them OSErrors; () where nothing has loaded it: most consoles save its 7 MB."""
    loaded = sys.modules.get("redis.exceptions")
    return (loaded.RedisError,) if loaded else ()


def away(*also: type[Exception]) -> Errors:
    """What the queue raises while it is away."""
    return (OSError, DatabaseError, *redis_errors(), *also)


def may_take(job: str, seconds: float) -> None:
    """Called from an app's ready(), to end a job's process later: it holds what only memory knows."""
    _seconds[job] = int(seconds)


def options_of(job: str) -> dict[str, Any]:
    return {"timeout": _seconds[job]} if job in _seconds else {}


def ring(job: str, *args: int | str, timeout: int | None = None) -> None:
    """Run a job, named by its dotted path so that services never import jobs, once this transaction is committed.

    `timeout`: after so many seconds its process is ended, for a job that cannot go on in slices.
    """
    _when_committed(lambda: _ring_now(job, *args, timeout=timeout))


def ring_once_a_second(job: str) -> None:
    """Ring a bell that many requests pull: once is enough, and the sweeper rings a lost one again."""
    _when_committed(lambda: _ring_unless_rung(job))


def _when_committed(ringing: Callable[[], None]) -> None:
    """A function, not a partial: Django logs the trouble of a robust one by its name."""
    transaction.on_commit(ringing, robust=True)


def _ring_now(job: str, *args: int | str, timeout: int | None = None) -> None:
    told = options_of(job) if timeout is None else {"timeout": timeout}
    try:
        async_task(job, *args, broker=queue.of_ringing(), **told)
    except away() as problem:
        logger.warning("the queue is away (%s); the sweeper rings for %s later", type(problem).__name__, job)


def _ring_unless_rung(job: str) -> None:
    """Ring after the commit: a slow cache may not hold a transaction."""
    if cache.add(f"bell:{job}", 1, timeout=1):
        _ring_now(job)


def sweep_with(job: str) -> None:
    """Let an app name the job that looks for forgotten work; called from its AppConfig."""
    if job not in _sweeps:
        _sweeps.append(job)


def ring_sweeps() -> None:
    for job in _sweeps:
        ring(job)
