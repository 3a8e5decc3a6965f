"""From the inbox to the call records (wire §2.21)."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.draining import Inbox
from laaffic_console.laaffic import CallRecord, DeliveryReport, Source, parse_voice_reports
from messaging import gateway_ids
from messaging.services.reports import reports
from voice.services import records
from voice.services.call_reports import as_delivery_report


def _read(body: PushedBody, raw: object) -> tuple[list[CallRecord], list[str]]:
    parsed = parse_voice_reports([raw], ZoneInfo(settings.LAAFFIC_TIME_ZONE))
    return parsed.calls, parsed.problems


def _apply(found: Sequence[CallRecord]) -> list[bool]:
    return records.apply(found, Source.VOICE_PUSH)


def _orphan(body_id: int, record: CallRecord) -> OrphanReport | None:
    report = as_delivery_report(record, Source.VOICE_PUSH)
    if report is None:
        return None
    now = timezone.now()
    return OrphanReport(
        kind=PushKind.VOICE_REPORT,
        pushed_body_id=body_id,
        key="|".join(
            [gateway_ids.kept(report.msg_id), report.order_id[:40], report.raw_status[:10], str(report.at or "")]
        ),
        gateway_id=gateway_ids.kept(report.msg_id),
        order_id=report.order_id[:64],
        number=report.number[:20],
        report=report.as_json(),
        first_seen=now,
        next_try_at=now,
    )


def _retry(kept: list[dict[str, Any]]) -> list[bool]:
    return reports.apply([DeliveryReport.from_json(report) for report in kept])


INBOX = Inbox(
    kind=PushKind.VOICE_REPORT,
    job="voice.jobs.apply_voice_reports",
    read=_read,
    apply=_apply,
    orphan=_orphan,
    retry=_retry,
)
