"""A list of the admin with its exports: the buttons, their address, and what comes of them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from laaffic_console.exporting import delivery
from laaffic_console.kit.files import exports as files
from laaffic_console.kit.files.exporting import Exporting


class ExportedList(Exporting):
    """For a ModelAdmin whose list is a registered kind (lists.kind_of).

    The buttons are drawn by the list's own panel, or by exporting/list_buttons.html as its `list_before_template`.
    """

    admin_site: Any
    export_name: str = ""  # of the file; else the model's

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
        kinds = files.KINDS if self.has_export_permission(request) else ()
        buttons = [(kind.upper(), reverse(f"admin:{self._export_page}", args=[kind])) for kind in kinds]
        return super().changelist_view(request, {"exports": buttons, **(extra_context or {})})  # type: ignore[misc]


class ExportedByActions(Exporting):
    """The same where the list has other buttons above it: its `actions_list` names these two among them."""

    export_name: str = ""  # of the file; else the model's

    @action(description=gettext_lazy("Export CSV"), url_path="export-csv", permissions=["export"])
    def export_csv(self, request: HttpRequest) -> Any:
        return self.export_list(request, "csv")

    @action(description=gettext_lazy("Export XLSX"), url_path="export-xlsx", permissions=["export"])
    def export_xlsx(self, request: HttpRequest) -> Any:
        return self.export_list(request, "xlsx")

    def export_list(self, request: HttpRequest, kind: str) -> Any:
        """What the list shows with this search and these filters, and nothing else."""
        file_name = self.export_name or str(self.opts.model_name)
        return delivery.deliver_list(request, self, kind, file_name=file_name)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The buttons above the list act on the list as it is filtered."""
        response: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        query = request.GET.urlencode()
        context = getattr(response, "context_data", None) or {}
        if query and "actions_list" in context:
            context["actions_list"] = [
                {**button, "path": f"{button['path']}?{query}"} if button.get("path") else button
                for button in context["actions_list"]
            ]
        return response
