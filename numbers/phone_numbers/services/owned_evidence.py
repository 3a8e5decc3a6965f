"""What a list of owned numbers proves about changes whose answer was lost (laws#unknown-stays)."""

import datetime as dt
from collections.abc import Collection, Mapping
from types import MappingProxyType

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
    """The numbers among these whose change left, or was found done, since a reading began.

    Under the numbers' locks: a change is settled in the transaction that writes its number. A change that was given up
    as unknown in the meantime wrote nothing: what the list shows of it is news.
    """
    moments = (began, database_clock.now() + due.CLOCKS_DIFFER_BY)  # a time in the future says nothing
    since = Q(left_at__range=moments) | Q(settled_at__range=moments, state=EntryState.ACCEPTED)
    changes = LedgerEntry.objects.filter(since, about_kind=ABOUT, about_id__in=list(pks))
    return {pk for pk in changes.order_by().values_list("about_id", flat=True) if pk is not None}


def settle(*, began: dt.datetime, silent: Mapping[str, Collection[str]] = MappingProxyType({})) -> None:
    """Settle changes by the list: a number read since `began` has the new values, or a minute later does not.
    A file of the same name as before proves nothing: that is left to a person.

    A change that was denied like this and shows in this list was done, unless more was requested since. A number that
    was changed from here since was not written by the list and shows our own values: only the next list is proof.

    `silent`: columns that the list does not tell, by number; these prove nothing.
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
        shows = _shows(number, entry, silent.get(number.number, ()))
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
    """The numbers among these that are as the list read since `began` shows them."""
    read = OwnedNumber.objects.filter(pk__in=list(pks), last_seen_at__gte=began).in_bulk()  # first: who changes one ...
    changed = changed_since(began, read)  # ... from here on is among these, or changed nothing that was read
    return {pk: number for pk, number in read.items() if pk not in changed}


def _shows(number: OwnedNumber, entry: LedgerEntry, silent: Collection[str]) -> bool | None:
    """Whether the number shows the change; None if it has these values, but may have had all of them before, or if the
    list does not tell some of them."""
    changed = entry.summary.get("changed", {})
    if any(getattr(number, name, None) != value for name, value in changed.items() if name not in silent):
        return False
    if not changed.keys().isdisjoint(silent):
        return None
    if set(changed) - {FILE} or _is_another_file(number, entry):
        return True
    return None


def _is_another_file(number: OwnedNumber, entry: LedgerEntry) -> bool:
    """Whether the file is another one: by its name, else by its id if both ids are known."""
    name, file_id = entry.summary.get("file before") or (number.voicemail_file, "")
    if name != number.voicemail_file:
        return True
    return bool(file_id and number.voicemail_file_id) and file_id != number.voicemail_file_id
