"""Contacts in the admin: bulk actions, import from upload to result, export."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from laaffic_console.gateway.models import Application
from messaging.files import contact_files
from messaging.models import Campaign, Contact, ContactGroup, ContactImport, ImportForecast, SuppressionEntry
from messaging.services.contacts import people
from messaging.services.imports import imports
from tests.messaging.conftest import add_contacts
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db

LIST = "/admin/messaging/contact/"
UPLOAD = "/admin/messaging/contactimport/add/"
CSV = "Phone,Name,City\n+91 98765 43210,Ann,Pune\nnonsense,Bo,Delhi\n=1+1,Cy,Goa\n+49 1512 3456789,Di,Bonn\n"


def act(client: Client, action: str, chosen: list[Contact], query: str = "", **fields: Any) -> HttpResponse:
    given = {"action": action, "_selected_action": [contact.pk for contact in chosen], "select_across": "0"}
    return client.post(f"{LIST}{query}", {**given, **fields})


def test_whoever_adds_a_person_who_was_erased_is_told(admin_client: Client) -> None:
    Contact.objects.create(number="919876543210")
    people.erase("919876543210", why="asked for it", by=None)
    said = "This person was erased before, and is known again."

    added = admin_client.post(f"{LIST}add/", {"number": "+919876543210"}, follow=True)
    contact = Contact.objects.get()
    page = f"{LIST}{contact.pk}/change/"
    edited = admin_client.post(page, {"number": contact.number, "name": "Ann"}, follow=True)

    assert said in added.content.decode()
    assert said not in edited.content.decode()
    assert Contact.objects.get().name == "Ann"


class PermissionTests:
    ADDRESSES = [LIST, UPLOAD, f"{LIST}export/csv/", "/admin/messaging/suppressionentry/"]

    def test_a_stranger_has_to_sign_in(self, client: Client) -> None:
        for address in self.ADDRESSES:
            answer = client.get(address)
            assert (answer.status_code, answer["Location"][:13]) == (302, "/admin/login/")

    def test_staff_without_permission_is_refused(self, staff: Callable[..., Client]) -> None:
        client = staff()

        assert [client.get(address).status_code for address in self.ADDRESSES] == [403] * 4

    def test_a_viewer_changes_nothing(self, staff: Callable[..., Client], group: ContactGroup) -> None:
        (contact,) = add_contacts(group, 1)
        client = staff("view_contact")

        assert client.get(LIST).status_code == 200
        act(client, "suppress", [contact], _confirmed="1", channel="all", reason="manual")
        act(client, "remove_from_group", [contact], _confirmed="1", group=group.pk)
        act(client, "send_sms", [contact])

        assert not SuppressionEntry.objects.exists()
        assert group.contacts.count() == 1
        assert client.get(UPLOAD).status_code == 403


class BulkActionTests:
    @pytest.fixture
    def other(self) -> ContactGroup:
        return ContactGroup.objects.create(name="others")

    def test_it_asks_before_it_acts(self, admin_client: Client, group: ContactGroup, other: ContactGroup) -> None:
        chosen = add_contacts(group, 3)[:2]

        asked = act(admin_client, "add_to_group", chosen)

        assert asked.status_code == 200
        assert asked.context["how_many"] == 2
        assert ">Add to a group: 2 contacts</h1>" in asked.content.decode()
        assert other.contacts.count() == 0

    def test_add_to_a_group(self, admin_client: Client, group: ContactGroup, other: ContactGroup) -> None:
        chosen = add_contacts(group, 3)[:2]

        for _ in range(2):
            act(admin_client, "add_to_group", chosen, _confirmed="1", group=other.pk)

        assert set(other.contacts.all()) == set(chosen)

    def test_remove_from_a_group(self, admin_client: Client, group: ContactGroup, other: ContactGroup) -> None:
        first, second, third = add_contacts(group, 3)
        other.contacts.add(first)

        act(admin_client, "remove_from_group", [first, second], _confirmed="1", group=group.pk)

        assert list(group.contacts.all()) == [third]
        assert list(other.contacts.all()) == [first]

    def test_without_a_group_it_says_so_at_the_field(self, admin_client: Client, group: ContactGroup) -> None:
        answer = act(admin_client, "add_to_group", add_contacts(group, 1), _confirmed="1")

        assert list(answer.context["form"].errors) == ["group"]

    def test_suppress(self, admin_client: Client, group: ContactGroup) -> None:
        chosen = add_contacts(group, 3)[:2]

        act(admin_client, "suppress", chosen, _confirmed="1", channel="sms", reason="opt_out", note="by letter")

        kept = SuppressionEntry.objects.values_list("number", "channel", "reason", "note", "created_by__username")
        assert set(kept) == {(contact.number, "sms", "opt_out", "by letter", "admin") for contact in chosen}

    def test_send_sms_makes_a_draft_to_review(
        self, admin_client: Client, group: ContactGroup, application: Application
    ) -> None:
        chosen = add_contacts(group, 3)[:2]

        answer = act(admin_client, "send_sms", chosen, _confirmed="1", application=application.pk, text="Hi\r\nyou")

        campaign = Campaign.objects.get()
        assert answer["Location"] == reverse("admin:messaging_campaign_review", args=[campaign.pk])
        assert (campaign.kind, campaign.state, campaign.text) == ("quick", "draft", "Hi\nyou")
        assert set(campaign.groups.get().contacts.all()) == set(chosen)
        assert "Send 2 messages" in admin_client.get(answer["Location"]).content.decode()

    def test_send_sms_takes_the_only_application_by_itself(
        self, admin_client: Client, group: ContactGroup, application: Application
    ) -> None:
        form = act(admin_client, "send_sms", add_contacts(group, 1)).context["form"]
        assert form["application"].initial == application

        Application.objects.create(app_id="second", channel="sms", name="Second")
        form = act(admin_client, "send_sms", list(group.contacts.all())).context["form"]
        assert form["application"].initial is None

    def test_send_sms_with_an_error_keeps_what_was_typed(
        self, admin_client: Client, group: ContactGroup, application: Application
    ) -> None:
        chosen = add_contacts(group, 2)
        text = "Hi {{nickname}}"

        answer = act(admin_client, "send_sms", chosen, _confirmed="1", application=application.pk, text=text)

        assert list(answer.context["form"].errors) == ["text"]
        assert answer.context["form"]["text"].value() == text
        assert answer.context["selected"] == [str(contact.pk) for contact in chosen]
        assert not Campaign.objects.exists()
        assert ContactGroup.objects.count() == 1

    def test_across_all_pages(self, admin_client: Client, group: ContactGroup, other: ContactGroup) -> None:
        chosen = add_contacts(group, 120)

        asked = act(admin_client, "add_to_group", chosen[:1], select_across="1")
        given = {"select_across": "1", "_shown": asked.context["shown"], "_confirmed": "1", "group": other.pk}
        act(admin_client, "add_to_group", chosen[:1], **given)

        assert (asked.context["how_many"], asked.context["across"]) == (120, "1")
        assert other.contacts.count() == 120

    @pytest.mark.parametrize("leave", [0, 1])
    def test_others_than_were_shown_are_asked_about_again(
        self, admin_client: Client, group: ContactGroup, other: ContactGroup, leave: int
    ) -> None:
        chosen = add_contacts(group, 3)
        asked = act(admin_client, "add_to_group", chosen[:1], select_across="1")
        given = {"select_across": "1", "_confirmed": "1", "group": other.pk}
        Contact.objects.filter(pk__in=[contact.pk for contact in chosen[:leave]]).delete()
        Contact.objects.create(number="919000000001", country="IN")

        again = act(admin_client, "add_to_group", chosen[:1], _shown=asked.context["shown"], **given)

        assert again.context["how_many"] == 4 - leave
        assert "3 rows were shown here" in again.content.decode()
        assert other.contacts.count() == 0
        act(admin_client, "add_to_group", chosen[:1], _shown=again.context["shown"], **given)
        assert other.contacts.count() == 4 - leave

    def test_all_that_nobody_was_asked_about_are_asked_about(
        self, admin_client: Client, group: ContactGroup, other: ContactGroup
    ) -> None:
        chosen = add_contacts(group, 3)

        act(admin_client, "add_to_group", chosen[:1], select_across="1", _confirmed="1", group=other.pk)

        assert other.contacts.count() == 0

    def test_across_all_pages_of_a_filtered_list(
        self, admin_client: Client, group: ContactGroup, other: ContactGroup
    ) -> None:
        """The form must come back to the list that was filtered, or it would act on everybody."""
        add_contacts(group, 3)
        germans = [Contact.objects.create(number="4915123456789", country="DE")]
        query = "?country=DE"

        asked = act(admin_client, "suppress", germans, query, select_across="1")
        assert asked.context["how_many"] == 1
        assert f'action="{LIST}{query}"' in asked.content.decode()
        given = {"select_across": "1", "_shown": asked.context["shown"], "_confirmed": "1"}
        act(admin_client, "suppress", germans, query, **given, channel="all", reason="manual")

        assert [entry.number for entry in SuppressionEntry.objects.all()] == ["4915123456789"]


@pytest.mark.django_db(transaction=True)
class ImportTests:
    def upload(self, client: Client, content: bytes, name: str = "people.csv", **fields: Any) -> HttpResponse:
        return client.post(UPLOAD, {"file": SimpleUploadedFile(name, content), **fields})

    def started(self) -> int:
        """Imports that a worker was rung for; the forecast of an uploaded file rings as well."""
        return [task.func() for task in OrmQ.objects.all()].count("messaging.jobs.run_contact_import")

    def test_from_upload_to_result(self, admin_client: Client, run_jobs: Callable[[], int]) -> None:
        answer = self.upload(admin_client, CSV.encode(), new_group="spring")
        job = ContactImport.objects.get()
        address = answer["Location"]
        assert address == reverse("admin:messaging_contactimport_change", args=[job.pk])

        preview = admin_client.get(address)
        assert [field for _n, _header, field, _choices in preview.context["columns"]] == [
            "number",
            "name",
            "attributes.city",
        ]
        assert not Contact.objects.exists()

        start = {"_start": "1", "column-0": "number", "column-1": "name", "column-2": "attributes.city"}
        for _ in range(2):
            admin_client.post(address, start)
        assert self.started() == 1
        run_jobs()

        result = admin_client.get(address)
        job.refresh_from_db()
        assert (job.state, job.rows, job.added, job.invalid) == ("finished", 4, 2, 2)
        assert result.context["percent"] == 100
        assert [bad.row for bad in result.context["bad_rows"]] == [3, 4]
        assert Contact.objects.get(number="919876543210").attributes == {"city": "Pune"}
        assert ContactGroup.objects.get(name="spring").contacts.count() == 2

        file = admin_client.get(reverse("admin:messaging_contactimport_bad_rows", args=[job.pk]))
        rows = list(csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
        assert rows[0][-2:] == ["row", "reason"]
        assert [row[0] for row in rows[1:]] == ["nonsense", "'=1+1"]
        assert all(row[-1] for row in rows[1:])

    def test_the_group_can_be_chosen_where_the_columns_are(self, admin_client: Client) -> None:
        address = self.upload(admin_client, CSV.encode(), new_group="First")["Location"]
        group = ContactGroup.objects.create(name="Spring")
        job = ContactImport.objects.get()
        before = job.group

        page = " ".join(admin_client.get(address).content.decode().split())
        assert f'<option value="{group.pk}"> Spring </option>' in page
        found = []
        for given in ({"group": group.pk}, {}, {"group": "", "new_group": "Autumn"}, {"group": ""}):
            admin_client.post(address, {"_look": "1", "column-0": "number", **given})
            job.refresh_from_db()
            found.append(str(job.group or ""))

        assert before != group
        assert found == ["Spring", "Spring", "Autumn", ""]

    def test_without_a_number_column_nothing_starts(self, admin_client: Client) -> None:
        address = self.upload(admin_client, CSV.encode())["Location"]

        answer = admin_client.post(address, {"_start": "1", "column-0": "name"})

        assert "No column holds the phone number" in answer.context["problem"]
        assert "The first rows, as they will be stored" not in answer.content.decode(), "there is none to show"
        assert ContactImport.objects.get().state == "preview"
        assert self.started() == 0

    def test_two_columns_for_one_field_do_not_start(self, admin_client: Client) -> None:
        address = self.upload(admin_client, CSV.encode())["Location"]

        answer = admin_client.post(address, {"_start": "1", "column-0": "number", "column-1": "number"})

        assert "Two columns are both" in answer.context["problem"]
        assert ContactImport.objects.get().state == "preview"

    def test_a_workbook_is_read_by_its_content(self, admin_client: Client) -> None:
        book = openpyxl.Workbook()
        for row in (["Phone", "Name"], [919876543210, "Ann"], ["+49 1512 3456789", "Bo"]):
            book.active.append(row)
        written = io.BytesIO()
        book.save(written)

        address = self.upload(admin_client, written.getvalue(), name="people.xlsx")["Location"]

        rows = admin_client.get(address).context["rows"]
        assert [row["contact"].number for row in rows] == ["919876543210", "4915123456789"]

    def test_a_cancelled_one_does_not_start(self, admin_client: Client) -> None:
        address = self.upload(admin_client, CSV.encode())["Location"]
        job = ContactImport.objects.get()

        admin_client.post(reverse("admin:messaging_contactimport_cancel", args=[job.pk]))
        admin_client.post(address, {"_start": "1", "column-0": "number"})

        job.refresh_from_db()
        assert job.state == "cancelled"
        assert self.started() == 0

    @pytest.mark.parametrize(
        "content",
        [b"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0", b"\0" * 4000],
        ids=["0 bytes", "PNG", "zeros"],
    )
    def test_what_is_no_list_is_said_at_its_field_and_leaves_nothing(
        self, admin_client: Client, content: bytes
    ) -> None:
        answer = self.upload(admin_client, content, new_group="spring")

        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == ["file"]
        assert answer.context["form"]["new_group"].value() == "spring"
        assert not ContactImport.objects.exists()
        assert not ContactGroup.objects.exists()

    def test_no_file_is_said_at_its_field(self, admin_client: Client) -> None:
        answer = admin_client.post(UPLOAD, {"new_group": "spring"})

        assert list(answer.context["form"].errors) == ["file"]

    def test_an_encoding_has_to_be_chosen_where_words_differ(self, admin_client: Client) -> None:
        content = "Phone,Name\n+420601234567,Dvořák\n".encode("cp1250")
        address = self.upload(admin_client, content)["Location"]
        start = {"_start": "1", "column-0": "number", "column-1": "name"}

        shown = admin_client.get(address).content.decode()
        refused = admin_client.post(address, start).content.decode()
        admin_client.post(address, {**start, "encoding": "windows-1250"})

        assert "Dvořák" in shown
        assert "Dvoøák" in shown
        assert "Choose the one in which the names are right" in refused
        job = ContactImport.objects.get()
        assert (job.state, job.encoding) == ("queued", "windows-1250")

    def test_a_sheet_can_be_chosen_and_its_columns_are_guessed_anew(self, admin_client: Client) -> None:
        book = openpyxl.Workbook()
        book.active.append(["Name", "Phone"])
        book.active.append(["Ann", "+919876543210"])
        other = book.create_sheet("Other")
        other.append(["Mobile", "Town"])
        other.append(["+919876543211", "Pune"])
        file = io.BytesIO()
        book.save(file)
        address = self.upload(admin_client, file.getvalue(), name="two.xlsx")["Location"]

        page = admin_client.post(address, {"_look": "1", "sheet": "Other"}).content.decode()

        assert "919876543211" in page
        assert ContactImport.objects.get().mapping == {"Mobile": "number", "Town": "attributes.town"}

        # Another person's tab shows the first sheet still: their columns are that sheet's.
        theirs = {"shown_encoding": "", "shown_sheet": "Sheet", "sheet": "Sheet", "column-0": "", "column-1": "number"}
        admin_client.post(address, {"_start": "1", **theirs})
        job = ContactImport.objects.get()
        assert (job.state, job.sheet, job.mapping) == ("queued", "Sheet", {"Name": "", "Phone": "number"})

    def test_rows_that_nobody_has_seen_are_not_imported(self, admin_client: Client) -> None:
        book = openpyxl.Workbook()
        book.active.append(["Name", "Phone"])
        book.active.append(["Ann", "+919876543210"])
        other = book.create_sheet("Other")
        other.append(["Mobile", "Town"])
        other.append(["+919876543211", "Pune"])
        file = io.BytesIO()
        book.save(file)
        address = self.upload(admin_client, file.getvalue(), name="two.xlsx")["Location"]
        start = {**hidden(admin_client, address), "_start": "1", "sheet": "Other", "column-0": "", "column-1": "number"}
        ImportForecast.objects.update(state="done", rows=1)

        page = admin_client.post(address, start).content.decode()

        assert ContactImport.objects.get().state == "preview"
        assert "other rows than you have seen" in page
        assert ImportForecast.objects.get().rows == 0  # that was of the rows before
        assert "919876543211" in page

    def test_a_figure_of_nothing_has_no_colour(self, admin_client: Client, run_jobs: Callable[[], int]) -> None:
        address = self.upload(admin_client, b"number\n+919876543210")["Location"]
        admin_client.post(address, {**hidden(admin_client, address), "_start": "1", "column-0": "number"})
        run_jobs()

        imported, front = (admin_client.get(page).content.decode() for page in (address, "/admin/"))

        assert "c-figure good" in imported
        assert "c-figure bad" not in imported
        assert "c-figure bad" not in front
        assert "c-figure warn" not in front

    def test_a_wrong_cell_is_quoted_once(self, admin_client: Client) -> None:
        file = "number,name\nnobody,Ann\n,Bo\n12,Cy\n+919876543210," + "n" * 200

        address = self.upload(admin_client, file.encode())["Location"]

        page = " ".join(admin_client.get(address).content.decode().split())
        assert "number: “nobody” is not a phone number" in page
        assert "number: The number is missing" in page
        assert "number “12”: 2 digits" in page
        assert f"name “{'n' * 39}…”: 200 characters" in page

    def test_one_that_was_started_meanwhile_is_left_alone(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address = self.upload(admin_client, "Имя;Phone\nЯна;+919876543210\n".encode("cp1251"))["Location"]
        job = ContactImport.objects.get()
        detect = contact_files.detect

        def slow(*given: Any, **more: Any) -> Any:
            assert not connection.in_atomic_block
            imports.start(job.pk, mapping={"Phone": "number"})
            return detect(*given, **more)

        monkeypatch.setattr(contact_files, "detect", slow)
        other = next(one["encoding"] for one in job.readings if one["encoding"] != job.encoding)

        page = admin_client.post(address, {"_look": "1", "encoding": other}, follow=True).content.decode()

        job.refresh_from_db()
        assert (job.state, job.mapping) == ("queued", {"Phone": "number"})
        assert "only before it is started" in page

    def test_a_file_is_looked_at_outside_of_a_transaction(
        self, admin_client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        detect = contact_files.detect

        def looks(*given: Any, **more: Any) -> Any:
            assert not connection.in_atomic_block
            return detect(*given, **more)

        monkeypatch.setattr(contact_files, "detect", looks)

        assert self.upload(admin_client, b"Phone\n+919876543210\n").status_code == 302

    def test_one_whose_file_is_gone_says_so(self, admin_client: Client) -> None:
        address = self.upload(admin_client, b"Phone\n9876543210\n")["Location"]
        Path(ContactImport.objects.get().file.path).unlink()

        assert "upload the file again" in admin_client.get(address).content.decode()

    def test_the_country_of_its_numbers_can_be_said_when_the_rows_are_seen(self, admin_client: Client) -> None:
        address = self.upload(admin_client, "手机号,城市\n13800138000,北京\n".encode())["Location"]
        refused = admin_client.get(address).content.decode()

        page = admin_client.post(address, {"_look": "1", "region": "CN", "column-0": "number"}).content.decode()

        assert "choose its country" in refused
        assert "8613800138000" in page
        admin_client.post(address, {"_start": "1", "region": "nowhere", "column-0": "number"})
        job = ContactImport.objects.get()
        assert (job.state, job.region) == ("queued", "")

    @pytest.mark.parametrize(
        ("numbers", "before", "is_said"),
        [
            (["13512345678", "13612345678", "13712345678", "13812345678", "13912345678"], "CN", True),
            (["13512345678", "13612345678", "13712345678", "13812345678", "13912345678"], "US", False),
            (["8613512345678"] * 5, "CN", False),
            (["+13512345678"] * 5, "CN", False),
            (["13512345678"] * 4, "CN", False),
        ],
        ids=["national", "no such contacts", "with its code", "with +", "too few"],
    )
    def test_numbers_that_could_be_of_a_known_country_are_pointed_out(
        self, admin_client: Client, numbers: list[str], before: str, is_said: bool
    ) -> None:
        Contact.objects.create(number="8613000000001", country=before)
        address = self.upload(admin_client, "\n".join(["Phone", *numbers]).encode())["Location"]

        page = admin_client.get(address).content.decode()

        assert ('id="country-meant"' in page) is is_said

    def test_words_for_nothing_and_the_number_that_is_used_are_said(self, admin_client: Client) -> None:
        content = b"Phone,Mobile,Name\n+912223456789,+919876543210,NULL\n+912223456789,,NULL\n"
        address = self.upload(admin_client, content)["Location"]

        page = admin_client.get(address).content.decode()

        assert "2 cells of the first rows say NULL: treat as empty" in page
        assert "Messages go to the number under “Mobile”" in page

    def test_ticks_reach_the_import(self, admin_client: Client) -> None:
        content = b"Phone,Name\n+1 (000) 000-0000,NULL\n"
        address = self.upload(admin_client, content, region="IN")["Location"]
        ticks = {"allow_unknown_ranges": "1", "foreign_without_plus": "1", "ask_null_words": "1"}

        admin_client.post(address, {"_start": "1", "column-0": "number", "column-1": "name", **ticks})

        job = ContactImport.objects.get()
        assert (job.allow_unknown_ranges, job.foreign_without_plus, job.keep_null_words) == (True, True, True)

    def test_a_viewer_of_imports_starts_nothing(self, admin_client: Client, staff: Callable[..., Client]) -> None:
        address = self.upload(admin_client, CSV.encode())["Location"]
        viewer = Client()
        User.objects.create_user("viewer", is_staff=True).user_permissions.add(
            Permission.objects.get(codename="view_contactimport")
        )
        viewer.force_login(User.objects.get(username="viewer"))

        answer = viewer.post(address, {"_start": "1", "column-0": "number"})

        assert answer.status_code == 403
        assert ContactImport.objects.get().state == "preview"


class ExportTests:
    def rows(self, client: Client, query: str = "") -> list[list[str]]:
        answer = client.get(f"{LIST}export/csv/{query}")
        assert answer.status_code == 200
        assert "attachment" in answer["Content-Disposition"]
        return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))

    @pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "-2+3", "+cmd|' /C calc'!A0", "\tx"])
    def test_formulas_are_escaped(self, admin_client: Client, name: str) -> None:
        Contact.objects.create(number="919876543210", name=name, attributes={"city": name})

        header, row = self.rows(admin_client)

        assert row[header.index("number")] == "919876543210"
        assert row[header.index("name")] == f"'{name}"
        assert not any(cell.startswith(("=", "@", "-", "+", "\t")) for cell in row)

    def test_only_what_was_asked_for(self, admin_client: Client, group: ContactGroup) -> None:
        add_contacts(group, 2)
        Contact.objects.create(number="4915123456789", country="DE")

        assert len(self.rows(admin_client)) == 4
        assert len(self.rows(admin_client, f"?group={group.pk}")) == 3
        assert len(self.rows(admin_client, "?country=DE")) == 2
        assert len(self.rows(admin_client, "?country=FR")) == 1
        for nonsense in ("group=nonsense", "country=nonsense", "import=nonsense", "validity__exact=nonsense"):
            assert admin_client.get(f"{LIST}export/csv/?{nonsense}").status_code == 302, nonsense


class OneLineTests:
    def test_editing_another_field_glues_no_words(self, admin_client: Client) -> None:
        contact = Contact.objects.create(number="919876543210", name="Ann\nLee", attributes={"city": "New\u2028York"})
        address = reverse("admin:messaging_contact_change", args=[contact.pk])
        form = admin_client.get(address).context["adminform"].form

        typed = {name: form[name].value() for name in ("number", "name", "email", "attributes")}
        admin_client.post(address, {**typed, "language": "English"})  # kept as conditions ask for it

        contact.refresh_from_db()
        assert (contact.name, contact.language) == ("Ann Lee", "en")

    def test_an_accent_is_in_one_piece_with_its_letter(self, admin_client: Client) -> None:
        kept = {"city": "Co\u0301rdoba"}
        contact = Contact.objects.create(number="919876543210", name="Jose\u0301", attributes=kept)
        address = reverse("admin:messaging_contact_change", args=[contact.pk])

        admin_client.post(
            address,
            {"number": contact.number, "name": "Jose\u0301 N", "attributes": "city: Co\u0301rdoba\npet: n\u0303u"},
        )

        contact.refresh_from_db()
        assert (contact.name, contact.attributes) == ("José N", {"city": "Córdoba", "pet": "ñu"})

    def test_a_first_name_goes_with_the_name_it_belonged_to(self, admin_client: Client) -> None:
        contact = Contact.objects.create(
            number="919876543210", name="Mary Ann Lee", attributes={"first_name": "Mary Ann", "city": "Pune"}
        )
        address = reverse("admin:messaging_contact_change", args=[contact.pk])
        lines = "city: Pune\nfirst_name: Mary Ann"

        admin_client.post(address, {"number": contact.number, "name": "Mary Ann Hill", "attributes": lines})
        contact.refresh_from_db()
        kept = dict(contact.attributes)
        admin_client.post(address, {"number": contact.number, "name": "Bob Hill", "attributes": lines})

        contact.refresh_from_db()
        assert kept == {"first_name": "Mary Ann", "city": "Pune"}
        assert (contact.name, contact.attributes) == ("Bob Hill", {"city": "Pune"})
