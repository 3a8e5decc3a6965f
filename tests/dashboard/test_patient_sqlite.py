"""Who waits for SQLite's lock: in equal steps, for as long as the settings say, and only where waiting helps."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.utils import ConnectionHandler

ENGINE = "laaffic_console.kit.patient_sqlite"
RELEASED_AFTER = 0.335  # SQLite's own steps ask at 0.328 s and next at 0.428 s


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Iterator[Any]:
    """A connection of the console's kind to a file of its own, with half a second of patience."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": 0.5, "init_command": "PRAGMA journal_mode=WAL"}
    handler = ConnectionHandler({"default": {"ENGINE": ENGINE, "NAME": tmp_path / "file", "OPTIONS": options}})
    found = handler["default"]
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: found)
    with django_db_blocker.unblock():
        with found.cursor() as cursor:
            cursor.execute("CREATE TABLE seen (id integer PRIMARY KEY)")
        yield found
        found.close()


@contextmanager
def locked_for(seconds: float, file: Path) -> Iterator[list[float]]:
    """By another process, as it were; the list gets the moment at which the lock came free."""
    freed: list[float] = []
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def free() -> None:
        other.execute("COMMIT")
        freed.append(time.monotonic())

    timer = threading.Timer(seconds, free)
    timer.start()
    yield freed
    timer.join()
    other.close()


def insert(opened: Any) -> None:
    with opened.cursor() as cursor:
        cursor.execute("INSERT INTO seen DEFAULT VALUES")


def insert_many(opened: Any) -> None:
    with opened.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM seen")
        there = cursor.fetchone()[0]
        cursor.executemany("INSERT INTO seen VALUES (%s)", ((there + n,) for n in range(3)))
        cursor.execute("SELECT count(*) FROM seen")
        assert cursor.fetchone() == (there + 3,)


def insert_in_transaction(opened: Any) -> None:
    with transaction.atomic():
        insert(opened)


@pytest.mark.parametrize("act", [insert, insert_many, insert_in_transaction])
def test_the_lock_is_taken_soon_after_it_is_free(opened: Any, act: Callable[[Any], None]) -> None:
    """Of three tries one is enough: a busy machine may be late by itself."""
    assert any(_late_by(opened, act) < 0.06 for _try in range(3))


def _late_by(opened: Any, act: Callable[[Any], None]) -> float:
    with locked_for(RELEASED_AFTER, opened.settings_dict["NAME"]) as freed:
        act(opened)
        got = time.monotonic()
    return got - freed[0]


@pytest.mark.parametrize("act", [insert, insert_in_transaction])
def test_patience_ends(opened: Any, act: Callable[[Any], None]) -> None:
    began = time.monotonic()
    with locked_for(0.8, opened.settings_dict["NAME"]), pytest.raises(OperationalError, match="locked"):
        act(opened)
    assert 0.5 <= time.monotonic() - began < 1.5


def test_another_failure_is_told_at_once(opened: Any) -> None:
    with pytest.raises(OperationalError, match="no such table"), opened.cursor() as cursor:
        cursor.execute("INSERT INTO unseen DEFAULT VALUES")


def test_who_has_read_does_not_wait_for_who_has_written(opened: Any) -> None:
    """A transaction that began by reading cannot get the lock any more when another has written since."""
    with opened.cursor() as cursor:
        cursor.execute("BEGIN DEFERRED")
        cursor.execute("SELECT count(*) FROM seen").fetchall()
        other = sqlite3.connect(opened.settings_dict["NAME"], isolation_level=None)
        other.execute("INSERT INTO seen DEFAULT VALUES")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            insert(opened)
        cursor.execute("ROLLBACK")
    assert time.monotonic() - began < 0.3
    other.close()
