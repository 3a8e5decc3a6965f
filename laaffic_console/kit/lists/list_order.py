"""By which columns a long list can be sorted: those whose order an index keeps.

Any other order sorts the whole table for one page, and takes longer with each row that comes
(laws#history-costs-nothing). A list that is counted to its end is sorted by whatever its columns offer.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from django.db.models import F, OrderBy, QuerySet
from django.http import HttpRequest

from laaffic_console.kit.lists.paginator import COUNT_LIMIT

MANY = 1000  # rows that are sorted within a millisecond or two


def unsorted_where_many(request: HttpRequest, found: QuerySet[Any], *by_index: str) -> QuerySet[Any]:
    """A list's search: few rows in the list's own order, many in that of the index that found them.

    Half a table may begin so, and would be sorted for one page. An order that somebody chose stays.
    """
    if request.GET.get(ORDER_VAR) or len(found.order_by().values_list("pk", flat=True)[: MANY + 1]) <= MANY:
        return found
    return found.order_by(*by_index)


def empty_as_least(model: type[models.Model], order: Iterable[Any]) -> list[Any]:
    """An order in which NULL is below all values, as on SQLite; PostgreSQL would put it above them.

    Not for a long list, which an index has to keep in order: PostgreSQL reads it from either end as it is.
    """
    if connection.vendor != "postgresql":
        return list(order)
    return [placed for one in order for placed in _empty_as_least(model, one)]


def _empty_as_least(model: type[models.Model], one: Any) -> list[Any]:
    if isinstance(one, OrderBy):
        return [_placed(one.expression, one.descending) if one.nulls_first is one.nulls_last is None else one]
    if not isinstance(one, str):
        return [one]
    name, descending = one.lstrip("-"), one.startswith("-")
    columns = _columns(model, name.split("__"))
    if columns is None or not any(may_be_empty for _path, _turned, may_be_empty in columns):
        return [one]
    return [_placed(F(path), descending != turned) for path, turned, _may_be_empty in columns]


def _placed(expression: Any, descending: bool) -> OrderBy:
    place = {"nulls_last": True} if descending else {"nulls_first": True}
    return OrderBy(expression, descending, **place)


def _columns(model: type[models.Model], path: list[str], before: str = "") -> list[tuple[str, bool, bool]] | None:
    """The columns by which a name sorts, a relation as its model says. Of each its path, whether it is turned round,
    and whether it may be empty. None for what is not a column.
    """
    named = {field.name: field for field in model._meta.concrete_fields}
    field = model._meta.pk if path[0] == "pk" else named.get(path[0])
    if field is None:
        return None
    if not isinstance(field, models.ForeignKey):
        return [(before + path[0], False, bool(field.null))] if len(path) == 1 else None
    other: Any = field.remote_field.model
    further = ["__".join(path[1:])] if len(path) > 1 else list(other._meta.ordering) or ["pk"]
    found = []
    for one in further:
        there = _columns(other, one.lstrip("-").split("__"), f"{before}{path[0]}__") if isinstance(one, str) else None
        if there is None:
            return None
        found += [(name, turned != one.startswith("-"), empty or bool(field.null)) for name, turned, empty in there]
    return found


def served(model_admin: Any, columns: Iterable[Any], rows: int) -> list[Any]:
    """The columns by which a table with about so many rows can be sorted."""
    columns = list(columns)
    if rows <= COUNT_LIMIT:
        return columns
    return [column for column in columns if _is_served(model_admin.model, order_of(model_admin, column))]


def order_of(model_admin: Any, column: Any) -> str:
    """The name of the field by which a column sorts; "" where it is something else."""
    shown = column if callable(column) else getattr(model_admin, column, None)
    order = column if shown is None else getattr(shown, "admin_order_field", "")
    return order.lstrip("-") if isinstance(order, str) else ""


def _is_served(model: type[models.Model], name: str) -> bool:
    """Few values shared by all rows need an index that goes on with the id: behind each the rows are sorted again."""
    try:
        field: Any = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    indexed = [index.fields for index in model._meta.indexes if index.fields and not index.condition]
    if field.primary_key or field.unique or [field.name, "id"] in [fields[:2] for fields in indexed]:
        return True
    has_few = field.is_relation or field.choices or isinstance(field, models.BooleanField)
    return not has_few and (field.db_index or any(fields[0] == field.name for fields in indexed))
