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


def test_what_is_half_written_outlives_other_buttons_until_it_was_taken(
    page: Page, sandbox: RunningSandbox, application: Application, troubles: list[str]
) -> None:
    write("When do you open?", ago=2)
    page.goto(f"/admin/messaging/conversation/{Conversation.objects.get().pk}/change/")
    box, note = page.get_by_label("Answer", exact=True), page.get_by_label("Note")
    box.fill("Hello! We open at")
    note.fill("Asks often")
    page.click("#take")
    expect(page.locator("#take")).to_have_count(0)
    expect(box).to_have_value("Hello! We open at")

    page.click("#add-note")
    expect(note).to_have_value("")
    expect(box).to_have_value("Hello! We open at")
    box.press_sequentially(" 9.")
    address = page.url
    page.route("**/answer/", lambda route: route.fulfill(status=503, body="down"))
    page.click("#send")
    page.wait_for_url("**/answer/")
    page.goto(address)
    expect(box).to_have_value("Hello! We open at 9.")

    page.unroute("**/answer/")
    page.click("#send")
    expect(page.locator("#thread li").last).to_contain_text("Hello! We open at 9.")
    expect(box).to_have_value("")
    page.reload()
    expect(box).to_have_value("")
    troubles.clear()  # the browser names the answer that was no page


def test_what_is_half_written_is_not_left_to_who_signs_in_next(
    page: Page, sandbox: RunningSandbox, application: Application
) -> None:
    write("When do you open?", ago=2)
    page.goto(f"/admin/messaging/conversation/{Conversation.objects.get().pk}/change/")
    page.get_by_label("Answer", exact=True).fill("Hello!")
    assert page.evaluate("sessionStorage.length") > 0

    page.evaluate("document.getElementById('logout-form').requestSubmit()")

    page.wait_for_url("**/logout/")
    assert page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('written'))") == []
