"""Pushed call records, from the inbox to their tables (laaffic-api#voice-pushes)."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from django.conf import settings

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.inbox.draining import Inbox
from laaffic_console.laaffic import (
    CallKind,
    CallRecord,
    RingingEvent,
    Source,
    is_ringing,
    parse_ringing,
    parse_voice_reports,
)
from messaging.services.reports import orphans
from voice.services.calls import ringing
from voice.services.records import call_records
from voice.services.spoken.call_reports import as_delivery_report

# Laaffic's staff enter the push addresses by hand: each entry is read as what it is, at either of the two.
Entry = CallRecord | RingingEvent


def _read(body: PushedBody, raw: object) -> tuple[Sequence[Entry], list[str]]:
    zone = ZoneInfo(settings.LAAFFIC_TIME_ZONE)
    if is_ringing(raw):
        rung = parse_ringing([raw], zone)
        return rung.events, rung.problems
    parsed = parse_voice_reports([raw], zone)
    return parsed.calls, parsed.problems


def _apply(found: Sequence[Entry]) -> list[bool]:
    if events := [entry for entry in found if isinstance(entry, RingingEvent)]:
        ringing.apply(events)
    ended = iter(call_records.apply([entry for entry in found if isinstance(entry, CallRecord)], Source.VOICE_PUSH))
    return [True if isinstance(entry, RingingEvent) else next(ended) for entry in found]


def _orphan(body_id: int, record: Entry) -> OrphanReport | None:
    if isinstance(record, RingingEvent):
        return None
    report = as_delivery_report(record, Source.VOICE_PUSH)
    if report is None or not (report.order_id or record.kind is CallKind.TTS):  # most calls carry no message
        return None
    return orphans.kept(PushKind.VOICE_REPORT, body_id, report)


INBOX: Inbox[Entry] = Inbox(
    kind=PushKind.VOICE_REPORT,
    job="voice.jobs.apply_voice_reports",
    read=_read,
    apply=_apply,
    orphan=_orphan,
    retry=orphans.retry,
)
# A push that waits for its message is retried by the inbox that it came into.
RINGING = replace(INBOX, kind=PushKind.VOICE_RINGING, job="voice.jobs.apply_ringing", retry=None)
