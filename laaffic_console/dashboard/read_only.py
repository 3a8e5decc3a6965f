"""Rows written by machines: nobody adds, changes or deletes them in the admin."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from laaffic_console.dashboard.console_admin import ModelAdmin
from laaffic_console.dashboard.paginator import BigTablePaginator
from laaffic_console.plain_text import plain


class ReadOnlyAdmin(ModelAdmin):
    paginator = BigTablePaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_sheet = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
