"""A process beside the import cleans rows: the same rows and reasons, and an end with whoever started it."""

import csv
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from messaging.files import cleaned_rows, contact_files
from messaging.files.cleaned_rows import Chunk, Source
from messaging.files.contact_headers import guess_mapping
from messaging.files.contact_rows import NO_OPTIONS, RowError
from messaging.models import BadRow, Contact, ContactImport
from messaging.services.contacts import contact_writes
from messaging.services.imports import files as import_files
from messaging.services.imports import imports

SIZE = 7
ROWS = 40
ELVISH = "the language of the Elves"


@pytest.fixture
def list_of_contacts(tmp_path: Path) -> Path:
    """Every tenth number is none, and every ninth language is nobody's; one row has both."""
    path = tmp_path / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(["phone", "name", "language", "city"])
        for n in range(ROWS):
            number = "9.19877E+11" if n % 10 == 3 else f"9198765{n:05}"
            writer.writerow([number, f"Ann {n}", ELVISH if n % 9 == 5 else "en", 'back\\slash "Pune"'])
    return path


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list["subprocess.Popen[bytes]"]:
    """A process for every file, and the processes."""
    monkeypatch.setattr(cleaned_rows, "HEAD_START", 10)
    monkeypatch.setattr(cleaned_rows, "WORTH_IT", 0)
    monkeypatch.setattr(cleaned_rows.os, "cpu_count", lambda: 2)
    popen, found = subprocess.Popen, []

    def remembered(*args: Any, **kwargs: Any) -> Any:
        found.append(popen(*args, **kwargs))
        return found[-1]

    monkeypatch.setattr(cleaned_rows.subprocess, "Popen", remembered)
    return found


def source(path: Path) -> Source:
    written = contact_files.detect(path)
    return Source(path, written, guess_mapping(written.headers), "", NO_OPTIONS)


def chunks(path: Path) -> Iterator[Chunk]:
    return cleaned_rows.chunks(source(path), SIZE, behind=1, bytes_left=path.stat().st_size)


def comparable(found: Iterator[Chunk]) -> list[Any]:
    """What is imported of these rows, however they are parted into chunks."""
    every = list(found)
    ready = [row for chunk in every for row in chunk.ready]
    errors = [(row, e.column, e.value, e.reason) for chunk in every for row, e in chunk.errors]
    languages = sum(count for chunk in every for count in chunk.unknown_languages.values())
    return [ready, errors, languages, sum(chunk.row_count for chunk in every), every[-1].last_line]


class ProcessTests:
    def test_it_makes_the_same_of_every_row(self, list_of_contacts: Path, started: list[Any]) -> None:
        alone = comparable(cleaned_rows.here(source(list_of_contacts), SIZE, behind=1))

        assert comparable(chunks(list_of_contacts)) == alone
        assert len(started) == 1
        assert started[0].wait(60) is not None

    def test_a_small_file_needs_none(self, list_of_contacts: Path, started: list[Any], monkeypatch: Any) -> None:
        monkeypatch.setattr(cleaned_rows, "WORTH_IT", 1 << 20)

        assert comparable(chunks(list_of_contacts))[3] == ROWS
        assert not started

    @pytest.mark.parametrize("how", ["at once", "half way"])
    def test_where_it_dies_the_import_goes_on_alone(
        self, list_of_contacts: Path, started: list[Any], monkeypatch: pytest.MonkeyPatch, how: str
    ) -> None:
        alone = comparable(cleaned_rows.here(source(list_of_contacts), SIZE, behind=1))
        if how == "at once":
            monkeypatch.setattr(cleaned_rows, "PROCESS", ("-c", "raise SystemExit(1)"))
        else:
            received = cleaned_rows._received

            def one_and_no_more(sent: Any) -> Iterator[Chunk]:
                yield next(received(sent))
                raise EOFError

            monkeypatch.setattr(cleaned_rows, "_received", one_and_no_more)

        assert comparable(chunks(list_of_contacts)) == alone

    def test_it_ends_when_nobody_wants_more(self, list_of_contacts: Path, started: list[Any]) -> None:
        found = chunks(list_of_contacts)
        next(found)

        found.close()  # type: ignore[attr-defined]

        assert started[0].poll() is not None

    def test_it_ends_when_the_import_is_killed(self, tmp_path: Path) -> None:
        path = tmp_path / "long.csv"
        path.write_text("phone,name\n" + "".join(f"9198765{n:05},Ann\n" for n in range(30_000)))
        process = subprocess.Popen(
            [sys.executable, *cleaned_rows.PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin
        assert process.stdout
        process.stdin.write(pickle.dumps((source(path), SIZE, 1)))
        process.stdin.flush()
        process.stdout.read(1)  # it is at work, and soon waits for a reader that does not come

        process.stdin.close()

        assert process.wait(60) == 1
        process.stdout.close()

    def test_a_worker_of_the_queue_may_start_it(self, list_of_contacts: Path, started: list[Any]) -> None:
        """Its workers are daemons, which `multiprocessing` lets have no children."""
        context = multiprocessing.get_context("fork")
        counted = context.SimpleQueue()
        worker = context.Process(target=lambda: counted.put(comparable(chunks(list_of_contacts))[3]), daemon=True)

        worker.start()
        worker.join(10)

        assert counted.get() == ROWS

    def test_a_reason_is_said_in_the_readers_language(self) -> None:
        with translation.override("en"):
            kept = pickle.dumps(RowError("phone", "x", cleaned_rows.clean_rows(*unreadable())[1][0][1].reason))

        with translation.override("zh-hans"):
            reason = pickle.loads(kept).reason

        assert not reason.isascii()


def unreadable() -> tuple[Any, list[contact_files.Row]]:
    cleaner = cleaned_rows.RowCleaner(["phone"], {"phone": "number"}, "")
    return cleaner, [contact_files.Row(2, ["9.19877E+11"])]


@pytest.mark.django_db
class ImportTests:
    def test_counts_and_invalid_rows_are_those_of_one_process(
        self, list_of_contacts: Path, started: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(imports, "CHUNKS", {"sqlite": SIZE, "postgresql": SIZE})

        beside = imported(list_of_contacts)
        monkeypatch.setattr(cleaned_rows, "WORTH_IT", 1 << 20)
        alone = imported(list_of_contacts)

        assert (beside.rows, beside.added, beside.invalid) == (ROWS, ROWS - 4, 4)
        assert (alone.rows, alone.unchanged, alone.invalid) == (ROWS, ROWS - 4, 4)
        assert beside.left_out == alone.left_out == {ELVISH: 3}
        assert invalid_rows(beside) == invalid_rows(alone)
        assert beside.bytes_done == alone.bytes_done == list_of_contacts.stat().st_size

    def test_cancelled_it_leaves_no_process(self, list_of_contacts: Path, started: list[Any]) -> None:
        job = import_files.open_path(list_of_contacts)

        imports.import_rows(job, goes_on=lambda: False)

        assert started[0].poll() is not None

    @pytest.mark.parametrize("somebody_was_quicker", [True, False])
    def test_whom_somebody_adds_by_hand_meanwhile(
        self, monkeypatch: pytest.MonkeyPatch, somebody_was_quicker: bool
    ) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has one writer at a time")
        if somebody_was_quicker:
            Contact.objects.create(number="919876543210", name="By hand")
            monkeypatch.setattr(contact_writes, "_stored", lambda numbers: ({}, {}))
        row = ("919876543210", "valid", "By\\N file\t", "", "IN", "Asia/Calcutta", "", '{"a": "\\"b\\""}')
        other = ("919876543211", *row[1:])

        contact_writes.write([row, other], source="a\\b.csv", group_id=None)

        assert set(Contact.objects.values_list("number", "name")) == {(row[0], row[2]), (other[0], row[2])}
        assert Contact.objects.get(number=other[0]).source == "a\\b.csv"
        assert Contact.objects.get(number=other[0]).attributes == {"a": '"b"'}


def imported(path: Path) -> ContactImport:
    job = import_files.open_path(path)
    imports.import_at_once(job)
    return job


def invalid_rows(job: ContactImport) -> list[Any]:
    return list(BadRow.objects.filter(contact_import=job).order_by("row").values_list("row", "column", "reason"))
