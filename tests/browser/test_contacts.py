"""Contacts, files and the suppression list, in a browser."""

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, Contact, ContactGroup, ContactImport, GroupMembership, SuppressionEntry
from tests.messaging.conftest import add_contacts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Sockets of the live server's and Playwright's threads are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

UPLOAD = "/admin/messaging/contactimport/add/"
DROP = """async ([name, text]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], name));
  const box = document.querySelector(".c-drop");
  box.dispatchEvent(new DragEvent("dragover", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  box.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    for row in (["Phone", "Name"], [919876543210, "Ann"], ["nobody", "Bo"]):
        book.active.append(row)
    book.save(tmp_path / "people.xlsx")
    return tmp_path / "people.xlsx"


def test_a_refused_form_begins_where_it_is_wrong(page: Page) -> None:
    page.goto("/admin/messaging/contact/add/")
    page.fill("#id_number", "919876543210")
    page.fill("#id_email", "ann")
    page.locator("form:has(#id_number)").evaluate("form => { form.noValidate = true; }")
    page.click("[name=_save]")

    expect(page.locator(":focus")).to_have_id("id_email")


class UploadTests:
    def test_a_workbook_makes_contacts_and_no_group_of_its_name(
        self, page: Page, workbook: Path, run_jobs: Callable[[], int]
    ) -> None:
        page.goto(UPLOAD)
        page.set_input_files("input[type=file]", workbook)
        expect(page.locator("#id_new_group")).to_have_value("")
        page.click("text=Look at the file")
        page.click("#start-import")

        run_jobs()

        expect(page.locator("#import-state")).to_have_text("Finished")
        expect(page.locator("#added")).to_have_text("1")
        expect(page.locator("table")).to_contain_text("nobody")
        assert not ContactGroup.objects.exists()

    def test_a_file_can_be_dropped(self, page: Page) -> None:
        page.goto(UPLOAD)
        page.evaluate(DROP, ["dropped.csv", "Phone,Name\n+919876543210,Ann\n"])
        page.click("text=Look at the file")

        expect(page.locator("h1.c-title")).to_have_text("dropped.csv")
        expect(page.locator("table").last).to_contain_text("919876543210")

    def test_it_can_be_cancelled_before_it_starts(self, page: Page, workbook: Path) -> None:
        page.goto(UPLOAD)
        page.set_input_files("input[type=file]", workbook)
        page.click("text=Look at the file")
        page.click("text=Cancel")

        expect(page.locator("#import-state")).to_have_text("Cancelled")
        assert ContactImport.objects.get().state == "cancelled"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "The file is empty"),
            (b"%PDF-1.7\n", "This is a PDF"),
            (b",".join([b"c"] * 2000) + b"\nx", "2,000 columns"),
        ],
        ids=["0 bytes", "PDF", "2,000 columns"],
    )
    def test_what_is_no_list_says_so_and_keeps_the_rest(
        self, page: Page, tmp_path: Path, content: bytes, said: str
    ) -> None:
        (tmp_path / "people.csv").write_bytes(content)
        page.goto(UPLOAD)
        page.fill("#id_new_group", "Spring")
        page.set_input_files("input[type=file]", tmp_path / "people.csv")
        page.click("text=Look at the file")

        expect(page.locator("[role=alert]")).to_contain_text(said)
        expect(page.locator("#id_new_group")).to_have_value("Spring")


class ListTests:
    def test_the_export_is_the_list_that_is_shown(self, page: Page, group: ContactGroup) -> None:
        add_contacts(group, 3, name="Ann")
        Contact.objects.create(number="4915123456789", country="DE", name="Bo")
        page.goto("/admin/messaging/contact/?q=bo")

        with page.expect_download() as download:
            page.click("text=Export CSV")

        lines = Path(download.value.path()).read_text("utf-8-sig").splitlines()
        assert [line.split(",")[0] for line in lines] == ["number", "4915123456789"]

    def test_a_quick_message_has_the_counter(self, page: Page, group: ContactGroup, application: Application) -> None:
        add_contacts(group, 2, name="Ann Lee")
        page.goto("/admin/messaging/contact/")
        page.check("#action-toggle")
        page.select_option("select[name=action]", "send_sms")
        page.click("button[name=index]")
        page.select_option("#id_application", str(application.pk))
        page.fill("#id_text", "It’s " + "x" * 150 + " ")
        expect(page.locator(".segment-counter mark")).to_have_text("’")
        page.click("text=Replace with")
        expect(page.locator(".segment-counter")).to_contain_text("GSM-7")
        said = page.locator(".segment-counter-fallback").bounding_box()
        row = page.locator(".segment-counter-picker").bounding_box()
        assert said
        assert row
        assert said["width"] < 200, "the field for what is said instead fills no line of its own"
        assert row["height"] < 2 * said["height"], "the merge fields stand in one row"
        page.click("text={{name}}")
        expect(page.locator(".segment-counter-segments")).to_have_text("2 segments")
        page.click("#act")

        expect(page.locator("#recipients")).to_have_text("2")
        assert Campaign.objects.get().text == "It's " + "x" * 150 + " {{name}}"


def test_few_pasted_numbers_stay_in_the_field_while_another_field_is_corrected(
    page: Page, application: Application
) -> None:
    page.goto("/admin/messaging/campaign/add/")
    page.fill("#id_text", "Hello")
    page.fill("#id_numbers", "+91 98765 43210\nnobody")
    expect(page.locator("main")).to_contain_text("1 valid, 0 there twice, 1 invalid")
    page.locator("form:has(#id_numbers)").evaluate("form => { form.noValidate = true; }")
    page.click("[name=_save]")

    expect(page.locator("main [aria-invalid=true]")).to_have_count(1)
    expect(page.locator("#id_numbers")).to_have_value("+91 98765 43210\nnobody")
    page.fill("#id_name", "Spring")
    page.click("[name=_save]")

    expect(page.locator("main")).to_contain_text("Spring")
    paste = Campaign.objects.get().paste
    assert paste
    assert (paste.numbers, paste.invalid) == (1, 1)


class SuppressionTests:
    def test_pasted_uploaded_and_allowed_again(self, page: Page, tmp_path: Path) -> None:
        (tmp_path / "left.txt").write_text("919876543211\n919876543212\n")
        page.goto("/admin/messaging/suppressionentry/add/")
        page.fill("#id_numbers", "+91 98765 43210\nnobody")
        page.set_input_files("input[type=file]", tmp_path / "left.txt")
        page.dblclick("#suppress")
        expect(page.locator("#added")).to_have_text("3")
        expect(page.locator("#invalid")).to_have_text("1")
        expect(page.locator("table")).to_contain_text("nobody")

        page.goto("/admin/messaging/suppressionentry/?q=919876543211")
        page.click("#result_list tbody th a")
        page.fill("#id_why", "Asked to be put back")
        page.click("#allow-again")

        expect(page.locator("body")).to_contain_text("1 number is allowed again.")
        assert SuppressionEntry.objects.count() == 2


def test_a_group_among_many_is_typed_and_filtered_by(page: Page) -> None:
    ContactGroup.objects.bulk_create(ContactGroup(name=f"Group {n:04}") for n in range(300))
    last = ContactGroup.objects.get(name="Group 0299")
    member = Contact.objects.create(number="919876543210", name="Asha Rao")
    Contact.objects.create(number="919876543211", name="Ravi Das")
    GroupMembership.objects.create(contact=member, group=last)
    page.goto("/admin/messaging/contact/")

    page.locator("a, button", has_text="Filters").first.click()
    page.locator("#filter-form .select2-selection").first.click()
    page.locator(".select2-search__field").last.fill("group 0299")
    page.locator(".select2-results__option", has_text="Group 0299").click()
    page.locator("#filter-form button[type=submit]").click()

    expect(page.locator("#result_list")).to_contain_text("Asha Rao")
    expect(page.locator("#result_list")).not_to_contain_text("Ravi Das")
