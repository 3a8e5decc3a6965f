"""A kept connection to PostgreSQL is tried before it is used, without a trip to the server."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.backends.postgresql.base import DatabaseWrapper as StockWrapper

from laaffic_console import conf
from laaffic_console.kit.sql import database_troubles
from laaffic_console.kit.sql.database_troubles import Trouble
from laaffic_console.kit.sql.postgresql.base import DatabaseWrapper

pytestmark = pytest.mark.services


def connected() -> DatabaseWrapper:
    there = {"HOST": "127.0.0.1", "USER": "postgres", "NAME": "postgres", "PASSWORD": "", "PORT": "", "OPTIONS": {}}
    wrapper = DatabaseWrapper({**connections["default"].settings_dict, **there, "CONN_HEALTH_CHECKS": True}, "other")
    wrapper.connect()
    return wrapper


@pytest.fixture
def kept(db: None) -> Iterator[DatabaseWrapper]:
    wrapper = connected()
    yield wrapper
    wrapper.close()


def process_id(of: DatabaseWrapper) -> int:
    """Of the server's process, asked for as a new request does."""
    of.close_if_unusable_or_obsolete()
    with of.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_it_is_used_again_and_the_server_is_not_asked(kept: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    first = process_id(kept)
    monkeypatch.setattr(StockWrapper, "is_usable", lambda _: pytest.fail("the server was asked"))

    assert process_id(kept) == first


def test_one_that_the_server_has_ended_is_made_again(kept: DatabaseWrapper) -> None:
    first, other = process_id(kept), connected()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    other.close()

    assert process_id(kept) != first


def test_one_to_which_something_has_come_is_asked_and_used_again(kept: DatabaseWrapper) -> None:
    first, other = process_id(kept), connected()
    with kept.cursor() as listening:
        listening.execute("LISTEN something")
    with other.cursor() as cursor:
        cursor.execute("NOTIFY something")
    other.close()
    time.sleep(0.05)

    assert process_id(kept) == first


def test_one_in_the_middle_of_a_transaction_is_asked(kept: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.connection.execute("BEGIN")
    asked = []
    monkeypatch.setattr(StockWrapper, "is_usable", lambda _: asked.append(1) or True)

    assert kept.is_usable()
    assert asked == [1]


def test_one_that_is_closed_here_is_made_again(kept: DatabaseWrapper) -> None:
    first = process_id(kept)
    kept.connection.close()

    assert process_id(kept) != first


def test_it_is_the_console_s_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@host/name")

    configured: dict[str, Any] = conf.database()

    assert configured["ENGINE"] == DatabaseWrapper.__module__.removesuffix(".base")
    assert configured["CONN_HEALTH_CHECKS"]


def test_a_database_that_cannot_keep_every_text_is_refused_with_what_to_do(db: None) -> None:
    """In LATIN1 or SQL_ASCII the first Chinese name would be an error of the console's own."""
    name = "console_without_utf8"
    other = connected()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
        wrapper = DatabaseWrapper({**other.settings_dict, "NAME": name}, "other")
        with pytest.raises(OperationalError) as problem:
            wrapper.ensure_connection()
        assert database_troubles.of(problem.value) == Trouble.ENCODING
        assert "createdb --template template0 --encoding UTF8" in database_troubles.sentence(problem.value)
    finally:
        with other.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        other.close()
