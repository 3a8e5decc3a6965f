"""Signing in by a real provider with a second factor, by a passkey, and by password while the provider is down."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import PASSWORD, sign_in
from tests.identity.conftest import code_of, provider, set_up_for

__all__ = ["provider"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def stranger(window: BrowserContext, live_server: LiveServer, db: None) -> Any:
    """A page in which nobody is signed in."""
    window.clear_cookies()
    opened = window.new_page()
    yield opened
    opened.close()


def test_by_the_provider_with_an_authenticator_app(stranger: Page, provider: Any, settings: Any) -> None:
    settings.SECOND_FACTOR_ROLES = ["Operator"]
    by_provider(stranger, "s-ben")

    # No other page opens before a second factor is there.
    expect(stranger.get_by_text("Your role asks for a second factor")).to_be_visible()
    stranger.goto("/admin/messaging/campaign/")
    expect(stranger.get_by_text("Your role asks for a second factor")).to_be_visible()
    stranger.get_by_role("link", name="Set up", exact=True).click()
    secret = stranger.inner_text("#secret")
    stranger.fill("#id_code", code_of(secret))
    stranger.get_by_role("button", name="Set it up").click()
    expect(stranger.locator(".c-codes li")).to_have_count(10)
    with stranger.expect_download() as file:
        stranger.get_by_role("link", name="Download").click()
    assert stranger.locator(".c-codes li").first.inner_text() in file.value.path().read_text()
    stranger.emulate_media(media="print")
    expect(stranger.locator(".c-codes")).to_be_visible()
    expect(stranger.get_by_role("banner")).to_be_hidden()
    stranger.emulate_media(media="screen")
    stranger.get_by_role("button", name="Done").click()
    stranger.wait_for_url("**/admin/messaging/campaign/")  # that was asked for before
    stranger.goto("/admin/")
    expect(stranger.get_by_role("link", name="See the campaigns")).to_be_visible()
    assert list(Group.objects.filter(user__username="ben").values_list("name", flat=True)) == ["Operator"]

    stranger.goto("about:blank")  # no page asks for anything that would set a cookie after they are gone
    stranger.context.clear_cookies()
    by_provider(stranger, "s-ben")
    stranger.fill("#id_code", code_of(secret))
    stranger.get_by_role("button", name="Sign in").click()
    stranger.wait_for_url("**/admin/")
    expect(stranger.get_by_role("link", name="See the campaigns")).to_be_visible()


def test_by_password_while_the_provider_is_down(stranger: Page, provider: Any, settings: Any) -> None:
    User.objects.create_superuser("ada", password=PASSWORD)
    set_up_for(settings, "http://localhost:9")

    stranger.goto("/admin/")
    stranger.get_by_role("button", name="Sign in with Example ID").click()
    expect(stranger.get_by_text("Example ID cannot be reached")).to_be_visible()
    stranger.fill("#id_username", "ada")
    stranger.fill("#id_password", PASSWORD)
    stranger.get_by_role("button", name="Log in").click()
    stranger.wait_for_url("**/admin/")


def test_by_a_passkey(page: Page, window: BrowserContext, live_server: LiveServer, settings: Any) -> None:
    settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
    devtools = window.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "isUserVerified": True, "hasUserVerification": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}})

    page.goto("/account/")
    page.get_by_role("link", name="Add a passkey").click()
    page.wait_for_url("**/passkeys/new/")  # and until it is loaded
    for reason, said in (("SecurityError", "not at a bare IP address"), ("NotAllowedError", "it was cancelled")):
        page.evaluate(
            "reason => document.dispatchEvent(new CustomEvent('allauth.error', "
            "{detail: {exception: new DOMException('', reason)}, cancelable: true}))",
            reason,
        )
        expect(page.get_by_role("alert")).to_contain_text(said)
    page.fill("#id_name", "work laptop")
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator(".c-codes li")).to_have_count(10)

    page.goto("about:blank")
    window.clear_cookies()
    sign_in(page, PASSWORD)
    expect(page.get_by_label("Or a recovery code")).to_be_visible()  # there is no app that shows codes
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/admin/")


def by_provider(page: Page, sub: str) -> None:
    page.goto("/admin/")
    page.get_by_role("button", name="Sign in with Example ID").click()
    page.fill("input[name=sub]", sub)
    page.get_by_role("button", name="Authorize").click()
