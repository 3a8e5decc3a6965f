"""Our copy of the numbers that the account owns (number/queryPage, laaffic-api#owned-numbers)."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.lists import whole_lists
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import numbers as wire
from phone_numbers.models import OwnedNumber, SyncStatus
from phone_numbers.services import owned_evidence, syncing
from phone_numbers.services.syncing import Copied, Reading

NAME = "owned"
COPIED = (
    "calling_code",
    "country",
    "number_type",
    "state",
    "due_date",
    "auto_renew",
    "inbound_prefix",
    "in_addresses",
    "out_addresses",
    "app_id",
    "voicemail",
    "voicemail_file",
    "voicemail_file_id",
    "voicemail_seconds",
    "remark",
)


def names() -> list[str]:
    """The names of the copied lists; none if nobody uses the channel."""
    return [NAME] if syncing.COPIES.applications() else []


def sync() -> Copied:
    """Read the whole list; SyncFailed says why it cannot be read."""
    return syncing.COPIES.run(NAME, _read)


def _read(reading: Reading[SyncStatus]) -> Copied:
    client = laaffic_client()
    unseen = OwnedNumber.objects.filter(due.unseen("last_seen_at", reading.began), gone_at=None)
    seen: set[str] = set()
    added = 0

    def take(records: Sequence[wire.OwnedNumber]) -> None:
        nonlocal added
        reading.go_on()
        added += syncing.write_each(NAME, records, lambda some: write(some, reading.began))
        seen.update(record.number for record in records)

    told = whole_lists.read_all(
        lambda current: client.numbers.query_owned_numbers(current=current, size=whole_lists.PAGE_SIZE),
        take=take,
        name_of=lambda record: record.number,
        is_missing=unseen.exists,
    )
    gone = unseen.update(gone_at=timezone.now()) if told.is_complete else 0
    owned_evidence.settle(began=reading.began)
    return Copied(len(seen), added, gone, told.is_complete, told.unreadable)


@transaction.atomic
def write(records: Sequence[wire.OwnedNumber], began: dt.datetime) -> int:
    """Store one page in one statement; how many numbers are new.

    A number that was changed from here since the reading began stays as it is: the page may be older.
    """
    found = {record.number: record for record in records}
    ours = OwnedNumber.objects.select_for_update().filter(number__in=list(found)).order_by("pk")
    known = dict(ours.values_list("pk", "number"))
    changed = owned_evidence.changed_since(began, known)
    OwnedNumber.objects.filter(pk__in=changed).update(last_seen_at=began, gone_at=None)
    stay = {known[pk] for pk in changed}
    OwnedNumber.objects.bulk_create(
        [_row(record, began) for record in found.values() if record.number not in stay],
        update_conflicts=True,
        unique_fields=["number"],
        update_fields=[*COPIED, "last_seen_at", "gone_at"],
    )
    return len(found) - len(known)


def _row(record: wire.OwnedNumber, now: dt.datetime) -> OwnedNumber:
    return OwnedNumber(
        number=record.number,
        calling_code=record.calling_code[:8],
        country=record.country[:80],
        number_type=record.kind[:20],
        state=record.state,
        due_date=record.due_on,
        auto_renew=record.auto_renew,
        inbound_prefix=record.inbound_prefix[:32],
        in_addresses=record.in_ip[:100],
        out_addresses=record.out_ip[:100],
        app_id=record.app_id[:64],
        voicemail=record.has_voicemail,
        voicemail_file=record.voicemail_file_name[:100],
        voicemail_file_id=record.voicemail_file_id[:100],
        voicemail_seconds=record.voicemail_max_hangup,
        remark=record.remark[:200],
        last_seen_at=now,
        gone_at=None,
    )
