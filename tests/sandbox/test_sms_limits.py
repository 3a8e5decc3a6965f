"""Each code that the sandbox gives on its own, and what it accepts just before it would."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import APP_ID, Caller, message, signed


def numbers(count: int) -> list[str]:
    return [str(919876500000 + index) for index in range(count)]


class RefusalTests:
    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"content": ""}, "-4"),
            ({"content": None}, "-4"),
            ({"content": "x" * 1025}, "-5"),
            ({"content": "👋" * 1025}, "-5"),
            ({"numbers": ""}, "-8"),
            ({"numbers": None}, "-8"),
            ({"numbers": "123456"}, "-9"),
            ({"numbers": "1234567890123456"}, "-9"),
            ({"numbers": "+91856321412"}, "-9"),
            ({"numbers": "91 856321412"}, "-9"),
            ({"numbers": "91856321412,", "orderId": "1,2"}, "-9"),
            ({"numbers": "91856321412,text", "orderId": "1,2"}, "-9"),
            ({"senderId": "x" * 33}, "-22"),
            ({"orderId": "1,2"}, "-22"),
            ({"appId": None}, "-22"),
        ],
    )
    def test_it_refuses_the_whole_call(self, caller: Caller, changed: dict[str, Any], status: str) -> None:
        answer = caller.send("91856321412", **changed)

        assert answer["status"] == status
        assert answer["reason"]
        assert caller.running.log() == []

    @pytest.mark.parametrize(
        "changed",
        [
            {"content": "x" * 1024},
            {"content": "👋" * 1024},
            {"senderId": "x" * 32},
            {"senderId": ""},
            {"senderId": None},
            {"orderId": ""},
            {"orderId": None},
            {"numbers": "1234567"},
            {"numbers": "123456789012345"},
        ],
    )
    def test_what_the_vendor_allows_is_accepted(self, caller: Caller, changed: dict[str, Any]) -> None:
        assert caller.send("91856321412", **changed)["status"] == "0"
        assert len(caller.running.log()) == 1

    @pytest.mark.parametrize(("count", "status"), [(1000, "0"), (1001, "-7")])
    def test_a_post_carries_a_thousand_numbers(self, caller: Caller, count: int, status: str) -> None:
        answer = caller.send(*numbers(count))

        assert answer["status"] == status
        assert len(caller.running.log()) == (count if status == "0" else 0)

    @pytest.mark.parametrize(("count", "status"), [(100, "0"), (101, "-7")])
    def test_a_get_carries_a_hundred(self, caller: Caller, count: int, status: str) -> None:
        answer = caller.get("/sendSms", **message(*numbers(count)))

        assert answer["status"] == status
        assert len(caller.running.log()) == (count if status == "0" else 0)

    def test_an_abnormal_number_is_a_fault_on_request(self, caller: Caller) -> None:
        caller.running.set_faults(abnormal=["91856321413"])

        assert caller.send("91856321412", "91856321413")["status"] == "-9"
        assert caller.send("91856321412")["status"] == "0"

    def test_abnormal_numbers_may_be_left_out_instead(self, start: Callable[..., Caller]) -> None:
        caller = start(leave_out_abnormal=True)

        answer = caller.send("91856321412", "123", "91856321413")

        assert (answer["status"], answer["success"], answer["fail"]) == ("0", "2", "1")
        assert [entry["number"] for entry in answer["array"]] == ["91856321412", "91856321413"]

    @pytest.mark.parametrize("status", ["-2", "-3", "-12", "-13", "-15", "-18", "-27", "-30", "1"])
    def test_any_code_can_be_asked_for(self, caller: Caller, status: str) -> None:
        caller.running.set_faults(status=status, status_calls=2)

        answers = [caller.send("91856321412")["status"] for _ in range(3)]

        assert answers == [status, status, "0"]
        assert len(caller.running.log()) == 1


class BatchTests:
    def part(self, *of: str, **changed: Any) -> dict[str, Any]:
        return {name: value for name, value in message(*of, **changed).items() if name != "appId"}

    def test_each_part_has_its_own_content(self, caller: Caller) -> None:
        parts = [self.part("91856321412", "91856321413", content="one"), self.part("91856321414", content="two")]

        answer = caller.post("/sendSms/batch", {"appId": APP_ID, "array": parts})

        assert (answer["status"], answer["success"]) == ("0", "3")
        assert [(m["number"], m["content"]) for m in caller.running.log()] == [
            ("91856321412", "one"),
            ("91856321413", "one"),
            ("91856321414", "two"),
        ]

    def test_the_key_of_the_vendors_table_will_do(self, caller: Caller) -> None:
        part = self.part("91856321412") | {"number": "91856321412"}
        del part["numbers"]

        assert caller.post("/sendSms/batch", {"appId": APP_ID, "array": [part]})["success"] == "1"

    @pytest.mark.parametrize("array", [None, [], {}, "text", [None], ["text"]])
    def test_without_parts_it_is_a_parameter_exception(self, caller: Caller, array: Any) -> None:
        assert caller.post("/sendSms/batch", {"appId": APP_ID, "array": array})["status"] == "-22"

    def test_a_wrong_part_refuses_all(self, caller: Caller) -> None:
        parts = [self.part("91856321412"), self.part("91856321413", content="")]

        assert caller.post("/sendSms/batch", {"appId": APP_ID, "array": parts})["status"] == "-4"
        assert caller.running.log() == []

    def test_a_thousand_numbers_over_all_parts(self, caller: Caller) -> None:
        parts = [self.part(*numbers(500)), self.part(*numbers(501))]

        assert caller.post("/sendSms/batch", {"appId": APP_ID, "array": parts})["status"] == "-7"


class BalanceTests:
    def test_it_runs_down_by_segments_and_then_refuses(self, start: Callable[..., Caller]) -> None:
        caller = start(balance=0.03)

        answers = [
            caller.send("91856321412", content="x" * 161)["status"],
            caller.send("91856321412", content="x" * 161)["status"],
            caller.send("91856321412")["status"],
            caller.send("91856321412")["status"],
        ]

        assert answers == ["0", "-10", "0", "-10"]
        assert caller.get("/getBalance")["balance"] == "0.000000"
        assert len(caller.running.log()) == 2

    def test_the_parts_of_a_batch_are_paid_together(self, start: Callable[..., Caller]) -> None:
        caller = start(balance=0.015)
        parts = [message("91856321412"), message("91856321413", content="another")]

        assert caller.post("/sendSms/batch", {"appId": APP_ID, "array": parts})["status"] == "-10"
        assert caller.running.log() == []

    def test_without_a_balance_it_never_runs_down(self, caller: Caller) -> None:
        caller.send("91856321412")

        assert caller.get("/getBalance")["balance"] == "99999.990000"


class AnswerTests:
    def test_the_vendors_dialect_has_an_array(self, start: Callable[..., Caller]) -> None:
        answer = start(dialect="vendor").send("91856321412", "91856321413")

        assert list(answer) == ["status", "reason", "success", "fail", "array"]
        assert (answer["success"], answer["fail"]) == ("2", "0")
        assert [(entry["number"], entry["orderId"]) for entry in answer["array"]] == [
            ("91856321412", "o-91856321412"),
            ("91856321413", "o-91856321413"),
        ]

    def test_the_documented_dialect_has_ids_alone(self, start: Callable[..., Caller]) -> None:
        answer = start(dialect="seed").send("91856321412", "91856321413")

        assert list(answer) == ["status", "reason", "msgIds"]
        assert len(answer["msgIds"]) == 2

    def test_both_say_the_same(self, caller: Caller) -> None:
        answer = caller.send("91856321412", "91856321413")

        assert answer["msgIds"] == [entry["msgId"] for entry in answer["array"]]
        assert all(msg_id.isdecimal() and len(msg_id) == 19 for msg_id in answer["msgIds"])

    def test_a_number_can_be_left_out(self, caller: Caller) -> None:
        caller.running.set_faults(leave_out=["91856321412"])

        answer = caller.send("91856321412", "91856321413")

        assert (answer["success"], answer["fail"]) == ("1", "1")
        assert [entry["number"] for entry in answer["array"]] == ["91856321413"]
        assert [m["number"] for m in caller.running.log()] == ["91856321413"]

    def test_nothing_is_deduplicated(self, caller: Caller) -> None:
        first, second = caller.send("91856321412"), caller.send("91856321412")

        assert first["msgIds"] != second["msgIds"]
        assert caller.running.stats()["duplicates"] == {"number and text": 1, "order id": 1}

    def test_a_get_is_decoded(self, caller: Caller) -> None:
        query = "appId=a&numbers=91856321412&content=50%25%20%2B%20%C3%A9&senderId=&orderId=1"

        assert caller.raw("GET", f"/sendSms?{query}", headers=signed()).json()["status"] == "0"
        assert caller.running.log()[0]["content"] == "50% + é"

    @pytest.mark.parametrize(
        ("content", "segments"),
        [
            ("x" * 160, 1),
            ("x" * 161, 2),
            ("x" * 306, 2),
            ("x" * 307, 3),
            ("€" * 80, 1),
            ("€" * 81, 2),
            ("é" * 160, 1),
            ("न" * 70, 1),
            ("न" * 71, 2),
            ("👋" * 35, 1),
            ("👋" * 36, 2),
            ("👋" * 67, 3),
        ],
    )
    def test_segments_are_counted(self, caller: Caller, content: str, segments: int) -> None:
        caller.send("91856321412", content=content)

        assert caller.running.log()[0]["segments"] == segments
