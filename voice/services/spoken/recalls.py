"""Spoken messages that Laaffic calls again by itself: if a message was not heard, only its last call settles it.

A push comes for the last call only. Records that we ask for do not mention recalls, so a call that was not heard counts
only once the last recall must be over. Before that, a *retry of the failed* would ring beside Laaffic's own recall.
"""

import datetime as dt
from collections.abc import Sequence

from laaffic_console.laaffic import DeliveryReport, DeliveryState
from messaging.models import Campaign, Message
from messaging.services.reports import report_targets
from voice.services.spoken.options import TtsOptions, call_lasts


def last(campaign: Campaign) -> dt.timedelta:
    """How long after its request a message's last recall is over; zero if nobody is called again."""
    return call_lasts(campaign) if TtsOptions.of(campaign).spoken.recall_count else dt.timedelta()


def ended(reports: Sequence[DeliveryReport], now: dt.datetime) -> list[DeliveryReport]:
    """One report for each message: of several calls the one that was heard, else the last.

    A message that was not heard yet is pending: its record only proves that the request arrived.
    """
    targets, _batches = report_targets.targets_of(reports)
    failed = {
        target[0]
        for report, target in zip(reports, targets, strict=True)
        if target is not None and report.state == DeliveryState.FAILED
    }
    waiting = _may_ring_again(failed, now)
    best: dict[str, DeliveryReport] = {}
    for report, target in zip(reports, targets, strict=True):
        if report.state == DeliveryState.FAILED and target is not None and target[0] in waiting:
            report = report._replace(state=DeliveryState.PENDING, reason="", pay=None)
        before = best.get(key_of(report))
        if before is None or _rank(report) > _rank(before):
            best[key_of(report)] = report
    return list(best.values())


def key_of(report: DeliveryReport) -> str:
    """What its message is told by: all of its calls have its order id, where they have one."""
    return report.order_id or report.msg_id


def _rank(report: DeliveryReport) -> tuple[bool, float]:
    return report.state == DeliveryState.DELIVERED, report.at.timestamp() if report.at else 0.0


def _may_ring_again(failed: set[int], now: dt.datetime) -> set[int]:
    """Messages that were not heard and whose last recall may be still to come."""
    if not failed:
        return set()
    rows = list(Message.objects.filter(pk__in=failed).values_list("pk", "campaign_id", "batch__entry__left_at"))
    campaigns = Campaign.objects.in_bulk({campaign for _pk, campaign, _left_at in rows})
    lasts = {pk: last(one) for pk, one in campaigns.items()}
    return {pk for pk, campaign, left_at in rows if left_at is not None and now < left_at + lasts[campaign]}
