"""Rows written by machines: nobody adds, changes or deletes them in the admin."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest

from laaffic_console.kit import dates
from laaffic_console.kit.console_admin import ModelAdmin
from laaffic_console.kit.paginator import BigTablePaginator
from laaffic_console.kit.plain_text import plain


class ReadOnlyAdmin(ModelAdmin):
    paginator = BigTablePaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_sheet = False
    actions = None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row's page tells moments to the second: one minute has all of a call or of a request."""
        parts = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):  # a form takes names alone
            return parts
        return [(name, {**options, "fields": self._exact(options["fields"])}) for name, options in parts]

    def _exact(self, fields: Any) -> list[Any]:
        return [
            self._exact(one) if isinstance(one, list | tuple) else exact_moment(self.model, one) or one
            for one in fields
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@cache
def exact_moment(model: Any, name: Any) -> Callable[[Any], str] | None:
    """For fields: a moment under its own heading, to the second; the same one each time, since Django compares them."""
    try:
        field = model._meta.get_field(name)
    except (FieldDoesNotExist, TypeError):
        return None
    if not isinstance(field, DateTimeField):
        return None

    def shown(row: Any) -> str:
        at = getattr(row, name)
        return dates.exact(at) if at else "–"

    shown.__name__ = name
    shown.short_description = field.verbose_name  # type: ignore[attr-defined]
    return shown


class ExactSearch:
    """Search by a few exact columns: an index answers, however large the table."""

    exact_search: tuple[str, ...] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = plain(search_term)
        if not term:
            return queryset, False
        return queryset.filter(self.search_condition(term)), False

    def search_condition(self, term: str) -> Any:
        from django.db.models import Q

        condition = Q()
        for column in self.exact_search:
            condition |= Q(**{column: term})
        return condition
