"""Asking for replies that were not pushed (recordMo): a little every few minutes, for each application."""

import datetime as dt
import logging
import time
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.client.account import NotConfigured, client_with, laaffic_client
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.work import due as due_rows
from laaffic_console.gateway.services.work import leases, workers
from laaffic_console.gateway.services.work.due import CLOCKS_DIFFER_BY
from laaffic_console.gateway.services.work.patience import LEASE_SECONDS, Patience
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.laaffic import LaafficClient, LaafficError, reply_windows
from laaffic_console.laaffic.pages import MalformedRecord
from messaging.models import Campaign, CampaignState, HourTally, Reply, ReplyPull
from messaging.services.replies import replies

logger = logging.getLogger(__name__)

JOB = "messaging.jobs.pull_sms_replies"
LEASE = "pull:sms-replies"
BEFORE_LAUNCH_SECONDS = 5.0
FIRST = dt.timedelta(days=7)  # how far back the first question goes
OVERLAP = dt.timedelta(hours=1)  # what reached Laaffic late is asked for again; what is known changes nothing
NOT_OVER = (CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD)


class TooSlow(Exception):
    """The time that was given for it is over."""


def due(*, at_once: bool = False) -> QuerySet[Application]:
    """Applications to ask for replies now: they have a campaign that can be answered, and were not asked lately."""
    now = database_clock.now()  # a moment that lies ahead was written by a clock that was wrong
    lately = now if at_once else now - _every()
    tried = ReplyPull.objects.filter(
        application=OuterRef("pk"), tried_at__gt=lately, tried_at__lte=now + CLOCKS_DIFFER_BY
    )
    return heard().filter(~Exists(tried))


def heard() -> QuerySet[Application]:
    """Applications that are asked for replies at all: with a campaign, and switched on.

    One that was switched off counts while a campaign goes on or has sent lately, even if it was switched off for
    that campaign: a STOP sent in the meantime must not be missed.
    """
    used = Campaign.objects.filter(application=OuterRef("pk"))
    since = database_clock.now() - FIRST
    going_on = Exists(used.filter(Q(state__in=NOT_OVER) | Q(launched_at__gte=since)))
    told = HourTally.objects.filter(application=OuterRef("pk"), hour__gte=since)  # of one that ran for long, too
    is_heard = Q(is_active=True) | going_on | Exists(told)
    return Application.objects.filter(is_heard, Exists(used), channel=Channel.SMS)


def _every() -> dt.timedelta:
    return dt.timedelta(minutes=settings.REPLY_PULL_MINUTES)


def anything_due() -> bool:
    return due().exists()


def pull_due(*, at_once: bool = False) -> int:
    """Ask for the replies of each application that is due, or of all; how many were new."""
    with leases.lease(LEASE, LEASE_SECONDS) as lease:
        if lease is None:
            return 0
        asking = Patience(lease)
        new = 0
        for application in due(at_once=at_once).order_by("pk"):
            if not at_once and not asking.may_ask():
                break  # the next sweep finds who is due still
            with isolation.guarded(f"replies of {application.app_id}"):
                new += pull(application, lease)
        return new


def pull(application: Application, lease: leases.HeldLease, *, within: float | None = None) -> int:
    """All windows since the last time; what a trouble leaves out is asked for the next time. How many were new.

    With `within` seconds it stops after the page with which they are over.
    """
    now = database_clock.now()
    state, _made = ReplyPull.objects.get_or_create(application=application, defaults={"tried_at": now})
    until = due_rows.read_until(state.pulled_until, now)
    start = until - OVERLAP if until else now - FIRST
    give_up_at = None if within is None else time.monotonic() + within
    new, problem = 0, ""
    unreadable: list[str] = []
    try:
        asked = _client(within).replies
        for opens, closes in reply_windows(start, now):
            # Times are asked in whole seconds: the one that has begun is asked for too.
            ends = closes + dt.timedelta(seconds=closes == now)
            for page in asked.iter_pages(app_id=application.app_id, start=opens, end=ends):
                workers.beat_through_request()
                if not lease.renew():
                    return new
                new += replies.take_each(page.records, source=Reply.Source.PULL)
                unreadable += page.problems
                _check_time(give_up_at, within)
            until = closes
    except (LaafficError, NotConfigured, TooSlow) as error:
        logger.warning("recordMo for %s: %s", application.app_id, error)
        problem = str(error)[:300]
    if unreadable:
        problem = problem or _tell_unreadable(application, unreadable)
    ReplyPull.objects.filter(pk=state.pk).update(tried_at=now, pulled_until=until, problem=problem)
    return new


def _tell_unreadable(application: Application, problems: list[str]) -> str:
    """One of them may be a STOP: it is shown for days, though the next time it lies further back than is asked for."""
    said = ngettext(
        "%(n)d reply could not be read (%(why)s).", "%(n)d replies could not be read (%(why)s).", len(problems)
    ) % {"n": len(problems), "why": problems[0][:150]}
    isolation.note(f"a row of {application.app_id}", MalformedRecord(problems[0]))
    return said


def _client(within: float | None) -> LaafficClient:
    if within is None:
        return laaffic_client()
    connect, read = settings.LAAFFIC_TIMEOUTS
    return client_with((min(connect, within / 2), min(read, within)))


def _check_time(give_up_at: float | None, within: float | None) -> None:
    if give_up_at is not None and time.monotonic() > give_up_at:
        raise TooSlow(_("it takes longer than %(n)d seconds.") % {"n": within or 0})


def read_before_launch(campaign: Campaign) -> str:
    """Ask for the replies of a launched campaign's application, for some seconds; what hinders it, or "".

    Who has said STOP by then is suppressed when this returns. It never fails: a launch does not depend on it.
    """
    application, since = campaign.application, campaign.launched_at
    if application.channel != Channel.SMS or since is None:
        return ""
    return _read_since(application, since)


def read_if_due(application: Application) -> str:
    """Ask for replies unless that was done lately, for launches many times a minute; why they were not read, or ""."""
    if _were_asked_for(application) or not due().filter(pk=application.pk).exists():
        return ""
    return _read_since(application, database_clock.now() - _every())


def _were_asked_for(application: Application) -> bool:
    """Whether it was asked for replies lately, by the rule of `due` but with one cheap query."""
    now, every = database_clock.in_statement(), _every()
    if not isinstance(now, dt.datetime):
        return bool(_tried.rows(now, every, application=application.pk))
    moments = {"since": now - every, "until": now + CLOCKS_DIFFER_BY}
    return bool(_tried.rows(None, every, application=application.pk, **moments))


@Select
def _tried(now: Any, every: dt.timedelta) -> "QuerySet[ReplyPull, Any]":
    since, until = (now - every, now + CLOCKS_DIFFER_BY) if now else (Given("since"), Given("until"))
    tried = ReplyPull.objects.filter(application=Given("application"), tried_at__gt=since, tried_at__lte=until)
    return tried.order_by().values_list("pk")[:1]


def _read_since(application: Application, since: dt.datetime) -> str:
    give_up_at = time.monotonic() + BEFORE_LAUNCH_SECONDS
    while not _is_read(application, since):
        with leases.lease(LEASE) as lease:
            if lease is not None:
                pull(application, lease, within=max(0.1, give_up_at - time.monotonic()))
                return ReplyPull.objects.values_list("problem", flat=True).get(application=application)
        if time.monotonic() > give_up_at:
            return _("they are being read right now.")
        time.sleep(0.1)  # its holder may be reading this application's
    return ""


def _is_read(application: Application, since: dt.datetime) -> bool:
    to = database_clock.now() + CLOCKS_DIFFER_BY
    return ReplyPull.objects.filter(application=application, pulled_until__range=(since, to)).exists()
