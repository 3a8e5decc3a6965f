"""What an operator does in a day, in a browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, ContactGroup, ContactImport
from messaging.services.campaigns import drafts, starting
from tests.browser.conftest import run_until_reported, sign_in
from tests.messaging.conftest import add_contacts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def contacts_file(tmp_path: Path, rows: int) -> Path:
    lines = ["Phone;Full name;City"]
    lines += [f"+9198765{index:05d};Ann {index};Pune" for index in range(rows)]
    lines += ["9.19877E+11;Excel;Pune", "nobody;No number;Pune"]
    path = tmp_path / "contacts.csv"
    path.write_bytes("\n".join(lines).encode("utf-16"))
    return path


class SignInTests:
    def test_a_wrong_password_says_so(self, page: Page) -> None:
        page.context.clear_cookies()

        sign_in(page, "wrong")

        expect(page.locator("body")).to_contain_text("User name or password is wrong")


class ImportTests:
    def test_a_file_becomes_contacts(self, page: Page, tmp_path: Path, run_jobs: Callable[[], int]) -> None:
        page.goto("/admin/messaging/contactimport/add/")
        page.set_input_files("input[type=file]", contacts_file(tmp_path, 40))
        page.fill("#id_new_group", "Pune")
        page.click("text=Look at the file")
        expect(page.locator("select[name=column-0]")).to_have_value("number")
        page.dblclick("#start-import")
        expect(page.locator("#import-state")).to_contain_text("Queued")

        run_jobs()

        expect(page.locator("#import-state")).to_have_text("Finished")
        expect(page.locator("#added")).to_have_text("40")
        expect(page.locator("#invalid")).to_have_text("2")
        expect(page.locator("table")).to_contain_text("shortened this number")
        with page.expect_download() as download:
            page.click("#bad-rows")
        assert "9.19877E+11" in Path(download.value.path()).read_text("utf-8-sig")
        assert ContactImport.objects.get().added == 40

    def test_a_picture_is_refused_in_words(self, page: Page, tmp_path: Path) -> None:
        picture = tmp_path / "contacts.csv"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        page.goto("/admin/messaging/contactimport/add/")
        page.set_input_files("input[type=file]", picture)

        page.click("text=Look at the file")

        expect(page.locator("[role=alert]")).to_contain_text("This is a picture")


class CampaignTests:
    def test_write_launch_and_watch(
        self,
        page: Page,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
    ) -> None:
        add_contacts(group, 25, name="Ann Lee")
        page.goto(f"/admin/messaging/campaign/add/?groups={group.pk}")
        page.fill("#id_name", "Autumn")
        page.fill("#id_text", "It’s ready, ")
        expect(page.locator(".segment-counter")).to_contain_text("UCS-2")
        page.click(".segment-counter-replace")
        expect(page.locator(".segment-counter")).to_contain_text("GSM-7")
        page.fill(".segment-counter-fallback", "friend")
        page.click("text={{first_name}}")
        expect(page.locator("#id_text")).to_have_value("It's ready, {{first_name|friend}}")
        expect(page.locator("#phone-text")).to_have_text("It's ready, Ann")
        expect(page.locator("#beside #recipients")).to_have_text("25")
        page.click("#to-review")
        expect(page.locator("#preview")).to_have_text("It's ready, Ann")
        expect(page.locator("#launch")).to_have_text("Send 25 messages")
        page.dblclick("#launch")
        expect(page.locator("#percent")).to_have_text("0%")

        run_jobs()

        expect(page.locator("#percent")).to_have_text("100%")
        stats = sandbox.stats()
        assert (stats["accepted"], stats["duplicates"]["order id"]) == (25, 0)
        run_until_reported(run_jobs)
        expect(page.locator("[data-count=delivered]")).to_have_text(str(sandbox.stats()["delivered"]))

    def test_a_text_that_is_too_long_stays_in_the_form(
        self, page: Page, sandbox: RunningSandbox, application: Application, group: ContactGroup
    ) -> None:
        page.goto("/admin/messaging/campaign/add/")
        page.fill("#id_name", "Long")
        page.fill("#id_text", "x" * 1025)

        page.click("#to-review")

        expect(page.locator("body")).to_contain_text("Shorten it by one character")
        assert len(page.input_value("#id_text")) == 1025
        assert not Campaign.objects.exists()

    def test_pause_and_cancel(
        self, page: Page, sandbox: RunningSandbox, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 3)
        campaign = drafts.create(name="Held back", application=application, sender_id="", text="Hello", groups=[group])
        starting.launch(campaign.pk)
        page.goto(f"/admin/messaging/campaign/{campaign.pk}/change/")
        page.on("dialog", lambda dialog: dialog.accept())

        page.click("#do-pause")
        expect(page.locator(".c-state").first).to_have_text("Paused")
        page.click("#do-cancel")

        expect(page.locator(".c-state").first).to_have_text("Cancelled")


class LookTests:
    @pytest.mark.parametrize("address", ["/admin/", "/admin/messaging/campaign/", "/admin/messaging/contact/"])
    def test_nothing_is_wider_than_a_phone(
        self, page: Page, sandbox: RunningSandbox, application: Application, group: ContactGroup, address: str
    ) -> None:
        add_contacts(group, 3)
        page.set_viewport_size({"width": 390, "height": 844})

        page.goto(address)

        assert page.evaluate("document.documentElement.scrollWidth") <= 390
