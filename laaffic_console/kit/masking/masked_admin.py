"""Lists and pages whose numbers are masked, and the button that shows one of them and records who has looked."""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _

from laaffic_console.kit.audit import acts
from laaffic_console.kit.lists import list_order
from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import own_page, page


def may_reveal(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(masks.REVEAL))


_BesideModelAdmin: Any = object  # the classes that it is beside differ in what they say of the same attributes


class MaskedTexts(_BesideModelAdmin):
    """Mixin for a ModelAdmin of rows whose `typed` columns are texts in which numbers may be among other things."""

    masked: ClassVar[tuple[str, ...]] = ()
    typed: ClassVar[tuple[str, ...]] = ()
    model: Any

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._shown(super().get_list_display(request), is_list=True)

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return super().get_list_display_links(request, list_display) and self._shown(
            super().get_list_display_links(request, list_display), is_list=True
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        parts = super().get_fieldsets(request, obj)
        return [(name, {**options, "fields": self._shown(options["fields"], request)}) for name, options in parts]

    def _shown(self, columns: Any, page_of: HttpRequest | None = None, *, is_list: bool = False) -> Any:
        """The columns of a list, or the fields of somebody's page of one row, which offers to show the first."""
        if not columns or (masks.may_see() and not is_list):  # the page may be a form
            return columns
        return [
            self._shown(one, page_of, is_list=is_list)
            if isinstance(one, list | tuple)
            else self._column(one, page_of if one in self.masked[:1] else None)
            if one in (*self.masked, *self.typed)
            else one
            for one in columns
        ]

    def _column(self, name: str, page_of: HttpRequest | None) -> Callable[[Any], Any]:
        """The column with masked values, as the same object whenever Django asks for it: Django compares them."""
        keeper = page_of or self
        kept: dict[str, Callable[[Any], Any]] = keeper.__dict__.setdefault("_masked_columns", {})
        return kept.setdefault(name, column(self.model, name, page_of, is_typed=name in self.typed))


class MaskedNumbers(MaskedTexts):
    """Mixin for a ModelAdmin that shows `masked` columns as the viewer may see them, in the list and on a row's page.

    A person who has the number of a row shown sees its `typed` columns whole with it.
    """

    opts: Any
    admin_site: Any

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        if not masks.may_see():
            found.search_help_text = _("Numbers and addresses are masked for you: only whole ones are found")
        return found

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """An order says of each number between which others it lies."""
        columns = super().get_sortable_by(request)
        if masks.may_see():
            return columns
        return [column for column in columns if list_order.order_of(self, column) not in self.masked]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A form would show the number, or take the masked one for it."""
        return masks.may_see() and super().has_change_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reveal_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_reveal"
        return [path("<int:pk>/reveal/", view, name=name), *super().get_urls()]

    def reveal_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A GET asks; a POST shows what is masked of this row, and records it."""
        row = self.model._default_manager.filter(pk=pk).first()
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row) or not may_reveal(request):
            raise PermissionDenied
        context: dict[str, Any] = {"back": own_page(row)}
        if request.method == "POST":
            acts.record(acts.Act.REVEALED, row)
            name_of = self.model._meta.get_field
            rows = [(name, getattr(row, name)) for name in self.masked]
            rows += [(name, said) for name in self.typed if masks.mask_in_text(said := as_text(row, name)) != said]
            context["rows"] = [(name_of(name).verbose_name, value) for name, value in rows]
        return page(self, request, "console/reveal.html", _("Show the number"), row=row, **context)


def as_text(row: Any, name: str) -> str:
    value = getattr(row, name)
    return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else str(value)


def column(model: Any, name: str, page_of: HttpRequest | None, *, is_typed: bool = False) -> Callable[[Any], Any]:
    """A masked column for list_display and fields, under its own name and heading."""

    def shown(row: Any) -> Any:
        if is_typed:
            return masks.in_text(as_text(row, name))
        cell = number_cell(getattr(row, name)) or "–"
        return format_html("{} {}", cell, reveal_link(page_of, row)) if page_of else cell

    shown.__name__ = name
    shown.short_description = model._meta.get_field(name).verbose_name  # type: ignore[attr-defined]
    shown.admin_order_field = name  # type: ignore[attr-defined]
    return shown


def number_cell(value: Any) -> Any:
    """A number or an address as the viewer may see it; who sees it whole can copy it (console.js)."""
    if not value:
        return value
    if not masks.may_see():
        return format_html('<span class="c-mono">{}</span>', masks.masked(value))
    return format_html(
        '<span class="c-mono c-number-mono" data-copy="{}" data-copied="{}">{}</span>', _("Copy"), _("Copied"), value
    )


def reveal_link(request: HttpRequest, row: models.Model) -> str:
    """The way to the page that shows it; "" for anyone who sees it already, or may not."""
    if masks.may_see() or not may_reveal(request):
        return ""
    address = own_page(row, "reveal")
    return format_html('<a class="c-link" href="{}" data-post>{}</a>', address, _("Show the number"))
