"""Every SMS request and answer that the documentation prints: requests byte for byte, answers as they are read."""

import datetime as dt
from decimal import Decimal

import pytest

from laaffic_console.laaffic import (
    Balance,
    DeliveryState,
    LaafficClient,
    Refused,
    Remedy,
    SmsItem,
    Source,
    parse_sms_reports,
)
from tests.laaffic.conftest import ScriptedGateway, answer, raw

CHINA = dt.timezone(dt.timedelta(hours=8))
APP_ID = "4luaKsL2"
NUMBERS = ["91856321412", "91856321413"]
ORDERS = ["21412", "21413"]
MSG_IDS = ["2108021054011000095", "2108021059531000096"]
DOCUMENTED_HEADERS = {
    "Content-Type": "application/json;charset=UTF-8",
    "Api-Key": "bDqJFiq9",
    "Timestamp": "1630468800",
    "Sign": "05d7a50893e22a5c4bb3216ae3396c7c",
}

SEND_ANSWER = b"""{
  "status": "0",
  "reason": "success",
  "msgIds": ["2108021054011000095", "2108021059531000096"]
}"""

REPORT_ANSWER = b"""{
  "status": "0",
  "reason": "success",
  "success": "2",
  "fail": "0",
  "sending": "0",
  "nofound": "0",
  "array": [
    {
      "msgId": "2108021054011000095",
      "number": "91856321412",
      "receiveTime": "2021-02-12T09:30:03+08:00",
      "status": "0"
    },
    {
      "msgId": "2108021059531000096",
      "number": "91856321413",
      "receiveTime": "2021-02-12T09:30:03+08:00",
      "status": "0"
    }
  ]
}"""

SENT_RECORDS_ANSWER = b"""{
  "status": "0",
  "reason": "success",
  "data": {
    "total": 2,
    "records": [
      {
        "msgId": "2108021054011000095",
        "number": "91856321412",
        "receiveTime": "2021-02-12T09:30:03+08:00",
        "status": "0"
      },
      {
        "msgId": "2108021059531000096",
        "number": "91856321413",
        "receiveTime": "2021-02-12T09:30:03+08:00",
        "status": "0"
      }
    ]
  }
}"""

PUSHED = {
    "appId": "4luaKsL2",
    "msgid": "2108021059531000096",
    "mobile": "91850000000",
    "status": 0,
    "reason": "0",
    "timestamp": 1629801177192,
    "orderId": "gdkalskgn",
    "pricedetail": {"pay": "0.02", "currency": "EUR", "chargeCnt": 2, "price": "0.01"},
}

RECEIVED_AT = dt.datetime(2021, 2, 12, 1, 30, 3, tzinfo=dt.UTC)


class SendSmsTests:
    def test_the_post_is_the_documented_one(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SEND_ANSWER))

        result = client.send_sms(
            app_id=APP_ID, numbers=NUMBERS, content="hello world", sender_id="123", order_ids=ORDERS
        )

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/sendSms")
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()
        assert request.json() == {
            "appId": "4luaKsL2",
            "numbers": "91856321412,91856321413",
            "content": "hello world",
            "senderId": "123",
            "orderId": "21412,21413",
        }
        assert (result.msg_ids, result.unknown_positions) == (MSG_IDS, [])

    def test_the_post_is_utf8_without_escapes(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SEND_ANSWER))

        client.send_sms(app_id=APP_ID, numbers=NUMBERS, content='“नमस्ते” 👋\n"\\', order_ids=ORDERS)

        [request] = gateway.received
        assert (
            request.body
            == (
                '{"appId":"4luaKsL2","numbers":"91856321412,91856321413","content":"“नमस्ते” 👋\\n\\"\\\\",'
                '"senderId":"","orderId":"21412,21413"}'
            ).encode()
        )
        assert request.headers["Content-Length"] == str(len(request.body))

    def test_the_get_is_the_documented_one(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SEND_ANSWER))

        result = client.send_sms_get(
            app_id=APP_ID, numbers=NUMBERS, content="hello world", sender_id="123", order_ids=ORDERS
        )

        [request] = gateway.received
        assert (request.method, request.target, request.body) == (
            "GET",
            "/v3/sendSms?appId=4luaKsL2&numbers=91856321412,91856321413&content=hello%20world"
            "&senderId=123&orderId=21412,21413",
            b"",
        )
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()
        assert result.msg_ids == MSG_IDS

    def test_the_get_encodes_what_a_query_cannot_hold(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SEND_ANSWER))

        client.send_sms_get(app_id=APP_ID, numbers=NUMBERS, content="50% + 1 & é=#?/", order_ids=ORDERS)

        [request] = gateway.received
        assert "&content=50%25%20%2B%201%20%26%20%C3%A9%3D%23%3F%2F&" in request.target

    def test_the_batch_carries_several_contents(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(
            answer(
                {
                    "status": "0",
                    "reason": "success",
                    "success": "3",
                    "fail": "0",
                    "array": [
                        {"msgId": f"m{order}", "number": number, "orderId": order}
                        for number, order in [*zip(NUMBERS, ORDERS, strict=True), ("91856321414", "21414")]
                    ],
                }
            )
        )

        result = client.send_sms_batch(
            app_id=APP_ID,
            items=[SmsItem(NUMBERS, "hello", ORDERS, "123"), SmsItem(["91856321414"], "world", ["21414"])],
        )

        [request] = gateway.received
        assert (request.method, request.target) == ("POST", "/v3/sendSms/batch")
        assert request.json() == {
            "appId": "4luaKsL2",
            "array": [
                {
                    "numbers": "91856321412,91856321413",
                    "content": "hello",
                    "senderId": "123",
                    "orderId": "21412,21413",
                },
                {"numbers": "91856321414", "content": "world", "senderId": "", "orderId": "21414"},
            ],
        }
        assert result.msg_ids == ["m21412", "m21413", "m21414"]


class GetReportTests:
    def test_the_request_is_the_documented_one(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(REPORT_ANSWER))

        client.get_report(app_id=APP_ID, msg_ids=MSG_IDS)

        [request] = gateway.received
        assert (request.method, request.target) == (
            "GET",
            "/v3/getReport?appId=4luaKsL2&msgIds=2108021054011000095,2108021059531000096",
        )
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()

    def test_the_documented_answer_is_read(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(REPORT_ANSWER))

        page = client.get_report(app_id=APP_ID, msg_ids=MSG_IDS)

        assert (page.success, page.fail, page.sending, page.not_found, page.problems) == (2, 0, 0, 0, [])
        assert [(r.msg_id, r.number) for r in page.reports] == list(zip(MSG_IDS, NUMBERS, strict=True))
        assert {(r.state, r.source, r.raw_status, r.at) for r in page.reports} == {
            (DeliveryState.DELIVERED, Source.GET_REPORT, "0", RECEIVED_AT)
        }


class GetSentRecordsTests:
    def test_the_request_is_the_documented_one_with_its_plus_encoded(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(raw(SENT_RECORDS_ANSWER))

        client.get_sent_records(
            app_id=APP_ID,
            start=dt.datetime(2021, 2, 12, tzinfo=CHINA),
            end=dt.datetime(2021, 2, 12, 23, 59, 59, tzinfo=CHINA),
        )

        [request] = gateway.received
        assert (request.method, request.target) == (
            "GET",
            "/v3/getSentRcd?appId=4luaKsL2&startTime=2021-02-12T00%3A00%3A00%2B08%3A00"
            "&endTime=2021-02-12T23%3A59%3A59%2B08%3A00&startIndex=0",
        )
        assert request.headers.items() >= DOCUMENTED_HEADERS.items()

    def test_a_moment_of_another_zone_is_asked_in_the_vendors(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(raw(SENT_RECORDS_ANSWER))

        client.get_sent_records(
            app_id=APP_ID,
            start=dt.datetime(2021, 2, 11, 16, 0, 0, 999, tzinfo=dt.UTC),
            end=dt.datetime(2021, 2, 11, 17, 0, 0, tzinfo=dt.UTC),
            start_index=50_000,
        )

        [request] = gateway.received
        assert "startTime=2021-02-12T00%3A00%3A00%2B08%3A00&" in request.target
        assert request.target.endswith("&startIndex=50000")

    def test_the_documented_answer_is_read(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(SENT_RECORDS_ANSWER))

        reports = client.get_sent_records(
            app_id=APP_ID,
            start=dt.datetime(2021, 2, 12, tzinfo=CHINA),
            end=dt.datetime(2021, 2, 13, tzinfo=CHINA),
        )

        assert [(r.msg_id, r.number) for r in reports] == list(zip(MSG_IDS, NUMBERS, strict=True))
        assert {(r.state, r.source, r.at) for r in reports} == {
            (DeliveryState.DELIVERED, Source.GET_SENT_RCD, RECEIVED_AT)
        }


class PushedReportTests:
    def test_the_documented_push_is_read(self) -> None:
        parsed = parse_sms_reports(PUSHED)

        [report] = parsed.reports
        assert parsed.problems == []
        assert report.source is Source.PUSH
        assert report.state is DeliveryState.DELIVERED
        assert (report.app_id, report.msg_id, report.number, report.order_id) == (
            "4luaKsL2",
            "2108021059531000096",
            "91850000000",
            "gdkalskgn",
        )
        assert (report.raw_status, report.reason) == ("0", "0")
        assert report.at == dt.datetime(2021, 8, 24, 10, 32, 57, 192000, tzinfo=dt.UTC)
        assert (report.pay, report.price, report.currency, report.segments) == (
            Decimal("0.02"),
            Decimal("0.01"),
            "EUR",
            2,
        )


class BalanceTests:
    def test_a_thousand_million_is_a_balance_too(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "0", "balance": "25000000000.5", "gift": "NaN", "credit": "1e99"}))

        assert client.get_balance() == Balance(Decimal("25000000000.5"), None, None)

    def test_the_documented_answer_is_read(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(
            answer({"status": "0", "reason": "success", "balance": "99.990000", "gift": "50.00000", "credit": "0"})
        )

        balance = client.get_balance()

        [request] = gateway.received
        assert (request.method, request.target) == ("GET", "/v3/getBalance")
        assert (balance.balance, balance.gift, balance.credit, balance.currency) == (
            Decimal("99.99"),
            Decimal(50),
            Decimal(0),
            "",
        )


class ErrorTests:
    def test_the_documented_error_is_a_refusal(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(raw(b'{\n  "status": "1",\n  "reason": "Invalid appId"\n}'))

        with pytest.raises(Refused) as caught:
            client.send_sms(app_id=APP_ID, numbers=NUMBERS, content="hello world", order_ids=ORDERS)

        refusal = caught.value
        assert (refusal.code, refusal.reason, refusal.calls_for) == ("1", "Invalid appId", Remedy.FATAL)
        assert str(refusal) == ("sendSms: refused with 1 (a code the vendor does not document); it said: Invalid appId")
        assert len(gateway.received) == 1
