"""A sandbox over real HTTP, an application for numbers, and a queue that is run by hand."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.sandbox.testing import RunningSandbox
from tests.messaging.conftest import point_at, run_jobs, sandbox

__all__ = ["point_at", "run_jobs", "sandbox"]

Door = Callable[..., dict[str, Any]]


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="NumApp1", channel="number", name="Masking")


@pytest.fixture
def door(sandbox: RunningSandbox) -> Door:
    """What the sandbox does when somebody else changes things at Laaffic."""

    def open_door(name: str, **given: Any) -> dict[str, Any]:
        return sandbox._ask("POST", f"/sandbox/{name}", given)

    return open_door


def long_ago() -> None:
    """As if every call had left some minutes before it did."""
    LedgerEntry.objects.exclude(left_at=None).update(left_at=F("left_at") - dt.timedelta(minutes=5))
