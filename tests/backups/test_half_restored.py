"""A restore that died after it replaced the tables: nothing goes on before one has come to its end."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from laaffic_console.api import tokens
from laaffic_console.backups.services import web_turn
from laaffic_console.gateway.models import WorkerHeartbeat
from laaffic_console.gateway.services.work import supervision
from laaffic_console.gateway.services.work.supervision import Supervisor
from laaffic_console.kit.sql import database_troubles, unfinished_restores
from laaffic_console.kit.sql.unfinished_restores import HalfRestored

pytestmark = pytest.mark.django_db
RUN_AGAIN = "A restore of this database was cut short. Run it again with its file"


@pytest.fixture
def half_restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Call it to end the restore. SQLite, which knows no such state, is told of one."""
    monkeypatch.setattr(unfinished_restores, "EVERY", 0.0)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {unfinished_restores.TABLE} (words text)")
            yield lambda: connection.cursor().execute(f"DROP TABLE {unfinished_restores.TABLE}")
        return

    def refuse() -> None:
        raise HalfRestored(unfinished_restores.sentence())

    monkeypatch.setattr(unfinished_restores, "refuse", refuse)
    yield lambda: monkeypatch.setattr(unfinished_restores, "refuse", lambda: None)


def test_a_worker_waits_and_goes_on_once_it_has_ended(
    half_restored: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor, there = Supervisor(), []
    monkeypatch.setattr(supervision.connection, "close", lambda: None)

    def sleep(seconds: float) -> None:
        there.append(WorkerHeartbeat.objects.count())
        half_restored()

    monkeypatch.setattr(supervision.time, "sleep", sleep)

    assert supervisor._registered()

    assert (there, WorkerHeartbeat.objects.count()) == ([0], 1)
    assert f"waits: {RUN_AGAIN}" in caplog.records[0].getMessage()


def test_a_worker_that_runs_ends_its_cluster(
    half_restored: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor, done = Supervisor(), []
    monkeypatch.setattr(supervisor, "_kill", lambda: done.append("killed"))
    monkeypatch.setattr(supervisor, "_watch", lambda: done.append("watched"))
    monkeypatch.setattr(supervisor, "_ring", lambda: done.append("rang"))

    supervisor._tick()
    assert done == ["killed"]
    assert RUN_AGAIN in caplog.text

    half_restored()
    supervisor._tick()
    assert done == ["killed", "watched", "rang"]


def test_pages_say_what_to_do(half_restored: Any, client: Client) -> None:
    client.raise_request_exception = False

    answer = client.get("/admin/login/")

    assert answer.status_code == 503
    assert "manage.py restore FILE --yes" in answer.content.decode()
    assert client.get("/healthz").status_code == 200
    half_restored()
    assert client.get("/admin/login/").status_code == 200


def test_the_api_says_what_to_do(half_restored: Any, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "found", lambda secret: pytest.fail("no token of theirs is to be believed"))

    answer = client.get("/api/v1/campaigns", headers={"Authorization": "Bearer lc_x"})

    assert answer.status_code == 503
    assert RUN_AGAIN in answer.json()["detail"]


def test_a_web_process_waits(half_restored: Any) -> None:
    assert RUN_AGAIN in web_turn._why_not(set())
    half_restored()
    assert web_turn._why_not(set()) == ""


@pytest.mark.parametrize(
    "asked",
    [
        ("campaign", "list"),
        ("voice", "sync"),
        ("numbers", "sync"),
        ("email", "report", "1"),
        ("contacts", "import", "somewhere.csv", "--group", "G"),
        ("reconcile",),
        ("backup", "kept.backup"),
        ("upgrade",),
    ],
    ids=" ".join,
)
def test_no_command_acts_on_what_is_half_restored(half_restored: Any, asked: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=re.escape(RUN_AGAIN)):
        call_command(*asked)


def test_a_support_bundle_can_be_made_all_the_same(half_restored: Any, tmp_path: Path) -> None:
    call_command("support_bundle", str(tmp_path / "bundle.zip"))

    assert (tmp_path / "bundle.zip").exists()


def test_it_is_a_trouble_with_a_sentence() -> None:
    assert database_troubles.sentence(HalfRestored("")).startswith(RUN_AGAIN)


def test_requests_ask_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a push takes is a few trips to the server: one more for each would be seen."""
    asked: list[None] = []
    monkeypatch.setattr(unfinished_restores, "refuse", lambda: asked.append(None))
    monkeypatch.setattr(unfinished_restores, "_answered_at", -10.0)
    monkeypatch.setattr(unfinished_restores.time, "monotonic", lambda: clock[0])
    clock = [100.0]

    for at in (100.0, 100.5, 100.9, 101.0):
        clock[0] = at
        unfinished_restores.refuse_now_and_then()

    assert len(asked) == 2
