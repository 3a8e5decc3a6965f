"""What the states of bindings mean, for the pages."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from laaffic_console.kit import meanings
from phone_numbers.models import Binding

OF_BINDINGS: dict[str, Promise] = {
    "live": _("A and B reach each other through X."),
    "over": _("Its time has passed; Laaffic's list has not been read since."),
    Binding.Ending.UNBOUND: _("Somebody ended it from this console."),
    Binding.Ending.EXPIRED: _("Its time passed."),
    Binding.Ending.VANISHED: _("It is not in Laaffic's list any more, before its time and not by this console."),
}


def register_all() -> None:
    meanings.register("binding", OF_BINDINGS, "states#bindings")
