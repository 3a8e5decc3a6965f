"""The field for how long a launch can be taken back, on the page before the launch of every kind of draft."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from messaging.services.launching import undo


def seconds_of(request: HttpRequest) -> float:
    """The console's own where nothing is given; ValidationError for an invalid time."""
    given = request.POST.get("undo", "").strip()
    if not given:
        return float(settings.LAAFFIC_UNDO_SECONDS)
    if not (given.isascii() and given.isdecimal() and len(given) < 4 and int(given) <= undo.LONGEST):
        raise ValidationError(_("It can be taken back for 0 to %(n)d seconds.") % {"n": undo.LONGEST})
    return float(given)


def context(request: HttpRequest) -> dict[str, Any]:
    return {
        "undo": request.POST.get("undo", f"{settings.LAAFFIC_UNDO_SECONDS:.0f}"),
        "longest_undo": undo.LONGEST,
    }
