"""The client's voice against a gateway of other hands: over HTTP, limits, pages, tasks that run, faults."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest

from laaffic_console.laaffic import (
    CallOutcome,
    GroupCall,
    HangUpSms,
    InvalidRequest,
    LaafficClient,
    OutcomeUnknown,
    Refused,
    Remedy,
    Spoken,
    SpokenText,
    TaskStatus,
    UploadedFile,
)
from laaffic_console.sandbox.testing import RunningSandbox
from tests.laaffic.against_sandbox import client_of, every

APP_ID = "4luaKsL2"
QUICK = {"ring_seconds": (0.0, 0.01), "talk_seconds": (0.0, 0.01), "group_calls_per_second": 2000.0}
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "


@pytest.fixture
def sandbox(start_sandbox: Callable[..., RunningSandbox]) -> RunningSandbox:
    return start_sandbox(**QUICK)


@pytest.fixture
def client(sandbox: RunningSandbox) -> LaafficClient:
    return client_of(sandbox)


def window() -> dict[str, dt.datetime]:
    now = dt.datetime.now(dt.UTC)
    return {"start": now - dt.timedelta(hours=1), "end": now + dt.timedelta(minutes=1)}


def call(client: LaafficClient, **changed: Any) -> str:
    return client.voice.call(
        **({"app_id": APP_ID, "account": "test_001", "callee": "919876500000", "called_info": "lc-1"} | changed)
    )


def group_call(name: str = "Autumn", count: int = 40, **changed: Any) -> GroupCall:
    given: dict[str, Any] = {
        "app_id": APP_ID,
        "task_name": name,
        "announcement": SpokenText(text="Hello", language="EN"),
        "numbers": [str(919876500000 + index) for index in range(count)],
        "max_talk": 60,
    }
    return GroupCall(**given | changed)


def finished(client: LaafficClient, name: str) -> Any:
    for _ in range(1200):
        task = client.group_calls.find(name, **window())
        if task and task.status is TaskStatus.FINISHED:
            return task
        time.sleep(0.05)
    raise AssertionError(f"{name} is not finished: {task}")


class SingleCallTests:
    def test_a_call_and_its_record(self, client: LaafficClient) -> None:
        voice_id = call(client)
        time.sleep(0.1)

        record = client.voice.sip_record(voice_id)

        assert record is not None
        assert (record.voice_id, record.callee, record.called_info) == (voice_id, "919876500000", "lc-1")
        assert [row.voice_id for row in every(client.voice.sip_records, **window())] == [voice_id]
        assert client.voice.group_record(voice_id) is None

    def test_a_busy_phone_is_to_be_tried_again(self, start_sandbox: Callable[..., RunningSandbox]) -> None:
        client = client_of(start_sandbox(busy_phones=["test_001"]))

        with pytest.raises(Refused) as refused:
            call(client)

        assert (refused.value.code, refused.value.calls_for) == ("-68", Remedy.RETRY)

    def test_spoken_text_and_its_record(self, client: LaafficClient) -> None:
        voice_id = client.voice.speak(
            app_id=APP_ID, callee="919876500001", spoken=Spoken(text="Your code is 1 2"), called_info="lc-2"
        )
        time.sleep(0.1)

        record = client.voice.group_record(voice_id)

        assert record is not None
        assert record.called_info == "lc-2"
        assert record.cost is not None
        assert record.currency == "USD"

    def test_phones_come_without_their_passwords(self, client: LaafficClient) -> None:
        phones = every(client.voice.phones, app_id=APP_ID)

        assert [phone.account for phone in phones] == [f"test_{n:03d}" for n in range(1, 6)]
        assert "pw0" not in repr(phones)

    def test_both_codes_say_answered(self, start_sandbox: Callable[..., RunningSandbox]) -> None:
        options = dict(**QUICK, answered_code="200", answer_rate=1.0, call_status=False)
        client = client_of(start_sandbox(**options))
        voice_id = call(client)
        time.sleep(0.1)

        record = client.voice.sip_record(voice_id)

        assert record is not None
        assert (record.termination_code, record.call_status) == ("200", None)
        assert record.outcome is CallOutcome.ANSWERED

    def test_a_lost_answer_is_unknown_and_the_record_names_our_mark(
        self, sandbox: RunningSandbox, client: LaafficClient
    ) -> None:
        sandbox.set_faults(next_fault="reset_after", next_calls=1)
        with pytest.raises(OutcomeUnknown):
            call(client, called_info="lc-77")
        time.sleep(0.1)

        assert [row.called_info for row in every(client.voice.sip_records, **window())] == ["lc-77"]

    def test_an_older_gateway_tells_no_id(self, start_sandbox: Callable[..., RunningSandbox]) -> None:
        assert call(client_of(start_sandbox(dialect="seed"))) == ""


class AudioTests:
    def test_upload_then_ask(self, client: LaafficClient) -> None:
        file_id = client.voice.upload_audio(file_name="hello.wav", data=WAV)

        found = list(client.voice.every_audio_file())

        assert [(entry.file_id, entry.name) for entry in found] == [(file_id, "hello.wav")]

    def test_the_same_name_again_says_that_it_is_there(self, client: LaafficClient) -> None:
        client.voice.upload_audio(file_name="hello.wav", data=WAV)

        with pytest.raises(Refused) as refused:
            client.voice.upload_audio(file_name="hello.wav", data=WAV)

        assert refused.value.code == "-20"
        assert refused.value.entry.says_duplicate

    def test_what_is_no_wav_is_refused(self, client: LaafficClient) -> None:
        with pytest.raises(Refused, match="-21"):
            client.voice.upload_audio(file_name="hello.wav", data=b"\x89PNG")


class CompanionTests:
    def test_phones_are_added_and_get_new_passwords(self, client: LaafficClient) -> None:
        client.voice.add_phones(app_id="4luaKsL2", group="sipGroup", name="desk", quantity=2)
        phones = every(client.voice.phones, app_id=APP_ID)
        assert len([phone for phone in phones if phone.name.startswith("desk")]) == 2

        given = {"app_id": "4luaKsL2", "account": phones[0].account}
        assert client.voice.reset_password(**given) != client.voice.reset_password(**given)

        with pytest.raises(Refused, match="-20"):
            client.voice.add_phones(app_id="4luaKsL2", group="sipGroup", name="sip-1")

    def test_a_file_is_played_to_many(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        file_id = client.voice.upload_audio(file_name="hello.wav", data=WAV)
        sandbox.set_faults(abnormal=["919876500001"])

        played = client.voice.play(app_id="4luaKsL2", file_id=file_id, numbers=["919876500000", "919876500001"])

        assert [one.is_accepted for one in played] == [True, False]
        time.sleep(0.1)
        record = client.voice.group_record(played[0].voice_id)
        assert record is not None
        assert record.callee == "919876500000"


class TaskTests:
    def test_it_runs_to_its_end_and_its_totals_are_its_records(self, client: LaafficClient) -> None:
        key = client.group_calls.send(group_call())
        task = finished(client, "Autumn")

        records = every(client.voice.group_records, **window())

        assert (task.key, task.total, task.called) == (key, 40, 40)
        answered = sum(record.outcome in (CallOutcome.ANSWERED, CallOutcome.VOICEMAIL) for record in records)
        assert (len(records), task.succeeded, task.failed) == (40, answered, 40 - answered)

    def test_its_name_is_taken_once(self, client: LaafficClient) -> None:
        client.group_calls.send(group_call())

        with pytest.raises(Refused) as refused:
            client.group_calls.send(group_call())

        assert refused.value.entry.says_duplicate
        assert len(list(client.group_calls.every_task(**window()))) == 1

    def test_a_lost_answer_is_settled_by_its_name(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        sandbox.set_faults(next_fault="bad_gateway_after", next_calls=1)
        with pytest.raises(OutcomeUnknown):
            client.group_calls.send(group_call("Lost"))

        assert client.group_calls.find("Lost", **window()) is not None
        assert client.group_calls.find("Los", **window()) is None

    def test_it_waits_for_its_time_and_can_be_changed_and_cancelled(self, client: LaafficClient) -> None:
        later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=2)
        key = client.group_calls.send(group_call(send_at=later))
        client.group_calls.update(key, group_call(count=3, send_at=later))

        task = client.group_calls.find("Autumn", **window())
        assert task is not None
        assert (task.status, task.total) == (TaskStatus.WAITING, 3)

        client.group_calls.cancel([key])
        task = client.group_calls.find("Autumn", **window())
        assert task is not None
        assert task.status is TaskStatus.CANCELLED

    def test_the_failed_are_called_again(self, client: LaafficClient) -> None:
        key = client.group_calls.send(group_call())
        first = finished(client, "Autumn")

        client.group_calls.resend(key, group_call("Autumn again"), failed_only=True)

        assert finished(client, "Autumn again").called == first.failed

    def test_an_sms_follows_where_it_was_asked_for(self, sandbox: RunningSandbox, client: LaafficClient) -> None:
        sms = HangUpSms(app_id="9obbP7Nl", content="We called", sender_id="SHOP", on_failure=True)
        client.group_calls.send(group_call(hang_up_sms=sms))
        task = finished(client, "Autumn")

        assert task.sms_sent == task.failed == sandbox.stats()["accepted"]

    def test_a_running_task_takes_no_other_in_its_place(self, client: LaafficClient) -> None:
        key = client.group_calls.send(group_call())
        finished(client, "Autumn")

        with pytest.raises(Refused, match="-37"):
            client.group_calls.update(key, group_call())


class LimitTests:
    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("callee", {"callee": "123456"}),
            ("callee", {"callee": "1234567890123456"}),
            ("displayNum", {"display_number": "12"}),
            ("calledInfo", {"called_info": "x" * 1001}),
            ("account", {"account": ""}),
        ],
    )
    def test_of_a_call(self, client: LaafficClient, field: str, given: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequest) as problem:
            call(client, **given)

        assert problem.value.field == field

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("text", {"text": ""}),
            ("text", {"text": "x" * 1001}),
            ("speakingRate", {"speaking_rate": 0.1}),
            ("speakingRate", {"speaking_rate": 4.1}),
            ("loopCount", {"loop_count": 10}),
            ("recallCount", {"recall_count": 10}),
            ("recallInterval", {"recall_count": 1, "recall_interval": 0}),
            ("maxDuration", {"max_duration": 121}),
            ("maxRingingTime", {"max_ringing_time": 10}),
            ("ssmlGender", {"gender": 3}),
            ("language", {"language": "en-GB"}),
            ("delayPlay", {"delay_play": 1000}),
        ],
    )
    def test_of_a_spoken_text(self, field: str, given: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequest) as problem:
            Spoken(**{"text": "Hello"} | given).fields()

        assert problem.value.field == field

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("taskName", {"task_name": "x"}),
            ("numberList", {"numbers": []}),
            ("numberList", {"numbers": ["123456"]}),
            ("maxCalls", {"max_talk": 1000}),
            ("maxRingingTime", {"max_ringing_time": 19}),
            ("loopCount", {"loop_count": 0}),
            ("allowSendTime", {"windows": [(dt.time(9), dt.time(8))]}),
            ("allowSendTime", {"windows": [(dt.time(h), dt.time(h + 1)) for h in range(4)]}),
            ("hangUpSms", {"hang_up_sms": HangUpSms(app_id="a", content="b")}),
            ("smsContent", {"hang_up_sms": HangUpSms(app_id="a", content="x" * 1001, on_failure=True)}),
            ("senderId", {"hang_up_sms": HangUpSms(app_id="a", content="b", sender_id="SH\u200bOP", on_failure=True)}),
            ("voiceFileId", {"announcement": UploadedFile("")}),
            ("lan", {"announcement": SpokenText(text="Hello", language="")}),
        ],
    )
    def test_of_a_task(self, field: str, given: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequest) as problem:
            group_call(**({"name": given.pop("task_name")} if "task_name" in given else {}), **given).fields()

        assert problem.value.field == field
