"""Far-reaching acts ask who is there once more, unless that was proved a short while ago."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from laaffic_console.api.models import ApiToken
from laaffic_console.exporting.services import making
from laaffic_console.gateway.models import Application
from laaffic_console.kit.forms.asking_again import PROVED
from messaging.models import CampaignState, ContactGroup, SuppressionEntry
from messaging.services.campaigns import drafts
from tests.identity.conftest import PASSWORD, add_app, code_of, sign_in_as
from tests.messaging.conftest import add_contacts, application, group
from tests.messaging.pages import hidden

__all__ = ["application", "group"]

pytestmark = pytest.mark.django_db
AGAIN = "/account/again/"
TOKENS = "/admin/api/apitoken/make/"
TOKEN = {"name": "web shop", "scopes": ["read"], "per_minute": "60"}


@pytest.fixture
def stale(signed_in: Client) -> Client:
    """Signed in an hour ago."""
    session = signed_in.session
    session[PROVED] -= 3600
    session.save()
    return signed_in


def pages(user: User) -> list[str]:
    return [
        TOKENS,
        reverse("admin:events_webhook_make"),
        reverse("admin:auth_user_add"),
        reverse("admin:auth_user_change", args=[user.pk]),
        reverse("admin:auth_user_delete", args=[user.pk]),
        reverse("admin:auth_user_password_change", args=[user.pk]),
        reverse("admin:auth_user_invite"),
        reverse("admin:auth_user_sign_in", args=[user.pk]),
        reverse("admin:auth_group_add"),
        reverse("admin:auth_group_change", args=[1]),
        "/account/app/",
        "/account/passkeys/new/",
    ]


def test_a_sign_in_a_moment_ago_proves_it(signed_in: Client, ada: User) -> None:
    assert {signed_in.get(page).status_code for page in pages(ada)} == {200}


def test_one_of_an_hour_ago_does_not(stale: Client, ada: User) -> None:
    assert {stale.get(page)["Location"].partition("?")[0] for page in pages(ada)} == {AGAIN}
    assert {stale.post(page)["Location"].partition("?")[0] for page in pages(ada)} == {AGAIN}
    assert stale.get("/admin/").status_code == 200


def test_it_can_be_turned_off(stale: Client, ada: User, settings: LazySettings) -> None:
    settings.LAAFFIC_REAUTHENTICATE_MINUTES = 0

    assert stale.get(TOKENS).status_code == 200


def test_the_password_opens_it_and_what_was_typed_is_there(stale: Client, ada: User) -> None:
    asked = stale.post(TOKENS, {**TOKEN, "user": str(ada.pk)})["Location"]

    wrong = stale.post(asked, {"password": "wrong"})
    right = stale.post(asked, {"password": PASSWORD})

    assert "The password is wrong" in wrong.content.decode()
    assert "web shop" in right.content.decode()
    assert not ApiToken.objects.exists()
    assert stale.post(TOKENS, {**TOKEN, "user": str(ada.pk)}).status_code == 200
    assert ApiToken.objects.get().name == "web shop"


def test_what_an_earlier_question_kept_is_not_this_ones(stale: Client, ada: User) -> None:
    stale.post(TOKENS, {**TOKEN, "user": str(ada.pk)})
    asked = stale.get(reverse("admin:auth_user_invite"))["Location"]

    right = stale.post(asked, {"password": PASSWORD, "next": reverse("admin:auth_user_invite")})

    assert right["Location"] == reverse("admin:auth_user_invite")


def test_a_code_opens_it_too(stale: Client, ada: User, secret: str) -> None:
    asked = stale.get(TOKENS)["Location"]
    assert "/account/again/code/" in stale.get(asked).content.decode()

    led_on = stale.post(f"/account/again/code/?next={TOKENS}", {"code": code_of(secret)})

    assert led_on["Location"] == TOKENS
    assert stale.get(TOKENS).status_code == 200


def test_wrong_passwords_there_stop_as_on_the_sign_in_page(stale: Client, ada: User, settings: LazySettings) -> None:
    settings.AXES_FAILURE_LIMIT = 3

    answers = [stale.post(AGAIN, {"password": "wrong"}).status_code for _time in range(3)]

    assert answers == [200, 200, 429]
    assert stale.post(AGAIN, {"password": PASSWORD}).status_code == 429


def test_who_has_no_password_proves_it_at_the_provider(client: Client, provider: object) -> None:
    sign_in_as(Client(), "s-ada")
    sign_in_as(client, "s-ben")
    User.objects.update(is_superuser=True)
    session = client.session
    session[PROVED] -= 3600
    session.save()
    asked = client.get(TOKENS)["Location"]
    assert "Sign in with Example ID again" in client.get(asked).content.decode()

    sign_in_as(client, "s-ada", process="redirect", next=TOKENS)
    assert client.get(TOKENS).status_code == 302
    back = sign_in_as(client, "s-ben", process="redirect", next=TOKENS)

    assert back["Location"] == TOKENS
    assert client.get(TOKENS).status_code == 200


def tell_auth_time(monkeypatch: pytest.MonkeyPatch, since_now: int | None) -> None:
    """Seconds; None: the provider does not say when it asked."""
    decode = OpenIDConnectOAuth2Adapter._decode_id_token

    def told(adapter: Any, *given: Any) -> dict[str, Any]:
        at = since_now if since_now is None or isinstance(since_now, bool) else int(time.time()) + since_now
        return {**decode(adapter, *given), "auth_time": at}

    monkeypatch.setattr(OpenIDConnectOAuth2Adapter, "_decode_id_token", told)


@pytest.mark.parametrize("auth_time", [-3600, None, True], ids=["an hour ago", "not told", "no time"])
def test_an_answer_from_an_older_sign_in_proves_nothing(
    client: Client, provider: object, monkeypatch: pytest.MonkeyPatch, auth_time: int | None
) -> None:
    sign_in_as(client, "s-ben")
    User.objects.update(is_superuser=True)
    session = client.session
    session[PROVED] -= 3600
    session.save()
    tell_auth_time(monkeypatch, auth_time)

    back = sign_in_as(client, "s-ben", process="redirect", auth_params="prompt=none", next=TOKENS)

    assert back["Location"] == reverse("admin:login")
    assert client.get(TOKENS).status_code == 302


@pytest.mark.parametrize(("auth_time", "is_fresh"), [(-3600, False), (-60, True), (60, True), (None, True)], ids=str)
def test_a_sign_in_by_the_provider_proves_what_it_proved_there(
    client: Client, provider: object, monkeypatch: pytest.MonkeyPatch, auth_time: int | None, *, is_fresh: bool
) -> None:
    tell_auth_time(monkeypatch, auth_time)

    sign_in_as(client, "s-ada", auth_params="prompt=none")

    assert client.get("/admin/").status_code == 200
    assert client.get(TOKENS).status_code == (200 if is_fresh else 302)
    assert client.session[PROVED] <= time.time()


def test_a_second_factor_after_it_proves_it_now(
    client: Client, provider: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_as(Client(), "s-ada")
    secret = add_app(User.objects.get(username="ada"))
    tell_auth_time(monkeypatch, -3600)

    sign_in_as(client, "s-ada")
    client.post("/account/second-factor/", {"code": code_of(secret)})

    assert client.get(TOKENS).status_code == 200


def test_a_provider_is_told_to_say_when_it_asked(client: Client, provider: object) -> None:
    asked = parse_qs(urlsplit(client.post(reverse("openid_connect_login")).context["onward"]).query)

    assert int(asked["max_age"][0]) > 24 * 3600
    assert "prompt" not in asked


def test_the_provider_is_told_to_ask_whatever_the_address_says(client: Client, provider: object) -> None:
    sign_in_as(client, "s-ben")

    address = f"{reverse('openid_connect_login')}?process=redirect&auth_params=prompt%3Dnone"
    asked = parse_qs(urlsplit(client.post(address).context["onward"]).query)

    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])


def test_wrong_codes_there_stop_as_on_the_sign_in_page(
    client: Client, ada: User, secret: str, settings: LazySettings
) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    cache.clear()  # a limit of allauth's own counts there, over all tests
    client.force_login(ada)
    page = reverse("mfa_reauthenticate")

    answers = [client.post(page, {"code": "000000"}).status_code for _time in range(3)]

    assert answers[-1] == 429
    assert client.post(page, {"code": code_of(secret)}).status_code == 429
    cache.clear()


def test_an_export_of_many_asks(stale: Client, settings: LazySettings) -> None:
    for number in range(3):
        SuppressionEntry.objects.create(number=f"91987654321{number}", channel="sms")
    page = reverse("admin:messaging_suppressionentry_export", args=["csv"])
    settings.LAAFFIC_REAUTHENTICATE_OVER = 3
    assert stale.get(page).status_code == 200
    settings.LAAFFIC_REAUTHENTICATE_OVER = 2
    assert stale.get(page)["Location"].startswith(AGAIN)


def test_an_export_is_counted_as_far_as_the_limit_goes(
    stale: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where that is further than what is made at once."""
    monkeypatch.setattr(making, "AT_ONCE", 1)
    for number in range(4):
        SuppressionEntry.objects.create(number=f"91987654321{number}", channel="sms")
    settings.LAAFFIC_REAUTHENTICATE_OVER = 3

    answer = stale.get(reverse("admin:messaging_suppressionentry_export", args=["csv"]))

    assert answer["Location"].startswith(AGAIN)


@pytest.mark.parametrize("most", [2, 3])
def test_a_launch_to_many_asks_and_then_does(
    stale: Client, settings: LazySettings, application: Application, group: ContactGroup, most: int
) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_REAUTHENTICATE_OVER = most
    add_contacts(group, 3)
    campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hi", groups=[group])
    page = reverse("admin:messaging_campaign_review", args=[campaign.pk])

    answer = stale.post(page, hidden(stale, page))
    campaign.refresh_from_db()
    if most < 3:
        assert answer["Location"].startswith(AGAIN)
        assert campaign.state == CampaignState.DRAFT
        assert stale.post(answer["Location"], {"password": PASSWORD, "next": page})["Location"] == page
        stale.post(page, hidden(stale, page))
        campaign.refresh_from_db()

    assert campaign.state == CampaignState.RUNNING
