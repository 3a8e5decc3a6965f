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
