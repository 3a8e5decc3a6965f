"""Asking for replies that were not pushed (recordMo): a little every few minutes, for each application.

How far it came is noted after each window (`reading_on.py`), so that more replies than one job can read are read
by the next ones, the oldest first.
"""

import datetime as dt
import logging
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.client.account import NotConfigured, client_with, laaffic_client
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.lists import reading_on
from laaffic_console.gateway.services.work import due as due_rows
from laaffic_console.gateway.services.work import leases, workers
from laaffic_console.gateway.services.work.due import CLOCKS_DIFFER_BY
from laaffic_console.gateway.services.work.patience import LEASE_SECONDS, Patience
from laaffic_console.kit.sql.constant_sql import Given, Select
from laaffic_console.laaffic import LaafficClient, LaafficError, reply_windows
from laaffic_console.laaffic import Reply as WireReply
from laaffic_console.laaffic.pages import MalformedRecord, Page
from messaging.models import Campaign, CampaignState, HourTally, Reply, ReplyPull
from messaging.services.replies import replies

logger = logging.getLogger(__name__)

JOB = "messaging.jobs.pull_sms_replies"
LEASE = "pull:sms-replies"
BEFORE_LAUNCH_SECONDS = 5.0
FIRST = dt.timedelta(days=7)  # how far back the first question goes
WAIT_SECONDS = 30.0  # for those who read them now, where somebody asks for all
READING_SECONDS = 150.0  # and no request begins any more: the job's process is ended a little later
OVERLAP = dt.timedelta(hours=1)  # what reached Laaffic late is asked for again; what is known changes nothing
JUST_BEFORE = dt.timedelta(minutes=2)  # the same, where a launch waits for it and the present matters most
NOT_OVER = (CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.HELD)


class TooSlow(Exception):
    """The time that was given for it is over."""


class BeingRead(Exception):
    """Others read them now, so nothing was asked."""


class LeaseLost(Exception):
    """Another reads them now."""


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


def pull_all() -> int:
    """Ask for the replies of all applications; how many were new. BeingRead if others read them for too long."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while (new := pull_due(at_once=True)) is None:
        if time.monotonic() > give_up_at:
            raise BeingRead(_("they are being read right now."))
        time.sleep(0.1)
    return new


def pull_due(*, at_once: bool = False) -> int | None:
    """Ask for the replies of each application that is due, or of all; how many were new. None: others read them now."""
    with leases.lease(LEASE, LEASE_SECONDS) as lease:
        if lease is None:
            return None
        asking = Patience(lease, seconds=math.inf if at_once else READING_SECONDS)
        new = 0
        for application in due(at_once=at_once).order_by("pk"):
            if not asking.may_ask():
                break  # the next sweep finds who is due still
            with isolation.guarded(f"replies of {application.app_id}"):
                new += pull(application, asking)
                if asking.is_over():
                    _tell_behind(application)
        return new


def pull(application: Application, asking: Patience, *, within: float | None = None) -> int:
    """Read on from where it was read, as long as `asking` allows. How many were new.

    `within`: how many seconds these are, where a launch waits for it. What is left out is asked for the next time: such
    a reading does not count as a try, begins near the present, and leaves what is asked for again to the job.
    """
    now = database_clock.now()
    tried = {"tried_at": now} if within is None else {"asked_at": now}
    first_try = now if within is None else now - _every()
    state, _made = ReplyPull.objects.get_or_create(application=application, defaults={"tried_at": first_try})
    until = due_rows.read_until(state.pulled_until, now)
    if within is None or until is None:
        start = reading_on.start_of(until, state.read_at, OVERLAP, now) or now - FIRST
    else:
        start = until - JUST_BEFORE
    kept, new = ReplyPull.objects.filter(pk=state.pk), 0
    unreadable: list[str] = []
    if until is None:
        kept.update(pulled_until=None)  # a wrong one would pass for right when its moment has come

    def pages(opens: dt.datetime, closes: dt.datetime) -> Iterator[Page[WireReply]]:
        # Times are asked in whole seconds: the one that has begun is asked for too.
        ends = closes + dt.timedelta(seconds=closes == now)
        return asked.iter_pages(app_id=application.app_id, start=opens, end=ends)

    def take(page: Page[WireReply]) -> None:
        nonlocal new
        workers.beat_through_request()
        if asking.lease is not None and not asking.lease.renew():
            raise LeaseLost
        new += replies.take_each(page.records, source=Reply.Source.PULL)

    def noted(closes: dt.datetime, part: reading_on.Part) -> None:
        unreadable.extend(part.problems)
        if within is None:
            kept.update(pulled_until=closes, read_at=database_clock.now(), **tried)
        elif until is None or closes > until:
            kept.update(pulled_until=closes, **tried)

    def check() -> None:
        if not asking.may_ask():
            raise TooSlow(_too_slow(within))

    problem = ""
    try:
        asked = _client(within).replies
        reading_on.read(
            reply_windows(start, now),
            reading_on.Asked(pages, take, noted, check),
            first=OVERLAP + reading_on.MORE if until else FIRST,  # a launch waits for the first reading
            seconds=reading_on.SECONDS_AT_ONCE if within is None else within / 4,
        )
    except LeaseLost:
        return new
    except (LaafficError, NotConfigured, TooSlow) as error:
        logger.warning("recordMo for %s: %s", application.app_id, error)
        problem = str(error)[:300]
    except BaseException as error:  # its process is ended, or something fails: the others' turn comes first
        said = isolation.in_words(error) if isinstance(error, Exception) else _too_slow(within)
        with suppress(DatabaseError):
            kept.update(**tried, problem=said[:300])
        raise
    if unreadable:
        problem = problem or _tell_unreadable(application, unreadable)
    kept.update(**tried, problem=problem)
    return new


def _too_slow(within: float | None) -> str:
    if within is not None:
        return _("it takes longer than %(n)d seconds.") % {"n": within}
    return _("there are more than could be read in time, or Laaffic is slow. The rest is read next.")


def _tell_behind(application: Application) -> None:
    """Where replies are not read up to the present, a STOP may be among the rest: the health page says so."""
    told = ReplyPull.objects.filter(application=application, problem=_too_slow(None)).first()
    if told is not None:
        raise TooSlow(told.problem)


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
    lately = Q(tried_at__gt=since, tried_at__lte=until) | Q(asked_at__gt=since, asked_at__lte=until)
    tried = ReplyPull.objects.filter(lately, application=Given("application"))
    return tried.order_by().values_list("pk")[:1]


def _read_since(application: Application, since: dt.datetime) -> str:
    give_up_at = time.monotonic() + BEFORE_LAUNCH_SECONDS
    while not _is_read(application, since):
        with leases.lease(LEASE) as lease:
            if lease is not None:
                within = max(0.1, give_up_at - time.monotonic())
                pull(application, Patience(lease, seconds=within), within=within)
                return ReplyPull.objects.values_list("problem", flat=True).get(application=application)
        if time.monotonic() > give_up_at:
            return _("they are being read right now.")
        time.sleep(0.1)  # its holder may be reading this application's
    return ""


def _is_read(application: Application, since: dt.datetime) -> bool:
    to = database_clock.now() + CLOCKS_DIFFER_BY
    return ReplyPull.objects.filter(application=application, pulled_until__range=(since, to)).exists()
