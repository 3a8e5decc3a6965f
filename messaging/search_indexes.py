"""Indexes that answer a search by the beginning of a name or an email address, whatever its case.

Each database has a way of its own, and neither is one that a model can say for both: PostgreSQL matches `UPPER(name)
LIKE 'ANN%'` with an index of patterns, SQLite `name LIKE 'ann%'` with one that ignores case. SQLite rebuilds a table
when a migration changes it and keeps only the indexes that models name, so these are looked after behind every migrate.
"""

from typing import Any

from django.db import connections

COLUMNS = ("name", "email")
TABLE = "messaging_contact"


def create(using: str = "default", **signal: Any) -> None:
    """Behind a migrate; where they are already, nothing happens."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return
        for column in COLUMNS:
            key = f"upper({column}::text) text_pattern_ops" if connection.vendor == "postgresql" else _nocase(column)
            cursor.execute(f"CREATE INDEX IF NOT EXISTS contact_{column}_start ON {TABLE} ({key})")


def _nocase(column: str) -> str:
    return f"{column} COLLATE NOCASE"
