"""Migration operations for tables that grow with what is sent: they hold up no other writer.

Their migrations have `atomic = False`, so each is committed by itself, and each can be run again: what a killed
migration had done already is done once more or passed over.
"""

from contextlib import nullcontext
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import transaction
from django.db.migrations.operations import AddConstraint, AddField, AddIndex, AlterField, RemoveConstraint, RemoveIndex


def _whole(schema_editor: Any) -> Any:
    """A transaction on SQLite, which makes a table again in several statements; nothing on PostgreSQL."""
    connection = schema_editor.connection
    return transaction.atomic(connection.alias) if connection.vendor == "sqlite" else nullcontext()


class AddFieldGently(AddField):
    """A column, beside other operations that cannot be in its transaction."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        with schema_editor.connection.cursor() as cursor:
            there = schema_editor.connection.introspection.get_table_description(cursor, model._meta.db_table)
        if model._meta.get_field(self.name).column in [column.name for column in there]:
            return
        with _whole(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class AddIndexGently(AddIndexConcurrently):
    """An index that PostgreSQL builds while others write.

    A killed one leaves an index that counts for nothing, so the next try takes that away first.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        name = schema_editor.quote_name(self.index.name)
        if schema_editor.connection.vendor != "postgresql":
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")
            AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)
            return
        self._ensure_not_in_transaction(schema_editor)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)
            return
        super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveIndexGently(RemoveIndex):
    """PostgreSQL waits for those that use it, and holds up nobody in the meantime."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        meanwhile = "CONCURRENTLY " if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f"DROP INDEX {meanwhile}IF EXISTS {schema_editor.quote_name(self.name)}")


class RemoveUniqueGently(RemoveConstraint):
    """A constraint that columns are unique together."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            with _whole(schema_editor):
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        table, name = (schema_editor.quote_name(one) for one in (model._meta.db_table, self.name))
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")


class AddUniqueGently(AddConstraint):
    """A constraint that columns are unique together, for which PostgreSQL builds its index while others write."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            with _whole(schema_editor):
                super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        table, name = (schema_editor.quote_name(one) for one in (model._meta.db_table, self.constraint.name))
        fields = [model._meta.get_field(one) for one in self.constraint.fields]  # type: ignore[attr-defined]
        columns = ", ".join([schema_editor.quote_name(field.column) for field in fields])
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # what a killed one leaves
        schema_editor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns})")
        schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


class LetGoOfForeignKey(AlterField):
    """A foreign key that PostgreSQL checks no more.

    SQLite keeps the constraint, which costs little there: to take it away, the whole table would be copied.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.database_forwards(app_label, schema_editor, from_state, to_state)
