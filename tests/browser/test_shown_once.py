"""What is shown once: whole on a phone too, and one button copies it and says so."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def make_token(page: Page) -> str:
    page.goto(reverse("admin:api_apitoken_make"))
    page.fill("#id_name", "shop")
    page.select_option("#id_user", label="ada")
    page.check("input[name=scopes][value=read]")
    page.get_by_role("button", name="Make it").click()
    secret = page.inner_text("#secret")
    assert secret.startswith("lct_")
    return secret


def test_a_secret_is_whole_and_copied_by_its_button(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_viewport_size({"width": 390, "height": 844})
    secret = make_token(page)

    page.get_by_role("button", name="Copy Token").click()

    expect(page.locator("#said")).to_have_text("Copied")
    expect(page.get_by_role("button", name="Copied Token")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert page.evaluate("(code => code.scrollWidth <= code.clientWidth)(document.getElementById('secret'))")
    expect(page.get_by_role("button", name="Copy Token")).to_be_visible()


def test_where_the_browser_does_not_copy_the_secret_is_selected(page: Page) -> None:
    secret = make_token(page)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')); }")

    page.get_by_role("button", name="Copy Token").click()

    expect(page.locator("#said")).to_contain_text("copy it with the keyboard")
    assert page.evaluate("getSelection().toString()") == secret
