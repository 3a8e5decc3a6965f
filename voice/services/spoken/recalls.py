"""Spoken messages that Laaffic calls again by itself: if a message was not heard, only its last call settles it.

A push comes for the last call only. Records that we ask for do not mention recalls, so a call that was not heard counts
only once the last recall must be over. Before that, a *retry of the failed* would ring beside Laaffic's own recall.
"""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from laaffic_console.laaffic import DeliveryReport, DeliveryState
from messaging.models import Campaign, Message
from messaging.wire.order_ids import message_id_of
from voice.services.spoken.options import TtsOptions, call_lasts


def last(campaign: Campaign) -> dt.timedelta:
    """How long after its request a message's last recall is over; zero if nobody is called again."""
    return call_lasts(campaign) if TtsOptions.of(campaign).spoken.recall_count else dt.timedelta()


def ended(reports: Sequence[DeliveryReport], now: dt.datetime) -> list[DeliveryReport]:
    """One report for each message: of several calls the one that was heard, else the last.

    A message that was not heard yet is pending: its record only proves that the request arrived.
    """
    waiting = _may_ring_again(reports, now)
    best: dict[str, DeliveryReport] = {}
    for report in reports:
        if report.state == DeliveryState.FAILED and _message(report) in waiting:
            report = report._replace(state=DeliveryState.PENDING, reason="", pay=None)
        before = best.get(report.order_id)
        if before is None or _rank(report) > _rank(before):
            best[report.order_id] = report
    return list(best.values())


def _rank(report: DeliveryReport) -> tuple[bool, float]:
    return report.state == DeliveryState.DELIVERED, report.at.timestamp() if report.at else 0.0


def _message(report: DeliveryReport) -> int | None:
    return message_id_of(settings.LAAFFIC_ORDER_PREFIX, report.order_id)


def _may_ring_again(reports: Sequence[DeliveryReport], now: dt.datetime) -> set[int]:
    """Messages that were not heard and whose last recall may be still to come."""
    failed = {pk for report in reports if report.state == DeliveryState.FAILED and (pk := _message(report)) is not None}
    if not failed:
        return set()
    rows = list(Message.objects.filter(pk__in=failed).values_list("pk", "campaign_id", "batch__entry__left_at"))
    campaigns = Campaign.objects.in_bulk({campaign for _pk, campaign, _left_at in rows})
    lasts = {pk: last(one) for pk, one in campaigns.items()}
    return {pk for pk, campaign, left_at in rows if left_at is not None and now < left_at + lasts[campaign]}
