"""Every MMS request and answer that the documentation prints, and replies."""

import base64
import datetime as dt
import itertools
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from laaffic_console.laaffic import (
    InvalidRequest,
    LaafficClient,
    OutcomeUnknown,
    Refused,
    Reply,
    parse_sms_replies,
    reply_windows,
)
from laaffic_console.laaffic.mms import FILE_TYPES, MAX_FILE
from tests.laaffic.conftest import ScriptedGateway, answer, hang, raw
from tests.laaffic.test_golden_sms import DOCUMENTED_HEADERS
from tests.laaffic.test_properties import ANY_JSON, LEAF

APP_ID = "4luaKsL2"
CHINA = ZoneInfo("Asia/Shanghai")
NUMBERS = ["91856321412", "91856321413"]
SUCCESS = b'{\n  "status": "0",\n  "reason": "success"\n}'


class UploadTests:
    def test_the_documented_request_and_answer(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SUCCESS))

        attachment_id = client.mms.upload(file_type="png", data=b"\x89PNG\r\n\x1a\n")

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/mmsUpload")
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()
        assert request.body == b'{"fileType":"png","fileData":"iVBORw0KGgo="}'
        assert attachment_id == ""

    def test_the_vendors_answer_names_the_attachment(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "0", "reason": "success", "data": "57_3_1727059993381.txt"}))

        assert client.mms.upload(file_type="txt", data=b"123456") == "57_3_1727059993381.txt"
        assert gateway.received[0].json()["fileData"] == "MTIzNDU2"

    @pytest.mark.parametrize("data", [None, {}, [], {"id": "x"}])
    def test_an_answer_that_names_none_is_a_success_all_the_same(
        self, gateway: ScriptedGateway, client: LaafficClient, data: object
    ) -> None:
        gateway.will(answer({"status": "0", "reason": "success", "data": data}))

        assert client.mms.upload(file_type="txt", data=b"123456") == ""

    @pytest.mark.parametrize("file_type", FILE_TYPES)
    def test_each_of_the_thirteen_types(self, gateway: ScriptedGateway, client: LaafficClient, file_type: str) -> None:
        client.mms.upload(file_type=file_type, data=b"x")

        assert gateway.received[0].json()["fileType"] == file_type
        assert len(FILE_TYPES) == 13

    def test_fifty_kilobytes_are_allowed(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        client.mms.upload(file_type="png", data=b"x" * MAX_FILE)

        assert len(base64.b64decode(gateway.received[0].json()["fileData"])) == 51_200

    @pytest.mark.parametrize(
        ("file_type", "data", "says"),
        [
            ("exe", b"x", "fileType: 'exe' is not one of png jpg"),
            ("PNG", b"x", "fileType"),
            ("png", b"", "fileData: the file is empty"),
            ("png", b"x" * (MAX_FILE + 1), "fileData: 51,201 bytes; an attachment has at most 51,200"),
        ],
    )
    def test_limits(
        self, gateway: ScriptedGateway, client: LaafficClient, file_type: str, data: bytes, says: str
    ) -> None:
        with pytest.raises(InvalidRequest, match=says):
            client.mms.upload(file_type=file_type, data=data)
        assert gateway.received == []


class SendTests:
    def send(self, client: LaafficClient, **changed: Any) -> Any:
        asked = {
            "app_id": APP_ID,
            "numbers": NUMBERS,
            "content": "hello world",
            "attachment_ids": ["57_3_1727059993381.txt", "57_4_1727059993382.png"],
            "title": "hi",
        }
        return client.mms.send(**(asked | changed))

    def test_the_request_and_the_answer(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        array = [{"msgId": "m2", "number": NUMBERS[1]}, {"msgId": "m1", "number": NUMBERS[0]}]
        gateway.will(answer({"status": "0", "reason": "success", "success": "2", "fail": "0", "array": array}))

        result = self.send(client)

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/mmsSend")
        assert request.body == (
            b'{"appId":"4luaKsL2","numbers":"91856321412,91856321413","content":"hello world","mmsType":"1",'
            b'"mmsFiles":"57_3_1727059993381.txt,57_4_1727059993382.png","mmsTitle":"hi"}'
        )
        assert (result.msg_ids, result.unknown_positions) == (["m1", "m2"], [])
        assert (result.success, result.fail) == (2, 0)

    def test_a_random_title(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        self.send(client, random_title=True)

        assert gateway.received[0].json()["mmsType"] == "2"

    def test_a_number_that_is_left_out_was_rejected(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        array = [{"msgId": "m2", "number": NUMBERS[1]}]
        gateway.will(answer({"status": "0", "success": "1", "fail": "1", "array": array}))

        assert self.send(client).msg_ids == [None, "m2"]

    def test_a_number_that_is_there_twice_gets_both_ids(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        array = [{"msgId": "m1", "number": NUMBERS[0]}, {"msgId": "m2", "number": NUMBERS[0]}]
        gateway.will(answer({"status": "0", "success": "2", "array": array}))

        assert self.send(client, numbers=[NUMBERS[0]] * 2).msg_ids == ["m1", "m2"]

    def test_an_empty_order_id_in_the_answer_proves_no_order(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        array = [{"msgId": f"m{n}", "number": NUMBERS[n], "orderId": ""} for n in (1, 0)]
        gateway.will(answer({"status": "0", "success": "2", "array": array}))

        assert self.send(client).msg_ids == ["m0", "m1"]

    def test_ids_alone_are_matched_by_position(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "0", "msgIds": ["m1", "m2"]}))

        assert self.send(client).msg_ids == ["m1", "m2"]

    def test_a_success_without_ids_is_submitted_under_unknown_ones(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(raw(SUCCESS))

        assert self.send(client).unknown_positions == [0, 1]

    @pytest.mark.parametrize(
        ("changed", "says"),
        [
            ({"attachment_ids": ["a", "b", "c", "d"]}, "mmsFiles: 4 attachments; a call carries 1 to 3"),
            ({"attachment_ids": []}, "mmsFiles: 0 attachments"),
            ({"attachment_ids": ["a,b"]}, "mmsFiles: an entry is empty or holds a comma"),
            ({"attachment_ids": [" "]}, "mmsFiles: an entry is empty"),
            ({"numbers": ["91856321412"] * 1001}, "numbers: 1001 numbers; a call carries 1 to 1,000"),
            ({"numbers": []}, "numbers: 0 numbers"),
            ({"numbers": ["+91856321412"]}, "numbers"),
            ({"content": ""}, "content: 0 characters; it has 1 to 1024"),
            ({"content": " \n"}, "content: it is nothing but spaces"),
            ({"content": "👋" * 1025}, "content: 1025 characters"),
            ({"title": "x" * 81}, "mmsTitle: 81 characters; it has 0 to 80"),
            ({"app_id": ""}, "appId"),
        ],
    )
    def test_limits(self, gateway: ScriptedGateway, client: LaafficClient, changed: Any, says: str) -> None:
        with pytest.raises(InvalidRequest, match=says):
            self.send(client, **changed)
        assert gateway.received == []

    def test_the_edges_are_allowed(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        many = [str(919876500000 + index) for index in range(1000)]

        self.send(client, numbers=many, content="x" * 1024, title="x" * 80, attachment_ids=["a", "b", "c"])

        assert gateway.received[0].json()["mmsFiles"] == "a,b,c"

    def test_no_answer_is_unknown(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(hang)

        with pytest.raises(OutcomeUnknown):
            self.send(client)

    def test_a_refusal_is_read_by_the_common_table(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "-10", "reason": "no money"}))

        with pytest.raises(Refused, match="insufficient balance"):
            self.send(client)


START = dt.datetime(2024, 6, 1, tzinfo=CHINA)
PULLED = {
    "number": "91856321412",
    "sendId": "123",
    "receiveTime": "2024-06-03T10:42:05+08:00",
    "content": "STOP",
    "mcc": 404,
    "mnc": 1,
    "operator": "Airtel",
    "pricedetail": {"pay": "0.02", "chargeCnt": 1, "currency": "EUR", "price": "0.02"},
}
PUSHED = {
    "msgid": "2108021059531000096",
    "mobile": "91856321412",
    "reply_time": "2024-06-03 10:42:05",
    "content": "STOP",
    "sendid": "123",
    "mcc": 404,
    "mcn": 1,
    "operator": "Airtel",
    "pricedetail": {"pay": "0.02", "chargeCnt": 1, "currency": "EUR", "price": "0.02"},
}
READ = Reply(
    msg_id="2108021059531000096",
    number="91856321412",
    sender_id="123",
    content="STOP",
    at=dt.datetime(2024, 6, 3, 2, 42, 5, tzinfo=dt.UTC),
    mcc="404",
    mnc="1",
    operator="Airtel",
    price=Decimal("0.02"),
    pay=Decimal("0.02"),
    currency="EUR",
    segments=1,
)


class RecordMoTests:
    def test_the_request_and_the_answer(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        data = {"total": 1, "size": 10, "current": 1, "pages": 1, "records": [PULLED]}
        gateway.will(answer({"status": "0", "reason": "success", "data": data}))

        found = client.replies.query(app_id=APP_ID, start=START, end=START + dt.timedelta(days=30), size=10)

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/recordMo")
        assert request.body == (
            b'{"appId":"4luaKsL2","current":1,"size":10,"params":'
            b'{"strTime":"2024-06-01T00:00:00+08:00","endTime":"2024-07-01T00:00:00+08:00"}}'
        )
        [reply] = found.records
        assert (reply.msg_id, reply.number, reply.at) == ("", READ.number, READ.at)

    @pytest.mark.parametrize(
        ("start", "end", "says"),
        [
            (START, START, "endTime"),
            (START, START + dt.timedelta(days=31, seconds=1), "endTime: a window lasts at most one month"),
            (dt.datetime(2022, 6, 30, tzinfo=CHINA), dt.datetime(2022, 7, 10, tzinfo=CHINA), "strTime: .*2022-07-01"),
        ],
    )
    def test_limits(
        self, gateway: ScriptedGateway, client: LaafficClient, start: dt.datetime, end: dt.datetime, says: str
    ) -> None:
        with pytest.raises(InvalidRequest, match=says):
            client.replies.query(app_id=APP_ID, start=start, end=end)
        assert gateway.received == []

    @pytest.mark.parametrize("size", [0, 101])
    def test_a_page_has_at_most_a_hundred(self, gateway: ScriptedGateway, client: LaafficClient, size: int) -> None:
        with pytest.raises(InvalidRequest, match=f"size: {size} is not between 1 and 100"):
            client.replies.query(app_id=APP_ID, start=START, end=START + dt.timedelta(days=1), size=size)
        assert gateway.received == []

    def test_a_long_period_is_cut_into_windows(self) -> None:
        windows = reply_windows(dt.datetime(2022, 1, 1, tzinfo=CHINA), dt.datetime(2022, 9, 1, tzinfo=CHINA))

        assert windows[0][0] == dt.datetime(2022, 7, 1, tzinfo=CHINA)
        assert windows[-1][1] == dt.datetime(2022, 9, 1, tzinfo=CHINA)
        assert all(end - start <= dt.timedelta(days=28) for start, end in windows)
        assert all(before[1] == after[0] for before, after in itertools.pairwise(windows))


class PushedReplyTests:
    @pytest.mark.parametrize("body", [PUSHED, [PUSHED], {"array": [PUSHED]}, {" array": [PUSHED]}])
    def test_one_or_several(self, body: Any) -> None:
        assert parse_sms_replies(body).replies == [READ]

    def test_the_network_under_its_right_name(self) -> None:
        body = {name: value for name, value in PUSHED.items() if name != "mcn"} | {"mnc": 1}

        assert parse_sms_replies(body).replies == [READ]

    def test_keys_with_spaces_and_another_zone(self) -> None:
        body = {f" {name} ": value for name, value in PUSHED.items()}

        [reply] = parse_sms_replies(body, ZoneInfo("UTC")).replies

        assert reply.at == dt.datetime(2024, 6, 3, 10, 42, 5, tzinfo=dt.UTC)

    def test_a_plus_is_no_part_of_the_number(self) -> None:
        assert parse_sms_replies(PUSHED | {"mobile": "+91856321412"}).replies == [READ]

    def test_an_empty_content_is_a_reply(self) -> None:
        assert parse_sms_replies(PUSHED | {"content": ""}).replies[0].content == ""

    def test_what_is_no_reply_is_a_problem_and_costs_no_other(self) -> None:
        parsed = parse_sms_replies([{"mobile": "1"}, PUSHED, "STOP", {"content": "STOP"}])

        assert parsed.replies == [READ]
        assert parsed.problems == [
            "a reply without number or content",
            "not an object: 'STOP'",
            "a reply without number or content",
        ]

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.lists(st.dictionaries(st.sampled_from([*PUSHED, *PULLED]), LEAF | ANY_JSON) | ANY_JSON, max_size=4))
    @example([PUSHED | {"reply_time": "0001-01-01 00:00:00"}])
    @example([PUSHED | {"content": "\ud800\0"}])
    def test_every_entry_is_a_reply_or_a_problem(self, body: list[Any]) -> None:
        parsed = parse_sms_replies(body)

        assert len(parsed.replies) + len(parsed.problems) == len(body)
        for reply in parsed.replies:
            assert "\0" not in reply.content
            assert reply.content.encode() is not None
            assert reply.number
