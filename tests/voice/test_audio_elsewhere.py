"""Files that Laaffic has and that were uploaded elsewhere: taken over by their id, so that calls can play them."""

import json
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.sandbox.testing import RunningSandbox
from laaffic_console.sandbox.voice import VoiceInterfaces
from tests.voice.group_calls.group_samples import at_sandbox, written
from voice.models import Announcement, AudioFile
from voice.services.audio import elsewhere as audio_elsewhere
from voice.services.audio import uploads
from voice.services.group_calls import tasks as group_tasks

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "admin:voice_audiofile_elsewhere"
WAV = (
    b"RIFF\x2c\x01\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00@\x1f\x00\x00\x01\x00\x08\x00"
    b"data\x08\x01\x00\x00" + b"\x80" * 264
)


def there(sandbox: RunningSandbox, name: str = "other.mp3", **changed: Any) -> str:
    """As if somebody had uploaded it from Laaffic's own console."""
    family = next(family for family in sandbox.sandbox.families if isinstance(family, VoiceInterfaces))
    row = {"fileId": f"id-{name}", "fileName": name, "createdTime": "2024-06-03T10:00:00+08:00", "duration": 12}
    family.files[name] = row | changed
    return f"id-{name}"


class TakeTests:
    def test_a_call_plays_it(self, sandbox: RunningSandbox, application: Application, quick: None) -> None:
        file_id = there(sandbox)

        taken = audio_elsewhere.take(file_id)
        assert audio_elsewhere.take(file_id) == taken

        assert (taken.name, taken.seconds, taken.is_at_laaffic, taken.has_content) == ("other.mp3", 12, True, False)
        task = written(application, source=Announcement.LIBRARY, audio=taken)
        group_tasks.launch(task.pk)
        assert at_sandbox(sandbox)[0].given["voiceFileId"] == file_id

    def test_it_cannot_travel_with_a_task(self, sandbox: RunningSandbox, application: Application) -> None:
        taken = audio_elsewhere.take(there(sandbox))
        with pytest.raises(ValidationError, match="Only Laaffic has this file"):
            written(application, source=Announcement.IN_REQUEST, audio=taken)

    def test_what_is_ours_is_not_offered(self, sandbox: RunningSandbox) -> None:
        there(sandbox)
        there(sandbox, "noid.mp3", fileId="")
        uploads.add(WAV, "mine.wav")
        there(sandbox, "mine.wav")  # an upload of ours whose answer was lost
        assert [file.name for file in audio_elsewhere.listed()] == ["other.mp3"]

        audio_elsewhere.take("id-other.mp3")
        uploads.upload(uploads.add(WAV + b"\0\0", "second.wav")[0].pk)

        assert audio_elsewhere.listed() == []

    @pytest.mark.parametrize(
        ("name", "said"),
        [("x" * 40 + ".mp3", "not a name of an audio file"), ("hello.exe", "not a name of an audio file")],
    )
    def test_a_name_that_is_none(self, sandbox: RunningSandbox, name: str, said: str) -> None:
        with pytest.raises(ValidationError, match=said):
            audio_elsewhere.take(there(sandbox, name))

    def test_a_name_that_the_library_has(self, sandbox: RunningSandbox) -> None:
        uploads.add(WAV, "other.wav")
        with pytest.raises(ValidationError, match="another file"):
            audio_elsewhere.take(there(sandbox, "other.wav"))

    def test_one_that_the_page_is_too_short_for(self, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(audio_elsewhere, "AT_MOST", 2)
        ids = {there(sandbox, f"file{n}.mp3") for n in range(4)}

        shown = {file.file_id for file in audio_elsewhere.listed()}

        assert len(shown) == 2
        for file_id in ids - shown:
            assert audio_elsewhere.take(file_id).file_id == file_id

    @pytest.mark.parametrize("file_id", ["", "nothing"])
    def test_an_id_that_is_not_listed(self, sandbox: RunningSandbox, file_id: str) -> None:
        there(sandbox, "noid.mp3", fileId="")
        with pytest.raises(ValidationError, match="does not have this file"):
            audio_elsewhere.take(file_id)


class PageTests:
    def test_listed_taken_over_and_shown(self, sandbox: RunningSandbox, admin_client: Client) -> None:
        file_id = there(sandbox, "<b>.mp3")
        library = admin_client.get(reverse("admin:voice_audiofile_changelist")).content.decode()
        assert reverse(PAGE) in library
        assert "&lt;b&gt;.mp3" in admin_client.get(reverse(PAGE)).content.decode()

        page = admin_client.post(reverse(PAGE), {"file_id": file_id}, follow=True).content.decode()

        taken = AudioFile.objects.get()
        assert "uploaded elsewhere" in page
        assert "<audio" not in page
        assert admin_client.get(reverse("admin:voice_audiofile_content", args=[taken.pk])).status_code == 404
        assert admin_client.get(reverse("admin:voice_audiofile_changelist")).status_code == 200
        form = admin_client.get(reverse("admin:voice_grouptask_add")).content.decode()
        assert "&lt;b&gt;.mp3" in form

    def test_a_tasks_page_has_no_player_for_it(
        self, sandbox: RunningSandbox, application: Application, admin_client: Client
    ) -> None:
        task = written(application, source=Announcement.LIBRARY, audio=audio_elsewhere.take(there(sandbox)))
        for name in ("change", "review"):
            page = admin_client.get(reverse(f"admin:voice_grouptask_{name}", args=[task.pk])).content.decode()
            assert "other.mp3" in page
            assert "<audio" not in page

    def test_laaffic_away_is_said(self, sandbox: RunningSandbox, admin_client: Client, settings: LazySettings) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:1/v3"
        account.laaffic_client.cache_clear()
        for page in (admin_client.get(reverse(PAGE)), admin_client.post(reverse(PAGE), {"file_id": "x"})):
            assert "No usable answer from Laaffic" in page.content.decode()
            assert "next synchronisation" not in page.content.decode()  # none takes it over

    def test_who_may(self, client: Client, db: None) -> None:
        user = User.objects.create_user("eve", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_audiofile"))
        client.force_login(user)
        assert [ask(reverse(PAGE)).status_code for ask in (client.get, client.post)] == [403, 403]
        assert reverse(PAGE) not in client.get(reverse("admin:voice_audiofile_changelist")).content.decode()


def test_from_the_shell(sandbox: RunningSandbox) -> None:
    file_id = there(sandbox)
    out = StringIO()
    call_command("voice", "take", file_id, "--json", stdout=out)
    assert json.loads(out.getvalue())["name"] == "other.mp3"
    with pytest.raises(CommandError, match="does not have this file"):
        call_command("voice", "take", "nothing")
