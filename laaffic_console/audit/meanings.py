"""What headers of the lists of the audit log mean, for the pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import meanings

OF_HEADERS: dict[str, Promise] = {
    "auditentry.address": _("The address on the network that they came from."),
}


def register_all() -> None:
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
