"""Between which ids the rows of one parent lie, for lists of tables that grow with what is sent."""

from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.lookups import Exact

Row = TypeVar("Row", bound=models.Model)


def within_span(rows: models.QuerySet[Row], parent: str, pk: int, *, by: str) -> models.QuerySet[Row]:
    """The rows of one parent, looked for between the first and the last of them only.

    They were made together. Asked for the newest rows of an old parent, PostgreSQL reads back from the end of the
    table through everything that came since, and SQLite sorts all of its rows. `by` is the field with choices between
    the two others in the index (parent, by, id): the ends are looked up there, choice by choice.
    """
    first, last = _span(rows.model, parent, pk, by)
    if first is None:
        return rows.none()
    between = rows.filter(pk__gte=first, pk__lte=last)
    if connection.vendor == "sqlite":  # so that it reads in the order of the ids, and not the index of the parent
        whose: Any = models.F(f"{parent}_id") + 0
        return between.filter(Exact(whose, pk))
    return between.filter(**{parent: pk})


def _span(model: type[models.Model], parent: str, pk: int, by: str) -> tuple[int | None, int | None]:
    fields: dict[str, Any] = {name: model._meta.get_field(name) for name in (parent, by)}
    column, choice = (connection.ops.quote_name(fields[name].column) for name in (parent, by))
    table = connection.ops.quote_name(model._meta.db_table)
    values = [value for value, _label in fields[by].choices]
    of_one = f"FROM {table} WHERE {column} = %s AND {choice} = %s"
    ends = f"SELECT (SELECT MIN(id) {of_one}) AS first, (SELECT MAX(id) {of_one}) AS last"
    all_ends = " UNION ALL ".join([ends] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT MIN(first), MAX(last) FROM ({all_ends}) AS ends",  # noqa: S608 - as above
            [given for value in values for given in (pk, value) * 2],
        )
        found: tuple[int | None, int | None] = cursor.fetchone()
    return found
