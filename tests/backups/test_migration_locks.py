"""No migration holds a table that grows for as long as its rows take, and those that would are told."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now, Random
from django.utils import timezone

from laaffic_console.backups.services import migration_locks
from laaffic_console.backups.services.migration_locks import INDEX, NOT_NULL, REWRITE, SCAN
from laaffic_console.dashboard.health import support_bundle
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.sql.gentle_migrations import (
    AddFieldGently,
    AddIndexGently,
    AddUniqueGently,
    LetGoOfForeignKey,
    RemoveIndexGently,
    RemoveUniqueGently,
)

# Written before there was a version that anybody could upgrade from.
BEFORE = {
    *("gateway.0004_balance_and_clock", "gateway.0006_isolate_what_fails", "messaging.0012_contact_filters"),
    *("messaging.0025_sent_tallies", "messaging.0035_imports_undone", "messaging.0051_restored_values"),
    *("messaging.0007_campaign_account_hold", "messaging.0013_hours", "messaging.0021_retry_of"),
    *("messaging.0027_launched_by", "messaging.0040_calendars", "messaging.0046_templates"),
    "messaging.0054_budgets_of_whole_requests",
    *("numbers.0002_find_a_bind_id_alone",),
}


def test_no_migration_locks_a_large_table() -> None:
    assert [str(lock) for lock in migration_locks.in_all() if lock.migration not in BEFORE] == []


def test_every_large_table_is_one() -> None:
    assert {model._meta.label_lower for model in apps.get_models()} >= migration_locks.GROWING


def judged(operation: Any) -> list[str]:
    text = models.CharField(max_length=20, null=True)
    row = operations.CreateModel("Message", [("id", models.BigAutoField(primary_key=True)), ("text", text)])
    state = ProjectState()
    row.state_forwards("messaging", state)
    operations.CreateModel("Budget", [("id", models.BigAutoField(primary_key=True))]).state_forwards("messaging", state)
    migration = Migration("0002_next", "messaging")
    migration.operations = [operation]
    return [lock.why for lock in migration_locks.in_plan([migration], state)]


INDEX_OF_TEXT = models.Index(fields=["text"], name="text")
IS_SHORT = models.CheckConstraint(condition=models.Q(text__lt="z"), name="short")


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        (operations.AddIndex("message", INDEX_OF_TEXT), INDEX),
        (operations.AddConstraint("message", IS_SHORT), SCAN),
        (operations.AlterUniqueTogether("message", {("text", "id")}), SCAN),
        (operations.AddField("message", "n", models.IntegerField(null=True, db_index=True)), INDEX),
        (operations.AddField("message", "n", models.IntegerField(null=True, unique=True)), INDEX),
        (operations.AddField("message", "n", models.FloatField(db_default=Random())), REWRITE),
        (operations.AlterField("message", "text", models.CharField(max_length=20)), NOT_NULL),
        (operations.AlterField("message", "text", models.CharField(max_length=10, null=True)), REWRITE),
        (operations.AlterField("message", "text", models.IntegerField(null=True)), REWRITE),
        (operations.AlterField("message", "text", models.CharField(max_length=20, null=True, db_index=True)), INDEX),
        (operations.RunSQL('CREATE INDEX a ON "messaging_message" (text)'), INDEX),
        (operations.RunSQL("ALTER TABLE messaging_message ALTER COLUMN text TYPE bigint"), REWRITE),
        (operations.RunSQL(["SELECT 1", ("UPDATE messaging_message SET text = %s", ["x"])]), REWRITE),
        (operations.RunSQL("ALTER TABLE messaging_message ADD CONSTRAINT c CHECK (text > '')"), SCAN),
        (operations.SeparateDatabaseAndState([operations.AddIndex("message", INDEX_OF_TEXT)]), INDEX),
    ],
    ids=str,
)
def test_what_goes_through_all_rows(operation: Any, why: str) -> None:
    assert judged(operation) == [why]


@pytest.mark.parametrize(
    "operation",
    [
        AddIndexGently("message", INDEX_OF_TEXT),
        AddUniqueGently("message", models.UniqueConstraint(fields=["text"], name="once")),
        AddIndexConcurrently("message", INDEX_OF_TEXT),
        AddConstraintNotValid("message", IS_SHORT),
        operations.AddField("message", "n", models.IntegerField(default=3)),
        operations.AddField("message", "n", models.DateTimeField(db_default=Now())),
        operations.AlterField("message", "text", models.CharField(max_length=40, null=True)),
        operations.AlterField("message", "text", models.TextField(null=True)),
        operations.RemoveField("message", "text"),
        operations.RunSQL("CREATE INDEX CONCURRENTLY a ON messaging_message (text)"),
        operations.RunSQL("ALTER TABLE messaging_message ADD CONSTRAINT c CHECK (text > '') NOT VALID"),
        operations.AddField("budget", "n", models.FloatField(db_default=Random())),
    ],
    ids=str,
)
def test_what_does_not(operation: Any) -> None:
    assert judged(operation) == []


def test_a_table_of_the_same_migration_is_empty() -> None:
    made = Migration("0001_initial", "messaging")
    made.operations = [
        operations.CreateModel("Message", [("id", models.BigAutoField(primary_key=True))]),
        operations.AddIndex("message", models.Index(fields=["id"], name="ids")),
    ]
    assert list(migration_locks.in_plan([made], ProjectState())) == []


@pytest.mark.django_db
def test_only_a_table_with_many_rows_counts_here(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Migration("9999_slow", "gateway")
    slow.operations = [operations.AddIndex("ledgerentry", models.Index(fields=["about_id"], name="about"))]
    executor = MigrationExecutor(connection)
    assert migration_locks.in_pending(executor, [slow]) == []

    monkeypatch.setattr(migration_locks, "rows_about", lambda app, model: migration_locks.MANY + 1)
    assert [lock.model for lock in migration_locks.in_pending(executor, [slow])] == ["gateway.ledgerentry"]


@pytest.mark.django_db
def test_rows_are_not_counted() -> None:
    assert migration_locks.rows_about("messaging", "nothing") == 0
    assert migration_locks.rows_about("gateway", "ledgerentry") >= 0


@pytest.mark.django_db
def test_high_ids_are_not_many_rows() -> None:
    """As behind a restore."""
    LedgerEntry.objects.create(pk=90_000_000, interface="sendSip", about_kind="call", prepared_at=timezone.now())

    assert migration_locks.rows_about("gateway", "ledgerentry") <= migration_locks.MANY
    assert support_bundle.tables()["gateway_ledgerentry"] <= migration_locks.MANY


@pytest.mark.django_db(transaction=True)
def test_an_index_is_built_gently_and_again_after_a_failure() -> None:
    index = models.Index(fields=["about_id"], name="gentle_about")
    operation = AddIndexGently("ledgerentry", index)
    before = ProjectState.from_apps(apps)
    after = before.clone()
    operation.state_forwards("gateway", after)
    table = LedgerEntry._meta.db_table
    if connection.vendor == "postgresql":  # as a killed one leaves it
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE INDEX gentle_about ON {table} (id)")
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards("gateway", editor, before, after)
    try:
        with connection.cursor() as cursor:
            assert connection.introspection.get_constraints(cursor, table)["gentle_about"]["columns"] == ["about_id"]
    finally:
        with connection.schema_editor(atomic=False) as editor:
            operation.database_backwards("gateway", editor, after, before)


REPEATABLE = (
    *(AddFieldGently, AddIndexGently, AddUniqueGently, RemoveIndexGently, RemoveUniqueGently, LetGoOfForeignKey),
    operations.RunPython,  # in slices, each of which finds what is left to do
)


def test_what_is_not_in_one_transaction_can_be_run_again() -> None:
    """A migration that was killed is run again from its beginning; what it had committed must not stop it."""
    every = MigrationLoader(None).disk_migrations.values()
    not_whole = [migration for migration in every if not migration.atomic]
    assert not_whole
    for migration in not_whole:
        assert [each for each in migration.operations if not isinstance(each, REPEATABLE)] == [], str(migration)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("made", [False, True])
def test_each_gentle_operation_is_run_again_after_a_kill(made: bool) -> None:
    """Before or after its own part; the last two take away what the others have added."""
    first = operations.CreateModel(
        "Gentle", [("id", models.BigAutoField(primary_key=True)), ("text", models.CharField(max_length=9))]
    )
    gentle = [
        AddFieldGently("gentle", "n", models.IntegerField(db_default=7, default=7)),
        AddIndexGently("gentle", models.Index(fields=["n"], name="gentle_n")),
        AddUniqueGently("gentle", models.UniqueConstraint(fields=["text", "n"], name="gentle_once")),
        RemoveIndexGently("gentle", "gentle_n"),
        RemoveUniqueGently("gentle", "gentle_once"),
    ]
    state = ProjectState()
    before, state = state, state.clone()
    first.state_forwards("gateway", state)
    found: list[set[str]] = []
    with connection.schema_editor() as editor:
        first.database_forwards("gateway", editor, before, state)
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO gateway_gentle (text) VALUES ('kept')")
        for operation in gentle:
            before, state = state, state.clone()
            operation.state_forwards("gateway", state)
            for _again in range(1 + made):
                with connection.schema_editor(atomic=False) as editor:
                    operation.database_forwards("gateway", editor, before, state)
            with connection.cursor() as cursor:
                found.append(set(connection.introspection.get_constraints(cursor, "gateway_gentle")))
        with connection.cursor() as cursor:
            cursor.execute("SELECT text, n FROM gateway_gentle")
            assert cursor.fetchall() == [("kept", 7)]
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(state.apps.get_model("gateway", "gentle"))
    assert ["gentle_n" in each for each in found] == [False, True, True, False, False]
    assert ["gentle_once" in each for each in found] == [False, False, True, True, False]


def test_a_step_back_that_does_nothing_locks_nothing() -> None:
    assert list(migration_locks._judged_sql(operations.RunSQL.noop, ProjectState())) == []
