"""Taking rows away as a file is a right of its own, `export_…` beside `view_…`: who looks cannot carry a list off."""

from typing import Any

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from laaffic_console.kit.pages import require


def rights(model: type[Model]) -> list[str]:
    """The permissions that somebody needs who exports rows of the model: to see them, and to take them away."""
    options = model._meta
    return [f"{options.app_label}.{get_permission_codename(verb, options)}" for verb in ("view", "export")]


def require_export(request: HttpRequest, model: type[Model]) -> None:
    require(request, *rights(model))


class Exporting:
    """Mixin for a ModelAdmin: actions with the permission "export", and buttons that only exporters see."""

    model: Any
    opts: Any
    get_changelist_instance: Any

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perms(rights(self.model)))

    def rows_shown(self, request: HttpRequest) -> QuerySet[Any] | HttpResponseRedirect:
        """The rows that the list shows with these filters; where they are wrong, a redirect to the list with its
        error."""
        try:
            found: QuerySet[Any] = self.get_changelist_instance(request).get_queryset(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup):
            page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return HttpResponseRedirect(f"{page}?{ERROR_FLAG}=1")
        return found
