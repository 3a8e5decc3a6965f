"""An operator writes a spoken message to 40 contacts, and the pushed reports of its calls arrive."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, ContactGroup
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shot(page: Page, name: str) -> None:
    """For a person to look at, where a folder is named."""
    if folder := os.environ.get("VOICE_SHOTS"):
        for theme in ("light", "dark"):
            page.evaluate(f"document.documentElement.classList.toggle('dark', {str(theme == 'dark').lower()})")
            for width in (1360, 390):
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_timeout(150)
                page.screenshot(path=str(Path(folder) / f"{name}-{theme}-{width}.png"), full_page=True)
        page.evaluate("document.documentElement.classList.remove('dark')")
        page.set_viewport_size({"width": 1360, "height": 900})


def test_forty_are_called_and_their_ends_are_pushed(
    page: Page,
    sandbox: RunningSandbox,
    group: ContactGroup,
    live_server: LiveServer,
    settings: LazySettings,
    run_jobs: Callable[[], int],
) -> None:
    options = sandbox.sandbox.options
    options.voice_callback = f"{live_server.url}/hooks/{settings.LAAFFIC_PUSH_TOKENS[0]}/voice-report/"
    options.ring_seconds, options.talk_seconds = (0.0, 0.1), (0.0, 0.1)
    Application.objects.create(app_id="voiceApp", channel="voice", name="Voice", connections=8)
    add_contacts(group, 40, name="Ann Lee")

    page.goto(f"/admin/voice/spokencampaign/add/?groups={group.pk}")
    page.fill("#id_name", "Reminder")
    page.fill("#id_text", "Hello {{first_name}}, your table is ready at seven.")
    expect(page.locator("#spoken-length")).to_have_text("about 3 seconds")
    page.select_option("#id_language", "NL")
    expect(page.locator("#id_accent option[value='91']")).to_be_hidden()
    page.select_option("#id_language", "EN")
    page.select_option("#id_accent", "91")
    page.fill("#id_loop_count", "2")
    expect(page.locator("#spoken-length")).to_have_text("about 6 seconds")
    shot(page, "spoken-form")
    page.click("button[name=_save]")

    expect(page.locator("#preview")).to_have_text("Hello Ann, your table is ready at seven.")
    shot(page, "spoken-review")
    page.get_by_role("button", name="Call 40 numbers").click()
    campaign = Campaign.objects.get()
    for _ in range(200):
        run_jobs()
        inbox.ring_for_waiting()  # as the sweeper does for the last pushes of a second
        counts = counting.state_counts(campaign)
        if counts["delivered"] + counts["undelivered"] == 40:
            break
        page.wait_for_timeout(50)

    page.reload()
    assert counts["delivered"] + counts["undelivered"] == 40
    expect(page.locator("[data-count=delivered]")).to_have_text(str(counts["delivered"]))
    expect(page.get_by_role("link", name="Not answered")).to_be_visible()
    shot(page, "spoken-campaign")
    called = [call["callee"] for call in sandbox._ask("GET", "/sandbox/calls")["calls"]]
    assert len(called) == len(set(called)) == 40
