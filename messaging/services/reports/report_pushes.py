"""Applying pushed reports that are in the inbox; reports with an unknown id are kept for later."""

import functools
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.inbox.draining import Inbox
from laaffic_console.laaffic import DeliveryReport
from laaffic_console.laaffic.reports import MalformedReport, from_push
from messaging.services.reports import report_targets, reports
from messaging.wire import gateway_ids


def _read(body: PushedBody, raw: object) -> tuple[Sequence[DeliveryReport], Sequence[str]]:
    try:
        report = from_push(raw, _zone(settings.LAAFFIC_TIME_ZONE))
    except MalformedReport as problem:
        return (), (str(problem),)
    return (report,), (report.remark,) if report.remark else ()


_zone = functools.lru_cache(maxsize=10)(ZoneInfo)


def _orphan(body_id: int, report: DeliveryReport) -> OrphanReport:
    now = timezone.now()
    kept = report.as_json()
    return OrphanReport(
        kind=PushKind.SMS_REPORT,
        pushed_body_id=body_id,
        key="|".join(
            [gateway_ids.kept(report.msg_id), report.order_id[:40], report.raw_status[:10], str(report.at or "")]
        ),
        gateway_id=gateway_ids.kept(report.msg_id),
        order_id=report.order_id[:64],
        number=report.number[:20],
        report=kept,
        problem=report_targets.contradiction(report),
        first_seen=now,
        next_try_at=now,
    )


def _retry(kept: list[dict[str, Any]]) -> list[bool]:
    return reports.apply([DeliveryReport.from_json(report) for report in kept])


INBOX = Inbox(
    kind=PushKind.SMS_REPORT,
    job="messaging.jobs.apply_sms_reports",
    read=_read,
    apply=reports.apply,
    orphan=_orphan,
    retry=_retry,
    linger=1.0,
)
