"""Which commits wait for the disk.

That a request is about to leave must survive a power cut, or it would leave twice: `durable` commits wait for the disk
on both databases. What is written before that or after it may wait for the next commit that does: if it is lost, the
request's row says that it left and not how it ended, and evidence settles it as after any lost answer.

PostgreSQL waits unless its server, the database, the role or the address says `synchronous_commit = off`: the console's
own connections overrule that, and leave the other values as they are, which all wait for this disk. A pooler hands the
server's connections on to others, so behind one the system check laaffic.W116 asks for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction


def connected(connection: Any, **signal: Any) -> None:
    """Make a new connection's commits wait for the disk where the database's default says otherwise."""
    if connection.vendor == "postgresql" and not settings.DATABASE_HAS_POOLER:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )


def off() -> list[str]:
    """The server's settings by which a commit of this connection does not wait for the disk."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'off'")
        return sorted(name for (name,) in cursor.fetchall())


@contextmanager
def durable() -> Iterator[None]:
    """Make single statements outside a transaction wait for the disk, which SQLite in WAL mode does not by itself."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    _synchronous("FULL")
    try:
        yield
    finally:
        _synchronous("NORMAL")


@contextmanager
def durable_transaction() -> Iterator[None]:
    """A transaction whose commit waits for the disk. What follows it by `on_commit` does not, nor what came before it:
    SQLite's one writer keeps all others waiting for as long as the disk takes."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        with transaction.atomic():
            yield
        return
    _synchronous("FULL")
    try:
        with transaction.atomic():
            transaction.on_commit(lambda: _synchronous("NORMAL"), robust=True)
            yield
    except BaseException:
        _synchronous("NORMAL")
        raise


def _synchronous(how: str) -> None:
    """Set SQLite's `synchronous` by a new cursor: a bell rung after a commit may have closed the connection."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={how}")


def relaxing(using: str = DEFAULT_DB_ALIAS) -> str:
    """Behind what a single INSERT returns: its commit is answered before the disk has it, as SQLite's always is.

    For what comes to nothing if a power cut takes it. What is committed later and does wait takes it to the disk too.
    Nothing within a transaction: all of that would be answered early.
    """
    to = connections[using]
    is_by_itself = to.vendor == "postgresql" and not to.in_atomic_block
    return ", set_config('synchronous_commit', 'off', true)" if is_by_itself else ""


def relax() -> None:
    """Let this transaction's commit be answered before the disk has it (PostgreSQL; SQLite never waits for it)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO OFF")
