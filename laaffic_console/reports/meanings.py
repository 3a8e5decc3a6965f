"""What headers of the lists of kept reports mean, for the pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import meanings

OF_HEADERS: dict[str, Promise] = {
    "report.is_shared": _("Everybody who may see reports sees it."),
}


def register_all() -> None:
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
