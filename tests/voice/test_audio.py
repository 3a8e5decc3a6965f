"""The audio library: told by content, kept once, uploaded once, played with its own type and nothing else."""

import io
import struct
import wave

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, EntryState, LedgerEntry
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.work import leases
from laaffic_console.laaffic.voice import UploadedAudio
from laaffic_console.sandbox.testing import RunningSandbox
from tests.messaging.mms import attachment_samples as samples
from voice.models import AudioFile
from voice.services.audio import uploads
from voice.services.audio.uploads import UploadFailed

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "admin:voice_audiofile_add"


def box(kind: bytes, *inside: bytes) -> bytes:
    content = b"".join(inside)
    return struct.pack(">I", 8 + len(content)) + kind + content


def m4a() -> bytes:
    """The smallest MPEG-4 file with one second of AAC at 8 kHz, as its headers say."""
    entry = box(b"mp4a", bytes(6) + b"\0\1" + bytes(8) + struct.pack(">HHHHI", 1, 16, 0, 0, 8000 << 16) + box(b"free"))
    table = box(b"stbl", box(b"stsd", bytes(4) + struct.pack(">I", 1) + entry))
    header = box(b"mdhd", bytes(12) + struct.pack(">IIHH", 8000, 8000, 0, 0))
    handler = box(b"hdlr", bytes(8) + b"soun" + bytes(13))
    track = box(b"trak", box(b"mdia", header, handler, box(b"minf", table)))
    return box(b"ftyp", b"M4A \0\0\0\0M4A ") + box(b"moov", track)


def nested_m4a(depth: int) -> bytes:
    inside = b""
    for _ in range(depth):
        inside = box(b"moov", inside)
    return box(b"ftyp", b"M4A \0\0\0\0M4A ") + inside


def silent_wave(seconds: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes(8000 * seconds))
    return out.getvalue()


class ContentTests:
    @pytest.mark.parametrize(
        ("name", "data", "seconds"),
        [("hello.mp3", samples.mpeg(), 0.5), ("hello.wav", samples.tone(), 1.0), ("hello.m4a", m4a(), 1.0)],
    )
    def test_each_kind_is_known_with_its_length(self, name: str, data: bytes, seconds: float) -> None:
        kept, is_new = uploads.add(data, name)

        assert (kept.audio_type, is_new) == (name[-3:], True)
        assert kept.seconds == pytest.approx(seconds, abs=0.1)

    @pytest.mark.parametrize(
        ("field", "name", "data", "said"),
        [
            ("file", "hello.mp3", samples.picture(), "PNG"),
            ("file", "hello.wav", b"", "0 bytes"),
            ("file", "hello.wav", silent_wave(0), "0 seconds"),
            ("file", "hello.mp3", b"ID3\4\0\0\0\0\0\0" + bytes(400), "damaged"),
            ("file", "hello.m4a", b"\0\0\0\x18ftypM4A " + bytes(40), "damaged"),
            ("file", "hello.m4a", nested_m4a(1200), "damaged"),
            ("file", "hello.wav", silent_wave(1000), "MB"),
            ("name", ".mp3", samples.mpeg(), "5 to 32"),
            ("name", "a" * 29 + ".mp3", samples.mpeg(), "5 to 32"),
            ("name", "hello.wav", samples.mpeg(), "hello.mp3"),
            ("name", "hello.", samples.mpeg(), ".mp3"),
            ("name", "he/lo.mp3", samples.mpeg(), "letters"),
        ],
    )
    def test_the_unfit_is_said_at_its_field(self, field: str, name: str, data: bytes, said: str) -> None:
        with pytest.raises(ValidationError) as problem:
            uploads.add(data, name)

        assert list(problem.value.error_dict) == [field]
        assert said in problem.value.messages[0]
        assert not AudioFile.objects.exists()

    def test_the_shortest_and_the_longest_name(self) -> None:
        uploads.add(silent_wave(1), "a.wav")
        uploads.add(silent_wave(2), "a" * 28 + ".wav")

        assert AudioFile.objects.count() == 2

    def test_a_name_without_a_suffix_gets_it(self) -> None:
        made, _is_new = uploads.add(samples.mpeg(), "Spring greeting")
        assert made.name == "Spring greeting.mp3"

        uploads.rename(made, "Autumn greeting")
        assert made.name == "Autumn greeting.mp3"

    def test_the_same_content_is_kept_once_and_a_name_is_taken_once(self) -> None:
        first, _is_new = uploads.add(samples.mpeg(), "hello.mp3")

        assert uploads.add(samples.mpeg(), "other.mp3") == (first, False)
        with pytest.raises(ValidationError, match="another file"):
            uploads.add(samples.mpeg() * 2, "Hello.mp3")


class UploadTests:
    def test_once_through_the_ledger(self, sandbox: RunningSandbox) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")

        assert uploads.upload(kept.pk).file_id == uploads.upload(kept.pk).file_id != ""
        call = LedgerEntry.objects.get()
        assert (call.interface, call.state, call.about_id) == ("voice/fileUpload", EntryState.ACCEPTED, kept.pk)

    @pytest.mark.parametrize("fault", ["reset_after", "bad_gateway_after", "half_json"])
    def test_after_a_lost_answer_the_list_tells_that_it_arrived(self, sandbox: RunningSandbox, fault: str) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        sandbox.set_faults(next_fault=fault, next_calls=1)

        assert uploads.upload(kept.pk).file_id
        call = LedgerEntry.objects.get()
        assert call.state == EntryState.ACCEPTED
        assert "fileQuery" in call.evidence

    def test_what_did_not_arrive_is_uploaded_again(self, sandbox: RunningSandbox) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        with pytest.raises(UploadFailed, match="cannot arrive twice"):
            uploads.upload(kept.pk)

        assert uploads.upload(kept.pk).file_id
        assert list(LedgerEntry.objects.order_by("pk").values_list("state", flat=True)) == ["unknown", "accepted"]

    def test_any_other_refusal_says_why_and_it_can_be_tried_again(self, sandbox: RunningSandbox) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        sandbox.set_faults(status="-25", status_calls=1, paths=["/voice/fileUpload"])

        with pytest.raises(UploadFailed, match=r"“hello\.mp3” was not uploaded: .*-25"):
            uploads.upload(kept.pk)

        assert uploads.upload(kept.pk).file_id
        assert list(LedgerEntry.objects.order_by("pk").values_list("state", flat=True)) == ["refused", "accepted"]

    def test_a_lost_answer_and_a_list_that_cannot_be_read_leave_it_unknown(self, sandbox: RunningSandbox) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        sandbox.set_faults(next_fault="reset_after", next_calls=3, paths=["/voice/file"])
        with pytest.raises(UploadFailed, match="cannot arrive twice"):
            uploads.upload(kept.pk)
        assert LedgerEntry.objects.get().state == EntryState.UNKNOWN

        assert uploads.upload(kept.pk).file_id
        assert LedgerEntry.objects.get().state == EntryState.ACCEPTED
        assert sandbox.stats()["calls"]["/voice/fileUpload"] == 1

    def test_it_waits_for_one_that_is_at_it(self, sandbox: RunningSandbox) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")

        with leases.lease(f"audio-upload:{kept.pk}"), pytest.raises(UploadFailed, match="right now"):
            uploads.upload(kept.pk)

        assert not LedgerEntry.objects.exists()

    def test_nothing_leaves_while_the_account_is_held(self, sandbox: RunningSandbox) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        AccountHold.objects.create(scope="account", sentence="No funds.", placed_at=timezone.now(), probe_wait=15)

        with pytest.raises(UploadFailed, match=r"“hello\.mp3” was not uploaded: .*No funds"):
            uploads.upload(kept.pk)

        assert LedgerEntry.objects.get().state == EntryState.NOT_SENT
        assert "/voice/fileUpload" not in sandbox.stats()["calls"]

    @pytest.mark.parametrize("is_seen", [True, False])
    def test_a_strangers_file_of_that_name_is_not_taken_for_ours(
        self, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, is_seen: bool
    ) -> None:
        """Whether the list shows it at once or Laaffic's refusal tells it."""
        laaffic_client().voice.upload_audio(file_name="hello.mp3", data=2 * samples.mpeg())
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        if not is_seen:
            monkeypatch.setattr(uploads, "_look_up", lambda file: None)

        with pytest.raises(UploadFailed):
            uploads.upload(kept.pk)

        kept.refresh_from_db()
        assert kept.file_id == ""

    def test_one_that_laaffic_lists_without_an_id_is_said(
        self, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        with pytest.raises(UploadFailed):
            uploads.upload(kept.pk)
        monkeypatch.setattr(uploads, "_look_up", lambda file: UploadedAudio("", file.name, None, None))

        with pytest.raises(UploadFailed, match="without an id"):
            uploads.upload(kept.pk)

    def test_two_who_add_the_same_at_once_get_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        seen = AudioFile.objects.filter
        looks = iter([AudioFile.objects.none()])  # it is not there yet when it is looked for
        monkeypatch.setattr(AudioFile.objects, "filter", lambda **given: next(looks, None) or seen(**given))
        monkeypatch.setattr(uploads, "check_free", lambda name: None)

        assert uploads.add(samples.mpeg(), "hello.mp3") == (first, False)

    def test_a_duplicate_of_our_own_is_the_first_that_arrived(
        self, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        seen = uploads._look_up
        with monkeypatch.context() as blind:
            blind.setattr(uploads, "_look_up", lambda file: None)
            with pytest.raises(UploadFailed):
                uploads.upload(kept.pk)
        looks = iter([lambda file: None])  # the list lags behind: it has the file at the second look
        monkeypatch.setattr(uploads, "_look_up", lambda file: next(looks, seen)(file))

        assert uploads.upload(kept.pk).file_id
        states = dict(LedgerEntry.objects.values_list("attempt", "state"))
        assert states == {1: EntryState.ACCEPTED, 2: EntryState.REFUSED}

    def test_a_name_of_somebody_else_is_not_ours(self, sandbox: RunningSandbox) -> None:
        from laaffic_console.gateway.services.client.account import laaffic_client

        laaffic_client().voice.upload_audio(file_name="hello.mp3", data=samples.mpeg() * 2)
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")

        with pytest.raises(UploadFailed, match="another name"):
            uploads.upload(kept.pk)
        uploads.rename(kept, "hello2.mp3")

        assert uploads.upload(kept.pk).name == "hello2.mp3"
        with pytest.raises(ValidationError, match="keeps it"):
            uploads.rename(AudioFile.objects.get(), "hello3.mp3")

    def test_who_renames_it_during_an_upload_finds_it_uploaded_or_stops_it(
        self, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Under its new name it would be looked for in vain after a lost answer."""
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")

        def rename(file: AudioFile) -> None:
            uploads.rename(AudioFile.objects.get(pk=file.pk), "hello2.mp3")

        monkeypatch.setattr(uploads, "_look_up", rename)
        with pytest.raises(UploadFailed, match="renamed"):
            uploads.upload(kept.pk)
        assert not LedgerEntry.objects.exists()

        entry = LedgerEntry.objects.create(
            interface="voice/fileUpload", about_kind=uploads.ABOUT, about_id=kept.pk, prepared_at=timezone.now()
        )
        assert entry.state == EntryState.PREPARED
        with pytest.raises(ValidationError, match="keeps it"):
            uploads.rename(AudioFile.objects.get(), "hello3.mp3")

    def test_an_older_gateway_tells_no_id_and_the_list_does(self, sandbox: RunningSandbox) -> None:
        sandbox.sandbox.options.dialect = "seed"
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")

        assert uploads.upload(kept.pk).file_id


class PageTests:
    def test_bad_fields_come_back_with_what_was_typed(self, admin_client: Client) -> None:
        given = {"file": SimpleUploadedFile("a.mp3", samples.picture()), "name": "Spring.mp3"}
        page = admin_client.post(reverse(ADD), given).content.decode()
        assert "By its content the file is PNG" in page
        assert 'value="Spring.mp3"' in page

        given["file"] = SimpleUploadedFile("a.mp3", samples.mpeg())
        given["name"] = "a" * 29 + ".mp3"
        answer = admin_client.post(reverse(ADD), given, headers={"X-Requested-With": "fetch"})
        assert list(answer.json()["errors"]) == ["name"]

    def test_what_is_being_uploaded_is_not_deleted(self, admin_client: Client) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        page = reverse("admin:voice_audiofile_delete", args=[kept.pk])
        with leases.lease(f"audio-upload:{kept.pk}"):
            shown = admin_client.post(page, {"post": "yes"}, follow=True).content.decode()
        assert "being uploaded right now" in shown
        assert AudioFile.objects.exists()

        admin_client.post(page, {"post": "yes"})
        assert not AudioFile.objects.exists()

    def test_it_is_served_as_audio_in_parts_and_as_nothing_else(self, admin_client: Client) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        address = reverse("admin:voice_audiofile_content", args=[kept.pk])

        whole = admin_client.get(address)
        part = admin_client.get(address, headers={"Range": "bytes=10-19"})
        last = admin_client.get(address, headers={"Range": "bytes=-5"})
        beyond = admin_client.get(address, headers={"Range": "bytes=999999-"})

        assert (whole["Content-Type"], whole["X-Content-Type-Options"]) == ("audio/mpeg", "nosniff")
        assert whole.content == samples.mpeg()
        assert (part.status_code, part.content) == (206, samples.mpeg()[10:20])
        assert part["Content-Range"] == f"bytes 10-19/{len(samples.mpeg())}"
        assert last.content == samples.mpeg()[-5:]
        assert beyond.status_code == 416

    def test_without_permission_there_is_nothing(self, client: Client) -> None:
        kept, _is_new = uploads.add(samples.mpeg(), "hello.mp3")
        user = User.objects.create_user("eve", is_staff=True)
        client.force_login(user)
        pages = [reverse(ADD), *(reverse(f"admin:voice_audiofile_{p}", args=[kept.pk]) for p in ("change", "content"))]
        assert {client.get(page).status_code for page in pages} == {403}
        user.user_permissions.add(Permission.objects.get(codename="view_audiofile"))

        acts = [reverse(f"admin:voice_audiofile_{p}", args=[kept.pk]) for p in ("upload", "rename", "archive")]
        assert {client.post(page).status_code for page in acts} == {403}
        assert client.get(pages[2]).status_code == 200
