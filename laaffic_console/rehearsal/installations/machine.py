"""A machine that lies: its clock jumps, and a name does not resolve. What it says is in files that a rehearsal writes.

Processes learn where from their environment. Nothing waits by this clock, as nothing waits by a real one that is set:
`time.monotonic` stays as it is.
"""

import datetime as dt
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone

FOLDER = "REHEARSAL_MACHINE"
CLOCK, NAMELESS = "clock-is-ahead", "no-names"
GATEWAY_HOST = "localhost"  # the one name that a rehearsal's processes look up; everything else is an address
LOOK_EVERY = 0.1


class Clock:
    """Seconds that the machine's clock is ahead: read again now and then, as every message asks what time it is."""

    def __init__(self, file: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.file = file
        self.monotonic = monotonic
        self.look_at = 0.0
        self.seconds = 0.0

    def ahead(self) -> float:
        now = self.monotonic()
        if now >= self.look_at:
            self.look_at = now + LOOK_EVERY
            self.seconds = seconds_in(self.file)
        return self.seconds


def seconds_in(file: Path) -> float:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return 0.0


def set_clock(folder: Path, seconds: float) -> None:
    """Write the clock's file as a whole: a reader never finds half a number."""
    written = folder / f"{CLOCK}.new"
    written.write_text(str(seconds))
    written.replace(folder / CLOCK)


def forget_names(folder: Path, *, forgotten: bool) -> None:
    if forgotten:
        (folder / NAMELESS).touch()
    else:
        (folder / NAMELESS).unlink(missing_ok=True)


def begin_to_lie() -> None:
    """Replace the clock's functions before anybody has taken them; outside a rehearsal nothing happens."""
    if named := os.environ.get(FOLDER):
        _lie(Path(named))


def _lie(folder: Path) -> None:
    clock = Clock(folder / CLOCK)
    true_time, true_now, true_lookup = time.time, timezone.now, socket.getaddrinfo

    def lied_now() -> dt.datetime:
        return true_now() + dt.timedelta(seconds=clock.ahead())

    def lied_lookup(host: Any, *others: Any, **more: Any) -> Any:
        if host == GATEWAY_HOST and (folder / NAMELESS).exists():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return true_lookup("127.0.0.1" if host == GATEWAY_HOST else host, *others, **more)

    time.time = lambda: true_time() + clock.ahead()
    timezone.now = lied_now
    socket.getaddrinfo = lied_lookup
