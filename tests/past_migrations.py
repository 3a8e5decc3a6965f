"""The migrations that one for new databases has replaced, as a database meets them that has applied some of them."""

from typing import Any

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

Key = tuple[str, str]


def loader(of: Any = None) -> MigrationLoader:
    """Without what has replaced them, whatever is applied."""
    past = MigrationLoader(of, replace_migrations=False)
    for key, migration in past.replacements.items():
        past.graph.remove_replacement_node(key, migration.replaces)
    return past


def plan() -> list[Migration]:
    """In the order in which they were once applied."""
    executor = MigrationExecutor(None)
    executor.loader = loader()
    return [one for one, _back in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)]


def squashed() -> dict[Key, Migration]:
    """Those that replace others, and those that say what tables an app has then: no earlier version has them."""
    every = MigrationLoader(None).disk_migrations
    return {key: migration for key, migration in every.items() if migration.replaces or hasattr(migration, "tables")}


def go_back(to: Key) -> None:
    """The database as an earlier version had left it."""
    executor = MigrationExecutor(connection)
    executor.loader = loader(connection)
    executor.migrate([to])
    for key in squashed():
        executor.recorder.record_unapplied(*key)
