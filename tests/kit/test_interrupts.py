"""SIGTERM ends a command as Ctrl-C does: nothing half done stays behind."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from laaffic_console import __main__ as program
from laaffic_console.kit.files import exports
from laaffic_console.kit.process import interrupts


@pytest.fixture(autouse=True)
def as_a_process_begins() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_file_that_was_being_written_leaves_nothing(tmp_path: Path) -> None:
    interrupts.end_orderly()

    def write(file: BinaryIO) -> None:
        file.write(b"half")
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        exports.write_whole(tmp_path / "console.backup", write)

    assert list(tmp_path.iterdir()) == []
    os.kill(os.getpid(), signal.SIGTERM)  # a second one ends no cleaning up


def test_what_a_process_does_with_it_already_stays() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    interrupts.end_orderly()

    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


@pytest.mark.parametrize(
    ("command", "is_set"), [("backup", True), ("contacts", True), ("worker", False), ("web", False)]
)
def test_it_is_so_for_every_command_but_servers(monkeypatch: pytest.MonkeyPatch, command: str, is_set: bool) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", command])
    monkeypatch.setattr(program, "run", lambda: None)
    monkeypatch.setattr("laaffic_console.kit.audit.acts.act_from_shell", lambda: None)
    monkeypatch.setattr("laaffic_console.kit.process.garbage.look_seldom", lambda: None)

    program.main()

    assert (signal.getsignal(signal.SIGTERM) == signal.SIG_DFL) is (command in ("worker", "web"))
