"""Lists in a browser: columns are chosen in a dialog, numbers are copied, distances stay fresh, nothing is too wide."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from messaging.models import Contact

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

CONTACTS = "/admin/messaging/contact/"
NUMBER = "919876500001"


@pytest.fixture
def contact(page: Page) -> Contact:
    made = Contact.objects.create(number=NUMBER, name="Asha", country="IN")
    Contact.objects.filter(pk=made.pk).update(created_at=timezone.now() - dt.timedelta(minutes=3))
    return made


def test_columns_are_chosen_by_keyboard(page: Page, contact: Contact) -> None:
    page.goto(CONTACTS)
    page.get_by_role("button", name="Columns").press("Enter")
    page.get_by_label("Country").press("Space")
    page.get_by_role("button", name="Show these").press("Enter")

    expect(page.get_by_text("The columns are kept for you.")).to_be_visible()
    expect(page.locator("td.field-country")).to_have_count(0)
    page.get_by_role("button", name="Columns").click()
    expect(page.get_by_label("Country")).not_to_be_checked()
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("td.field-country")).to_have_text("IN")


def test_a_number_is_copied_and_that_is_said(page: Page, contact: Contact) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(CONTACTS)
    copy = page.get_by_role("button", name=f"Copy {NUMBER}")
    copy.focus()
    expect(copy).to_have_css("opacity", "1")
    page.keyboard.press("Enter")

    expect(page.locator("#said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == NUMBER
    assert page.url.endswith(CONTACTS)  # the link that the number stands in was not followed


def test_a_distance_stays_fresh(page: Page, contact: Contact) -> None:
    page.add_init_script("const every = window.setInterval; window.setInterval = (f, ms) => every(f, ms / 100);")
    page.goto(CONTACTS)
    moment = page.locator("td.field-created_at time")
    expect(moment).to_have_text("3 min ago")
    page.evaluate("const now = Date.now; Date.now = () => now() + 3 * 3600 * 1000;")

    expect(moment).to_have_text("3 h ago")


@pytest.mark.parametrize(
    "address", [CONTACTS, "/admin/messaging/message/", "/admin/audit/auditentry/", "/admin/voice/sipcall/"]
)
def test_a_list_is_no_wider_than_a_phone(page: Page, contact: Contact, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    columns = page.get_by_role("button", name="Columns")
    columns.click()
    box = page.locator("#list-columns").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
