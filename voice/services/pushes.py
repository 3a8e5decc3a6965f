"""From the inbox to the call records: stored pushes are read and kept in bulk (wire §2.21)."""

import json
import time
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushKind
from laaffic_console.gateway.services import bell, inbox, leases, workers
from laaffic_console.laaffic import CallRecord, DeliveryReport, Source, parse_voice_reports
from messaging.services import reports
from voice.services import records
from voice.services.call_reports import as_delivery_report

JOB = "voice.jobs.apply_voice_reports"
SLICE_SECONDS = 20.0
BODIES_AT_ONCE = 100


def apply_waiting() -> None:
    with leases.lease("inbox:voice-report") as held:
        if held is None:
            return
        give_up_at = time.monotonic() + SLICE_SECONDS
        while held.renew() and apply_some():
            workers.beat()
            if time.monotonic() > give_up_at:
                bell.ring(JOB)
                return
        inbox.retry_orphans(PushKind.VOICE_REPORT, retry)


@transaction.atomic
def apply_some() -> int:
    """One transaction's worth of stored bodies; how many there were."""
    bodies = inbox.take_waiting(PushKind.VOICE_REPORT, BODIES_AT_ONCE)
    zone = ZoneInfo(settings.LAAFFIC_TIME_ZONE)
    found: list[tuple[int, CallRecord]] = []
    entries, problems = {}, {}
    for body in bodies:
        parsed = parse_voice_reports(json.loads(body.body), zone)
        entries[body.pk] = len(parsed.calls) + len(parsed.problems)
        problems[body.pk] = [problem[:300] for problem in parsed.problems]
        found += [(body.pk, record) for record in parsed.calls]
    known = records.apply([record for _pk, record in found], Source.VOICE_PUSH)
    orphans = [_orphan(pk, record) for (pk, record), is_known in zip(found, known, strict=True) if not is_known]
    inbox.keep_orphans([orphan for orphan in orphans if orphan])
    inbox.mark_applied(bodies, entries=entries, problems=problems)
    return len(bodies)


def _orphan(body_id: int, record: CallRecord) -> OrphanReport | None:
    report = as_delivery_report(record, Source.VOICE_PUSH)
    if report is None:
        return None
    now = timezone.now()
    return OrphanReport(
        kind=PushKind.VOICE_REPORT,
        pushed_body_id=body_id,
        key="|".join([report.msg_id[:40], report.order_id[:40], report.raw_status[:10], str(report.at or "")]),
        gateway_id=report.msg_id[:40],
        order_id=report.order_id[:64],
        number=report.number[:20],
        report=report.as_json(),
        first_seen=now,
        next_try_at=now,
    )


def retry(kept: list[dict[str, Any]]) -> list[bool]:
    return reports.apply([DeliveryReport.from_json(entry) for entry in kept])
