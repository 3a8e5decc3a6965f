"""A kept connection to PostgreSQL is tried before it is used, without a trip to the server."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, OperationalError, connections
from django.db.backends.postgresql.base import DatabaseWrapper as StockWrapper

from laaffic_console import conf
from laaffic_console.gateway.services.database import isolation
from laaffic_console.kit.sql import database_troubles
from laaffic_console.kit.sql.database_troubles import Trouble
from laaffic_console.kit.sql.postgresql.base import DatabaseWrapper

pytestmark = pytest.mark.services


def connected(**options: Any) -> DatabaseWrapper:
    there = {"HOST": "127.0.0.1", "USER": "postgres", "NAME": "postgres", "PASSWORD": "", "PORT": ""}
    wrapper = DatabaseWrapper(
        {**connections["default"].settings_dict, **there, "OPTIONS": options, "CONN_HEALTH_CHECKS": True}, "other"
    )
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


def setting(of: DatabaseWrapper, name: str) -> str:
    with of.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])


def test_a_transaction_that_stands_still_gives_its_locks_back(kept: DatabaseWrapper) -> None:
    """A worker that is stopped while it freezes an audience must not keep everybody from pausing the campaign."""
    frozen = connected(options="-c idle_in_transaction_session_timeout=100ms")
    waiting = connected(options="-c lock_timeout=5s")
    frozen.connection.execute("BEGIN")
    frozen.connection.execute("SELECT pg_advisory_xact_lock(7306)")

    waiting.connection.execute("SELECT pg_advisory_xact_lock(7306)")

    with pytest.raises(DatabaseError) as problem, frozen.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert isolation.is_passing(problem.value)
    assert database_troubles.of(problem.value) == Trouble.AWAY
    frozen.close()
    waiting.close()


def test_who_waits_on_a_page_for_a_lock_is_told_and_a_worker_waits_on(
    kept: DatabaseWrapper, settings: LazySettings
) -> None:
    assert (setting(kept, "lock_timeout"), setting(kept, "idle_in_transaction_session_timeout")) == ("0", "1min")
    settings.DATABASE_LOCK_SECONDS = conf.LOCK_SECONDS
    of_page, impatient = connected(), connected(options="-c lock_timeout=50ms")
    assert setting(of_page, "lock_timeout") == "20s"
    kept.connection.execute("BEGIN")
    kept.connection.execute("SELECT pg_advisory_xact_lock(7307)")

    with pytest.raises(OperationalError) as problem, impatient.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7307)")

    assert database_troubles.of(problem.value) == Trouble.LOCKED
    of_page.close()
    impatient.close()


def test_a_server_that_is_gone_is_known_within_a_minute(kept: DatabaseWrapper) -> None:
    asked = kept.connection.info.get_parameters()

    assert (asked["connect_timeout"], asked["tcp_user_timeout"]) == ("10", "60000")
    seconds = int(asked["keepalives_idle"]) + int(asked["keepalives_interval"]) * int(asked["keepalives_count"])
    assert seconds <= 60


def test_behind_a_pooler_a_session_is_nobody_s_own(db: None, settings: LazySettings) -> None:
    settings.DATABASE_HAS_POOLER = True
    shared, own = connected(), connected(options="-c statement_timeout=7s")

    assert (setting(shared, "idle_in_transaction_session_timeout"), setting(own, "statement_timeout")) == ("0", "7s")
    shared.close()
    own.close()


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
