"""A restore that died after it replaced the tables: until one is run to its end, nothing may act on what they say.

Only PostgreSQL knows such a state: SQLite's file is replaced when all of it is ready (backups/services/restoring.py).
"""

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

TABLE = "restore_halfway"  # there from the replacing to the end


class HalfRestored(OperationalError):
    """Like a database that does not answer: what waits for that one waits for this one too."""


def sentence() -> str:
    return _("A restore of this database was cut short. Run it again with its file: manage.py restore FILE --yes")


def refuse() -> None:
    """HalfRestored while there is such a restore."""
    if connection.vendor == "postgresql" and is_there():
        raise HalfRestored(sentence())


def refuse_if_it_answers() -> None:
    """The same in a web process; a database that does not answer is told by those who need it."""
    try:
        refuse()
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
