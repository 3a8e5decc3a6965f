"""What a list of SIP phones proves about requests for new ones whose answer was lost (laws#unknown-stays)."""

import datetime as dt

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services import ledger
from voice.models import SipPhone

ADDED, RESET = ABOUT = ("SIP phones", "SIP password")
GRACE = dt.timedelta(minutes=1)  # before its absence from the list proves anything


def requests(kind: str, about: int) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=kind, about_id=about)


def latest(kind: str, about: list[int], limit: int = 10) -> list[LedgerEntry]:
    found = LedgerEntry.objects.filter(about_kind=kind, about_id__in=about)
    return list(found.select_related("requested_by").order_by("-pk")[:limit])


def settle(application: Application, *, began: dt.datetime) -> None:
    """What the whole list, read since `began`, tells of requests for phones whose answer was lost."""
    lost = requests(ADDED, application.pk).filter(state=EntryState.UNKNOWN, left_at__lt=began)
    for entry in lost.order_by("pk"):
        name, before = str(entry.summary.get("name", "")), int(entry.summary.get("before", 0))
        if named(application, name).count() > before:
            evidence = _("the list of %(when)s holds %(name)s") % {"when": _minute(began), "name": name}
            ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=evidence)
        elif entry.left_at is not None and began - entry.left_at >= GRACE:
            evidence = _("the list of %(when)s holds no %(name)s: nothing was added") % {
                "when": _minute(began),
                "name": name,
            }
            ledger.settle_by_evidence(entry.pk, EntryState.REFUSED, evidence=evidence)


def named(application: Application, name: str) -> QuerySet[SipPhone]:
    """Several phones of one request have its name with something after it, however Laaffic counts them."""
    listed = SipPhone.objects.filter(application=application, gone_at=None)
    return listed.filter(name__startswith=name)


def _minute(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
