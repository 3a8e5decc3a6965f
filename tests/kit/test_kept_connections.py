"""A kept connection to PostgreSQL is tried before it is used, without a trip to the server."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper as StockWrapper

from laaffic_console import conf
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
