"""What the states of bindings mean, for the pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit.registers import meanings
from phone_numbers.models import Binding

OF_BINDINGS: dict[str, Promise] = {
    "live": _("A and B reach each other through X."),
    "over": _("Its time has passed; Laaffic's list has not been read since."),
    Binding.Ending.UNBOUND: _("Somebody ended it from this console."),
    Binding.Ending.EXPIRED: _("Its time passed."),
    Binding.Ending.VANISHED: _("It is not in Laaffic's list any more, before its time and not by this console."),
}

OF_POOLS: dict[str, Promise] = {
    "unknown": _("Laaffic's answer to a change was lost. It is not sent again by itself; Laaffic's list settles it."),
    "gone": _("Laaffic has no such pool any more; apply a version to create it again."),
    "drifted": _("Laaffic's settings are not those of the current version; the page shows where they differ."),
    "not made": _("A draft that was never applied: Laaffic knows nothing of it."),
    "in step": _("Laaffic's settings are those of the current version, as last read."),
}

OF_HEADERS: dict[str, Promise] = {
    "binding.sees": _("The number that each of them sees when the other calls."),
    "binding.bind_id": _("Laaffic's own name for the binding."),
    "bindingrequest.evidence": _("What says how it ended where its answer was lost."),
    "numberpool.how_many_addresses": _("Addresses on the network that may call."),
    "numberpool.concurrency": _("The most calls that may go on at the same time."),
    "numberpool.version": _("The last settings from here that Laaffic accepted."),
    "numberpool.listed_at": _("When Laaffic's list was last read."),
    "ownednumber.app_id": _("The application at Laaffic that the number belongs to."),
}


def register_all() -> None:
    meanings.register("header", OF_HEADERS, "states#headers-of-lists")
    meanings.register("pool", OF_POOLS, "states#pools")
    meanings.register("binding", OF_BINDINGS, "states#bindings")
