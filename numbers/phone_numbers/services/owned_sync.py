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
# Columns, with the fields of Laaffic's rows that they are copied from, and how long a text may be.
COPIED: dict[str, tuple[str, int | None]] = {
    "calling_code": ("calling_code", 8),
    "country": ("country", 80),
    "number_type": ("kind", 20),
    "state": ("state", None),
    "due_date": ("due_on", None),
    "auto_renew": ("auto_renew", None),
    "inbound_prefix": ("inbound_prefix", 32),
    "in_addresses": ("in_ip", 100),
    "out_addresses": ("out_ip", 100),
    "app_id": ("app_id", 64),
    "voicemail": ("has_voicemail", None),
    "voicemail_file": ("voicemail_file_name", 100),
    "voicemail_file_id": ("voicemail_file_id", 100),
    "voicemail_seconds": ("voicemail_max_hangup", None),
    "remark": ("remark", 200),
}


def names() -> list[str]:
    """The names of the copied lists; none if nobody uses the channel."""
    return [NAME] if syncing.COPIES.is_read(owned_evidence.ABOUT) else []


def sync() -> Copied:
    """Read the whole list; SyncFailed says why it cannot be read."""
    return syncing.COPIES.run(NAME, _read)


def _read(reading: Reading[SyncStatus]) -> Copied:
    client = laaffic_client()
    unseen = OwnedNumber.objects.filter(due.unseen("last_seen_at", reading.began), gone_at=None)
    seen: set[str] = set()
    lost: set[str] = set()
    silent: dict[str, set[str]] = {}
    added = 0

    def take(records: Sequence[wire.OwnedNumber]) -> None:
        nonlocal added
        reading.go_on()
        kept = syncing.write_each(NAME, records, lambda some: write(some, reading.began))
        added += kept.added
        lost.update(record.number for record in kept.lost)
        seen.update(record.number for record in records)
        silent.update({record.number: unsaid(record) for record in records})

    told = whole_lists.read_all(
        lambda current: client.numbers.query_owned_numbers(current=current, size=whole_lists.PAGE_SIZE),
        take=take,
        name_of=lambda record: record.number,
        is_missing=unseen.exists,
    ).without(len(lost))
    gone = unseen.update(gone_at=timezone.now()) if told.is_complete else 0
    owned_evidence.settle(began=reading.began, silent=silent)
    return Copied(len(seen), added, gone, told.is_complete, told.unreadable)


@transaction.atomic
def write(records: Sequence[wire.OwnedNumber], began: dt.datetime) -> int:
    """Store one page in one statement; how many numbers are new.

    A number that was changed from here since the reading began stays as it is: the page may be older.
    """
    found = {record.number: record for record in records}
    ours = OwnedNumber.objects.select_for_update().filter(number__in=list(found)).order_by("pk")
    known = {row.number: row for row in ours}
    changed = owned_evidence.changed_since(began, [row.pk for row in known.values()])
    OwnedNumber.objects.filter(pk__in=changed).update(last_seen_at=began, gone_at=None)
    stay = {number for number, row in known.items() if row.pk in changed}
    OwnedNumber.objects.bulk_create(
        [_row(record, known.get(record.number), began) for record in found.values() if record.number not in stay],
        update_conflicts=True,
        unique_fields=["number"],
        update_fields=[*COPIED, "untold", "last_seen_at", "gone_at"],
    )
    return len(found) - len(known)


def unsaid(record: wire.OwnedNumber) -> set[str]:
    """The columns about which the row says nothing."""
    return {column for column, (field, _longest) in COPIED.items() if field in record.unread}


def _row(record: wire.OwnedNumber, known: OwnedNumber | None, now: dt.datetime) -> OwnedNumber:
    """The number as the row has it. What the row does not say stays as it is known: the next edit sends it."""
    row = OwnedNumber(number=record.number, last_seen_at=now, gone_at=None)
    silent = unsaid(record)
    for column, (field, longest) in COPIED.items():
        value = getattr(known, column) if known is not None and column in silent else getattr(record, field)
        setattr(row, column, value[:longest] if longest else value)
    row.untold = ",".join(sorted(column for column in silent if getattr(row, column) == ""))
    return row
