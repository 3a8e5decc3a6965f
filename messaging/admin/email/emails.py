"""The mails that callbacks told of: submitted and delivered side by side, with filters and exports."""

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.kit.admin.read_only import ExactSearch, ReadOnlyAdmin
from laaffic_console.kit.masking.masked_admin import MaskedNumbers, number_cell
from laaffic_console.kit.registers import meanings
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
class EmailMessageAdmin(MaskedNumbers, ExportedList, ExactSearch, ReadOnlyAdmin):
    when_empty = gettext_lazy("Each email of a campaign is listed here as soon as Laaffic has reported it.")
    masked = ("address",)
    typed = ("remark",)
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
    parents = {"campaign__id__exact": ("campaign", "submission")}
    list_select_related = ["campaign"]
    search_fields = ["address"]
    search_help_text = gettext_lazy("A whole address or email id")
    export_name = "emails"
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

    @display(description=gettext_lazy("submission"), label=SUBMISSION_COLOURS)
    def submitted(self, mail: EmailMessage) -> tuple[int, str]:
        return mail.submission, meanings.inline("submission", mail.submission, mail.get_submission_display())

    @display(description=gettext_lazy("delivery"), label=DELIVERY_COLOURS)
    def delivered(self, mail: EmailMessage) -> tuple[int, str]:
        return mail.delivery, meanings.inline("delivery", mail.delivery, mail.get_delivery_display())
