"""The commit that lets a request leave waits for the disk; others need not."""

from copy import deepcopy

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from laaffic_console.gateway.models import EntryState
from laaffic_console.gateway.services.database import durability
from laaffic_console.gateway.services.ledger import ledger

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("waits_for_the_disk")]

FULL, NORMAL = 2, 1


def setting(name: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}" if connection.vendor == "sqlite" else f"SHOW {name}")
        return cursor.fetchone()[0]


def test_a_departure_waits_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = ledger.prepare(interface="sendSms", application=None, about_kind="test", about_id=None, summary={})
    seen = []

    def spy(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if sql.startswith("UPDATE"):
            name = "synchronous" if connection.vendor == "sqlite" else "synchronous_commit"
            with connection.cursor() as cursor:
                raw = cursor.cursor
                raw.execute(f"PRAGMA {name}" if connection.vendor == "sqlite" else f"SHOW {name}")
                seen.append(raw.fetchone()[0])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(spy):
        assert ledger.depart(entry.pk)

    assert seen == [FULL if connection.vendor == "sqlite" else "on"]
    entry.refresh_from_db()
    assert entry.state == EntryState.IN_FLIGHT
    if connection.vendor == "sqlite":
        assert setting("synchronous") == NORMAL


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own setting")
def test_a_relaxed_transaction_leaves_the_next_as_it_was() -> None:
    with transaction.atomic():
        durability.relax()
        assert setting("synchronous_commit") == "off"
    assert setting("synchronous_commit") == "on"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite has one writer, which keeps all others waiting")
def test_only_the_commit_itself_waits_for_the_disk_and_not_what_follows_it() -> None:
    seen = []
    with durability.durable_transaction():
        transaction.on_commit(lambda: seen.append(("follows", setting("synchronous"))))
        seen.append(("within", setting("synchronous")))

    assert seen == [("within", FULL), ("follows", NORMAL)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own setting")
def test_one_that_fails_leaves_the_next_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError), durability.durable_transaction():
        _ = 1 / 0

    assert setting("synchronous") == NORMAL


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own setting")
@pytest.mark.parametrize(
    ("given", "has_pooler", "then"),
    [
        ("off", False, "on"),
        ("on", False, "on"),
        ("local", False, "local"),
        ("remote_write", False, "remote_write"),
        ("remote_apply", False, "remote_apply"),  # it waits for more than `on` does
        ("off", True, "off"),
    ],
)
def test_a_server_that_does_not_wait_is_overruled(
    settings: LazySettings, given: str, has_pooler: bool, then: str
) -> None:
    settings.DATABASE_HAS_POOLER = has_pooler
    asked = deepcopy(connection.settings_dict)
    asked["OPTIONS"] = {**asked["OPTIONS"], "options": f"-c synchronous_commit={given}"}
    another = DatabaseWrapper(asked, "another")

    try:
        with another.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == (then,)
        another.set_autocommit(False)
        another.rollback()
        with another.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == (then,)
    finally:
        another.close()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own setting")
def test_what_cannot_be_overruled_is_told() -> None:
    assert durability.off() == []
    with transaction.atomic():
        durability.relax()
        assert durability.off() == ["synchronous_commit"]
