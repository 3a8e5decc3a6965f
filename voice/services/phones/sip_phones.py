"""Our copy of the SIP phones of each application (voice/sipQuery). Passwords are dropped by the client."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.lists import whole_lists
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import voice as wire
from voice.models import SipPhone, VoiceSync
from voice.services.phones import evidence as phone_evidence
from voice.services.syncing import COPIES, Copied, Reading

PREFIX = "phones "


def name_of(application: Application) -> str:
    return PREFIX + application.app_id


def names() -> list[str]:
    """The names of the copied lists."""
    return [name_of(application) for application in COPIES.applications()]


def usable() -> QuerySet[SipPhone]:
    """The phones from which calls can start now."""
    return SipPhone.objects.filter(gone_at=None, application__is_active=True).select_related("application")


def sync(application: Application) -> int:
    """Read the whole list now, and mark phones that are no longer in it as gone; how many are listed."""

    def read(reading: Reading[VoiceSync]) -> Copied:
        began = reading.began
        found: dict[str, SipPhone] = {}
        listed = SipPhone.objects.filter(application=application, gone_at=None)
        voice = laaffic_client().voice

        def take(records: Sequence[wire.SipPhone]) -> None:
            reading.go_on()
            for phone in records:
                found[phone.account] = SipPhone(
                    application=application,
                    account=phone.account[:64],
                    group_name=phone.group[:80],
                    name=phone.name[:80],
                    display_number=phone.display_number[:20],
                    last_seen_at=began,
                    gone_at=None,
                )

        told = whole_lists.read_all(
            lambda current: voice.phones(app_id=application.app_id, current=current),
            take=take,
            name_of=lambda phone: phone.account,
            is_missing=lambda: not set(listed.values_list("account", flat=True)) <= found.keys(),
        )
        SipPhone.objects.bulk_create(
            found.values(),
            update_conflicts=True,
            unique_fields=["application", "account"],
            update_fields=["group_name", "name", "display_number", "last_seen_at", "gone_at"],
            batch_size=200,
        )
        if told.is_complete:
            listed.filter(due.unseen("last_seen_at", began)).update(gone_at=timezone.now())
        phone_evidence.settle(application, began=began, is_complete=told.is_complete)
        return Copied(len(found), is_complete=told.is_complete, unreadable=told.unreadable)

    return COPIES.run(name_of(application), read).rows
