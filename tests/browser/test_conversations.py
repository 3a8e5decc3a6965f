"""A conversation on a phone, in a browser: a new reply appears by itself, and is answered with a saved answer."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from laaffic_console.gateway.models import Application
from laaffic_console.laaffic import Reply as WireReply
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact, Conversation, Message, SavedAnswer
from messaging.services.replies import replies

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

NUMBER = "919876543210"


def write(text: str, number: str = NUMBER, ago: float = 0) -> None:
    at = timezone.now() - dt.timedelta(minutes=ago)
    replies.take([WireReply("", number, "SHOP", text, at, "", "", "", None, None, "", None)], source="push")


def test_a_reply_appears_and_is_answered(
    page: Page, sandbox: RunningSandbox, application: Application, run_jobs: Callable[[], int]
) -> None:
    SavedAnswer.objects.create(title="Hours", text="We open at 9.")
    Contact.objects.create(number=NUMBER, name="Asha Rao")
    write("When do you open?", ago=2)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/admin/messaging/conversation/")
    page.get_by_role("link", name="Asha Rao").click()
    box = page.get_by_label("Answer", exact=True)
    box.fill("Hello! ")

    write("And on Sunday?")

    expect(page.locator("#thread")).to_contain_text("And on Sunday?")
    page.get_by_role("button", name="Hours").click()
    expect(box).to_have_value("Hello! We open at 9.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#thread li").last).to_contain_text("Hello! We open at 9.")
    run_jobs()
    assert Message.objects.get().number == NUMBER
    assert Conversation.objects.get().unread == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
