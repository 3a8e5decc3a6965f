"""The tasks that a cluster has taken out of the queue and not begun.

It takes them out while all its processes are busy: one lies ready for them, and the next in the pusher's hand. Neither
store knows that they wait, so the cluster's processes count them in memory that they share.
"""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django_q.signals import post_spawn, pre_execute
from django_q.signing import BadSignature, SignedPackage

# Made before the cluster forks, so all its processes have the same one.
_taken = multiprocessing.Value("i", 0)
LONGEST_COUNT = 0.1  # seconds

Tasks = list[tuple[Any, Any]] | None  # what acknowledges each, and what is signed


def is_task_waiting() -> bool:
    """Whether a task of this cluster waits for a process; False in a process of no cluster. Asks nobody."""
    return bool(_taken.get_obj().value > 0)


def counted(tasks: Tasks) -> Tasks:
    _change(sum(_is_ours(signed) for _acknowledged_by, signed in tasks or ()))
    return tasks


def _is_ours(signed: Any) -> bool:
    """Whether our key signed the task: the pusher throws any other away, so it never begins."""
    try:
        SignedPackage.loads(signed)
    except (TypeError, BadSignature):
        return False
    return True


def _change(by: int) -> None:
    with _counting():
        _taken.get_obj().value = max(0, _taken.get_obj().value + by)


@contextmanager
def _counting() -> Iterator[None]:
    """A process that was killed in here keeps the lock forever: a count that is out by one must stop nobody."""
    lock = _taken.get_lock()
    is_held = lock.acquire(timeout=LONGEST_COUNT)
    try:
        yield
    finally:
        if is_held:
            lock.release()


def _begun(**_told: Any) -> None:
    _change(-1)


def _forgotten(**_told: Any) -> None:
    """A process that was killed may have had one in its hand: better one too few than one that waits forever."""
    with _counting():
        _taken.get_obj().value = 0


pre_execute.connect(_begun, dispatch_uid="a task has begun")
post_spawn.connect(_forgotten, dispatch_uid="a process was started")
