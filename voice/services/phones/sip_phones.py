"""Our copy of the SIP phones of each application (voice/sipQuery). Passwords are dropped by the client."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.lists import whole_lists
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import voice as wire
from voice.models import SipPhone, VoiceSync
from voice.services.phones import evidence as phone_evidence
from voice.services.syncing import COPIES, Copied, Reading, write_each

PREFIX = "phones "
# Columns, with the fields of Laaffic's rows that they are copied from, and how long a text may be.
COPIED = {"group_name": ("group", 80), "name": ("name", 80), "display_number": ("display_number", 20)}


def name_of(application: Application) -> str:
    return PREFIX + application.app_id


def names() -> list[str]:
    """The names of the copied lists."""
    return [name_of(application) for application in COPIES.applications_with(phone_evidence.ADDED)]


def usable() -> QuerySet[SipPhone]:
    """The phones from which calls can start now."""
    return SipPhone.objects.filter(gone_at=None, application__is_active=True).select_related("application")


def sync(application: Application) -> int:
    """Read the whole list now, and mark phones that are no longer in it as gone; how many are listed."""

    def read(reading: Reading[VoiceSync]) -> Copied:
        began = reading.began
        found: dict[str, wire.SipPhone] = {}
        lost: set[str] = set()
        listed = SipPhone.objects.filter(application=application, gone_at=None)
        known_before = set(SipPhone.objects.filter(application=application).values_list("account", flat=True))
        voice = laaffic_client().voice

        def take(records: Sequence[wire.SipPhone]) -> None:
            reading.go_on()
            kept = write_each(name_of(application), records, lambda some: write(application, some, began))
            lost.update(phone.account for phone in kept.lost)
            found.update({phone.account: phone for phone in records})

        told = whole_lists.read_all(
            lambda current: voice.phones(app_id=application.app_id, current=current),
            take=take,
            name_of=lambda phone: phone.account,
            is_missing=lambda: not set(listed.values_list("account", flat=True)) <= found.keys(),
        ).without(len(lost))
        if told.is_complete:
            listed.filter(due.unseen("last_seen_at", began)).update(gone_at=timezone.now())
        # A new one without a name may be any request's.
        is_telling = all(phone.name or phone.account in known_before for phone in found.values())
        phone_evidence.settle(application, began=began, is_complete=told.is_complete and is_telling)
        return Copied(len(found), is_complete=told.is_complete, unreadable=told.unreadable)

    return COPIES.run(name_of(application), read).rows


@transaction.atomic
def write(application: Application, records: Sequence[wire.SipPhone], began: dt.datetime) -> int:
    """Store one page in one statement; how many phones are new. What a row does not say stays as it is known."""
    found = {phone.account: phone for phone in records}
    ours = SipPhone.objects.select_for_update().filter(application=application, account__in=list(found)).order_by("pk")
    known = {row.account: row for row in ours}
    SipPhone.objects.bulk_create(
        [_row(application, phone, known.get(phone.account), began) for phone in found.values()],
        update_conflicts=True,
        unique_fields=["application", "account"],
        update_fields=[*COPIED, "last_seen_at", "gone_at"],
    )
    return len(found) - len(known)


def _row(application: Application, phone: wire.SipPhone, known: SipPhone | None, began: dt.datetime) -> SipPhone:
    row = SipPhone(application=application, account=phone.account, last_seen_at=began, gone_at=None)
    for column, (field, longest) in COPIED.items():
        is_said = known is None or field not in phone.unread
        setattr(row, column, getattr(phone, field)[:longest] if is_said else getattr(known, column))
    return row
