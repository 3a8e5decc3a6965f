"""What people answer, beside whom it is from and which campaign it answers."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.decorators import display

from laaffic_console.exporting.exported_list import ExportedList
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.lists.changelists import changelist_of
from laaffic_console.kit.lists.choice_filters import ChoiceFilter
from laaffic_console.kit.lists.list_order import unsorted_where_many
from laaffic_console.kit.masking.masked_admin import MaskedNumbers
from laaffic_console.kit.masking.masks import masked
from laaffic_console.kit.pages import may_see_contacts, own_page
from laaffic_console.kit.registers.search_kinds import beginning_with
from laaffic_console.kit.words import plain_text
from messaging.models import Reply
from messaging.people.person_links import PersonColumn
from messaging.services.replies.replies import contacts_of
from messaging.subscribers import spellings

SHOWN = 80  # characters in the list; a reply's own page has all of it


class OptOutFilter(ChoiceFilter):
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
class ReplyAdmin(MaskedNumbers, PersonColumn, ExportedList, ReadOnlyAdmin):
    when_empty = gettext_lazy("No replies yet. They come by push, and are asked for every few minutes.")
    masked = ("number",)
    list_display = ["number", "whose", "said", "obeyed", "answers", "at", "source"]
    fields = ["number", "content", "at", "sent_to", "campaign", "opt_out", "suppressed_on", "source", "received_at"]
    list_filter = [OptOutFilter, "source"]
    lookups_beside_filters = ("campaign__id__exact",)
    list_select_related = ["campaign"]
    search_fields = ["number"]
    search_help_text = gettext_lazy("The beginning of a number")
    export_name = "replies"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().changelist_view(request, extra_context)
        if changelist := changelist_of(response):
            changelist.result_list = with_contacts(request, changelist.result_list)
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Reply], search_term: str
    ) -> tuple[QuerySet[Reply], bool]:
        digits = plain_text.digits_of(search_term) or search_term.strip()
        if not digits:
            return queryset, False
        found = queryset.filter(beginning_with("number", digits) | Q(number__in=spellings(digits)[1:]))
        return unsorted_where_many(request, found, "number", "pk"), False

    @display(description=gettext_lazy("contact"))
    def whose(self, reply: Reply) -> SafeString | str:
        contact = getattr(reply, "contact", None)
        if contact is None:
            return "–"
        page = own_page(contact)
        return format_html('<a class="c-link" href="{}">{}</a>', page, contact.shown_name or masked(contact.number))

    @display(description=gettext_lazy("text"))
    def said(self, reply: Reply) -> SafeString:
        shown = Truncator(reply.content).chars(SHOWN)
        return format_html('<span class="c-wrap" title="{}">{}</span>', reply.content, shown)

    @display(description=gettext_lazy("opted out"), label="warning")
    def obeyed(self, reply: Reply) -> str:
        return _("Suppressed: %(channel)s") % {"channel": reply.suppressed_on.upper()} if reply.opt_out else ""

    @display(description=pgettext_lazy("campaign", "answers"))
    def answers(self, reply: Reply) -> SafeString | str:
        if reply.campaign is None:
            return "–"
        page = own_page(reply.campaign)
        return format_html('<a class="c-link" href="{}">{}</a>', page, reply.campaign.name)


def with_contacts(request: HttpRequest, replies: Any) -> list[Reply]:
    """Each with the contact it is from, for anyone who may see contacts: one query for all of them."""
    shown = list(replies)
    known = contacts_of(shown) if may_see_contacts(request) else {}
    for reply in shown:
        reply.contact = known.get(reply.number)
    return shown
