"""One migrated database for all tests, and after a test that commits, that database again as it was.

Migrating takes some seconds in each process; so it is done once for each state of models and migrations, and kept in
build/. And Django ends a test that commits by emptying every table, one statement each, and letting every app fill its
permissions and roles anew: half a second, hundreds of times. Here SQLite's own backup puts a copy back in milliseconds;
for PostgreSQL see pristine_postgresql.py.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TextIO

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management.commands.migrate import Command as Migrate
from django.db import connections
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from laaffic_console import conf
from laaffic_console.conf import BASE_DIR
from tests import pristine_postgresql

MEMORY, ROOM = "/dev/shm", 512 * 1024 * 1024
KEPT = BASE_DIR / "build" / "test-databases"
MADE_FROM = [
    *("migrations/*.py", "models/*.py", "models.py", "apps.py", "*/roles.py", "*/people.py", "search_indexes.py"),
    "sql/new_databases.py",
]
APPS = ["laaffic_console/*", "messaging", "voice", "numbers/phone_numbers"]

_image: list[sqlite3.Connection] = []

POSTGRESQL = "postgres://postgres@127.0.0.1:5432"
TEMPLATES = "console_template_"  # of PostgreSQL databases


def is_sqlite() -> bool:
    return settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"


def kept_database() -> Path:
    """The file of today's models and migrations; it may not be there yet."""
    return KEPT / f"{state_of_models()}.sqlite3"


@cache
def state_of_models() -> str:
    """Another one whenever models, migrations or the libraries beneath them change."""
    digest = hashlib.sha256((BASE_DIR / "requirements-dev.lock").read_bytes())
    digest.update((BASE_DIR / "laaffic_console" / "settings.py").read_bytes())  # names the apps
    for path in sorted(path for app in APPS for made_from in MADE_FROM for path in BASE_DIR.glob(f"{app}/{made_from}")):
        digest.update(f"{path.relative_to(BASE_DIR)}".encode() + path.read_bytes())
    return digest.hexdigest()[:24]


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """SQLite's file is this run's own: nothing is asked before it is overwritten, and its folder goes by itself."""
    return is_sqlite()


def in_memory() -> str | None:
    """Where files cost no disk, so that none is waited for at each commit; None where there is no such place."""
    has_room = os.path.isdir(MEMORY) and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if has_room else None


@pytest.fixture(scope="session")
def _copied() -> Iterator[pytest.MonkeyPatch]:
    """What is copied is migrated: a process that has such a database need not load all migrations to find that out."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def need_not_migrate(copied: pytest.MonkeyPatch) -> None:
    copied.setattr(Migrate, "handle", lambda command, *given, **options: None)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, _copied: pytest.MonkeyPatch
) -> Iterator[None]:
    """SQLite in a file, as it is in life: a live server and its test wait for each other's locks there, while in
    SQLite's own memory, where they share a cache, one of them fails at once."""
    if not is_sqlite():
        used = settings.DATABASES["default"]
        server = f"postgres://{used['USER']}:{used['PASSWORD']}@{used['HOST']}:{used['PORT'] or 5432}"
        used["TEST"]["TEMPLATE"] = postgresql_template(server)
        need_not_migrate(_copied)
        yield
        return
    with tempfile.TemporaryDirectory(prefix="console-tests-", dir=in_memory(), ignore_cleanup_errors=True) as folder:
        used = Path(folder) / "test.sqlite3"
        settings.DATABASES["default"]["TEST"]["NAME"] = str(used)
        if kept_database().exists():
            shutil.copyfile(kept_database(), used)
            need_not_migrate(_copied)
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
def django_db_setup(
    _turn_to_migrate: TextIO,
    _copied: pytest.MonkeyPatch,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    from django.contrib.contenttypes.models import ContentType  # a model: not before the apps are there

    _copied.undo()  # a test may migrate
    if not is_made():
        fcntl.flock(_turn_to_migrate, fcntl.LOCK_UN)
        return
    with django_db_blocker.unblock():
        # Migrating has read them all; what a test counts does not hang on who made its database.
        ContentType.objects.get_for_models(*apps.get_models(), for_concrete_models=False)
        if is_sqlite():
            _image.append(copy_of_new_database())
        else:
            pristine_postgresql.keep_rows()
            pristine_postgresql.wait_for_no_disk()
    put_back_here = put_back if is_sqlite() else pristine_postgresql.put_back
    TransactionTestCase._fixture_teardown = lambda case: put_back_here()
    fcntl.flock(_turn_to_migrate, fcntl.LOCK_UN)


def is_made() -> bool:
    """Not where no test of this run asks for rows: pytest-django makes no database then."""
    return str(connections["default"].settings_dict["NAME"]) != str(conf.database()["NAME"])


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


@pytest.fixture(scope="session")
def migrated_sqlite(django_db_setup: None) -> Path:
    """A database to copy, for what runs in processes of its own: each would migrate for seconds else."""
    return migrated_file()


def migrated_file() -> Path:
    """SQLite's, made where there is none."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not kept_database().exists():
            fresh = kept_database().with_suffix(".new")
            fresh.unlink(missing_ok=True)
            environment = {**os.environ, "DATABASE_URL": f"sqlite:///{fresh}"}
            subprocess.run([sys.executable, BASE_DIR / "manage.py", "migrate", "-v0"], env=environment, check=True)
            fresh.rename(kept_database())
    return kept_database()


@pytest.fixture(scope="session")
def migrated_postgresql() -> str:
    """The address of a database to copy: CREATE DATABASE … TEMPLATE."""
    return f"{POSTGRESQL}/{postgresql_template(POSTGRESQL)}"


@pytest.fixture
def scratch_postgresql(migrated_postgresql: str) -> Iterator[str]:
    """Migrated, and empty; gone when its test is over."""
    name = f"console_test_{uuid.uuid4().hex[:8]}"
    server, _, template = migrated_postgresql.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield f"{server}/{name}"
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def postgresql_template(server: str) -> str:
    """The name of a migrated database there; of several processes one makes it, and it is kept for the next run."""
    name = TEMPLATES + state_of_models()
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock-postgresql").open("w") as turn, psycopg.connect(f"{server}/postgres", autocommit=True) as to:
        fcntl.flock(turn, fcntl.LOCK_EX)
        kept = "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid DESC"
        there = [row[0] for row in to.execute(kept, [f"{TEMPLATES}%"])]
        if name in there:
            return name
        for outdated in there[7:]:  # of other checkouts there may be some, and each takes seconds to make
            to.execute(f'DROP DATABASE "{outdated}" WITH (FORCE)')
        fresh = f"fresh_{name}"
        to.execute(f'DROP DATABASE IF EXISTS "{fresh}" WITH (FORCE)')
        to.execute(f'CREATE DATABASE "{fresh}"')
        environment = {**os.environ, "DATABASE_URL": f"{server}/{fresh}"}
        subprocess.run([sys.executable, BASE_DIR / "manage.py", "migrate", "-v0"], env=environment, check=True)
        to.execute(f'ALTER DATABASE "{fresh}" RENAME TO "{name}"')
        return name
