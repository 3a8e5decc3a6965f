"""Asking which mails were delivered: getSendEmailRcd, 200 ids a request, less and less often."""

import datetime as dt
import itertools
import logging
from collections.abc import Sequence
from functools import partial

from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.work import bell, due, leases, patience, turns, workers
from laaffic_console.gateway.services.work.patience import ENDLESS, Patience
from laaffic_console.laaffic import LaafficClient, LaafficError
from laaffic_console.laaffic.codes import EmailCode
from laaffic_console.laaffic.email import MAX_EMAIL_IDS, EmailDeliveries
from messaging.models import Delivery, EmailCampaign, EmailMessage
from messaging.services.email import campaigns as email_campaigns
from messaging.services.email import reports as email_reports
from messaging.services.reports import report_pulls
from messaging.services.reports.abnormal_ids import Question, TooManyAbnormal, in_parts
from messaging.wire import gateway_ids

logger = logging.getLogger(__name__)

JOB = "messaging.jobs.pull_email_deliveries"
CALLS = 25  # about one campaign, before the next one that is due has its turn
AFTER_TROUBLE = dt.timedelta(minutes=10)
AFTER_MANY_ABNORMAL = dt.timedelta(minutes=1)
# How long after one question the next is asked: often while mails are fresh, seldom later (seconds).
CHECK_AFTER = (30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 21600)
WAITS = due.by_steps("checks", CHECK_AFTER, AFTER_TROUBLE, first=1)  # counted up as soon as it is asked


def pull_due() -> None:
    """Ask about campaigns whose time has come, for a while."""
    with leases.lease("pull:email", patience.LEASE_SECONDS) as lease:
        if lease is None:
            return
        try:
            client = laaffic_client()
        except NotConfigured:
            return
        turn, asking = turns.Turn(), Patience(lease, seconds=report_pulls.READING_SECONDS)
        while lease.renew() and (campaign := _due().order_by("next_check_at").select_related("application").first()):
            turn.has_begun()
            if turn.is_over() or asking.is_over():
                bell.ring(JOB)
                return
            _check_apart(client, campaign, asking, turn)


def _check_apart(client: LaafficClient, campaign: EmailCampaign, asking: Patience, turn: turns.Turn) -> None:
    """Whatever happens to it, this campaign is asked about later, and the next one now."""
    found = campaign.next_check_at
    _put_off(campaign, AFTER_TROUBLE)
    with isolation.guarded(f"deliveries of email campaign {campaign.pk}"):
        if found and email_campaigns.is_past_window(campaign) and not email_campaigns.is_past_window(campaign, found):
            campaign.asked_to = 0  # those before it were asked for within the window: their last question is to come
        try:
            check(client, campaign, asking, turn)
        except TooManyAbnormal as problem:
            logger.warning("getSendEmailRcd for campaign %s: %s", campaign.pk, problem)
            all_day = timezone.now() - report_pulls.PASSES_AT_ABNORMAL
            if not email_campaigns.is_past_window(campaign, all_day):
                if campaign.asked_to:
                    _expired(campaign, turn)
                return
            # It was asked for all day, each time behind those that were asked for before: these were the last ones.
            campaign.asked_to = 0
            EmailCampaign.objects.filter(pk=campaign.pk).update(asked_to=0)
            is_through = _expired(campaign, turn, all_day)
        except LaafficError as problem:
            logger.warning("getSendEmailRcd for campaign %s: %s", campaign.pk, problem)
            is_through = _expired(campaign, turn)
            if campaign.asked_to and email_campaigns.is_past_window(campaign):
                return  # soon behind these, who have had their last question
        else:
            is_through = _expired(campaign, turn) and not campaign.asked_to
        _check_again(campaign) if is_through else _go_on(campaign)


def anything_due() -> bool:
    return _due().exists()


def _due() -> "QuerySet[EmailCampaign]":
    return EmailCampaign.objects.filter(due.come("next_check_at", WAITS))


def check(
    client: LaafficClient,
    campaign: EmailCampaign,
    asking: Patience = ENDLESS,
    turn: turns.Turn | None = None,
) -> int:
    """Ask about a campaign's mails that are on their way, behind those that were asked for last; how many moved.

    With a turn about CALLS times 200 of them, as others are due too, and fewer when it is over. `asked_to` is 0 when
    it has been through. It is kept before its request leaves: one that fails each time keeps nobody from being asked.
    """
    moved = 0
    for call in itertools.count(1):
        ids = _pending(campaign, campaign.asked_to)
        campaign.asked_to = ids[-1][0] if len(ids) == MAX_EMAIL_IDS else 0
        EmailCampaign.objects.filter(pk=campaign.pk).update(asked_to=campaign.asked_to)
        workers.beat_through_request()
        moved += _ask_for(client, campaign, ids, asking)
        if campaign.asked_to:
            _expired(campaign, turn)
        if not campaign.asked_to or not asking.may_ask():
            break
        if turn is not None and (call >= CALLS or turn.is_over()):
            break
    return moved


def _ask_for(client: LaafficClient, campaign: EmailCampaign, mails: Sequence[tuple[int, str]], asking: Patience) -> int:
    """How many of these moved. Where Laaffic calls too many abnormal, the next pass begins behind the last that was
    asked for, and it begins later if none of them was answered."""
    asked = [(pk, email_id) for pk, email_id in mails if gateway_ids.can_be_asked_for(email_id)]
    question = Question("getSendEmailRcd", partial(_deliveries, client), EmailCode.FIELD_EMPTY)
    moved, is_answered = 0, False
    try:
        for told in in_parts(question, campaign.application.app_id, [email_id for _, email_id in asked], asking):
            is_answered = True
            moved += email_reports.apply_deliveries(campaign.pk, told.deliveries)
    except TooManyAbnormal as problem:
        campaign.asked_to = asked[problem.asked][0] - 1  # ids of mails are given in order
        EmailCampaign.objects.filter(pk=campaign.pk).update(asked_to=campaign.asked_to)
        if is_answered:
            _put_off(campaign, AFTER_MANY_ABNORMAL)
        raise
    return moved


def _put_off(campaign: EmailCampaign, pause: dt.timedelta) -> None:
    """Unless a callback that came in the meantime asked for another time."""
    found, campaign.next_check_at = campaign.next_check_at, database_clock.now() + pause
    EmailCampaign.objects.filter(pk=campaign.pk, next_check_at=found).update(next_check_at=campaign.next_check_at)


def _deliveries(client: LaafficClient, app_id: str, ids: Sequence[str]) -> EmailDeliveries:
    return client.email.deliveries(app_id=app_id, email_ids=ids)


def _pending(campaign: EmailCampaign, after: int) -> list[tuple[int, str]]:
    pending = EmailMessage.objects.filter(campaign=campaign, delivery=Delivery.PENDING, pk__gt=after)
    return list(pending.exclude(email_id="").order_by("pk").values_list("pk", "email_id")[:MAX_EMAIL_IDS])


def _expired(campaign: EmailCampaign, turn: turns.Turn | None, at: dt.datetime | None = None) -> bool:
    """Past its window (`at` a moment, else now) the question that was just put about a mail was the last one, answered
    or not. Whether none of those that were asked for is left; of a pass that has come to its end, none at all."""
    now = at or timezone.now()
    if email_campaigns.is_past_window(campaign, now):
        while email_reports.expire(campaign.pk, campaign.asked_to, told_before=now - email_campaigns.window()):
            workers.beat()
            if turn is not None and turn.is_over():
                return False
    return True


def _go_on(campaign: EmailCampaign) -> None:
    """Behind the others that are due."""
    due_now = {"next_check_at": database_clock.now()}
    EmailCampaign.objects.filter(pk=campaign.pk, next_check_at=campaign.next_check_at).update(**due_now)


def _check_again(campaign: EmailCampaign) -> None:
    if _pending(campaign, 0):
        pause = CHECK_AFTER[min(campaign.checks, len(CHECK_AFTER) - 1)]
        at = database_clock.now() + dt.timedelta(seconds=pause)
        changed = {"next_check_at": at, "checks": min(campaign.checks + 1, 1000)}
        if email_campaigns.is_past_window(campaign, at):
            changed["asked_to"] = 0  # the next question is the last one, of each of them
    else:
        changed = {"next_check_at": None, "checks": 0}
    # A callback that came in the meantime asked for an earlier time: it counts.
    EmailCampaign.objects.filter(pk=campaign.pk, next_check_at=campaign.next_check_at).update(**changed)
    email_campaigns.finish_if_done(campaign.pk)
