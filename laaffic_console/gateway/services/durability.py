"""Which commits wait for the disk.

That a request is about to leave must survive a power cut, or it would leave twice: `durable` commits wait for the disk
on both databases. What is written before that or after it may wait for the next commit that does: if it is lost, the
request's row says that it left and not how it ended, and evidence settles it as after any lost answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def durable() -> Iterator[None]:
    """For single statements outside a transaction. SQLite in WAL mode does not wait for the disk by itself."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous=NORMAL")


def relax() -> None:
    """Let this transaction's commit be answered before the disk has it (PostgreSQL; SQLite never waits for it)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO OFF")
