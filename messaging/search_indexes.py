"""Indexes that answer a search by the beginning of a name or an email address, whatever its case.

Each database has a way of its own, and neither is one that a model can say for both: PostgreSQL matches `UPPER(name)
LIKE 'ANN%'` with an index of patterns, SQLite `name LIKE 'ann%'` with one that ignores case. SQLite rebuilds a table
when a migration changes it and keeps only the indexes that models name, so these are looked after behind every migrate.
"""

from typing import Any

from django.db import connection, connections
from django.db.models import F, Q
from django.db.models.functions import Collate

from laaffic_console.folded_search import beginnings

COLUMNS = ("name", "email")
TABLE = "messaging_contact"


def create(using: str = "default", **signal: Any) -> None:
    """Behind a migrate; where they are already, nothing happens."""
    database = connections[using]
    with database.cursor() as cursor:
        if TABLE not in database.introspection.table_names(cursor):
            return
        for column in COLUMNS:
            key = f"upper({column}::text) text_pattern_ops" if database.vendor == "postgresql" else _nocase(column)
            cursor.execute(f"CREATE INDEX IF NOT EXISTS contact_{column}_start ON {TABLE} ({key})")


def _nocase(column: str) -> str:
    return f"{column} COLLATE NOCASE"


def numbers_from(digits: str) -> Q:
    """Numbers that begin so, as a range that the index of any collation answers: digits alone decide its ends."""
    following = str(int(digits) + 1).zfill(len(digits))
    if len(following) > len(digits):  # nothing but nines: there is no number behind them
        return Q(number__gte=digits, number__startswith=digits)
    return Q(number__gte=digits, number__lt=following.rstrip("0"))


def starts(column: str, term: str) -> Q:
    """What begins so, whatever its case. SQLite's index knows that of ASCII alone and is asked for two letters."""
    found = Q(**{f"{column}__istartswith": term})
    if connection.vendor == "sqlite" and not term.isascii():
        return beginnings(column, term) & found
    return found


def order_by_start(column: str) -> tuple[Any, ...]:
    """The order in which a broad search need not sort what it finds: SQLite reads its index from the beginning on,
    PostgreSQL the newest rows until the page is full."""
    return ("-pk",) if connection.vendor == "postgresql" else (Collate(F(column), "NOCASE"), "pk")
