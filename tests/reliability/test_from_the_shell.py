"""The main job with the commands that scripts use: real processes, real HTTP. PostgreSQL and Redis: test_rehearsal."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from laaffic_console.rehearsal.installations.standing import StandingShell

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "shell-tests-push-token"
PATIENCE = 300.0
PEOPLE = 1200


class Console:
    """Sandbox, web process and worker of one installation."""

    def __init__(self, folder: Path, database: str, redis: str) -> None:
        self.web_port, self.sandbox_port = free_port(), free_port()
        self.environment = {
            **os.environ,
            "CONSOLE_VAR_DIR": str(folder),
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "LAAFFIC_BASE_URL": f"http://127.0.0.1:{self.sandbox_port}/v3",
            "LAAFFIC_API_KEY": "key-of-a-test",
            "LAAFFIC_API_SECRET": "secret-of-a-test",
            "LAAFFIC_PUSH_TOKENS": TOKEN,
        }
        self.folder = folder
        self.asking = StandingShell(self.environment)

    def manage(self, *arguments: str) -> str:
        """Each in a process of its own, forked from one that has loaded the console."""
        done = self.asking.run(arguments, PATIENCE)
        assert done.code == 0, done.errors[-2000:]
        return done.output

    def type(self, *arguments: str) -> str:
        """As a person does, with a Python that starts for it."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def json(self, *arguments: str) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.manage(*arguments, "--json"))
        return document

    def stats(self) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.sandbox_port}/sandbox/stats", timeout=10) as answer:
            stats: dict[str, object] = json.loads(answer.read())
            return stats

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        callback = f"http://127.0.0.1:{self.web_port}/hooks/{TOKEN}/sms-report/"
        commands = {
            "sandbox": [
                *["manage.py", "sandbox", "--port", str(self.sandbox_port), "--callback", callback],
                *["--push-mode", "array", "--push-repeat", "0.2", "--push-shuffle"],
            ],
            "web": [
                *["-m", "gunicorn", "laaffic_console.wsgi", "--no-control-socket"],
                *["--bind", f"127.0.0.1:{self.web_port}", "--workers", "2"],
            ],
            "worker": ["manage.py", "worker"],
        }
        with contextlib.ExitStack() as stack:
            for name, command in commands.items():
                log = stack.enter_context((self.folder / f"{name}.log").open("wb"))
                process = subprocess.Popen(
                    [sys.executable, *command], cwd=ROOT, env=self.environment, stdout=log, stderr=log
                )
                stack.callback(stop, process)
            wait_until(self.is_ready, "the console is ready")
            yield

    def close(self) -> None:
        self.asking.end()

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(is_so: Callable[[], bool], what: str, every: float = 0.2) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"not within {PATIENCE} seconds: {what}"
        time.sleep(every)


def is_free(turn: TextIO) -> bool:
    """Whether no other test of this machine holds it; then it is ours until the file is closed."""
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture
def empty_redis() -> Iterator[str]:
    """A database in which nobody keeps anything; what a run that was killed left in another is left alone."""
    import redis

    for number in range(15, 0, -1):
        url = f"redis://127.0.0.1:6379/{number}"
        turn = Path(tempfile.gettempdir(), f"console-tests-redis-{number}")
        with turn.open("w") as held, redis.Redis.from_url(url) as store:
            if is_free(held) and store.dbsize() == 0:
                yield url
                store.flushdb()
                return
    pytest.fail("every Redis database from 1 to 15 holds something; empty one: redis-cli -n 14 flushdb")


def the_main_job(console: Console, folder: Path) -> None:
    people = folder / "people.csv"
    lines = [f"+9198{index:08d},Ann {index % 7}" for index in range(76500000, 76500000 + PEOPLE)]
    people.write_text("\n".join(["phone,name", *lines, "nobody,Bad Row"]))
    console.manage("migrate", "--verbosity", "0")
    console.type("register_app", "4luaKsL2", "--channel", "sms")
    imported = console.json("contacts", "import", str(people), "--group", "people")
    with console.running():
        text = "Hi {{name}}, your table is ready."
        made = ["--app", "4luaKsL2", "--sender-id", "SHOP", "--text", text, "--group", "people"]
        campaign = str(console.json("campaign", "create", "--name", "Autumn", *made)["id"])
        launched = console.json("campaign", "launch", campaign)
        wait_until(lambda: has_pushed(console.stats(), PEOPLE), "every report was pushed")
        wait_until(lambda: is_reported(console, campaign), "every report is in", every=1.0)
        report, stats = console.json("campaign", "report", campaign), console.stats()

    assert (imported["added"], imported["invalid"]) == (PEOPLE, 1)
    assert imported["errors"][0]["row"] == PEOPLE + 2
    assert launched == {"id": int(campaign), "state": "running"}
    assert report["state"] == "finished"
    assert report["total"] == stats["accepted"] == PEOPLE
    assert report["counts"]["delivered"] == stats["delivered"]
    assert report["counts"]["undelivered"] == stats["failed"]
    assert report["segments"] == stats["segments"]
    assert stats["duplicates"] == {"number and text": 0, "order id": 0}
    assert set(report["cost"]) == {"EUR"}


def has_pushed(stats: dict[str, object], count: int) -> bool:
    """Asked of the sandbox while that will do: each command of the console is a process that starts."""
    return stats["delivered"] + stats["failed"] == count


def is_reported(console: Console, campaign: str) -> bool:
    report = console.json("campaign", "report", campaign)
    return report["state"] == "finished" and report["counts"]["accepted"] == 0


@pytest.mark.reliability
@pytest.mark.timeout(900)
def test_on_sqlite_with_its_own_queue(tmp_path: Path, migrated_sqlite: Path) -> None:
    shutil.copyfile(migrated_sqlite, tmp_path / "console.sqlite3")
    with contextlib.closing(Console(tmp_path, f"sqlite:///{tmp_path}/console.sqlite3", "")) as console:
        the_main_job(console, tmp_path)
