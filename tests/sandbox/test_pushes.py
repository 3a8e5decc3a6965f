"""Reports that are pushed to somebody's callback, in every way the vendor leaves open."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import APP_ID, Caller, Receiver, wait_for

NUMBERS = [str(919876500000 + index) for index in range(7)]
Begin = Callable[..., Caller]


@pytest.fixture
def begin(start: Begin, receiver: Receiver) -> Begin:
    """A sandbox that pushes to the receiver, at once unless told otherwise."""

    def go(**options: Any) -> Caller:
        plain = {"callback": receiver.url, "delivery_delay": (0.0, 0.0), "delivery_rate": 1.0, "queue_time": 0.0}
        return start(**plain | options)

    return go


def pushed(receiver: Receiver, count: int) -> list[dict[str, Any]]:
    return list(wait_for(lambda: len(receiver.reports()) >= count and receiver.reports()))


class PushTests:
    def test_a_report_looks_as_documented(self, begin: Begin, receiver: Receiver) -> None:
        [msg_id] = begin().send("91856321412", content="x" * 161)["msgIds"]

        [report] = pushed(receiver, 1)

        assert receiver.headers[0]["Content-Type"].startswith("application/json")
        assert report["timestamp"] == pytest.approx(time.time() * 1000, abs=10_000)
        assert report | {"timestamp": 0} == {
            "appId": APP_ID,
            "msgid": msg_id,
            "mobile": "91856321412",
            "status": 0,
            "reason": "0",
            "timestamp": 0,
            "mcc": "404",
            "mnc": "-1",
            "pricedetail": {"pay": "0.0200", "currency": "EUR", "chargeCnt": 2, "price": "0.0100"},
            "orderId": "o-91856321412",
        }

    def test_a_failure_says_why(self, begin: Begin, receiver: Receiver) -> None:
        begin(delivery_rate=0.0).send("91856321412")

        [report] = pushed(receiver, 1)

        assert report["status"] == 1
        assert report["reason"] in {"Absent subscriber", "Unknown subscriber", "Spam blocked", "Handset error"}

    def test_each_report_comes_once_and_alone(self, begin: Begin, receiver: Receiver) -> None:
        caller = begin()
        msg_ids = caller.send(*NUMBERS)["msgIds"]

        reports = pushed(receiver, 7)
        wait_for(lambda: caller.running.stats()["pushes"].get("acknowledged") == 7)

        assert sorted(report["msgid"] for report in reports) == msg_ids
        assert all(isinstance(body, dict) and "array" not in body for body in receiver.bodies)
        assert caller.running.stats()["pushes"] == {"sent": 7, "acknowledged": 7}

    @pytest.mark.parametrize("mode", ["array", "wrapped"])
    def test_several_come_together(self, begin: Begin, receiver: Receiver, mode: str) -> None:
        msg_ids = begin(push_mode=mode, push_batch=3).send(*NUMBERS)["msgIds"]

        reports = pushed(receiver, 7)

        assert sorted(report["msgid"] for report in reports) == msg_ids
        parts = [body["array"] if mode == "wrapped" else body for body in receiver.bodies]
        assert all(isinstance(part, list) and len(part) <= 3 for part in parts)
        assert max(len(part) for part in parts) == 3

    def test_each_may_come_twice(self, begin: Begin, receiver: Receiver) -> None:
        msg_ids = begin(push_repeat=1.0).send(*NUMBERS)["msgIds"]

        reports = pushed(receiver, 14)

        assert sorted(report["msgid"] for report in reports) == sorted(msg_ids * 2)
        assert all(receiver.reports().count(report) == 2 for report in reports)

    def test_they_may_come_out_of_order(self, begin: Begin, receiver: Receiver) -> None:
        options = {"push_mode": "array", "push_shuffle": True, "delivery_delay": (0.2, 0.2)}
        numbers = [str(919876500000 + index) for index in range(30)]
        msg_ids = begin(**options).send(*numbers)["msgIds"]

        came = [report["msgid"] for report in pushed(receiver, 30)]

        assert sorted(came) == msg_ids
        assert came != msg_ids

    def test_without_shuffling_they_come_as_they_were_finished(self, begin: Begin, receiver: Receiver) -> None:
        msg_ids = begin(push_mode="array", delivery_delay=(0.2, 0.2)).send(*NUMBERS)["msgIds"]

        assert [report["msgid"] for report in pushed(receiver, 7)] == msg_ids

    def test_the_key_of_the_order_id_may_end_in_a_space(self, begin: Begin, receiver: Receiver) -> None:
        begin(spaced_order_key=True).send("91856321412")

        [report] = pushed(receiver, 1)

        assert report["orderId "] == "o-91856321412"
        assert "orderId" not in report

    def test_the_order_id_may_be_missing(self, begin: Begin, receiver: Receiver) -> None:
        begin(push_order_id=False).send("91856321412")

        [report] = pushed(receiver, 1)

        assert not {"orderId", "orderId "} & report.keys()

    def test_it_comes_when_the_message_is_finished_and_later_if_asked(self, begin: Begin, receiver: Receiver) -> None:
        caller = begin(delivery_delay=(0.2, 0.2), push_delay=0.3)
        began = time.monotonic()
        caller.send("91856321412")

        pushed(receiver, 1)

        assert time.monotonic() - began >= 0.5

    def test_what_was_refused_is_not_pushed(self, begin: Begin, receiver: Receiver) -> None:
        caller = begin()
        caller.send("91856321412", content="")
        caller.send("91856321413")

        assert [report["mobile"] for report in pushed(receiver, 1)] == ["91856321413"]

    def test_what_was_accepted_behind_a_lost_answer_is_pushed(self, begin: Begin, receiver: Receiver) -> None:
        caller = begin()
        caller.running.set_faults(next_fault="bad_gateway_after", next_calls=1)
        assert (
            caller.raw("POST", "/sendSms", json={"appId": "a", "numbers": "91856321412", "content": "x"}).status_code
            == 502
        )

        assert [report["mobile"] for report in pushed(receiver, 1)] == ["91856321412"]


class RetryTests:
    @pytest.mark.parametrize("status", [500, 404, 204, 302])
    def test_it_comes_again_until_it_is_answered_with_200(self, begin: Begin, receiver: Receiver, status: int) -> None:
        receiver.statuses = [status, status]
        caller = begin()
        [msg_id] = caller.send("91856321412")["msgIds"]

        wait_for(lambda: caller.running.stats()["pushes"].get("acknowledged"))

        assert [report["msgid"] for report in receiver.reports()] == [msg_id] * 3
        assert caller.running.stats()["pushes"] == {"sent": 3, "acknowledged": 1}

    def test_it_is_given_up_after_a_few(self, begin: Begin, receiver: Receiver) -> None:
        receiver.statuses = [500] * 10
        caller = begin(push_retries=1)
        caller.send("91856321412")

        wait_for(lambda: caller.running.stats()["pushes"].get("given up"))

        assert caller.running.stats()["pushes"] == {"sent": 2, "given up": 1}
        assert len(receiver.bodies) == 2

    def test_nobody_listening_is_given_up_too(self, begin: Begin) -> None:
        caller = begin(push_retries=0, callback="http://127.0.0.1:1/callback")
        caller.send("91856321412")

        wait_for(lambda: caller.running.stats()["pushes"].get("given up"))

    def test_without_a_callback_nothing_is_pushed(self, begin: Begin) -> None:
        caller = begin(callback="")
        caller.send("91856321412")

        time.sleep(0.15)
        assert caller.running.stats()["pushes"] == {}
