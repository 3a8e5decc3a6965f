"""What holds for every answer and every push, not only for those that somebody thought of."""

import json
import string
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from laaffic_console.laaffic import DeliveryReport, parse_sms_reports
from laaffic_console.laaffic.delivery_states import Source
from laaffic_console.laaffic.envelope import Envelope, parse
from laaffic_console.laaffic.reports import MalformedReport, from_record
from laaffic_console.laaffic.sms import read_send_answer

PROPERTY = settings(max_examples=30, deadline=None, database=None)

MOMENTS = ["2021-02-12T09:30:03+08:00", "2021-02-12T09:30:03 08:00", "0001-01-01 00:00:00", "9999-12-31T23:59:59-23:59"]
NUMERALS = ["0", " 0 ", "-1", "NaN", "-Infinity", "1e9999999", "1e-9999999", "9" * 5000, "２", "²"]
NASTY = st.sampled_from([*MOMENTS, *NUMERALS, "", "\0", "\0 ", "\ud800"])
LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats()
    | st.text(max_size=12)
    | NASTY
)
ANY_JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
KEYS = ["appId", "msgid", "msgId", "mobile", "number", "reason", "timestamp", "orderId", "orderId ", "mcc"]
PRICE = st.dictionaries(st.sampled_from(["pay", "price", "chargeCnt", "currency", "price "]), LEAF | ANY_JSON)
REPORT = st.fixed_dictionaries(
    {"status": LEAF}, optional=dict.fromkeys(KEYS, LEAF | ANY_JSON) | {"pricedetail": PRICE | ANY_JSON}
)
RECORD = st.fixed_dictionaries(
    {"msgId": LEAF, "status": LEAF}, optional={"number": LEAF, "receiveTime": LEAF, "pricedetail": PRICE}
)
PUSH = REPORT | st.lists(REPORT | ANY_JSON, max_size=4) | st.fixed_dictionaries({"array": st.lists(REPORT, max_size=4)})


def is_storable(report: DeliveryReport) -> bool:
    """What no database refuses: text in UTF-8 without NUL."""
    return all(
        "\0" not in value and value.encode() is not None
        for value in report.as_json().values()
        if isinstance(value, str)
    )


class PushPropertyTests:
    @pytest.mark.thorough
    @PROPERTY
    @given(ANY_JSON | PUSH)
    @example({"msgid": "m1", "status": 0, "pricedetail": {"pay": "1e9999999"}})
    @example({"msgid": "m1", "status": 0, "reason": "\ud800"})
    @example({"array": None})
    def test_nothing_that_is_json_raises(self, body: Any) -> None:
        parsed = parse_sms_reports(body)

        assert all(is_storable(report) for report in parsed.reports)
        assert all(isinstance(problem, str) and problem for problem in parsed.problems)

    @PROPERTY
    @given(PUSH)
    def test_every_entry_is_a_report_or_a_problem(self, body: Any) -> None:
        entries = body if isinstance(body, list) else body.get("array", [body])

        parsed = parse_sms_reports(body)

        assert len(parsed.reports) + len(parsed.problems) == len(entries)

    def test_deep_nesting_is_no_problem(self) -> None:
        body: Any = []
        for _ in range(5000):
            body = [body]

        assert parse_sms_reports([body, {"msgid": "m1", "status": body}]).problems


class KeptReportTests:
    @PROPERTY
    @given(REPORT)
    def test_a_report_comes_back_as_it_was_kept(self, body: Any) -> None:
        for report in parse_sms_reports(body | {"msgid": "m1"}).reports:
            assert DeliveryReport.from_json(json.loads(json.dumps(report.as_json()))) == report

    @PROPERTY
    @given(RECORD, st.sampled_from([Source.GET_REPORT, Source.GET_SENT_RCD]))
    def test_a_row_comes_back_as_it_was_kept(self, row: Any, source: Source) -> None:
        try:
            report = from_record(row, source)
        except MalformedReport:
            return

        assert is_storable(report)
        assert DeliveryReport.from_json(json.loads(json.dumps(report.as_json()))) == report


class EnvelopePropertyTests:
    @PROPERTY
    @given(st.binary(max_size=40) | ANY_JSON.map(lambda body: json.dumps(body).encode()))
    def test_no_body_raises(self, raw: bytes) -> None:
        parsed = parse(raw)

        assert parsed is None or isinstance(parsed.status, str)


NUMBERS = st.lists(st.text(string.digits, min_size=7, max_size=15), min_size=1, max_size=30)


class MatchingTests:
    @PROPERTY
    @given(NUMBERS, st.data())
    def test_the_order_of_an_answer_does_not_matter(self, numbers: list[str], data: st.DataObject) -> None:
        orders = [f"o{index}" for index in range(len(numbers))]
        kept = data.draw(st.sets(st.sampled_from(range(len(numbers)))))
        array = [{"msgId": f"m{i}", "number": numbers[i], "orderId": orders[i]} for i in kept]
        shuffled = data.draw(st.permutations(array))

        result = read_send_answer(Envelope("0", "", {"array": shuffled, "success": str(len(kept))}), numbers, orders)

        assert result.msg_ids == [f"m{i}" if i in kept else None for i in range(len(numbers))]
        assert result.unknown_positions == []

    @PROPERTY
    @given(NUMBERS, st.data())
    def test_by_number_alone_each_number_gets_its_own_ids(self, numbers: list[str], data: st.DataObject) -> None:
        orders = [f"o{index}" for index in range(len(numbers))]
        array = [{"msgId": f"{number}-{i}", "number": number} for i, number in enumerate(numbers)]
        shuffled = data.draw(st.permutations(array))

        result = read_send_answer(Envelope("0", "", {"array": shuffled}), numbers, orders)

        assert sorted(filter(None, result.msg_ids)) == sorted(entry["msgId"] for entry in array)
        assert all(str(found).split("-")[0] == number for found, number in zip(result.msg_ids, numbers, strict=True))

    @pytest.mark.parametrize("shape", ["in order", "shuffled", "ids alone"])
    def test_an_id_that_several_numbers_got_is_nobodys(self, shape: str) -> None:
        """A report names one message: under an id of two, it would be an orphan, and neither would ever end."""
        numbers, orders = ["91856321412", "91856321413", "91856321414"], ["o1", "o2", "o3"]
        array = [
            {"msgId": msg_id, "number": number, "orderId": order}
            for msg_id, number, order in zip(["m1", "m2", "m1"], numbers, orders, strict=True)
        ]
        bodies: dict[str, dict[str, Any]] = {
            "in order": {"array": array},
            "shuffled": {"array": array[::-1]},
            "ids alone": {"msgIds": ["m1", "m2", "m1"]},
        }

        result = read_send_answer(Envelope("0", "", bodies[shape] | {"success": "3", "fail": "0"}), numbers, orders)

        assert result.msg_ids == [None, "m2", None]
        assert result.unknown_positions == [0, 2]

    @PROPERTY
    @given(
        st.dictionaries(
            st.sampled_from(["array", "msgIds", "success", "fail", "status"]),
            ANY_JSON | st.lists(st.dictionaries(st.sampled_from(["msgId", "number", "orderId"]), LEAF)),
        )
    )
    def test_no_answer_raises_and_each_number_has_one_fate(self, body: dict[str, Any]) -> None:
        numbers, orders = ["91856321412", "91856321413"], ["o1", "o2"]

        result = read_send_answer(Envelope("0", "", body), numbers, orders)

        assert len(result.msg_ids) == 2
        assert all(result.msg_ids[position] is None for position in result.unknown_positions)


@pytest.fixture(autouse=True, scope="module")
def _no_folder_of_examples(tmp_path_factory: pytest.TempPathFactory) -> None:
    from hypothesis.configuration import set_hypothesis_home_dir

    set_hypothesis_home_dir(tmp_path_factory.mktemp("hypothesis"))
