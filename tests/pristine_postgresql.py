"""After a test that commits on PostgreSQL, its tables again as they were.

Django would empty all of them, each with files of its own to make anew, and would then have every app fill its
permissions and roles: up to five seconds a test. Here only tables that the test changed are written: a dozen of them.
And no commit waits for the disk, which takes 4 milliseconds and a third of the time of tests that commit: nobody cuts
their power. The fixture `waits_for_the_disk` is for tests of that.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connections
from django.db.backends.signals import connection_created
from psycopg import sql

from laaffic_console.gateway.services.database import durability

_new: dict[str, bytes] = {}  # what each table held when the database was new


def keep_rows() -> None:
    with opened() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        _new.update({name: rows(cursor, name) for (name,) in cursor.fetchall()})


def wait_for_no_disk() -> None:
    with opened() as cursor:
        name = sql.Identifier(connections["default"].settings_dict["NAME"])
        cursor.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
    overrule_nothing()


def overrule_nothing() -> None:
    connection_created.disconnect(dispatch_uid="durability")
    connections["default"].close()


@pytest.fixture
def waits_for_the_disk(transactional_db: None) -> Iterator[None]:
    """As outside tests."""
    if connections["default"].vendor == "sqlite":
        yield
        return
    connection_created.connect(durability.connected, dispatch_uid="durability")
    connections["default"].close()
    yield
    overrule_nothing()


def put_back() -> None:
    """Ids go on from where they are, as after Django's own way: no test may depend on them."""
    connections["default"].close()
    with opened() as cursor:
        # Neither triggers nor foreign keys, and no wait for the disk.
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for name in changed(cursor):
            cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
            if _new[name]:
                with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
                    copy.write(_new[name])


def changed(cursor: psycopg.Cursor) -> list[str]:
    empty = [name for name, kept in _new.items() if not kept]
    looked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(name, sql.Identifier(name)) for name in empty
    )
    filled = [name for (name,) in cursor.execute(looked).fetchall()]
    return filled + [name for name, kept in _new.items() if kept and rows(cursor, name) != kept]


def rows(cursor: psycopg.Cursor, name: str) -> bytes:
    with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as copy:
        return b"".join(bytes(part) for part in copy)


@contextmanager
def opened() -> Iterator[psycopg.Cursor]:
    used = connections["default"].settings_dict
    where = {"host": used["HOST"], "port": used["PORT"] or 5432, "dbname": used["NAME"]}
    with psycopg.connect(**where, user=used["USER"], password=used["PASSWORD"]) as connection:
        yield connection.cursor()
