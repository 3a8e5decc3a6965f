"""An operator launches a group-call task from a CSV of 1,200 numbers and follows it to its end."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from tests.browser.conftest import PASSWORD
from tests.browser.test_voice_calls import shot
from tests.voice.group_calls.group_samples import at_sandbox
from voice.models import GroupTask, TaskState
from voice.services.asking import scheduling

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

COUNT = 1200


def write_numbers(file: Path, *, bad_row: bool) -> None:
    numbers = [f"Person {n},+{919876500000 + n}" for n in range(COUNT)]
    again = ["Once more,+919876500000"] * 3
    file.write_text("\n".join(["name,phone", *numbers, *again, *(["Nobody,12"] if bad_row else [])]))


def test_what_somebody_typed_who_was_signed_out_is_kept_and_the_file_named(
    page: Page, db: None, tmp_path: Path, troubles: list[str]
) -> None:
    Application.objects.create(app_id="voiceApp", channel="voice")
    numbers = tmp_path / "customers.csv"
    write_numbers(numbers, bad_row=False)
    page.goto("/admin/voice/grouptask/add/")
    page.fill("#id_name", "Spring offer")
    page.set_input_files("#id_file", numbers)
    page.context.clear_cookies()

    page.click("#to-review")
    page.fill("#id_username", "ada")
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")

    expect(page.locator("#kept [name=name]")).to_have_value("Spring offer")
    expect(page.locator("#kept")).to_contain_text("“customers.csv” was not kept")
    troubles.clear()  # the browser names each answer that was no page


def test_a_task_from_a_csv_is_seen_through(
    page: Page, sandbox: RunningSandbox, run_jobs: Callable[[], int], tmp_path: Path
) -> None:
    options = sandbox.sandbox.options
    options.group_calls_per_second, options.ring_seconds, options.talk_seconds = 200.0, (0.1, 0.3), (0.1, 0.3)
    options.callback = ""  # reports of the SMS are other tests' business
    Application.objects.create(app_id="voiceApp", channel="voice")
    Application.objects.create(app_id="smsApp", channel="sms", sender_id="SHOP")
    numbers = tmp_path / "customers.csv"

    page.goto("/admin/voice/grouptask/")
    page.goto("/admin/voice/grouptask/add/")
    page.fill("#id_name", "Spring offer")
    page.fill("#id_text", "Hello from the shop. Press 1 to hear about our spring offer.")
    expect(page.locator("#id_sms_text")).to_be_hidden()
    page.check("#id_hang_up_sms")
    page.fill("#id_windows_0", "12:00")
    page.fill("#id_windows_1", "00:00")
    write_numbers(numbers, bad_row=True)
    page.set_input_files("#id_file", numbers)
    shot(page, "group-form")
    page.click("#to-review")
    expect(page.locator("[data-errors=windows]")).to_contain_text("ends before it starts")
    expect(page.locator("[data-errors=file]")).to_contain_text("Row 1205")
    expect(page.locator("[data-errors=sms_on_answer]")).to_contain_text("at least one occasion")
    expect(page.locator("#id_name")).to_have_value("Spring offer")
    shot(page, "group-form-errors")
    assert not GroupTask.objects.exists()

    page.fill("#id_windows_0", "00:00")
    page.fill("#id_windows_1", "12:00")
    page.fill("#id_windows_2", "12:00")
    page.fill("#id_windows_3", "23:59")
    page.fill("#id_sms_text", "You missed our call. Visit us this week.")
    page.check("#id_sms_on_failure")
    page.check("#id_skip_invalid")
    page.click("#to-review")

    expect(page.locator("#recipients")).to_have_text("1,200")
    expect(page.locator("#twice")).to_contain_text("3 were given twice")
    shot(page, "group-review")
    expect(page.locator("#launch")).to_have_text("Call 1,200 phones")
    for box in page.locator("input[name=seen]").all():  # at night there is one
        box.check()
    page.click("#launch")
    expect(page.get_by_text("Laaffic has the task")).to_be_visible()
    assert (LedgerEntry.objects.get().state, len(at_sandbox(sandbox))) == (EntryState.ACCEPTED, 1)

    seen = set()
    for _ in range(300):
        scheduling.sweep()
        run_jobs()
        task = GroupTask.objects.get()
        if page.locator("#percent").count():
            seen.add(page.locator("#percent").text_content())
        if task.state == TaskState.FINISHED and task.recorded == COUNT:
            break
        page.wait_for_timeout(200)
    assert seen - {"0%", "100%"}, "the page moved by itself while it was calling"

    (there,) = at_sandbox(sandbox)
    expect(page.locator("#state")).to_have_text("Finished")
    expect(page.locator("#percent")).to_have_text("100%")
    for name, figure in {
        "total": COUNT,
        "called": COUNT,
        "connected": there.ends["answered"],
        "failed": there.ends["failed"],
        "sms": there.ends["sms"],
        "recorded": COUNT,
    }.items():
        expect(page.locator(f"[data-figure={name}]")).to_have_text(f"{figure:,}")
    assert there.ends["sms"] == there.ends["failed"] == len(sandbox.sandbox.store.messages)
    cost = sum(call.cost for call in there.calls)
    assert task.cost == cost
    keys = [call.key for call in there.calls if call.key != "-1"]
    assert task.keys_pressed == {key: keys.count(key) for key in sorted(set(keys))}
    shot(page, "group-finished")
    page.goto("/admin/voice/grouptask/")
    expect(page.locator("#totals")).to_contain_text("1,200 of 1,200")
    shot(page, "group-list")
