"""How far a sender goes ahead of the answers: never so far that a killed worker leaves more in doubt than it must."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from laaffic_console.laaffic import SendResult
from messaging.services.channels.outgoing import Claim
from messaging.services.sending.connections import Connections
from messaging.services.sending.sending import Sender

DONE = SendResult([], [], 0, 0)


def connections(*, usual_seconds: float, began: list[float]) -> Connections:
    """Two connections, with requests under way since so many seconds."""
    made = Connections(2)
    made._usual_seconds = usual_seconds
    made._under_way = {Future(): None for _ in began}  # type: ignore[misc]
    made._began = dict(zip(made._under_way, [time.monotonic() - ago for ago in began], strict=True))
    return made


def sender(ready: int = 2, **given: Any) -> tuple[Sender, list[object]]:
    """A sender with such connections, and what it lets depart."""
    made = Sender.__new__(Sender)
    paced = {"rate_per_second": given.pop("rate_per_second", None)}
    made.campaign = SimpleNamespace(**paced, application=SimpleNamespace(rate_per_second=None))  # type: ignore[assignment]
    made.connections, made.stopping = connections(**given), False
    made.ready = deque(range(ready))  # type: ignore[arg-type]
    departed: list[object] = []
    made._depart = departed.append  # type: ignore[assignment,method-assign]
    return made, departed


class AheadTests:
    def test_one_departs_for_a_connection_that_is_about_to_come_free(self) -> None:
        made, departed = sender(usual_seconds=0.006, began=[0.001, 0.002])

        made._depart_ahead()

        assert departed == [[0]]

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ({"usual_seconds": 60.0, "began": [0.01, 0.02]}, "the answers take long"),
            ({"usual_seconds": math.inf, "began": [0.01, 0.02]}, "nothing is known of them yet"),
            ({"usual_seconds": 0.006, "began": [0.001, 0.001, 0.0]}, "one has departed already"),
            ({"usual_seconds": 0.006, "began": [0.001]}, "a connection is free"),
            ({"usual_seconds": 0.006, "began": [0.001, 0.001], "ready": 0}, "nothing is ready"),
            (
                {"usual_seconds": 0.006, "began": [0.001, 0.001], "rate_per_second": 9},
                "a claim is the right to send now",
            ),
        ],
    )
    def test_else_none(self, given: dict[str, Any], why: str) -> None:
        made, departed = sender(**given)

        made._depart_ahead()

        assert departed == [], why


@pytest.fixture
def held() -> Iterator[Callable[[], SendResult]]:
    """A request that is answered when the test is over, or when its `answer` is called."""
    answered = threading.Event()

    def request() -> SendResult:
        assert answered.wait(10)
        return DONE

    request.answer = answered.set  # type: ignore[attr-defined]
    yield request
    answered.set()


def claim(batch: int) -> Claim:
    return Claim(
        batch_id=batch, entry_id=batch, attempt=1, message_ids=[], numbers=[], attempts=[], texts=[], order_ids=[]
    )


class ConnectionsTests:
    def test_answers_come_in_their_own_order_with_what_they_are_about(self, held: Any) -> None:
        with Connections(2) as made:
            made.post(claim(1), held)
            made.post(claim(2), lambda: DONE)
            (first,) = made.answers(5)
            held.answer()
            (second,) = made.answers(5)

        assert (first.claimed.batch_id, second.claimed.batch_id, bool(made)) == (2, 1, False)

    def test_a_request_without_a_connection_counts_from_when_it_gets_one(self, held: Any) -> None:
        with Connections(1) as made:
            made.post(claim(1), held)
            made.post(claim(2), lambda: DONE)
            assert (made.free, math.inf in made._began.values()) == (-1, True)
            held.answer()
            answered = made.answers(5)
            while made:
                answered += made.answers(5)

        assert [one.claimed.batch_id for one in answered] == [1, 2]
        assert made._usual_seconds < 5

    def test_one_that_failed_is_told_from_one_that_went_well(self) -> None:
        def fail() -> SendResult:
            raise ZeroDivisionError

        with Connections(1) as made:
            made.post(claim(1), fail)
            (answered,) = made.answers(5)

        assert not answered.went_well

    def test_nobody_waits_longer_than_they_want_to(self, held: Any) -> None:
        with Connections(1) as made:
            made.post(claim(1), held)
            began = time.monotonic()
            assert made.answers(0.01) == []
            held.answer()

        assert time.monotonic() - began < 5
