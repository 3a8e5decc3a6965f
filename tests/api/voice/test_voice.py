"""Calls, audio files, spoken messages and group calls from a script, against the sandbox over real HTTP."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from laaffic_console.api.models import RepeatableRequest
from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.laaffic import Family, Refused, lookup
from laaffic_console.laaffic.voice import VoiceApi
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Calendar, Campaign, ContactGroup, SuppressionEntry
from messaging.services.contacts import consents
from messaging.services.contacts.consents import Said
from tests.api.conftest import Api
from tests.api.files import sent
from tests.messaging.conftest import add_contacts, point_at
from tests.messaging.mms import attachment_samples as samples
from tests.voice.conftest import phone, quick, sandbox
from voice.models import AudioFile, CallRecord, GroupTask, SipCall, SipPhone
from voice.services.calls import sip_calls as calls

__all__ = ["phone", "quick", "sandbox"]
pytestmark = pytest.mark.django_db(transaction=True)

CALL = {"account": "test_001", "number": "+91 98765 00000"}


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="voiceApp", channel="voice", connections=4)


@pytest.fixture
def api(api: Api, sandbox: RunningSandbox, settings: LazySettings) -> Api:
    """Pointed at the sandbox again, after the fixture that points nowhere."""
    point_at(settings, sandbox)
    return api


def rung(sandbox: RunningSandbox) -> int:
    return len(sandbox._ask("GET", "/sandbox/calls")["calls"])


class CallTests:
    def test_made_once_for_a_key(self, api: Api, sandbox: RunningSandbox, phone: SipPhone) -> None:
        answers = [api("POST", "calls", CALL, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in answers] == [202, 202], answers[0].content
        assert answers[0].json()["id"] == answers[1].json()["id"] == SipCall.objects.get().pk
        assert (answers[0].json()["state"], answers[0].json()["number"]) == ("accepted", "919876500000")
        assert rung(sandbox) == 1
        assert [row["id"] for row in api("GET", "calls?number=919876500000").json()["items"]] == [
            SipCall.objects.get().pk
        ]

    def test_a_process_that_dies_after_it_was_prepared_calls_nobody_again(
        self, api: Api, sandbox: RunningSandbox, phone: SipPhone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever has become of the first: the repeat names it, and its state says what is known."""

        class Killed(BaseException):
            pass

        def killed(*_args: Any) -> Any:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(calls, "_make", killed)
            with pytest.raises(Killed):
                api("POST", "calls", CALL, Idempotency_Key="a")
        [asked] = RepeatableRequest.objects.all()
        assert asked.about == SipCall.objects.get().pk
        assert api("POST", "calls", CALL, Idempotency_Key="a").status_code == 409

        RepeatableRequest.objects.update(held_until=timezone.now() - dt.timedelta(seconds=1))
        answer = api("POST", "calls", CALL, Idempotency_Key="a")

        assert (answer.status_code, answer.json()["id"]) == (202, asked.about)
        assert (rung(sandbox), LedgerEntry.objects.count(), SipCall.objects.count()) == (0, 1, 1)

    @pytest.mark.parametrize("code", ["-22", "-26"])  # wrong in itself, and for now
    def test_a_refusal_tells_no_number_to_those_who_see_masked_ones(
        self, api_with: Callable[..., Api], api: Api, phone: SipPhone, monkeypatch: pytest.MonkeyPatch, code: str
    ) -> None:
        user = User.objects.create_user("lou")
        user.user_permissions.set(Permission.objects.filter(codename__in=("view_sipcall", "add_sipcall")))
        entry, reason = lookup(Family.VOICE, code), "no route to 919876500000"

        def refused(*_args: Any, **_named: Any) -> str:
            raise Refused(interface="voice/sendSip", entry=entry, reason=reason, http_status=200)

        monkeypatch.setattr(VoiceApi, "call", refused)

        answer = api_with(user=user)("POST", "calls", CALL, Idempotency_Key="a")
        listed = api_with(user=user)("GET", "calls").json()["items"]

        assert answer.status_code in (400, 409)
        assert "9198•••••000" in answer.json()["detail"]
        assert "9198•••••000" in listed[0]["advice"]
        assert "919876500000" not in f"{answer.json()} {listed}"

    def test_a_lost_answer_is_told_and_not_sent_again(self, api: Api, sandbox: RunningSandbox, phone: SipPhone) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        answer = api("POST", "calls", CALL, Idempotency_Key="a")
        assert (answer.status_code, answer.json()["state"]) == (202, "unknown")
        assert "s answer was lost" in answer.json()["advice"]

        assert api("POST", "calls", CALL, Idempotency_Key="a").json()["id"] == answer.json()["id"]
        other = api("POST", "calls", CALL, Idempotency_Key="b")
        assert (other.status_code, rung(sandbox)) == (409, 1)
        assert api("POST", "calls", {**CALL, "again": "they asked"}, Idempotency_Key="c").status_code == 202

    def test_what_was_refused_can_be_asked_again_under_its_key(
        self, api: Api, sandbox: RunningSandbox, phone: SipPhone
    ) -> None:
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=0)
        SuppressionEntry.objects.create(number="919876500000", channel="all", reason="manual")
        refused = api("POST", "calls", CALL, Idempotency_Key="a")
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "number")
        SuppressionEntry.objects.all().delete()

        assert api("POST", "calls", CALL, Idempotency_Key="a").status_code == 202

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"account": "nobody"}, "Unknown SIP phone nobody"),
            ({"number": "12"}, "2 digits"),
            ({"display_number": "1"}, "display number"),
            ({"application": "other"}, "does not know the appId other"),
        ],
    )
    def test_bad_input_is_told(self, api: Api, phone: SipPhone, changed: dict[str, str], said: str) -> None:
        answer = api("POST", "calls", {**CALL, **changed})

        assert answer.status_code == 400
        assert said in answer.json()["detail"]
        assert not SipCall.objects.exists()

    def test_records_and_phones(self, api: Api, api_with: Callable[..., Api], phone: SipPhone) -> None:
        now = timezone.now()
        record = CallRecord.objects.create(
            voice_id="v1",
            callee="919876500000",
            at=now,
            outcome="answered",
            duration=7,
            source="push",
            first_seen_at=now,
        )
        assert api("GET", f"call-records/{record.pk}").json()["seconds"] == 7
        assert api("GET", "call-records?outcome=busy").json()["items"] == []
        assert len(api("GET", "sip-phones").json()["items"]) == 5
        clerk = User.objects.create_user("clerk")
        clerk.user_permissions.set(Permission.objects.filter(codename="view_callrecord"))
        assert api_with(user=clerk)("GET", "call-records").json()["items"][0]["number"] == "9198•••••000"


class AudioTests:
    def test_kept_once_and_uploaded_once(self, api: Api, sandbox: RunningSandbox) -> None:
        made = [sent(api, "audio-files", "hello.wav", samples.tone()) for _time in range(2)]
        assert [answer.status_code for answer in made] == [201, 200], made[0].content
        pk = AudioFile.objects.get().pk

        up = [api("POST", f"audio-files/{pk}/upload", Idempotency_Key="a") for _time in range(2)]
        assert [answer.status_code for answer in up] == [200, 200]
        assert up[0].json()["file_id"] == up[1].json()["file_id"] != ""
        assert LedgerEntry.objects.count() == 1

    def test_what_is_no_audio_is_refused(self, api: Api) -> None:
        answer = sent(api, "audio-files", "hello.wav", b"hello")

        assert answer.status_code == 400
        assert not AudioFile.objects.exists()

    def test_one_that_is_too_large_is_told(self, api: Api, settings: LazySettings) -> None:
        settings.AUDIO_MAX_BYTES = 1000
        answer = sent(api, "audio-files", "hello.wav", samples.tone())

        assert answer.status_code == 400
        assert "MB" in answer.json()["detail"]

    def test_how_large_a_large_one_is_is_told_although_it_is_not_read(self, api: Api) -> None:
        answer = sent(api, "audio-files", "hello.mp3", b"ID3" + bytes(6 * 1024 * 1024))
        assert "The file has 6.1 MB; at most 5 MB" in answer.json()["detail"]

        barely = sent(api, "audio-files", "hello.mp3", b"ID3" + bytes(5 * 1024 * 1024))
        assert "The file has 5.1 MB; at most 5 MB" in barely.json()["detail"]


def test_a_spoken_message_is_drafted_and_launched_as_any_campaign(
    api: Api, application: Application, group: ContactGroup
) -> None:
    add_contacts(group, 2)
    asked = {
        "name": "Reminder",
        "application": "voiceApp",
        "text": "Hello",
        "groups": ["customers"],
        "gender": "female",
    }
    made = api("POST", "spoken-messages", asked, Idempotency_Key="a")
    assert (made.status_code, made.json()["channel"]) == (201, "voice"), made.content
    assert Campaign.objects.get().channel_options["gender"] == 2

    assert api("POST", f"campaigns/{made.json()['id']}/launch", {}).json()["state"] == "running"
    assert api("POST", "spoken-messages", {**asked, "text": "x" * 1001}).status_code == 400


class GroupCallTests:
    DAY = f"{timezone.localdate() + dt.timedelta(days=60)}"
    ASKED = {"name": "Notice", "application": "voiceApp", "text": "Hello", "to": ["919876500000", "919876500001"]}

    def test_drafted_checked_and_launched_once(self, api: Api, application: Application, quick: None) -> None:
        made = api("POST", "group-calls", self.ASKED, Idempotency_Key="a")
        assert (made.status_code, made.json()["numbers"]) == (201, 2), made.content
        pk = made.json()["id"]
        check = api("GET", f"group-calls/{pk}/check").json()
        assert check["recipients"] == 2
        seen = {"shown": check["shown"], "seen": [one["key"] for one in check["checks"]]}

        launched = [api("POST", f"group-calls/{pk}/launch", seen, Idempotency_Key=key) for key in ("b", "b", "c")]
        assert [answer.status_code for answer in launched] == [200] * 3, launched[0].content
        assert LedgerEntry.objects.filter(interface="voice/group/call/send").count() == 1
        assert api("GET", f"group-calls/{pk}/check").status_code == 409

    def test_a_language_in_small_letters(self, api: Api, application: Application) -> None:
        made = api("POST", "group-calls", self.ASKED | {"language": "en"})

        assert (made.status_code, GroupTask.objects.get().language) == (201, "EN")

    def test_invalid_numbers_are_left_out_by_a_field(self, api: Api, application: Application) -> None:
        asked = self.ASKED | {"to": [*self.ASKED["to"], "nobody"]}

        assert "send “skip_invalid”: true" in api("POST", "group-calls", asked).json()["detail"]
        assert api("POST", "group-calls", asked | {"skip_invalid": True}).status_code == 201

    def test_a_language_that_nobody_speaks(self, api: Api, application: Application) -> None:
        for path, asked in (("group-calls", self.ASKED), ("spoken-messages", {**self.ASKED, "language": "xx"})):
            refused = api("POST", path, asked | {"language": "xx"})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "language"), path
            assert "EN, ES, PT" in refused.json()["detail"]
        made = api("POST", "group-calls", self.ASKED | {"language_code": "sw"})

        assert (made.status_code, GroupTask.objects.get().language) == (201, "SW")

    @pytest.mark.parametrize(("seconds", "status"), [(0, 201), (9999, 201), (10_000, 400), (-1, 400)])
    def test_an_sms_after_as_many_seconds_as_laaffic_takes(
        self, api: Api, application: Application, seconds: int, status: int
    ) -> None:
        Application.objects.create(app_id="smsApp", channel="sms")
        sms = {"application": "smsApp", "text": "Thank you", "on_answer_seconds": seconds}

        answer = api("POST", "group-calls", self.ASKED | {"sms": sms})

        assert answer.status_code == status, answer.content
        assert [task.sms_answer_seconds for task in GroupTask.objects.all()] == ([seconds] if status == 201 else [])

    def test_hours_and_purpose(self, api: Api, application: Application, settings: LazySettings) -> None:
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True
        Calendar.objects.create(name="Days", hours="mon-sun 00:00-24:00")
        consents.put([Said(self.ASKED["to"][0], "voice", "given", timezone.now(), "form")])
        care = {"calendar": "Days", "not_after": f"{self.DAY}T10:00:00Z", "purpose": "marketing"}

        made = api("POST", "group-calls", self.ASKED | care).json()

        assert {name: made[name] for name in care} == care | {"not_after": made["not_after"]}
        assert made["not_after"].startswith(f"{self.DAY}T10:00")
        check = api("GET", f"group-calls/{made['id']}/check").json()
        assert (check["recipients"], check["no_consent"], check["capped"]) == (1, 1, 0)
        assert api("POST", "group-calls", self.ASKED | {"calendar": "No such"}).status_code == 400

    def test_what_was_changed_since_is_not_launched(self, api: Api, application: Application) -> None:
        pk = api("POST", "group-calls", self.ASKED).json()["id"]
        check = api("GET", f"group-calls/{pk}/check").json()
        GroupTask.objects.update(text="Other")
        answer = api("POST", f"group-calls/{pk}/launch", {"shown": check["shown"]})

        assert answer.status_code == 409
        assert GroupTask.objects.get().state == "draft"
        assert api("POST", f"group-calls/{pk}/launch", {"shown": "x"}).status_code == 400

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"to": ["12"]}, "12"),
            ({"audio": "x.mp3"}, "either “text”"),
            ({"windows": [["09:00"]]}, "windows"),
            ({"windows": [["25:00", "26:00"]]}, "windows"),
            ({"application": "nobody"}, "does not know the appId nobody"),
            ({"speed": 9}, "speed"),
            ({"transfer": {"agent_group": 0}}, "From 1 to 2,147,483,647"),
        ],
    )
    def test_bad_input_is_told(self, api: Api, application: Application, changed: dict[str, Any], said: str) -> None:
        answer = api("POST", "group-calls", {**self.ASKED, **changed})

        assert answer.status_code == 400
        assert said in str(answer.json())
        assert not GroupTask.objects.exists()

    def test_a_draft_is_not_cancelled_and_a_lost_answer_launches_nothing_twice(
        self, api: Api, application: Application, sandbox: RunningSandbox
    ) -> None:
        pk = api("POST", "group-calls", self.ASKED).json()["id"]
        assert api("POST", f"group-calls/{pk}/cancel").status_code == 409
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)

        states = {api("POST", f"group-calls/{pk}/launch", {}).json()["state"] for _time in range(2)}
        assert states <= {"unknown", "waiting", "calling", "finished"}
        assert LedgerEntry.objects.filter(interface="voice/group/call/send").count() == 1
