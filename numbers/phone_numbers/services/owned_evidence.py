"""What a list of owned numbers proves about changes whose answer was lost (laws#unknown-stays)."""

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import CallState, GatewayCall
from laaffic_console.gateway.services import ledger
from phone_numbers.models import OwnedNumber
from phone_numbers.services.grace import GRACE

ABOUT = "owned number"


def requests(number: OwnedNumber) -> QuerySet[GatewayCall]:
    return GatewayCall.objects.filter(about_kind=ABOUT, about_id=number.pk).order_by("-pk")


def settle(*, began: dt.datetime) -> None:
    """A number that was read since `began` has what was asked for, or does not have it a minute later."""
    lost = GatewayCall.objects.filter(about_kind=ABOUT, state=CallState.UNKNOWN, left_at__lt=began)
    for call in lost.order_by("pk"):
        number = OwnedNumber.objects.filter(pk=call.about_id or 0, last_seen_at__gte=began).first()
        if number is None:
            continue
        shown = {"when": f"{began:%Y-%m-%d %H:%M} UTC"}
        if all(getattr(number, name, None) == value for name, value in call.summary.get("changed", {}).items()):
            evidence = _("the list of %(when)s shows it as it was asked for") % shown
            ledger.settle_by_evidence(call.pk, CallState.ACCEPTED, evidence=evidence)
        elif call.left_at is not None and began - call.left_at >= GRACE:
            evidence = _("the list of %(when)s does not show it as it was asked for: nothing was changed") % shown
            ledger.settle_by_evidence(call.pk, CallState.REFUSED, evidence=evidence)
