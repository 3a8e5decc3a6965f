"""Email: the first at once, then at most one in ten minutes; a mail server that is away is tried again."""

import datetime as dt
import smtplib
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from laaffic_console.notices.kinds import Notify
from laaffic_console.notices.models import Notice, Postbox
from laaffic_console.notices.services import mailing
from tests.notices.conftest import Person

pytestmark = pytest.mark.django_db

Mail = Notice.Mail


@pytest.fixture
def ann(person: Person) -> User:
    return person("ann", "Operator")


def due(user: User, pk: int = 1, **more: Any) -> Notice:
    said = {"name": f"C{pk}", "reason": "No funds."}
    given = {"kind": Notify.HELD, "about": f"campaign:{pk}", "subject": "campaign", "said": said, "mail": Mail.DUE}
    return Notice.objects.create(user=user, **{**given, **more})


def ten_minutes_later() -> None:
    Postbox.objects.update(next_at=timezone.now() - dt.timedelta(seconds=1))


def test_one_notice_says_in_its_subject_what_happened(ann: User, settings: Any) -> None:
    settings.CONSOLE_URL = "https://console.example.com"
    due(ann, 7)

    mailing.send_due()

    [post] = mail.outbox
    assert (post.to, post.subject) == (["ann@example.com"], "“C7” is held: No funds.")
    assert "https://console.example.com/admin/messaging/campaign/7/change/" in post.body


@pytest.mark.parametrize(("role", "told"), [("Operator", "447700900123"), ("Viewer", "4477•••••123")])
def test_a_number_in_a_reason_is_told_to_those_who_may_see_it(person: Person, role: str, told: str) -> None:
    due(person("lou", role), said={"name": "C1", "reason": "no route to 447700900123"})

    mailing.send_due()

    [post] = mail.outbox
    assert post.subject == f"“C1” is held: no route to {told}"
    assert told in post.body


def test_what_comes_within_ten_minutes_waits_and_comes_together(ann: User) -> None:
    due(ann, 1)
    mailing.send_due()
    for pk in (2, 3, 4):
        due(ann, pk)
    mailing.send_due()
    assert len(mail.outbox) == 1

    ten_minutes_later()
    mailing.send_due()

    assert [post.subject for post in mail.outbox[1:]] == ["3 notices from the Laaffic console"]
    assert not Notice.objects.exclude(mail=Mail.SENT).exists()


def test_what_is_too_much_for_one_mail_goes_with_the_next(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailing, "LINES", 2)
    for pk in (1, 2, 3):
        due(ann, pk, in_bell=False)
    mailing.send_due()
    assert list(Notice.objects.order_by("pk").values_list("mail", flat=True)) == [Mail.SENT, Mail.SENT, Mail.DUE]

    ten_minutes_later()
    mailing.send_due()

    assert [post.subject for post in mail.outbox] == ["2 notices from the Laaffic console", "“C3” is held: No funds."]
    assert not Notice.objects.exclude(mail=Mail.SENT).exists()


def test_a_subject_that_is_too_long_shows_that_it_goes_on(ann: User) -> None:
    due(ann, said={"name": "C", "reason": 60 * "Used up. "})

    mailing.send_due()

    assert (len(mail.outbox[0].subject), mail.outbox[0].subject[-1]) == (mailing.SUBJECT, "…")


def test_a_name_with_a_line_break_makes_no_header(ann: User) -> None:
    due(ann, said={"name": "C\nBcc: eve@example.com", "reason": ""})

    mailing.send_due()

    assert "\n" not in mail.outbox[0].subject


def test_a_server_that_is_away_is_tried_again_later_each_time(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    notice = due(ann)
    monkeypatch.setattr(EmailBackend, "open", refuse, raising=False)
    for failures in (1, 2, 3):
        ten_minutes_later()
        mailing.send_due()
        box = Postbox.objects.get()
        assert box.failures == failures
        assert box.next_at > timezone.now() + dt.timedelta(seconds=50 * 2 ** (failures - 1))
    mailing.send_due()  # not yet its time
    assert Postbox.objects.get().failures == 3

    monkeypatch.undo()
    ten_minutes_later()
    mailing.send_due()

    notice.refresh_from_db()
    assert (notice.mail, len(mail.outbox), Postbox.objects.get().failures) == (Mail.SENT, 1, 0)


def test_a_mail_that_fails_is_due_again(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    notice = due(ann)
    monkeypatch.setattr(EmailBackend, "send_messages", refuse)

    mailing.send_due()

    notice.refresh_from_db()
    assert notice.mail == Mail.DUE


@pytest.mark.parametrize(
    ("code", "state"), [(550, Mail.NONE), (450, Mail.DUE), (421, Mail.DUE)], ids=["unknown", "greylisted", "too many"]
)
def test_an_address_that_is_refused_is_not_tried_for_ever(
    ann: User, person: Person, monkeypatch: pytest.MonkeyPatch, code: int, state: str
) -> None:
    notice, others = due(ann), due(person("bob", "Operator"))
    send, closed = EmailBackend.send_messages, []

    def refused(backend: Any, posts: list[EmailMessage]) -> int:
        if posts[0].to == ["ann@example.com"]:
            raise smtplib.SMTPRecipientsRefused({"ann@example.com": (code, b"no")})
        return send(backend, posts)

    monkeypatch.setattr(EmailBackend, "send_messages", refused)
    monkeypatch.setattr(EmailBackend, "close", lambda self: closed.append(len(mail.outbox)))

    mailing.send_due()

    notice.refresh_from_db()
    others.refresh_from_db()
    assert (notice.mail, others.mail) == (state, Mail.SENT)
    assert closed == [0, 1]  # the next one gets a connection of its own


def test_what_is_told_while_it_is_mailed_is_mailed_too(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    notice = due(ann)
    send = EmailBackend.send_messages

    def meanwhile(backend: Any, posts: list[EmailMessage]) -> int:
        Notice.objects.filter(pk=notice.pk).update(mail=Mail.DUE)  # as handing_out does
        return send(backend, posts)

    monkeypatch.setattr(EmailBackend, "send_messages", meanwhile)

    mailing.send_due()

    notice.refresh_from_db()
    assert notice.mail == Mail.DUE


def test_a_server_that_goes_away_is_not_asked_for_each_of_them(
    ann: User, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(ann), due(person("bob", "Operator"))
    opened: list[int] = []

    def opens(_backend: Any) -> None:
        opened.append(1)
        if len(opened) > 1:
            raise ConnectionRefusedError

    def fails(*_given: object) -> None:
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(EmailBackend, "open", opens)
    monkeypatch.setattr(EmailBackend, "send_messages", fails)

    mailing.send_due()

    assert set(Notice.objects.values_list("mail", flat=True)) == {Mail.DUE}
    assert Postbox.objects.filter(next_at__gt=timezone.now()).count() == 2


def test_what_a_dead_worker_was_sending_is_sent_again(ann: User) -> None:
    long_ago = timezone.now() - dt.timedelta(minutes=11)
    due(ann, mail=Mail.SENDING, mail_at=long_ago)
    due(ann, 2, mail=Mail.SENDING, mail_at=timezone.now())

    mailing.send_due()

    assert len(mail.outbox) == 1


@pytest.mark.parametrize("why", ["right", "address", "active"])
def test_who_may_not_or_cannot_get_it_gets_nothing(ann: User, why: str) -> None:
    if why == "right":
        ann.groups.clear()
    User.objects.filter(pk=ann.pk).update(email="" if why == "address" else ann.email, is_active=why != "active")
    notice = due(ann)

    mailing.send_due()

    notice.refresh_from_db()
    assert (mail.outbox, notice.mail) == ([], Mail.NONE)


def test_without_a_mail_server_nothing_waits(ann: User, settings: Any) -> None:
    settings.EMAIL_IS_SET = False
    notice = due(ann)

    mailing.send_due()

    notice.refresh_from_db()
    assert (mail.outbox, notice.mail) == ([], Mail.NONE)


def refuse(*given: object) -> None:
    raise ConnectionRefusedError
