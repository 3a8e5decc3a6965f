"""What passes by itself is nobody's fault: it is raised as it is, and written down nowhere."""

import sqlite3
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, InternalError, OperationalError, connection, transaction

from laaffic_console.gateway.models import Trouble
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.inbox import draining
from laaffic_console.kit.sql import snapshots

pytestmark = pytest.mark.django_db


class Cause(Exception):
    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def caused_by(cause: BaseException) -> OperationalError:
    problem = OperationalError(str(cause))
    problem.__cause__ = cause
    return problem


def internal(cause: BaseException) -> InternalError:
    problem = InternalError(str(cause))
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    ("problem", "passes"),
    [
        (InterfaceError("connection already closed"), True),
        (caused_by(Cause("40P01")), True),
        (caused_by(Cause("53100")), True),
        (caused_by(Cause("22003")), False),
        (internal(Cause("25006")), True),
        (internal(Cause("25P02")), False),
        (internal(Cause("25P03")), True),
        (caused_by(Cause("55P03")), True),
        (caused_by(sqlite3.OperationalError("database is locked")), True),
        (caused_by(sqlite3.OperationalError("no such column")), False),
        (OperationalError("the server closed the connection"), True),
        (ValueError("database is locked"), False),
    ],
)
def test_what_passes_is_told_from_what_stays(problem: Exception, passes: bool) -> None:
    assert isolation.is_passing(problem) is passes

    with isolation.guarded("campaign 12"):
        raise problem

    assert Trouble.objects.filter(name="campaign 12").exists() is not passes


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("problem", "is_tried"), [(OperationalError("the server closed the connection"), True), (ValueError("odd"), False)]
)
def test_a_dead_connection_is_not_handed_to_the_others(
    problem: Exception, is_tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bool] = []

    def fail(item: int) -> None:
        raise problem

    monkeypatch.setattr(isolation.connection, "close_if_unusable_or_obsolete", lambda: tried.append(True))

    isolation.each([1], fail, str)

    assert bool(tried) is is_tried


def test_what_cannot_be_noted_leaves_the_transaction_around_it_whole() -> None:
    def refuse(execute: Any, sql: str, *given: Any) -> Any:
        if 'SET "times"' in sql:
            raise OperationalError("disk full")
        return execute(sql, *given)

    isolation.note("campaign 12", ValueError("first"))
    with transaction.atomic():
        isolation.note("campaign 13", ValueError("x"))
        with connection.execute_wrapper(refuse):
            isolation.note("campaign 12", ValueError("second"))

    told = dict(Trouble.objects.values_list("name", "problem"))
    assert told == {"campaign 12": "ValueError: first", "campaign 13": "ValueError: x"}


@pytest.mark.parametrize(
    ("took", "size"),
    [(draining.LONG_SECONDS * 2, 50), (draining.LONG_SECONDS * 0.9, 100), (draining.SHORT_SECONDS / 2, 200)],
)
def test_a_transaction_that_took_long_is_followed_by_a_smaller_one(
    took: float, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = draining._Pace()
    moments = iter([10.0, 10.0 + took])
    monkeypatch.setattr(draining, "time", SimpleNamespace(monotonic=lambda: next(moments)))

    with pace.timed():
        pass

    assert pace.size == size


@pytest.mark.parametrize(("read_for", "slept"), [(0.0, 0.05), (0.03, 0.02), (0.2, None)])
def test_the_gap_between_transactions_is_what_reading_leaves_of_it(
    read_for: float, slept: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace = draining._Pace()
    moments = iter([10.0, 10.4, 10.4 + read_for])
    naps: list[float] = []
    monkeypatch.setattr(draining, "time", SimpleNamespace(monotonic=lambda: next(moments), sleep=naps.append))
    monkeypatch.setattr(draining, "connection", SimpleNamespace(vendor="sqlite"))

    with pace.timed():
        pass
    pace.leave_a_gap()

    assert naps == ([pytest.approx(slept)] if slept else [])


@pytest.mark.django_db(transaction=True)
def test_who_reads_for_long_looks_about_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Event()
    monkeypatch.setattr(snapshots, "LOOK_EVERY", 0.001)

    assert snapshots.at_one_moment(lambda: looked.wait(60), looked.set)
