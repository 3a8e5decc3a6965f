"""A week of sending hours by clicks."""

import pytest
from playwright.sync_api import Page, expect

from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Calendar

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_one_day_is_copied_and_a_country_has_its_own(page: Page, sandbox: RunningSandbox) -> None:
    page.goto("/admin/messaging/calendar/add/")
    page.fill("#id_name", "Day")
    monday = page.locator("[data-part] [data-day=mon]").first
    monday.locator("[name='0-mon-from']").first.fill("09:00")
    monday.locator("[name='0-mon-to']").first.fill("12:00")
    monday.locator("[data-add=row]").click()
    page.keyboard.type("0100PM")
    monday.locator("[name='0-mon-to']").nth(1).fill("20:00")
    monday.get_by_role("button", name="Copy to all weekdays").click()
    page.get_by_role("button", name="Other hours for a country").click()
    page.locator("[name='1-countries']").fill("IN")
    page.locator("[name='1-sat-from']").first.fill("10:00")
    page.locator("[name='1-sat-to']").first.fill("14:00")
    page.get_by_role("button", name="Other hours for a country").click()
    page.locator("[name='2-countries']").fill("BR")
    page.locator("[name='2-date']").first.fill("2027-01-01")
    expect(page.locator("#beside")).to_contain_text("India (IN)")
    expect(page.locator("#beside pre")).to_contain_text("mon-fri 09:00-12:00, 13:00-20:00")

    page.click("button[name=_save]")
    page.wait_for_url("**/messaging/calendar/")

    kept = Calendar.objects.get()
    assert kept.hours.splitlines() == ["mon-fri 09:00-12:00, 13:00-20:00", "IN: sat 10:00-14:00"]
    assert kept.left_out == "BR: 2027-01-01"
