"""The mails that callbacks told of: submitted and delivered side by side, with filters and exports."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from laaffic_console.exporting import delivery
from laaffic_console.kit import meanings
from laaffic_console.kit.exporting import Exporting
from laaffic_console.kit.masked_admin import MaskedNumbers, number_cell
from laaffic_console.kit.read_only import ExactSearch, ReadOnlyAdmin
from messaging.models import Delivery, EmailMessage, Submission

SUBMISSION_COLOURS = {
    Submission.UNSAID: "warning",
    Submission.FAILED: "danger",
    Submission.SUBMITTED: "success",
}
DELIVERY_COLOURS = {
    Delivery.NONE: "default",
    Delivery.PENDING: "info",
    Delivery.EXPIRED: "danger",
    Delivery.UNDELIVERED: "danger",
    Delivery.DELIVERED: "success",
}


@admin.register(EmailMessage)
class EmailMessageAdmin(MaskedNumbers, Exporting, ExactSearch, ReadOnlyAdmin):
    when_empty = gettext_lazy("Each mail of an email campaign is listed here as soon as Laaffic has reported it.")
    masked = ("address",)
    list_display = [
        "shown_address",
        "submitted",
        "delivered",
        "delivered_at",
        "campaign",
        "remark",
        "email_id",
        "told_at",
    ]
    list_filter = ["submission", "delivery"]
    lookups_beside_filters = ("campaign__id__exact",)
    list_select_related = ["campaign"]
    search_fields = ["address"]
    search_help_text = gettext_lazy("A whole address or email id")
    actions_list = ["export_csv", "export_xlsx"]
    readonly_fields = [
        "campaign",
        "address",
        "email_id",
        "task_id",
        "submission",
        "raw_state",
        "remark",
        "told_at",
        "delivery",
        "delivered_at",
    ]
    fields = readonly_fields

    def search_condition(self, term: str) -> Q:
        return Q(address=term.lower()) | Q(email_id=term)

    @display(description=gettext_lazy("address"), ordering="address")
    def shown_address(self, mail: EmailMessage) -> str:
        return number_cell(mail.address) or "–"

    @display(description=gettext_lazy("submitted"), label=SUBMISSION_COLOURS)
    def submitted(self, mail: EmailMessage) -> tuple[int, str]:
        return mail.submission, meanings.inline("submission", mail.submission, mail.get_submission_display())

    @display(description=gettext_lazy("delivered"), label=DELIVERY_COLOURS)
    def delivered(self, mail: EmailMessage) -> tuple[int, str]:
        return mail.delivery, meanings.inline("delivery", mail.delivery, mail.get_delivery_display())

    @action(description=gettext_lazy("Export CSV"), url_path="export-csv", permissions=["export"])
    def export_csv(self, request: HttpRequest) -> Any:
        return self._export(request, "csv")

    @action(description=gettext_lazy("Export XLSX"), url_path="export-xlsx", permissions=["export"])
    def export_xlsx(self, request: HttpRequest) -> Any:
        return self._export(request, "xlsx")

    def _export(self, request: HttpRequest, kind: str) -> Any:
        """Exactly what the list shows, with its filters and its search."""
        return delivery.deliver_list(request, self, kind, file_name="emails")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The buttons above the list act on the list as it is filtered."""
        response = super().changelist_view(request, extra_context)
        query = request.GET.urlencode()
        context = getattr(response, "context_data", None) or {}
        if query and "actions_list" in context:
            context["actions_list"] = [
                {**button, "path": f"{button['path']}?{query}"} if button.get("path") else button
                for button in context["actions_list"]
            ]
        return response
