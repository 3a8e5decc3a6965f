"""A file of consents as it is uploaded: read by a worker, gone on with by its successor, told on its page."""

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.services.work import leases
from laaffic_console.kit.words.said import read, read_all
from messaging.models import Consent, ConsentEvent, ConsentImport
from messaging.services.contacts import consent_files, consents, people
from messaging.services.contacts.consent_files import Options
from messaging.services.imports import consent_imports

pytestmark = pytest.mark.django_db

NUMBERS = ["919876543210", "919876543211", "919876543212", "919876543213", "919876543214"]
HEADER = "number,consent,date,source,words\n"
UPLOAD = "admin:messaging_consent_add"
State = ConsentImport.State


def upload(text: str | bytes, name: str = "agreed.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode(), "text/csv")


def rows(*numbers: str, consent: str = "yes") -> str:
    return HEADER + "".join(f"+{number},{consent},2026-05-03,web form,I agree\n" for number in numbers)


def received(text: str) -> ConsentImport:
    return consent_imports.receive(upload(text), Options(), by=None)


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """Where uploads are kept."""
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "consents"


@pytest.fixture
def work(
    run_jobs: Callable[[], int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Iterator[Callable[[], int]]:
    """Commit what was done until now, and do what waits in the queue, as a worker would."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(django_capture_on_commit_callbacks(execute=True))

        def worked() -> int:
            stack.close()
            stack.enter_context(django_capture_on_commit_callbacks(execute=True))
            done = run_jobs()
            stack.close()
            stack.enter_context(django_capture_on_commit_callbacks(execute=True))
            return done + (run_jobs() if OrmQ.objects.exists() else 0)

        yield worked


def test_a_file_is_uploaded_read_and_told(
    admin_client: Client, admin_user: User, work: Callable[[], int], folder: Path
) -> None:
    consents.set_by_hand(NUMBERS[1], channel="voice", state="withdrawn", why="letter", by=None)  # and stays

    answer = admin_client.post(
        reverse(UPLOAD), {"file": upload(rows(*NUMBERS[:2]) + "12,maybe,,,\n"), "channel": "voice"}
    )
    job = ConsentImport.objects.get()
    work()

    assert answer["Location"] == reverse("admin:messaging_consent_import", args=[job.pk])
    page = admin_client.get(answer["Location"]).content.decode()
    job.refresh_from_db()
    assert (job.state, job.rows, job.kept, job.invalid) == (State.FINISHED, 3, 2, 1)
    assert "a number has 7 to 15" in page
    assert "every 1s" not in page  # it is over
    states = dict(Consent.objects.filter(channel="voice").values_list("number", "state"))
    assert states == {NUMBERS[0]: "given", NUMBERS[1]: "withdrawn"}
    assert set(ConsentEvent.objects.filter(source="web form").values_list("by", flat=True)) == {admin_user.pk}
    assert list(folder.iterdir()) == []
    assert AuditEntry.objects.filter(kind="imported", person=admin_user, object_label="agreed.csv").exists()
    assert "agreed.csv" in admin_client.get(reverse(UPLOAD)).content.decode()


@pytest.mark.parametrize("address", [UPLOAD, "admin:messaging_contactimport_add"])
def test_a_file_that_a_refused_form_has_lost_is_named(admin_client: Client, address: str) -> None:
    asked = {"file": upload("number,consent\n+919876543210,yes\n"), "channel": "sms", "region": "nowhere"}

    page = admin_client.post(reverse(address), asked).content.decode()

    assert "“agreed.csv” was not kept. Choose it again, or another one." in page
    assert "was not kept" not in admin_client.get(reverse(address)).content.decode()


def test_the_next_turn_goes_on_behind_what_is_committed(
    monkeypatch: pytest.MonkeyPatch, work: Callable[[], int]
) -> None:
    monkeypatch.setattr(consent_files, "AT_ONCE", 2)
    monkeypatch.setattr(consent_imports.turns.Turn, "is_over", lambda turn: True)
    bad = "12,yes,2026-05-03,,\n"
    job = received(
        HEADER + bad + rows(*NUMBERS[:3]).removeprefix(HEADER) + bad + rows(*NUMBERS[3:]).removeprefix(HEADER)
    )

    consent_imports.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.kept, job.line) == (State.RUNNING, 1, 3)
    while work():
        pass
    job.refresh_from_db()
    assert (job.state, job.rows, job.kept, job.invalid) == (State.FINISHED, 7, 5, 2)
    reason = "2 digits; a number has 7 to 15 with its country code."
    assert [(told["row"], told["reason"]) for told in read_all(job.errors)] == [(2, reason), (6, reason)]
    assert ConsentEvent.objects.count() == 5


def test_why_a_row_is_invalid_is_said_in_its_readers_language(work: Callable[[], int]) -> None:
    job = received(f"{HEADER}{NUMBERS[0]},perhaps,2026-05-01,,\n{NUMBERS[1]},yes,2999-01-01,,\n")
    while work():
        pass

    with translation.override("zh-hans"):
        kept = ConsentImport.objects.get(pk=job.pk)
        reasons = [read(bad["reason"]) for bad in kept.errors]

    assert [bad["row"] for bad in kept.errors] == [2, 3]
    assert reasons[0].isascii() is reasons[1].isascii() is False


def test_what_a_dead_worker_wrote_of_a_piece_goes_with_its_count(monkeypatch: pytest.MonkeyPatch) -> None:
    job = received(rows(*NUMBERS))

    def dies(_turn: object) -> None:
        raise SystemExit

    monkeypatch.setattr(consent_imports.turns.Turn, "has_begun", dies)
    with pytest.raises(SystemExit):
        consent_imports.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.kept, ConsentEvent.objects.count()) == (State.RUNNING, 0, 0)

    monkeypatch.undo()
    consent_imports.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.kept, ConsentEvent.objects.count()) == (State.FINISHED, 5, 5)


@pytest.mark.parametrize("successor", [{"line": 3}, {"state": State.FINISHED}])
def test_who_was_overtaken_while_it_slept_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, successor: dict[str, object]
) -> None:
    job = received(rows(*NUMBERS))
    put = consents.put

    def slow(*given: object, **named: object) -> int:
        new = put(*given, **named)  # type: ignore[arg-type]
        ConsentImport.objects.update(**successor)
        return new

    with monkeypatch.context() as slowed, transaction.atomic():
        slowed.setattr(consents, "put", slow)
        consent_imports.run(job.pk)

    assert not ConsentEvent.objects.exists()
    job.refresh_from_db()
    assert (job.rows, job.explanation) == (0, "")
    assert Path(job.file.path).exists()


def test_a_file_without_a_good_row_is_told_as_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent_files, "AT_ONCE", 2)
    monkeypatch.setattr(consent_imports.turns.Turn, "is_over", lambda turn: True)
    job = received(HEADER + "12,yes,2026-05-03,,\n" * 5)

    consent_imports.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.rows, job.invalid, job.line) == (State.RUNNING, 2, 2, 3)


def test_the_same_file_again_changes_nothing_and_its_page_says_so(admin_client: Client) -> None:
    counted, told = [], []
    for _time in range(2):
        job = received(rows(*NUMBERS) + rows(NUMBERS[0]).removeprefix(HEADER))
        consent_imports.run(job.pk)
        job.refresh_from_db()
        counted.append((job.rows, job.kept, job.new, job.known))
        page = admin_client.get(reverse("admin:messaging_consent_import", args=[job.pk])).content.decode()
        told.append(re.findall(r'id="(?:new|known)">(\d+)<', page))

    assert (Consent.objects.count(), ConsentEvent.objects.count()) == (5, 5)
    assert counted == [(6, 6, 5, 1), (6, 6, 0, 6)]
    assert told == [["5", "1"], ["0", "6"]]


def test_the_same_file_again_tells_no_webhook_and_brings_back_nobody_who_was_erased(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consent_imports.run(received(rows(*NUMBERS)).pk)
    people.erase(NUMBERS[0], why="asked for it", by=None)
    announced: list[object] = []
    monkeypatch.setattr(consents.events, "consented", announced.extend)

    consent_imports.run(received(rows(*NUMBERS)).pk)

    assert announced == []
    assert not Consent.objects.filter(number=NUMBERS[0]).exists()


@pytest.mark.parametrize(
    ("text", "given", "field", "said"),
    [
        ("name,consent\nAda,yes\n", {}, "file", "no column “number”"),
        ("number,consent\n+919876543210,yes\n", {}, "date", "Say when it was said"),
        (rows(NUMBERS[0]), {"date": "tomorrow"}, "date", "is not a date"),
        (b"", {}, "file", "empty"),
        (HEADER.encode() + "919876543210,yes,2026-05-01,,Dvořák\n".encode("cp1250"), {}, "encoding", "windows-1250"),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    admin_client: Client, folder: Path, text: str | bytes, given: dict[str, str], field: str, said: str
) -> None:
    answer = admin_client.post(reverse(UPLOAD), {"file": upload(text), "channel": "sms", **given})

    assert said in " ".join(answer.context["form"].errors[field])
    assert not ConsentImport.objects.exists()
    assert not folder.exists() or list(folder.iterdir()) == []


def test_letters_are_read_as_was_said(admin_client: Client) -> None:
    text = HEADER.encode() + "919876543210,yes,2026-05-01,,Dvořák\n".encode("cp1250")

    admin_client.post(reverse(UPLOAD), {"file": upload(text), "channel": "sms", "encoding": "windows-1250"})
    consent_imports.run(ConsentImport.objects.get().pk)

    assert ConsentEvent.objects.get().words == "Dvořák"


def test_one_whose_file_has_gone_says_what_to_do(admin_client: Client) -> None:
    job = received(rows(*NUMBERS))
    Path(job.file.path).unlink()

    consent_imports.run(job.pk)

    page = admin_client.get(reverse("admin:messaging_consent_import", args=[job.pk])).content.decode()
    assert "Upload it again" in page
    assert "failed" in page


def test_the_sweeper_rings_for_one_that_a_worker_left(monkeypatch: pytest.MonkeyPatch) -> None:
    job = received(rows(*NUMBERS))
    rung: list[object] = []
    monkeypatch.setattr(consent_imports.bell, "ring", lambda *bell: rung.append(bell))

    consent_imports.sweep()
    with leases.lease(f"consents:{job.pk}"):
        consent_imports.sweep()

    assert rung == [(consent_imports.JOB, job.pk)]
    assert Path(job.file.path).exists()


@pytest.mark.parametrize("lacks", ["change_consent", "see_numbers", "view_contact"])
def test_who_may_not_note_a_consent_may_not_import_one(client: Client, lacks: str) -> None:
    job = received(rows(NUMBERS[0]))
    clerk = User.objects.create_user("clerk", is_staff=True)
    rights = {"view_consent", "change_consent", "view_contact", "see_numbers"} - {lacks}
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(clerk)

    assert client.get(reverse(UPLOAD)).status_code == 403
    assert client.get(reverse("admin:messaging_consent_import", args=[job.pk])).status_code == 403
    assert client.get(reverse("admin:messaging_consent_changelist")).status_code == 200


def test_the_list_is_searched_and_taken_as_a_file(admin_client: Client) -> None:
    for number in NUMBERS[:2]:
        consents.set_by_hand(number, channel="sms", state="given", why="letter", by=None)
    consents.set_by_hand("4915112345678", channel="sms", state="withdrawn", why="letter", by=None)
    listed = reverse("admin:messaging_consent_changelist")

    page = admin_client.get(listed, {"q": "+91 98765"}).content.decode()
    file = b"".join(
        admin_client.get(reverse("admin:messaging_consent_export", args=["csv"]), {"state__exact": "given"})
    ).decode()

    assert [number in page for number in (*NUMBERS[:2], "4915112345678")] == [True, True, False]
    assert [number in file for number in (*NUMBERS[:2], "4915112345678")] == [True, True, False]


def test_numbers_in_what_was_typed_are_masked_too(client: Client) -> None:
    said = consents.Said(NUMBERS[0], "sms", "given", timezone.now(), f"called +{NUMBERS[1]}", f"I am +{NUMBERS[2]}")
    consents.put([said])
    clerk = User.objects.create_user("clerk", is_staff=True)
    wanted = ["view_consent", "export_consent"]
    clerk.user_permissions.set(Permission.objects.filter(codename__in=wanted))
    client.force_login(clerk)

    listed = client.get(reverse("admin:messaging_consent_changelist")).content.decode()
    row = client.get(reverse("admin:messaging_consent_change", args=[Consent.objects.get().pk])).content.decode()
    file = b"".join(client.get(reverse("admin:messaging_consent_export", args=["csv"]))).decode()

    assert "called" in listed
    assert "I am" in row
    assert "I am" in file
    assert [number for number in NUMBERS if number in listed + row + file] == []


def test_a_workbook_of_several_sheets_is_refused(admin_client: Client) -> None:
    book = openpyxl.Workbook()
    for sheet, number in ((book.active, NUMBERS[0]), (book.create_sheet("stops"), NUMBERS[1])):
        sheet.append(["number", "consent", "date"])
        sheet.append([f"+{number}", "no", "2026-05-03"])
    written = io.BytesIO()
    book.save(written)

    page = admin_client.post(reverse(UPLOAD), {"file": upload(written.getvalue(), "agreed.xlsx"), "channel": "sms"})

    assert "rows on several sheets: Sheet, stops" in page.content.decode()
    assert not ConsentImport.objects.exists()


def test_what_was_rolled_back_is_not_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(consent_files, "AT_ONCE", 2)
    put, pieces = consents.put, iter([1, 2])

    def full(*args: object, **options: object) -> int:
        if next(pieces) == 2:
            raise OSError(28, "No space left on device")
        return put(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(consents, "put", full)
    job = received(rows(*NUMBERS))
    consent_imports.run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.rows, job.kept, job.line) == (State.FAILED, 2, 2, 3)
    assert Consent.objects.count() == 2
