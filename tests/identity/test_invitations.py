"""An invitation is mailed, sets a password once, and ends."""

import datetime as dt
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from laaffic_console.identity import invitations
from laaffic_console.identity.person_pages import InvitationForm

pytestmark = pytest.mark.django_db
NEW = "a-password-that-is-new"


@pytest.fixture(autouse=True)
def _mail(settings: LazySettings) -> None:
    settings.EMAIL_IS_SET, settings.DEFAULT_FROM_EMAIL = True, "console@example.com"


def invite(client: Client, address: str = "dee@example.com") -> Any:
    role = Group.objects.get(name="Operator")
    return client.post(reverse("admin:auth_user_invite"), {"address": address, "role": role.pk})


def path_of(body: str) -> str:
    link = re.search(r"https?://\S+", body.partition("within three days")[2])
    assert link
    return urlsplit(link[0]).path


def test_the_link_sets_a_password_once(signed_in: Client) -> None:
    invite(signed_in)
    dee = User.objects.get(username="dee@example.com")
    assert [group.name for group in dee.groups.all()] == ["Operator"]
    assert mail.outbox[0].to == ["dee@example.com"]
    path = path_of(mail.outbox[0].body)

    stranger = Client()
    form = stranger.get(path)["Location"]
    weak = stranger.post(form, {"new_password1": "short", "new_password2": "short"})
    done = stranger.post(form, {"new_password1": NEW, "new_password2": NEW})

    assert "at least 10 characters" in weak.content.decode()
    assert done["Location"] == "/admin/login/"
    assert "This link has been used" in Client().get(path).content.decode()
    signed = stranger.post("/admin/login/", {"username": "dee@example.com", "password": NEW})
    assert signed["Location"] == "/admin/"


def test_the_link_ends_after_three_days(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    invite(signed_in)
    later = timezone.localtime().replace(tzinfo=None) + dt.timedelta(days=3, minutes=1)
    monkeypatch.setattr(invitations.InvitationLinks, "_now", lambda self: later)

    page = Client().get(path_of(mail.outbox[0].body)).content.decode()
    assert "older than three days" in page
    assert "<title>This link does not work" in " ".join(page.split()).replace("<title> ", "<title>")


def test_an_address_that_has_an_account_is_not_invited_again(signed_in: Client) -> None:
    assert "already" in invite(signed_in, "ADA@example.com").content.decode()
    assert mail.outbox == []


def test_a_mail_that_does_not_leave_leaves_no_account(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: Any, **kwargs: Any) -> int:
        within.append(len(connection.atomic_blocks))
        raise ConnectionRefusedError

    within: list[int] = []
    monkeypatch.setattr("django.core.mail.EmailMessage.send", fails)

    assert "did not take the invitation" in invite(signed_in).content.decode()
    assert User.objects.count() == 1
    assert within == [len(connection.atomic_blocks)]  # a slow mail server holds no lock


def test_without_a_mail_server_it_says_so(signed_in: Client, settings: LazySettings) -> None:
    settings.EMAIL_IS_SET = False

    assert "no mail server" in invite(signed_in).content.decode()
    assert "no mail server" in signed_in.get(reverse("admin:auth_user_invite")).content.decode()


def test_it_can_be_sent_again_until_there_is_a_password(signed_in: Client, ada: User) -> None:
    invite(signed_in)
    dee = User.objects.get(username="dee@example.com")

    signed_in.post(reverse("admin:auth_user_sign_in", args=[dee.pk]), {"act": "invite"})
    signed_in.post(reverse("admin:auth_user_sign_in", args=[ada.pk]), {"act": "invite"})

    assert [one.to for one in mail.outbox] == [["dee@example.com"]] * 2


def test_roles_are_offered_in_the_readers_language_with_what_they_are_for() -> None:
    with translation.override("zh-hans"):
        offered = str(InvitationForm()["role"])

    assert "操作员" in offered
    assert "Operator" not in offered
