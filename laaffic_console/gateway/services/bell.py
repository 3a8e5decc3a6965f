"""Waking workers. The queue carries only "look again": the work itself is in our tables (DESIGN §1.3).

A job may run twice, late or never, so each claims its work by a lease or a conditional update, and the sweeper rings
again for whatever was forgotten.
"""

import functools

from django.core.cache import cache
from django.db import transaction
from django_q.tasks import async_task

_sweeps: list[str] = []


def ring(job: str, *args: int | str) -> None:
    """Run a job, named by its dotted path so that services never import jobs, once this transaction is committed."""
    transaction.on_commit(functools.partial(async_task, job, *args))


def ring_once_a_second(job: str) -> None:
    """For bells that many requests pull: one is enough, and one that is lost is rung again by the sweeper."""
    if cache.add(f"bell:{job}", 1, timeout=1):
        ring(job)


def sweep_with(job: str) -> None:
    """Let an app name the job that looks for forgotten work; called from its AppConfig."""
    if job not in _sweeps:
        _sweeps.append(job)


def ring_sweeps() -> None:
    for job in _sweeps:
        ring(job)
