"""Asking for call records that were not pushed: two months the first time, after that only new ones.

How long a call's record is looked for is `LAST_LOOK` in `calls/sip_calls.py` and in `group_calls/states.py`.
"""

import datetime as dt
import logging
from collections.abc import Callable

from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.lists import reading_on
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import CallKind, Source, call_record_pages, call_record_windows
from laaffic_console.laaffic import CallRecord as WireRecord
from laaffic_console.laaffic.pages import Page
from laaffic_console.laaffic.voice import RECORDS_KEPT_DAYS
from voice.models import GroupTask, VoiceSync
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import states as group_state
from voice.services.records import call_records
from voice.services.syncing import COPIES, Copied, Reading

logger = logging.getLogger(__name__)

SIP, GROUP = "sip records", "group records"
NAMES = (SIP, GROUP)
FIRST = dt.timedelta(days=RECORDS_KEPT_DAYS)
CLOCKS_DIFFER_BY = dt.timedelta(minutes=5)
OVERLAP = dt.timedelta(hours=2)  # a call is recorded when it ends, but listed by when it began


def names() -> list[str]:
    """The names of the copied lists. If nobody uses the channel any more, those of group calls while a task is looked
    at: its records may be missing."""
    if COPIES.applications():
        return list(NAMES)
    return [GROUP] if GroupTask.objects.filter(look_at__isnull=False).exists() else []


def sync(name: str) -> int:
    """Read the new records of one of the two lists; how many. SyncFailed says why it cannot be read."""
    return COPIES.run(name, _read_sip if name == SIP else _read_group).rows


def _read_sip(reading: Reading[VoiceSync]) -> Copied:
    began = database_clock.now()
    copied = _read(reading, laaffic_client().voice.sip_records, CallKind.SIP, since=calls.oldest_waiting())
    calls.looked(began)
    return copied


def _read_group(reading: Reading[VoiceSync]) -> Copied:
    copied = _read(reading, laaffic_client().voice.group_records, None)
    group_state.records_came()
    return copied


def _read(
    reading: Reading[VoiceSync],
    ask: Callable[..., Page[WireRecord]],
    kind: CallKind | None,
    since: dt.datetime | None = None,
) -> Copied:
    """Read the records that are new since the last reading, and all those from `since` on."""
    now, copy = database_clock.now(), VoiceSync.objects.filter(pk=reading.copy.pk)
    until = due.read_until(reading.copy.read_until, now)
    if until is None:
        copy.update(read_until=None)  # a wrong one would pass for right when its moment has come
    start = reading_on.start_of(until, reading.copy.read_at, OVERLAP, now) or now - FIRST
    if since is not None:
        start = min(start, since - CLOCKS_DIFFER_BY)
    seen = unreadable = 0

    def take(page: Page[WireRecord]) -> None:
        reading.go_on()
        call_records.take_each(page.records, Source.VOICE_RECORD, kind=kind)
        for problem in page.problems:
            logger.warning("a row of %s cannot be read: %s", reading.copy.name, problem)

    def noted(closes: dt.datetime, part: reading_on.Part) -> None:
        nonlocal seen, unreadable
        seen, unreadable = seen + part.records, unreadable + len(part.problems)
        copy.update(read_until=closes, read_at=database_clock.now())

    reading_on.read(
        call_record_windows(start, now, now),
        reading_on.Asked(lambda opens, closes: call_record_pages(ask, start=opens, end=closes), take, noted),
        first=OVERLAP + reading_on.MORE,
    )
    return Copied(seen, unreadable=unreadable)
