"""What was made ready changes the database as `migrate` would."""

from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from laaffic_console.backups.services import ready_migrations

pytestmark = pytest.mark.django_db(transaction=True)
KEY = ("gateway", "9999_of_the_test")
seen: list[list[str]] = []


def write(apps: Any, _editor: Any) -> None:
    model = apps.get_model("gateway", "Tested")
    seen.append([field.name for field in model._meta.fields])
    model.objects.create(name="as it was then")


class Migration(migrations.Migration):
    operations = (
        migrations.CreateModel("Tested", [("id", models.AutoField(primary_key=True)), ("name", models.TextField())]),
        migrations.RunPython(write, migrations.RunPython.noop),
        migrations.AddField("Tested", "size", models.IntegerField(default=7)),
        migrations.RemoveField("Tested", "name"),
    )


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Knows no models but those of the migration: to make ours takes long."""
    one = MigrationExecutor(connection)
    monkeypatch.setattr(one, "_create_project_state", lambda **told: ProjectState())
    monkeypatch.setattr(ready_migrations, "emit_pre_migrate_signal", lambda *told, **more: None)
    monkeypatch.setattr(ready_migrations, "emit_post_migrate_signal", lambda *told, **more: seen.append(["told"]))
    seen.clear()
    yield one
    one.recorder.record_unapplied(*KEY)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS gateway_tested")


def test_nothing_happens_before_and_everything_then(executor: Any) -> None:
    ready = ready_migrations.made_ready(executor, [Migration("9999_of_the_test", "gateway")])
    assert "gateway_tested" not in connection.introspection.table_names()
    assert KEY not in executor.recorder.applied_migrations()

    ready.apply()
    assert KEY in executor.recorder.applied_migrations()
    assert seen == [["id", "name"], ["told"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM gateway_tested")
        assert [column[0] for column in cursor.description or []] == ["id", "size"]
        assert [row[1] for row in cursor.fetchall()] == [7]


def test_who_has_migrated_by_hand_meanwhile(executor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = ready_migrations.made_ready(executor, [Migration("9999_of_the_test", "gateway")])
    called: list[str] = []
    monkeypatch.setattr(ready_migrations, "call_command", lambda name, **told: called.append(name))
    executor.recorder.record_applied(*KEY)

    ready.apply()
    assert called == ["migrate"]
    assert seen == []
