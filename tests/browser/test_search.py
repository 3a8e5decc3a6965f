"""Searching by the keyboard: "/" from any page, the palette's results, Enter; and a person on a phone."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from messaging.models import Contact, Reply

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
NUMBER = "919876543210"


def test_a_key_finds_a_person_from_any_page(page: Page) -> None:
    Contact.objects.create(number=NUMBER, name="Asha Verma", email=f"{'a' * 60}@example.org")
    Reply.objects.create(number=NUMBER, content="w" * 200, at=timezone.now(), received_at=timezone.now())
    page.goto("/admin/messaging/campaign/")

    page.keyboard.press("/")
    palette = page.locator("#search-input-command")
    expect(palette).to_be_focused()
    palette.press_sequentially("verma")
    expect(page.locator("#command-results-list")).to_contain_text("Asha Verma")
    palette.press("Enter")
    page.wait_for_url("**/admin/search/?q=verma")
    page.keyboard.press("/")
    expect(page.locator("input[data-search-everything]")).to_be_focused()

    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".c-results a").first.click()
    page.wait_for_url(f"**/person/{NUMBER}/")
    expect(page.locator(".c-person li")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
