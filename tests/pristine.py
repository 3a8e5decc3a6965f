"""One migrated SQLite database for all tests, and after a test that commits, that database again as it was.

Migrating takes some seconds in each process; so it is done once for each state of models and migrations, and kept in
build/. And Django ends a test that commits by emptying every table, one statement each, and letting every app fill its
permissions and roles anew: half a second, hundreds of times. Here SQLite's own backup puts a copy back in milliseconds.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest
from django.conf import settings
from django.db import connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from laaffic_console.conf import BASE_DIR

MEMORY, ROOM = "/dev/shm", 512 * 1024 * 1024
KEPT = BASE_DIR / "build" / "test-databases"
MADE_FROM = ["migrations/*.py", "models/*.py", "models.py", "apps.py", "roles.py", "search_indexes.py"]
APPS = ["laaffic_console/*", "messaging", "voice", "numbers/phone_numbers"]

_image: list[sqlite3.Connection] = []


def is_sqlite() -> bool:
    return settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"


def kept_database() -> Path:
    """The file of today's models and migrations; it may not be there yet."""
    digest = hashlib.sha256((BASE_DIR / "requirements-dev.lock").read_bytes())
    for path in sorted(path for app in APPS for made_from in MADE_FROM for path in BASE_DIR.glob(f"{app}/{made_from}")):
        digest.update(f"{path.relative_to(BASE_DIR)}".encode() + path.read_bytes())
    return KEPT / f"{digest.hexdigest()[:24]}.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """SQLite's file is this run's own: nothing is asked before it is overwritten, and its folder goes by itself."""
    return is_sqlite()


def in_memory() -> str | None:
    """Where files cost no disk, so that none is waited for at each commit; None where there is no such place."""
    has_room = os.path.isdir(MEMORY) and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if has_room else None


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """SQLite in a file, as it is in life: a live server and its test wait for each other's locks there, while in
    SQLite's own memory, where they share a cache, one of them fails at once."""
    if not is_sqlite():
        yield
        return
    with tempfile.TemporaryDirectory(prefix="console-tests-", dir=in_memory(), ignore_cleanup_errors=True) as folder:
        used = Path(folder) / "test.sqlite3"
        settings.DATABASES["default"]["TEST"]["NAME"] = str(used)
        if kept_database().exists():
            shutil.copyfile(kept_database(), used)
        yield


@pytest.fixture(scope="session")
def _turn_to_migrate() -> Iterator[TextIO]:
    """Of several processes that find no database, one makes it, and the others wait until it is kept."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as turn:
        if not kept_database().exists():
            fcntl.flock(turn, fcntl.LOCK_EX)
        yield turn


@pytest.fixture(scope="session")
def django_db_setup(_turn_to_migrate: TextIO, django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    if is_sqlite():
        with django_db_blocker.unblock():
            _image.append(copy_of_new_database())
        fcntl.flock(_turn_to_migrate, fcntl.LOCK_UN)
        TransactionTestCase._fixture_teardown = lambda case: put_back()


def copy_of_new_database() -> sqlite3.Connection:
    connections["default"].close()
    image, made = sqlite3.connect(":memory:", check_same_thread=False), opened()
    made.backup(image)
    made.close()
    if not kept_database().exists():
        keep(image)
    return image


def keep(image: sqlite3.Connection) -> None:
    for outdated in KEPT.glob("*.sqlite3"):
        outdated.unlink()
    fresh = kept_database().with_suffix(".new")
    fresh.unlink(missing_ok=True)
    file = sqlite3.connect(fresh)
    image.backup(file)
    file.close()
    fresh.rename(kept_database())


def put_back() -> None:
    connections["default"].close()
    used = opened()
    _image[0].backup(used)
    used.close()


def opened() -> sqlite3.Connection:
    return sqlite3.connect(connections["default"].settings_dict["NAME"], timeout=20)
