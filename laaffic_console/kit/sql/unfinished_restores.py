"""A restore that died after it replaced the tables: until one is run to its end, nothing may act on what they say.

Only PostgreSQL knows such a state: SQLite's file is replaced when all of it is ready (backups/services/restoring.py).
"""

import time

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

TABLE = "restore_halfway"  # there from the replacing to the end
EVERY = 1.0  # seconds for which a web process believes that there is none

_answered_at = -EVERY  # when this process last heard so


class HalfRestored(OperationalError):
    """Like a database that does not answer: what waits for that one waits for this one too."""


def sentence() -> str:
    return _("A restore of this database was cut short. Run it again with its file: manage.py restore FILE --yes")


def refuse() -> None:
    """HalfRestored while there is such a restore."""
    if connection.vendor == "postgresql" and is_there():
        raise HalfRestored(sentence())


def refuse_now_and_then() -> None:
    """The same for requests, of which there may be hundreds a second: each question is a trip to the server."""
    global _answered_at
    now = time.monotonic()
    if now - _answered_at >= EVERY:
        refuse()
        _answered_at = now


def refuse_if_it_answers() -> None:
    """The same before a page; a database that does not answer is told by those who need it."""
    try:
        refuse_now_and_then()
    except HalfRestored:
        raise
    except (DatabaseError, InterfaceError):
        return


def is_there() -> bool:
    """Asked past Django's cursor, before each page: it is none of the page's own queries, which are counted."""
    connection.close_if_health_check_failed()  # as the cursor does: the server may have gone since the last request
    connection.ensure_connection()
    with connection.wrap_database_errors:
        row = connection.connection.execute("SELECT to_regclass(%s)", [f"public.{TABLE}"]).fetchone()
    return row[0] is not None
