"""Guessing passwords is slow, and nobody is locked out by a stranger."""

import datetime as dt
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console import conf
from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.services.work import forgetting

pytestmark = pytest.mark.django_db
HOME, STRANGER = "203.0.113.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def _people(settings: LazySettings) -> None:
    settings.AXES_FAILURE_LIMIT, settings.SIGN_IN_ADDRESS_LIMIT, settings.TRUSTED_PROXIES = 3, 6, []
    for name in ("asha", "ben"):
        User.objects.create_user(name, password="right", is_staff=True)


def sign_in(name: str, password: str, address: str = HOME, **headers: Any) -> Any:
    given = {"username": name, "password": password}
    return Client().post(reverse("admin:login"), given, REMOTE_ADDR=address, headers=headers)


def guess(name: str, times: int, address: str = HOME, **headers: Any) -> None:
    for number in range(times):
        sign_in(name, f"wrong {number}", address, **headers)


def test_the_right_password_after_too_many_wrong_ones_does_not_do() -> None:
    guess("asha", 3)

    answer = sign_in("asha", "right")

    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "15 minutes" in answer.content.decode()
    assert "asha" not in answer.content.decode()


def test_a_stranger_locks_nobody_out() -> None:
    guess("asha", 5, STRANGER)

    assert sign_in("asha", "right", STRANGER).status_code == 429
    assert sign_in("asha", "right").status_code == 302


def test_another_account_from_there_is_not_affected() -> None:
    guess("asha", 3)

    assert sign_in("ben", "right").status_code == 302


def test_an_address_that_tries_many_accounts_is_stopped() -> None:
    for number in range(6):
        guess(f"nobody {number}", 1)

    assert sign_in("ben", "right").status_code == 429
    assert sign_in("ben", "right", STRANGER).status_code == 302


def test_a_few_wrong_ones_are_forgotten_with_the_right_one() -> None:
    guess("asha", 2)
    assert sign_in("asha", "right").status_code == 302

    guess("asha", 2)

    assert sign_in("asha", "right").status_code == 302


def test_it_ends() -> None:
    guess("asha", 3)
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(minutes=16))

    assert sign_in("asha", "right").status_code == 302


def test_trying_on_makes_it_no_longer() -> None:
    guess("asha", 3)
    began = AccessAttempt.objects.get().attempt_time

    guess("asha", 4)

    assert AccessAttempt.objects.get().attempt_time == began


@pytest.mark.parametrize("proxies", [[], ["10.0.0.1"]])
def test_an_address_is_believed_from_our_proxies_alone(settings: LazySettings, proxies: list[str]) -> None:
    settings.TRUSTED_PROXIES = proxies
    for number in range(3):
        guess("asha", 1, "10.0.0.1", **{"X-Forwarded-For": f"{STRANGER}, 192.0.2.{number}"})

    seen = set(AccessAttempt.objects.values_list("ip_address", flat=True))

    assert seen == ({"192.0.2.0", "192.0.2.1", "192.0.2.2"} if proxies else {"10.0.0.1"})


@pytest.mark.parametrize(
    ("peer", "bind", "proxies", "seen"),
    [
        ("", "unix:/run/console.sock", [], "192.0.2.1"),
        ("", "unix:/run/console.sock", ["192.0.2.1"], STRANGER),
        ("", "fd://3", [], "192.0.2.1"),
        ("", "127.0.0.1:8000", [], None),
        (HOME, "fd://3", [], HOME),
    ],
)
def test_a_proxy_at_a_unix_socket_is_believed(
    settings: LazySettings, peer: str, bind: str, proxies: list[str], seen: str | None
) -> None:
    settings.CONSOLE_BIND, settings.TRUSTED_PROXIES = bind, proxies

    guess("asha", 1, peer, **{"X-Forwarded-For": f"{STRANGER}, 192.0.2.1"})

    assert AccessAttempt.objects.get().ip_address == seen


def test_what_a_proxy_calls_no_address_is_none(settings: LazySettings) -> None:
    settings.CONSOLE_BIND = "unix:/run/console.sock"

    guess("asha", 1, "", **{"X-Forwarded-For": f"{STRANGER}, unknown"})

    assert AccessAttempt.objects.get().ip_address is None


def test_the_old_password_of_a_new_one_is_not_guessed_either() -> None:
    client, page = Client(REMOTE_ADDR=HOME), reverse("admin:password_change")
    client.force_login(User.objects.get(username="asha"))
    new = {"new_password1": "another long one", "new_password2": "another long one"}

    answers = [client.post(page, {"old_password": f"wrong {n}", **new}).status_code for n in range(3)]

    assert answers == [200, 200, 429]
    assert client.post(page, {"old_password": "right", **new}).status_code == 429
    assert User.objects.get(username="asha").check_password("right")
    kinds = (
        AuditEntry.objects.filter(person="asha").exclude(kind="sign_in").order_by("pk").values_list("kind", flat=True)
    )
    assert list(kinds) == ["sign_in_failed", "sign_in_failed", "locked_out"]
    assert sign_in("asha", "right").status_code == 429


def test_a_new_password_that_is_too_weak_is_no_guess() -> None:
    client, page = Client(REMOTE_ADDR=HOME), reverse("admin:password_change")
    client.force_login(User.objects.get(username="asha"))

    client.post(page, {"old_password": "right", "new_password1": "1", "new_password2": "1"})

    assert not AccessAttempt.objects.exists()


def test_no_password_is_kept() -> None:
    guess("asha", 2)

    kept = AccessAttempt.objects.get()

    assert "wrong" not in f"{kept.post_data}{kept.get_data}"


def test_a_month_later_it_is_gone() -> None:
    guess("asha", 1)
    AccessAttempt.objects.update(attempt_time=timezone.now() - dt.timedelta(days=31))

    assert forgetting.forget_sign_ins() == 1
    assert not AccessAttempt.objects.exists()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://127.0.0.1:8001", "sessionid_8001"),
        ("http://127.0.0.1:8000", "sessionid_8000"),
        ("https://console.example.com", "sessionid"),
    ],
)
def test_two_consoles_of_one_host_do_not_share_a_session(address: str, name: str) -> None:
    assert conf.session_cookie(address) == name


@pytest.mark.parametrize(("name", "is_staff"), [("asha", True), ("nobody", True), ("cem", False)])
def test_what_is_wrong_is_said_in_the_consoles_words(name: str, is_staff: bool) -> None:
    User.objects.create_user("cem", password="wrong", is_staff=False)

    shown = sign_in(name, "wrong").content.decode()

    assert "User name or password is wrong." in shown
    assert "staff" not in shown


def test_a_wrong_password_is_the_only_thing_said() -> None:
    page = sign_in("asha", "wrong").content.decode()

    assert "is wrong" in page
    assert "Nothing is saved yet" not in page
