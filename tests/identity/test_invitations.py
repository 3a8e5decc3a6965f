"""An invitation is mailed, sets a password once, and ends."""

import datetime as dt
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from laaffic_console.identity.pages.people import InvitationForm
from laaffic_console.identity.services import invitations

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


def test_two_who_invite_one_address_at_once_are_told(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other has looked before, and has stored it after our look."""
    User.objects.create_user("dee@example.com", email="dee@example.com")
    monkeypatch.setattr(QuerySet, "exists", lambda self: False)

    with pytest.raises(ValidationError, match="There is an account with this address already"):
        invitations.invite("dee@example.com", Group.objects.get(name="Operator"))

    assert mail.outbox == []
    assert User.objects.filter(username="dee@example.com").count() == 1


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


def test_sent_again_the_earlier_link_ends_unless_the_new_one_could_not_be_sent(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    dee, first = invited(signed_in)
    with monkeypatch.context() as broken:
        broken.setattr(mail.EmailMessage, "send", unreachable)
        signed_in.post(reverse("admin:auth_user_sign_in", args=[dee.pk]), {"act": "invite"})
    assert Client().get(first).status_code == 302  # to the form

    signed_in.post(reverse("admin:auth_user_sign_in", args=[dee.pk]), {"act": "invite"})

    assert "a newer one was sent" in Client().get(first).content.decode()
    assert Client().get(path_of(mail.outbox[-1].body)).status_code == 302


def unreachable(*_args: object, **_kwargs: object) -> None:
    raise ConnectionRefusedError


def test_roles_are_offered_in_the_readers_language_with_what_they_are_for() -> None:
    with translation.override("zh-hans"):
        offered = str(InvitationForm()["role"])

    assert "操作员" in offered
    assert "Operator" not in offered


def invited(signed_in: Client) -> tuple[User, str]:
    """dee, and the path of her link."""
    invite(signed_in)
    return User.objects.get(username="dee@example.com"), path_of(mail.outbox[-1].body)


@pytest.mark.parametrize("right", ["is_active", "is_staff"])
def test_a_disabled_account_is_told_so_before_a_password_is_chosen(signed_in: Client, right: str) -> None:
    dee, path = invited(signed_in)
    stranger = Client()
    form = stranger.get(path)["Location"]
    User.objects.filter(pk=dee.pk).update(**{right: False})

    pages = [Client().get(path), stranger.get(form), stranger.post(form, {"new_password1": NEW, "new_password2": NEW})]

    assert all("Your account is disabled" in page.content.decode() for page in pages)
    assert not User.objects.get(pk=dee.pk).has_usable_password()
    User.objects.filter(pk=dee.pk).update(**{right: True})
    assert "dee@example.com" in stranger.get(form).content.decode()


def test_a_stranger_does_not_learn_from_a_made_up_link_whose_account_is_disabled(signed_in: Client) -> None:
    dee, path = invited(signed_in)
    User.objects.filter(pk=dee.pk).update(is_active=False)
    made_up = f"{path[:-2]}x/"

    page = Client().get(made_up).content.decode()

    assert "disabled" not in page
    assert "dee@example.com" not in page
    assert "This link has been used" in page


def test_the_link_of_a_deleted_person_does_not_work(signed_in: Client) -> None:
    dee, path = invited(signed_in)
    dee.delete()

    assert "This link has been used" in Client().get(path).content.decode()


def test_a_second_tab_learns_that_the_password_is_set(signed_in: Client) -> None:
    _dee, path = invited(signed_in)
    stranger = Client()
    form = stranger.get(path)["Location"]
    typed = {"new_password1": NEW, "new_password2": NEW}
    stranger.post(form, typed)

    late = stranger.post(form, typed).content.decode()

    assert "If you have chosen a password, sign in with it" in late


def test_a_link_opened_where_somebody_is_signed_in_says_whose_password_is_set(signed_in: Client) -> None:
    _dee, path = invited(signed_in)
    form = signed_in.get(path)["Location"]

    done = signed_in.post(form, {"new_password1": NEW, "new_password2": NEW}, follow=True)

    assert "The password of dee@example.com is set. In this browser you are still signed in as ada." in (
        done.content.decode()
    )


@pytest.mark.parametrize(
    ("state", "said"), [("disabled", "Their account is disabled"), ("linked", "need no invitation")]
)
def test_nobody_who_cannot_use_it_is_invited_again(signed_in: Client, state: str, said: str) -> None:
    dee, _path = invited(signed_in)
    if state == "disabled":
        User.objects.filter(pk=dee.pk).update(is_active=False)
    else:
        SocialAccount.objects.create(user=dee, provider="oidc", uid="s-dee")

    page = signed_in.post(reverse("admin:auth_user_sign_in", args=[dee.pk]), {"act": "invite"}, follow=True)

    assert said in page.content.decode()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("lacks", ["is_active", "is_staff"])
def test_the_page_of_a_disabled_account_offers_no_invitation_and_says_why(signed_in: Client, lacks: str) -> None:
    dee, _path = invited(signed_in)
    address = reverse("admin:auth_user_sign_in", args=[dee.pk])
    assert 'value="invite"' in signed_in.get(address).content.decode()

    User.objects.filter(pk=dee.pk).update(**{lacks: False})

    page = signed_in.get(address).content.decode()
    assert 'value="invite"' not in page
    assert "their account is disabled, so it cannot be sent again" in page


def test_without_a_mail_server_sending_again_says_so(signed_in: Client, settings: LazySettings) -> None:
    dee, _path = invited(signed_in)
    settings.EMAIL_IS_SET = False

    page = signed_in.post(reverse("admin:auth_user_sign_in", args=[dee.pk]), {"act": "invite"}, follow=True)

    assert "no mail server" in page.content.decode()
    assert len(mail.outbox) == 1
