"""A receiver on this machine, and the leave to reach it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.events.receivers import Receiver, receiving


@pytest.fixture(autouse=True)
def _may_reach_this_machine(settings: Any) -> None:
    settings.WEBHOOKS_MAY_REACH = ["127.0.0.0/8"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one
