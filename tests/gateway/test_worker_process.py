"""A real `manage.py worker` on a database of its own: what it does without tables, and what its death leaves behind."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from laaffic_console.conf import BASE_DIR

pytestmark = [pytest.mark.reliability, pytest.mark.xdist_group("worker")]

MANAGE = str(BASE_DIR / "manage.py")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "CONSOLE_VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'console.sqlite3'}",
        "REDIS_URL": "",
        "LAAFFIC_WORKERS": "1",
        "LAAFFIC_WORKER_STALE_SECONDS": "300",
    }


@pytest.fixture
def worker(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, MANAGE, "worker"], env=environment, stdout=log, stderr=log)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait()
    for orphan in psutil.process_iter(["environ"]):
        if (orphan.info["environ"] or {}).get("CONSOLE_VAR_DIR") == str(tmp_path):
            orphan.kill()


def migrate(migrated: Path, tmp_path: Path) -> None:
    """Under the worker's eyes, and in one go."""
    with closing(sqlite3.connect(migrated)) as source, closing(sqlite3.connect(tmp_path / "console.sqlite3")) as used:
        source.backup(used)


def wait_until(condition: Callable[[], object], seconds: float = 150.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def has_beaten(tmp_path: Path) -> bool:
    """A task of its cluster has run: the row says later than the start."""
    try:
        with sqlite3.connect(tmp_path / "console.sqlite3") as database:
            return bool(database.execute("SELECT 1 FROM gateway_workerheartbeat WHERE beat_at > started_at").fetchone())
    except sqlite3.OperationalError:
        return False


@pytest.mark.timeout(600)
def test_it_waits_for_its_tables_and_its_death_ends_its_cluster(
    worker: subprocess.Popen[bytes], migrated_sqlite: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    assert wait_until(lambda: b"waits for it" in log.read_bytes())
    migrate(migrated_sqlite, tmp_path)
    assert wait_until(lambda: has_beaten(tmp_path))
    assert b"Traceback" not in log.read_bytes()
    family = psutil.Process(worker.pid).children(recursive=True)
    assert len(family) >= 5  # guard, cluster, sentinel, its workers, pusher and monitor

    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()

    assert wait_until(lambda: not any(is_alive(process) for process in family), 60)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
