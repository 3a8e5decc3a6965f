"""The new web process waits beside the old one, loaded, until the database is of its version and an upgrade lets it.

Two files in `var/`, locked by processes and free once those are killed. A third is there from the first
migration until all that belongs to them is done, also where that fails or is killed: what is recorded as migrated by
then may lack what comes behind, such as permissions.
"""

import contextlib
import fcntl
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.db import DatabaseError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from laaffic_console.conf import VAR_DIR
from laaffic_console.kit.sql import unfinished_restores

TURN = "web-turn.lock"  # held by an upgrade until pages may come
WAITS = "web-waits.lock"  # held by web processes that wait
HALFWAY = "upgrade-halfway"
LOOK_EVERY = 0.1

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def not_yet() -> Iterator[None]:
    """Keep web processes of this machine that wait from serving in the meantime."""
    with _file(TURN) as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def only_behind_this() -> Iterator[None]:
    """Keep web processes of this machine from serving until the work within ends, in this call or a later one."""
    _path(HALFWAY).touch()
    yield
    forget_halfway()


def forget_halfway() -> None:
    _path(HALFWAY).unlink(missing_ok=True)


def somebody_waits() -> bool:
    return _is_held(WAITS, fcntl.LOCK_EX)


def wait() -> None:
    """Wait until this process may serve; say so in the log where it has to."""
    with _file(WAITS) as waits:
        fcntl.flock(waits, fcntl.LOCK_SH)
        leaves = set(MigrationLoader(None).graph.leaf_nodes())
        said = ""
        while why := _why_not(leaves):
            if why != said:
                logger.warning("the web process waits: %s", why)
            said = why
            time.sleep(LOOK_EVERY)
        connections.close_all()  # the processes that serve are forked from this one


def _why_not(leaves: set[tuple[str, str]]) -> str:
    if _is_held(TURN, fcntl.LOCK_SH):
        return "an upgrade is under way"
    if _path(HALFWAY).exists():
        return f"an upgrade has not come to its end: run it again, or delete {_path(HALFWAY)} after a migrate by hand"
    try:
        unfinished_restores.refuse()
        missing = leaves - MigrationRecorder(connections["default"]).applied_migrations().keys()
    except unfinished_restores.HalfRestored as problem:
        return str(problem)
    except DatabaseError:
        return ""  # pages say so themselves, and answer when it is back
    return f"the database lacks migrations, such as {'.'.join(min(missing))}: run migrate" if missing else ""


def _is_held(name: str, lock: int) -> bool:
    with _file(name) as file:
        try:
            fcntl.flock(file, lock | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _file(name: str) -> IO[str]:
    return _path(name).open("a")


def _path(name: str) -> Path:
    return Path(VAR_DIR) / name
