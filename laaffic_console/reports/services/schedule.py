"""When a report is sent. Once for each time: its row is made in the transaction that sets the next time."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import long_jobs
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.reports.models import Report, Sending

JOB = "laaffic_console.reports.jobs.send_next"
TASK_SECONDS = 1800  # a mail server may be slow, and a report has up to 50 recipients
TAKEN_AT_ONCE = 50
LONGEST_WAIT = 32  # days

Schedule = Report.Schedule


def next_time(report: Report, after: dt.datetime) -> dt.datetime | None:
    """The first of its times that is later, by the console's clock; None for a report that is not sent.

    In the night in which clocks are put forward an hour that there is not is the one after it; one that comes twice
    counts once.
    """
    if report.schedule == Schedule.NONE:
        return None
    today = timezone.localtime(after).date()
    for days in range(LONGEST_WAIT + 1):
        day = today + dt.timedelta(days=days)
        is_wanted = (
            day.weekday() == report.weekday if report.schedule == Schedule.WEEKLY else day.day == report.month_day
        )
        moment = dt.datetime.combine(day, dt.time(report.hour), timezone.get_current_timezone())
        if is_wanted and moment > after:
            return moment.astimezone(dt.UTC)
    return None


def take_due(now: dt.datetime | None = None) -> None:
    """For the sweep: queue what is due. What was due several times while no worker ran is sent once."""
    now = now or database_clock.now()
    for report in Report.objects.filter(next_at__lte=now).order_by("next_at")[:TAKEN_AT_ONCE]:
        with transaction.atomic():
            is_mine = Report.objects.filter(pk=report.pk, next_at=report.next_at).update(next_at=next_time(report, now))
            if is_mine and report.next_at is not None:
                queue_due(report, report.next_at)


def queue_due(report: Report, due_at: dt.datetime) -> None:
    """In the transaction that sets its next time, so that it is queued once."""
    _queue(report, due_at, is_by_hand=False)


def leave_out_past() -> None:
    """After a restore: what was due between the backup and now is queued, for mailing to say that it is not sent."""
    now = database_clock.now()
    for report in Report.objects.filter(next_at__lte=now).order_by("pk"):
        with transaction.atomic():
            Report.objects.filter(pk=report.pk).update(next_at=next_time(report, now))
            if report.next_at is not None:
                Sending.objects.create(report=report, due_at=report.next_at)


def send_now(report: Report) -> Sending:
    """Queue what a person asks for, beside what is planned; what was asked for and not sent yet is not sent twice."""
    with transaction.atomic():
        list(Report.objects.select_for_update(no_key=True).filter(pk=report.pk).values_list("pk"))
        asked = report.sendings.filter(is_by_hand=True, state__in=[Sending.State.QUEUED, Sending.State.SENDING])
        if waits := asked.first():
            return waits
        record(Act.EXPORTED, report, event=_("by email"))
        return _queue(report, timezone.now(), is_by_hand=True)


def _queue(report: Report, due_at: dt.datetime, *, is_by_hand: bool) -> Sending:
    sending = Sending.objects.create(report=report, due_at=due_at, is_by_hand=is_by_hand)
    long_jobs.ring(JOB)
    return sending
