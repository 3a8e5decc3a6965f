"""Shell commands that act, a few at a time, some of them killed or stopped while their request is under way."""

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import psutil

from laaffic_console.conf import HOME_DIR
from laaffic_console.rehearsal.installations.installation import Installation
from laaffic_console.rehearsal.plan import CommandBlow, CommandKind

AT_ONCE = 3
STILL_FOR = 12.0  # seconds: longer than settings.LAAFFIC_LOST_AFTER_SECONDS of a rehearsal
LONGEST = 120.0  # after which one hangs, and is a finding


@dataclass(slots=True)
class Typed:
    """A command that runs."""

    words: Sequence[str]
    process: psutil.Popen
    blow: CommandBlow | None
    began: float = field(default_factory=time.monotonic)
    under_way_since: float | None = None
    goes_on_at: float | None = None


class CommandsUnderFire:
    """`begin` them as long as `has_room`, and `look_after` them every now and then."""

    def __init__(self, console: Installation) -> None:
        self.console = console
        self.running: list[Typed] = []
        self.ended: Counter[str] = Counter()
        self.hung: list[str] = []

    @property
    def has_room(self) -> bool:
        return len(self.running) < AT_ONCE

    def begin(self, words: Sequence[str], blow: CommandBlow | None) -> None:
        with (self.console.wanted.folder / "commands.log").open("ab") as log:
            process = psutil.Popen(
                [sys.executable, "-m", "laaffic_console", *words],
                cwd=HOME_DIR,
                env=self.console.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.running.append(Typed(words, process, blow))

    def look_after(self) -> None:
        for typed in list(self.running):
            if typed.process.poll() is not None:
                self.running.remove(typed)
                self.ended["well" if typed.process.returncode == 0 else "killed or refused"] += 1
            else:
                with contextlib.suppress(psutil.NoSuchProcess):
                    self._strike_when_due(typed)

    def finish(self) -> Iterator[None]:
        """Look after the commands, and yield, as long as any runs."""
        while self.running:
            self.look_after()
            yield

    def end(self) -> None:
        for typed in self.running:
            with contextlib.suppress(psutil.NoSuchProcess):
                typed.process.kill()
                typed.process.wait(5)

    def _strike_when_due(self, typed: Typed) -> None:
        now = time.monotonic()
        if typed.goes_on_at is not None and now >= typed.goes_on_at:
            typed.process.resume()
            typed.goes_on_at = None
        if now - typed.began > LONGEST:
            self.hung.append(f"{' '.join(typed.words[:3])} did not end within {LONGEST:.0f} s")
            typed.process.kill()
        if typed.blow is None:
            return
        since = typed.began if typed.blow.kind is CommandKind.ANY_TIME else self._under_way_since(typed)
        if since is not None and now >= since + typed.blow.after_seconds:
            self._strike(typed, typed.blow.kind)

    def _under_way_since(self, typed: Typed) -> float | None:
        """When the command's connection to the gateway was first seen; None before that."""
        if typed.under_way_since is None:
            there = [each.raddr.port for each in typed.process.net_connections("tcp") if each.raddr]
            if self.console.gateway_port in there:
                typed.under_way_since = time.monotonic()
        return typed.under_way_since

    def _strike(self, typed: Typed, kind: CommandKind) -> None:
        typed.blow = None
        self.console.struck[str(kind)] += 1
        if kind is CommandKind.STILL:
            typed.process.suspend()
            typed.goes_on_at = time.monotonic() + STILL_FOR
        else:
            typed.process.kill()
