"""Plays on PostgreSQL: rows are committed and never taken away, and two threads with connections of their own act."""

from collections.abc import Iterator

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import connection
from django.db.backends.signals import connection_created
from pytest_django import DjangoDbBlocker

from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import durability
from messaging.services.audience import audience_counts
from tests.interleaving import SAMPLE, Stage, stage

ON_POSTGRESQL = configured.DATABASES["default"]["ENGINE"].endswith("postgresql")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "interleavings" in item.path.parts and not ON_POSTGRESQL:
            item.add_marker(pytest.mark.skip(reason="two transactions at once need PostgreSQL"))


@pytest.fixture(scope="session")
def _database(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A test database that no test empties, which is what Django's own fixtures would do; `--reuse-db` keeps it."""
    keep = bool(request.config.getoption("reuse_db"))
    used = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        if SAMPLE:
            connection.settings_dict["TEST"]["MIGRATE"] = False  # the tables as the models say, in a third of the time
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=keep)
        with connection.cursor() as cursor:
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
            connection_created.disconnect(dispatch_uid="durability")  # it would overrule that
            cursor.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '20ms'")
        connection.close()
        connection.settings_dict["CONN_MAX_AGE"] = None  # an act keeps its connection, and so its locks are seen
        yield
        connection.creation.destroy_test_db(used, verbosity=0, keepdb=keep)
        connection_created.connect(durability.connected, dispatch_uid="durability")


@pytest.fixture(scope="session")
def on(_database: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    with django_db_blocker.unblock(), stage() as made:
        yield made
        assert made.order.circle() == [], "each is locked before the next by some transaction"


@pytest.fixture(autouse=True)
def _settings(
    on: Stage, settings: object, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"  # type: ignore[attr-defined]
    settings.LAAFFIC_PUSH_TOKENS = ["a-token-that-nobody-guesses"]  # type: ignore[attr-defined]
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0.001)  # somebody who stands still counts; see POLLS
    account.laaffic_client.cache_clear()
    with django_db_blocker.unblock():
        cache.clear()
        yield
    account.laaffic_client.cache_clear()
