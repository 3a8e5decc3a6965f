"""From a number to its person, for anyone who may see contacts."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from laaffic_console.kit.masking import masks
from laaffic_console.kit.pages import may_see_contacts
from messaging.msisdn import MAX_DIGITS


def person_page(number: str) -> str:
    return reverse("admin:messaging_person", args=[number])


class PersonColumn:
    """For a ModelAdmin whose rows are about a number: its last column leads to the person."""

    number_column = "number"

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)  # type: ignore[misc]
        return [*shown, "person"] if may_see_contacts(request) and masks.may_see() else shown

    @display(description=gettext_lazy("person"))
    def person(self, row: Any) -> SafeString | str:
        number = getattr(row, self.number_column)
        if not (number.isascii() and number.isdecimal() and len(number) <= MAX_DIGITS):
            return "–"
        return format_html('<a class="c-link" href="{}">{}</a>', person_page(number), _("history"))
