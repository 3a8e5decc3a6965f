"""People with and without second factors."""

import time
import warnings
from collections.abc import Callable, Iterator
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from werkzeug.serving import BaseWSGIServer

from laaffic_console import conf

PASSWORD = "a-password-of-a-test"


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada", email="ada@example.com", password=PASSWORD)


@pytest.fixture
def secret(ada: User) -> str:
    """Of ada's authenticator app."""
    secret = add_app(ada)
    RecoveryCodes.activate(ada)
    return secret


def add_app(user: User) -> str:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    return secret


def code_of(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30)))


@pytest.fixture
def signed_in(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def give_password(client: Client, password: str = PASSWORD, name: str = "ada", **extra: str) -> object:
    return client.post(reverse("admin:login"), {"username": name, "password": password, **extra})


def recovery_codes(user: User) -> list[str]:
    found: Callable[[], list[str]] = (
        Authenticator.objects.get(user=user, type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes
    )
    return found()


# A provider

GROUPS = {"console-admins": "Administrator", "support": "Operator"}


@pytest.fixture
def provider(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseWSGIServer]:
    """A real one on this machine, with people of several kinds; the console is set up for it."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from oidc_provider_mock import User as Person
        from oidc_provider_mock import run_server_in_thread

        people = [Person(sub=sub, claims=claims) for sub, claims in PEOPLE.items()]
        with run_server_in_thread(user_claims=people) as server:
            set_up_for(settings, f"http://localhost:{server.server_port}")
            yield server


def claims(name: str, *groups: str, verified: bool = True) -> dict[str, object]:
    return {
        "preferred_username": name,
        "email": f"{name}@example.com",
        "email_verified": verified,
        "groups": list(groups),
    }


PEOPLE = {
    "s-ada": claims("ada", "console-admins"),
    "s-ada-again": claims("ada", "console-admins"),  # whoever got her address after her
    "s-ada-unverified": claims("ada", "console-admins", verified=False),
    "s-ben": claims("ben", "support", "knitting"),
    "s-cy": claims("cy", "knitting"),
}


def set_up_for(settings: LazySettings, issuer: str) -> None:
    settings.OIDC_NAME, settings.OIDC_ISSUER, settings.OIDC_ROLES = "Example ID", issuer, GROUPS
    settings.OIDC_GROUPS_CLAIM = "groups"
    scopes = ["openid", "profile", "email"]
    settings.SOCIALACCOUNT_PROVIDERS = conf.oidc_provider("Example ID", issuer, "console", "a-secret", scopes)


def sign_in_as(client: Client, sub: str, **said: str) -> HttpResponse:
    """By the provider: the button, its page, and back."""
    address = reverse("openid_connect_login")
    onward = client.post(f"{address}?{urlencode(said)}" if said else address)
    if onward.status_code != 200:
        return onward
    answer = requests.post(onward.context["onward"], data={"sub": sub}, allow_redirects=False, timeout=5)
    back = urlsplit(answer.headers["Location"])
    return client.get(f"{back.path}?{back.query}")
