"""An operator adds a sound, plays it, and calls a contact, against a sandbox that pushes what became of the call."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Contact
from tests.messaging.mms import attachment_samples as samples
from tests.voice.test_audio import silent_wave
from voice.models import AudioFile, SipCall
from voice.services.phones import sip_phones as phones

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def shot(page: Page, name: str) -> None:
    """For a person to look at, where a folder is named."""
    if folder := os.environ.get("VOICE_SHOTS"):
        for theme in ("light", "dark"):
            page.evaluate(f"document.documentElement.classList.toggle('dark', {str(theme == 'dark').lower()})")
            for width in (1360, 390):
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_timeout(150)
                page.screenshot(path=str(Path(folder) / f"{name}-{theme}-{width}.png"))
        page.evaluate("document.documentElement.classList.remove('dark')")
        page.set_viewport_size({"width": 1360, "height": 900})


def test_a_sound_is_added_and_played(page: Page, sandbox: RunningSandbox, tmp_path: Path) -> None:
    picture, sound = tmp_path / "hello.mp3", tmp_path / "greeting.wav"
    picture.write_bytes(samples.picture())
    sound.write_bytes(silent_wave(1))
    mp3 = tmp_path / "spring.mp3"
    mp3.write_bytes(samples.mpeg())
    page.goto("/admin/voice/audiofile/add/")
    page.evaluate("document.getElementById('add').disabled = true")  # as a form that is left while it is sent
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(page.locator("#add")).to_be_enabled()
    page.fill("#id_name", "Spring greeting.mp3")
    page.set_input_files("#id_file", picture)
    page.click("#add")
    expect(page.locator("[data-errors=file]")).to_contain_text("PNG")
    shot(page, "audio-add")
    assert page.input_value("#id_name") == "Spring greeting.mp3"

    page.set_input_files("#id_file", mp3)
    page.click("#add")

    expect(page.locator("#state")).to_have_text("at Laaffic")
    shot(page, "audio")
    page.evaluate("document.querySelector('audio').play()")
    page.wait_for_function("document.querySelector('audio').currentTime > 0")
    kept = AudioFile.objects.get()
    assert (kept.name, kept.audio_type, bool(kept.file_id)) == ("Spring greeting.mp3", "mp3", True)


def test_a_contact_is_called_and_the_record_is_pushed(
    page: Page,
    sandbox: RunningSandbox,
    live_server: LiveServer,
    settings: LazySettings,
    run_jobs: Callable[[], int],
) -> None:
    options = sandbox.sandbox.options
    options.voice_callback = f"{live_server.url}/hooks/{settings.LAAFFIC_PUSH_TOKENS[0]}/voice-report/"
    options.ring_seconds, options.talk_seconds, options.answer_rate = (0.1, 0.2), (1.0, 1.2), 1.0
    phones.sync(Application.objects.create(app_id="voiceApp", channel="voice"))
    Contact.objects.create(number="919876500000", name="Ann")

    page.goto("/admin/messaging/contact/")
    page.locator("input[name=_selected_action]").first.check()
    page.select_option("select[name=action]", "call")
    page.click("button[name=index]")
    expect(page.locator("#id_callee")).to_have_value("919876500000")
    page.select_option("#id_phone", index=1)
    shot(page, "call-form")
    page.click("#call")
    expect(page.get_by_text("is ringing")).to_be_visible()
    for _ in range(100):
        run_jobs()
        if SipCall.objects.exclude(record=None).exists():
            break
        page.wait_for_timeout(50)

    expect(page.locator("#state")).to_have_text("answered")
    shot(page, "call")
    assert LedgerEntry.objects.get(about_kind="SIP call").state == EntryState.ACCEPTED
    page.goto("/admin/voice/callrecord/")
    expect(page.get_by_text("919876500000")).to_be_visible()
    shot(page, "records")


def test_a_lost_call_is_settled_by_a_word_and_a_repeat_by_a_reason(page: Page, sandbox: RunningSandbox) -> None:
    phones.sync(Application.objects.create(app_id="voiceApp", channel="voice"))
    sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)

    def call(number: str) -> None:
        page.goto("/admin/voice/sipcall/add/")
        page.select_option("#id_phone", index=1)
        page.fill("#id_callee", number)
        page.click("#call")

    call("+919876500000")
    expect(page.locator("#state")).to_have_text("Unknown")
    lost = page.url
    call("+919876500000")
    expect(page.locator(".c-error")).to_contain_text("not known yet")
    shot(page, "call-again")
    page.fill("#id_again", "nobody heard it")
    page.click("#call")
    expect(page.get_by_text("is ringing")).to_be_visible()

    page.goto(lost)
    page.fill("#why", "I stood beside")
    with page.expect_response(lambda answer: answer.url == lost):
        pass  # the page has asked for itself anew
    page.locator("#why").press_sequentially(" the phone")
    expect(page.locator("#why")).to_have_value("I stood beside the phone")
    shot(page, "call-unknown")
    page.click("#resolve button >> nth=0")

    expect(page.locator("#state")).to_have_text("Not sent")
    assert LedgerEntry.objects.order_by("pk").first().evidence.endswith("I stood beside the phone")
