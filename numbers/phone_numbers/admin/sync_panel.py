"""Above each list: how old our copy is, a button that makes a new one, and the exports of what is shown."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from laaffic_console import exports as files
from laaffic_console.dashboard.exporting import Exporting, require_export
from laaffic_console.dashboard.pages import may_see_contacts, require
from laaffic_console.dashboard.read_only import ReadOnlyAdmin
from phone_numbers import exports
from phone_numbers.models import SyncStatus
from phone_numbers.services import scheduling


class SyncedListAdmin(Exporting, ReadOnlyAdmin):
    """The rows are Laaffic's: they are read from there and changed only through services."""

    list_before_template = "numbers/sync_panel.html"
    resource_class: Any
    change_permission: str  # who may ask for a synchronisation

    class Media:
        js = ["numbers/countdown.js"]

    def sync_names(self) -> Sequence[str]:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, self._url_name
        return [
            path("sync/", wrap(self.sync_view), name=name("sync")),
            path("export/<slug:kind>/", wrap(self.export_view), name=name("export")),
            *super().get_urls(),
        ]

    def _url_name(self, verb: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{verb}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        names = list(self.sync_names())
        statuses = list(SyncStatus.objects.filter(name__in=names).order_by("name"))
        panel = {
            "statuses": [(status, scheduling.is_old(status)) for status in statuses],
            "nobody_uses_numbers": not names,
            "is_running": any(is_running(status) for status in statuses),
            "may_sync": request.user.has_perm(self.change_permission),
            "sync_url": reverse(f"admin:{self._url_name('sync')}"),
            "exports": [
                (kind.upper(), reverse(f"admin:{self._url_name('export')}", args=[kind])) for kind in files.KINDS
            ]
            if self.has_export_permission(request)
            else [],
        }
        return super().changelist_view(request, {**(extra_context or {}), **panel})

    def sync_view(self, request: HttpRequest) -> HttpResponse:
        require(request, self.change_permission)
        if request.method != "POST":
            raise Http404
        if asked := scheduling.request(*self.sync_names()):
            messages.success(request, _("Asked for. The figures below move when a worker has read the list."))
        if not asked:
            messages.error(request, _("Register an application of the channel Numbers first."))
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('changelist')}"))

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse | StreamingHttpResponse:
        """What the list shows with its filters and search, all pages of it."""
        require_export(request, self.model)
        if kind not in files.KINDS:
            raise Http404
        shown = self.rows_shown(request)
        if isinstance(shown, HttpResponseRedirect):
            return shown
        resource = self.resource_class()
        resource.with_names = may_see_contacts(request)
        return files.answer(exports.rows(resource, shown), kind, str(self.opts.model_name))


def is_running(status: SyncStatus) -> bool:
    waits = status.requested_at is not None
    return waits or (status.started_at is not None and status.finished_at is None)
