"""Long jobs: a large file, a proof, a report by email. One at a time, so that the other workers go on sending.

Each kind finds what waits in its own tables, and does the oldest of it in a task of its own: whatever else is in the
queue comes between two.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from laaffic_console.gateway.services.work import bell, leases, workers
from laaffic_console.gateway.services.work.leases import HeldLease

LEASE = "long job"


@dataclass(frozen=True, slots=True)
class LongJob:
    job: str  # what the queue calls, without arguments
    is_waiting: Callable[[], bool]
    seconds: int  # after which the queue ends it; a task's usual two minutes are too short


_kinds: dict[str, LongJob] = {}


def register(kind: LongJob) -> None:
    """Called from an app's ready()."""
    _kinds[kind.job] = kind


def ring(job: str) -> None:
    bell.ring(job, timeout=_kinds[job].seconds)


def ring_for_waiting() -> None:
    """For the sweep: ring for work whose bell was lost, whose worker has died, or that met another job."""
    if not leases.is_held(LEASE):
        _ring_all(list(_kinds))


@contextmanager
def turn(job: str) -> Iterator[HeldLease | None]:
    """The right to do one piece of work, with a worker's signs of life around it; None while another is at one.

    The one that is at work rings for the others at its end, and for its own kind last: many of one kind delay nobody.
    """
    with leases.lease(LEASE) as held:
        if held is None:
            yield None
            return
        with workers.beating(held.renew, every=held.seconds / 4):
            yield held
    if not workers.is_stopping():
        _ring_all([*(other for other in _kinds if other != job), job])


def _ring_all(jobs: list[str]) -> None:
    for job in jobs:
        if _kinds[job].is_waiting():
            ring(job)
