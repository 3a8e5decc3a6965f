"""The sandbox's own doors: what was accepted, in figures and one by one; faults; a fresh start."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import APP_ID, Caller, wait_for

NUMBERS = [str(919876500000 + index) for index in range(5)]


class StatsTests:
    def test_nothing_yet(self, caller: Caller) -> None:
        assert caller.running.stats() == {
            "calls": {},
            "accepted": 0,
            "delivered": 0,
            "failed": 0,
            "pending": 0,
            "duplicates": {"number and text": 0, "order id": 0},
            "pushes": {},
            "segments": 0,
            "balance": "99999.99",
        }

    def test_calls_are_counted_whatever_came_of_them(self, caller: Caller) -> None:
        caller.send(NUMBERS[0])
        caller.send(NUMBERS[0], content="")
        caller.raw("POST", "/sendSms", headers={}, json={})
        caller.get("/getBalance")

        stats = caller.running.stats()

        assert stats["calls"] == {"/sendSms": 3, "/getBalance": 1}
        assert stats["accepted"] == 1

    def test_states_and_segments(self, start: Callable[..., Caller]) -> None:
        caller = start(queue_time=0.0, delivery_delay=(0.2, 0.2), delivery_rate=1.0)
        caller.send(*NUMBERS, content="x" * 161)

        stats = caller.running.stats()

        assert (stats["accepted"], stats["pending"], stats["segments"]) == (5, 5, 10)
        wait_for(lambda: caller.running.stats()["delivered"] == 5)
        assert caller.running.stats()["pending"] == 0

    def test_duplicates_of_either_kind(self, caller: Caller) -> None:
        caller.send(NUMBERS[0], orderId="1")
        caller.send(NUMBERS[0], orderId="2")
        caller.send(NUMBERS[0], orderId="2", content="another")
        caller.send(NUMBERS[1], orderId="")
        caller.send(NUMBERS[2], orderId="")

        assert caller.running.stats()["duplicates"] == {"number and text": 1, "order id": 1}


class MessagesTests:
    def look(self, caller: Caller, **query: str | int) -> dict[str, Any]:
        return dict(caller.door("GET", "/messages", params=query).json())

    def test_the_newest_come_first(self, caller: Caller) -> None:
        caller.send(*NUMBERS)

        found = self.look(caller)

        assert found["total"] == 5
        assert [m["number"] for m in found["messages"]] == NUMBERS[::-1]

    def test_they_are_paged(self, caller: Caller) -> None:
        caller.send(*NUMBERS)

        found = self.look(caller, limit=2, offset=1)

        assert found["total"] == 5
        assert [m["number"] for m in found["messages"]] == [NUMBERS[3], NUMBERS[2]]

    def test_they_are_chosen_by_number_and_order_id(self, caller: Caller) -> None:
        caller.send(*NUMBERS[:2], orderId="lc-1,other-2")

        assert [m["order_id"] for m in self.look(caller, order_prefix="lc-")["messages"]] == ["lc-1"]
        assert [m["number"] for m in self.look(caller, number=NUMBERS[1])["messages"]] == [NUMBERS[1]]
        assert self.look(caller, number="nobody") == {"total": 0, "messages": []}

    @pytest.mark.parametrize("query", [{"limit": "many"}, {"offset": "x"}])
    def test_what_is_no_number_is_a_bad_request(self, caller: Caller, query: dict[str, str]) -> None:
        answer = caller.door("GET", "/messages", params=query)

        assert answer.status_code == 400
        assert answer.json() == {"error": "limit and offset are numbers"}


class LogTests:
    def test_everything_accepted_in_its_order(self, caller: Caller) -> None:
        msg_ids = caller.send(*NUMBERS)["msgIds"]

        log = caller.running.log()

        assert [entry["msg_id"] for entry in log] == msg_ids
        assert log[0] | {"accepted_at": 0, "msg_id": ""} == {
            "msg_id": "",
            "number": NUMBERS[0],
            "order_id": f"o-{NUMBERS[0]}",
            "app_id": APP_ID,
            "sender_id": "123",
            "content": "hello world",
            "segments": 1,
            "accepted_at": 0,
            "state": "delivered",
            "title": "",
            "files": [],
            "reason": "0",
            "price": "0.0100",
            "pay": "0.0100",
            "currency": "EUR",
        }

    @pytest.mark.parametrize("calls", [0, 1, 2])
    def test_it_is_whole_beyond_a_thousand(self, caller: Caller, calls: int) -> None:
        numbers = [str(919876500000 + index) for index in range(1000)]
        for _ in range(calls):
            caller.send(*numbers)

        assert [entry["number"] for entry in caller.running.log()] == numbers * calls

    def test_a_content_of_several_lines_stays_one_entry(self, caller: Caller) -> None:
        caller.send(NUMBERS[0], content="one\ntwo\u2028three")

        assert [entry["content"] for entry in caller.running.log()] == ["one\ntwo\u2028three"]


class ResetTests:
    def test_it_forgets_what_was_accepted(self, start: Callable[..., Caller]) -> None:
        caller = start(balance=1.0, queue_time=0.0, delivery_delay=(0.0, 0.0))
        [msg_id] = caller.send(NUMBERS[0])["msgIds"]

        answer = caller.door("POST", "/reset")

        assert answer.json() == {"reset": True}
        assert caller.running.log() == []
        stats = caller.running.stats()
        assert (stats["accepted"], stats["calls"], stats["balance"]) == (0, {}, "1.0")
        assert caller.get("/getReport", appId=APP_ID, msgIds=msg_id)["nofound"] == "1"

    def test_an_id_is_never_given_twice(self, caller: Caller) -> None:
        before = caller.send(*NUMBERS)["msgIds"]
        caller.running.reset()

        assert not set(before) & set(caller.send(*NUMBERS)["msgIds"])

    def test_it_keeps_the_faults(self, caller: Caller) -> None:
        caller.running.set_faults(leave_out=[NUMBERS[0]])

        caller.running.reset()

        assert caller.door("GET", "/faults").json()["leave_out"] == [NUMBERS[0]]


class FaultsTests:
    def test_all_are_off_at_first(self, caller: Caller) -> None:
        assert not any(caller.door("GET", "/faults").json().values())

    def test_what_is_named_is_set_and_the_rest_stays(self, caller: Caller) -> None:
        caller.door("POST", "/faults", json={"html": 0.5})

        answer = caller.door("POST", "/faults", json={"hang": 1, "abnormal": [NUMBERS[0]]})

        faults = answer.json()
        assert (answer.status_code, faults["html"], faults["hang"], faults["abnormal"]) == (200, 0.5, 1, [NUMBERS[0]])

    def test_delete_turns_all_off(self, caller: Caller) -> None:
        caller.running.set_faults(html=1.0, leave_out=[NUMBERS[0]], status="-10", status_calls=3)

        caller.door("DELETE", "/faults")

        assert not any(caller.door("GET", "/faults").json().values())
        assert caller.send(NUMBERS[0])["success"] == "1"

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ({"nonsense": 1}, "unknown fault nonsense; there are: abnormal, bad_gateway_after"),
            ({"html": "often"}, "html must be float"),
            ({"html": None}, "html must be float"),
            ({"status": -10}, "status must be str"),
            ({"status_calls": "2"}, "status_calls must be int"),
            ({"next_calls": 1.5}, "next_calls must be int"),
            ({"leave_out": NUMBERS[0]}, "leave_out must be list"),
            ({"next_fault": "nonsense"}, "next_fault is one of reset_before"),
            ({"html": 1.0, "nonsense": 1}, "unknown fault nonsense"),
            ([], ""),
            ("html", ""),
            (None, ""),
        ],
    )
    def test_what_is_wrong_is_a_bad_request_and_sets_nothing(self, caller: Caller, body: object, says: str) -> None:
        answer = caller.door("POST", "/faults", json=body)

        assert answer.status_code == 400
        assert says in answer.json()["error"]
        assert not any(caller.door("GET", "/faults").json().values())

    def test_what_is_no_json_is_a_bad_request(self, caller: Caller) -> None:
        assert caller.door("POST", "/faults", data=b"{").status_code == 400


class PageTests:
    @pytest.mark.parametrize("path", ["/", "/static/phones.css", "/static/phones.js"])
    def test_people_have_a_page(self, caller: Caller, path: str) -> None:
        answer = caller.session.get(f"{caller.running.url}{path}", timeout=5)

        assert answer.status_code == 200
        assert answer.content
