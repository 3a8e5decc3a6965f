"""The lists that are copied from Laaffic, with the exports of what is shown."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse

from laaffic_console.gateway.copied_lists import CopiedListAdmin
from laaffic_console.kit import exports as files
from laaffic_console.kit.exporting import Exporting, require_export
from laaffic_console.kit.pages import may_see_contacts
from phone_numbers import exports as exported
from phone_numbers.services import syncing


class SyncedListAdmin(Exporting, CopiedListAdmin):
    copies = syncing.COPIES
    resource_class: Any

    class Media:
        js = ["numbers/countdown.js"]

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("export/<slug:kind>/", export, name=self.page_name("export")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        kinds = files.KINDS if self.has_export_permission(request) else ()
        page_name = f"admin:{self.page_name('export')}"
        exports = [(kind.upper(), reverse(page_name, args=[kind])) for kind in kinds]
        return super().changelist_view(request, {**(extra_context or {}), "exports": exports})

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
        return files.answer(exported.rows(resource, shown), kind, str(self.opts.model_name))
