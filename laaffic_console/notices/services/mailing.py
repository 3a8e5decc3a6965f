"""Notices by email: the first at once, then at most one mail a person in ten minutes, with the oldest that wait.

That it is being sent is committed before it leaves. A mail server that is away is tried again, later each time. A
worker that dies while it sends leaves "being sent": after a while it is sent again, because a second mail costs nothing
and a missing one may.
"""

import datetime as dt
import logging
import smtplib

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.text import Truncator

from laaffic_console.gateway.services.work import bell, leases, workers
from laaffic_console.kit.audit import acts
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from laaffic_console.notices import subjects
from laaffic_console.notices.kinds import Notify
from laaffic_console.notices.models import IS_TO_MAIL, Notice, Postbox
from laaffic_console.notices.services.handing_out import MAIL_JOB

logger = logging.getLogger(__name__)

PAUSE = dt.timedelta(minutes=10)  # between two mails to one person
BROKEN_OFF_AFTER = dt.timedelta(minutes=10)
FIRST_WAIT, LONGEST_WAIT = 60, 1800  # seconds
PEOPLE = 20  # a run
LINES = 50  # a mail; what is left over stays due and goes with the next
SUBJECT = 150  # characters

Mail = Notice.Mail
FAILURES = (OSError, smtplib.SMTPException)


def ring_if_due() -> None:
    """For the sweep: ring where a mail is due."""
    if _due(timezone.now()):
        bell.ring(MAIL_JOB)


def send_due() -> None:
    with leases.lease("notices-mail", seconds=120) as lease:
        if lease is None or not (people := _due(timezone.now())):
            return
        if not settings.EMAIL_IS_SET:
            Notice.objects.filter(IS_TO_MAIL).update(mail=Mail.NONE)
            return
        with translation.override(settings.LANGUAGE_CODE), workers.beating():  # the mail server may hang
            _send_to_each(people, lease)


def _due(now: dt.datetime) -> list[int]:
    """Ids of people for whom something waits, and whose time has come."""
    broken_off = Q(mail=Mail.SENDING, mail_at__lt=now - BROKEN_OFF_AFTER)
    waiting = Notice.objects.filter(IS_TO_MAIL, Q(mail=Mail.DUE) | broken_off)
    people = set(waiting.order_by().values_list("user_id", flat=True).distinct())
    if not people:
        return []
    resting = Postbox.objects.filter(
        user__in=people, next_at__gt=now, next_at__lt=now + 2 * PAUSE + dt.timedelta(hours=1)
    )
    return sorted(people - set(resting.values_list("user_id", flat=True)))[:PEOPLE]


def _send_to_each(people: list[int], lease: leases.HeldLease) -> None:
    connection = get_connection()
    users = list(User.objects.filter(pk__in=people).order_by("pk"))
    try:
        for n, user in enumerate(users):
            try:
                connection.open()  # again, where a mail that failed has ended it
            except FAILURES as problem:
                logger.warning("notices wait for the mail server: %s", type(problem).__name__)
                for other in users[n:]:
                    _try_later(other.pk, [])
                return
            if not lease.renew():
                return
            if not _send_to(user, connection):
                connection.close()
    finally:
        connection.close()


def _send_to(user: User, connection: BaseEmailBackend) -> bool:
    """Whether the connection is as good as before."""
    notices = _claim(user)
    if not notices:
        return True
    with acts.acting(lambda: acts.Actor(user.pk, user.get_username(), sees_numbers=user.has_perm(masks.SEE))):
        subject, body = written(notices)
    # What is new since these words were written is due again.
    being_sent = Notice.objects.filter(pk__in=[notice.pk for notice in notices], mail=Mail.SENDING)
    try:
        EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [user.email], connection=connection).send()
    except FAILURES as problem:
        if _is_for_good(problem):
            logger.warning("notices to user %s do not leave: the mail server refuses the address", user.pk)
            being_sent.update(mail=Mail.NONE)
        else:
            logger.warning("notices to user %s wait: %s", user.pk, type(problem).__name__)
            _try_later(user.pk, [notice.pk for notice in notices])
        return False
    else:
        now = timezone.now()
        being_sent.update(mail=Mail.SENT, mail_at=now)
        Postbox.objects.filter(user=user).update(mailed_at=now, failures=0)
        return True


def _is_for_good(problem: Exception) -> bool:
    """An address that the mail server refuses; 4xx is for now: greylisting, a mailbox that is full, too many mails."""
    if not isinstance(problem, smtplib.SMTPRecipientsRefused):
        return False
    return all(code >= 500 for code, _said in problem.recipients.values())


@transaction.atomic
def _claim(user: User) -> list[Notice]:
    """The notices to mail to somebody, claimed in a commit before anything leaves; [] where none can be mailed."""
    now = timezone.now()
    mine = Notice.objects.filter(IS_TO_MAIL, user=user).order_by("pk")
    notices = list(mine.select_for_update())
    may_see = [one for one in notices if user.is_active and user.email and _may_see(user, one)]
    if gone := {one.pk for one in notices} - {one.pk for one in may_see}:
        Notice.objects.filter(pk__in=gone).update(mail=Mail.NONE)
    claimed = may_see[:LINES]
    if claimed:
        Notice.objects.filter(pk__in=[one.pk for one in claimed]).update(mail=Mail.SENDING, mail_at=now)
        Postbox.objects.update_or_create(user=user, defaults={"next_at": now + PAUSE})
    return claimed


def _may_see(user: User, notice: Notice) -> bool:
    subject = subjects.of(notice.subject)
    return notice.kind == Notify.MORE or (subject is not None and user.has_perm(subject.view))


@transaction.atomic
def _try_later(user_id: int, claimed: list[int]) -> None:
    Notice.objects.filter(pk__in=claimed).update(mail=Mail.DUE)
    box, _is_new = Postbox.objects.get_or_create(user_id=user_id)
    wait = min(FIRST_WAIT * 2 ** min(box.failures, 10), LONGEST_WAIT)
    box.failures, box.next_at = box.failures + 1, timezone.now() + dt.timedelta(seconds=wait)
    box.save(update_fields=["failures", "next_at"])


def written(notices: list[Notice]) -> tuple[str, str]:
    """(subject, text): a line and a link each."""
    n = len(notices)
    many = ngettext("%(n)d notice from the Laaffic console", "%(n)d notices from the Laaffic console", n) % {"n": n}
    subject = notices[0].words if n == 1 else many
    lines = []
    for notice in notices:
        lines += [notice.words, *([f"{settings.CONSOLE_URL}{notice.address}"] if notice.address else []), ""]
    lines.append(_("What comes by email you choose here: %(url)s") % {"url": _choices_address()})
    return Truncator(" ".join(subject.split())).chars(SUBJECT), "\n".join(lines)


def _choices_address() -> str:
    return f"{settings.CONSOLE_URL}{reverse('my_notices')}"
