"""Reports that came before their message is known: kept as they are, and applied again until it is."""

from typing import Any

from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushKind
from laaffic_console.laaffic import DeliveryReport
from messaging.services.reports import report_targets, reports
from messaging.wire import gateway_ids


def kept(kind: PushKind, body_id: int, report: DeliveryReport) -> OrphanReport:
    """The row of a report that body `body_id` brought; its key is the same however often the report is pushed."""
    now = timezone.now()
    gateway_id = gateway_ids.kept(report.msg_id)
    return OrphanReport(
        kind=kind,
        pushed_body_id=body_id,
        key="|".join([gateway_id, report.order_id[:40], report.raw_status[:10], str(report.at or "")]),
        gateway_id=gateway_id,
        order_id=report.order_id[:64],
        number=report.number[:20],
        report=report.as_json(),
        problem=report_targets.contradiction(report),
        first_seen=now,
        next_try_at=now,
    )


def retry(rows: list[dict[str, Any]]) -> list[bool]:
    """Apply the `report` of such rows again, in the caller's transaction; whether each one's message is known now."""
    return reports.apply([DeliveryReport.from_json(report) for report in rows])
