"""A database that goes away while a departure is committed: nobody is told whether it was."""

from typing import Any

import pytest
from django.db import OperationalError

from laaffic_console.gateway.services.ledger import ledger


def lose_departures(monkeypatch: pytest.MonkeyPatch, n: int = 1, *, is_committed: bool = True) -> None:
    """The next n departures end with a lost connection, committed or not."""
    commit = ledger.Departure._commit
    left = iter(range(n))

    def losing(self: ledger.Departure, *given: Any) -> Any:
        if next(left, None) is None:
            return commit(self, *given)
        if is_committed:
            commit(self, *given)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(ledger.Departure, "_commit", losing)
