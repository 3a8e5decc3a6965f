"""Lists that are searched by the beginning of a number, by a range that the index answers."""

from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from laaffic_console.kit.registers.search_kinds import beginning_with
from laaffic_console.kit.words import plain_text
from messaging.subscribers import spellings

_BesideModelAdmin: Any = object  # the classes that it is beside differ in what they say of the same attributes


class SearchedByNumber(_BesideModelAdmin):
    """For a ModelAdmin whose rows have a `number`."""

    search_fields: Any = ("number",)
    search_help_text: Any = gettext_lazy("The beginning of a number")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        digits = plain_text.digits_of(search_term)
        if not search_term.strip():
            return queryset, False
        if not digits:
            return queryset.none(), False
        found = queryset.filter(beginning_with("number", digits) | Q(number__in=spellings(digits)[1:]))
        return found if ORDER_VAR in request.GET else found.order_by("number", "pk"), False
