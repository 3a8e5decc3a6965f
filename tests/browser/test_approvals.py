"""A second person's word on email and group calls, as two people see it, on a phone's screen too."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.services.email import drafts as email_drafts
from tests.browser.conftest import PASSWORD, sign_in
from tests.voice.group_calls.group_samples import written

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


def email_review() -> str:
    application = Application.objects.create(app_id="fKFtblIy", channel="email", name="News")
    draft = email_drafts.create(
        name="Spring",
        application=application,
        from_address="test@mailpush.laaffic.cn",
        receiver_id="1001",
        template_id="1",
        subject="hello world",
    )
    return f"/admin/messaging/emailcampaign/{draft.pk}/review/"


def calls_review() -> str:
    draft = written(Application.objects.create(app_id="voiceApp", channel="voice", name="Calls"), 3)
    return f"/admin/voice/grouptask/{draft.pk}/review/"


def fits(page: Page) -> None:
    before = page.viewport_size
    for theme in ("light", "dark"):
        page.evaluate(f"document.documentElement.classList.toggle('dark', {str(theme == 'dark').lower()})")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("document.documentElement.classList.remove('dark')")
    assert before is not None
    page.set_viewport_size(before)


@pytest.mark.parametrize("review", [email_review, calls_review])
def test_a_second_person_approves(
    page: Page, sandbox: RunningSandbox, settings: Any, chromium: Browser, live_server: LiveServer, review: Any
) -> None:
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 2
    address = review()
    page.goto(address)
    expect(page.locator("#launch")).to_be_disabled()
    page.fill("#ask-note", "The spring offer")
    page.click("#ask-approval")

    second = get_user_model().objects.create_superuser("bob", password=PASSWORD)
    theirs = chromium.new_context(viewport={"width": 1360, "height": 900}, base_url=live_server.url)
    approver = theirs.new_page()
    sign_in(approver, PASSWORD, second.username)
    approver.click("text=waits for your approval")
    expect(approver.locator("#approval")).to_contain_text("The spring offer")
    fits(approver)
    approver.click("#approve")
    expect(approver.locator("#approval")).to_contain_text("bob approved it")
    theirs.close()

    page.goto(address)
    expect(page.locator("#launch")).to_be_enabled()
