"""Ids that were given between backup and restore are not given again, by no restore of the same backup: scripts launch
by them, event receivers keep them, and those of messages are in order ids that Laaffic knows.

What was given is asked of the database that is replaced; where that is another one, or cannot be read, time tells.
"""

import datetime as dt

from django.apps import apps
from django.db import DatabaseError, connection, models

from laaffic_console.backups.services.migration_locks import GROWING
from messaging.models import Message

IN_A_SECOND = 1000  # rows of a table that grows with what is sent; of the others one


def given_by_now() -> dict[str, int]:
    """The last id of each table, by the name of its sequence; asked before the database is replaced."""
    asked = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
    if connection.vendor == "sqlite":
        asked = "SELECT name, seq FROM sqlite_sequence"
    try:
        with connection.cursor() as cursor:
            cursor.execute(asked)
            return dict(cursor.fetchall())
    except DatabaseError:  # no tables yet, or what a damaged file has left
        return {}


def leave_out(given: dict[str, int], since: dt.datetime, until: dt.datetime) -> None:
    """Each table goes on behind what was given, and behind what can have been given in the time since the backup.

    Messages begin at the microseconds since 1970, of which more pass than ids are given, however often the backup is
    restored. JavaScript counts so far until 2255.
    """
    seconds = max(1, int((until - since).total_seconds()))
    for model in apps.get_models():
        if isinstance(model._meta.pk, models.AutoField) and model._meta.managed:
            jump = seconds * IN_A_SECOND if model._meta.label_lower in GROWING else seconds
            _go_on(model, given, jump, int(until.timestamp() * 1_000_000) if model is Message else 0)


def _go_on(model: type[models.Model], given: dict[str, int], jump: int, least: int) -> None:
    table, column = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            least = max(least, given.get(table, 0), jump)
            cursor.execute("UPDATE sqlite_sequence SET seq = max(seq + %s, %s) WHERE name = %s", [jump, least, table])
            if not cursor.rowcount:
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, least])
            return
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column])
        (sequence,) = cursor.fetchone()
        if sequence is None:  # a table of somebody else's making: restoring goes on
            return
        least = max(least, given.get(sequence.rpartition(".")[2].strip('"'), 0))
        cursor.execute("SELECT setval(%s, greatest(nextval(%s) + %s, %s))", [sequence, sequence, jump, least])
