"""Pages of tables with millions of rows: the count is an estimate or stops early, the last pages are not offered."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import IntegerField, QuerySet, Subquery
from django.utils.translation import gettext as _

from laaffic_console.kit.generics import AnyPaginator
from laaffic_console.kit.words.figures import number

COUNT_LIMIT = 10_000
MAX_PAGES = 200


class BigTablePaginator(AnyPaginator):
    """`count` costs the same however long the history got (laws#history-costs-nothing)."""

    rows_of_table: Callable[[], int] | None = None  # where a page asks for them more than once

    @cached_property
    def count(self) -> int:
        queryset: Any = self.object_list
        if not queryset.query.where and not queryset.query.is_sliced:
            rows = self.rows_of_table() if self.rows_of_table else estimate(queryset.model)
            return min(rows, COUNT_LIMIT * 100_000)
        return len(queryset.order_by().values_list("pk", flat=True)[: COUNT_LIMIT + 1])

    @property
    def num_pages(self) -> int:
        return min(super().num_pages, MAX_PAGES)


def estimate(model: Any) -> int:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _known_or_counted(cursor, table)
        counted: int = model.objects.order_by().values_list("pk", flat=True)[: COUNT_LIMIT + 1].count()
        if counted <= COUNT_LIMIT:
            return counted
        return spanned(cursor, table)


def spanned(cursor: Any, table: str, splits: int = 16) -> int:
    """About how many rows a large table of SQLite has: its row numbers, without the gaps that restores have left.

    A restore lets messages go on at the microseconds since 1970, so a gap may be a million times all rows. The widest
    stretch is split where its middle lies in one, as long as that leaves out a quarter of it.
    """
    numbers = f'"{table}"'

    def one(what: str, where: str = "", *given: int) -> int:
        cursor.execute(f"SELECT {what}(rowid) FROM {numbers} {where}", given)  # noqa: S608 - a model's own name
        return int(cursor.fetchone()[0])

    stretches = [(one("min"), one("max"))]
    for _split in range(splits):
        widest = max(stretches, key=lambda ends: ends[1] - ends[0])
        first, last = widest
        middle = (first + last) // 2
        before, after = one("max", "WHERE rowid <= ?", middle), one("min", "WHERE rowid > ?", middle)
        if 4 * (after - before) < last - first:
            break
        stretches.remove(widest)
        stretches += [(first, before), (after, last)]
    return sum(last - first + 1 for first, last in stretches)


def _known_or_counted(cursor: Any, table: str) -> int:
    """PostgreSQL's estimate of the rows, or their count where they are few: one query, since each is a round trip."""
    counted = f"SELECT count(*) FROM (SELECT FROM {table} LIMIT %s) counted"  # noqa: S608 - a model's table
    asked = f"SELECT CASE WHEN reltuples >= %s THEN reltuples ELSE ({counted}) END "
    cursor.execute(f"{asked}FROM pg_class WHERE oid = %s::regclass", [COUNT_LIMIT, COUNT_LIMIT + 1, table])
    return int(cursor.fetchone()[0])


class CountedTo(Subquery):
    """How many rows a correlated query has, counted no further than one more than `most`."""

    def __init__(self, rows: QuerySet[Any], most: int = COUNT_LIMIT) -> None:
        super().__init__(rows.order_by().values("pk")[: most + 1], output_field=IntegerField())
        self.template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"


def said_to(count: int, most: int = COUNT_LIMIT) -> str:
    """The count in words; above `most`, where counting stopped, "more than" that."""
    return number(count) if count <= most else _("more than %(n)s") % {"n": number(most)}
