"""From the inbox to the messages: stored pushes are read, applied in bulk and kept where nobody knows their id."""

import json
import logging
import time
from typing import Any

from django.db import transaction
from django.db.models.functions import Length
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services import bell, inbox, leases, workers
from laaffic_console.laaffic import DeliveryReport, parse_sms_reports
from messaging.services import reports

logger = logging.getLogger(__name__)

SLICE_SECONDS = 20.0
BODIES_AT_ONCE = 500
# About a thousand reports a transaction: its locks are short, and a body that carries many is taken alone.
TEXT_AT_ONCE = 300_000
LINGER_SECONDS = 1.0


def apply_waiting() -> None:
    """Apply until the inbox is empty, and stay a moment for what is about to come."""
    with leases.lease("inbox:sms-report") as held:
        if held is None:
            return
        give_up_at = time.monotonic() + SLICE_SECONDS
        empty_since: float | None = None
        while held.renew():
            workers.beat()
            now = time.monotonic()
            if now > give_up_at:
                bell.ring("messaging.jobs.apply_sms_reports")
                return
            if apply_some():
                empty_since = None
            else:
                empty_since = empty_since or now
                if now - empty_since > LINGER_SECONDS:
                    break
                time.sleep(0.1)
        inbox.retry_orphans(PushKind.SMS_REPORT, retry)


@transaction.atomic
def apply_some() -> int:
    """One transaction's worth of stored bodies; how many there were."""
    bodies = _next_bodies()
    if not bodies:
        return 0
    found: list[tuple[int, DeliveryReport]] = []
    entries: dict[int, int] = {}
    problems: dict[int, list[str]] = {}
    for body in bodies:
        parsed = parse_sms_reports(json.loads(body.body))
        entries[body.pk] = len(parsed.reports) + len(parsed.problems)
        problems[body.pk] = [str(problem)[:300] for problem in parsed.problems]
        found += [(body.pk, report) for report in parsed.reports]
    known = reports.apply([report for _, report in found])
    orphans = [_orphan(pk, report) for (pk, report), is_known in zip(found, known, strict=True) if not is_known]
    inbox.keep_orphans(orphans)
    inbox.mark_applied(bodies, entries=entries, problems=problems)
    return len(bodies)


def _next_bodies() -> list[PushedBody]:
    sizes = (
        PushedBody.objects.filter(kind=PushKind.SMS_REPORT, applied_at=None)
        .order_by("id")
        .annotate(length=Length("body"))
        .values_list("length", flat=True)[:BODIES_AT_ONCE]
    )
    total, take = 0, 0
    for size in sizes:
        total += size
        if take and total > TEXT_AT_ONCE:
            break
        take += 1
    return inbox.take_waiting(PushKind.SMS_REPORT, take) if take else []


def _orphan(body_id: int, report: DeliveryReport) -> OrphanReport:
    now = timezone.now()
    kept = report.as_json()
    return OrphanReport(
        kind=PushKind.SMS_REPORT,
        pushed_body_id=body_id,
        key="|".join([report.msg_id[:40], report.order_id[:40], report.raw_status[:10], str(report.at or "")]),
        gateway_id=report.msg_id[:40],
        order_id=report.order_id[:64],
        number=report.number[:20],
        report=kept,
        first_seen=now,
        next_try_at=now,
    )


def retry(kept: list[dict[str, Any]]) -> list[bool]:
    return reports.apply([DeliveryReport.from_json(entry) for entry in kept])
