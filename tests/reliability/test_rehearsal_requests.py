"""What clients of the API were answered against the ledger: each way in which they can disagree is found."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from laaffic_console.rehearsal import plan
from laaffic_console.rehearsal.api_requests import clients
from laaffic_console.rehearsal.api_requests.clients import Clients, Loss
from laaffic_console.rehearsal.api_requests.request_verdict import findings
from laaffic_console.rehearsal.plan import API_KILLS, MOST_IN_A_REQUEST, Request
from laaffic_console.rehearsal.verdict import Entry

ANN, BOB = "911", "912"
ASKED = [Request("a", (ANN,)), Request("b", (BOB,))]


def answer(campaign: int, number: str, message: int) -> dict[str, Any]:
    return {"id": campaign, "campaign": campaign, "messages": [{"number": number, "id": message}]}


LEDGER = [Entry(ANN, "delivered", "", "", 1, 11), Entry(BOB, "delivered", "", "", 2, 12)]
ANSWERS = {"a": [answer(1, ANN, 11)] * 2, "b": [answer(2, BOB, 12)]}


def found(**given: Any) -> list[str]:
    told = {"asked": ASKED, "answers": ANSWERS, "ledger": LEDGER, "campaigns": [1, 2], **given}
    return [name for name, each in findings(**told).items() if each]


def test_they_agree() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("finding", "given"),
    [
        ("keys without an answer", {"answers": {"a": ANSWERS["a"]}, "campaigns": [1]}),
        ("keys whose answers differ", {"answers": {**ANSWERS, "a": [answer(1, ANN, 11), answer(1, ANN, 13)]}}),
        ("answers that the ledger does not bear out", {"ledger": LEDGER[1:]}),
        ("answers that the ledger does not bear out", {"asked": [Request("a", (ANN, BOB)), ASKED[1]]}),
        ("campaigns beside the answers", {"campaigns": [1, 2, 3]}),
        ("refused or failed", {"problems": ["a: answered 500"]}),
    ],
)
def test_a_disagreement_is_found(finding: str, given: dict[str, Any]) -> None:
    assert found(**given) == [finding]


def test_two_keys_with_one_campaign_are_found() -> None:
    assert "campaigns beside the answers" in found(answers={"a": ANSWERS["a"], "b": ANSWERS["a"]}, campaigns=[1])


def test_every_number_is_asked_for_once_and_by_the_seed() -> None:
    numbers = plan.numbers(2000)
    requests = plan.requests(3, numbers)

    assert [number for request in requests for number in request.numbers] == numbers
    assert requests == plan.requests(3, numbers) != plan.requests(4, numbers)
    assert len({request.key for request in requests}) == len(requests)
    assert {1, MOST_IN_A_REQUEST} <= {len(request.numbers) for request in requests}


def test_what_answers_clients_is_struck_most() -> None:
    struck = Counter(blow.kind for blow in plan.blows(1, 200, 0, of_api=True))

    assert set(struck) == set(API_KILLS)
    assert struck.most_common(1)[0][0] is plan.Kind.WEB_CHILD


class Server:
    """Answers one after the other, in words of HTTP; "" breaks the connection off."""

    def __init__(self, *answers: str) -> None:
        self.heard: list[bytes] = []
        self.answers = list(answers)
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for said in self.answers:
            connection, _ = self.socket.accept()
            with connection:
                self.heard.append(connection.recv(65536))
                connection.sendall(said.encode())
        self.socket.close()


def http(status: int, body: dict[str, Any], more: str = "") -> str:
    text = json.dumps(body)
    return f"HTTP/1.1 {status} said\r\n{more}Content-Length: {len(text)}\r\n\r\n{text}"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clients, "PAUSE", (0.01, 0.02))
    return


def asked(server: Server, monkeypatch: pytest.MonkeyPatch, *losses: Loss) -> Clients:
    monkeypatch.setattr("random.Random.choices", lambda *given, **more: list(losses) or [Loss.NONE])
    asking = Clients(server.socket.getsockname(), {"text": "x"}, "secret", 1)
    asking.begin(ASKED[:1], lambda place: True)
    asking._running[0].result(10)
    asking.end()
    return asking


def test_a_client_repeats_blindly_until_it_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = http(409, {"detail": "wait"}, "Retry-After: 0.1\r\n")
    server = Server("", wait, http(202, ANSWERS["a"][0]))
    asking = asked(server, monkeypatch)

    assert asking.answers == {"a": ANSWERS["a"][:1]}
    assert not asking.problems
    assert len(server.heard) == 3
    assert all(b"Idempotency-Key: a\r\n" in heard for heard in server.heard)


def test_a_fault_of_ours_is_a_finding_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = asked(Server(http(500, {"detail": "our fault"}), http(202, {})), monkeypatch)

    assert asking.problems == ["a: answered 500: our fault"]
    assert asking.counted["answered 202"] == 1


def test_an_answer_that_is_not_read_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said = http(202, ANSWERS["a"][0])
    asking = asked(Server(said, said), monkeypatch, Loss.UNREAD, Loss.NONE)

    assert len(asking.answers["a"]) == 1
    assert asking.counted["attempts, connection cut before the answer was read"] == 1
