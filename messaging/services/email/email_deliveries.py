"""Asking which mails were delivered: getSendEmailRcd, 200 ids a request, ever more seldom."""

import datetime as dt
import logging

from django.db.models import QuerySet

from laaffic_console.gateway.services import bell, database_clock, due, isolation, leases, turns, workers
from laaffic_console.gateway.services.account import NotConfigured, laaffic_client
from laaffic_console.laaffic import LaafficClient, LaafficError
from laaffic_console.laaffic.email import MAX_EMAIL_IDS
from messaging import gateway_ids
from messaging.models import Delivery, EmailCampaign, EmailMessage
from messaging.services.email import email_campaigns, email_reports

logger = logging.getLogger(__name__)

JOB = "messaging.jobs.pull_email_deliveries"
AFTER_TROUBLE = dt.timedelta(minutes=10)
# How long after one question the next is asked: often while mails are fresh, seldom later (seconds).
CHECK_AFTER = (30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600)
WAITS = due.by_steps("checks", CHECK_AFTER, AFTER_TROUBLE, first=1)  # counted up as soon as it is asked


def pull_due() -> None:
    """Ask about campaigns whose time has come, for a while."""
    with leases.lease("pull:email") as lease:
        if lease is None:
            return
        try:
            client = laaffic_client()
        except NotConfigured:
            return
        turn = turns.Turn()
        while lease.renew() and (campaign := _due().order_by("next_check_at").select_related("application").first()):
            if turn.is_over():
                bell.ring(JOB)
                return
            _check_apart(client, campaign, lease)


def _check_apart(client: LaafficClient, campaign: EmailCampaign, lease: leases.HeldLease) -> None:
    """Whatever becomes of it, this campaign is asked about later, and the next one now."""
    found = campaign.next_check_at
    campaign.next_check_at = database_clock.now() + AFTER_TROUBLE
    EmailCampaign.objects.filter(pk=campaign.pk, next_check_at=found).update(next_check_at=campaign.next_check_at)
    with isolation.guarded(f"deliveries of email campaign {campaign.pk}"):
        try:
            check(client, campaign, lease)
        except LaafficError as problem:
            logger.warning("getSendEmailRcd for campaign %s: %s", campaign.pk, problem)
        _check_again(campaign)


def anything_due() -> bool:
    return _due().exists()


def _due() -> "QuerySet[EmailCampaign]":
    return EmailCampaign.objects.filter(due.come("next_check_at", WAITS))


def check(client: LaafficClient, campaign: EmailCampaign, lease: leases.HeldLease | None = None) -> int:
    """Ask about every mail of a campaign that is on its way; how many moved."""
    moved, last = 0, 0
    while ids := _pending(campaign, last):
        if asked := [email_id for _, email_id in ids if gateway_ids.can_be_asked_for(email_id)]:
            told = client.email.deliveries(app_id=campaign.application.app_id, email_ids=asked)
            moved += email_reports.apply_deliveries(campaign.pk, told.deliveries)
        last = ids[-1][0]
        workers.beat()
        if lease is not None and not lease.renew():
            break
    return moved


def _pending(campaign: EmailCampaign, after: int) -> list[tuple[int, str]]:
    pending = EmailMessage.objects.filter(campaign=campaign, delivery=Delivery.PENDING, pk__gt=after)
    return list(pending.exclude(email_id="").order_by("pk").values_list("pk", "email_id")[:MAX_EMAIL_IDS])


def _check_again(campaign: EmailCampaign) -> None:
    if email_campaigns.is_past_window(campaign):
        while email_reports.expire(campaign.pk):
            workers.beat()
    if _pending(campaign, 0):
        pause = CHECK_AFTER[min(campaign.checks, len(CHECK_AFTER) - 1)]
        at = database_clock.now() + dt.timedelta(seconds=pause)
        changed = {"next_check_at": at, "checks": min(campaign.checks + 1, 1000)}
    else:
        changed = {"next_check_at": None, "checks": 0}
    # A callback that came meanwhile asked for an earlier time: it counts.
    EmailCampaign.objects.filter(pk=campaign.pk, next_check_at=campaign.next_check_at).update(**changed)
    email_campaigns.finish_if_done(campaign.pk)
