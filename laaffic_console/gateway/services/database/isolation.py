"""One bad row holds up nobody (laws#one-bad-row): what fails together is tried in halves, down to what fails alone.

What fails alone is written down where people see it, and left behind. A database that is away or locked is not a row's
fault: that passes, and is raised as it is.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.utils import timezone

from laaffic_console.gateway.models import Trouble

logger = logging.getLogger(__name__)

T = TypeVar("T")

KEPT = dt.timedelta(days=7)  # a trouble that did not come again

# PostgreSQL's classes of errors that say nothing about the statement: connection, deadlock, resources, shutdown, disk.
PASSING_CLASSES = ("08", "40", "53", "55", "57", "58")
READ_ONLY = "25006"  # a server that is no longer the first one; psycopg calls it an internal error
STOOD_STILL = "25P03"  # the server has ended a transaction in which nothing was asked for a minute
PASSING_WORDS = ("locked", "busy", "disk", "full", "unable to open", "readonly")  # SQLite's, which has no classes


def in_pieces(items: Sequence[T], work: Callable[[Sequence[T]], None], give_up: Callable[[T, Exception], None]) -> None:
    """`work` on all of them, in order; what fails is halved, and `give_up` is told what fails alone.

    `work` is a transaction of its own: nothing of it stays when it raises. Whatever passes is raised.
    """
    if not items:
        return
    try:
        work(items)
    except Exception as problem:
        if is_passing(problem):
            raise
        if len(items) == 1:
            give_up(items[0], problem)
            return
        middle = len(items) // 2
        in_pieces(items[:middle], work, give_up)
        in_pieces(items[middle:], work, give_up)


def is_passing(problem: BaseException) -> bool:
    """Whether the same may well succeed a moment later: the database is away, locked or full."""
    state = getattr(problem.__cause__, "sqlstate", None)
    if isinstance(problem, InterfaceError) or state in (READ_ONLY, STOOD_STILL):
        return True
    if not isinstance(problem, OperationalError):
        return False
    if state:
        return str(state).startswith(PASSING_CLASSES)
    is_sqlite = type(problem.__cause__).__module__.startswith("sqlite3")
    return not is_sqlite or any(word in str(problem) for word in PASSING_WORDS)


def is_read_only(problem: BaseException) -> bool:
    return getattr(problem.__cause__, "sqlstate", None) == READ_ONLY


def in_words(problem: BaseException) -> str:
    """One line for a page: without NUL and half surrogates, which no database keeps."""
    lines = str(problem).strip().splitlines() or [""]
    said = f"{type(problem).__name__}: {lines[0]}".rstrip(": ")
    return said.replace("\0", "").encode(errors="replace").decode()[:300]


@contextmanager
def guarded(name: str, *, but: type[Exception] | tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """What fails in here skips nothing else: it is logged, shown on the health page, and gone when it succeeds again.

    `name` says what it is about, for people: "campaign 12", "replies of app AbC12345"; at most 120 characters.
    `but` goes through: what affects the others as well.
    """
    try:
        yield
    except but:
        raise
    except Exception as problem:
        logger.exception("%s failed; the others go on", name)
        if not is_passing(problem):
            note(name, problem)
        elif not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()  # or the others would fail of its connection
    else:
        forget(name)


def note(name: str, problem: BaseException, *, is_persons: bool = False) -> None:
    """Never raises, nor harms a transaction that it is called in: its caller is going on with something
    else.

    `is_persons`: only a person can put it right, and it is kept until one has deleted it.
    """
    now = timezone.now()
    try:
        with transaction.atomic():
            _write(name[:120], in_words(problem), now, is_persons)
    except DatabaseError:
        logger.exception("the trouble of %s could not be written down", name)


def _write(name: str, problem: str, now: dt.datetime, is_persons: bool) -> None:
    fresh = {"problem": problem, "last_at": now, "is_persons": is_persons}
    _row, is_new = Trouble.objects.update_or_create(
        name=name, defaults=fresh, create_defaults={**fresh, "first_at": now}
    )
    if is_new:
        Trouble.objects.filter(last_at__lt=now - KEPT, is_persons=False).delete()
    else:
        Trouble.objects.filter(name=name).update(times=F("times") + 1)


def forget(name: str) -> None:
    troubles = Trouble.objects.filter(name=name[:120])
    if troubles.exists():  # nearly never: a DELETE would take SQLite's lock each time
        troubles.delete()


def each(items: Iterable[T], work: Callable[[T], object], name_of: Callable[[T], str]) -> None:
    """`work` on each, whatever happens to the others."""
    for item in items:
        with guarded(name_of(item)):
            work(item)


def run_all(*jobs: Callable[[], object]) -> None:
    """The steps of a sweep, one after the other: one that fails skips none."""
    each(jobs, lambda job: job(), lambda job: f"{job.__module__}.{job.__qualname__}")
