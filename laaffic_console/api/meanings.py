"""What the headers of the list of tokens mean, for the pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import meanings

OF_HEADERS: dict[str, Promise] = {
    "apitoken.shown_scopes": _("What it opens, where its user's rights open it too."),
}


def register_all() -> None:
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
