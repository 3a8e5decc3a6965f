"""Signing in by SAML with a real browser: what its cookies do when another site posts the answer."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from tests.identity.conftest import GROUPS

pytest.importorskip("onelogin", reason="the extra saml is not installed")

from tests.identity import saml_provider
from tests.identity.saml_provider import Key, Said

pytestmark = [
    pytest.mark.browser,
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

PLACE = "http://id.example.com/ask"
PAGE = """<!doctype html><title>Example SAML</title><form method="post" action="{answered_at}">
<input type="hidden" name="SAMLResponse" value="{answer}"><input type="hidden" name="RelayState" value="">
<button>Go on</button></form>"""


@pytest.fixture
def key(settings: LazySettings, live_server: LiveServer, tmp_path: Path) -> Key:
    """The provider's, for which the console is set up."""
    key = saml_provider.new_key()
    file = tmp_path / "provider.xml"
    file.write_text(saml_provider.metadata(key, place=PLACE))
    settings.CONSOLE_URL = live_server.url
    settings.SAML_METADATA, settings.SAML_NAME, settings.SAML_ROLES = str(file), "Example SAML", GROUPS
    return key


def test_a_person_signs_in_from_the_button_to_the_first_page(
    page: Page, window: BrowserContext, live_server: LiveServer, key: Key
) -> None:
    answered_at = f"{live_server.url}{reverse('saml_answer')}"
    said = Said(audience=f"{live_server.url}{reverse('saml_metadata')}", recipient=answered_at, destination=answered_at)

    def answer(route: Route) -> None:
        question = str(saml_provider.question_of(route.request.url).get("ID"))
        given = saml_provider.answer_to(question, key, said)
        route.fulfill(content_type="text/html", body=PAGE.format(answered_at=answered_at, answer=given))

    page.route("http://id.example.com/**", answer)
    page.goto("about:blank")
    window.clear_cookies()
    page.goto("/admin/messaging/contact/")
    page.get_by_role("button", name="Sign in with Example SAML").click()
    page.get_by_role("button", name="Go on").click()

    expect(page).to_have_url(f"{live_server.url}/admin/messaging/contact/")
    ben = User.objects.get(username="ben")
    assert list(ben.groups.values_list("name", flat=True)) == ["Operator"]
