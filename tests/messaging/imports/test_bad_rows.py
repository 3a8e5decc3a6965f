"""The invalid rows of a file come back in its own columns, and can be corrected and imported."""

import csv
import datetime as dt
import io
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from laaffic_console.kit.files import exports
from messaging.files.contact_headers import guess_mapping
from messaging.models import BadRow, Contact, ContactImport
from messaging.services.imports import bad_rows, imports
from messaging.services.imports import files as import_files

pytestmark = pytest.mark.django_db

LIST = (
    "Name;Phone;City\r\n"
    "Ann;+91 98765 43210;Pune\r\n"
    " Jürgen ;12;“Köln”\r\n"
    "\r\n"
    'Bo;"+91" 98765 43211;Delhi\r\n'
    "Cy;+91 98765 43212;Goa;one more;and more\r\n"
    "=cmd();'1;\r\n"
)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNKS", {"sqlite": 2, "postgresql": 2})


def received(content: bytes, name: str = "list.csv") -> ContactImport:
    return import_files.receive(SimpleUploadedFile(name, content), group=None, region="", by=None)


def run(job: ContactImport) -> ContactImport:
    imports.start(job.pk, mapping=job.mapping)
    imports.run(job.pk)
    job.refresh_from_db()
    assert job.state == "finished"
    return job


def given_back(job: ContactImport) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(bad_rows.content(job)).decode("utf-8-sig"))))


def written(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


class GivenBackTests:
    def test_the_files_own_columns_and_then_row_and_reason(self) -> None:
        job = run(received(LIST.encode("utf-16")))

        header, short, joined, wide, odd = given_back(job)

        assert header == ["Name", "Phone", "City", "row", "reason"]
        assert short[:4] == [" Jürgen ", "12", "“Köln”", "3"]
        assert short[4].startswith("Phone: ")
        assert joined[:4] == [
            'Bo;\'"+91" 98765 43211;Delhi',
            "",
            "",
            "5",
        ]  # as it stands there, guarded: no cell can be told
        assert "quotation mark" in joined[4]
        assert wide[:4] == ["Cy", "'+91 98765 43212", "Goa", "6"]
        assert wide[5:] == ["one more", "and more"]
        assert odd[:4] == ["'=cmd()", "'1", "", "7"]

    def test_a_wide_row_stays_too_wide_until_it_is_corrected(self) -> None:
        job = run(received(b"Name,Phone\nRao, Asha,+919876543210\n"))
        row = given_back(job)[1]
        assert row[:3] == ["Rao", " Asha", "2"]
        assert row[4:] == ["'+919876543210"]

        again = run(received(written(given_back(job))))

        assert (again.added, again.invalid) == (0, 1)
        assert given_back(again)[1][:3] == ["Rao", " Asha", "2"]

    def test_corrected_it_gives_the_contacts_and_nothing_twice(self) -> None:
        job = run(received(b"Phone,Name,row\n+919876543210,Ann,7\n12,=Bo,8\n13,Cy,9\n"))
        rows = given_back(job)
        assert rows[0] == ["Phone", "Name", "row", "row 2", "reason"]
        rows[1][0] = "+91 98765 43211"

        again = run(received(written(rows), "corrected.csv"))
        last = given_back(again)
        assert last[0] == rows[0]
        assert last[1][:4] == ["13", "Cy", "9", "3"]
        last[1][0] = "+919876543212"
        run(received(written(last)))

        found = Contact.objects.order_by("number").values_list("number", "name", "attributes")
        assert list(found) == [
            ("919876543210", "Ann", {"row": "7"}),
            ("919876543211", "=Bo", {"row": "8"}),
            ("919876543212", "Cy", {"row": "9"}),
        ]

    @pytest.mark.parametrize(("taken_in", "read_in"), [("zh-hans", "en"), ("en", "zh-hans"), ("zh-hans", "zh-hans")])
    def test_it_is_taken_in_one_language_and_read_again_in_another(self, taken_in: str, read_in: str) -> None:
        job = run(received(b"Phone,Name\n12,Bo\n13,Cy\n"))
        with translation.override(taken_in):
            rows = given_back(job)
        assert rows[0] == ["Phone", "Name", *(["行", "原因"] if taken_in == "zh-hans" else ["row", "reason"])]
        rows[1][0] = "+91 98765 43211"

        with translation.override(read_in):
            again = run(received(written(rows), "corrected.csv"))
            last = given_back(again)

        assert last[0] == ["Phone", "Name", *(["行", "原因"] if read_in == "zh-hans" else ["row", "reason"])]
        assert last[1][:3] == ["13", "Cy", "3"]
        assert Contact.objects.values_list("name", "attributes").get() == ("Bo", {})

    def test_a_workbook_comes_back_as_a_workbook(self, admin_client: Client) -> None:
        book = openpyxl.Workbook()
        for line in (["Phone", "Name"], ["00012", "Ann"], [919876543210, "Bo"]):
            book.active.append(line)
        file = io.BytesIO()
        book.save(file)
        job = run(received(file.getvalue(), "list.xlsx"))

        answer = admin_client.get(reverse("admin:messaging_contactimport_bad_rows", args=[job.pk]))

        assert answer["Content-Type"] == exports.XLSX
        sheet = openpyxl.load_workbook(io.BytesIO(answer.getvalue())).active
        rows = [[cell.value for cell in row] for row in sheet]
        assert rows[0] == ["Phone", "Name", "row", "reason"]
        assert rows[1][:3] == ["00012", "Ann", "2"]

    def test_only_the_two_last_columns_are_ours(self) -> None:
        assert guess_mapping(["phone", "reason", "row"])["row"] == "attributes.row"
        assert guess_mapping(["phone", "row", "reason"]) == {"phone": "number", "row": "", "reason": ""}
        assert guess_mapping(["phone", "行 2", "原因"]) == {"phone": "number", "行 2": "", "原因": ""}

    def test_the_command_writes_them(self, tmp_path: Path, capsys: Any) -> None:
        (tmp_path / "list.csv").write_text("phone\n12\n")

        call_command("contacts", "import", str(tmp_path / "list.csv"), "--bad-rows", str(tmp_path / "bad.csv"))

        assert (tmp_path / "bad.csv").read_text("utf-8-sig").startswith("phone,row,reason\n12,2,")

    def test_they_do_not_take_the_place_of_the_file_that_is_imported(self, tmp_path: Path) -> None:
        people = "phone\n+919876543210\n12\n"
        (tmp_path / "list.csv").write_text(people)
        (tmp_path / "same.csv").symlink_to(tmp_path / "list.csv")

        with pytest.raises(CommandError, match="--bad-rows: this is the file that is imported"):
            call_command("contacts", "import", str(tmp_path / "list.csv"), "--bad-rows", str(tmp_path / "same.csv"))

        assert (tmp_path / "list.csv").read_text() == people
        assert not ContactImport.objects.exists()

    @pytest.mark.parametrize(
        ("given", "why"), [("bad.txt", "must end in .csv or .xlsx"), ("none/bad.csv", "there is no folder")]
    )
    def test_a_name_that_cannot_be_is_refused_before_anything_is_imported(
        self, tmp_path: Path, given: str, why: str
    ) -> None:
        (tmp_path / "list.csv").write_text("phone\n+919876543210\n12\n")

        with pytest.raises(CommandError, match=f"--bad-rows: .*{why}"):
            call_command("contacts", "import", str(tmp_path / "list.csv"), "--bad-rows", str(tmp_path / given))
        assert not ContactImport.objects.exists()

    def test_where_they_cannot_be_written_the_result_is_told(self, tmp_path: Path, capsys: Any) -> None:
        (tmp_path / "list.csv").write_text("phone\n+919876543210\n12\n")
        (tmp_path / "bad.csv").mkdir()

        with pytest.raises(CommandError, match="is a folder"):
            call_command("contacts", "import", str(tmp_path / "list.csv"), "--bad-rows", str(tmp_path / "bad.csv"))
        assert "added: 1" in capsys.readouterr().out


class KeptTests:
    def test_a_killed_worker_neither_doubles_nor_loses_any(self, monkeypatch: pytest.MonkeyPatch) -> None:
        job = received(b"phone\n" + b"".join(b"%d\n" % n for n in range(10, 19)))
        imports.start(job.pk, mapping=job.mapping)
        keep, left = bad_rows.keep, [2]

        def keep_or_die(*args: Any, **kwargs: Any) -> None:
            keep(*args, **kwargs)
            left[0] -= 1
            if left[0] < 0:
                raise MemoryError

        with monkeypatch.context() as patched:
            patched.setattr(bad_rows, "keep", keep_or_die)
            with pytest.raises(MemoryError):
                imports.run(job.pk)
        job.refresh_from_db()
        assert [row[0] for row in given_back(job)[1:]] == ["10", "11", "12", "13"]
        assert bad_rows.path_of(job).stat().st_size > job.bad_bytes

        imports.run(job.pk)

        job.refresh_from_db()
        assert [row[0] for row in given_back(job)[1:]] == [str(n) for n in range(10, 19)]
        assert bad_rows.path_of(job).stat().st_size == job.bad_bytes

    def test_the_database_keeps_only_the_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bad_rows, "SHOWN_KEPT", 3)

        job = run(received(b"phone\n" + b"".join(b"%d\n" % n for n in range(10, 19))))

        assert (BadRow.objects.count(), job.invalid, len(given_back(job))) == (3, 9, 10)

    def test_nobody_else_reads_them_and_after_a_week_they_are_gone(self, admin_client: Client) -> None:
        job = run(received(b"phone\n12\n"))
        path = bad_rows.path_of(job)
        assert path.stat().st_mode & 0o077 == 0

        import_files.sweep_uploads(timezone.now() + dt.timedelta(days=6))
        assert bad_rows.are_there(job)
        import_files.sweep_uploads(timezone.now() + dt.timedelta(days=8))

        assert not path.exists()
        assert admin_client.get(reverse("admin:messaging_contactimport_bad_rows", args=[job.pk])).status_code == 404
        page = admin_client.get(reverse("admin:messaging_contactimport_change", args=[job.pk])).content.decode()
        assert "Download to correct" not in page


@pytest.mark.django_db(transaction=True)
def test_a_progress_bar_that_nobody_reads_ends_no_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    (tmp_path / "people.csv").write_text("phone\n919876543210\n919876543211\n")
    monkeypatch.setattr(sys, "stderr", Gone())

    call_command("contacts", "import", str(tmp_path / "people.csv"), stdout=io.StringIO())

    assert ContactImport.objects.get().state == "finished"
