"""Applying pushed reports that are in the inbox; reports with an unknown id are kept for later."""

import functools
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.conf import settings

from laaffic_console.gateway.models import PushedBody, PushKind
from laaffic_console.gateway.services.inbox.draining import Inbox
from laaffic_console.laaffic import DeliveryReport
from laaffic_console.laaffic.reports import MalformedReport, from_push
from messaging.services.reports import orphans, reports


def _read(body: PushedBody, raw: object) -> tuple[Sequence[DeliveryReport], Sequence[str]]:
    try:
        report = from_push(raw, _zone(settings.LAAFFIC_TIME_ZONE))
    except MalformedReport as problem:
        return (), (str(problem),)
    return (report,), (report.remark,) if report.remark else ()


_zone = functools.lru_cache(maxsize=10)(ZoneInfo)


INBOX = Inbox(
    kind=PushKind.SMS_REPORT,
    job="messaging.jobs.apply_sms_reports",
    read=_read,
    apply=reports.apply,
    orphan=functools.partial(orphans.kept, PushKind.SMS_REPORT),
    retry=orphans.retry,
    linger=1.0,
)
