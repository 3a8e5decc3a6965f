"""`manage.py voice`: the same services, one JSON document."""

import datetime as dt
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.laaffic import Spoken
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, ContactGroup
from tests.laaffic.conftest import wait_until
from tests.messaging.mms import attachment_samples as samples
from tests.test_odd_arguments import LATIN
from voice.models import CallRecord, GroupTask, SipCall
from voice.services.spoken.options import TtsOptions

pytestmark = pytest.mark.django_db(transaction=True)


def said(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("voice", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_phones_are_read_and_called(sandbox: RunningSandbox, application: Application) -> None:
    assert said("sync") == {"phones voiceApp": 5, "sip records": 0, "group records": 0, "group tasks": 0}

    assert said("call", "test_001", "+919876500000")["state"] == "accepted"
    assert SipCall.objects.get().callee == "919876500000"


def test_troubles_are_told(sandbox: RunningSandbox, application: Application, tmp_path: Path) -> None:
    said("sync")
    sandbox.sandbox.options.busy_phones = ["test_001"]
    with pytest.raises(CommandError, match="not idle"):
        said("call", "test_001", "+919876500000")
    with pytest.raises(CommandError, match="Unknown SIP phone"):
        said("call", "nobody", "+919876500000")
    with pytest.raises(CommandError, match="cannot be read"):
        said("upload", str(tmp_path / "none.mp3"))


def test_a_file_is_uploaded_once(sandbox: RunningSandbox, tmp_path: Path) -> None:
    file = tmp_path / "hello.mp3"
    file.write_bytes(samples.mpeg())

    first, second = said("upload", str(file)), said("upload", str(file))

    assert (first["new"], second["new"]) == (True, False)
    assert first["file_id"] == second["file_id"] != ""


class GroupTests:
    NEW = ("group", "create", "--name", "Spring", "--app", "voiceApp", "--text", "Hello")

    @pytest.mark.parametrize(
        ("option", "to"),
        [
            (["--agent-key", "0"], "--agent-group"),
            (["--callout-rate", "2"], "--agent-group"),
            (["--sms-text", "Sorry we missed you"], "--sms-app"),
            (["--sms-sender-id", "SHOP"], "--sms-app"),
            (["--sms-on-answer", "0"], "--sms-app"),
            (["--sms-on-key", "0"], "--sms-app"),
            (["--sms-on-failure"], "--sms-app"),
            (["--sms-on-ringing"], "--sms-app"),
            (["--in-request"], "--audio"),
        ],
        ids=lambda given: given[0].strip("-") if isinstance(given, list) else "",
    )
    def test_what_belongs_to_another_option_is_not_taken_alone(
        self, application: Application, numbers: str, option: list[str], to: str
    ) -> None:
        with pytest.raises(CommandError, match=f"{option[0]} belongs to {to}"):
            said(*self.NEW, "--file", numbers, *option)

        assert not GroupTask.objects.exists()

    @pytest.fixture
    def numbers(self, tmp_path: Path) -> str:
        file = tmp_path / "list.csv"
        file.write_text("phone\n" + "\n".join(f"+{919876500000 + n}" for n in range(20)) + "\n+919876500000\n")
        return str(file)

    def test_a_list_whose_name_is_in_another_encoding(self, application: Application, tmp_path: Path) -> None:
        file = tmp_path / f"{LATIN}.csv"
        file.write_text("phone\n+919876500000\n")

        assert said(*self.NEW, "--file", str(file))["numbers"] == 1

    def test_a_task_is_created_launched_and_followed(
        self, sandbox: RunningSandbox, application: Application, numbers: str
    ) -> None:
        sandbox.sandbox.options.group_calls_per_second = 2000.0
        draft = said(*self.NEW, "--file", numbers, "--window", "00:00-23:59", "--language", "en")
        assert GroupTask.objects.get().language == "EN"
        assert (draft["state"], draft["numbers"], draft["twice"]) == ("draft", 20, 1)

        launched = said("group", "launch", str(draft["id"]))
        assert launched["state"] == "submitting"
        for _ in range(100):
            shown = said("group", "show", str(draft["id"]))
            if shown["state"] == "finished":
                break
            time.sleep(0.05)

        assert (shown["called"], shown["connected"] + shown["failed"]) == (20, 20)
        assert [task["id"] for task in said("group", "list", "--state", "finished")] == [draft["id"]]
        assert said("group", "again", str(draft["id"]))["numbers"] == 20

    def test_it_is_cancelled(self, sandbox: RunningSandbox, application: Application, numbers: str) -> None:
        later = (timezone.now() + dt.timedelta(hours=2)).isoformat()
        task = said(*self.NEW, "--file", numbers, "--send-at", later, "--launch")

        assert said("group", "cancel", str(task["id"]))["state"] == "cancelled"

    def test_troubles_are_told_at_their_field(
        self, sandbox: RunningSandbox, application: Application, numbers: str
    ) -> None:
        for arguments, told in (
            (
                ["--max-ringing", "10", "--speaking-rate", "0.1"],
                r"(?s)--speaking-rate: From 0\.25 to 4\..*--max-ringing: From 20 to 120 seconds",
            ),
            (["--window", "09:00-10:00"] * 4, "--window: 4 windows"),
            (["--window", "12:00-09:00"], "ends before it starts"),
            (["--window", "noon"], "not a pair of times"),
            (["--window", "09:00+02:00-12:00"], "Window 1 is not a pair of times"),
            (["--window", "09:00-10:00", "--window", "11:00Z-12:00Z"], "Window 2 is not a pair of times"),
            (["--window", "09:00:10-09:00:50"], "not a pair of times"),
            (["--window", "9:00-12:00"], "not a pair of times"),
            (["--group", "nobody"], "no group"),
            (["--send-at", "soon"], "--send-at “soon” is not a moment"),
            (["--send-at", "2027-05-03"], "not a moment"),
            (["--send-at", "9999-12-31T23:59-05:00"], "The year 9999 is out of range"),
            (["--not-after", "0001-01-01 00:00"], "--not-after: The year 1 is out of range"),
            (["--sms-app", "other"], "no application other for sms. Register it"),
        ):
            with pytest.raises(CommandError, match=told):
                said(*self.NEW, "--file", numbers, *arguments)
        with pytest.raises(CommandError, match="--group: Choose who"):
            said(*self.NEW)
        sandbox.set_faults(status="-26", status_calls=1)
        with pytest.raises(CommandError, match=r"(?s)-26.*It is kept as draft \d+: manage.py voice group launch"):
            said(*self.NEW, "--file", numbers, "--launch")
        with pytest.raises(CommandError, match="no task 999"):
            said("group", "show", "999")


class SayTests:
    def test_a_draft_with_every_parameter(self, application: Application, group: ContactGroup) -> None:
        made = said(
            *("say", "--name", "Reminder", "--app", "voiceApp", "--text", "Hi", "--group", "customers"),
            *("--language", "en", "--accent", "44", "--gender", "female", "--speed", "0.9", "--times", "2"),
            *("--ring", "30", "--again", "1", "--again-after", "7", "--longest", "50", "--display-number", "861000000"),
        )
        draft = Campaign.objects.get(pk=made["id"])
        options = TtsOptions.of(draft)
        assert (draft.state, draft.channel, options.display_number) == ("draft", "voice", "861000000")
        assert options.spoken == Spoken(
            text="Hi",
            language="EN",
            accent="44",
            gender=2,
            speaking_rate=0.9,
            loop_count=2,
            recall_count=1,
            recall_interval=7,
            max_duration=50,
            max_ringing_time=30,
        )

    def test_a_few_first(self, application: Application, group: ContactGroup) -> None:
        given = ["--name", "R", "--app", "voiceApp", "--text", "Hi", "--group", "customers", "--canary", "5%"]

        made = said("say", *given, "--canary-wait", "3", "--canary-least", "90")

        draft = Campaign.objects.get(pk=made["id"])
        assert (draft.canary, draft.canary_wait, draft.canary_reports, draft.canary_least) == ("5%", 3, 50, 90)

    def test_bad_input_says_what_to_do(self, application: Application, group: ContactGroup) -> None:
        say = ["say", "--name", "R", "--app", "voiceApp", "--text", "Hi", "--group", "customers"]
        with pytest.raises(CommandError, match="--ring: 10 is not between 20 and 120"):
            said(*say, "--ring", "10")
        with pytest.raises(CommandError, match="There is no group “nobody”"):
            said(*say, "--group", "nobody")
        with pytest.raises(CommandError, match="register_app none --channel voice"):
            said(*say, "--app", "none")
        assert not Campaign.objects.exists()


def test_files_that_were_uploaded_elsewhere_are_listed(
    sandbox: RunningSandbox, application: Application, tmp_path: Path
) -> None:
    (tmp_path / "mine.wav").write_bytes(samples.tone())
    said("upload", str(tmp_path / "mine.wav"))
    laaffic_client().voice.upload_audio(file_name="other.wav", data=samples.tone())

    assert {(row["name"], row["ours"]) for row in said("files")} == {("mine.wav", True), ("other.wav", False)}


def test_one_record_is_asked_for_and_kept(sandbox: RunningSandbox, application: Application) -> None:
    said("sync")
    voice_id = said("call", "test_001", "+919876500000")["voice_id"]
    with pytest.raises(CommandError, match="asked for with --sip"):
        said("record", "2512111030001")
    wait_until(lambda: laaffic_client().voice.sip_record(voice_id) is not None)

    found = said("record", voice_id, "--sip")

    assert (found["voice_id"], found["callee"]) == (voice_id, "919876500000")
    assert CallRecord.objects.get().voice_id == voice_id
    with pytest.raises(CommandError, match="is not an id of a call"):
        said("record", "../x")
