"""The last page before a launch, and the moment after it."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.models import Application, BalanceReading
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import AudienceCount, Campaign, CampaignState, ContactGroup, ListPrice, Message
from messaging.services.campaigns import drafts, starting
from tests.browser.conftest import PASSWORD, sign_in
from tests.messaging.conftest import add_contacts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def draft(application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 200, name="Ann Lee", time_zones="Asia/Kolkata")
    ListPrice.objects.create(country="IN", price=Decimal("0.0031"), currency="USD")
    BalanceReading.objects.create(at=timezone.now(), balance=Decimal("12.5"))
    return drafts.create(name="Autumn", application=application, sender_id="", text="Hi {{name}}", groups=[group])


def test_the_same_text_again_needs_a_reason(
    page: Page, sandbox: RunningSandbox, draft: Campaign, run_jobs: Callable[[], int]
) -> None:
    starting.launch(draft.pk)
    run_jobs()
    again = drafts.create(
        name="Again", application=draft.application, sender_id="", text=draft.text, groups=list(draft.groups.all())
    )
    page.goto(f"/admin/messaging/campaign/{again.pk}/review/")
    expect(page.locator("#checks")).to_contain_text("200 of these recipients got the same text")
    expect(page.locator("[data-cost]")).to_be_visible()

    for box in page.locator("#checks input[type=checkbox]").all():
        box.check()
    page.click("#launch")  # the browser itself asks for the reason
    assert page.url.endswith("/review/")
    page.fill("#reason-same_text", "The first one had an old price")
    page.click("#launch")

    expect(page.locator(".c-timeline")).to_contain_text("The first one had an old price")
    again.refresh_from_db()
    assert again.state == CampaignState.RUNNING


def test_a_launch_is_taken_back(
    page_with_a_clock: Page, sandbox: RunningSandbox, draft: Campaign, run_jobs: Callable[[], int]
) -> None:
    page = page_with_a_clock
    page.goto(f"/admin/messaging/campaign/{draft.pk}/review/")
    for box in page.locator("#checks input[type=checkbox]").all():
        box.check()
    page.fill("#undo-seconds", "60")
    page.clock.install(time=timezone.now() + dt.timedelta(hours=5))  # a browser whose clock is wrong
    page.click("#launch")
    expect(page.locator("[data-seconds-left]")).to_have_text(re.compile(r"^[1-6]\d s$"))

    page.click("#undo")

    expect(page.get_by_text("Taken back: nothing has left.")).to_be_visible()
    expect(page.locator("#launch")).to_be_enabled()
    run_jobs()
    assert Campaign.objects.get(pk=draft.pk).state == CampaignState.DRAFT
    assert not Message.objects.exists()
    assert sandbox.stats()["accepted"] == 0


def test_the_count_goes_on_by_itself(
    page: Page, sandbox: RunningSandbox, draft: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.services.audience import audience_counting, audience_counts

    monkeypatch.setattr(audience_counting, "STRETCH", 100)
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0.0)
    page.goto(f"/admin/messaging/campaign/{draft.pk}/review/")
    expect(page.locator("#counting")).to_be_visible()
    expect(page.locator("#launch")).to_be_disabled()

    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 5.0)

    expect(page.locator("#launch")).to_have_text("Send 200 messages")
    expect(page.locator("#launch")).to_be_enabled()
    expect(page.locator("#counting")).to_have_count(0)


def test_a_second_person_approves_and_an_edit_voids_it(
    page: Page, sandbox: RunningSandbox, draft: Campaign, settings: Any, chromium: Browser, live_server: LiveServer
) -> None:
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 100
    address = f"/admin/messaging/campaign/{draft.pk}/review/"
    page.goto(address)
    expect(page.locator("#launch")).to_be_disabled()
    page.fill("#ask-note", "The autumn offer")
    page.click("#ask-approval")

    second = get_user_model().objects.create_superuser("bob", password=PASSWORD)
    theirs = chromium.new_context(viewport={"width": 1360, "height": 900}, base_url=live_server.url)
    approver = theirs.new_page()
    sign_in(approver, PASSWORD, second.username)
    approver.click("text=waits for your approval")
    expect(approver.locator("#approval")).to_contain_text("The autumn offer")
    approver.click("#approve")
    expect(approver.locator("#approval")).to_contain_text("bob approved it")
    theirs.close()

    page.goto(address)
    expect(page.locator("#launch")).to_be_enabled()
    page.click(".c-foot >> text=Edit")
    page.fill("#id_text", "Hi {{name}}, other words")
    page.click("button[name=_save]")
    expect(page.locator("#launch")).to_be_disabled()
    expect(page.locator("#approval")).to_contain_text("Void")


def test_what_was_typed_and_ticked_survives_the_end_of_the_count(
    page: Page, sandbox: RunningSandbox, draft: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.services.audience import audience_counting, audience_counts

    monkeypatch.setattr(audience_counting, "STRETCH", 100)
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0.0)
    # Its time has passed: there is something to tick from the beginning.
    Campaign.objects.filter(pk=draft.pk).update(scheduled_at=timezone.now() - dt.timedelta(hours=1))
    page.goto(f"/admin/messaging/campaign/{draft.pk}/review/")
    expect(page.locator("#counting")).to_be_visible()
    page.check("input[name=seen][value=late]")
    page.fill("#as", "Ann")
    page.click("#test-number")
    page.keyboard.type("+91 98765")
    page.keyboard.press("ArrowLeft")

    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 5.0)
    expect(page.locator("#counting")).to_have_count(0)
    page.keyboard.type("0")  # the field still has the focus, and the caret is where it was

    expect(page.locator("#test-number")).to_have_value("+91 987605")
    expect(page.locator("#as")).to_have_value("Ann")
    expect(page.locator("input[name=seen][value=late]")).to_be_checked()


def test_a_word_that_is_put_together_from_several_keys_is_not_broken_off(
    page: Page, sandbox: RunningSandbox, draft: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.services.audience import audience_counting, audience_counts

    monkeypatch.setattr(audience_counting, "STRETCH", 100)
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0.0)
    page.goto(f"/admin/messaging/campaign/{draft.pk}/review/")
    page.click("#as")
    keys = page.context.new_cdp_session(page)
    keys.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 5.0)
    for _poll in range(3):
        page.wait_for_event("response", lambda got: "/review/" in got.url)
    expect(page.locator("#counting")).to_be_visible()

    keys.send("Input.insertText", {"text": "你好"})

    expect(page.locator("#counting")).to_have_count(0)
    expect(page.locator("#as")).to_have_value("你好")


def test_what_was_said_to_a_sentence_is_not_carried_onto_another(
    page: Page, sandbox: RunningSandbox, draft: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    from messaging.services.audience import audience_counts

    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0.0)
    Campaign.objects.filter(pk=draft.pk).update(scheduled_at=timezone.now() - dt.timedelta(hours=1))
    page.goto(f"/admin/messaging/campaign/{draft.pk}/review/")
    AudienceCount.objects.update(too_long=3, repeated=5)  # as counted so far
    expect(page.locator("#checks")).to_contain_text("3 recipients get nothing")
    page.check("input[name=seen][value=too_long]")
    page.check("input[name=seen][value=late]")
    page.fill("#reason-same_text", "The first one had an old price")

    AudienceCount.objects.update(too_long=12400, repeated=9000)

    expect(page.locator("#checks")).to_contain_text("12,400 recipients get nothing")
    expect(page.locator("input[name=seen][value=too_long]")).not_to_be_checked()
    expect(page.locator("#reason-same_text")).to_have_value("")
    expect(page.locator("input[name=seen][value=late]")).to_be_checked()
