"""A list of the admin with its exports: the buttons, their address, and what comes of them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from laaffic_console.exporting import delivery
from laaffic_console.kit.files import exports
from laaffic_console.kit.files.exporting import Exporting


class ExportedList(Exporting):
    """Mixin for a ModelAdmin whose list is a registered kind (lists.kind_of).

    The buttons are beside those for its columns and filters (admin/change_list.html).
    """

    admin_site: Any
    export_name: str = ""  # the file's name; "" for the model's

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        others: list[URLPattern] = super().get_urls()  # type: ignore[misc]
        return [path("export/<slug:kind>/", view, name=self._export_page), *others]

    @property
    def _export_page(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_export"

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """What the list shows with its filters and search, all pages of it."""
        file_name = self.export_name or str(self.opts.model_name)
        answer: HttpResponse = delivery.deliver_list(request, self, kind, file_name=file_name)
        return answer

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        kinds = exports.KINDS if self.has_export_permission(request) else ()
        buttons = [(kind.upper(), reverse(f"admin:{self._export_page}", args=[kind])) for kind in kinds]
        return super().changelist_view(request, {"exports": buttons, **(extra_context or {})})  # type: ignore[misc]
