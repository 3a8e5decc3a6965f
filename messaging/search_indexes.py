"""Indexes that answer a search by the beginning of a name, of its last word or of an email address, whatever its case,
by the last digits of a number, and by letters in the middle of a name or digits in the middle of a number.

Each database has a way of its own, and neither is one that a model can say for both: PostgreSQL matches `UPPER(name)
LIKE 'ANN%'` with an index of patterns, SQLite `name LIKE 'ann%'` with one that ignores case. SQLite rebuilds a table
when a migration changes it and keeps only the indexes that models name, so these are looked after behind every migrate.
"""

# ruff: noqa: S608 - what is put into a statement are names of our own tables

import logging
from typing import Any

from django.db import DatabaseError, connection, connections, transaction
from django.db.models import CharField, F, Func, Q
from django.db.models.functions import Collate

from laaffic_console.kit.sql.folded_search import beginnings, spelt_beginnings

COLUMNS = ("name", "email")
TABLE = "messaging_contact"
ENDING = 4  # digits of a number's end that the index holds
TRIGRAM_TABLES = ("contact_names", "contact_numbers")
# What the worker makes of a contact: raised where it makes more or something else of one. The notes are named after it,
# so that a worker of the version before, which runs on through a migrate, uses up notes of its own and none of ours.
FORMAT = 2
NOTES, READ = f"contact_notes_{FORMAT}", f"contact_read_{FORMAT}"
NAMES_LOCK = 27983648  # any number of its own, the same as in the trigger below

logger = logging.getLogger(__name__)


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
    _create_names(using)


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
    """Rows whose column begins so, in any case. SQLite's index ignores case in ASCII only, else two letters."""
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


# The middle of names and numbers (messaging/services/contacts/name_index.py)
#
# Triggers, so that writers of contacts need not know of it: who comes, or gets another name or number, is noted, a
# contact that goes takes both with it. A row of PostgreSQL's notes holds up to a thousand ids, so that an import's
# chunk writes one or two; what has changed is told by EXCEPT, as a join of two tables without statistics may compare
# each with each. SQLite has one writer and rising ids: who is new lies behind the last one read, and a trigger for each
# would take half as long again as the row itself. Numbers have a table and triggers of their own, so that a console
# which has the index of names keeps it while the numbers are read.

# Not OR IGNORE: in a trigger the conflict clause of the statement that fires it holds, and an import's has another one.
_NOT_YET = f"SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM {NOTES} WHERE id = new.id)"
_SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS contact_names "
    "USING fts5(words, tokenize='trigram case_sensitive 1', detail='none')",
    # With the places of each trigram: that of 939393 are in many numbers, and seldom in this order.
    "CREATE VIRTUAL TABLE IF NOT EXISTS contact_numbers "
    "USING fts5(words, tokenize='trigram case_sensitive 1', detail='full')",
    f"CREATE TABLE IF NOT EXISTS {NOTES} (id INTEGER PRIMARY KEY)",
    f"CREATE TABLE IF NOT EXISTS {READ} (last INTEGER NOT NULL)",
    f"INSERT INTO {READ} SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM {READ})",
    # Rebuilt each time: those of an earlier format note elsewhere.
    *(
        f"DROP TRIGGER IF EXISTS {name}"
        for name in ("contact_renamed", "contact_gone", "contact_renumbered", "contact_number_gone")
    ),
    "CREATE TRIGGER contact_renamed AFTER UPDATE OF name ON messaging_contact WHEN old.name <> new.name "
    f"BEGIN INSERT INTO {NOTES} {_NOT_YET}; END",
    "CREATE TRIGGER contact_gone AFTER DELETE ON messaging_contact "
    f"BEGIN DELETE FROM contact_names WHERE rowid = old.id; DELETE FROM {NOTES} WHERE id = old.id; END",
    "CREATE TRIGGER contact_renumbered AFTER UPDATE OF number ON messaging_contact "
    f"WHEN old.number <> new.number BEGIN INSERT INTO {NOTES} {_NOT_YET}; END",
    "CREATE TRIGGER contact_number_gone AFTER DELETE ON messaging_contact "
    "BEGIN DELETE FROM contact_numbers WHERE rowid = old.id; END",
)
_POSTGRESQL = f"""
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE IF NOT EXISTS contact_names (rowid bigint PRIMARY KEY, words text NOT NULL);
CREATE INDEX IF NOT EXISTS contact_names_trigrams ON contact_names USING gin (words gin_trgm_ops)
WITH (gin_pending_list_limit = 1024);
CREATE TABLE IF NOT EXISTS contact_numbers (rowid bigint PRIMARY KEY, words text NOT NULL);
CREATE INDEX IF NOT EXISTS contact_numbers_trigrams ON contact_numbers USING gin (words gin_trgm_ops)
WITH (gin_pending_list_limit = 1024);
CREATE TABLE IF NOT EXISTS {NOTES} (id bigserial PRIMARY KEY, contact_ids bigint[] NOT NULL);
CREATE OR REPLACE FUNCTION contact_names_follow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO {NOTES} (contact_ids) SELECT array_agg(id) FROM came GROUP BY id / 1000;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO {NOTES} (contact_ids) SELECT array_agg(id)
    FROM (SELECT id, name, number FROM came EXCEPT SELECT id, name, number FROM gone) changed GROUP BY id / 1000;
  ELSE
    PERFORM pg_advisory_xact_lock_shared(27983648);
    DELETE FROM contact_names USING gone WHERE rowid = gone.id;
    DELETE FROM contact_numbers USING gone WHERE rowid = gone.id;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER contact_named AFTER INSERT ON messaging_contact REFERENCING NEW TABLE AS came
FOR EACH STATEMENT EXECUTE FUNCTION contact_names_follow();
CREATE OR REPLACE TRIGGER contact_renamed AFTER UPDATE ON messaging_contact
REFERENCING NEW TABLE AS came OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION contact_names_follow();
CREATE OR REPLACE TRIGGER contact_gone AFTER DELETE ON messaging_contact REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION contact_names_follow()
"""
# What was there before the index, or was read for an earlier format: everybody waits.
_EVERYBODY = {
    "sqlite": f"UPDATE {READ} SET last = 0",
    "postgresql": f"INSERT INTO {NOTES} (contact_ids) SELECT array_agg(id) FROM messaging_contact GROUP BY id / 1000",
}


def _create_names(using: str) -> None:
    """Make the trigram index of names. If pg_trgm is missing or not allowed, people are searched without it."""
    database = connections[using]
    has_been = has_names(using)
    try:
        with transaction.atomic(using=using), database.cursor() as cursor:
            if database.vendor == "sqlite" and not has_been:
                cursor.execute("DROP TABLE IF EXISTS contact_numbers")  # it may be without the places of trigrams
            for statement in (_POSTGRESQL,) if database.vendor == "postgresql" else _SQLITE:
                cursor.execute(statement)
            if not has_been:
                cursor.execute(_EVERYBODY[database.vendor])
    except DatabaseError as problem:
        logger.warning("letters in the middle of a name find nobody: %s", str(problem).splitlines()[0])


def has_names(using: str = "default") -> bool:
    """Whether this database has the index of names, that of numbers, and the notes of who is to be read for them."""
    database = connections[using]
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            cursor.execute(
                "SELECT count(to_regclass(name)) = 3 FROM unnest(%s::text[]) AS name", [[*TRIGRAM_TABLES, NOTES]]
            )
        else:
            cursor.execute(
                "SELECT count(*) = 3 FROM sqlite_master WHERE name IN (%s, %s, %s)", [*TRIGRAM_TABLES, NOTES]
            )
        return bool(cursor.fetchone()[0])


def names_are_in() -> None:
    """PostgreSQL keeps what is new in a list of its own, which each search reads to its end."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in TRIGRAM_TABLES:
                cursor.execute("SELECT gin_clean_pending_list(%s::regclass)", [f"{table}_trigrams"])
