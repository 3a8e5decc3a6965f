"""From the inbox to the mails: stored callbacks are read, applied in bulk, and kept where nobody knows their task."""

import json
import time
from typing import Any

from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushKind
from laaffic_console.gateway.services import bell, inbox, leases, workers
from laaffic_console.laaffic import parse_email_callbacks
from messaging.services import email_reports
from messaging.services.email_reports import Told

JOB = "messaging.jobs.apply_email_reports"
SLICE_SECONDS = 20.0
BODIES_AT_ONCE = 100


def apply_waiting() -> None:
    with leases.lease("inbox:email-report") as held:
        if held is None:
            return
        give_up_at = time.monotonic() + SLICE_SECONDS
        while held.renew() and apply_some():
            workers.beat()
            if time.monotonic() > give_up_at:
                bell.ring(JOB)
                return
        inbox.retry_orphans(PushKind.EMAIL_REPORT, retry)


@transaction.atomic
def apply_some() -> int:
    """One transaction's worth of stored bodies; how many there were."""
    bodies = inbox.take_waiting(PushKind.EMAIL_REPORT, BODIES_AT_ONCE)
    found: list[tuple[int, Told]] = []
    entries: dict[int, int] = {}
    problems: dict[int, list[str]] = {}
    for body in bodies:
        parsed = parse_email_callbacks(json.loads(body.body))
        entries[body.pk] = len(parsed.submissions) + len(parsed.problems)
        problems[body.pk] = [problem[:300] for problem in parsed.problems]
        found += [(body.pk, Told(body.mark, submission)) for submission in parsed.submissions]
    known = email_reports.apply([told for _, told in found])
    inbox.keep_orphans([_orphan(pk, told) for (pk, told), is_known in zip(found, known, strict=True) if not is_known])
    inbox.mark_applied(bodies, entries=entries, problems=problems)
    return len(bodies)


def _orphan(body_id: int, told: Told) -> OrphanReport:
    now = timezone.now()
    submission = told.submission
    return OrphanReport(
        kind=PushKind.EMAIL_REPORT,
        pushed_body_id=body_id,
        key="|".join(
            [
                submission.task_id[:40],
                (submission.email_id or submission.to_address)[:60],
                submission.raw_state[:20],
            ]
        ),
        gateway_id=submission.email_id[:40],
        order_id=submission.task_id[:64],
        report=told.as_json(),
        first_seen=now,
        next_try_at=now,
    )


def retry(kept: list[dict[str, Any]]) -> list[bool]:
    return email_reports.apply([Told.from_json(entry) for entry in kept])
