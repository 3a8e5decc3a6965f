"""How far a sender goes ahead of the answers: never so far that a killed worker leaves more in doubt than it must."""

import math
import time
from collections import deque
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from messaging.services.sending.sending import Sender


def sender(*, usual_seconds: float, began: list[float], ready: int = 2, **campaign: Any) -> tuple[Sender, list[object]]:
    """A sender with requests under way since so many seconds, and what it lets depart."""
    made = Sender.__new__(Sender)
    given = {"rate_per_second": None, "application": SimpleNamespace(rate_per_second=None), **campaign}
    made.campaign = SimpleNamespace(**given)  # type: ignore[assignment]
    made.connections, made.stopping, made.usual_seconds = 2, False, usual_seconds
    made.in_flight = {Future(): None for _ in began}  # type: ignore[misc]
    made.began = dict(zip(made.in_flight, [time.monotonic() - ago for ago in began], strict=True))
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
