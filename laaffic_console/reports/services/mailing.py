"""Sending a report by email. That it is being sent is committed before the first mail leaves, and is never taken back:
a worker that dies leaves people without their mail, and nobody gets it twice. A person sends it again.
"""

import datetime as dt
import logging
import smtplib
from dataclasses import replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation

from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import long_jobs
from laaffic_console.kit.files import exports, file_names
from laaffic_console.kit.words import dates
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined, shaped
from laaffic_console.reports import asking, sheet
from laaffic_console.reports.asking import Asked
from laaffic_console.reports.models import IS_OPEN_SENDING, Report, Sending
from laaffic_console.reports.services import saving, schedule
from laaffic_console.reports.tables import as_text

logger = logging.getLogger(__name__)

State = Sending.State
ROWS_IN_TEXT = 20
BROKEN_OFF_AFTER = dt.timedelta(hours=1)


class CannotSend(Exception):
    """One sentence why, and what to do."""


def is_waiting() -> bool:
    return _waiting().exists()


def _waiting() -> "QuerySet[Sending]":
    return Sending.objects.filter(IS_OPEN_SENDING.implied, state=State.QUEUED).order_by("pk")


def send_next() -> None:
    """The one that has waited longest."""
    with long_jobs.turn(schedule.JOB) as held:
        if held is not None and (sending := _waiting().first()) is not None:
            send(sending.pk)


def note_broken_off() -> None:
    """For the sweep: note what a worker was sending when it died."""
    now = database_clock.now()
    with translation.override(settings.LANGUAGE_CODE):
        said = _("The worker stopped while it sent this; some may have got it. Ask them, and send it again by hand.")
    dead = Sending.objects.filter(IS_OPEN_SENDING.implied, state=State.SENDING, began_at__lt=now - BROKEN_OFF_AFTER)
    dead.update(state=State.BROKEN_OFF, ended_at=now, problem=said)


def break_off_restored() -> None:
    """Break off what waited at the backup or was due since: it may have been sent, and nobody gets it twice."""
    with translation.override(settings.LANGUAGE_CODE):
        said = _(
            "The console was restored from a backup, and this may have been sent since. Ask its recipients, and send "
            "it again by hand if they do not have it."
        )
    waiting = Sending.objects.filter(IS_OPEN_SENDING.implied, state=State.QUEUED)
    waiting.update(state=State.BROKEN_OFF, ended_at=database_clock.now(), problem=said)


def send(sending_id: int) -> None:
    """Send it, once: the first caller does, and a second call does nothing."""
    mine = Sending.objects.filter(pk=sending_id, state=State.QUEUED)
    if not mine.update(state=State.SENDING, began_at=database_clock.now()):
        return
    sending = Sending.objects.select_related("report", "report__owner").get(pk=sending_id)
    with translation.override(settings.LANGUAGE_CODE):
        reached, problems = 0, list[str]()
        try:
            reached, problems = _send(sending)
        except CannotSend as problem:
            problems = [str(problem)]
        except Exception as problem:
            logger.exception("report %s was not sent", sending.report_id)
            why = _("The console itself failed (%(name)s); its log says more. Tell the person who looks after it.")
            problems = [why % {"name": type(problem).__name__}]
    state = State.SENT if not problems else State.PARTLY if reached else State.FAILED
    Sending.objects.filter(pk=sending_id).update(
        state=state,
        ended_at=database_clock.now(),
        recipients=reached,
        problem=joined(problems, "\n") if problems else "",
    )


def _send(sending: Sending) -> tuple[int, list[str]]:
    """(how many mails were taken by the server, what was wrong with the others)"""
    report = sending.report
    if not settings.EMAIL_IS_SET:
        raise CannotSend(_("The console has no mail server. Set EMAIL_URL and EMAIL_FROM, then send it again."))
    if not report.owner.is_active or not report.owner.has_perms([saving.VIEW, saving.EXPORT]):
        raise CannotSend(_("Its owner may no longer export reports. Somebody who may can save it again."))
    addresses, problems = recipients(report)
    if not addresses:
        raise CannotSend(joined([*problems, _("It has no recipients. Add people of this console, or addresses.")]))
    subject, body, attachment = written(report, sending.due_at)
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as problem:
        raise CannotSend(in_words(problem)) from problem
    reached = 0
    try:
        for address in addresses:
            mail = EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [address], connection=connection)
            mail.attach(*attachment)
            try:
                reached += mail.send()
            except (OSError, smtplib.SMTPException) as problem:
                problems.append(shaped("%(address)s: %(why)s", address=address, why=in_words(problem)))
                connection.close()  # it may have ended with this: the next one opens it again
    finally:
        connection.close()
    return reached, problems


def recipients(report: Report) -> tuple[list[str], list[str]]:
    """(addresses, why others get nothing), by the rights of this moment."""
    problems, found = [], []
    for user in report.users.order_by("username"):
        if why := saving.why_not(user):
            problems.append(why)
        else:
            found.append(user.email)
    typed = saving.addresses_of(report)
    if typed and not report.owner.has_perm(saving.ADDRESS):
        problems.append(_("Its owner may not send reports to other addresses any more."))
        typed = []
    return list({address.lower(): address for address in [*found, *typed]}.values()), problems


def written(report: Report, due_at: dt.datetime) -> tuple[str, str, tuple[str, bytes, str]]:
    """(subject, text, (file name, its bytes, its type)), of the days that were meant and over at that moment."""
    asked = asking.read(report.query)
    try:
        found = asked.run(asked.last_whole_day(timezone.localtime(due_at).date()))
    except ValidationError as problem:
        raise CannotSend(joined(problem.messages)) from problem
    first, last = found.period.first.isoformat(), found.period.last.isoformat()
    name = " ".join(report.name.split())
    days = {"first": dates.day(found.period.first), "last": dates.day(found.period.last)}
    subject = _("%(name)s: %(first)s to %(last)s") % {"name": name, **days}
    zone = timezone.get_current_timezone_name()
    lines = [subject, _("Days of %(zone)s, both included.") % {"zone": zone}, "", *as_text(found, ROWS_IN_TEXT), ""]
    lines += [_("The attached file has all of it. On the page:"), _address(asked, first, last)]
    content = b"".join(exports.content(sheet.lines(found), report.format, asking.title(asked)))
    file_name = f"{file_names.made_of(name, 80, 'report')}-{first}-{last}.{report.format}"
    return subject, "\n".join(lines), (file_name, content, exports.TYPES[report.format].partition(";")[0])


def _address(asked: Asked, first: str, last: str) -> str:
    asked = replace(asked, period="custom", first=first, last=last)
    return f"{settings.CONSOLE_URL}{reverse('admin:reports_report_show')}?{asked.query()}"


def in_words(problem: Exception) -> str:
    """What a mail server's refusal means and what to do; its own words hold no secret of ours."""
    if isinstance(problem, smtplib.SMTPAuthenticationError):
        return _("The mail server refused the user name or the password. Correct EMAIL_URL, then send it again.")
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return _("the mail server refuses this address. Correct it, then send it again.")
    if isinstance(problem, smtplib.SMTPSenderRefused):
        return _("The mail server refuses to send from this address. Correct EMAIL_FROM, then send it again.")
    if isinstance(problem, smtplib.SMTPResponseException):
        said = problem.smtp_error
        words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return _("The mail server said %(code)s: %(words)s") % {"code": problem.smtp_code, "words": words[:200]}
    return _("The mail server did not answer (%(name)s). Check EMAIL_URL and that it runs, then send it again.") % {
        "name": type(problem).__name__
    }
