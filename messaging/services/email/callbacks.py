"""Applying email callbacks that are in the inbox; callbacks with an unknown task are kept for later."""

from typing import Any

from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.inbox.draining import Inbox
from laaffic_console.laaffic import parse_email_callbacks
from messaging.services.email import reports as email_reports
from messaging.services.email.reports import Told


def _read(body: PushedBody, raw: object) -> tuple[list[Told], list[str]]:
    parsed = parse_email_callbacks([raw])
    return [Told(body.mark, submission) for submission in parsed.submissions], parsed.problems


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


def _retry(kept: list[dict[str, Any]]) -> list[bool]:
    return email_reports.apply([Told.from_json(told) for told in kept])


INBOX = Inbox(
    kind=PushKind.EMAIL_REPORT,
    job="messaging.jobs.apply_email_reports",
    read=_read,
    apply=email_reports.apply,
    orphan=_orphan,
    retry=_retry,
)
