"""A command without its database, or without its tables, says what to do."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, InternalError, OperationalError, ProgrammingError
from django.db.backends.utils import CursorWrapper
from django.test import Client

from laaffic_console.__main__ import run
from laaffic_console.backups.services import backing_up, databases
from laaffic_console.dashboard.health import health
from laaffic_console.kit.sql import database_troubles


class PostgresqlError(Exception):
    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def caused(problem: DatabaseError, by: Exception) -> DatabaseError:
    problem.__cause__ = by
    return problem


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (OperationalError("database is locked"), "Another process has kept the database locked"),
        (caused(OperationalError("canceling statement"), PostgresqlError("55P03")), "Another process has kept"),
        (OperationalError("unable to open database file"), "does not answer: unable to open database file. Is it"),
        (
            caused(OperationalError("FATAL: too many\nmore"), PostgresqlError("53300")),
            "does not answer: FATAL: too many.",
        ),
        (caused(OperationalError("FATAL: no such db"), PostgresqlError("3D000")), "is DATABASE_URL right?"),
        (caused(ProgrammingError("syntax"), PostgresqlError("42601")), ""),
        (OperationalError("attempt to write a readonly database"), "can only be read"),
        (caused(InternalError("cannot execute INSERT"), PostgresqlError("25006")), "is it the primary server?"),
        (OperationalError("database or disk is full"), "Make room on it"),
        (caused(OperationalError("could not extend file"), PostgresqlError("53100")), "disk is full"),
        (OperationalError("no such column: typo"), ""),  # all is migrated: a fault of the console's own
    ],
)
@pytest.mark.django_db
def test_what_is_away_is_told_from_what_is_wrong(problem: DatabaseError, says: str) -> None:
    said = database_troubles.sentence(problem)

    assert says in said if says else said == ""


@pytest.mark.django_db
def test_a_command_says_it_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OperationalError("no such table: messaging_campaign")

    monkeypatch.setattr(database_troubles, "_is_behind", lambda: True)
    monkeypatch.setattr(CursorWrapper, "execute", refuse)

    with pytest.raises(CommandError, match=r"lacks tables of this version\. Run: manage\.py migrate"):
        call_command("campaign", "report", "1")


@pytest.mark.django_db
@pytest.mark.parametrize("given", [[], ["--traceback"]])
def test_a_command_of_djangos_own_says_it_too(monkeypatch: pytest.MonkeyPatch, given: list[str]) -> None:
    def refuse() -> None:
        raise OperationalError("unable to open database file")

    monkeypatch.setattr("laaffic_console.__main__.execute_from_command_line", refuse)
    monkeypatch.setattr("sys.argv", ["manage.py", "migrate", *given])

    with pytest.raises(OperationalError if given else SystemExit, match="unable to open") as end:
        run()
    assert given or str(end.value).endswith("Is it running, and is DATABASE_URL right?")


def test_of_an_empty_database_no_backup_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.db.migrations.recorder.MigrationRecorder.applied_migrations", lambda recorder: {})

    with pytest.raises(databases.CannotCopy, match="nothing to keep"):
        backing_up.write(tmp_path / "new.backup", lambda said: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("problem", "status", "says"),
    [
        (OperationalError("database is locked"), 503, "The database does not answer"),
        (OperationalError("no such table: django_session"), 503, "manage.py migrate"),
        (ProgrammingError("a typo"), 500, "Something went wrong on our side"),
    ],
)
@pytest.mark.django_db
def test_a_page_says_it_too(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, problem: DatabaseError, status: int, says: str
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise problem

    admin_client.raise_request_exception = False
    monkeypatch.setattr(database_troubles, "_is_behind", lambda: True)
    monkeypatch.setattr(CursorWrapper, "execute", refuse)

    answer = admin_client.get("/admin/messaging/contact/")

    assert (answer.status_code, says in answer.content.decode()) == (status, True)


@pytest.mark.django_db
def test_a_console_without_its_tables_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("no such table: gateway_lease")

    monkeypatch.setattr(database_troubles, "_is_behind", lambda: True)
    monkeypatch.setattr(health, "sweep", refuse)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["database"]) == (503, "behind")
