"""Rows written by machines: nobody adds, changes or deletes them in the admin."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, QuerySet
from django.http import HttpRequest

from laaffic_console.kit.admin.console_admin import ModelAdmin
from laaffic_console.kit.lists.paginator import BigTablePaginator
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.plain_text import plain


class ReadOnlyAdmin(ModelAdmin):
    paginator = BigTablePaginator
    show_full_result_count = False
    list_per_page = 50
    list_filter_sheet = False
    actions = None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A row's page tells moments to the second, one minute has all of a call; and of a list's badge the word."""
        parts = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):  # a form takes names alone
            return parts
        return [(name, {**options, "fields": self._told(options["fields"])}) for name, options in parts]

    def _told(self, fields: Any) -> list[Any]:
        return [
            self._told(one)
            if isinstance(one, list | tuple)
            else exact_moment(self.model, one) or self._word(one) or one
            for one in fields
        ]

    def _word(self, name: Any) -> Callable[[Any], Any] | None:
        """The words of a column with a badge of (which, words); the same object each time: Django compares them."""
        badge = getattr(self, name, None) if isinstance(name, str) else None
        if not getattr(badge, "label", None):
            return None
        kept: dict[str, Callable[[Any], Any]] = self.__dict__.setdefault("_words_of_badges", {})
        return kept.setdefault(name, word_of(badge))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DeletedWithAccount(ReadOnlyAdmin):
    """Rows that go with their account, and never alone."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only on the account's page, for anyone who may delete that."""
        match = request.resolver_match
        is_of_account = match is not None and (match.url_name or "").startswith("auth_user_")
        return is_of_account and request.user.has_perm("auth.delete_user")


@cache
def exact_moment(model: Any, name: Any) -> Callable[[Any], str] | None:
    """A field's moment to the second, under its own heading; None for no moment."""
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


def word_of(badge: Any) -> Callable[[Any], Any]:
    def shown(row: Any) -> Any:
        said = badge(row)
        return said[1] if isinstance(said, tuple) else said

    shown.__name__ = badge.__name__
    shown.short_description = badge.short_description  # type: ignore[attr-defined]
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
