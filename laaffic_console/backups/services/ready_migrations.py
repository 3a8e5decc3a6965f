"""Migrations whose models are made before anything stops, so that only the database's own work is left for later.

Django makes the models again for each step of a migration: nine tenths of the time that a migration of small tables
takes. That needs no database, and is done here while the old version still serves.
"""

import copy
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection
from django.db.migrations import Migration, RunPython
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class _Step(Operation):
    """An operation with the models before and after it."""

    def __init__(self, operation: Any, before: ProjectState, after: ProjectState) -> None:
        self.operation, self.before, self.after = operation, before, after
        vars(self).update(reduces_to_sql=operation.reduces_to_sql, atomic=operation.atomic)

    def state_forwards(self, app_label: str, state: Any) -> None:
        pass

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        self.operation.database_forwards(app_label, schema_editor, self.before, self.after)


class _NoState:
    """A stand-in for the models' state, which each step has already."""

    def clone(self) -> "_NoState":
        return self


@dataclass(frozen=True, slots=True)
class ReadyMigrations:
    executor: Any
    plan: list[tuple[Migration, bool]]
    ready: list[Migration]

    def apply(self) -> None:
        """Apply the migrations as the command `migrate` does."""
        if self._is_migrated_meanwhile():
            call_command("migrate", interactive=False, verbosity=0)
            return
        for migration in self.ready:
            self.executor.apply_migration(_NoState(), migration)
        self.executor.check_replacements()
        emit_post_migrate_signal(0, False, connection.alias, plan=self.plan)

    def _is_migrated_meanwhile(self) -> bool:
        """Whether somebody has migrated by hand. A migration that replaces others does not tell: it counts as applied
        as soon as they are, before it is recorded."""
        loader = self.executor.loader
        recorded = self.executor.recorder.applied_migrations().keys()
        return bool((recorded ^ loader.applied_migrations.keys()) - loader.replacements.keys())


def made_ready(executor: Any, pending: list[Migration]) -> ReadyMigrations:
    executor.loader.check_consistent_history(connection)
    plan = [(migration, False) for migration in pending]
    state: Any = executor._create_project_state(with_applied_migrations=True)
    emit_pre_migrate_signal(0, False, connection.alias, apps=state.apps, plan=plan)  # which may add operations
    ready = []
    for migration in pending:
        one: Any = copy.copy(migration)
        one.operations = [_step(migration, operation, state) for operation in migration.operations]
        ready.append(one)
    return ReadyMigrations(executor, plan, ready)


def _step(migration: Migration, operation: Any, state: Any) -> Any:
    before = state.clone()
    operation.state_forwards(migration.app_label, state)
    if isinstance(operation, RunPython) and before.is_delayed:  # it makes all models again where some are half made
        before.clear_delayed_apps_cache()
        before.is_delayed = False
        before.apps  # noqa: B018 - made by being asked for
    return _Step(operation, before, state.clone())
