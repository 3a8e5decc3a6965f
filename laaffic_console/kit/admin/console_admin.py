"""What every admin of the console has from here: a list answers only what it offers, and remembers what was added."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ORDER_VAR
from django.db import IntegrityError, models, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from unfold import admin as unfold

from laaffic_console.kit.admin.own_words import SaysWhatWasDone
from laaffic_console.kit.admin.page_links import PageLink
from laaffic_console.kit.audit import acts
from laaffic_console.kit.forms import edits, kept_forms
from laaffic_console.kit.lists import list_columns, list_order
from laaffic_console.kit.lists.changelists import changelist_of
from laaffic_console.kit.lists.choice_filters import require_choices
from laaffic_console.kit.lists.paginator import BigTablePaginator, estimate
from laaffic_console.kit.lists.spans import within_span
from laaffic_console.kit.registers import menu
from laaffic_console.kit.sql import database_troubles
from laaffic_console.kit.words.plain_text import whole_number, without_marks

logger = logging.getLogger(__name__)

STOCK_TITLES = ("Add %s", "Change %s", "View %s")


class ConsoleList:
    """Mixin for a ChangeList that refuses what is in the address and belongs to no filter, instead of trying it."""

    model: type[models.Model]
    model_admin: Any
    get_filters_params: Any
    list_display: list[Any]
    params: dict[str, Any]
    sortable_by: list[Any]
    of_parent: tuple[str, int] | None = None

    def __init__(self, request: HttpRequest, model: Any, columns: Any, links: Any, *args: Any, **kwargs: Any) -> None:
        hidden = list_columns.hidden_from(request, model)
        self.all_columns, links = list_columns.drawn(model, columns), links and list_columns.drawn(model, links)
        self.offered_columns = list_columns.offered(_admin_among(args), self.all_columns, links, hidden)
        hides = {one.name for one in self.offered_columns if not one.is_shown}
        shown = [one for one in self.all_columns if list_columns.name_of(one) not in hides]
        super().__init__(request, model, shown, links, *args, **kwargs)  # type: ignore[call-arg]
        self.sortable_by = list_columns.drawn(model, self.sortable_by)  # as the columns are, so that headings find them
        opts = self.model_admin.opts
        named = menu.title_of(f"{opts.app_label}_{opts.model_name}_changelist") or opts.verbose_name_plural
        self.title = capfirst(named)  # as in the menu, and not "Select contact to change"
        self.add_page = _openable(self.model_admin.add_page, request)
        self.empty_link = _openable(self.model_admin.when_empty_link, request) or self.add_page

    def get_queryset(self, request: HttpRequest, **kwargs: Any) -> Any:
        """The rows, with what else the shown columns read."""
        found = super().get_queryset(request, **kwargs)  # type: ignore[misc]
        if self.of_parent:
            lookup, pk = self.of_parent
            name, by = self.model_admin.parents[lookup]
            found = within_span(found, name, pk, by=by)
            asked = list(super().get_filters_params())  # type: ignore[misc]
            self.clear_all_filters_qs = self.get_query_string({lookup: str(pk)}, asked)
        found = self.model_admin.arranged(found)
        needs = self.model_admin.read_for_columns
        wanted = [needs[name] for name in map(list_columns.name_of, self.list_display) if name in needs]
        return found.prefetch_related(*wanted) if wanted else found

    def get_ordering_field(self, field_name: Any) -> Any:
        """None for a column by which this list is not sorted, whatever the address says."""
        sortable = map(list_columns.name_of, self.sortable_by)
        return super().get_ordering_field(field_name) if list_columns.name_of(field_name) in sortable else None  # type: ignore[misc]

    def get_ordering_field_columns(self) -> Any:
        with self._order_of_what_is_shown():
            return super().get_ordering_field_columns()  # type: ignore[misc]

    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        """A long list is ordered by one column, with the id the same way: an index of both is read from either end."""
        with self._order_of_what_is_shown():
            order = super().get_ordering(request, queryset)  # type: ignore[misc]
        if not request.GET.get(ORDER_VAR):
            return order
        is_long = any(column not in self.sortable_by for column in self.model_admin.get_list_display(request))
        if not (is_long and isinstance(order[0], str)):
            return list_order.empty_as_least(self.model_admin.model, order)
        return [order[0], "-pk" if order[0].startswith("-") else "pk"]

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> Any:
        if new_params and ORDER_VAR in new_params:
            places = self._renumbered(new_params[ORDER_VAR], self.list_display, self.all_columns)
            new_params = {**new_params, ORDER_VAR: places}
        return super().get_query_string(new_params, remove)  # type: ignore[misc]

    @contextmanager
    def _order_of_what_is_shown(self) -> Iterator[None]:
        """Addresses number all columns, so that a kept filter sorts alike whatever is hidden."""
        kept = self.params
        if ORDER_VAR in kept:
            places = self._renumbered(kept[ORDER_VAR], self.all_columns, self.list_display)
            self.params = {**kept, ORDER_VAR: places}
        try:
            yield
        finally:
            self.params = kept

    @staticmethod
    def _renumbered(order: str, before: list[Any], after: list[Any]) -> str:
        """“-3.1” for columns that are elsewhere now; unknown columns are left out."""
        parts = [(part[: -len(part.lstrip("-"))], part.lstrip("-")) for part in order.split(".") if part.strip("-")]
        known = [(sign, before[int(at)]) for sign, at in parts if at.isdecimal() and int(at) < len(before)]
        return ".".join(f"{sign}{after.index(column)}" for sign, column in known if column in after)

    def get_filters(self, request: HttpRequest) -> Any:
        found = super().get_filters(request)  # type: ignore[misc]
        offered = {*self.model_admin.lookups_beside_filters, *_short_forms(self.model_admin.get_list_filter(request))}
        if unknown := set(found[2]) - offered:
            raise DisallowedModelAdminLookup(f"No filter of this list asks for {', '.join(sorted(unknown))}")
        own = {getattr(one, "parameter_name", "") for one in found[0]}  # these know their words
        asked = {lookup: words for lookup, words in self.get_filters_params().items() if lookup not in own}
        require_choices(self.model, asked)
        self.of_parent = None if any(one.used_parameters for one in found[0]) else self._parent_among(found[2])
        return found

    def _parent_among(self, lookups: dict[str, Any]) -> tuple[str, int] | None:
        """The parent whose rows are asked for, taken out of the lookups: they are looked for where they lie."""
        for lookup in self.model_admin.parents:
            if (asked := whole_number(lookups.get(lookup, [""])[-1])) is not None:
                del lookups[lookup]
                return lookup, asked
        return None


def _admin_among(given: Iterable[Any]) -> Any:
    """The admin among the arguments of a ChangeList."""
    return next(one for one in given if isinstance(one, unfold.ModelAdmin))


def _unmarked(name: Any) -> Any:
    return without_marks(name) if isinstance(name, str) else name


def _without_zeros(amount: Any) -> Any:
    """An amount kept with six decimals as people write it for editing: 100000, and not 100000.000000."""
    if not isinstance(amount, Decimal):
        return amount
    return f"{amount.normalize():f}"


def _short_forms(list_filter: Any) -> set[str]:
    """`state=done` for a filter that itself asks for `state__exact=done`."""
    paths = [one[0] if isinstance(one, tuple | list) else one for one in list_filter]
    return {path for path in paths if isinstance(path, str)}


def _openable(link: PageLink | None, request: HttpRequest) -> PageLink | None:
    return link if link is not None and link.may_be_opened_by(request.user) else None


class ModelAdmin(SaysWhatWasDone, unfold.ModelAdmin):
    when_empty: ClassVar[Any] = ""  # how a list gets its first row, in a sentence
    when_empty_link: ClassVar[PageLink | None] = None  # where that is, if it is not the form of a new row
    add_page: ClassVar[PageLink | None] = None  # where a new row is made, if it is not the admin's own form
    list_links: ClassVar[Sequence[PageLink]] = ()  # what else is linked above the list
    add_words: ClassVar[Any] = ""  # on the button to the form of a new row, where "New …" does not say it
    lookups_beside_filters: ClassVar[tuple[str, ...]] = ()  # lookups that pages of ours link to
    parents: ClassVar[
        dict[str, tuple[str, str]]
    ] = {}  # {lookup beside filters: the parent's field, by (kit/lists/spans.py)}
    read_for_columns: ClassVar[dict[str, Any]] = {}  # {column: what is prefetched for it}
    is_named_as_a_whole: ClassVar[bool] = False  # "ledger", of which there are no twelve: they are counted as results

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        usual = super().get_changelist(request, **kwargs)
        return type(usual.__name__, (ConsoleList, usual), {})

    def get_list_links(self, request: HttpRequest) -> Sequence[PageLink]:
        """A hook for the links above the list, before those that the viewer may not open are left out."""
        return self.list_links

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Links stand where the theme has the acts of a list: in the header, and behind one button on a phone."""
        response = super().changelist_view(request, extra_context)
        if changelist_of(response):
            links = [link for link in self.get_list_links(request) if link.may_be_opened_by(request.user)]
            response.context_data["actions_list"] += [{"title": link.label, "path": link.url} for link in links]
        return response

    def arranged(self, found: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """A hook for the filtered and ordered rows of a list, to ask for them in a way that a database finds faster."""
        return found

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """Asked several times for a page, and looked at once."""
        columns = super().get_sortable_by(request)
        if not issubclass(self.paginator, BigTablePaginator):
            return columns
        known: dict[Any, Any] = request.__dict__.setdefault("sortable_by", {})
        if self not in known:
            known[self] = list_order.served(self, columns, self._estimated(request))
        return known[self]

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        paginator = super().get_paginator(request, *args, **kwargs)
        if isinstance(paginator, BigTablePaginator):
            paginator.rows_of_table = partial(self._estimated, request)
        return paginator

    def _estimated(self, request: HttpRequest) -> int:
        """The rows of the whole table, estimated once for a page."""
        known: dict[Any, int] = request.__dict__.setdefault("estimated_rows", {})
        if self.model not in known:
            known[self.model] = estimate(self.model)
        return known[self.model]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in self.lookups_beside_filters or super().lookup_allowed(lookup, value, request)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Where two people store one name at the same moment, one sees the form again: it had found the name free.

        The form is looked at and stored in one transaction, so nothing of it has happened.
        """
        try:
            response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError as problem:
            if not database_troubles.is_taken(problem):
                raise
            logger.warning("%s was stored by two at the same moment", request.path, exc_info=True)
            return kept_forms.to_send_again(request, _("Somebody has just stored one of the same name."))
        return response

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> Any:
        """A page is named after what it shows, where it gives itself no name."""
        if context.get("title") in {gettext(stock) % self.opts.verbose_name for stock in STOCK_TITLES}:
            context.pop("subtitle", None)  # it repeats the title
            context["title"] = str(obj) if obj else _("New %(thing)s") % {"thing": self.opts.verbose_name}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Names are stored without marks that nobody sees."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(db_field, models.CharField) and "name" in db_field.name:
            usual = field.to_python
            field.to_python = lambda value: _unmarked(usual(value))
        if field is not None and isinstance(db_field, models.DecimalField):
            field.prepare_value = _without_zeros
        return field

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Whether it may be deleted is looked at under its lock: another act, such as a launch, may begin with it."""
        if request.method != "POST":
            return super().delete_view(request, object_id, extra_context)
        with transaction.atomic():
            if (row := self.get_object(request, unquote(object_id))) is not None:
                kind = type(row)._base_manager
                kind.select_for_update().filter(pk=row.pk).values_list("pk").order_by().first()
            return super().delete_view(request, object_id, extra_context)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        request.made_at = reverse(name, args=[obj.pk])  # type: ignore[attr-defined]  # sent_once.py leads there
        acts.record(acts.Act.ADDED, obj, changes=edits.taken(request))
        return super().log_addition(request, obj, message)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Keep the edits for later: only here are form and row both at hand, and what is logged reads the request."""
        edits.keep(request, form, formsets)
        return super().construct_change_message(request, form, formsets, add)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if changes := edits.taken(request):
            acts.record(acts.Act.CHANGED, obj, changes=changes)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            acts.record(acts.Act.DELETED, row)
        return super().log_deletions(request, queryset)
