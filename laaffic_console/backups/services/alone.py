"""Restores and upgrades of one console exclude each other."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from django.utils.translation import gettext as _

from laaffic_console.conf import VAR_DIR

LOCK = "restore.lock"
KEY = 7306093018225  # the key of the advisory lock; a restore takes it in its own transaction (databases)


class Refused(Exception):
    """One sentence why nothing was done, and what to do."""


@contextlib.contextmanager
def on_this_machine() -> Iterator[None]:
    """Held by the process: it is free once the process is killed."""
    with (Path(VAR_DIR) / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise Refused(_("Another restore or upgrade is running. Wait until it has ended.")) from problem
        yield


@contextlib.contextmanager
def on_all_machines() -> Iterator[None]:
    """Lock out other restores and upgrades; on PostgreSQL by a connection of its own, which no migration closes."""
    with on_this_machine(), contextlib.ExitStack() as held:
        if connection.vendor == "postgresql":
            holder = connection.copy()
            held.callback(holder.close)
            with holder.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [KEY])
                if not cursor.fetchone()[0]:
                    raise Refused(_("Another restore or upgrade is running. Wait until it has ended."))
        yield
