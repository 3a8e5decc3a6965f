"""The one clock by which workers on several machines share leases and the pace: the database's.

SQLite runs in this process, on the one machine there is, and so do its hands.
"""

import datetime as dt

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

_NOW = Now()  # one for all: a text that holds it is found again by it (kit/constant_sql)


def now() -> dt.datetime:
    """The moment of asking, not of the transaction's beginning."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    return moment  # type: ignore[no-any-return]


def in_statement() -> dt.datetime | Now:
    """What a statement compares with to use the same clock: it costs no query of its own."""
    return _NOW if connection.vendor == "postgresql" else timezone.now()
