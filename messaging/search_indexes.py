"""Indexes that answer a search by the beginning of a name or an email address, whatever its case.

Each database has a way of its own, and neither is one that a model can say for both: PostgreSQL matches `UPPER(name)
LIKE 'ANN%'` with an index of patterns, SQLite `name LIKE 'ann%'` with one that ignores case. SQLite rebuilds a table
when a migration changes it and keeps only the indexes that models name, so these are looked after behind every migrate.
"""

import unicodedata
from typing import Any

from django.db import connection, connections
from django.db.models import F, Q
from django.db.models.functions import Collate

COLUMNS = ("name", "email")
TABLE = "messaging_contact"
BESIDE_DIGITS = "+-‐‑‒–().·/"  # what people write between the digits of a number


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
    """What begins so, whatever its case. SQLite knows the case of ASCII alone: each spelling is asked for by itself."""
    spellings = {term}
    if connection.vendor == "sqlite" and not term.isascii():
        spellings |= {term.lower(), term.upper(), term.title(), term.capitalize()}
    found = Q()
    for spelt in sorted(spellings):
        found |= Q(**{f"{column}__istartswith": spelt})
    return found


def plain(typed: str) -> str:
    """A pasted term without what cannot be seen: marks of direction, joiners, spaces that do not break."""
    return " ".join("".join(" " if _is_unseen(one) else one for one in typed).split())


def _is_unseen(one: str) -> bool:
    return unicodedata.category(one) in ("Cf", "Cc", "Zs", "Zl", "Zp")


def digits_of(term: str) -> str:
    """The digits of what looks like a number, in any script, without + or 00; "" for anything else."""
    digits = "".join(one for one in term if one not in BESIDE_DIGITS and not one.isspace())
    if not digits.isdecimal():
        return ""
    return "".join(str(int(one)) for one in digits).removeprefix("00")


def order_by_start(column: str) -> tuple[Any, ...]:
    """The order in which a broad search need not sort what it finds: SQLite reads its index from the beginning on,
    PostgreSQL the newest rows until the page is full."""
    return ("-pk",) if connection.vendor == "postgresql" else (Collate(F(column), "NOCASE"), "pk")
