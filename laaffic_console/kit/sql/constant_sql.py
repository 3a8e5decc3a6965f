"""Statements that the ORM writes once in a process and that are run with other values ever after.

For what is asked for each batch: building a queryset and compiling it takes several times as long as the database
takes to answer. The queryset stays the definition; `Given("name")` marks a value that comes later:

    _due = Select(lambda: Batch.objects.filter(campaign=Given("campaign"), pk__among=Given("ids")).values_list("pk"))
    _due.rows(campaign=7, ids=[1, 2, 3])

What changes the text (a limit, the database's own `Now()`) is an argument of the function, and each has a text of its
own. Numbers, texts, moments, days and lists of ids or texts can be given as they are; what a field keeps in a way of
its own, such as JSON, names that field: `kept(Campaign, "forecast")`.
"""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, QuerySet, sql
from django.db.models.constants import OnConflict
from django.db.models.query import get_related_populators
from django.db.transaction import TransactionManagementError

from laaffic_console.kit.sql import prepared, sql_lists

ARRAYS = -1  # the shape of an Insert of any number of rows


class Given(Expression):
    """A value that is named when a statement is written and given when it is run."""

    def __init__(self, name: str, output_field: "models.Field[Any, Any] | None" = None) -> None:
        super().__init__(output_field=output_field)
        self.name, self.kept_by = name, output_field

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


def kept(model: type[models.Model], *names: str) -> dict[str, Given]:
    """Values for these columns, each given under its name and kept as its field does it."""
    fields: dict[str, Any] = {name: model._meta.get_field(name) for name in names}
    return {name: Given(name, field) for name, field in fields.items()}


def moment(now: Any, name: str = "now") -> Any:
    """`database_clock.in_statement()` as a text has it: itself, or a named value where it is not an expression."""
    return now if isinstance(now, Expression) else Given(name)


class _Text(NamedTuple):
    sql: str
    params: tuple[Any, ...]  # with a Given where a value is to come
    converters: tuple[tuple[int, Sequence[Callable[..., Any]], Any], ...] = ()
    columns: tuple[str, ...] = ()  # those of the model itself, which come first
    joined: tuple[Any, ...] = ()  # what makes objects of the columns behind them
    locks: bool = False

    def with_constants(self, to: BaseDatabaseWrapper) -> "_Text":
        """The text with its constants in it, or PostgreSQL would plan it for all values that are given."""
        if to.vendor != "postgresql":
            return self
        sql, params = prepared.with_constants(self.sql, self.params, Given)
        return self._replace(sql=sql, params=tuple(params))

    def filled(self, given: dict[str, Any], to: BaseDatabaseWrapper) -> list[Any]:
        return [_adapted(given[one.name], one.kept_by, to) if isinstance(one, Given) else one for one in self.params]


def _database() -> BaseDatabaseWrapper:
    """This thread's connection, looked up once for each statement: `django.db.connection` does it at each use."""
    return connections[DEFAULT_DB_ALIAS]


class _Statement:
    """A statement written at its first use, for each database and shape: by then all models are there."""

    def __init__(self, write: Callable[..., Any]) -> None:
        self._write = write
        self._texts: dict[tuple[Any, ...], _Text] = {}

    def _text(self, shape: tuple[Any, ...], to: BaseDatabaseWrapper) -> _Text:
        key = (to.vendor, *shape)
        if (text := self._texts.get(key)) is None:
            text = self._texts[key] = self._compiled(*shape).with_constants(to)
        return text

    def _compiled(self, *shape: Any) -> _Text:
        raise NotImplementedError


class Select(_Statement):
    """SELECT, made from a function that returns a queryset."""

    def rows(self, *shape: Any, **given: Any) -> list[tuple[Any, ...]]:
        """All rows, as tuples in the order of the queryset's columns."""
        return self._rows(shape, given)[0]

    def _rows(self, shape: tuple[Any, ...], given: dict[str, Any]) -> tuple[list[tuple[Any, ...]], _Text]:
        to = _database()
        text = self._text(shape, to)
        if text.locks and to.get_autocommit():
            raise TransactionManagementError("rows are locked outside of a transaction")
        with prepared.cursor(to) as cursor:
            try:
                cursor.execute(text.sql, text.filled(given, to))
            except OverflowError:  # SQLite has no integer of over 64 bits, so no row has it; PostgreSQL finds none
                return [], text
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return _converted(found, text, to) if text.converters else found, text

    def objects(self, model: type[models.Model], *shape: Any, **given: Any) -> list[Any]:
        """The objects that a queryset without `values_list` and annotations gives: `select_related` is followed."""
        rows, text = self._rows(shape, given)
        own = len(text.columns)
        found = [model.from_db(DEFAULT_DB_ALIAS, text.columns, row[:own]) for row in rows]
        for joined in text.joined:
            for row, one in zip(rows, found, strict=True):
                joined.populate(row, one)
        return found

    def first(self, model: type[models.Model], *shape: Any, **given: Any) -> Any:
        """The first of `objects`, or None."""
        return next(iter(self.objects(model, *shape, **given)), None)

    def _compiled(self, *shape: Any) -> _Text:
        queryset: QuerySet[Any] = self._write(*shape)
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        text, params = compiler.as_sql()
        columns = [column for column, _sql, _alias in compiler.select[: compiler.col_count]]
        converters = tuple((at, *convert) for at, convert in compiler.get_converters(columns).items())
        locks = queryset.query.select_for_update and compiler.connection.features.has_select_for_update
        if (objects := compiler.klass_info) is None:
            return _Text(text, tuple(params), converters, locks=locks)
        own = tuple(columns[at].target.attname for at in objects["select_fields"])
        joined = get_related_populators(objects, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # of 6.1
        return _Text(text, tuple(params), converters, own, tuple(joined), locks)


class Update(_Statement):
    """UPDATE, made from a function that returns a queryset and the new values of its rows: {column: value}."""

    def __call__(self, *shape: Any, **given: Any) -> int:
        """How many rows it has changed."""
        to = _database()
        text = self._text(shape, to)
        with prepared.cursor(to) as cursor:
            cursor.execute(text.sql, text.filled(given, to))
            return int(cursor.rowcount)

    def _compiled(self, *shape: Any) -> _Text:
        queryset, values = self._write(*shape)
        query = queryset.query.chain(sql.UpdateQuery)
        query.add_update_values(values)
        query.clear_ordering(force=True)
        text, params = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        return _Text(text, tuple(params))


class Insert(_Statement):
    """INSERT of a model's new rows; with `keys`, each row gets the key that the database has given it.

    `unless_there`: one whose key is taken is left out.

    Columns that are NULL in all of the rows are left out: psycopg keeps what it has read in a text for texts of at most
    50 parameters only, and takes longer to read a campaign's than to send it. On PostgreSQL several rows are given as
    an array for each column: one text, kept prepared, for any number of them.
    """

    def __init__(self, model: type[models.Model], *, keys: bool, unless_there: bool = False) -> None:
        super().__init__(self._compiled)
        self._model, self._keys = model, keys
        self._on_conflict = OnConflict.IGNORE if unless_there else None

    def __call__(self, rows: Sequence[models.Model]) -> None:
        if not rows:
            return
        to, fields = _database(), self._fields
        columns = [[field.pre_save(row, add=True) for row in rows] for field in fields]
        given = [at for at, column in enumerate(columns) if not self._can_be_left_out(fields[at], column)]
        kept = [self._kept(fields[at], columns[at], to) for at in given]
        in_arrays = len(rows) > 1 and to.vendor == "postgresql"
        text = self._text((ARRAYS if in_arrays else len(rows), *given), to)
        with prepared.cursor(to) as cursor:
            cursor.execute(text.sql, kept if in_arrays else list(chain.from_iterable(zip(*kept, strict=True))))
            made = cursor.fetchall() if self._keys else ()
        for row, (key,) in zip(rows, made, strict=self._keys):
            row.pk = key
        for row in rows:
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS

    @functools.cached_property
    def _fields(self) -> list[Any]:
        """The fields to insert, as in bulk_create: a key that the database gives is left out."""
        meta = self._model._meta
        return [field for field in meta.concrete_fields if not (self._keys and field.primary_key)]

    @staticmethod
    def _kept(field: Any, column: Sequence[Any], to: BaseDatabaseWrapper) -> list[Any]:
        """The column's values as the database takes them; a value that all rows share is converted once."""
        first = column[0]
        if all(value is first for value in column):
            return [field.get_db_prep_save(first, connection=to)] * len(column)
        return [field.get_db_prep_save(value, connection=to) for value in column]

    @staticmethod
    def _can_be_left_out(field: Any, column: Sequence[Any]) -> bool:
        return field.null and not field.has_db_default() and all(value is None for value in column)

    def _compiled(self, *shape: Any) -> _Text:
        n, *given = shape
        fields = [self._fields[at] for at in given]
        if n != ARRAYS:
            return self._of_values(fields, n)
        # Without its length: a cast to varchar(15) would cut what is longer, where the column refuses it.
        types = [f"(%s)::{field.db_type(_database()).partition('(')[0]}[]" for field in fields]
        text = self._of_values(fields, 1)
        before, values, behind = text.sql.partition(f"VALUES ({', '.join(['%s'] * len(fields))})")
        if not values:
            raise EmptyResultSet(f"a column of {self._model.__name__} is not written by one value")
        return text._replace(sql=f"{before}SELECT * FROM unnest({', '.join(types)}){behind}")  # noqa: S608 - no value in it

    def _of_values(self, fields: Sequence[Any], n: int) -> _Text:
        query = sql.InsertQuery(self._model, on_conflict=self._on_conflict)
        row: Any = type("Row", (), {field.attname: Given(field.attname) for field in fields})
        query.insert_values(fields, [row] * n, raw=True)
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        compiler.returning_fields = [self._model._meta.pk] if self._keys else None
        [(text, params)] = compiler.as_sql()
        if not all(isinstance(one, Given) for one in params):
            raise EmptyResultSet(f"a column of {self._model.__name__} is not written by one value")
        return _Text(text, tuple(params))


def _adapted(value: Any, kept_by: "models.Field[Any, Any] | None", to: BaseDatabaseWrapper) -> Any:
    if kept_by is not None:
        return kept_by.get_db_prep_save(value, to)
    if isinstance(value, dt.datetime):
        return to.ops.adapt_datetimefield_value(value)
    if isinstance(value, dt.date):
        return to.ops.adapt_datefield_value(value)
    return sql_lists.parameter(value) if isinstance(value, list | tuple) else value


def _converted(rows: Sequence[Sequence[Any]], text: _Text, to: BaseDatabaseWrapper) -> list[tuple[Any, ...]]:
    """The rows converted column by column; a moment that many rows share is converted once."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else []
    for at, converters, expression in text.converters if rows else ():
        values = columns[at]
        is_moment = isinstance(expression.output_field, models.DateTimeField)
        distinct: Sequence[Any] = list(set(values)) if is_moment else values
        read = distinct
        for convert in converters:
            read = [convert(value, expression, to) for value in read]
        columns[at] = list(map(dict(zip(distinct, read, strict=True)).__getitem__, values)) if is_moment else read
    return list(zip(*columns, strict=True))
