"""Reading at one moment what others change: a proof compares sums with rows, and both must be of one time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connection, transaction

Found = TypeVar("Found")
LOOK_EVERY = 1.0  # seconds


def at_one_moment(read: Callable[[], Found], look: Callable[[], None] = lambda: None) -> Found:
    """What `read` finds: nothing that is committed after its first question shows in it, and it writes nothing.

    It reads by a connection of its own, so that `look`, which is called every second in the meantime, may write by this
    one: a worker keeps its lease. Inside a transaction of the caller's, that is what it reads in.
    """
    if connection.in_atomic_block:
        look()
        return read()
    with ThreadPoolExecutor(1, thread_name_prefix="snapshot") as beside:
        found = beside.submit(_in_a_snapshot, read)
        try:
            while wait([found], timeout=LOOK_EVERY).not_done:
                look()
        finally:
            found.cancel()
    return found.result()


def _in_a_snapshot(read: Callable[[], Found]) -> Found:
    try:
        if connection.vendor == "postgresql":
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                return read()
        # Not `atomic`, which asks for SQLite's one right to write: a reader keeps nobody waiting.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            return read()
    finally:
        connection.close()
