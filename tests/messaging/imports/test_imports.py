"""Files that become contacts: one set of rules at two speeds, counts that add up, work that survives a kill."""

import contextlib
import csv
import datetime as dt
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from tablib import Dataset

from laaffic_console.gateway.services.work import leases
from messaging.files import contact_files
from messaging.files.unreadable import UnreadableFile
from messaging.models import BadRow, Contact, ContactGroup, ContactImport, GroupMembership
from messaging.resources.contacts import ContactResource
from messaging.services.contacts import contacts, people, reading
from messaging.services.imports import bad_rows, imports
from messaging.services.imports import files as import_files

pytestmark = pytest.mark.django_db

State = ContactImport.State
COUNTS = ("rows", "added", "updated", "unchanged", "invalid")
STORED = ("number", "validity", "name", "email", "country", "time_zones", "language", "attributes", "source")

NASTY = [
    ["Phone", "First name", "Last name", "E-mail", "Language", "City", "2nd", "Note, really"],
    ["+91 98765-43210", "Asha", "Rao", "asha@example.com", "en", "Pune", "x", "first"],
    ["0091 98765 43211", "", "", "", "", "", "", ""],
    ["9.19877E+11", "Excel", "", "", "", "", "", ""],
    ["919876543210", "", "", "", "", "Mumbai", "", ""],  # the first again: a new city, the rest stays
    ["919876543210", "Asha", "Rao", "", "", "Mumbai", "", ""],  # and again: nothing new
    ["+1 800 253 0000", "Toll", "Free", "", "", "", "", ""],  # forty time zones
    ["+91 5555 5555", "Only", "Possible", "", "", "", "", ""],
    ["+80012345678", "Of no", "country", "", "", "", "", ""],
    ["447400123456", "=cmd()", "<script>", "", "", "back\\slash", '{"a": 1}', "tab\there\nand a line"],
    ["8613800138000", "王芳", "", "", "zh", "上海", "😀", "\N{NO-BREAK SPACE}"],
    ["4915112345678", "N" * 61, "", "", "", "", "", ""],
    ["4915112345679", "Jürgen", "", "nobody", "", "", "", ""],
    ["4915112345670", "Jürgen", "Weiß", "", "", "C" * 501, "", ""],
    ["4915112345671", "Jürgen", "Weiß", "", "", "", "", "", "surplus"],
    ["", "Nobody", "", "", "", "", "", ""],
    ["4980012345676220", "Sixteen", "digits", "", "", "", "", ""],
    ["4915112345672", "Short row"],
    ["'4915112345673", "'+quoted", "", "", "", "", "", ""],
]
NASTY_COUNTS = {"rows": 18, "added": 8, "updated": 1, "unchanged": 1, "invalid": 8}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(rows: list[list[str]], name: str = "contacts.csv") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as text:
            csv.writer(text).writerows(rows)
        return path

    return to_file


def test_people_who_were_erased_are_counted_when_a_file_brings_them_back(
    write: Callable[..., Path], admin_client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [["phone"], ["525512345678"], ["919876543210"], ["919876543211"]]
    Contact.objects.create(number="5215512345678", country="MX")
    people.erase("5215512345678", why="asked for it", by=None)  # which the file spells otherwise

    path = write(rows)
    call_command("contacts", "import", f"{path}", "--json")
    told = capsys.readouterr()

    assert json.loads(told.out)["erased_before"] == 1
    assert "1 added contact is of a person who was erased before" in told.err
    job = ContactImport.objects.get()
    page = admin_client.get(reverse("admin:messaging_contactimport_change", args=[job.pk])).content.decode()
    assert f"?import=erased-{job.pk}" in page
    listed = admin_client.get(reverse("admin:messaging_contact_changelist"), {"import": f"erased-{job.pk}"})
    assert [one.number for one in listed.context_data["cl"].result_list] == ["525512345678"]
    assert imported(path).erased_before == 0  # they are known by now


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "CHUNKS", {"sqlite": 3, "postgresql": 3})


def imported(path: Path, **options: str) -> ContactImport:
    job = import_files.open_path(path, **options)
    imports.import_at_once(job)
    return job


def counts(job: ContactImport) -> dict[str, int]:
    return {name: getattr(job, name) for name in COUNTS}


def contents() -> list[dict[str, Any]]:
    return list(Contact.objects.order_by("number").values(*STORED))


def many(count: int, city: str = "Pune") -> list[list[str]]:
    return [["phone", "name", "city"], *([str(919876500000 + n), f"Ann {n}", city] for n in range(count))]


def uploaded(rows: list[list[str]], **options: Any) -> ContactImport:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    upload = SimpleUploadedFile("people.csv", text.getvalue().encode())
    return import_files.receive(upload, **{"group": None, "region": "", "by": None, **options})


class TwoSpeedsTests:
    """What import-export makes of a file and what the fast route makes of it is the same."""

    def slow(self, rows: list[list[str]]) -> dict[str, int]:
        width = len(rows[0])
        fit = [row + [""] * (width - len(row)) for row in rows[1:] if len(row) <= width]
        surplus = len(rows) - 1 - len(fit)  # tablib cannot hold such a row at all
        result = ContactResource().import_data(Dataset(*fit, headers=rows[0]), raise_errors=False)
        assert not result.row_errors()
        assert not result.base_errors
        return {
            "rows": len(rows) - 1,
            "added": result.totals["new"],
            "updated": result.totals["update"],
            "unchanged": result.totals["skip"],
            "invalid": result.totals["invalid"] + surplus,
        }

    def test_the_same_rows_and_counts(self, write: Callable[..., Path]) -> None:
        slow = self.slow(NASTY)
        by_library = contents()
        Contact.objects.all().delete()

        job = imported(write(NASTY))

        assert counts(job) == slow == NASTY_COUNTS
        assert {row["source"] for row in contents()} == {"contacts.csv"}
        assert [drop_source(row) for row in contents()] == [drop_source(row) for row in by_library]

    def test_the_same_on_top_of_what_is_there(self, write: Callable[..., Path]) -> None:
        later = [NASTY[0], ["919876543210", "Asha", "Rao-Iyer", "", "hi", "", "", ""], *NASTY[3:8]]
        imported(write(NASTY))
        with transaction.atomic():
            slow = self.slow(later)
            by_library = contents()
            transaction.set_rollback(True)

        job = imported(write(later, "later.csv"))

        assert counts(job) == slow
        assert [drop_source(row) for row in contents()] == [drop_source(row) for row in by_library]

    def test_bad_rows_have_the_same_reasons(self, write: Callable[..., Path]) -> None:
        fit = [row + [""] * (8 - len(row)) for row in NASTY[1:] if len(row) <= 8]
        result = ContactResource().import_data(Dataset(*fit, headers=NASTY[0]), raise_errors=False)
        slow = [reason for row in result.invalid_rows for reason in row.error.messages]

        job = imported(write(NASTY))

        ours = list(job.bad_rows.order_by("row").values_list("reason", flat=True))
        assert [reason for reason in ours if "more cells" not in reason] == slow


def drop_source(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "source"}


class CountTests:
    def test_the_same_file_again_changes_nothing(self, write: Callable[..., Path]) -> None:
        path = write(NASTY)
        imported(path)
        before = list(Contact.objects.order_by("pk").values())

        # Of a number that is there twice the first row takes back what the second had changed: its last row wins.
        again = imported(write([NASTY[0], *NASTY[5:]], "again.csv"))

        assert (again.added, again.updated) == (0, 0)
        assert again.unchanged == again.rows - again.invalid
        assert list(Contact.objects.order_by("pk").values()) == before

    def test_an_empty_cell_erases_nothing_and_attributes_are_merged(self, write: Callable[..., Path]) -> None:
        imported(write([["phone", "name", "email", "city"], ["919876543210", "Ann", "a@x.de", "Pune"]]))

        job = imported(write([["phone", "name", "email", "firm"], ["+91 98765 43210", "", "b@x.de", "Kite"]]))

        ann = Contact.objects.get()
        assert (job.added, job.updated) == (0, 1)
        assert (ann.name, ann.email, ann.attributes) == ("Ann", "b@x.de", {"city": "Pune", "firm": "Kite"})

    @pytest.mark.usefixtures("small_chunks")
    def test_duplicates_add_up_across_chunks(self, write: Callable[..., Path]) -> None:
        names = ["Ann", "Ann", "Ben", "Ben", "Ann", "", "Cy"]

        job = imported(write([["phone", "name"], *(["919876543210", name] for name in names)]))

        assert counts(job) == {"rows": 7, "added": 1, "updated": 3, "unchanged": 3, "invalid": 0}
        assert Contact.objects.get().name == "Cy"

    def test_a_group_holds_everybody_once(self, write: Callable[..., Path]) -> None:
        path = write([*many(5), ["919876500000", "Ann 0", "Pune"], ["nobody", "", ""]])

        imported(path, group="Pune")
        imported(path, group="Pune")

        assert GroupMembership.objects.filter(group__name="Pune").count() == 5

    def test_a_default_country(self, write: Callable[..., Path]) -> None:
        imported(write([["phone"], ["98765 43210"], ["+44 7400 123456"]]), region="IN")

        assert set(Contact.objects.values_list("number", flat=True)) == {"919876543210", "447400123456"}

    def test_our_own_export_changes_nothing(self, write: Callable[..., Path], tmp_path: Path) -> None:
        imported(write(NASTY))
        call_command("contacts", "export", str(tmp_path / "export.csv"), stdout=io.StringIO())

        job = imported(tmp_path / "export.csv")

        assert counts(job) == {"rows": 8, "added": 0, "updated": 0, "unchanged": 8, "invalid": 0}


@pytest.mark.usefixtures("small_chunks")
class JobTests:
    def test_a_crash_in_the_middle_counts_nothing_twice(
        self, monkeypatch: pytest.MonkeyPatch, run_jobs: Callable[[], int], django_capture_on_commit_callbacks: Any
    ) -> None:
        job = uploaded([*many(20), ["nobody", "", ""]])
        assert imports.start(job.pk, mapping=job.mapping)
        crash_after(monkeypatch, chunks=3)
        with pytest.raises(MemoryError):
            imports.run(job.pk)
        job.refresh_from_db()
        assert (job.state, job.rows, Contact.objects.count()) == (State.RUNNING, 9, 9)

        monkeypatch.undo()
        imports.run(job.pk)

        job.refresh_from_db()
        assert job.state == State.FINISHED
        assert counts(job) == {"rows": 21, "added": 20, "updated": 0, "unchanged": 0, "invalid": 1}
        assert BadRow.objects.count() == 1

    def test_it_goes_on_slice_by_slice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        job = uploaded(many(10))
        imports.start(job.pk, mapping=job.mapping)
        monkeypatch.setattr(imports, "SLICE_SECONDS", 0.0)

        done = []
        for _ in range(6):
            imports.run(job.pk)
            job.refresh_from_db()
            done.append(job.rows)

        assert done == [3, 6, 9, 10, 10, 10]
        assert job.state == State.FINISHED

    def test_a_second_run_at_the_same_time_does_nothing(self) -> None:
        job = uploaded(many(5))
        imports.start(job.pk, mapping=job.mapping)

        with leases.lease(f"import:{job.pk}"):
            imports.run(job.pk)

        assert not Contact.objects.exists()

    def test_a_second_run_after_the_end_does_nothing(self) -> None:
        job = uploaded(many(5))
        imports.start(job.pk, mapping=job.mapping)
        imports.run(job.pk)

        imports.run(job.pk)

        job.refresh_from_db()
        assert (job.state, job.rows) == (State.FINISHED, 5)

    def test_a_double_click_starts_it_once(self) -> None:
        job = uploaded(many(5))

        assert imports.start(job.pk, mapping=job.mapping)
        assert not imports.start(job.pk, mapping=job.mapping)

    def test_cancelled_while_it_runs_it_stops_and_keeps_what_it_did(self, monkeypatch: pytest.MonkeyPatch) -> None:
        job = uploaded(many(20))
        imports.start(job.pk, mapping=job.mapping)
        monkeypatch.setattr(imports, "_let_others_write", lambda _written: imports.cancel(job.pk))

        imports.run(job.pk)

        job.refresh_from_db()
        assert (job.state, job.rows, Contact.objects.count()) == (State.CANCELLED, 3, 3)
        assert not imports.cancel(job.pk)

    def test_the_uploaded_file_goes_when_it_is_over(self, django_capture_on_commit_callbacks: Any) -> None:
        job = uploaded(many(5))
        path = reading.path_of(job)
        imports.start(job.pk, mapping=job.mapping)

        with django_capture_on_commit_callbacks(execute=True):
            imports.run(job.pk)
            assert path.exists()  # who goes on for a process that dies before the commit needs it

        assert not path.exists()

    def test_a_file_that_is_gone_is_said(self) -> None:
        job = uploaded(many(5))
        imports.start(job.pk, mapping=job.mapping)
        reading.path_of(job).unlink()

        imports.run(job.pk)

        job.refresh_from_db()
        assert (job.state, job.explanation) == (State.FAILED, "No such file or directory")

    def test_after_a_failure_the_next_step_is_to_import_again(self, admin_client: Client) -> None:
        job = uploaded(many(5))
        page = f"/admin/messaging/contactimport/{job.pk}/change/"
        found = {}
        for state in (State.FINISHED, State.FAILED):
            ContactImport.objects.update(state=state, added=5)
            shown = admin_client.get(page).content.decode()
            found[state] = re.findall(r'"c-button main"[^>]*>\s*([^<]+?)\s*</a>', shown)

        assert found == {State.FINISHED: ["Write a campaign"], State.FAILED: ["Import contacts"]}

    def test_rows_before_a_quotation_mark_that_is_never_closed_are_kept_and_counted(
        self, small_chunks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = ["phone,name", *[f"{919876543210 + n},Ann {n}" for n in range(9000)]]
        rows[6 - 1] = '4930/1,"Bad" B'
        rows[9 - 1] = '919876543217,"Ann'
        path = tmp_path / "l.csv"
        path.write_text("\n".join(rows))
        monkeypatch.setattr(contact_files, "LOOKED_AT", 3)

        job = imported(path)

        assert (job.state, job.rows, job.added, job.invalid, job.lines_done) == (State.FAILED, 7, 6, 1, 8)
        assert Contact.objects.count() == 6
        assert job.explanation.startswith(
            "Row 9 has a cell of more than 100,000 characters: a quotation mark that opens"
        )
        assert "Rows up to 8 are imported, those below are not. Import the corrected list" in job.explanation
        with translation.override("zh-hans"):
            assert "第 9 行" in ContactImport.objects.get().explanation

        rows[9 - 1] = "919876543217,Ann 7"
        path.write_text("\n".join(rows[:12]))
        again = imported(path)
        assert (again.rows, again.added, again.unchanged) == (11, 4, 6)

    def test_one_that_turns_unreadable_says_how_far_it_came(self) -> None:
        job = uploaded(many(10))
        imports.start(job.pk, mapping=job.mapping)
        path = reading.path_of(job)
        path.write_bytes(path.read_bytes() + b"\xff\n")

        imports.run(job.pk)

        job.refresh_from_db()
        assert job.state == State.FAILED
        assert "is not utf-8 any more" in job.explanation

    @pytest.mark.parametrize("whole", [0, 3])
    def test_rows_that_were_rolled_back_are_not_said_to_be_imported(
        self, small_chunks: None, monkeypatch: pytest.MonkeyPatch, whole: int
    ) -> None:
        keep = bad_rows.keep

        def full(job: ContactImport, *args: Any, **options: Any) -> None:
            if job.lines_done > whole + 1:
                raise OSError(28, "No space left on device")
            keep(job, *args, **options)

        monkeypatch.setattr(bad_rows, "keep", full)
        job = uploaded(many(10))
        imports.start(job.pk, mapping=job.mapping)

        imports.run(job.pk)

        job.refresh_from_db()
        assert (job.state, Contact.objects.count()) == (State.FAILED, whole)
        assert job.explanation.startswith("No space left on device")
        assert ("Rows up to 4 are imported" in job.explanation) == ("Rows" in job.explanation) == bool(whole)

    def test_the_sweeper_rings_again_for_one_that_a_worker_left(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rung: list[object] = []
        monkeypatch.setattr(imports.bell, "ring", lambda *bell: rung.append(bell))
        job = uploaded(many(5))
        ContactImport.objects.update(state=State.RUNNING)
        rung.clear()

        imports.sweep()
        with leases.lease(f"import:{job.pk}"):
            imports.sweep()

        assert rung == [("messaging.jobs.run_contact_import", job.pk)]

    def test_the_sweeper_ends_a_command_that_was_killed(self, write: Callable[..., Path]) -> None:
        job = import_files.open_path(write(many(5)))

        imports.sweep()

        job.refresh_from_db()
        assert job.state == State.CANCELLED
        assert "Import the file again" in job.explanation

    def test_a_preview_nobody_confirms_is_forgotten(self) -> None:
        job = uploaded(many(5))
        path = reading.path_of(job)

        imports.sweep(timezone.now() + dt.timedelta(days=8))

        job.refresh_from_db()
        assert (job.state, path.exists()) == (State.CANCELLED, False)


def crash_after(monkeypatch: pytest.MonkeyPatch, *, chunks: int) -> None:
    """As if the worker died inside a transaction: rows and counts of that chunk are both lost."""
    original, left = imports.contact_writes.write, [chunks]

    def write_or_die(*args: Any, **kwargs: Any) -> Any:
        written = original(*args, **kwargs)
        left[0] -= 1
        if left[0] < 0:
            raise MemoryError
        return written

    monkeypatch.setattr(imports.contact_writes, "write", write_or_die)


class CommandTests:
    def run(self, *arguments: str) -> dict[str, Any]:
        out = io.StringIO()
        call_command("contacts", *arguments, "--json", stdout=out)
        document: dict[str, Any] = json.loads(out.getvalue())
        return document

    def test_import_prints_one_document(self, write: Callable[..., Path]) -> None:
        found = self.run("import", str(write(NASTY)), "--group", "Nasty")

        assert {name: found[name] for name in COUNTS} == NASTY_COUNTS
        assert list(found) == [*COUNTS, "erased_before", "errors"]
        assert found["errors"][0] == {
            "row": 4,
            "column": "Phone",
            "value": "9.19877E+11",
            "reason": "A spreadsheet has shortened this number and its digits are lost. "
            "Format the column as text and export it again.",
        }
        assert ContactGroup.objects.get().name == "Nasty"

    def test_a_workbook(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        for row in (["phone", "name"], [919876543210, "Ann"], [919876543211.0, "Ben"], [9.19877e15, "Excel"]):
            book.active.append(row)
        book.save(tmp_path / "contacts.xlsx")

        found = self.run("import", str(tmp_path / "contacts.xlsx"))

        assert {name: found[name] for name in COUNTS} == {
            "rows": 3,
            "added": 2,
            "updated": 0,
            "unchanged": 0,
            "invalid": 1,
        }
        assert found["errors"][0]["row"] == 4

    def test_at_most_a_hundred_errors_are_printed_and_all_are_kept(self, write: Callable[..., Path]) -> None:
        found = self.run("import", str(write([["phone"], *([f"nobody {n}"] for n in range(130))])))

        assert len(found["errors"]) == 100
        assert BadRow.objects.count() == found["invalid"] == 130

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "The file is empty"),
            (b"\x89PNG\r\n\x1a\n" + bytes(50), "This is a picture"),
            (b"name,city\nAnn,Pune\n", r"No column looks like a phone number \(name, city\)"),
            (b"phone\n", "no rows below it"),
        ],
    )
    def test_what_cannot_be_read_leaves_nothing_behind(self, tmp_path: Path, content: bytes, reason: str) -> None:
        path = tmp_path / "contacts.csv"
        path.write_bytes(content)

        with pytest.raises(CommandError, match=reason):
            self.run("import", str(path), "--group", "New")

        assert not ContactGroup.objects.exists()
        assert not ContactImport.objects.exists()

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="No such file"):
            self.run("import", str(tmp_path / "nowhere.csv"))

    def test_a_group_whose_name_would_be_cut(self, write: Callable[..., Path]) -> None:
        with pytest.raises(CommandError, match="at most 120 characters, and this one 121"):
            self.run("import", str(write(many(1))), "--group", "x" * 121)
        assert not ContactImport.objects.exists()

    def test_a_group_that_no_list_shows(self, write: Callable[..., Path]) -> None:
        contacts.ad_hoc_group("Failed in Spring", "Made from a campaign")

        with pytest.raises(CommandError, match="Choose another name"):
            self.run("import", str(write(many(1))), "--group", "Failed in Spring")
        with pytest.raises(CommandError, match="There is no group “Failed in Spring”"):
            call_command("contacts", "export", "l.csv", "--group", "Failed in Spring")
        assert not ContactImport.objects.exists()

    @pytest.mark.parametrize("none", ["XX", "ß", "ın"])
    def test_a_country_that_is_none(self, write: Callable[..., Path], none: str) -> None:
        with pytest.raises(CommandError, match=f"“{none}” is not a country"):
            self.run("import", str(write(many(1))), "--region", none)

    @pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
    def test_export_escapes_formulas(self, write: Callable[..., Path], tmp_path: Path, name: str) -> None:
        imported(write([["phone", "name", "city"], ["919876543210", "=1+1", "-x"]]), group="Formulas")
        imported(write([["phone", "name"], ["919876543211", "Other"]]))

        call_command("contacts", "export", str(tmp_path / name), "--group", "Formulas", stdout=io.StringIO())

        rows = cells_of(tmp_path / name)
        assert len(rows) == 2
        person = dict(zip(rows[0], rows[1], strict=True))
        assert (person["number"], person["name"], person["groups"]) == ("919876543210", "'=1+1", "Formulas")

    def test_export_to_something_else_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"must end in .csv or .xlsx"):
            call_command("contacts", "export", str(tmp_path / "out.pdf"), stdout=io.StringIO())

    def test_export_of_no_group_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="There is no group “Nobody”"):
            call_command("contacts", "export", str(tmp_path / "o.csv"), "--group", "Nobody", stdout=io.StringIO())

    @pytest.mark.parametrize(
        ("name", "rows", "said"),
        [("none/sample.csv", "5", "There is no folder"), ("sample.csv", "10000000", "--rows: 0 to 4,000,000")],
    )
    def test_sample_contacts_that_cannot_be_written(self, tmp_path: Path, name: str, rows: str, said: str) -> None:
        with pytest.raises(CommandError, match=said):
            call_command("sample_contacts", str(tmp_path / name), "--rows", rows)

    def test_sample_contacts_are_mostly_good(self, tmp_path: Path) -> None:
        path = tmp_path / "sample.csv"
        call_command("sample_contacts", str(path), "--rows", "600", "--bad", "5%", stdout=io.StringIO())
        first = path.read_bytes()
        call_command("sample_contacts", str(path), "--rows", "600", "--bad", "0.05", stdout=io.StringIO())

        found = self.run("import", str(path))

        assert path.read_bytes() == first
        assert found["rows"] == 600
        assert 10 <= found["invalid"] <= 60
        assert found["added"] == 600 - found["invalid"]
        assert Contact.objects.exclude(validity="valid").count() == 0
        assert len(set(Contact.objects.values_list("country", flat=True))) > 10


def cells_of(path: Path) -> list[list[str]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as text:
            return list(csv.reader(text))
    return [[str(cell) for cell in row] for row in openpyxl.load_workbook(path).active.iter_rows(values_only=True)]


class ChoiceTests:
    def run(self, path: Path, *arguments: str) -> dict[str, Any]:
        out = io.StringIO()
        call_command("contacts", "import", str(path), *arguments, "--json", stdout=out, stderr=io.StringIO())
        document: dict[str, Any] = json.loads(out.getvalue())
        return document

    def test_the_command_refuses_to_guess_an_encoding_and_takes_one(self, tmp_path: Path) -> None:
        path = tmp_path / "czech.csv"
        path.write_bytes("phone,name\n420601234567,Dvořák\n".encode("cp1250"))

        with pytest.raises(CommandError, match=r"--encoding .*windows-1252: Dvoøák; windows-1250: Dvořák"):
            self.run(path)
        assert not ContactImport.objects.exists()
        self.run(path, "--encoding", "windows-1250")

        assert Contact.objects.get().name == "Dvořák"

    def test_options_of_the_command_reach_the_rows(self, write: Callable[..., Path]) -> None:
        path = write([["phone", "name"], ["+1 (000) 000-0000", "NULL"], ["447911123456", "Ann"]])

        refused = self.run(path, "--region", "IN")
        taken = self.run(
            path, "--region", "IN", "--allow-unknown-ranges", "--foreign-without-plus", "--keep-null-words"
        )

        assert (refused["invalid"], taken["invalid"], taken["added"]) == (2, 0, 2)
        assert "no known range" in refused["errors"][0]["reason"]
        assert Contact.objects.get(number="10000000000").name == "NULL"

    def test_a_sheet_of_the_command(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.active.append(["phone"])
        book.active.append(["+919876543210"])
        other = book.create_sheet("Other")
        other.append(["phone"])
        other.append(["+919876543211"])
        book.save(tmp_path / "two.xlsx")

        self.run(tmp_path / "two.xlsx", "--sheet", "Other")

        assert Contact.objects.get().number == "919876543211"

    def test_a_language_nobody_knows_is_told(self, write: Callable[..., Path]) -> None:
        job = imported(write([["phone", "language"], ["919876543210", "Klingon of the northern empire"]]))

        assert counts(job)["added"] == 1
        assert imports.note(job).endswith("left empty: Klingon of the northern empire (1).")

    def test_a_first_name_goes_with_the_name_it_belonged_to(self, write: Callable[..., Path]) -> None:
        imported(write([["phone", "first name", "last name"], ["919876543210", "Mary Ann", "Lee"]]))
        assert Contact.objects.get().attributes == {"first_name": "Mary Ann"}

        imported(write([["phone", "name"], ["919876543210", "Bob Hill"]]))

        assert Contact.objects.get().attributes == {}


class RoundTripTests:
    @pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
    def test_export_delete_import_gives_the_same_contacts(self, tmp_path: Path, name: str) -> None:
        Contact.objects.create(
            number="919876543210",
            name="Mary Ann Lee",
            email="m@example.com",
            language="en",
            country="IN",
            time_zones="Asia/Calcutta",
            attributes={
                "first_name": "Mary Ann",
                "city": "Pune",
                "formula": "=1+1",
                "quoted": "'=x",
                "zero": "007",
                "phone": "+91 22 1234",
                "mobile": "-5",
                "City": "x",
                "source": "fair",
                "groups": "a",
                "mail": "@y",
                "attributes": "z",
                "note": 'He said: "a; b", c',
                "empty_name": "\\N.",
                "wrapped": '="1"',
            },
        )
        Contact.objects.create(number="919876543211", country="IN", time_zones="Asia/Calcutta")
        before = [drop_source(row) for row in contents()]

        call_command("contacts", "export", str(tmp_path / name), stdout=io.StringIO())
        Contact.objects.all().delete()
        job = imported(tmp_path / name)

        assert counts(job) == {"rows": 2, "added": 2, "updated": 0, "unchanged": 0, "invalid": 0}
        assert [drop_source(row) for row in contents()] == before


class UploadTests:
    def test_a_cell_without_end_says_so_and_leaves_no_file(self, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path
        for content in (b"phone,name\n1," + b"x" * 300_000, b"x" * 300_000 + b"\n1", b'phone,"' + b"y" * 300_000):
            with contextlib.suppress(ValidationError):
                import_files.receive(SimpleUploadedFile("x.csv", content), group=None, region="", by=None)

        jobs = ContactImport.objects.count()
        assert len(list(tmp_path.rglob("*.dat"))) == jobs

    def test_any_failure_leaves_no_file(self, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.MEDIA_ROOT = tmp_path
        monkeypatch.setattr(import_files, "guess_mapping", lambda _headers: 1 / 0)

        with pytest.raises(ZeroDivisionError):
            uploaded(many(3))

        assert not list(tmp_path.rglob("*.dat"))

    def test_the_sweep_deletes_old_uploads_without_a_row_and_no_other(self, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path
        job = uploaded(many(3))
        lost = tmp_path / "imports" / "lost.dat"
        lost.write_bytes(b"phone")

        import_files.sweep_uploads()
        assert lost.exists()
        imports.sweep(timezone.now() + dt.timedelta(hours=25))

        assert not lost.exists()
        assert reading.path_of(job).exists()


class RefusalTests:
    def test_one_too_large_says_the_limit(self, settings: Any) -> None:
        settings.IMPORT_MAX_BYTES = 1024 * 1024
        upload = SimpleUploadedFile("people.csv", b"phone\n" + b"919876543210\n" * 100_000)

        with pytest.raises(Exception, match=r"larger than 1 MB\. Split it"):
            import_files.receive(upload, group=None, region="", by=None)

    def test_a_refused_upload_makes_no_group_and_keeps_no_file(self, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path
        with pytest.raises(Exception, match="The file is empty"):
            import_files.receive(SimpleUploadedFile("x.csv", b""), group=None, new_group="New", region="", by=None)

        assert not ContactGroup.objects.exists()
        assert not list(Path(settings.MEDIA_ROOT).rglob("*.dat"))

    def test_a_lone_header(self, write: Callable[..., Path]) -> None:
        with pytest.raises(UnreadableFile, match="no rows below it"):
            import_files.open_path(write([["phone", "name"]]))


class BadRowTests:
    def test_all_are_streamed_and_escaped(self, write: Callable[..., Path]) -> None:
        job = imported(write([["phone"], *([f"=cmd|{n}"] for n in range(1200))]))

        text = b"".join(bad_rows.content(job)).decode("utf-8-sig")

        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == ["phone", "row", "reason"]
        assert len(rows) == 1201
        assert rows[-1][:2] == ["'=cmd|1199", "1201"]


def test_chunks_are_known_for_this_database() -> None:
    assert connection.vendor in imports.CHUNKS
