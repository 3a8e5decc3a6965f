"""What people answer, beside whom it is from and which campaign it answers."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.dashboard.read_only import ReadOnlyAdmin
from messaging.models import Contact, Reply

SHOWN = 80  # characters in the list; a reply's own page has all of it


class OptOutFilter(admin.SimpleListFilter):
    title = gettext_lazy("opted out")
    parameter_name = "stop"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Reply]) -> QuerySet[Reply]:
        match self.value():
            case "yes":
                return queryset.exclude(opt_out="")
            case "no":
                return queryset.filter(opt_out="")
        return queryset


@admin.register(Reply)
class ReplyAdmin(ReadOnlyAdmin):
    list_display = ["number", "whose", "said", "obeyed", "answers", "at", "source"]
    fields = ["number", "content", "at", "sent_to", "campaign", "opt_out", "suppressed_on", "source", "received_at"]
    list_filter = [OptOutFilter, "source"]
    list_select_related = ["campaign"]
    search_fields = ["number"]
    search_help_text = gettext_lazy("The beginning of a number")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().changelist_view(request, extra_context)
        if changelist := getattr(response, "context_data", {}) and response.context_data.get("cl"):
            changelist.result_list = with_contacts(changelist.result_list)
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Reply], search_term: str
    ) -> tuple[QuerySet[Reply], bool]:
        digits = "".join(search_term.strip().lstrip("+").split())
        if not digits:
            return queryset, False
        return queryset.filter(number__gte=digits, number__lt=digits + "~"), False

    @display(description=gettext_lazy("contact"))
    def whose(self, reply: Reply) -> SafeString | str:
        contact = getattr(reply, "contact", None)
        if contact is None:
            return "–"
        page = reverse("admin:messaging_contact_change", args=[contact.pk])
        return format_html('<a class="c-link" href="{}">{}</a>', page, contact.name or contact.number)

    @display(description=gettext_lazy("text"))
    def said(self, reply: Reply) -> SafeString:
        shown = Truncator(reply.content).chars(SHOWN)
        return format_html('<span style="white-space: normal" title="{}">{}</span>', reply.content, shown)

    @display(description=gettext_lazy("opted out"), label="warning")
    def obeyed(self, reply: Reply) -> str:
        return _("Suppressed: %(channel)s") % {"channel": reply.suppressed_on.upper()} if reply.opt_out else ""

    @display(description=gettext_lazy("answers"))
    def answers(self, reply: Reply) -> SafeString | str:
        if reply.campaign is None:
            return "–"
        page = reverse("admin:messaging_campaign_change", args=[reply.campaign_id])
        return format_html('<a class="c-link" href="{}">{}</a>', page, reply.campaign.name)


def with_contacts(replies: Any) -> list[Reply]:
    """Each with the contact it is from: one query for all of them."""
    shown = list(replies)
    known = {contact.number: contact for contact in Contact.objects.filter(number__in={r.number for r in shown})}
    for reply in shown:
        reply.contact = known.get(reply.number)
    return shown
