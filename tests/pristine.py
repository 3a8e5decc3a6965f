"""After a test that commits, the database as it was when it was made.

Django empties every table instead, one statement each, and lets every app fill its permissions and roles anew: half a
second for each such test, and there are hundreds. Here SQLite's own backup puts a copy of the new database back.
"""

import sqlite3

import pytest
from django.db import connections
from django.test import TransactionTestCase

_images: dict[str, sqlite3.Connection] = {}


@pytest.fixture(scope="session", autouse=True)
def _remember_new_databases(request: pytest.FixtureRequest) -> None:
    """Only where tests are about to use the database, and only SQLite in a file; else Django's way stays."""
    if not any("_django_db_helper" in getattr(item, "fixturenames", ()) for item in request.session.items):
        return
    request.getfixturevalue("django_db_setup")
    blocker = request.getfixturevalue("django_db_blocker")
    with blocker.unblock():
        for alias in connections:
            if connections[alias].vendor == "sqlite":
                _images[alias] = copy_of(alias)
    if _images:
        TransactionTestCase._fixture_teardown = lambda case: put_back()


def copy_of(alias: str) -> sqlite3.Connection:
    connections[alias].close()
    image = sqlite3.connect(":memory:")
    with opened(alias) as made:
        made.backup(image)
    made.close()
    return image


def put_back() -> None:
    for alias, image in _images.items():
        connections[alias].close()
        with opened(alias) as used:
            image.backup(used)
        used.close()


def opened(alias: str) -> sqlite3.Connection:
    return sqlite3.connect(connections[alias].settings_dict["NAME"], timeout=20)
