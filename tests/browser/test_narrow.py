"""On a phone: where one is can be read, and nothing is wider than the screen."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("/admin/messaging/suppressionentry/", "Suppression list"),
        ("/admin/gateway/gatewaycall/?state__exact=unknown", "Ledger"),
        ("/admin/voice/callrecord/", "Call records"),
        ("/admin/numbers/numberpool/add/", "Number pools"),
        ("/admin/messaging/contact/add/", "Contacts"),
    ],
)
def test_the_title_of_a_page_is_not_cut(page: Page, address: str, named: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)

    shown = page.locator("#header-inner h1 > .truncate:visible")
    expect(shown).to_have_text(named)
    assert shown.evaluate("(title) => title.scrollWidth <= title.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
