"""A new database has all tables at once, and they are those that all past migrations make one after the other."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import CreateModel
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ModelState
from django.test.utils import CaptureQueriesContext

from laaffic_console.backups.services import migration_locks, ready_migrations, web_turn
from laaffic_console.kit.sql.new_databases import CreateTables
from laaffic_console.kit.words.people import ROLES
from messaging.models import ApprovalLimits
from tests import past_migrations
from tests.past_migrations import Key

CHANGES = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP")


def replacing() -> tuple[Key, Any]:
    ((key, migration),) = MigrationLoader(None).replacements.items()
    return key, migration


def described(model: ModelState) -> dict[str, Any]:
    fields = {name: field.deconstruct()[1:] for name, field in model.fields.items()}
    return {"name": model.name, "fields": fields, "order": list(fields), "bases": model.bases} | model.options


def test_its_tables_are_those_of_all_past_migrations() -> None:
    key, migration = replacing()
    apps = {app for app, _name in migration.replaces}
    past = past_migrations.loader()
    last = {app: max(name for label, name in migration.replaces if label == app) for app in apps}

    then = past.project_state(list(last.items())).models
    now = MigrationLoader(None).project_state([key]).models

    assert {one for one in now if one[0] in apps} == {one for one in then if one[0] in apps}
    for one, model in then.items():
        assert described(now[one]) == described(model), one
        assert now[one].managers == model.managers


def test_it_replaces_every_migration_before_it() -> None:
    key, migration = replacing()
    (creates,) = migration.operations
    assert isinstance(creates, CreateTables)
    for app, name in creates.squashed.items():
        before = {one for one in MigrationLoader(None).disk_migrations if one[0] == app and one[1] < name}
        assert before == {one for one in migration.replaces if one[0] == app}
        assert (app, name) == key or MigrationLoader(None).disk_migrations[app, name].dependencies == [key]


def test_what_lists_tables_does_nothing_by_itself() -> None:
    """An earlier database has them already."""
    key, _migration = replacing()
    for one, migration in past_migrations.squashed().items():
        assert {type(table) for table in migration.tables} == {CreateModel}
        assert one == key or migration.operations == []


def test_the_next_migration_of_each_app_has_one_to_follow() -> None:
    graph = MigrationLoader(None).graph
    for app in {app for app, _name in past_migrations.squashed()}:
        assert len(graph.leaf_nodes(app)) == 1, app


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says that these are, and no others."""

    def are(keys: Iterable[Key]) -> MigrationExecutor:
        monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda _recorder: dict.fromkeys(keys))
        executor = MigrationExecutor(connection)
        executor.loader.check_consistent_history(connection)
        return executor

    return are


def pending(executor: MigrationExecutor) -> list[Key]:
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [(migration.app_label, migration.name) for migration, _back in plan]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ends_with", ["", "gateway.0012", "gateway.0013", "messaging.0050", "voice.0020", "voice.0026"]
)
def test_a_database_that_has_some_past_migrations_gets_the_others_one_by_one(applied: Any, ends_with: str) -> None:
    key, replaced = replacing()
    past = [(one.app_label, one.name) for one in past_migrations.plan()]
    names = [f"{app}.{name}"[: len(ends_with)] for app, name in past]
    had = past[: names.index(ends_with) + 1]
    had += [one for one in past if one[0] == "django_q" and one not in had]  # a library may be ahead
    if not set(replaced.replaces) & set(had):  # of libraries alone: a new database
        assert key in pending(applied(had))
        return

    assert not set(replaced.replaces) <= set(had)
    assert sorted(pending(applied(had))) == sorted(one for one in past if one not in had)


@pytest.fixture
def nothing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """No migration that was written since."""
    load = MigrationLoader.load_disk

    def load_earlier(loader: MigrationLoader) -> None:
        load(loader)
        assert loader.disk_migrations is not None
        squashed = {key[0]: key for key, one in loader.disk_migrations.items() if hasattr(one, "tables")}
        for key in [key for key in loader.disk_migrations if key > squashed.get(key[0], key)]:
            del loader.disk_migrations[key]

    monkeypatch.setattr(MigrationLoader, "load_disk", load_earlier)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("nothing_later")
def test_a_database_of_the_version_before_is_up_to_date_but_for_its_records(monkeypatch: pytest.MonkeyPatch) -> None:
    key, _replaced = replacing()
    squashed = set(past_migrations.squashed())
    had = {(one.app_label, one.name) for one in past_migrations.plan()} - squashed
    MigrationRecorder.Migration.objects.filter(name__endswith="_squashed").delete()
    assert had <= MigrationRecorder(connection).applied_migrations().keys()
    executor = MigrationExecutor(connection)
    waits = [one for one, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    assert {(one.app_label, one.name) for one in waits} == squashed - {key}
    assert migration_locks.in_pending(executor, waits) == []
    assert web_turn._why_not(set(MigrationLoader(None).graph.leaf_nodes()))
    for signal in ("emit_pre_migrate_signal", "emit_post_migrate_signal"):
        monkeypatch.setattr(ready_migrations, signal, lambda *told, **more: None)
    ready = ready_migrations.made_ready(executor, waits)

    with CaptureQueriesContext(connection) as asked:
        ready.apply()

    changes = [one["sql"] for one in asked if one["sql"].split()[0] in CHANGES]
    assert len(changes) == len(squashed)
    assert {sql.partition(" (")[0] for sql in changes} == {'INSERT INTO "django_migrations"'}
    assert had | squashed <= MigrationRecorder(connection).applied_migrations().keys()
    assert not web_turn._why_not(set(MigrationLoader(None).graph.leaf_nodes()))


@pytest.mark.django_db
def test_what_past_migrations_had_written_is_there() -> None:
    assert ApprovalLimits.objects.values_list("pk", "recipients", "cost").get() == (1, None, "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM auth_group")
        assert {name for (name,) in cursor.fetchall()} == set(ROLES)
        indexes = connection.introspection.get_constraints(cursor, "messaging_contact")
    assert not any(name.endswith("_like") and "number" in one["columns"] for name, one in indexes.items())
