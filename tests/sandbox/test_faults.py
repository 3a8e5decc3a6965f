"""Each fault over real HTTP: what its client sees, and whether the message was accepted all the same."""

import socket
import threading
import time
from collections.abc import Callable

import pytest
import requests

from laaffic_console.sandbox.options import KINDS
from tests.sandbox.conftest import APP_ID, Caller, message, signed, wait_for

NUMBER = "91856321412"


def seen(caller: Caller, method: str = "POST", path: str = "/sendSms", timeout: float = 0.3) -> str:
    """In a word or two, what comes of a send."""
    body = message(NUMBER)
    sent = {"json": {"appId": APP_ID, "array": [body]} if path.endswith("batch") else body}
    try:
        answer = caller.raw(method, path, timeout=timeout, **(sent if method == "POST" else {"params": body}))
    except requests.ReadTimeout:
        return "no answer"
    except requests.ConnectionError:
        return "cut"
    if answer.status_code != 200:
        return f"HTTP {answer.status_code} {answer.headers['Content-Type'].partition(';')[0]}"
    try:
        return f"status {answer.json()['status']}"
    except requests.JSONDecodeError:
        return f"no JSON: {answer.text[:10]}"


OUTCOMES = {
    "reset_before": ("cut", 0),
    "reset_after": ("cut", 1),
    "bad_gateway_before": ("HTTP 502 text/html", 0),
    "bad_gateway_after": ("HTTP 502 text/html", 1),
    "html": ("no JSON: <html><bod", 1),
    "half_json": ('no JSON: {"status":', 1),
    "hang": ("no answer", 1),
    "busy": ("status -15", 0),
    "failure_before": ("status -12", 0),
    "failure_after": ("status -18", 1),
}


class FaultTests:
    def test_every_kind_is_tested(self) -> None:
        assert tuple(OUTCOMES) == KINDS

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        ("method", "path"), [("POST", "/sendSms"), ("GET", "/sendSms"), ("POST", "/sendSms/batch")]
    )
    def test_the_next_calls_meet_it_for_certain(self, caller: Caller, kind: str, method: str, path: str) -> None:
        word, accepted = OUTCOMES[kind]
        caller.running.set_faults(next_fault=kind, next_calls=1)

        assert seen(caller, method, path) == word
        assert len(caller.running.log()) == accepted

        assert seen(caller, method, path) == "status 0"
        assert len(caller.running.log()) == accepted + 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_probability_of_one_is_always(self, caller: Caller, kind: str) -> None:
        word, accepted = OUTCOMES[kind]
        caller.running.set_faults(**{kind: 1.0})

        assert [seen(caller) for _ in range(2)] == [word] * 2
        assert len(caller.running.log()) == 2 * accepted

        caller.running.clear_faults()
        assert seen(caller) == "status 0"

    def test_a_probability_strikes_some(self, caller: Caller) -> None:
        caller.running.set_faults(bad_gateway_before=0.5)

        words = [seen(caller) for _ in range(40)]

        assert set(words) == {"HTTP 502 text/html", "status 0"}
        assert len(caller.running.log()) == words.count("status 0")

    def test_a_connection_is_cut_without_a_byte(self, caller: Caller) -> None:
        caller.running.set_faults(next_fault="reset_after", next_calls=1)
        head = "".join(f"{name}: {value}\r\n" for name, value in signed().items())
        body = '{"appId":"a","numbers":"91856321412","content":"x"}'

        with socket.create_connection(("127.0.0.1", caller.running.sandbox.port), timeout=5) as connection:
            request = f"POST /v3/sendSms HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}"
            connection.sendall(request.encode())
            try:
                answer = connection.recv(100)
            except ConnectionResetError:
                answer = b""

        assert answer == b""
        assert len(caller.running.log()) == 1

    @pytest.mark.parametrize("kind", KINDS)
    def test_only_sends_are_struck(self, caller: Caller, kind: str) -> None:
        [msg_id] = caller.send(NUMBER)["msgIds"]
        caller.running.set_faults(**{kind: 1.0})

        assert caller.get("/getBalance")["status"] == "0"
        assert caller.get("/getReport", appId=APP_ID, msgIds=msg_id)["status"] == "0"

    def test_a_refused_send_behind_a_fault_is_not_accepted(self, caller: Caller) -> None:
        caller.running.set_faults(next_fault="bad_gateway_after", next_calls=1)

        answer = caller.raw("POST", "/sendSms", json=message(NUMBER, content=""))

        assert answer.status_code == 502
        assert caller.running.log() == []


class CutTests:
    def test_what_is_under_way_is_broken_off_and_stays_accepted(self, caller: Caller) -> None:
        caller.running.set_faults(next_fault="hang", next_calls=1)
        seen_meanwhile: list[str] = []
        sending = threading.Thread(target=lambda: seen_meanwhile.append(seen(caller, timeout=5)))
        sending.start()
        wait_for(lambda: caller.running.progress() == 1)

        assert caller.running.cut() >= 1

        sending.join(5)
        assert seen_meanwhile == ["cut"]
        assert seen(caller) == "status 0"
        assert caller.running.progress() == 2


class LatencyTests:
    def test_answers_take_their_time(self, caller: Caller) -> None:
        caller.running.set_faults(latency_ms=150)
        began = time.monotonic()

        assert caller.send(NUMBER)["status"] == "0"

        assert time.monotonic() - began >= 0.15

    def test_jitter_comes_on_top(self, caller: Caller) -> None:
        caller.running.set_faults(latency_jitter_ms=50.0)

        assert caller.send(NUMBER)["status"] == "0"


class DownTests:
    def test_it_refuses_connections_for_a_while(self, start: Callable[..., Caller]) -> None:
        caller = start()
        caller.send(NUMBER)

        caller.running.go_down(0.4)
        assert wait_for(lambda: seen(caller) == "cut")
        wait_for(lambda: seen(caller) == "status 0")

        assert caller.running.stats()["accepted"] >= 2
