"""Two demos at once: each its own folder, ports and sandbox key."""

import contextlib
import os
import runpy
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from laaffic_console import conf, environment
from laaffic_console.demo import commands, named_stores, place, processes
from laaffic_console.demo.place import Demo


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "ROOT", tmp_path)
    for setting in ("DEMO_VAR_DIR", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(setting, raising=False)


@pytest.fixture
def running() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def test_two_share_nothing(running: contextlib.ExitStack) -> None:
    first, second = Demo.begun(running), Demo.begun(running)

    assert first.folder != second.folder
    assert len({first.console_url, first.sandbox_url, second.console_url, second.sandbox_url}) == 4
    assert not set(first.secrets.values()) & set(second.secrets.values())


def test_a_port_is_taken_before_it_is_announced(running: contextlib.ExitStack) -> None:
    begun = Demo.begun(running)

    with pytest.raises(OSError, match="in use"):
        socket.create_server(begun.sandbox.getsockname())


def test_the_next_demo_takes_over_the_folder_and_its_secrets() -> None:
    with contextlib.ExitStack() as running:
        first = Demo.begun(running)
    with contextlib.ExitStack() as running:
        second = Demo.begun(running)

    assert (second.folder, second.secrets) == (first.folder, first.secrets)
    assert (second.folder / "demo.json").stat().st_mode & 0o077 == 0


def test_secrets_that_a_killed_start_has_cut_off_are_made_anew(running: contextlib.ExitStack, tmp_path: Path) -> None:
    folder = tmp_path / "var" / "demo"
    folder.mkdir(parents=True)
    (folder / "demo.json").write_text('{"password": "a')

    assert Demo.begun(running).secrets.keys() == {"password", "token", "key", "secret"}


@pytest.mark.parametrize("setting", ["DEMO_VAR_DIR", "DATABASE_URL", "REDIS_URL"])
def test_what_was_named_serves_one_demo(
    running: contextlib.ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    setting: str,
) -> None:
    monkeypatch.setenv(setting, str(tmp_path / "named"))
    Demo.begun(running)

    with pytest.raises(commands.DemoFailed, match="another demo"):
        Demo.begun(running)


def test_a_database_of_another_console_is_refused_and_left_as_it_is(
    running: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    theirs = tmp_path / "console.sqlite3"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{theirs}")
    with contextlib.closing(sqlite3.connect(theirs)) as database:
        database.execute("CREATE TABLE auth_user (id integer)")
    monkeypatch.setattr(processes, "prepare", lambda demo: pytest.fail("it was taken over"))
    with contextlib.ExitStack() as first:
        for name in Demo.begun(first).environment():
            monkeypatch.setenv(name, os.environ.get(name, ""))  # put back when the test is over
    with pytest.raises(commands.DemoFailed, match="Unset DATABASE_URL, or name an empty database"):
        processes.run(running)

    with contextlib.closing(sqlite3.connect(theirs)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("auth_user",)]


@pytest.mark.parametrize("setting", ["DATABASE_URL", "REDIS_URL"])
def test_a_server_that_was_empty_stays_this_demos(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str
) -> None:
    holds = [False]
    monkeypatch.setattr(named_stores, "manage", lambda *arguments: f"{holds[0]}\n")
    monkeypatch.setenv(setting, f"one of {tmp_path}")  # which other processes' tests do not use
    for _start in (1, 2):
        with contextlib.ExitStack() as running:
            named_stores.take(named_stores.named(), Demo.begun(running))
        holds = [True]

    monkeypatch.setenv(setting, f"another of {tmp_path}")
    with contextlib.ExitStack() as running, pytest.raises(commands.DemoFailed, match=f"Unset {setting}"):
        named_stores.take(named_stores.named(), Demo.begun(running))


def test_nothing_of_the_environment_leads_to_the_real_gateway(
    running: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAAFFIC_BASE_URL", "https://api.laaffic.com/v3")
    begun = Demo.begun(running)

    assert begun.environment()["LAAFFIC_BASE_URL"] == f"{begun.sandbox_url}/v3"
    assert begun.environment()["LAAFFIC_PATHS"] == ""


def test_what_it_starts_reads_no_env_file(running: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.env` of a console in use names its database and Redis, and more with every version."""
    read: list[Path] = []
    monkeypatch.setattr(environment, "read_file", read.append)
    monkeypatch.setenv("CONSOLE_ENV_FILE", Demo.begun(running).environment()["CONSOLE_ENV_FILE"])
    runpy.run_path(conf.__file__)
    assert read == [Path(os.devnull)]

    monkeypatch.delenv("CONSOLE_ENV_FILE")
    runpy.run_path(conf.__file__)
    assert read[1:] == [conf.HOME_DIR / ".env"]


def test_a_command_that_was_killed_is_named_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(commands, "CONSOLE", [sys.executable, "-c", killed])

    with pytest.raises(commands.DemoFailed, match="campaign create failed: it said nothing and ended with code -9"):
        commands.manage("campaign", "create")


def test_its_file_leads_commands_to_it(running: contextlib.ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Demo.begun(running)
    wanted = begun.settings()
    for name in wanted:
        monkeypatch.setenv(name, "another console's")  # put back when the test is over
        del os.environ[name]

    begun.write_env_file()
    environment.read_file(begun.env_file)

    assert {name: os.environ[name] for name in wanted} == wanted
    assert begun.env_file.stat().st_mode & 0o077 == 0


STARTS_ONE = """
import contextlib, sys, time
from pathlib import Path
from types import SimpleNamespace
from laaffic_console.demo import processes
with contextlib.ExitStack() as running:
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    processes.start(running, SimpleNamespace(folder=Path(sys.argv[1])), "sleeper", sleeper)
    print(processes.started["sleeper"].pid, flush=True)
    time.sleep(600)
"""


def test_what_it_started_ends_with_it_however_it_dies(tmp_path: Path) -> None:
    """Else the next demo would find the folder free, and two workers send by one database."""
    with subprocess.Popen([sys.executable, "-c", STARTS_ONE, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        sleeper = psutil.Process(int(process.stdout.readline()))
        process.kill()

    give_up_at = time.monotonic() + 60
    while sleeper.is_running() and sleeper.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


@pytest.mark.parametrize("is_nohup", [False, True])
def test_a_closed_terminal_ends_it_as_ctrl_c_does_but_under_nohup(
    monkeypatch: pytest.MonkeyPatch, is_nohup: bool
) -> None:
    told: dict[int, object] = {}
    monkeypatch.setattr(processes.signal, "signal", told.__setitem__)
    monkeypatch.setattr(processes.signal, "getsignal", lambda one: signal.SIG_IGN if is_nohup else signal.SIG_DFL)
    monkeypatch.setattr(processes, "run", lambda running: 0)

    processes.main([])

    asked = [signal.SIGINT, signal.SIGTERM, *([] if is_nohup else [signal.SIGHUP])]
    assert told == dict.fromkeys(asked, processes.interrupt)
