"""Exports: exactly the list, in both formats, with flat memory and nothing that a spreadsheet would run."""

import csv
import io
import os
import tracemalloc
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from laaffic_console.kit.files import exports, xlsx_stream
from messaging.exports import contact_exports
from messaging.models import Contact, ContactGroup, GroupMembership
from messaging.resources.contacts import ContactResource
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

LIST = "/admin/messaging/contact/"


def rows_of(answer: Any) -> list[list[str]]:
    content = b"".join(answer.streaming_content)
    if answer["Content-Type"] == exports.XLSX:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        return [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.fixture
def people(group: ContactGroup) -> list[Contact]:
    made = add_contacts(group, 3, name="Ann Lee", attributes={"city": "Pune", "age": "7"})
    others = ContactGroup.objects.create(name="a, b")
    hidden = ContactGroup.objects.create(name="Quick", is_ad_hoc=True)
    for extra in (others, hidden):
        GroupMembership.objects.create(contact=made[0], group=extra)
    made.append(Contact.objects.create(number="4915123456789", country="DE", name="=1+1", email="b@example.org"))
    return made


class SameRowsTests:
    def test_both_ways_give_what_the_resource_says(self, people: list[Contact]) -> None:
        resource = ContactResource()
        fields = resource.get_export_fields()
        wanted = [[resource.export_field(field, contact) or "" for field in fields] for contact in people]

        header, *rows = contact_exports.rows(Contact.objects.all())

        assert header == [field.column_name for field in fields]
        assert rows == wanted
        assert rows[0][header.index("groups")] == "a, b, customers"

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_both_formats_hold_the_same(self, admin_client: Client, people: list[Contact], kind: str) -> None:
        rows = rows_of(admin_client.get(f"{LIST}export/{kind}/"))

        at = rows[0].index("created_at")
        shown = [[str(exports.cell(cell)) for cell in row] for row in contact_exports.rows(Contact.objects.all())]
        for row in (*rows, *shown):
            row[at] = ""  # typed as each format has it: tests/kit/test_exported_files.py
        assert rows == shown
        assert rows[-1][1] == "'=1+1"


class ExactlyTheListTests:
    @pytest.mark.parametrize(
        ("query", "wanted"),
        [
            ("", 4),
            ("?country=DE", 1),
            ("?q=%3D1", 1),
            ("?q=ann", 3),
            ("?q=9198765", 3),
            ("?q=b%40example.org", 1),
            ("?validity__exact=possible", 0),
            ("?country=DE&q=ann", 0),
        ],
    )
    def test_search_and_filters(self, admin_client: Client, people: list[Contact], query: str, wanted: int) -> None:
        shown = admin_client.get(f"{LIST}{query}").context["cl"].result_list

        rows = rows_of(admin_client.get(f"{LIST}export/csv/{query}"))[1:]

        assert len(rows) == wanted
        assert {row[0] for row in rows} == {contact.number for contact in shown}

    def test_the_buttons_carry_the_filters(self, admin_client: Client, people: list[Contact]) -> None:
        page = admin_client.get(f"{LIST}?country=DE&q=49").content.decode()

        assert "export/csv/?country=DE&amp;q=49" in page
        assert "export/xlsx/?country=DE&amp;q=49" in page

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_the_chosen_ones(self, admin_client: Client, people: list[Contact], kind: str) -> None:
        chosen = {"action": f"export_chosen_{kind}", "_selected_action": [people[1].pk, people[3].pk]}

        rows = rows_of(admin_client.post(LIST, chosen))[1:]

        assert [row[0] for row in rows] == [people[1].number, people[3].number]

    def test_a_filter_that_is_none_leads_back(self, admin_client: Client, people: list[Contact]) -> None:
        answer = admin_client.get(f"{LIST}export/csv/?validity__nonsense=1")

        assert (answer.status_code, answer["Location"]) == (302, f"{LIST}?e=1")


class SizeTests:
    def test_queries_grow_with_chunks_not_with_rows(self, group: ContactGroup) -> None:
        add_contacts(group, contact_exports.CHUNK + 10)

        with CaptureQueriesContext(
            connection,
        ) as captured:
            written = sum(1 for _ in contact_exports.rows(Contact.objects.all())) - 1

        assert written == contact_exports.CHUNK + 10
        assert len(captured) <= 5

    def test_memory_does_not_grow_with_the_rows(self) -> None:
        def peak(rows: int) -> int:
            tracemalloc.start()
            for _ in xlsx_stream.workbook((["919876543210", "Ann Lee", "x" * 80] for _ in range(rows)), "Contacts"):
                pass
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return most

        peak(100)
        assert peak(20_000) < 1.3 * peak(5_000)


class WorkbookTests:
    def sheets(self, rows: list[list[Any]], rows_a_sheet: int) -> list[list[Any]]:
        content = b"".join(xlsx_stream.workbook(rows, "Con<tacts", rows_a_sheet))
        book = openpyxl.load_workbook(io.BytesIO(content))
        return [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]

    @pytest.mark.parametrize(("rows", "sheets"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
    def test_more_rows_than_a_sheet_holds(self, rows: int, sheets: int) -> None:
        made = self.sheets([["n"], *([str(n)] for n in range(rows))], 3)

        assert len(made) == sheets
        assert [row for sheet in made for row in sheet[1:]] == [[str(n)] for n in range(rows)]
        assert all(sheet[0] == ["n"] for sheet in made)

    def test_any_text_arrives(self) -> None:
        texts = ["<b>&amp;</b>", "a\0b\x0bc", " spaces ", "😀 Ünï", "line\nline", None, ""]

        [[_, row]] = self.sheets([["header"] * len(texts), texts], 10)

        assert row == ["<b>&amp;</b>", "abc", " spaces ", "😀 Ünï", "line\nline", None, None]


class OddPlaceTests:
    """Of files that commands write."""

    def test_a_device_or_a_pipe_stays(self, tmp_path: Path) -> None:
        pipe = tmp_path / "people.csv"
        os.mkfifo(pipe)

        with pytest.raises(CommandError, match="it is a device or a pipe"):
            call_command("contacts", "export", pipe)

        assert pipe.is_fifo()
        assert list(tmp_path.iterdir()) == [pipe]

    def test_a_link_stays_and_what_it_names_is_written(self, tmp_path: Path) -> None:
        (tmp_path / "kept").mkdir()
        link, file = tmp_path / "people.csv", tmp_path / "kept" / "today.csv"
        link.symlink_to(file)

        call_command("contacts", "export", link)

        assert link.is_symlink()
        assert file.read_bytes().startswith(b"\xef\xbb\xbf")
        assert list(file.parent.iterdir()) == [file]
