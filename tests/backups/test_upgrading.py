"""An upgrade looks first, stops what runs, migrates, starts, and says what became of it."""

import errno
import fcntl
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from laaffic_console import web_server
from laaffic_console.backups.services import alone, migration_locks, upgrading, web_turn
from laaffic_console.backups.services.ready_migrations import ReadyMigrations
from laaffic_console.gateway.models import WorkerHeartbeat
from tests.test_odd_arguments import Unread

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _little_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Migrations are noted beside what the commands of the test note."""
    monkeypatch.setattr(alone, "VAR_DIR", tmp_path)
    monkeypatch.setattr(upgrading, "WORKERS_PATIENCE", 0.3)

    def migrated(ready: ReadyMigrations) -> None:
        with (tmp_path / "done").open("a") as noted:
            noted.write("migrate\n")

    monkeypatch.setattr(ReadyMigrations, "apply", migrated)
    monkeypatch.setattr(web_turn, "VAR_DIR", tmp_path)


@pytest.fixture
def upgrade(tmp_path: Path) -> Callable[..., list[str]]:
    def upgraded(*options: str, **commands: str) -> list[str]:
        for name in ("stop-workers", "stop-web", "start-web", "start-workers"):
            options += (f"--{name}", commands.get(name.replace("-", "_"), f"echo {name} >> {tmp_path}/done"))
        call_command("upgrade", *options)
        return done(tmp_path)

    return upgraded


def done(folder: Path) -> list[str]:
    return (folder / "done").read_text().split() if (folder / "done").exists() else []


def answering(monkeypatch: pytest.MonkeyPatch, *said: bool) -> None:
    answers = iter(said)
    monkeypatch.setattr(upgrading, "_answers", lambda address: next(answers))


def test_everything_in_its_order(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, True, False, False, True)

    assert upgrade() == ["stop-workers", "stop-web", "migrate", "start-web", "start-workers"]
    told = capsys.readouterr().out
    assert re.search(r"Upgraded: 0 migrations\. Pages were away for \d+\.\d", told)


def test_without_systemd_its_commands_are_refused_before_anything_stops(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(upgrading, "SYSTEMD", tmp_path / "not-there")

    with pytest.raises(CommandError, match=r"systemd does not run.*--stop-workers.*Nothing was stopped"):
        upgrade(start_web="systemctl start console-web")

    assert done(tmp_path) == []


def test_a_terminal_that_is_closed_keeps_nothing_stopped(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, False)
    closed: list[int] = []

    def end(signum: int, frame: object) -> None:
        closed.append(signum)

    before = signal.signal(signal.SIGHUP, end)
    try:
        assert upgrade(stop_web="kill -HUP $PPID")[-1] == "start-workers"
        assert signal.getsignal(signal.SIGHUP) == end
    finally:
        signal.signal(signal.SIGHUP, before)
    assert closed == []


def test_standard_error_that_nobody_reads_keeps_nothing_stopped(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, False)
    monkeypatch.setattr("sys.stderr", Unread())

    assert upgrade()[-2:] == ["start-web", "start-workers"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("_wait_for_workers", "The upgrade has stopped: {why}. The database is as it was"),
        ("_answers", "The upgrade has stopped: {why}. The database is as it was"),
        ("_come_back", "The upgrade has stopped: {why}. The database is up to date"),
    ],
)
@pytest.mark.parametrize(
    ("problem", "why"),
    [
        (KeyboardInterrupt(), "it was interrupted"),
        (OSError(24, "Too many files"), "Too many files"),
        (OperationalError("server closed the connection.\nProbably it ended."), "server closed the connection"),
        (InterfaceError("connection already closed"), "connection already closed"),
    ],
)
def test_what_is_stopped_is_told_whatever_ends_the_upgrade(
    upgrade: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    said: str,
    problem: BaseException,
    why: str,
) -> None:
    monkeypatch.setattr(upgrading, "_answers", lambda address: True)
    monkeypatch.setattr(upgrading, step, raising(problem))

    with pytest.raises(CommandError, match=re.escape(said.format(why=why))):
        upgrade()


def test_an_interrupted_migration_is_told(upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, False)
    monkeypatch.setattr(ReadyMigrations, "apply", raising(KeyboardInterrupt()))

    with pytest.raises(CommandError, match=r"A migration failed: it was interrupted\. Web and workers are stopped"):
        upgrade()


def raising(problem: BaseException) -> Callable[..., Any]:
    def raised(*whatever: Any, **options: Any) -> Any:
        raise problem

    return raised


def test_an_address_that_nothing_can_answer_at(upgrade: Callable[..., list[str]], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"--address is “console\.example\.com”\. Give one such as"):
        upgrade("--address", "console.example.com")
    assert done(tmp_path) == []


def test_pages_that_did_not_answer_before(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, False)
    upgrade()
    assert "nobody can say how long" in capsys.readouterr().out


def test_pages_that_do_not_come_back(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answering(monkeypatch, True, False, False)
    monkeypatch.setattr(upgrading, "PAGES_PATIENCE", 0.0)
    with pytest.raises(CommandError, match=r"up to date, but http.* does not answer"):
        upgrade()
    assert done(tmp_path)[-1] == "start-workers"  # campaigns go on


def test_a_backup_first(upgrade: Callable[..., list[str]], tmp_path: Path) -> None:
    upgrade("--backup", str(tmp_path / "before.backup"), "--address", "http://127.0.0.1:1")
    assert (tmp_path / "before.backup").stat().st_size > 1000


def test_a_backup_that_cannot_be_written_stops_nothing(upgrade: Callable[..., list[str]], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        upgrade("--backup", str(tmp_path / "none" / "before.backup"))
    assert done(tmp_path) == []


def test_another_file_that_cannot_be_written_is_named(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/srv/var/upgrade.lock")
    monkeypatch.setattr(upgrading, "_made_ready", raising(full))

    with pytest.raises(CommandError, match=r"/srv/var/upgrade.lock: No space left on device\. Nothing was stopped"):
        upgrade()
    assert done(tmp_path) == []


def test_the_second_of_two_at_once(upgrade: Callable[..., list[str]], tmp_path: Path) -> None:
    with (tmp_path / alone.LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="Another restore or upgrade is running"):
            upgrade()
    assert done(tmp_path) == []


def test_the_second_of_two_machines(
    upgrade: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is on one machine")
    with alone.on_all_machines():
        monkeypatch.setattr(alone, "LOCK", "of-the-other-machine")
        with pytest.raises(CommandError, match="Another restore or upgrade is running"):
            upgrade()
    assert done(tmp_path) == []


def test_a_database_of_a_newer_version(upgrade: Callable[..., list[str]], tmp_path: Path) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_applied("messaging", "9999_later")
    try:
        with pytest.raises(CommandError, match=r"newer version: it has messaging.9999_later"):
            upgrade()
    finally:
        recorder.record_unapplied("messaging", "9999_later")
    assert done(tmp_path) == []


def test_migrations_that_take_long_are_refused_unless_meant(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = migration_locks.LongLock("messaging.0099_slow", "messaging.message", migration_locks.INDEX)
    monkeypatch.setattr(migration_locks, "in_pending", lambda *whatever: [slow])
    with pytest.raises(CommandError, match=r"messaging.0099_slow: messaging.message: builds an index.*Add --long"):
        upgrade()
    assert done(tmp_path) == []
    assert "migrate" in upgrade("--long", "--address", "http://127.0.0.1:1")


def test_a_worker_that_was_not_stopped(upgrade: Callable[..., list[str]], tmp_path: Path) -> None:
    now = timezone.now()
    WorkerHeartbeat.objects.create(worker="w1", host="h", pid=1, started_at=now, beat_at=now)
    with pytest.raises(CommandError, match=r"A worker still runs: w1. Stop it"):
        upgrade()
    assert done(tmp_path) == ["stop-workers"]


def test_what_cannot_be_stopped(upgrade: Callable[..., list[str]], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"“exit 3” ended with 3\. The database is as it was"):
        upgrade(stop_web="exit 3")
    assert "migrate" not in done(tmp_path)


def test_what_cannot_be_started(upgrade: Callable[..., list[str]]) -> None:
    with pytest.raises(CommandError, match=r"“false” ended with 1\. The database is up to date"):
        upgrade("--address", "http://127.0.0.1:1", start_web="false")


def test_a_migration_that_fails(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(ready: ReadyMigrations) -> None:
        raise RuntimeError("no space left on device")

    monkeypatch.setattr(ReadyMigrations, "apply", full)
    with pytest.raises(CommandError, match=r"A migration failed: no space left on device. Web and workers are stopped"):
        upgrade()
    assert "start-web" not in done(tmp_path)


def test_what_fails_behind_the_migrations_keeps_every_web_process_waiting(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, waiting: Callable[..., bool]
) -> None:
    def fails(ready: ReadyMigrations) -> None:
        """The database has them all by then."""
        raise RuntimeError("no room for permissions")

    with monkeypatch.context() as broken:
        broken.setattr(ReadyMigrations, "apply", fails)
        with pytest.raises(CommandError, match=r"no room for permissions\. Web and workers are stopped"):
            upgrade()
    assert waiting()

    upgrade("--address", "http://127.0.0.1:1")
    assert not waiting(60)


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Callable[..., bool]]:
    """Begins a web process that waits, as a thread; whether it still does, after so many seconds at most."""
    begun: list[threading.Thread] = []

    def waits(patience: float = 0.2) -> bool:
        if not begun:
            begun.append(threading.Thread(target=web_turn.wait, daemon=True))
            begun[0].start()
        begun[0].join(patience)
        return begun[0].is_alive()

    yield waits
    for thread in begun:
        thread.join(5)


def test_a_web_process_waits_for_the_upgrade_and_says_so(waiting: Callable[..., bool]) -> None:
    with web_turn.not_yet():
        assert not web_turn.somebody_waits()
        give_up_at = time.monotonic() + 60
        while not web_turn.somebody_waits() and time.monotonic() < give_up_at:
            assert waiting()
        assert web_turn.somebody_waits()
    assert not waiting(60)
    assert not web_turn.somebody_waits()


def test_a_web_process_waits_for_migrations(waiting: Callable[..., bool], caplog: pytest.LogCaptureFixture) -> None:
    recorder = MigrationRecorder(connection)
    last = max(name for app, name in recorder.applied_migrations() if app == "messaging")
    recorder.record_unapplied("messaging", last)
    try:
        lacks = f"the database lacks migrations, such as messaging.{last}"
        give_up_at = time.monotonic() + 60
        while lacks not in caplog.text and time.monotonic() < give_up_at:
            assert waiting()
        assert lacks in caplog.text
        assert waiting()
    finally:
        recorder.record_applied("messaging", last)
    assert not waiting(60)


def test_a_database_that_is_away_is_for_the_pages_to_say(
    waiting: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(recorder: MigrationRecorder) -> None:
        raise OperationalError

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", away)
    assert not waiting(60)


def test_the_new_web_process_is_loaded_before_anything_stops(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(web_turn, "somebody_waits", lambda: "ready-web" in done(tmp_path))
    ready = ("--ready-web", f"echo ready-web >> {tmp_path}/done", "--address", "http://127.0.0.1:1")

    assert upgrade(*ready)[:3] == ["ready-web", "stop-workers", "stop-web"]


def test_a_new_web_process_that_does_not_load_stops_nothing(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(upgrading, "PAGES_PATIENCE", 0.0)
    with pytest.raises(CommandError, match="does not say that it waits"):
        upgrade("--ready-web", "true")
    assert done(tmp_path) == []


def test_it_waits_until_the_migrations_are_through(
    upgrade: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, waiting: Callable[..., bool]
) -> None:
    still: list[bool] = []
    monkeypatch.setattr(ReadyMigrations, "apply", lambda ready: still.append(waiting()))
    monkeypatch.setattr(web_turn, "somebody_waits", lambda: True)
    upgrade("--ready-web", "true", "--address", "http://127.0.0.1:1")
    assert still == [True]
    assert not waiting(60)


def test_a_web_process_has_loaded_when_it_says_that_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []
    monkeypatch.setattr(web_turn, "wait", lambda: noted.append("waits"))
    monkeypatch.setattr(web_server.gc, "freeze", lambda: None)
    web_server.on_starting(SimpleNamespace(app=SimpleNamespace(wsgi=lambda: noted.append("loads"))))
    assert noted == ["loads", "waits"]


def test_a_web_process_that_ends_takes_nothing_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[int] = []
    monkeypatch.setattr(web_server.os, "_exit", noted.append)
    monkeypatch.setattr(web_server.logging, "shutdown", lambda: None)
    for booted in (False, True):  # one that cannot load says so by its own exit code
        web_server.worker_exit(None, SimpleNamespace(booted=booted))
    assert noted == [0]
