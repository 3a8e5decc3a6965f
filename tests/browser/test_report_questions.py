"""The five questions of whoever pays for it, answered by clicking alone from the front page."""

import re
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from messaging.models import Batch, BatchState, Message, MessageState
from tests.reports.conftest import Sent, sent

__all__ = ["sent"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
NUMBER = "919876543210"


@pytest.fixture
def message(sent: Sent) -> Message:
    """One of those that the worst campaign could not deliver."""
    now = timezone.now()
    batch = Batch.objects.create(
        campaign=sent.autumn, first_message_id=1, last_message_id=1, size=1, state=BatchState.SETTLED
    )
    return Message.objects.create(
        campaign=sent.autumn,
        batch=batch,
        number=NUMBER,
        country="IN",
        state=MessageState.UNDELIVERED,
        reason="absent subscriber",
        settled_at=now,
        reported_at=now,
    )


def test_five_questions_are_answered_by_clicking_alone(page: Page, message: Message) -> None:
    page.goto("/admin/")
    figures = page.locator("#figures")

    # What did we spend on India this month, and what share was delivered?
    page.locator("a", has_text="Reports").filter(visible=True).first.click()
    figures.get_by_role("link", name="India (IN)").click()
    expect(page.locator("#only-country")).to_have_value("IN")
    page.wait_for_load_state()  # the figures stand below that, and may still be on their way
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")  # the chart follows a frame later
    page.set_viewport_size({"width": 1360, "height": 900})
    total = figures.locator("tfoot td")
    heads = [head.splitlines()[0].removesuffix("?").strip() for head in figures.locator("thead th").all_inner_texts()]
    told = dict(zip(heads, total.all_inner_texts(), strict=True))
    assert (told["Cost, INR"], told["Delivered %"]) == ("1.18", "84.7%")

    # Why did the rest fail?
    reasons = page.locator("#reasons")
    expect(reasons).to_contain_text("absent subscriber")
    expect(reasons).to_contain_text("90.0%")

    # Which campaign was worst? It came to the top by sorting.
    figures.get_by_role("link", name="Delivered %").click()
    expect(figures.locator("th[aria-sort=descending]")).to_contain_text("Delivered %")  # not the old page twice
    figures.get_by_role("link", name="Delivered %").click()
    worst = figures.locator("tbody tr").first
    expect(figures.locator("th[aria-sort=ascending]")).to_contain_text("Delivered %")
    expect(worst).to_contain_text("Autumn")

    # Can I have it as a file?
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    rows = Path(download.value.path()).read_text().splitlines()
    assert (rows[1].split(",")[0], rows[-1].split(",")[:3]) == ("Autumn", ["Total", "118", "100"])

    # What became of one recipient's message?
    worst.get_by_role("link", name="only this").click()
    expect(page.locator("#reasons a")).to_have_count(1)
    page.locator("#reasons").get_by_role("link", name="absent subscriber").click()
    page.get_by_role("link", name=NUMBER).first.click()
    expect(page).to_have_url(re.compile(f"/admin/messaging/message/{message.pk}/change/"))
    expect(page.locator("#main, body").first).to_contain_text("absent subscriber")
