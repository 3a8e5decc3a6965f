"""Every email request and answer that the documentation prints, and its own codes (laaffic-api#email-codes)."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from laaffic_console.laaffic import (
    AdFlag,
    DeliveryState,
    EmailBatch,
    EmailDelivery,
    EmailSubmission,
    InvalidRequest,
    LaafficClient,
    OutcomeUnknown,
    Refused,
    Remedy,
    SubmissionState,
    parse_email_callbacks,
)
from tests.laaffic.conftest import NOW, ScriptedGateway, answer, hang, raw
from tests.laaffic.test_golden_sms import DOCUMENTED_HEADERS
from tests.laaffic.test_properties import ANY_JSON, LEAF

APP_ID = "fKFtblIy"
SENDER = "test@mailpush.laaffic.cn"
SUCCESS = b'{\n  "status": "0",\n  "reason": "success"\n}'
BATCH = EmailBatch(
    app_id=APP_ID,
    from_address=SENDER,
    receiver_id="1000",
    subject="hello world",
    template_id="1",
    url="https://IP:port/task/email/notice",
)
EVERYTHING = replace(BATCH, language="en", ad_flag=AdFlag.NONE, trigger_id=10, unsubscribe=True)


class BatchSendTests:
    def test_the_documented_post_and_answer(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SUCCESS))

        result = client.email.batch_send(BATCH)

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/email/batchSendEmail")
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()
        assert request.body == (
            b'{"appId":"fKFtblIy","fromEmailAddress":"test@mailpush.laaffic.cn","receiverId":"1000",'
            b'"subject":"hello world","templateID":"1","url":"https://IP:port/task/email/notice"}'
        )
        assert result.task_id == ""

    def test_the_documented_get(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SUCCESS))

        client.email.batch_send_get(replace(BATCH, subject="helloWorld"))

        [request] = gateway.received
        assert request.method == "GET"
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()
        assert request.target == (
            "/v3/email/batchSendEmail?appId=fKFtblIy&fromEmailAddress=test%40mailpush.laaffic.cn&receiverId=1000"
            "&subject=helloWorld&templateID=1&url=https%3A%2F%2FIP%3Aport%2Ftask%2Femail%2Fnotice"
        )
        printed = (
            "appId=fKFtblIy&fromEmailAddress=test@mailpush.laaffic.cn&receiverId=1000"
            "&subject=helloWorld&templateID=1&url=https://IP:port/task/email/notice"
        )
        assert parse_qsl(urlsplit(request.target).query) == parse_qsl(printed)

    def test_every_parameter_by_post(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "0", "reason": "success", "taskId": "2208031112341000001"}))

        result = client.email.batch_send(EVERYTHING)

        extra = {"adFlag": 0, "language": "en", "triggerID": 10, "isUnsubscribe": 1}
        assert gateway.received[0].json().items() >= extra.items()
        assert result.task_id == "2208031112341000001"

    def test_every_parameter_by_get(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        client.email.batch_send_get(EVERYTHING)

        query = dict(parse_qsl(urlsplit(gateway.received[0].target).query))
        assert query == {
            "appId": APP_ID,
            "fromEmailAddress": SENDER,
            "receiverId": "1000",
            "subject": "hello world",
            "templateID": "1",
            "url": "https://IP:port/task/email/notice",
            "adFlag": "0",
            "language": "en",
            "triggerID": "10",
            "isUnsubscribe": "1",
        }

    @pytest.mark.parametrize(
        "body",
        [{"taskId": 2208031112341000001}, {"data": "2208031112341000001"}, {"data": {"taskId": "2208031112341000001"}}],
    )
    def test_wherever_the_task_is_named(
        self, gateway: ScriptedGateway, client: LaafficClient, body: dict[str, Any]
    ) -> None:
        gateway.will(answer({"status": "0", "reason": "success"} | body))

        assert client.email.batch_send(BATCH).task_id == "2208031112341000001"

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"subject": "x" * 101}, "subject: 101 characters; it has 1 to 100"),
            ({"subject": ""}, "subject: 0 characters"),
            ({"from_address": ""}, "fromEmailAddress: '' is not an email address"),
            ({"from_address": "nobody"}, "fromEmailAddress"),
            ({"from_address": "a@b,c@d"}, "fromEmailAddress"),
            ({"from_address": "a b@c"}, "fromEmailAddress"),
            ({"receiver_id": ""}, "receiverId"),
            ({"template_id": ""}, "templateID"),
            ({"url": ""}, "url: a callback's address"),
            ({"url": "ftp://x"}, "url"),
            ({"url": "http://" + "x" * 2048}, "url"),
            ({"app_id": ""}, "appId"),
            ({"language": "x" * 17}, "language"),
            ({"ad_flag": 3}, "adFlag: 3 is not between 0 and 2"),
        ],
    )
    def test_limits(self, gateway: ScriptedGateway, client: LaafficClient, changed: Any, says: str) -> None:
        for call in (client.email.batch_send, client.email.batch_send_get):
            with pytest.raises(InvalidRequest, match=says):
                call(replace(BATCH, **changed))
        assert gateway.received == []

    def test_a_subject_of_a_hundred_characters_is_allowed(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        client.email.batch_send(replace(BATCH, subject="ü" * 100))

        assert "ü".encode() * 100 in gateway.received[0].body


class OutcomeTests:
    def test_no_answer_is_unknown(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(hang)

        with pytest.raises(OutcomeUnknown):
            client.email.batch_send(BATCH)
        assert len(gateway.received) == 1

    def test_a_duplicate_says_that_the_first_arrived(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "-2", "reason": "Repeat request"}))

        with pytest.raises(Refused) as refused:
            client.email.batch_send(BATCH)

        assert refused.value.says_duplicate
        assert refused.value.calls_for is Remedy.FATAL

    def test_for_sms_the_same_number_is_no_duplicate(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "-2", "reason": "IP restricted"}))

        with pytest.raises(Refused) as refused:
            client.get_balance()

        assert not refused.value.says_duplicate

    @pytest.mark.parametrize("code", ["-1", "-10", "-11", "-12", "-13", "-16", "-99", "1"])
    def test_no_other_refusal_is_a_duplicate(self, gateway: ScriptedGateway, client: LaafficClient, code: str) -> None:
        gateway.will(answer({"status": code, "reason": "no"}))

        with pytest.raises(Refused) as refused:
            client.email.batch_send(BATCH)
        assert not refused.value.says_duplicate

    def test_minus_six_is_signed_anew(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(
            answer({"status": "-6", "reason": "Timestamp expires"}, Date="Wed, 01 Sep 2021 05:00:00 GMT"),
            raw(SUCCESS),
        )

        client.email.batch_send(BATCH)

        assert [request.headers["Timestamp"] for request in gateway.received] == [str(int(NOW)), "1630472400"]

    def test_minus_twenty_three_is_unknown(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "-23", "reason": "Port program unusual"}))

        with pytest.raises(OutcomeUnknown):
            client.email.batch_send(BATCH)


class SendEmailTests:
    def send(self, client: LaafficClient, **changed: Any) -> Any:
        asked = {
            "app_id": APP_ID,
            "from_address": SENDER,
            "to_addresses": ["one@example.com", "two@example.com"],
            "subject": "hello world",
            "template_id": "1",
        }
        return client.email.send(**(asked | changed))

    def test_the_request_with_every_parameter(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.send(
            client,
            template_data={"code": "1234"},
            language="en",
            ad_flag=AdFlag.AFTER_SUBJECT,
            check_addresses=False,
            unsubscribe=True,
        )

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/email/sendEmail")
        assert request.body == (
            b'{"appId":"fKFtblIy","fromEmailAddress":"test@mailpush.laaffic.cn",'
            b'"toAddress":"one@example.com,two@example.com","subject":"hello world","templateID":"1",'
            b'"templateData":"{\\"code\\":\\"1234\\"}","adFlag":2,"language":"en","checkEmailAddress":false,'
            b'"isUnsubscribe":1}'
        )
        assert json.loads(request.json()["templateData"]) == {"code": "1234"}

    def test_what_is_not_said_is_left_out(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.send(client)

        assert list(gateway.received[0].json()) == ["appId", "fromEmailAddress", "toAddress", "subject", "templateID"]

    def test_the_answer(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        array = [
            {"emailId": 2208031112341000001, "toAddress": "one@example.com", "emailState": "成功", "remark": "成功"},
            {"emailId": "", "toAddress": "two@example.com", "emailState": "失败", "remark": "bad address"},
        ]
        gateway.will(answer({"status": "0", "success": "1", "fail": "1", "array": array}))

        result = self.send(client)

        assert (result.success, result.fail, result.problems) == (1, 1, [])
        assert [(mail.email_id, mail.state) for mail in result.emails] == [
            ("2208031112341000001", SubmissionState.SUBMITTED),
            ("", SubmissionState.FAILED),
        ]

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"to_addresses": []}, "toAddress: 0 addresses; a call carries 1 to 50"),
            ({"to_addresses": ["a@example.com"] * 51}, "toAddress: 51 addresses"),
            ({"to_addresses": ["nobody"]}, "toAddress: 'nobody' is not an email address"),
            ({"subject": "x" * 101}, "subject"),
            ({"template_id": ""}, "templateID"),
        ],
    )
    def test_limits(self, gateway: ScriptedGateway, client: LaafficClient, changed: Any, says: str) -> None:
        with pytest.raises(InvalidRequest, match=says):
            self.send(client, **changed)
        assert gateway.received == []


class DeliveriesTests:
    IDS = ["2208031112341000001", "2208031112361000002", "3", "4"]

    def test_the_request_and_the_answer(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        row = {"toAddress": "one@example.com", "receiveTime": "2021-02-12T09:30:03+08:00"}
        array = [
            row | {"emailId": email_id, "status": status}
            for email_id, status in zip(self.IDS[:3], ("0", -1, "1"), strict=True)
        ]
        gateway.will(
            answer({"status": "0", "success": "1", "fail": "1", "sending": "1", "nofound": "1", "array": array})
        )

        found = client.email.deliveries(app_id=APP_ID, email_ids=self.IDS)

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/email/getSendEmailRcd")
        assert request.body == b'{"appId":"fKFtblIy","emailId":"2208031112341000001,2208031112361000002,3,4"}'
        assert found.deliveries[0] == EmailDelivery(
            "2208031112341000001",
            "one@example.com",
            DeliveryState.DELIVERED,
            "0",
            dt.datetime(2021, 2, 12, 1, 30, 3, tzinfo=dt.UTC),
        )
        assert [told.state for told in found.deliveries[1:]] == [DeliveryState.PENDING, DeliveryState.FAILED]
        assert (found.success, found.fail, found.sending, found.not_found) == (1, 1, 1, 1)

    @pytest.mark.parametrize("count", [0, 201])
    def test_at_most_two_hundred_ids(self, gateway: ScriptedGateway, client: LaafficClient, count: int) -> None:
        with pytest.raises(InvalidRequest, match=f"emailId: {count} ids; a call carries 1 to 200"):
            client.email.deliveries(app_id=APP_ID, email_ids=["1"] * count)
        assert gateway.received == []

    def test_a_status_nobody_documents_is_unknown(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "0", "array": [{"emailId": "1", "status": "7"}, {"emailId": "2"}]}))

        found = client.email.deliveries(app_id=APP_ID, email_ids=["1", "2"])

        assert [told.state for told in found.deliveries] == [DeliveryState.UNKNOWN]
        assert found.problems == ["a mail's record without emailId or status"]


class ChoicesTests:
    def test_recipient_lists_as_documented(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        row = {
            "receiverId": 1000,
            "receiversName": "Customers",
            "count": 20,
            "desc": None,
            "createTime": "2022-08-03 11:12:34",
        }
        gateway.will(answer({"status": "0", "reason": "success", "receiverData": [row]}))

        [found] = client.email.recipient_lists(app_id=APP_ID, name="Custom")

        assert gateway.received[0].target == "/v3/email/getListReceivers"
        assert gateway.received[0].body == b'{"appId":"fKFtblIy","receiversName":"Custom"}'
        assert (found.receiver_id, found.name, found.count, found.description) == ("1000", "Customers", 20, "")
        assert found.created_at == dt.datetime(2022, 8, 3, 3, 12, 34, tzinfo=dt.UTC)

    @pytest.mark.parametrize("holder", ["templateData", "data", "array"])
    def test_templates_under_whatever_name_their_list_has(
        self, gateway: ScriptedGateway, client: LaafficClient, holder: str
    ) -> None:
        row = {"templateID": 1, "templateName": "Welcome", "subject": "Hi", "language": "en", "templateStatus": 1}
        gateway.will(answer({"status": "0", "reason": "success", holder: [row, {"templateName": "without an id"}]}))

        [found] = client.email.templates(app_id=APP_ID, name="Wel", status=1, language="en")

        assert gateway.received[0].target == "/v3/email/getListEmailTemplates"
        assert gateway.received[0].body == (
            b'{"appId":"fKFtblIy","templateName":"Wel","templateStatus":1,"language":"en"}'
        )
        assert (found.template_id, found.name, found.subject, found.status) == ("1", "Welcome", "Hi", "1")

    @pytest.mark.parametrize(
        "body",
        [
            {"data": ["a@example.com", "b@example.com"]},
            {"data": {"records": [{"fromEmailAddress": "a@example.com"}, {"emailAddress": "b@example.com"}]}},
            {"emailAddressData": [{"address": "a@example.com"}, {"email": "b@example.com"}]},
        ],
    )
    def test_sender_addresses_in_whatever_shape(
        self, gateway: ScriptedGateway, client: LaafficClient, body: dict[str, Any]
    ) -> None:
        gateway.will(answer({"status": "0", "reason": "success"} | body))

        assert client.email.sender_addresses(app_id=APP_ID) == ["a@example.com", "b@example.com"]
        assert gateway.received[0].target == "/v3/email/getListEmailAddress"
        assert gateway.received[0].body == b'{"appId":"fKFtblIy"}'

    def test_an_answer_without_a_list_says_nothing(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SUCCESS))

        with pytest.raises(OutcomeUnknown, match="the answer holds no list"):
            client.email.templates(app_id=APP_ID)


CALLBACK = {
    "taskId": "2208031112341000000",
    "emailId": "2208031112341000001",
    "toAddress": "one@example.com",
    "emailState": "success",
    "remark": "success",
}


class CallbackTests:
    @pytest.mark.parametrize("body", [CALLBACK, [CALLBACK], {"array": [CALLBACK]}])
    def test_one_or_several(self, body: Any) -> None:
        assert parse_email_callbacks(body).submissions == [
            EmailSubmission(
                task_id="2208031112341000000",
                email_id="2208031112341000001",
                to_address="one@example.com",
                state=SubmissionState.SUBMITTED,
                raw_state="success",
                remark="success",
            )
        ]

    @pytest.mark.parametrize(
        ("word", "state"),
        [
            ("success", SubmissionState.SUBMITTED),
            (" Success ", SubmissionState.SUBMITTED),
            ("成功", SubmissionState.SUBMITTED),
            ("failure", SubmissionState.FAILED),
            ("FAIL", SubmissionState.FAILED),
            ("失败", SubmissionState.FAILED),
            ("éxito", SubmissionState.UNKNOWN),
            (None, SubmissionState.UNKNOWN),
        ],
    )
    def test_the_word_depends_on_the_language(self, word: str | None, state: SubmissionState) -> None:
        [told] = parse_email_callbacks(CALLBACK | {"emailState": word}).submissions

        assert told.state is state
        assert told.raw_state == (word or "").strip()

    def test_what_is_no_callback_is_a_problem_and_costs_no_other(self) -> None:
        parsed = parse_email_callbacks([{"taskId": "1"}, CALLBACK, None])

        assert len(parsed.submissions) == 1
        assert parsed.problems == ["a mail without emailId and toAddress", "not an object: None"]

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.lists(st.dictionaries(st.sampled_from([*CALLBACK, "emailId "]), LEAF | ANY_JSON) | ANY_JSON, max_size=4))
    @example([CALLBACK | {"remark": "\ud800\0"}])
    def test_every_entry_is_a_submission_or_a_problem(self, body: list[Any]) -> None:
        parsed = parse_email_callbacks(body)

        assert len(parsed.submissions) + len(parsed.problems) == len(body)
        for told in parsed.submissions:
            for value in (told.task_id, told.email_id, told.to_address, told.raw_state, told.remark):
                assert "\0" not in value
                assert value.encode() is not None
