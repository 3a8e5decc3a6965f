"""A database that is away, locked, or without the tables of this version: said in a sentence that says what to do."""

from enum import StrEnum

from django.db import DatabaseError, IntegrityError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from laaffic_console.kit.sql import unfinished_restores

# PostgreSQL's codes of errors and SQLite's words.
NO_SUCH_THING, NO_SUCH_THING_WORDS = ("42P01", "42703"), ("no such table", "no such column")
AWAY, AWAY_WORDS = ("08", "28", "3D", "53", "57"), ("unable to open", "disk i/o", "not a database")
LOCKED, LOCKED_WORDS = "55P03", ("locked", "busy")
READ_ONLY, READ_ONLY_WORDS = "25006", ("readonly", "read-only")  # PostgreSQL's of a server that is no longer the first
TAKEN, TAKEN_WORDS = "23505", "unique constraint failed"
FULL, FULL_WORDS = "53100", ("disk is full",)
ENCODING_WORDS = "the encoding of the database"


class Trouble(StrEnum):
    BEHIND = "behind"
    HALF_RESTORED = "half-restored"
    LOCKED = "locked"
    AWAY = "away"
    READ_ONLY = "read-only"
    FULL = "full"
    ENCODING = "encoding"


def of(problem: BaseException | None) -> Trouble | None:
    """None for what is none of these: a fault of the console's own."""
    if not isinstance(problem, DatabaseError | InterfaceError):
        return None
    if isinstance(problem, unfinished_restores.HalfRestored):
        return Trouble.HALF_RESTORED
    if _lacks_something(problem):
        return Trouble.BEHIND if _is_behind() else None
    return _of_server(problem)


def is_outage(problem: BaseException) -> bool:
    """Whether the server or its disk is at fault, and neither the code nor its tables; the database is not asked."""
    if not isinstance(problem, DatabaseError | InterfaceError) or isinstance(problem, unfinished_restores.HalfRestored):
        return False
    return not _lacks_something(problem) and _of_server(problem) is not None


def _lacks_something(problem: BaseException) -> bool:
    words = str(problem).lower()
    return _state(problem) in NO_SUCH_THING or any(known in words for known in NO_SUCH_THING_WORDS)


def _state(problem: BaseException) -> str:
    return str(getattr(problem.__cause__, "sqlstate", None) or "")


def _of_server(problem: BaseException) -> Trouble | None:
    words, state = str(problem).lower(), _state(problem)
    if words.startswith(ENCODING_WORDS):
        return Trouble.ENCODING
    if state == LOCKED or any(known in words for known in LOCKED_WORDS):
        return Trouble.LOCKED
    if state == READ_ONLY or any(known in words for known in READ_ONLY_WORDS):
        return Trouble.READ_ONLY
    if state == FULL or any(known in words for known in FULL_WORDS):
        return Trouble.FULL
    if state.startswith(AWAY) or any(known in words for known in AWAY_WORDS) or _is_refused(problem):
        return Trouble.AWAY
    return None


def is_taken(problem: IntegrityError) -> bool:
    """Somebody has stored a row with the same name or number between our look and our writing."""
    return _state(problem) == TAKEN or TAKEN_WORDS in str(problem).lower()


def sentence(problem: BaseException) -> str:
    """The trouble in a sentence for those who run the console; "" where it is none of these."""
    match of(problem):
        case Trouble.BEHIND:
            return _("The database lacks tables of this version. Run: manage.py migrate")
        case Trouble.HALF_RESTORED:
            return unfinished_restores.sentence()
        case Trouble.LOCKED:
            return _("Another process has kept the database locked for too long. Try again when it is done.")
        case Trouble.READ_ONLY:
            return _("The database can only be read. May this user write to it, and is it the primary server?")
        case Trouble.FULL:
            return _("The database's disk is full. Make room on it, and try again.")
        case Trouble.ENCODING:
            return _("The database was not made for UTF-8. Make another: createdb --template template0 --encoding UTF8")
        case Trouble.AWAY:
            why = (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")
            said = _("The database does not answer: %(why)s. Is it running, and is DATABASE_URL right?")
            return said % {"why": why}
    return ""


def _is_refused(problem: BaseException) -> bool:
    """psycopg gives no code where nobody answers."""
    return type(problem.__cause__).__module__.startswith("psycopg") and "connection" in str(problem).lower()


def has_migrations_to_run() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _is_behind() -> bool:
    try:
        return has_migrations_to_run()
    except DatabaseError:
        return False
