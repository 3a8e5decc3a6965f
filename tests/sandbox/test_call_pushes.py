"""How often the end of a call is pushed."""

import time
from typing import Any

import pytest

from laaffic_console.sandbox.call_log import CallLog
from laaffic_console.sandbox.calls import made
from laaffic_console.sandbox.options import Faults, Options
from tests.sandbox.conftest import APP_ID, Caller
from tests.voice.group_calls.group_samples import at_sandbox


class Posts:
    """Instead of the courier: what it was asked to post."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def post_at(self, *given: Any) -> None:
        self.asked.append(given)


@pytest.mark.parametrize(
    ("given", "least", "most"), [({}, 100, 100), ({"push_loss": 0.5}, 25, 75), ({"push_loss": 1.0}, 0, 0)]
)
def test_a_share_of_them_is_never_told(given: dict[str, float], least: int, most: int) -> None:
    options, posts = Options(voice_callback="http://127.0.0.1:1/", **given), Posts()  # type: ignore[arg-type]
    log = CallLog(options, Faults(), posts)  # type: ignore[arg-type]
    for index in range(100):
        number = str(919_876_500_000 + index)
        log.add(
            made(options, number, voice_id=number, type_=2, at=time.time(), longest=1, spoken=True, display_number="")
        )

    assert least <= len(posts.asked) <= most
    assert len(log.calls) == 100


def test_a_sandbox_that_is_started_again_names_its_tasks_anew(caller: Caller) -> None:
    """Else a console adds the calls of a task that it kept to another one."""
    task = {"appId": APP_ID, "taskName": "spring", "source": 3, "text": "hi", "lan": "EN", "loopCount": 1}
    task |= {"maxCalls": 30, "numberList": ["919876500000"]}
    before = int(time.time())
    caller.running.reset()

    caller.post("/voice/group/call/send", task)

    assert at_sandbox(caller.running)[0].key >= before
