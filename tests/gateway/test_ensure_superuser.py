"""The command for a set-up that nobody watches: it says what it did, and takes no password that a page would refuse."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db

GOOD = "the-wood-is-green-7"


def said(monkeypatch: pytest.MonkeyPatch, password: str) -> str:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    out = StringIO()
    call_command("ensure_superuser", "bob", stdout=out)
    return out.getvalue()


def test_it_makes_one_and_says_what_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, GOOD) == "Made the superuser bob.\n"
    assert said(monkeypatch, GOOD) == "bob has this password already.\n"
    assert said(monkeypatch, GOOD + "!") == "bob has a new password.\n"

    bob = User.objects.get()
    assert bob.is_superuser
    assert bob.check_password(GOOD + "!")


def test_a_weak_password_makes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="at least 10 characters"):
        said(monkeypatch, "abc")

    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("name", "why"), [("", "cannot be blank"), ("b" * 151, "at most 150"), ("b b", "valid username")]
)
def test_a_name_that_no_page_takes_makes_nobody(monkeypatch: pytest.MonkeyPatch, name: str, why: str) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", GOOD)
    with pytest.raises(CommandError, match=f"username: .*{why}"):
        call_command("ensure_superuser", name)

    assert not User.objects.exists()


def test_who_has_such_a_name_from_an_earlier_version_gets_a_new_password(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_superuser("ops team")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", GOOD)

    call_command("ensure_superuser", "ops team", stdout=StringIO())

    assert User.objects.get().check_password(GOOD)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"is_active": False}, "that is switched off"),
        ({"is_superuser": False}, "that is not a superuser"),
        ({"is_staff": False}, "that is not a superuser"),
    ],
    ids=["off", "plain", "no staff"],
)
def test_an_account_that_is_something_else_is_no_success(
    monkeypatch: pytest.MonkeyPatch, state: dict[str, bool], why: str
) -> None:
    User.objects.create_superuser("bob", password=GOOD)
    User.objects.update(**state)

    for password in (GOOD, GOOD + "!"):
        with pytest.raises(CommandError, match=f"There is an account bob {why}. Choose another name"):
            said(monkeypatch, password)

    assert User.objects.get().check_password(GOOD)


@pytest.mark.parametrize("password", ["abc", "bob-the-superuser"])
def test_nor_does_djangos_own_command_without_a_keyboard(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    given = {"username": "bob-the-superuser", "email": "bob@example.org", "interactive": False, "stdout": StringIO()}
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_PASSWORD: "):
        call_command("createsuperuser", **given)
    assert not User.objects.exists()

    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", GOOD)
    call_command("createsuperuser", **given)
    assert User.objects.get().check_password(GOOD)
