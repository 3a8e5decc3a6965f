"""Filters of the list of contacts: group, import, country."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from laaffic_console.kit.lists import distinct_values
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.words import countries
from laaffic_console.kit.words.plain_text import whole_number
from messaging.models import Contact, ContactImport, GroupMembership, ImportedChange
from messaging.services.contacts import erasures


class GroupFilter(admin.SimpleListFilter):
    title = gettext_lazy("group")
    parameter_name = "group"

    template = "unfold/filters/filters_field.html"
    form_class = AutocompleteDropdownForm  # unfold loads its scripts

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.request, self.model_admin = request, model_admin
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Any:
        """A field that completes a group's name, however many groups there are."""
        chosen = self.value() or ""
        yield {
            "form": self.form_class(
                request=self.request,
                name=self.parameter_name,
                label=self.title,
                choices=(),
                field=Contact._meta.get_field("groups"),
                model_admin=self.model_admin,
                initial={self.parameter_name: chosen} if whole_number(chosen) else {},
            )
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        value = self.value()
        if not value:
            return queryset
        if (group := whole_number(value)) is None:
            raise IncorrectLookupParameters
        return queryset.filter(groups=group)


MEMBERS = GroupMembership._meta.db_table
OF_MEMBER: Any = RawSQL(f"{MEMBERS}.contact_id", [])  # noqa: S611 - a model's table


def in_order_of_members(found: QuerySet[Contact]) -> QuerySet[Contact]:
    """The contacts of a group, the newest first, ordered by the membership's `contact_id`, as its index is.

    By the contact's own id, which has the same values, SQLite would sort the whole group for each page.
    """
    order = [one for one in found.query.order_by if isinstance(one, str)]
    is_by_id = {one.lstrip("-") for one in order} <= {"id", "pk"} and len(order) == len(found.query.order_by) > 0
    if not (is_by_id and found.query.alias_refcount.get(MEMBERS)):
        return found
    return found.order_by(OF_MEMBER.desc() if order[0].startswith("-") else OF_MEMBER.asc())


class ImportFilter(admin.SimpleListFilter):
    """Contacts that one import added or updated. Its page links here; the filter is shown only while it is set."""

    title = gettext_lazy("import")
    parameter_name = "import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        what, pk = self._asked(request.GET.get(self.parameter_name, ""))
        job = ContactImport.objects.filter(pk=pk).first() if pk else None
        if job is None:
            return []
        words = {
            "added": _("added by %(import)s"),
            "updated": _("updated by %(import)s"),
            "erased": _("erased before, added by %(import)s"),
        }
        return [(f"{what}-{job.pk}", words[what] % {"import": job})]

    def has_output(self) -> bool:
        return bool(self.value())

    @staticmethod
    def _asked(value: str) -> tuple[str, int | None]:
        what, _dash, pk = value.partition("-")
        return what, whole_number(pk) if what in ("added", "updated", "erased") else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        value = self.value()
        if not value:
            return queryset
        what, pk = self._asked(value)
        if pk is None:
            raise IncorrectLookupParameters
        if what == "added":
            return queryset.filter(imported_by=pk)
        if what == "erased":
            return queryset.filter(imported_by=pk, number__among=erasures.numbers())
        return queryset.filter(pk__in=ImportedChange.objects.filter(contact_import=pk).values("contact"))


class CountryFilter(ChoiceFilter):
    """The countries that contacts have, by name; one that is asked for stays offered, so that it can be left again."""

    title = gettext_lazy("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name, "")
        codes = {*distinct_values.by_index(Contact, "country"), asked if asked in countries.CODES else ""} - {""}
        return sorted(((code, countries.name_of(code)) for code in codes), key=lambda one: one[1].casefold())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        return queryset.filter(country=self.value()) if self.value() else queryset
