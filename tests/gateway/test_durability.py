"""The commit that lets a request leave waits for the disk; others need not."""

import pytest
from django.db import connection, transaction

from laaffic_console.gateway.models import EntryState
from laaffic_console.gateway.services import durability, ledger

pytestmark = pytest.mark.django_db(transaction=True)

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
