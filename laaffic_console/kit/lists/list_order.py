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

from laaffic_console.kit.lists.paginator import COUNT_LIMIT, estimate

MANY = 1000  # rows that are sorted within a millisecond or two


def unsorted_where_many(request: HttpRequest, found: QuerySet[Any], *by_index: str) -> QuerySet[Any]:
    """What begins so in its own order; where there are many in that of the index that found them, for a list's search.

    Half a table may begin so, and would be sorted for one page. An order that somebody chose stays.
    """
    if request.GET.get(ORDER_VAR) or len(found.order_by().values_list("pk", flat=True)[: MANY + 1]) <= MANY:
        return found
    return found.order_by(*by_index)


def empty_as_least(model: type[models.Model], order: Iterable[Any]) -> list[Any]:
    """What has no value is below all that have one, as on SQLite; PostgreSQL would begin with it, the highest first."""
    if connection.vendor != "postgresql":
        return list(order)
    return [_empty_as_least(one) if _may_be_empty(model, one) else one for one in order]


def _empty_as_least(one: Any) -> OrderBy:
    by = one if isinstance(one, OrderBy) else OrderBy(F(one.lstrip("-")), descending=one.startswith("-"))
    place = {"nulls_last": True} if by.descending else {"nulls_first": True}
    return OrderBy(by.expression, by.descending, **place)


def _may_be_empty(model: type[models.Model], one: Any) -> bool:
    """A column of the model's own, or anything that is worked out; a relation is sorted as its model says."""
    if not isinstance(one, str):
        return isinstance(one, OrderBy) and one.nulls_first is one.nulls_last is None
    named = {field.name: field for field in model._meta.concrete_fields}
    field = named.get(one.lstrip("-"))
    return field is not None and field.null and not field.is_relation


def served(model_admin: Any, columns: Iterable[Any]) -> list[Any]:
    columns = list(columns)
    if estimate(model_admin.model) <= COUNT_LIMIT:
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
