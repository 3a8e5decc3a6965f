"""What headers of the lists of webhooks mean, for the pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import meanings

OF_HEADERS: dict[str, Promise] = {
    "webhook.failing_since": _("It has taken no event since then."),
    "delivery.status": _("The HTTP code that the address answered."),
}


def register_all() -> None:
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
