"""Acts of pages and API that write rows directly, each with its entry; a repeated one that changes nothing has none."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import keeping, making
from laaffic_console.gateway.models import PushedBody
from laaffic_console.gateway.services.inbox import draining
from laaffic_console.kit.audit.acts import Actor, acting
from laaffic_console.laaffic import UploadedAudio
from messaging.models import ContactGroup, ContactImport, MmsAttachment
from messaging.services.imports import imports, undo
from messaging.services.mms import attachments
from tests.messaging.mms import attachment_samples as samples
from voice.models import AudioFile
from voice.services.audio import elsewhere, uploads

pytestmark = pytest.mark.django_db


def export_of(ada: User) -> Callable[[], object]:
    export = Export.objects.create(kind="contacts", title="Contacts", format="csv", key="k", asked_by=ada)
    return lambda: making.cancel(export.pk)


def import_to_cancel(ada: User) -> Callable[[], object]:
    job = ContactImport.objects.create(file_name="may.csv", state=ContactImport.State.PREVIEW)
    return lambda: imports.cancel(job.pk)


def counted(ada: User) -> Callable[[], object]:
    group = ContactGroup.objects.create(name="May")
    job = ContactImport.objects.create(file_name="may.csv", state=ContactImport.State.FINISHED, group=group)
    return lambda: undo.look(job.pk, by=ada)


def counted_in_vain(ada: User) -> Callable[[], object]:
    counted(ada)()
    job = ContactImport.objects.get()
    return lambda: undo.give_up(job.pk)


def pushed(ada: User) -> Callable[[], object]:
    now = timezone.now()
    body = PushedBody.objects.create(kind="sms-report", body="[]", size=2, received_at=now, applied_at=now)
    return lambda: draining.try_again([body.pk])


def attachment(ada: User) -> Callable[[], object]:
    found = MmsAttachment.objects.create(name="a.png", content=b"a", size=1, digest="d", file_type="png")
    return lambda: attachments.archive(found.pk, is_archived=True)


def sound(ada: User) -> Callable[[], object]:
    found = AudioFile.objects.create(name="a.mp3", content=b"a", size=1, digest="d", audio_type="mp3", seconds=1)
    return lambda: uploads.archive(found.pk, is_archived=True)


@pytest.mark.parametrize(
    ("prepared", "said"),
    [
        (export_of, "cancelled"),
        (import_to_cancel, "cancelled"),
        (counted, "who would go is counted, to take it back"),
        (counted_in_vain, "not taken back"),
        (pushed, "applied again"),
        (attachment, "archived"),
        (sound, "archived"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_it_is_recorded_once(prepared: Callable[[User], Callable[[], object]], said: str) -> None:
    ada = User.objects.create_superuser("ada")
    act = prepared(ada)

    with acting(lambda: Actor(ada.pk, "ada")):
        act()
        act()

    [entry] = AuditEntry.objects.all()
    assert (entry.kind, entry.person, str(entry.details["event"])) == ("changed", "ada", said)


def test_each_download_of_an_export_is_recorded() -> None:
    ada = User.objects.create_superuser("ada")
    export = Export.objects.create(kind="contacts", title="Contacts", format="csv", key="k", asked_by=ada)

    with acting(lambda: Actor(ada.pk, "ada")):
        keeping.note_download(export, ada)
        keeping.note_download(export, ada)

    recorded = [(one.kind, str(one.details["event"])) for one in AuditEntry.objects.all()]
    assert recorded == [("exported", "downloaded")] * 2


@pytest.mark.parametrize("library", ["mms", "audio"])
def test_a_file_is_added_to_a_library_and_offered_again(library: str) -> None:
    files: Any = attachments if library == "mms" else uploads
    data, name = (samples.picture(), "a.png") if library == "mms" else (samples.tone(), "a.wav")

    with acting(lambda: Actor(None, "ada")):
        row, _is_new = files.add(data, name)
        files.add(data, name)  # it is there already
        files.archive(row.pk, is_archived=True)
        files.add(data, name)

    recorded = [(one.kind, str(one.details.get("event", ""))) for one in AuditEntry.objects.order_by("pk")]
    assert recorded == [("added", ""), ("changed", "archived"), ("changed", "offered again")]


def test_a_sound_that_laaffic_had_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    there = UploadedAudio(name="a.mp3", file_id="f1", seconds=1, uploaded_at=None)
    monkeypatch.setattr(elsewhere, "_read", lambda: iter([there]))

    with acting(lambda: Actor(None, "ada")):
        elsewhere.take("f1")
        elsewhere.take("f1")

    assert [one.kind for one in AuditEntry.objects.all()] == ["added"]


def test_a_sound_gets_another_name() -> None:
    sounding = AudioFile.objects.create(name="a.mp3", content=b"a", size=1, digest="d", audio_type="mp3", seconds=1)

    with acting(lambda: Actor(None, "ada")):
        uploads.rename(sounding, "b.mp3")

    [entry] = AuditEntry.objects.all()
    assert entry.details["changes"] == [["name", "a.mp3", "b.mp3"]]
