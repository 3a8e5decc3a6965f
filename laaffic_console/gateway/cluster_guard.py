"""Ends a worker's cluster when the worker itself was killed and could not.

The processes of a cluster go on without a guard when their starter dies. So `manage.py worker` runs this file beside
it, in a session of its own, and writes the number of each process group that it starts into a pipe. When the pipe
closes, the worker is gone: whatever group it named last is killed. It runs without Django, so it starts at once.
"""

import contextlib
import os
import signal
import subprocess
import sys
from typing import IO

NONE = 0


class Guard:
    """The worker's end of the pipe."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def watch(self, group: int) -> None:
        """From now on the process group ends with us; NONE for no group. A guard that was killed is replaced."""
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", __file__], stdin=subprocess.PIPE, start_new_session=True
            )
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.write(f"{group}\n".encode())
                self.process.stdin.flush()

    def end(self) -> None:
        if self.process is None:
            return
        self.watch(NONE)
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


def read(said: IO[str]) -> None:
    """The other end: group numbers, one a line, until the worker is gone; then the last one is killed."""
    group = NONE
    for line in said:
        with contextlib.suppress(ValueError):
            group = int(line)
    if group > 1:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # it ends with the worker's pipe, not before
    read(sys.stdin)
