"""Every voice request and answer that the documentation prints, and the records and pushes (docs/laaffic-api.md)."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from laaffic_console.laaffic import (
    CallKind,
    CallOutcome,
    GroupCall,
    HangUpSms,
    InvalidRequest,
    LaafficClient,
    OutcomeUnknown,
    Refused,
    RingingKind,
    SipPhone,
    Spoken,
    SpokenText,
    TaskStatus,
    ToAgent,
    parse_ringing,
    parse_voice_reports,
)
from laaffic_console.laaffic.call_records import outcome_of
from tests.laaffic.conftest import ScriptedGateway, answer, raw

CHINA = dt.timezone(dt.timedelta(hours=8))
PLAIN = b'{\n  "status": "0",\n  "reason": "success"\n}'
START = dt.datetime(2024, 6, 1, tzinfo=CHINA)


@pytest.fixture
def client(gateway: ScriptedGateway) -> LaafficClient:
    return gateway.client()


def asked(gateway: ScriptedGateway) -> tuple[str, str, Any]:
    received = gateway.received[-1]
    return received.method, received.target, received.json() if received.body else None


class CompanionRequestTests:
    """Phones, passwords, and a file played to many."""

    def test_sip_add(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(b'{"status": "0", "reason": "success", "data": null}'))

        client.voice.add_phones(
            app_id="4luaKsL2", group="sipGroup", name="sip-1", quantity=2, display_number="861000000"
        )

        assert asked(gateway) == (
            "POST",
            "/v3/voice/sipAdd",
            {
                "appId": "4luaKsL2",
                "groupName": "sipGroup",
                "phoneName": "sip-1",
                "quantity": 2,
                "displayNum": "861000000",
            },
        )

    @pytest.mark.parametrize("data", ['"n3wPassw"', '{"account": "test_001", "password": "n3wPassw"}'])
    def test_sip_reset(self, gateway: ScriptedGateway, client: LaafficClient, data: str) -> None:
        gateway.will(raw(f'{{"status": "0", "reason": "success", "data": {data}}}'.encode()))

        assert client.voice.reset_password(app_id="4luaKsL2", account="test_001") == "n3wPassw"
        assert asked(gateway) == ("POST", "/v3/voice/sipReset", {"appId": "4luaKsL2", "account": "test_001"})

    def test_half_an_answer_cites_no_password(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        half = b'{"status": "0", "data": "n3wPassw'
        gateway.will(raw(half), raw(half))

        for ask in (
            lambda: client.voice.reset_password(app_id="4luaKsL2", account="test_001"),
            lambda: client.voice.phones(app_id="4luaKsL2"),
        ):
            with pytest.raises(OutcomeUnknown) as lost:
                ask()
            assert "n3w" not in str(lost.value) + repr(vars(lost.value))

    @pytest.mark.parametrize("data", ["null", '""', '{"account": "test_001"}'])
    def test_a_reset_that_brings_no_password_is_unknown(
        self, gateway: ScriptedGateway, client: LaafficClient, data: str
    ) -> None:
        gateway.will(raw(f'{{"status": "0", "reason": "success", "data": {data}}}'.encode()))

        with pytest.raises(OutcomeUnknown, match="no password"):
            client.voice.reset_password(app_id="4luaKsL2", account="test_001")

    @pytest.mark.parametrize("data", [None, "12205181141482000029", {}])
    def test_a_play_that_names_no_calls_is_unknown(
        self, gateway: ScriptedGateway, client: LaafficClient, data: object
    ) -> None:
        gateway.will(answer({"status": "0", "reason": "success", "data": data}))

        with pytest.raises(OutcomeUnknown, match="names no calls"):
            client.voice.play(app_id="a", file_id="f", numbers=["932111111111"])

    def test_a_call_of_a_play_without_its_number_costs_no_other(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        rows = [{"voiceId": "1", "terminationCode": "0"}, {"voiceId": "2", "callee": "932111111111"}]
        gateway.will(answer({"status": "0", "reason": "success", "data": rows}))

        (played,) = client.voice.play(
            app_id="a", file_id="f", numbers=["932111111111"], display_number="861000000", max_duration=None
        )

        assert (played.number, played.voice_id) == ("932111111111", "2")
        assert asked(gateway)[2]["displayNum"] == "861000000"

    def test_rows_without_what_names_them_are_left_out(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        def page(*rows: dict[str, Any]) -> dict[str, Any]:
            return {"status": "0", "reason": "success", "data": {"total": 2, "pages": 1, "records": list(rows)}}

        gateway.will(
            answer(page({"phoneName": "nobody's"}, {"account": "a1"})),
            answer(page({"size": 3}, {"fileId": "f1"})),
            answer(page({"status": 2}, {"jobId": 7})),
        )

        phones = client.voice.phones(app_id="a")
        files = client.voice.audio_files()
        tasks = client.group_calls.tasks(start=START, end=START + dt.timedelta(days=1), statuses=[TaskStatus.FINISHED])

        assert [phone.account for phone in phones.records] == ["a1"]
        assert [file.file_id for file in files.records] == ["f1"]
        assert [task.key for task in tasks.records] == ["7"]
        assert [len(found.problems) for found in (phones, files, tasks)] == [1, 1, 1]
        assert asked(gateway)[2]["params"]["statusList"] == [int(TaskStatus.FINISHED)]

    @pytest.mark.parametrize(("data", "found"), [([], None), ({}, None), ("", None), ([{"voiceId": "v1"}], "v1")])
    def test_one_record_may_come_in_a_list_or_not_at_all(
        self, gateway: ScriptedGateway, client: LaafficClient, data: object, found: str | None
    ) -> None:
        gateway.will(answer({"status": "0", "reason": "success", "data": data}))

        record = client.voice.sip_record("v1")

        assert (record and record.voice_id) == found

    def test_send_group(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(
            raw(
                b'{"status": "0", "reason": "success", "data": [{"voiceId": "12205181141482000029", "callee": '
                b'"932111111111", "terminationCode": "0", "terminationReason": "success"}, {"callee": "932111111112", '
                b'"terminationCode": "-9", "terminationReason": "abnormal"}]}'
            )
        )

        played = client.voice.play(
            app_id="4luaKsL2", file_id="f.mp3", numbers=["932111111111", "932111111112"], max_duration=60, loop_count=2
        )

        assert [(one.number, one.voice_id, one.is_accepted) for one in played] == [
            ("932111111111", "12205181141482000029", True),
            ("932111111112", "", False),
        ]
        assert asked(gateway) == (
            "POST",
            "/v3/voice/sendGroup",
            {
                "appId": "4luaKsL2",
                "fileId": "f.mp3",
                "callee": "932111111111,932111111112",
                "loopCount": 2,
                "maxRingingTime": 60,
                "maxDuration": 60,
            },
        )

    @pytest.mark.parametrize(
        ("field", "given"),
        [
            ("fileId", {"file_id": ""}),
            ("callee", {"numbers": []}),
            ("callee", {"numbers": ["932111111111"] * 1001}),
            ("callee", {"numbers": ["+932111111111"]}),
            ("maxDuration", {"max_duration": 121}),
            ("loopCount", {"loop_count": 10}),
            ("displayNum", {"display_number": "12"}),
        ],
    )
    def test_limits_of_a_play(self, client: LaafficClient, field: str, given: dict[str, Any]) -> None:
        with pytest.raises(InvalidRequest) as problem:
            client.voice.play(**{"app_id": "a", "file_id": "f", "numbers": ["932111111111"]} | given)

        assert problem.value.field == field


class PrintedRequestTests:
    """The short document of thirteen interfaces: what is printed is what is sent."""

    def test_send_sip(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(PLAIN))

        voice_id = client.voice.call(
            app_id="4luaKsL2", account="test_001", callee="932111111111", display_number="1008122211"
        )

        assert voice_id == ""  # the printed answer tells none
        assert asked(gateway) == (
            "POST",
            "/v3/voice/sendSip",
            {"callee": "932111111111", "displayNum": "1008122211", "account": "test_001", "appId": "4luaKsL2"},
        )

    def test_sip_query(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(
            raw(b'{"status": "0", "reason": "success", "data": {"total": 10, "size": 20, "current": 1, "records": []}}')
        )

        page = client.voice.phones(app_id="4luaKsL2", current=1, size=20)

        assert (page.records, page.total) == ([], 10)
        assert asked(gateway) == (
            "POST",
            "/v3/voice/sipQuery",
            {"current": 1, "size": 20, "params": {"appId": "4luaKsL2"}},
        )

    def test_send_code(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(PLAIN))

        client.voice.speak(
            app_id="4luaKsL2",
            callee="932111111111",
            display_number="1008122211",
            spoken=Spoken(
                text="hello world",
                language="EN",
                accent="91",
                gender=2,
                loop_count=2,
                max_duration=120,
                delay_play=0,
                delay_hangup=0,
            ),
            called_info="calledInfo",
        )

        assert asked(gateway) == (
            "POST",
            "/v3/voice/sendCode",
            {
                "callee": "932111111111",
                "displayNum": "1008122211",
                "language": "EN",
                "accent": "91",
                "ssmlGender": 2,
                "speakingRate": 1,
                "text": "hello world",
                "appId": "4luaKsL2",
                "loopCount": 2,
                "recallCount": 0,
                "recallInterval": 0,
                "maxDuration": 120,
                "maxRingingTime": 60,
                "calledInfo": "calledInfo",
                "delayPlay": 0,
                "delayHangup": 0,
            },
        )

    def test_group_call(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(PLAIN))

        key = client.group_calls.send(
            GroupCall(
                app_id="iaAJ6COV",
                task_name="2024-06-03 10:42:0511",
                announcement=SpokenText(text="Mã xác nhận của bạn là 22294", language="VN"),
                numbers=["8613242926514"],
                max_talk=40,
                display_number="1008122211",
                send_at=dt.datetime(2024, 6, 21, tzinfo=CHINA),
                windows=[(dt.time(18, 28), dt.time(19, 28))],
                hang_up_sms=HangUpSms(app_id="9obbP7Nl", content="123", sender_id="123", on_ringing=True),
                to_agent=ToAgent(group_id=1000019, key=0),
            )
        )

        assert key == ""
        method, target, body = asked(gateway)
        assert (method, target) == ("POST", "/v3/voice/group/call/send")
        assert json.dumps(body, ensure_ascii=False) == json.dumps(  # the printed order too
            {
                "appId": "iaAJ6COV",
                "taskName": "2024-06-03 10:42:0511",
                "source": 3,
                "loopCount": 1,
                "maxCalls": 40,
                "hangUpSms": 1,
                "toSeat": 1,
                "sipGroupId": 1000019,
                "outboundControl": 1,
                "calloutRate": 1,
                "toSeatKey": 0,
                "toSeatType": 2,
                "numberList": ["8613242926514"],
                "sendTime": "2024-06-21 00:00:00",
                "text": "Mã xác nhận của bạn là 22294",
                "smsAppId": "9obbP7Nl",
                "senderId": "123",
                "smsContent": "123",
                "feedbackValue": 0,
                "successPushTime": 10,
                "feedbackPush": 0,
                "successPush": 0,
                "failedPush": 0,
                "ringPush": 1,
                "lan": "VN",
                "displayNum": "1008122211",
                "maxRingingTime": 60,
                "allowSendTime": [{"strTime": "18:28", "endTime": "19:28"}],
            },
            ensure_ascii=False,
        )

    def test_file_upload(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(PLAIN))

        assert client.voice.upload_audio(file_name="test.mp3", data=b"ID3") == ""
        assert asked(gateway) == ("POST", "/v3/voice/fileUpload", {"fileName": "test.mp3", "file": "SUQz"})


class VendorAnswerTests:
    """The vendor's own pages: what they add."""

    def test_data_is_the_voice_id(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": 0, "reason": " success", "data": "12205181141482000029"}))

        assert client.voice.call(app_id="a", account="b", callee="9321111111") == "12205181141482000029"

    def test_an_uploaded_file_has_an_id(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        file_id = "12022022570cc2484c59d4f8b9745d34226285b1e.mp3"
        gateway.will(answer({"status": "0", "reason": "success", "data": file_id}))

        assert client.voice.upload_audio(file_name="test.mp3", data=b"ID3") == file_id

    def test_a_phone_never_brings_its_password(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        row = {
            "groupName": "sipGroup",
            "phoneName": "sip-1",
            "account": "test_001",
            "password": "s3cr3tpw",
            "displayNum": "861000000",
        }
        gateway.will(answer({"status": "0", "reason": "success", "data": {"total": 1, "pages": 1, "records": [row]}}))

        page = client.voice.phones(app_id="a", current=1, size=10)

        assert page.records == [SipPhone("test_001", "sipGroup", "sip-1", "861000000")]
        assert "s3cr3tpw" not in repr(page)

    def test_busy_is_said(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "-68", "reason": "The sip is not idle"}))

        with pytest.raises(Refused) as refused:
            client.voice.call(app_id="a", account="b", callee="9321111111")

        assert "busy" in refused.value.advice

    def test_the_other_envelope_of_the_task_query(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        row = {
            "jobId": 10001,
            "taskName": "Autumn",
            "status": 2,
            "rate": "100",
            "numCnt": 40,
            "callNum": 40,
            "success": 30,
            "fail": 10,
            "createdTime": "2024-06-03 10:42:05",
        }
        data = {"records": [row], "total": 1, "size": 10, "current": 1, "pages": 1}
        gateway.will(answer({"code": 0, "msg": "success", "data": data}))

        page = client.group_calls.tasks(start=START, end=START + dt.timedelta(days=1), search="Autumn")

        (task,) = page.records
        assert (task.key, task.status, task.total, task.succeeded, task.failed) == (
            "10001",
            TaskStatus.FINISHED,
            40,
            30,
            10,
        )
        assert task.created_at == dt.datetime(2024, 6, 3, 2, 42, 5, tzinfo=dt.UTC)
        assert asked(gateway)[2]["params"] == {
            "strTime": "2024-06-01 00:00:00",
            "endTime": "2024-06-02 00:00:00",
            "searchCondition": "Autumn",
        }

    def test_a_refusal_in_the_other_envelope(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"code": -54, "msg": "Task error"}))

        with pytest.raises(Refused, match="-54"):
            client.group_calls.cancel(["10001"])

    def test_a_task_of_the_newer_pages_is_named_by_task_id(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        data = {"records": [{"taskId": 7, "taskName": "AI", "status": 9}], "total": 1}
        gateway.will(answer({"code": "0", "msg": "success", "data": data}))

        (task,) = client.group_calls.tasks(start=START, end=START + dt.timedelta(days=1)).records

        assert (task.key, task.status, task.raw_status) == ("7", None, "9")


RECORD = {
    "voiceId": "12205181141482000029",
    "callee": "919876500000",
    "displayNum": "861000000",
    "code": "India(Karnataka)",
    "submitTime": "2022-05-18T11:41:48+08:00",
    "callTime": "2022-05-18T11:41:48+08:00",
    "ringingTime": "2022-05-18T11:41:50+08:00",
    "answerTime": "2022-05-18T11:41:58+08:00",
    "hangupTime": "2022-05-18T11:42:18+08:00",
    "callDuration": 20,
    "chargedDuration": 60,
    "terminationCode": "200",
    "terminationReason": "OK",
    "cost": "0.0200",
    "billPeriod": "60+60",
    "feedbackValue": "-1",
    "calledInfo": "lc-1042",
}


class RecordTests:
    def test_asked_for_and_pushed_say_the_same(self) -> None:
        milliseconds = {
            name: int(dt.datetime.fromisoformat(value).timestamp() * 1000)
            for name, value in RECORD.items()
            if isinstance(value, str) and name.endswith("Time")
        }
        asked_for = parse_voice_reports(RECORD).calls[0]
        pushed = parse_voice_reports({"array": [RECORD | milliseconds | {"type": 2}]}).calls[0]

        assert pushed.kind is CallKind.TTS
        for name in ("voice_id", "submitted_at", "answered_at", "hung_up_at", "duration", "charged", "cost", "outcome"):
            assert getattr(asked_for, name) == getattr(pushed, name), name
        assert asked_for.answered_at == dt.datetime(2022, 5, 18, 3, 41, 58, tzinfo=dt.UTC)
        assert (asked_for.cost, asked_for.currency, asked_for.key_pressed) == (Decimal("0.0200"), "USD", "")

    def test_the_older_cost_is_in_euros(self) -> None:
        older = {name: value for name, value in RECORD.items() if name != "cost"} | {"costEur": "0.03"}

        record = parse_voice_reports(older).calls[0]

        assert (record.cost, record.currency) == (Decimal("0.03"), "EUR")

    def test_fourteen_digits_are_a_moment_too(self) -> None:
        record = parse_voice_reports(RECORD | {"callTime": "20220518114148"}).calls[0]

        assert record.called_at == dt.datetime(2022, 5, 18, 3, 41, 48, tzinfo=dt.UTC)

    def test_what_is_no_record_costs_no_other(self) -> None:
        parsed = parse_voice_reports([RECORD, {"callee": "1"}, 7])

        assert len(parsed.calls) == 1
        assert len(parsed.problems) == 2

    @pytest.mark.parametrize(
        ("code", "status", "answered", "outcome"),
        [
            ("0", None, False, CallOutcome.ANSWERED),
            ("200", None, True, CallOutcome.ANSWERED),
            ("486", None, False, CallOutcome.BUSY),
            ("480", None, False, CallOutcome.NO_ANSWER),
            ("404", None, False, CallOutcome.NO_SUCH_NUMBER),
            ("503", None, False, CallOutcome.FAILED),
            ("", None, True, CallOutcome.ANSWERED),
            ("", None, False, CallOutcome.FAILED),
            ("0", 40, True, CallOutcome.VOICEMAIL),
            ("0", 10, False, CallOutcome.BUSY),
            ("480", 50, True, CallOutcome.ANSWERED),
            ("480", 99, False, CallOutcome.NO_ANSWER),
        ],
    )
    def test_outcomes(self, code: str, status: int | None, answered: bool, outcome: CallOutcome) -> None:
        assert outcome_of(code, status, answered=answered) is outcome

    def test_ringing(self) -> None:
        parsed = parse_ringing(
            [
                {
                    "callId": "c1",
                    "type": 1,
                    "taskId": 10001,
                    "called": "+919876500000",
                    "calledInfo": "",
                    "seatGroupName": "agents",
                    "sipAccount": "test_001",
                    "noAnswerSipList": ["test_000"],
                    "callinEventTime": "2024-06-03 10:42:05",
                }
            ]
        )

        (event,) = parsed.events
        assert (event.called, event.task_id, event.sip_account) == ("919876500000", "10001", "test_001")
        assert (event.kind, event.unanswered) == (RingingKind.TO_AGENT, ["test_000"])
        assert event.at == dt.datetime(2024, 6, 3, 2, 42, 5, tzinfo=dt.UTC)
