"""Requests to Laaffic to bind or unbind."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.gateway.admin.ledger import ENTRY_COLOURS
from laaffic_console.kit.admin.read_only import ReadOnlyAdmin
from laaffic_console.kit.masking.masked_admin import MaskedNumbers
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.stored_words import in_words
from phone_numbers.models import BindingRequest


@admin.register(BindingRequest)
class BindingRequestAdmin(MaskedNumbers, ReadOnlyAdmin):
    """Requests with their outcome, also those that never became a binding."""

    when_empty = gettext_lazy("What was asked of Laaffic about bindings is listed here.")

    masked = ("phone_a", "phone_b")
    list_display = ["requested_at", "verb", "phone_a", "phone_b", "pool_number", "outcome", "evidence", "requested_by"]
    exclude = ["entry"]
    list_filter = ["verb", ("entry__state", admin.ChoicesFieldListFilter)]
    list_select_related = ["entry", "requested_by"]

    @display(description=gettext_lazy("outcome"), label=ENTRY_COLOURS)
    def outcome(self, asked: BindingRequest) -> tuple[str, str]:
        return (asked.entry.state, asked.says) if asked.entry else ("", "–")

    @display(description=gettext_lazy("evidence"))
    def evidence(self, asked: BindingRequest) -> SafeString | str:
        if asked.entry is None:
            return ""
        said, ledger = in_text(in_words(asked.entry.evidence)), own_page(asked.entry)
        return format_html('{} <a href="{}">{}</a>', said, ledger, _("Ledger"))
