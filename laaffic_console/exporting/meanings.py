"""What the states of exports mean, for the pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.exporting.models import Export
from laaffic_console.kit.registers import meanings

OF_EXPORTS: dict[str, Promise] = {
    Export.State.QUEUED: _("A worker starts it as soon as one is free."),
    Export.State.RUNNING: _("Its file is being written."),
    Export.State.FINISHED: _("Its file was made; where it is kept, it can be downloaded until it expires."),
    Export.State.FAILED: _("The file could not be made; its page says why. Ask for it again."),
    Export.State.CANCELLED: _("A person stopped it: there is no file."),
    Export.State.EXPIRED: _("The file was deleted after its days; who took it stays listed."),
}

OF_HEADERS: dict[str, Promise] = {
    "export.rows": _("Rows that are in the file so far."),
}


def register_all() -> None:
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
    meanings.register("export", OF_EXPORTS, "states#exports")
