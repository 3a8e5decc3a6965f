"""Filters of a list, kept under a name: for oneself, or for everybody who may see that list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from laaffic_console.dashboard.models import SavedFilter
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words import said
from laaffic_console.kit.words.people import signed_in
from laaffic_console.kit.words.plain_text import is_blank, plain

MOST = 30  # of one person, for one list
# Which page, and what else a list's address has, which asks for no rows.
LEFT_OUT = {"p", "e", "all", "_changelist_filters", "_popup", "_to_field", "_facets"}


@dataclass(frozen=True, slots=True)
class Shown:
    pk: int
    name: str
    address: str
    is_shown_now: bool
    is_own: bool
    may_remove: bool


def cleaned(query: str) -> str:
    """The query in one form: the same filters and search give the same text, in whatever order they were chosen."""
    return urlencode(sorted((name, value) for name, value in parse_qsl(query) if name not in LEFT_OUT))


def of(model: type[Model], user: User, query: str) -> Sequence[Shown]:
    """The filters that somebody may use on this list, their own first; none that a switched-off account shares."""
    shared = Q(is_shared=True, owner__is_active=True)
    usable = SavedFilter.objects.filter(Q(owner=user) | shared, list_of=model._meta.label_lower)
    now = cleaned(query)
    page = page_of(model)
    rows = [
        Shown(
            row.pk,
            masks.in_text(row.name),
            f"{page}?{row.query}",
            is_shown_now=row.query == now,
            is_own=row.owner_id == user.pk,
            may_remove=may_remove(user, row),
        )
        for row in usable.order_by("name", "pk")
        if row.owner_id == user.pk or not _names_somebody(row.query)
    ]
    return sorted(rows, key=lambda row: not row.is_own)


def may_remove(user: User, row: SavedFilter) -> bool:
    """One's own; people who may change accounts, also what others share."""
    return row.owner_id == user.pk or (row.is_shared and user.has_perm("auth.change_user"))


def _names_somebody(query: str) -> bool:
    """Whether it searches for a number or an address, before somebody who sees them masked."""
    asked = [value for name, value in parse_qsl(query) if name == SEARCH_VAR or name.split("__")[0] in masks.COLUMNS]
    return any(masks.in_text(value) != value for value in asked)


def page_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep what the list shows now; a name that one has used already is taken over."""
    user, model = signed_in(request), list_asked_for(request)
    name, query = plain(request.POST.get("name", ""))[:60], cleaned(request.POST.get("query", ""))
    back = HttpResponseRedirect(f"{page_of(model)}?{query}" if query else page_of(model))
    own = SavedFilter.objects.filter(owner=user, list_of=model._meta.label_lower)
    if is_blank(name) or not query:
        messages.error(request, _("Choose a filter or search for something, and give it a name: then it can be kept."))
    elif len(query) > 2000:
        messages.error(request, _("This is too long to be kept. Search for less."))
    elif own.exclude(name=name).count() >= MOST:
        messages.error(request, _("You have kept %(n)d for this list. Remove one first.") % {"n": MOST})
    else:
        _keep(own, model, SavedFilter(owner=user, name=name, query=query, is_shared="is_shared" in request.POST))
        messages.success(request, _("Kept as “%(name)s”.") % {"name": name})
    return back


@transaction.atomic
def _keep(own: QuerySet[SavedFilter], model: type[Model], kept: SavedFilter) -> None:
    """Record what others see of it: that it is shared, for what, and no longer."""
    before = own.filter(name=kept.name, is_shared=True).first()
    given = {"query": kept.query, "is_shared": kept.is_shared}
    SavedFilter.objects.update_or_create(given, owner=kept.owner, list_of=model._meta.label_lower, name=kept.name)
    if kept.is_shared and (before is None or before.query != kept.query):
        event = said.gettext("The filter “%(name)s” is shared with everybody who sees this list")
        record(Act.CHANGED, model, event=event % {"name": kept.name}, filters=kept.query)
    elif before is not None and not kept.is_shared:
        event = said.gettext("The filter “%(name)s” is no longer shared")
        record(Act.CHANGED, model, event=event % {"name": kept.name})


@require_POST
@transaction.atomic
def remove_view(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(SavedFilter, pk=pk)
    if not may_remove(signed_in(request), row):
        raise PermissionDenied
    model = _model(row.list_of)
    row.delete()
    if row.is_shared:
        event = said.gettext("The shared filter “%(name)s” is removed")
        record(Act.CHANGED, model, event=event % {"name": row.name}, filters=row.query)
    messages.success(request, _("“%(name)s” is removed.") % {"name": row.name})
    return HttpResponseRedirect(page_of(model))


def list_asked_for(request: HttpRequest) -> Any:
    """The list's model, for anyone who may see it."""
    model = _model(request.POST.get("list", ""))
    if not admin.site.get_model_admin(model).has_view_permission(request):
        raise PermissionDenied
    return model


def _model(label: str) -> type[Model]:
    try:
        model: type[Model] = apps.get_model(label)
    except (LookupError, ValueError):
        raise Http404 from None
    if model not in admin.site._registry:
        raise Http404
    return model
