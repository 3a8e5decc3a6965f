"""Ids that were given between backup and restore are not given again, by no restore of the same backup: scripts launch
by them, event receivers keep them, and those of messages are in order ids that Laaffic knows.

The replaced database says which ids were given; where it is another one, or cannot be read, the time since tells.
Ids go on from there and stay small: people read them, and long ones look like phone numbers.
"""

import datetime as dt

from django.apps import apps
from django.db import DatabaseError, connection, models

from laaffic_console.backups.services.migration_locks import GROWING
from messaging.models import Message

IN_A_SECOND = 1000  # rows of a table that grows with what is sent, where nothing tells; otherwise one


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


def leave_out(given: dict[str, int], since: dt.datetime, until: dt.datetime, *, is_whole: bool) -> None:
    """Each table goes on behind what was given, and behind what can have been given in the time since the backup.

    Messages begin at the microseconds since 1970, of which more pass than ids are given, however often the backup is
    restored. JavaScript counts so far until 2255. `is_whole`: the database that is replaced could be read.
    """
    seconds = max(1, int((until - since).total_seconds()))
    for model in apps.get_models():
        if isinstance(model._meta.pk, models.AutoField) and model._meta.managed:
            unread = seconds * IN_A_SECOND if model._meta.label_lower in GROWING else seconds
            _go_on(
                model,
                given,
                seconds if is_whole else unread,
                unread,
                int(until.timestamp() * 1_000_000) if model is Message else 0,
            )


def _go_on(model: type[models.Model], given: dict[str, int], read: int, unread: int, least: int) -> None:
    """Move a table's ids on: by `read` where the replaced database has given as many as the backup, else by
    `unread`."""
    table, column = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            known = cursor.fetchone()
            last = _behind(known[0] if known else 0, given.get(table, 0), read, unread)
            write = "INSERT INTO sqlite_sequence (seq, name) VALUES (%s, %s)"
            if known:
                write = "UPDATE sqlite_sequence SET seq = %s WHERE name = %s"
            cursor.execute(write, [max(last, least), table])
            return
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column])
        (sequence,) = cursor.fetchone()
        if sequence is None:  # a table of somebody else's making: restoring goes on
            return
        cursor.execute("SELECT nextval(%s)", [sequence])
        (following,) = cursor.fetchone()
        last = _behind(following - 1, given.get(sequence.rpartition(".")[2].strip('"'), 0), read, unread)
        cursor.execute("SELECT setval(%s, %s)", [sequence, max(last, least)])


def _behind(backed_up: int, given: int, read: int, unread: int) -> int:
    return given + read if given and given >= backed_up else max(backed_up + unread, given)
