"""Where the vendor's pages contradict each other, either is understood."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from laaffic_console.laaffic import (
    DeliveryState,
    LaafficClient,
    OutcomeUnknown,
    Refused,
    SendResult,
    parse_sms_reports,
    reports,
    times,
)
from tests.laaffic.conftest import ScriptedGateway, answer, raw

APP_ID = "4luaKsL2"
NUMBERS = ["91856321412", "91856321413", "91856321414"]
ORDERS = ["o1", "o2", "o3"]
IDS = ["m1", "m2", "m3"]


def entries(*chosen: int, order_key: str = "orderId") -> list[dict[str, Any]]:
    return [{"msgId": IDS[i], "number": NUMBERS[i], order_key: ORDERS[i]} for i in chosen]


@pytest.fixture
def send(gateway: ScriptedGateway, client: LaafficClient) -> Any:
    def call(fields: dict[str, Any], *, numbers: list[str] = NUMBERS, orders: list[str] = ORDERS) -> SendResult:
        gateway.will(answer({"status": "0", "reason": "success", **fields}))
        return client.send_sms(app_id=APP_ID, numbers=numbers, content="hello", order_ids=orders)

    return call


class SendAnswerTests:
    def test_array_alone(self, send: Any) -> None:
        result = send({"success": "3", "fail": "0", "array": entries(0, 1, 2)})

        assert result == SendResult(IDS, [], 3, 0)

    def test_ids_alone(self, send: Any) -> None:
        result = send({"msgIds": IDS})

        assert result == SendResult(IDS, [], None, None)

    def test_both_and_the_array_counts(self, send: Any) -> None:
        result = send({"success": "2", "fail": "1", "array": entries(2, 0), "msgIds": ["m3", "m1"]})

        assert result == SendResult(["m1", None, "m3"], [], 2, 1)

    def test_counts_that_come_as_numbers(self, send: Any) -> None:
        result = send({"status": 0, "success": 2, "fail": 1, "array": entries(0, 1)})

        assert result == SendResult(["m1", "m2", None], [], 2, 1)

    def test_ids_that_come_as_numbers_keep_every_digit(self, send: Any) -> None:
        result = send({"msgIds": [12205181141482000029, 2108021054011000095, 3]})

        assert result.msg_ids == ["12205181141482000029", "2108021054011000095", "3"]

    def test_an_array_is_matched_by_order_id_first(self, send: Any) -> None:
        array = [
            {"msgId": "m1", "number": NUMBERS[1], "orderId": "o1"},
            {"msgId": "m2", "number": NUMBERS[0], "orderId": "o2"},
        ]

        assert send({"array": array}).msg_ids == ["m1", "m2", None]

    @pytest.mark.parametrize("key", ["orderId ", "orderid", " orderId", "orderid "])
    def test_the_key_of_the_order_id_is_spelt_as_pages_spell_it(self, send: Any, key: str) -> None:
        same = [NUMBERS[0]] * 3
        array = [{"msgId": IDS[i], "number": same[i], key: ORDERS[i]} for i in (2, 1, 0)]

        assert send({"array": array}, numbers=same).msg_ids == IDS

    def test_without_order_ids_an_array_is_matched_by_number(self, send: Any) -> None:
        array = [{"msgId": IDS[i], "number": NUMBERS[i]} for i in (2, 0)]

        assert send({"array": array}).msg_ids == ["m1", None, "m3"]

    @pytest.mark.parametrize("written", ["+91856321413", " 91856321413 ", 91856321413])
    def test_a_number_may_be_written_another_way(self, send: Any, written: object) -> None:
        assert send({"array": [{"msgId": "m2", "number": written}]}).msg_ids == [None, "m2", None]

    def test_a_number_that_was_asked_twice_gets_both_ids(self, send: Any) -> None:
        twice = [NUMBERS[0], NUMBERS[1], NUMBERS[0]]
        array = [{"msgId": IDS[i], "number": twice[i]} for i in range(3)]

        result = send({"array": array}, numbers=twice)

        assert sorted(filter(None, result.msg_ids)) == IDS
        assert result.msg_ids[1] == "m2"

    def test_an_unknown_order_id_falls_back_on_the_number(self, send: Any) -> None:
        array = [{"msgId": "m2", "number": NUMBERS[1], "orderId": "of somebody else"}]

        assert send({"array": array}).msg_ids == [None, "m2", None]

    @pytest.mark.parametrize("strange", [None, 7, "text", [], {}, {"msgId": "m9", "number": "4915100000000"}])
    def test_a_strange_entry_costs_the_others_nothing(self, send: Any, strange: object) -> None:
        assert send({"array": [strange, *entries(1)]}).msg_ids == [None, "m2", None]

    def test_entries_that_name_nobody_are_matched_by_position(self, send: Any) -> None:
        assert send({"array": [{"msgId": msg_id} for msg_id in IDS]}).msg_ids == IDS

    @pytest.mark.parametrize("stray", [{"msgId": "m9"}, {"msgId": "m9", "number": "0091856321412"}])
    def test_an_id_that_is_nobodys_rejects_nobody(self, send: Any, stray: dict[str, str]) -> None:
        result = send({"array": [*entries(1), stray]})

        assert (result.msg_ids, result.unknown_positions) == ([None, "m2", None], [0, 2])

    def test_an_entry_that_comes_twice_changes_nothing(self, send: Any) -> None:
        result = send({"array": entries(0, 0, 1)})

        assert (result.msg_ids, result.unknown_positions) == (["m1", "m2", None], [])

    def test_an_entry_without_an_id_is_not_accepted(self, send: Any) -> None:
        result = send({"array": [*entries(0), {"msgId": "", "number": NUMBERS[1], "orderId": "o2"}]})

        assert (result.msg_ids, result.unknown_positions) == (["m1", None, None], [])

    @pytest.mark.parametrize(
        ("body", "ids"),
        [
            ({"success": "3", "fail": "0", "array": [{"msgId": "m1", "orderId": "o1"}]}, ["m1", None, None]),
            ({"success": "2", "array": [{"msgId": "m1", "orderId": "o1"}]}, ["m1", None, None]),
            ({"fail": "1", "array": [{"msgId": "m1", "orderId": "o1"}]}, ["m1", None, None]),
            ({"success": "2", "fail": "1", "msgIds": [None, "m2", None]}, [None, "m2", None]),
        ],
    )
    def test_where_more_were_accepted_than_have_an_id_nobody_is_rejected(
        self, send: Any, body: dict[str, Any], ids: list[str | None]
    ) -> None:
        result = send(body)

        assert result.msg_ids == ids
        assert result.unknown_positions == [position for position, msg_id in enumerate(ids) if msg_id is None]

    def test_spaces_around_the_keys_of_the_answer(self, send: Any) -> None:
        result = send({"array ": entries(0), " success": "1", "fail ": "2"})

        assert result == SendResult(["m1", None, None], [], 1, 2)

    @pytest.mark.parametrize("ids", [["m1"], ["m1", "m2"], ["m1", "m2", "m3", "m4"]])
    def test_ids_of_another_length_cannot_be_told_apart(self, send: Any, ids: list[str]) -> None:
        result = send({"msgIds": ids})

        assert (result.msg_ids, result.unknown_positions) == ([None] * 3, [0, 1, 2])

    def test_accepted_without_any_id_is_unknown_not_rejected(self, send: Any) -> None:
        result = send({})

        assert (result.msg_ids, result.unknown_positions) == ([None] * 3, [0, 1, 2])

    def test_an_empty_array_beside_a_count_is_unknown_not_rejected(self, send: Any) -> None:
        result = send({"success": "3", "fail": "0", "array": []})

        assert result.unknown_positions == [0, 1, 2]

    def test_an_empty_array_beside_ids_gives_way_to_them(self, send: Any) -> None:
        assert send({"array": [], "msgIds": IDS}).msg_ids == IDS

    @pytest.mark.parametrize(
        "fields",
        [
            {"success": "0", "fail": "3", "array": []},
            {"success": 0, "fail": 3, "array": []},
            {"success": "0", "fail": "3"},
            {"success": "0", "msgIds": []},
            {"fail": "3", "array": []},
        ],
    )
    def test_nothing_accepted_rejects_everybody(self, send: Any, fields: dict[str, Any]) -> None:
        result = send(fields)

        assert (result.msg_ids, result.unknown_positions) == ([None] * 3, [])


class EnvelopeTests:
    @pytest.mark.parametrize("status", ["0", 0, " 0", "0 ", 0.0, -0.0, "0.0"])
    def test_success_is_zero_however_it_is_written(
        self, gateway: ScriptedGateway, client: LaafficClient, status: object
    ) -> None:
        gateway.will(answer({"status": status, "reason": " success", "balance": "1"}))

        assert client.get_balance().balance == 1

    @pytest.mark.parametrize(
        "envelope",
        [
            {"status ": "0", " reason": "success"},
            {"status": None, "code": 0},
            {" code": 0, "reason": None, "msg": "success"},
        ],
    )
    def test_its_keys_may_have_spaces_or_nothing(
        self, gateway: ScriptedGateway, client: LaafficClient, envelope: dict[str, object]
    ) -> None:
        gateway.will(answer({**envelope, "data ": {"balance ": "1"}}))

        assert client.get_balance().balance == 1

    def test_a_refusal_is_read_alike(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": None, "code ": -13, "reason": None, "msg ": "locked"}))

        with pytest.raises(Refused, match="locked") as caught:
            client.get_balance()

        assert caught.value.code == "-13"

    @pytest.mark.parametrize("status", [-10.0, "-10.0", "-10.00"])
    def test_a_code_may_be_written_with_a_point(
        self, gateway: ScriptedGateway, client: LaafficClient, status: object
    ) -> None:
        gateway.will(answer({"status": status, "reason": "no money"}))

        with pytest.raises(Refused) as caught:
            client.get_balance()

        assert caught.value.code == "-10"

    @pytest.mark.parametrize("reason", ["余额".encode("gbk"), "succès".encode("latin-1")], ids=["GBK", "Latin-1"])
    @pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["", "BOM"])
    def test_a_letter_that_is_not_utf_8_costs_nothing_else(
        self, gateway: ScriptedGateway, client: LaafficClient, reason: bytes, start: bytes
    ) -> None:
        gateway.will(raw(start + b'{"status":"0","reason":"' + reason + b'","balance":"1"}'))
        gateway.will(raw(start + b'{"status":"-10","reason":"' + reason + b'"}'))

        assert client.get_balance().balance == 1
        with pytest.raises(Refused) as caught:
            client.get_balance()
        assert caught.value.code == "-10"

    def test_code_and_msg_are_an_envelope_too(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(
            answer({"code": "0", "msg": "success", "data": {"balance": "1.5"}}),
            answer({"code": -13, "msg": " locked "}),
        )

        assert client.get_balance().balance == Decimal("1.5")
        with pytest.raises(Refused) as caught:
            client.get_balance()
        assert (caught.value.code, caught.value.reason) == ("-13", "locked")

    def test_an_error_is_an_error_whatever_its_http_status(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(answer({"status": "-1", "reason": "Authentication error"}, status="401 Unauthorized"))

        with pytest.raises(Refused) as caught:
            client.get_balance()

        assert (caught.value.code, caught.value.http_status) == ("-1", 401)

    @pytest.mark.parametrize(
        "body",
        [
            *(b"[]", b'"0"', b"0", b"null", b"{}", b'{"status":null}', b'{"status":true}'),
            *(b'{"status":0.5}', b'{"status":NaN}'),
        ],
    )
    def test_json_without_an_envelope_is_no_answer(
        self, gateway: ScriptedGateway, client: LaafficClient, body: bytes
    ) -> None:
        gateway.will(raw(body))

        with pytest.raises(OutcomeUnknown):
            client.get_balance()


class BalanceTests:
    def test_it_may_be_inside_data_and_name_its_currency(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        gateway.will(answer({"status": "0", "data": {"balance": 12.5, "gift": None, "currency": "EUR"}}))

        balance = client.get_balance()

        assert (balance.balance, balance.gift, balance.credit, balance.currency) == (Decimal("12.5"), None, None, "EUR")

    @pytest.mark.parametrize("given", [{}, {"balance": "lots"}, {"balance": None}, {"data": {"balance": "NaN"}}])
    def test_without_a_balance_the_outcome_is_unknown(
        self, gateway: ScriptedGateway, client: LaafficClient, given: dict[str, Any]
    ) -> None:
        gateway.will(answer({"status": "0", **given}))

        with pytest.raises(OutcomeUnknown):
            client.get_balance()


class GetReportTests:
    def test_states_of_all_kinds(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        statuses = ["0", "-1", "1", 0, -1, 1, "9"]
        rows = [{"msgId": f"m{i}", "number": "1", "status": s} for i, s in enumerate(statuses)]
        gateway.will(answer({"status": "0", "success": "2", "fail": 2, "sending": "2", "nofound": "4", "array": rows}))

        page = client.get_report(app_id=APP_ID, msg_ids=["m0"])

        assert [r.state for r in page.reports] == [
            DeliveryState.DELIVERED,
            DeliveryState.PENDING,
            DeliveryState.FAILED,
            DeliveryState.DELIVERED,
            DeliveryState.PENDING,
            DeliveryState.FAILED,
            DeliveryState.UNKNOWN,
        ]
        assert (page.success, page.fail, page.sending, page.not_found) == (2, 2, 2, 4)

    def test_an_id_that_is_not_found_is_absent_and_counted(
        self, gateway: ScriptedGateway, client: LaafficClient
    ) -> None:
        gateway.will(
            answer({"status": "0", "success": "0", "fail": "0", "sending": "0", "nofound": "1", "array": []}),
            answer({"status": "0", "nofound": "1"}),
        )

        for _ in range(2):
            page = client.get_report(app_id=APP_ID, msg_ids=["m0"])
            assert (page.reports, page.not_found) == ([], 1)

    def test_the_newer_pages_name_the_price(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        detail = {"pay": "0.0200", "chargeCnt": 2, "currency": "EUR", "price": "0.0100", "settlePay": "0.021"}
        row = {"msgId": "m1", "number": "1", "status": "0", "pricedetail": detail}
        gateway.will(answer({"status": "0", "array": [row]}))

        [report] = client.get_report(app_id=APP_ID, msg_ids=["m1"]).reports

        assert (report.pay, report.price, report.currency, report.segments) == (
            Decimal("0.02"),
            Decimal("0.01"),
            "EUR",
            2,
        )

    def test_a_row_that_is_none_costs_the_others_nothing(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        good = {"msgId": "m1", "number": "1", "status": "0"}
        gateway.will(answer({"status": "0", "array": [None, {"msgId": "m2"}, {"status": "0"}, good]}))

        page = client.get_report(app_id=APP_ID, msg_ids=["m1"])

        assert [r.msg_id for r in page.reports] == ["m1"]
        assert len(page.problems) == 3


class SentRecordTests:
    @pytest.fixture
    def states(self, gateway: ScriptedGateway, client: LaafficClient) -> Any:
        def ask(fields: dict[str, Any]) -> list[DeliveryState]:
            gateway.will(answer({"status": "0", **fields}))
            start = dt.datetime(2021, 2, 12, tzinfo=dt.UTC)
            found = client.get_sent_records(app_id=APP_ID, start=start, end=start + dt.timedelta(hours=1))
            return [report.state for report in found]

        return ask

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("0", DeliveryState.DELIVERED),
            ("2", DeliveryState.FAILED),
            ("-1", DeliveryState.PENDING),
            ("1", DeliveryState.FAILED),
            (2, DeliveryState.FAILED),
        ],
    )
    @pytest.mark.parametrize("shape", ["array", "data"])
    def test_either_shape_and_either_set_of_states(
        self, states: Any, status: object, state: DeliveryState, shape: str
    ) -> None:
        rows = [{"msgId": "m1", "number": "1", "receiveTime": "2021-02-12T09:30:03+08:00", "status": status}]

        found = states({"array": rows} if shape == "array" else {"data": {"total": 1, "records": rows}})

        assert found == [state]

    @pytest.mark.parametrize("fields", [{}, {"array": []}, {"data": None}, {"data": []}, {"data": {"total": 0}}])
    def test_nothing_found_is_an_empty_list(self, states: Any, fields: dict[str, Any]) -> None:
        assert states(fields) == []

    def test_all_pages_are_asked_by_their_offset(self, gateway: ScriptedGateway, client: LaafficClient) -> None:
        rows = [{"msgId": f"m{i}", "number": "1", "status": "0"} for i in range(3)]
        gateway.will(answer({"status": "0", "array": [rows[0], None]}), answer({"status": "0", "array": rows[2:]}))
        gateway.will(answer({"status": "0", "array": []}))
        start = dt.datetime(2021, 2, 12, tzinfo=dt.UTC)

        found = client.sent_record_pages(app_id=APP_ID, start=start, end=start + dt.timedelta(days=31))

        assert [r.msg_id for page in found for r in page.records] == ["m0", "m2"]
        assert [r.target.rpartition("startIndex=")[2] for r in gateway.received] == ["0", "2", "3"]


class PushTests:
    REPORT = {"appId": APP_ID, "msgid": "m1", "mobile": "91850000000", "status": 0, "reason": "0", "orderId": "o1"}

    @pytest.mark.parametrize("wrap", [lambda r: r, lambda r: [r], lambda r: {"array": [r]}, lambda r: {"array ": [r]}])
    def test_one_a_list_or_wrapped(self, wrap: Any) -> None:
        [report] = parse_sms_reports(wrap(self.REPORT)).reports

        assert (report.msg_id, report.order_id, report.state) == ("m1", "o1", DeliveryState.DELIVERED)

    @pytest.mark.parametrize("key", ["orderId ", "orderid", "orderId"])
    def test_the_order_id_under_any_spelling(self, key: str) -> None:
        entry = {name: value for name, value in self.REPORT.items() if name != "orderId"} | {key: "o7"}

        [report] = parse_sms_reports(entry).reports

        assert report.order_id == "o7"

    @pytest.mark.parametrize(("status", "state"), [("0", DeliveryState.DELIVERED), ("3", DeliveryState.FAILED)])
    def test_a_status_that_comes_as_text(self, status: str, state: DeliveryState) -> None:
        [report] = parse_sms_reports(self.REPORT | {"status": status}).reports

        assert report.state is state

    def test_prices_that_python_takes_for_the_same_are_read_apart(self) -> None:
        """A price that was read before is not read again; True and 1 are one key of a dictionary."""
        details = [{"pay": 1}, {"pay": True}, {"pay": "1,5"}, {"pay": "what"}, {"pay ": 1.0}, [], {"pay": 1}]

        found = parse_sms_reports([self.REPORT | {"pricedetail": detail} for detail in details]).reports

        assert [str(r.pay) for r in found] == ["1", "None", "1.5", "None", "1.0", "None", "1"]
        assert [bool(r.remark) for r in found] == [False, True, False, True, False, False, False]

    def test_what_is_remembered_of_reports_prices_and_keys_stays_small(self) -> None:
        for n in range(2 * reports.NUMBER_KEPT):
            long = "k" * 1000 if n % 2 else "k"
            parse_sms_reports(self.REPORT | {"pricedetail": {"pay": f"0.{n}", long: "1"}, f"{long}{n}": "1"})

        for known in (reports._known_prices, reports._known_reports, reports._known_names):
            assert 0 < len(known) <= reports.NUMBER_KEPT
        assert max(map(len, reports._known_prices)) <= reports.LONGEST_KEPT
        assert max(map(len, reports._known_reports)) <= reports.LONGEST_KEPT

    def test_what_one_report_says_is_not_taken_for_anothers(self) -> None:
        """What was read before is not read again; `"0"`, 0 and False are not one status."""
        told = [{"status": "0"}, {"status": 0}, {"status": False}, {"status": 0, "reason": 1}, {"status": 0, "mcc": 1}]
        deep = {"status": 0, "reason": json.loads("[" * 300 + "]" * 300)}

        found = parse_sms_reports([{"msgid": "m1", "mobile": "1"} | said for said in [*told, deep, *told]]).reports

        assert found[:5] == found[6:]
        assert [r.raw_status for r in found[:5]] == ["0", "0", "False", "0", "0"]
        assert [(r.reason, r.mcc) for r in found[1:6]] == [("", ""), ("", ""), ("1", ""), ("", "1"), ("", "")]
        assert [r.state for r in found[:3]] == [DeliveryState.DELIVERED, DeliveryState.DELIVERED, DeliveryState.UNKNOWN]

    @pytest.mark.parametrize("written", [10**12, 1_767_268_800_123, 4_102_444_800_000, 9_999_999_999_999])
    def test_milliseconds_are_the_same_as_number_and_as_text(self, written: int) -> None:
        assert times.from_text(written) == times.from_text(str(written))

    def test_without_order_id_or_without_msgid_it_still_counts(self) -> None:
        by_id = {key: value for key, value in self.REPORT.items() if key != "orderId"}
        by_order = {key: value for key, value in self.REPORT.items() if key != "msgid"}

        found = parse_sms_reports([by_id, by_order]).reports

        assert [(r.msg_id, r.order_id) for r in found] == [("m1", ""), ("", "o1")]

    def test_the_network_is_kept(self) -> None:
        [report] = parse_sms_reports(self.REPORT | {"mcc": 404, "mnc": "-1"}).reports

        assert (report.mcc, report.mnc) == ("404", "-1")

    def test_the_key_msgId_as_answers_spell_it(self) -> None:
        entry = {"msgId": "m1", "number": "91850000000", "status": 1, "reason": "Absent subscriber"}

        [report] = parse_sms_reports(entry).reports

        assert (report.msg_id, report.number, report.reason) == ("m1", "91850000000", "Absent subscriber")

    @pytest.mark.parametrize("body", [None, 1, "text", [[]], {}, {"msgid": "m1"}, {"status": 0}, {"array": [7]}])
    def test_what_is_no_report_is_a_problem_in_words(self, body: object) -> None:
        parsed = parse_sms_reports(body)

        assert parsed.reports == []
        assert len(parsed.problems) == 1

    def test_a_bad_entry_costs_the_others_nothing(self) -> None:
        parsed = parse_sms_reports([None, self.REPORT, {"status": 0}])

        assert [r.msg_id for r in parsed.reports] == ["m1"]
        assert len(parsed.problems) == 2


class MomentTests:
    EXPECTED = dt.datetime(2021, 2, 12, 1, 30, 3, tzinfo=dt.UTC)

    @pytest.mark.parametrize(
        "written",
        [
            "2021-02-12T09:30:03+08:00",
            "2021-02-12T09:30:03 08:00",
            "2021-02-12 09:30:03",
            "2021-02-12T01:30:03Z",
            "1613093403000",
            1613093403,
            " 2021-02-12T09:30:03+08:00 ",
        ],
    )
    def test_a_row_says_when_in_any_way(self, gateway: ScriptedGateway, client: LaafficClient, written: object) -> None:
        row = {"msgId": "m1", "number": "1", "status": "0", "receiveTime": written}
        gateway.will(answer({"status": "0", "array": [row]}))

        [report] = client.get_report(app_id=APP_ID, msg_ids=["m1"]).reports

        assert report.at == self.EXPECTED

    @pytest.mark.parametrize("written", [1613093403000, "1613093403000", 1613093403, "1613093403"])
    def test_a_push_says_when_in_seconds_or_milliseconds(self, written: object) -> None:
        [report] = parse_sms_reports({"msgid": "m1", "status": 0, "timestamp": written}).reports

        assert report.at == self.EXPECTED

    @pytest.mark.parametrize("written", [None, "", "soon", {}, [], True, "inf", 10**30, -(10**30), "nan"])
    def test_no_moment_is_no_problem(self, written: object) -> None:
        [report] = parse_sms_reports({"msgid": "m1", "status": 0, "timestamp": written}).reports

        assert report.at is None
