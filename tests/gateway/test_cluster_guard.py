"""What ends a cluster whose worker was killed."""

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from laaffic_console.gateway import cluster_guard
from laaffic_console.gateway.cluster_guard import Guard


@pytest.fixture
def group() -> Iterator[subprocess.Popen[bytes]]:
    """A process group of its own, as a cluster is."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


class ReadTests:
    @pytest.mark.parametrize(
        ("said", "killed"),
        [
            ("41\n", [41]),
            ("41\n42\n", [42]),  # restarted: the first is gone already
            ("41\n0\n", []),  # the worker ended in peace
            ("", []),
            ("1\n", []),  # never init's
            ("nonsense\n41\n", [41]),
        ],
    )
    def test_the_last_group_named_is_killed(
        self, monkeypatch: pytest.MonkeyPatch, said: str, killed: list[int]
    ) -> None:
        ended: list[int] = []
        monkeypatch.setattr(cluster_guard.os, "killpg", lambda group, how: ended.append(group))

        cluster_guard.read(io.StringIO(said))

        assert ended == killed


def ignores(pid: int, *signals: signal.Signals) -> bool:
    said = re.search(r"SigIgn:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    assert said is not None
    return all(int(said[1], 16) >> (one - 1) & 1 for one in signals)


class GuardTests:
    def test_it_kills_when_the_pipe_closes_without_a_word(self, group: subprocess.Popen[bytes]) -> None:
        guard = Guard()
        guard.watch(group.pid)
        assert guard.process is not None
        assert guard.process.stdin is not None

        guard.process.stdin.close()

        assert group.wait(60) == -signal.SIGKILL
        guard.process.wait(60)

    def test_it_lets_live_when_it_is_ended(self, group: subprocess.Popen[bytes]) -> None:
        guard = Guard()
        guard.watch(group.pid)

        guard.end()

        assert group.poll() is None

    def test_one_that_was_killed_is_replaced(self, group: subprocess.Popen[bytes]) -> None:
        guard = Guard()
        guard.watch(group.pid)
        assert guard.process is not None
        first = guard.process
        first.kill()
        first.wait()

        guard.watch(group.pid)

        assert guard.process is not first
        assert first.stdin is not None
        first.stdin.close()
        guard.end()

    def test_a_signal_to_its_terminal_does_not_end_it(self, group: subprocess.Popen[bytes]) -> None:
        guard = Guard()
        guard.watch(group.pid)
        assert guard.process is not None
        give_up_at = time.monotonic() + 60
        while not ignores(guard.process.pid, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            assert time.monotonic() < give_up_at
            time.sleep(0.02)

        for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(guard.process.pid, stop)
        time.sleep(0.2)

        assert guard.process.poll() is None
        guard.end()
