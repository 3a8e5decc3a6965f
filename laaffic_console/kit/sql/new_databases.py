"""The migration operation that makes all tables of a new database at once, as past migrations would have left them.

Django makes the models again after each operation of a migration, which is nearly all of the time that many
migrations take. Here they are made once.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class CreateTables(Operation):
    """Create the tables of several apps, which may refer to each other in circles.

    `squashed` names a migration of each app, which lists its `tables` (each a CreateModel) and what is done when all
    tables are there (`afterwards`).
    """

    reduces_to_sql = False
    reversible = False

    def __init__(self, squashed: dict[str, str]) -> None:
        self.squashed = squashed

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        vars(state).pop("apps", None)  # else each table makes all models again that are made already
        for label, migration in self._migrations():
            for table in migration.tables:
                table.state_forwards(label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for label, migration in self._migrations():
            for table in migration.tables:
                table.database_forwards(label, schema_editor, from_state, to_state)
        _write_deferred(schema_editor)
        for label, migration in self._migrations():
            for step in getattr(migration, "afterwards", ()):
                step.database_forwards(label, schema_editor, to_state, to_state)

    def describe(self) -> str:
        return "Create all tables"

    def _migrations(self) -> Iterator[tuple[str, Any]]:
        for label, name in self.squashed.items():
            module, _is_set = MigrationLoader.migrations_module(label)
            migration: type[Migration] = import_module(f"{module}.{name}").Migration
            yield label, migration


def _write_deferred(schema_editor: Any) -> None:
    """Django would write indexes and foreign keys after this, and the record of the migration in other transactions."""
    while schema_editor.deferred_sql:
        schema_editor.execute(schema_editor.deferred_sql.pop(0))
