"""Indexes that answer a search by the beginning of a name, of its last word or of an email address, whatever its case,
and by the last digits of a number.

Each database has a way of its own, and neither is one that a model can say for both: PostgreSQL matches `UPPER(name)
LIKE 'ANN%'` with an index of patterns, SQLite `name LIKE 'ann%'` with one that ignores case. SQLite rebuilds a table
when a migration changes it and keeps only the indexes that models name, so these are looked after behind every migrate.
"""

from typing import Any

from django.db import connection, connections
from django.db.models import CharField, F, Func, Q
from django.db.models.functions import Collate

from laaffic_console.kit.folded_search import beginnings, spelt_beginnings

COLUMNS = ("name", "email")
TABLE = "messaging_contact"
ENDING = 4  # digits of a number's end that the index holds


class _Derived(Func):
    """What an index is made of, in the very words of the index: a parameter in it would be another expression."""

    arity = 1
    output_field = CharField()
    on_sqlite = on_postgresql = ""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=self.on_sqlite, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template=self.on_postgresql, **context)


class LastWord(_Derived):
    """ "Lee" of "Ann Lee"; a name of one word is its own last word."""

    on_sqlite = "replace(%(expressions)s, rtrim(%(expressions)s, replace(%(expressions)s, ' ', '')), '')"
    on_postgresql = "substring(%(expressions)s::text from '[^ ]*$')"


class LastDigits(_Derived):
    on_sqlite = f"substr(%(expressions)s, -{ENDING})"
    on_postgresql = f"right(%(expressions)s::text, {ENDING})"


def create(using: str = "default", **signal: Any) -> None:
    """Behind a migrate; where they are already, nothing happens."""
    database = connections[using]
    with database.cursor() as cursor:
        if TABLE not in database.introspection.table_names(cursor):
            return
        for column in COLUMNS:
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS contact_{column}_start ON {TABLE} ({_caseless(database, column)})"
            )
        last_word = _written(database, LastWord, "name")
        cursor.execute(f"CREATE INDEX IF NOT EXISTS contact_last_word ON {TABLE} ({_caseless(database, last_word)})")
        cursor.execute(
            f"CREATE INDEX IF NOT EXISTS contact_last_digits ON {TABLE} ({_written(database, LastDigits, 'number')})"
        )


def _caseless(database: Any, key: str) -> str:
    return f"upper(({key})::text) text_pattern_ops" if database.vendor == "postgresql" else f"({key}) COLLATE NOCASE"


def _written(database: Any, derived: type[_Derived], column: str) -> str:
    template = derived.on_postgresql if database.vendor == "postgresql" else derived.on_sqlite
    return "(" + template % {"expressions": column} + ")"


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


def last_word_starts(word: str) -> Q:
    """Contacts the last word of whose name begins so, whatever its case; for a queryset with `with_last_word`."""
    if connection.vendor == "postgresql":
        return Q(last_word__istartswith=word)
    stretches = Q()
    for spelt in spelt_beginnings(word) if not word.isascii() else [word]:
        stretches |= Q(last_word__gte=spelt, last_word__lt=spelt + "\U0010ffff")
    return stretches & (Q() if word.isascii() else Q(name__icontains=word))


def with_last_word(contacts: Any) -> Any:
    last = LastWord("name")
    return contacts.alias(last_word=last if connection.vendor == "postgresql" else Collate(last, "NOCASE"))


def ends(digits: str) -> Q:
    """Numbers that end so, at least ENDING digits; for a queryset with `with_last_digits`."""
    ending = Q(last_digits=digits[-ENDING:])
    return ending if len(digits) == ENDING else ending & Q(number__endswith=digits)


def with_last_digits(contacts: Any) -> Any:
    return contacts.alias(last_digits=LastDigits("number"))
