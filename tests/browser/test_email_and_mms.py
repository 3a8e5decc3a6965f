"""An email campaign with its callbacks and an MMS campaign with a picture, as an operator meets them in a browser."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import ContactGroup, EmailCampaign, EmailMessage, MmsAttachment
from messaging.services.email import counting as email_counting
from messaging.services.email import deliveries as email_deliveries
from messaging.services.mms import attachments
from tests.browser.conftest import run_until_reported
from tests.messaging.conftest import add_contacts
from tests.messaging.mms import attachment_samples as samples

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


def wait_until(reached: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)


class EmailTests:
    def test_compose_launch_and_follow_each_mail(
        self,
        page: Page,
        sandbox: RunningSandbox,
        settings: LazySettings,
        live_server: LiveServer,
        run_jobs: Callable[[], int],
    ) -> None:
        settings.CONSOLE_URL = live_server.url
        sandbox.sandbox.options.email_callback_delay = 1.0  # not while this thread writes: the database is in memory
        Application.objects.create(app_id="fKFtblIy", channel="email", name="News")
        page.goto("/admin/messaging/emailcampaign/add/")
        page.fill("#id_name", "Spring")
        page.click("#refresh")
        expect(page.locator("#choices-receiver_id option[value='1000']")).to_have_text("Customers · 20 addresses")
        expect(page.locator("#id_name")).to_have_value("Spring")
        page.fill("#id_from_address", "test@mailpush.laaffic.cn")
        page.fill("#id_receiver_id", "1000")
        page.fill("#id_template_id", "1")
        page.fill("#id_subject", "x" * 101)
        page.click("#to-review")
        expect(page.locator("span[role=alert]")).to_contain_text("The subject has 101 characters")
        expect(page.locator("#beside #recipients")).to_contain_text("20")
        page.fill("#id_subject", "Everything for spring")
        expect(page.locator("#inbox-subject")).to_have_text("Everything for spring")
        page.click("#to-review")
        expect(page.locator("#recipients")).to_contain_text("20")
        expect(page.locator("#launch")).to_have_text("Send to 20 addresses")
        page.fill("#id_address", "me@example.com")
        page.click("#send-test")
        expect(page.locator("body")).to_contain_text("The test to me@example.com was submitted")
        page.dblclick("#launch")
        expect(page.locator("#state")).to_have_text("Sending")

        run_jobs()
        expect(page.locator("#state")).to_have_text("Running")
        wait_until(lambda: sandbox.sandbox.courier.counts.get("email", {}).get("acknowledged") == 20)
        run_jobs()
        campaign = EmailCampaign.objects.get()
        submitted = email_counting.counts(campaign)["submitted"]
        assert submitted > 15
        expect(page.locator("[data-count=pending]")).to_have_text(str(submitted))
        assert email_counting.counts(campaign)["delivered"] == 0

        EmailCampaign.objects.update(next_check_at=campaign.sent_at)
        email_deliveries.pull_due()
        delivered = email_counting.counts(campaign)["delivered"]
        expect(page.locator("[data-count=delivered]")).to_have_text(str(delivered))
        expect(page.locator("#state")).to_have_text("Finished")
        expect(page.locator("#percent")).to_have_text("100%")

        page.click("a:has([data-count=delivered])")
        expect(page.locator("#result_list tbody tr")).to_have_count(delivered)
        with page.expect_download() as download:
            page.click("text=Export CSV")
        lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
        assert len(lines) == delivered + 1
        assert EmailMessage.objects.count() == 20
        assert email_counting.prove(campaign)["disagreements"] == []


class MmsTests:
    def test_a_picture_from_the_library_to_the_phones(
        self,
        page: Page,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        tmp_path: Path,
    ) -> None:
        add_contacts(group, 6)
        (tmp_path / "beach.png").write_bytes(samples.picture())
        (tmp_path / "tool.png").write_bytes(b"MZ" + bytes(400))
        page.goto("/admin/messaging/mmsattachment/add/")
        page.set_input_files("input[type=file]", [tmp_path / "beach.png", tmp_path / "tool.png"])
        page.click("button:has-text('Add')")
        expect(page.locator("[role=alert]")).to_contain_text("tool.png: By its content the file is a Windows program")
        picture = MmsAttachment.objects.get()
        page.goto(f"/admin/messaging/mmsattachment/{picture.pk}/change/")
        expect(page.locator("#clock")).to_contain_text("2 days, 23 hours left")
        page.wait_for_function("document.querySelector('.c-shown img').naturalWidth === 64")

        page.goto(f"/admin/messaging/mmscampaign/add/?groups={group.pk}")
        page.fill("#id_name", "Beach")
        page.fill("#id_title", "A week at the beach")
        page.fill("#id_text", "Hi {{name|there}}")
        page.check(f".c-choice input[value='{picture.pk}']")
        attachments.add(samples.picture(colour="navy"), "dune.png")  # in another tab
        page.click("button:has-text('Show new files')")
        expect(page.locator(".c-choice")).to_have_count(2)
        expect(page.locator(f".c-choice input[value='{picture.pk}']")).to_be_checked()
        expect(page.locator("#id_title")).to_have_value("A week at the beach")
        phone = page.locator("#beside .c-phone")
        expect(phone.locator("#phone-text")).to_have_text("Hi there")
        expect(phone.locator("#mms-title")).to_have_text("A week at the beach")
        page.wait_for_function("document.querySelector('.c-phone img').naturalWidth === 64")
        expect(page.locator("#id_text-counter")).not_to_contain_text("segment")
        page.click("button[name=_save]")
        expect(page.locator("#mms-title")).to_contain_text("A week at the beach")
        expect(page.locator("#preview")).to_have_text("Hi there")
        expect(page.locator("#launch")).to_have_text("Send 6 messages")
        page.dblclick("#launch")
        expect(page.locator("#percent")).to_have_text("0%")

        run_jobs()
        expect(page.locator("#percent")).to_have_text("100%")
        run_until_reported(run_jobs)
        delivered = sandbox.stats()["delivered"]
        expect(page.locator("[data-count=delivered]")).to_have_text(str(delivered))
        interfaces = list(LedgerEntry.objects.order_by("pk").values_list("interface", flat=True))
        assert interfaces == ["mmsUpload", "mmsSend"]


class LookTests:
    @pytest.mark.parametrize(
        "address", ["mmsattachment/", "mmsattachment/add/", "mmscampaign/add/", "emailcampaign/add/", "emailmessage/"]
    )
    def test_nothing_is_wider_than_a_phone(self, page: Page, sandbox: RunningSandbox, address: str) -> None:
        attachments.add(samples.picture(), "a picture with a name that is rather long for a phone.png")
        page.set_viewport_size({"width": 390, "height": 844})

        page.goto(f"/admin/messaging/{address}")

        assert page.evaluate("document.documentElement.scrollWidth") <= 390
