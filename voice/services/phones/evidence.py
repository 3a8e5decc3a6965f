"""What a list of SIP phones proves about requests for new ones whose answer was lost (laws#unknown-stays)."""

import datetime as dt

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import known_by, late_evidence, ledger
from voice.models import SipPhone

ADDED, RESET = ABOUT = ("SIP phones", "SIP password")
GRACE = dt.timedelta(minutes=1)  # before a missing phone proves anything


def requests(kind: str, about: int) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=kind, about_id=about)


def latest(kind: str, about: list[int], limit: int = 10) -> list[LedgerEntry]:
    found = LedgerEntry.objects.filter(about_kind=kind, about_id__in=about)
    return list(found.select_related("requested_by").order_by("-pk")[:limit])


def settle(application: Application, *, began: dt.datetime, is_complete: bool) -> None:
    """Settle requests for phones whose answer was lost by the list read since `began`; only a complete list can deny.

    A request that an earlier list denied and this one shows was done. Phones that may be another's prove nothing.
    """
    lost = requests(ADDED, application.pk).filter(state=EntryState.UNKNOWN, left_at__lt=began)
    for entry in lost.order_by("pk"):
        name, is_there = _name(entry), _is_there(application, entry)
        if is_there:
            ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=known_by.listing(_holds(name, began)))
        elif is_complete and is_there is False and entry.left_at is not None and began - entry.left_at >= GRACE:
            evidence = _("the list of %(when)s holds no %(name)s: nothing was added") % {
                "when": _minute(began),
                "name": name,
            }
            ledger.settle_by_evidence(entry.pk, EntryState.REFUSED, evidence=known_by.listing(evidence))
    denied = requests(ADDED, application.pk).filter(late_evidence.denied_lately(began))
    for entry in denied.order_by("pk"):
        if _is_there(application, entry):
            ledger.was_done_after_all(entry.pk, evidence=known_by.listing(_holds(_name(entry), began)))


def _name(entry: LedgerEntry) -> str:
    return str(entry.summary.get("name", ""))


def _is_there(application: Application, entry: LedgerEntry) -> bool | None:
    """Whether the list has more phones of its name than before; None if all of them may be another request's."""
    before = int(entry.summary.get("before", 0))
    listed = named(application, _name(entry))
    if listed.count() <= before:
        return False
    for name in _names_of_others(entry):
        listed = listed.exclude(name__startswith=name)
    return listed.count() > before or None


def _names_of_others(entry: LedgerEntry) -> set[str]:
    """Names of other requests whose phones may be taken for this one's: names that begin with its own and, for requests
    of several phones, names that its own begins with (the second "desk" may be called desk2). Only if their phones may
    have come since it was prepared."""
    name = _name(entry)
    beginnings = [name[:length] for length in range(1, len(name))]
    alike = Q(summary__name__startswith=name) | Q(summary__name__in=beginnings) & ~Q(summary__quantity=1)
    others = requests(ADDED, entry.about_id or 0).filter(alike).exclude(pk=entry.pk)
    may_be_done = ~Q(state__in=[EntryState.REFUSED, EntryState.NOT_SENT]) | ledger.denied_by_evidence()
    counted_before = Q(pk__lt=entry.pk, state=EntryState.ACCEPTED, settled_at__lt=entry.prepared_at)
    return {_name(other) for other in others.filter(may_be_done).exclude(counted_before)}


def _holds(name: str, began: dt.datetime) -> str:
    return _("the list of %(when)s holds %(name)s") % {"when": _minute(began), "name": name}


def named(application: Application, name: str) -> QuerySet[SipPhone]:
    """Listed phones whose name begins so: phones of one request have something appended, however Laaffic counts."""
    listed = SipPhone.objects.filter(application=application, gone_at=None)
    return listed.filter(name__startswith=name)


def _minute(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
