"""What a list of owned numbers proves about changes whose answer was lost (laws#unknown-stays)."""

import datetime as dt
from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services import database_clock, due, ledger
from laaffic_console.gateway.services.late_evidence import denied_lately
from phone_numbers.models import OwnedNumber
from phone_numbers.services.arrival import ARRIVES_WITHIN

ABOUT = "owned number"
FILE = "voicemail_file"


def requests(number: OwnedNumber) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=ABOUT, about_id=number.pk).order_by("-pk")


def changed_since(began: dt.datetime, pks: Collection[int]) -> set[int]:
    """Of these numbers: whose change left, or was done, when a list was begun or later.

    Under the numbers' locks: who settles a change as done writes the number in the same transaction. One that was given
    up meanwhile has written nothing: the list may show it.
    """
    moments = (began, database_clock.now() + due.CLOCKS_DIFFER_BY)  # what lies ahead says nothing
    since = Q(left_at__range=moments) | Q(settled_at__range=moments, state=EntryState.ACCEPTED)
    changes = LedgerEntry.objects.filter(since, about_kind=ABOUT, about_id__in=list(pks))
    return {pk for pk in changes.order_by().values_list("about_id", flat=True) if pk is not None}


def settle(*, began: dt.datetime) -> None:
    """A number that was read since `began` has what was asked for, or does not have it a minute later. A file of the
    same name as the one before proves nothing: that is left to a person.

    What was denied so and turns up in this list was done, unless more was asked for since.
    """
    lost = LedgerEntry.objects.filter(about_kind=ABOUT, state=EntryState.UNKNOWN, left_at__lt=began)
    for entry in lost.order_by("pk"):
        number = OwnedNumber.objects.filter(pk=entry.about_id or 0, last_seen_at__gte=began).first()
        if number is None or changed_since(began, [number.pk]):  # what is kept of it is not what the list says
            continue
        shown = {"when": f"{began:%Y-%m-%d %H:%M} UTC"}
        shows = _shows(number, entry)
        if shows:
            evidence = _("the list of %(when)s shows it as it was asked for") % shown
            ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=evidence)
        elif shows is False and entry.left_at is not None and began - entry.left_at >= ARRIVES_WITHIN:
            evidence = _("the list of %(when)s does not show it as it was asked for: nothing was changed") % shown
            ledger.settle_by_evidence(entry.pk, EntryState.REFUSED, evidence=evidence)
    for entry in LedgerEntry.objects.filter(denied_lately(began), about_kind=ABOUT).order_by("pk"):
        number = OwnedNumber.objects.filter(pk=entry.about_id or 0, last_seen_at__gte=began).first()
        if number is not None and requests(number).first() == entry and _shows(number, entry):
            evidence = _("the list of %(when)s shows it as it was asked for") % {"when": f"{began:%Y-%m-%d %H:%M} UTC"}
            ledger.was_done_after_all(entry.pk, evidence=evidence)


def _shows(number: OwnedNumber, entry: LedgerEntry) -> bool | None:
    """None: it has what was asked for, and may have had all of it before."""
    changed = entry.summary.get("changed", {})
    if any(getattr(number, name, None) != value for name, value in changed.items()):
        return False
    if set(changed) - {FILE} or _is_another_file(number, entry):
        return True
    return None


def _is_another_file(number: OwnedNumber, entry: LedgerEntry) -> bool:
    """By its name, else by its id, as far as both ids are known."""
    name, file_id = entry.summary.get("file before") or (number.voicemail_file, "")
    if name != number.voicemail_file:
        return True
    return bool(file_id and number.voicemail_file_id) and file_id != number.voicemail_file_id
