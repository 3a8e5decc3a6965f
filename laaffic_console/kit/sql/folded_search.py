"""Searches that know no case in any alphabet, on SQLite as on PostgreSQL.

SQLite's LIKE knows the case of ASCII alone. Where a term holds other letters, Django's look-ups without case compare
both sides folded by a function of ours; a term of ASCII goes the fast way as ever.
"""

import itertools
import unicodedata
from typing import Any

from django.db import models
from django.db.models import Q, lookups

FUNCTION = "CONSOLE_FOLD"


def fold(text: Any) -> Any:
    """The text without case, and with accents written one way: macOS parts a letter from its accent."""
    if not isinstance(text, str):
        return text
    return (
        text.lower() if text.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    )


def connected(connection: Any, **signal: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function(FUNCTION, 1, fold, deterministic=True)


class _Folded:
    pattern: str

    def as_sqlite(self, compiler: Any, connection: Any) -> Any:
        term = self.rhs  # type: ignore[attr-defined]
        if not isinstance(term, str) or term.isascii():
            return self.as_sql(compiler, connection)  # type: ignore[attr-defined]
        column, params = self.process_lhs(compiler, connection)  # type: ignore[attr-defined]
        wanted = self.pattern.format(connection.ops.prep_for_like_query(fold(term)))
        return f"{FUNCTION}({column}) LIKE %s ESCAPE '\\'", [*params, wanted]


class FoldedContains(_Folded, lookups.IContains):
    pattern = "%{}%"


class FoldedStart(_Folded, lookups.IStartsWith):
    pattern = "{}%"


class FoldedEnd(_Folded, lookups.IEndsWith):
    pattern = "%{}"


class FoldedExact(_Folded, lookups.IExact):
    pattern = "{}"


def register() -> None:
    for field in (models.CharField, models.TextField):
        for lookup in (FoldedContains, FoldedStart, FoldedEnd, FoldedExact):
            field.register_lookup(lookup)


def spelt_beginnings(term: str) -> list[str]:
    """The spellings of the first two letters, in each case that they have."""
    each = [
        {letter, letter.lower(), letter.upper(), letter.title()} for letter in unicodedata.normalize("NFC", term)[:2]
    ]
    spelt = {"".join(letters) for letters in itertools.product(*each)}
    return sorted(spelt | {unicodedata.normalize("NFD", one) for one in spelt})


def beginnings(column: str, term: str) -> Q:
    """A condition for SQLite's index, which finds only spellings that are known: all those of the first two letters."""
    found = Q()
    for spelt in spelt_beginnings(term):
        found |= Q(**{f"{column}__startswith": spelt})
    return found
