"""What apps name in their ready() is told once, however often it is named."""

from collections.abc import Callable
from typing import Any

import pytest

from laaffic_console.gateway.services.account import account_hold, balance_history
from laaffic_console.gateway.services.work import bell


@pytest.mark.parametrize(
    ("named", "name"),
    [
        (account_hold._followers, account_hold.follow_with),
        (balance_history._told, balance_history.tell_when_low),
        (bell._sweeps, bell.sweep_with),
    ],
)
def test_named_twice_is_told_once(named: list[Any], name: Callable[[Any], None]) -> None:
    before = list(named)
    assert before

    name(before[0])

    assert named == before
