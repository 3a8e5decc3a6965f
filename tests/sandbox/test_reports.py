"""getReport and getSentRcd: from not found over sending to final, pages, windows, both shapes."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import APP_ID, Caller, wait_for

CHINA = dt.timezone(dt.timedelta(hours=8))


def iso(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, CHINA).isoformat(timespec="seconds")


def ask(caller: Caller, *msg_ids: str, app_id: str = APP_ID) -> dict[str, Any]:
    return caller.get("/getReport", appId=app_id, msgIds=",".join(msg_ids))


def sent(caller: Caller, start: float = -3600, end: float = 60, **more: Any) -> dict[str, Any]:
    now = time.time()
    asked = {"appId": APP_ID, "startTime": iso(now + start), "endTime": iso(now + end)} | more
    return caller.get("/getSentRcd", **asked)


def counts(answer: dict[str, Any]) -> dict[str, str]:
    return {name: answer[name] for name in ("success", "fail", "sending", "nofound")}


class GetReportTests:
    def test_a_message_is_not_found_then_sending_then_delivered(self, start: Callable[..., Caller]) -> None:
        caller = start(queue_time=1.0, delivery_delay=(2.0, 2.0), delivery_rate=1.0)
        [msg_id] = caller.send("91856321412")["msgIds"]
        seen = []

        limit = time.monotonic() + 60
        while (not seen or seen[-1] != ("success", ["0"])) and time.monotonic() < limit:
            answer = ask(caller, msg_id)
            counter = next(name for name, count in counts(answer).items() if count == "1")
            state = (counter, [row["status"] for row in answer["array"]])
            seen += [state] if not seen or seen[-1] != state else []
            time.sleep(0.02)

        assert seen == [("nofound", []), ("sending", ["-1"]), ("success", ["0"])]

    def test_a_failure_is_one(self, start: Callable[..., Caller]) -> None:
        caller = start(queue_time=0.0, delivery_delay=(0.0, 0.0), delivery_rate=0.0)
        [msg_id] = caller.send("91856321412")["msgIds"]

        answer = ask(caller, msg_id)

        assert counts(answer) == {"success": "0", "fail": "1", "sending": "0", "nofound": "0"}
        assert [row["status"] for row in answer["array"]] == ["1"]

    def test_a_row_looks_as_documented(self, caller: Caller) -> None:
        [msg_id] = caller.send("91856321412")["msgIds"]

        [row] = ask(caller, msg_id)["array"]

        assert list(row) == ["msgId", "number", "receiveTime", "status"]
        assert (row["msgId"], row["number"], row["status"]) == (msg_id, "91856321412", "0")
        assert row["receiveTime"].endswith("+08:00")
        assert dt.datetime.fromisoformat(row["receiveTime"]).timestamp() == pytest.approx(time.time(), abs=3)

    def test_an_unknown_id_is_not_found(self, caller: Caller) -> None:
        [msg_id] = caller.send("91856321412")["msgIds"]

        answer = ask(caller, msg_id, "2108021054011000095")

        assert counts(answer) == {"success": "1", "fail": "0", "sending": "0", "nofound": "1"}
        assert len(answer["array"]) == 1

    @pytest.mark.parametrize("odd", ["m1", "２１", "-1", "2108021054011000095;2108021059531000096"])
    def test_an_abnormal_id_is_refused_with_all_the_others(self, caller: Caller, odd: str) -> None:
        [msg_id] = caller.send("91856321412")["msgIds"]

        assert ask(caller, msg_id, odd)["status"] == "-14"

    def test_another_applications_message_is_not_found(self, caller: Caller) -> None:
        [msg_id] = caller.send("91856321412")["msgIds"]

        answer = ask(caller, msg_id, app_id="other")

        assert (answer["nofound"], answer["array"]) == ("1", [])

    @pytest.mark.parametrize(("count", "status"), [(0, "-14"), (1, "0"), (200, "0"), (201, "-14")])
    def test_it_takes_up_to_two_hundred_ids(self, caller: Caller, count: int, status: str) -> None:
        assert ask(caller, *("2108021054011000095" for _ in range(count)))["status"] == status

    def test_a_fate_is_the_same_each_time(self, start: Callable[..., Caller]) -> None:
        numbers = [str(919876500000 + index) for index in range(300)]
        fates = []
        for _ in range(2):
            caller = start(queue_time=0.0, delivery_delay=(0.0, 0.0), delivery_rate=0.5, seed=7)
            caller.send(*numbers)
            fates.append([m["state"] for m in caller.running.log()])

        assert fates[0] == fates[1]
        assert 100 < fates[0].count("delivered") < 200


class GetSentRecordsTests:
    def test_only_what_is_finished_is_there(self, start: Callable[..., Caller]) -> None:
        caller = start(queue_time=0.0, delivery_delay=(0.5, 0.5), delivery_rate=1.0)
        caller.send("91856321412")

        assert sent(caller)["array"] == []
        assert [row["number"] for row in wait_for(lambda: sent(caller)["array"])] == ["91856321412"]

    @pytest.mark.parametrize("failed", ["2", "1"])
    def test_a_failure_is_what_either_page_calls_it(self, start: Callable[..., Caller], failed: str) -> None:
        caller = start(queue_time=0.0, delivery_delay=(0.0, 0.0), delivery_rate=0.0, failed_record=failed)
        caller.send("91856321412")

        answer = sent(caller)

        assert (answer["success"], answer["fail"]) == ("0", "1")
        assert [row["status"] for row in answer["array"]] == [failed]

    def test_the_documented_shape(self, start: Callable[..., Caller]) -> None:
        caller = start(dialect="seed", queue_time=0.0, delivery_delay=(0.0, 0.0), delivery_rate=1.0)
        msg_ids = caller.send("91856321412", "91856321413")["msgIds"]

        answer = sent(caller)

        assert list(answer) == ["status", "reason", "data"]
        assert answer["data"]["total"] == 2
        assert [row["msgId"] for row in answer["data"]["records"]] == msg_ids
        assert {row["status"] for row in answer["data"]["records"]} == {"0"}

    def test_it_pages_by_offset(self, start: Callable[..., Caller]) -> None:
        caller = start(queue_time=0.0, delivery_delay=(0.0, 0.0), record_page=2)
        msg_ids = caller.send(*(str(919876500000 + index) for index in range(5)))["msgIds"]

        pages = [[row["msgId"] for row in sent(caller, startIndex=index)["array"]] for index in (0, 2, "4", 5, 99)]

        assert pages == [msg_ids[:2], msg_ids[2:4], msg_ids[4:], [], []]

    def test_another_applications_messages_are_not_there(self, caller: Caller) -> None:
        caller.send("91856321412")

        assert sent(caller, appId="another")["array"] == []

    def test_the_window_counts(self, caller: Caller) -> None:
        caller.send("91856321412")

        assert sent(caller, -3600, -60)["array"] == []
        assert sent(caller, 60, 3600)["array"] == []
        assert len(sent(caller, -60, 60)["array"]) == 1

    @pytest.mark.parametrize(
        ("begin", "end", "status"),
        [
            (-31 * 86400, 0, "0"),
            (-31 * 86400 - 10, 0, "-25"),
            (-89 * 86400, -80 * 86400, "0"),
            (-91 * 86400, -80 * 86400, "-25"),
            (0, -60, "-25"),
        ],
    )
    def test_limits_of_the_window(self, caller: Caller, begin: float, end: float, status: str) -> None:
        assert sent(caller, begin, end)["status"] == status

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"startTime": "yesterday"}, "-11"),
            ({"startTime": ""}, "-11"),
            ({"endTime": "2021-02-12 00:00:00"}, "-11"),
            ({"endTime": "2021-02-12T00:00:00"}, "-11"),
            ({"startIndex": "-1"}, "-22"),
            ({"startIndex": "²"}, "-22"),
            ({"startIndex": ""}, "0"),
        ],
    )
    def test_values_that_are_wrong(self, caller: Caller, changed: dict[str, str], status: str) -> None:
        assert sent(caller, **changed)["status"] == status

    def test_a_plus_that_was_not_encoded_is_a_space_and_understood(self, caller: Caller) -> None:
        caller.send("91856321412")
        now = time.time()
        query = f"appId={APP_ID}&startTime={iso(now - 60)}&endTime={iso(now + 60)}&startIndex=0"
        assert "+08:00" in query

        assert len(caller.raw("GET", f"/getSentRcd?{query}").json()["array"]) == 1
        assert len(caller.raw("GET", f"/getSentRcd?{query.replace('+', '%2B')}").json()["array"]) == 1
