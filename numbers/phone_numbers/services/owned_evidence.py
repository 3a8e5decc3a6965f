"""What a list of owned numbers proves about changes whose answer was lost (laws#unknown-stays)."""

import datetime as dt
from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.gateway.services.ledger.late_evidence import denied_lately
from laaffic_console.gateway.services.work import due
from phone_numbers.models import OwnedNumber
from phone_numbers.services.arrival import ARRIVES_WITHIN

ABOUT = "owned number"
FILE = "voicemail_file"


def requests(number: OwnedNumber) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(about_kind=ABOUT, about_id=number.pk).order_by("-pk")


def changed_since(began: dt.datetime, pks: Collection[int]) -> set[int]:
    """Of these numbers: whose change left, or was found done, when a list was begun or later.

    Under the numbers' locks: who settles a change writes the number in the same transaction. A change that was given
    up as unknown in the meantime wrote nothing: what the list shows of it is news.
    """
    moments = (began, database_clock.now() + due.CLOCKS_DIFFER_BY)  # what lies ahead says nothing
    since = Q(left_at__range=moments) | Q(settled_at__range=moments, state=EntryState.ACCEPTED)
    changes = LedgerEntry.objects.filter(since, about_kind=ABOUT, about_id__in=list(pks))
    return {pk for pk in changes.order_by().values_list("about_id", flat=True) if pk is not None}


def settle(*, began: dt.datetime) -> None:
    """A number that was read since `began` has what was asked for, or does not have it a minute later. A file of the
    same name as the one before proves nothing: that is left to a person.

    What was denied so and turns up in this list was done, unless more was asked for since. A number whose page was not
    written, as it was changed from here since, shows what we wrote: that proves nothing before the next list.
    """
    lost = LedgerEntry.objects.filter(about_kind=ABOUT, state=EntryState.UNKNOWN, left_at__lt=began).order_by("pk")
    denied = LedgerEntry.objects.filter(denied_lately(began), about_kind=ABOUT).order_by("pk")
    asked = [*lost, *denied]
    shown = _as_listed(began, {entry.about_id for entry in asked if entry.about_id})
    moment = {"when": f"{began:%Y-%m-%d %H:%M} UTC"}
    for entry in asked:
        number = shown.get(entry.about_id or 0)
        if number is None:
            continue
        shows = _shows(number, entry)
        if entry.state == EntryState.REFUSED:
            if shows and requests(number).first() == entry:
                evidence = _("the list of %(when)s shows it as it was asked for") % moment
                ledger.was_done_after_all(entry.pk, evidence=known_by.listing(evidence))
        elif shows:
            evidence = _("the list of %(when)s shows it as it was asked for") % moment
            ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=known_by.listing(evidence))
        elif shows is False and entry.left_at is not None and began - entry.left_at >= ARRIVES_WITHIN:
            evidence = _("the list of %(when)s does not show it as it was asked for: nothing was changed") % moment
            ledger.settle_by_evidence(entry.pk, EntryState.REFUSED, evidence=known_by.listing(evidence))


def _as_listed(began: dt.datetime, pks: Collection[int]) -> dict[int, OwnedNumber]:
    """Those of the numbers that are as the list that was begun then shows them."""
    read = OwnedNumber.objects.filter(pk__in=list(pks), last_seen_at__gte=began).in_bulk()  # first: who changes one ...
    changed = changed_since(began, read)  # ... from here on is among these, or changed nothing that was read
    return {pk: number for pk, number in read.items() if pk not in changed}


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
