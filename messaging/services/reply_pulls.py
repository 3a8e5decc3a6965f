"""Asking for replies that were not pushed (recordMo, wire §2.17): a little every few minutes, for each application."""

import datetime as dt
import logging

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services import leases, workers
from laaffic_console.gateway.services.account import NotConfigured, laaffic_client
from laaffic_console.laaffic import LaafficError, reply_windows
from messaging.models import Campaign, Reply, ReplyPull
from messaging.services import replies

logger = logging.getLogger(__name__)

JOB = "messaging.jobs.pull_sms_replies"
FIRST = dt.timedelta(days=7)  # how far back the first question goes
OVERLAP = dt.timedelta(hours=1)  # what reached Laaffic late is asked for again; what is known changes nothing


def due(*, at_once: bool = False) -> QuerySet[Application]:
    """Those with a campaign, as nobody can answer the others, and whose replies were not asked for lately."""
    lately = timezone.now() if at_once else timezone.now() - dt.timedelta(minutes=settings.REPLY_PULL_MINUTES)
    tried = ReplyPull.objects.filter(application=OuterRef("pk"), tried_at__gt=lately)
    used = Campaign.objects.filter(application=OuterRef("pk"))
    return Application.objects.filter(Exists(used), ~Exists(tried), channel=Channel.SMS, is_active=True)


def anything_due() -> bool:
    return due().exists()


def pull_due(*, at_once: bool = False) -> int:
    """Ask for the replies of each application that is due, or of all; how many were new."""
    with leases.lease("pull:sms-replies") as held:
        if held is None:
            return 0
        new = 0
        for application in due(at_once=at_once).order_by("pk"):
            new += pull(application, held)
        return new


def pull(application: Application, held: leases.HeldLease) -> int:
    """All windows since the last time. What a trouble leaves out is asked for the next time."""
    now = timezone.now()
    state, _made = ReplyPull.objects.get_or_create(application=application, defaults={"tried_at": now})
    start = state.pulled_until - OVERLAP if state.pulled_until else now - FIRST
    new, until, problem = 0, state.pulled_until, ""
    try:
        asked = laaffic_client().replies
        for opens, closes in reply_windows(start, now):
            for page in asked.iter_pages(app_id=application.app_id, start=opens, end=closes):
                workers.beat()
                if not held.renew():
                    return new
                new += replies.take(page.records, source=Reply.Source.PULL)
            until = closes
    except (LaafficError, NotConfigured) as error:
        logger.warning("recordMo for %s: %s", application.app_id, error)
        problem = str(error)[:300]
    ReplyPull.objects.filter(pk=state.pk).update(tried_at=now, pulled_until=until, problem=problem)
    return new
