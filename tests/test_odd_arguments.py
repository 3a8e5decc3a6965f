"""Words and file names from a terminal or a script that writes no UTF-8."""

import errno
import io
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from laaffic_console.__main__ import main
from laaffic_console.conf import BASE_DIR
from laaffic_console.gateway.management import outcomes
from laaffic_console.gateway.models import Application
from laaffic_console.kit.audit import acts
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.process.interrupts import LeftUnknown
from messaging.models import ContactImport
from tests.messaging.conftest import application

__all__ = ["application"]

LATIN = "caf\udce9"  # what Python makes of the byte E9

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_acts_afterwards() -> Iterator[None]:
    """A command from the shell says for good who acts in its process."""
    token = acts._actor.set(None)
    yield
    acts._actor.reset(token)


@pytest.mark.parametrize(
    "words",
    [
        ("register_app", LATIN, "--channel", "sms"),
        ("audience", "count", LATIN),
        ("consent", "show", LATIN),
        ("report", "--from", "2026-03-01", "--to", "2026-03-01", "--sender", LATIN),
        ("campaign", "create", "--name", "A", "--app", "App00001", "--text", LATIN, "--to", "-"),
    ],
)
def test_a_word_in_another_encoding_is_named(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"“caf\\udce9” is not UTF-8"):
        call_command(*words)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_what_was_done_is_said_whatever_the_terminal_can_show(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / f"{LATIN} \u0416.csv"
    said = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(said, encoding=encoding))
    monkeypatch.setattr("sys.argv", ["manage.py", "contacts", "export", str(file)])

    main()

    sys.stdout.flush()
    assert b"0 contacts written to " in said.getvalue()
    assert file.exists()


@pytest.mark.parametrize("folder", ["", LATIN])
def test_a_file_in_another_encoding_is_imported(tmp_path: Path, folder: str) -> None:
    file = tmp_path / folder / f"{LATIN}.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text("number\n+919876543210\nnobody\n")

    call_command("contacts", "import", str(file), "--bad-rows", str(tmp_path / "bad.csv"))

    kept = ContactImport.objects.get()
    assert (kept.added, kept.invalid, kept.file_name) == (1, 1, "caf.csv")
    assert "nobody" in (tmp_path / "bad.csv").read_text("utf-8-sig")


class Gone(io.StringIO):
    """As a disk that is full, or a reader that has gone, shows when what was written has to leave."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_an_answer_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", Gone())

    with pytest.raises(CommandError, match="The answer cannot be written: No space left on device"):
        call_command("campaign", "list", "--json")


def test_without_standard_output_it_is_done(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.argv", ["manage.py", "contacts", "export", str(tmp_path / "a.csv")])

    main()

    sys.stdout.close()
    assert (tmp_path / "a.csv").exists()


def test_without_standard_input_no_numbers_come_from_there(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(CommandError, match="standard input is closed"):
        call_command("campaign", "create", "--name", "A", "--app", application.app_id, "--text", "Hi", "--to", "-")


class Unread(io.StringIO):
    """Standard error that takes nothing."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


class _ThreeWays(ConsoleCommand):
    """What a command tells at its end, done or not."""

    def __init__(self, otherwise: CommandError | None) -> None:
        super().__init__()
        self.otherwise = otherwise

    def handle(self, *args: Any, **options: Any) -> None:
        self.stderr.write("a remark")
        self.answer("an answer", self.otherwise)


@pytest.mark.parametrize(
    ("otherwise", "code"),
    [(None, 1), (CommandError("Laaffic could not be asked."), 1), (outcomes.unknown("Look at the record."), 3)],
)
def test_an_answer_that_is_lost_does_not_make_it_done(
    monkeypatch: pytest.MonkeyPatch, otherwise: CommandError | None, code: int
) -> None:
    monkeypatch.setattr("sys.stdout", Gone())
    monkeypatch.setattr("sys.stderr", io.StringIO())

    with pytest.raises(SystemExit) as end:
        _ThreeWays(otherwise).run_from_argv(["manage.py", "x", "--skip-checks"])

    said = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert end.value.code == code
    assert "The answer cannot be written: No space left on device." in said
    assert str(otherwise or "What the command was asked for is done.") in said
    assert ("is done" in said) == (otherwise is None)


@pytest.mark.parametrize("stderr", [Unread(), None])
def test_standard_error_that_takes_nothing_leaves_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO | None
) -> None:
    monkeypatch.setattr("sys.stderr", stderr)

    with pytest.raises(SystemExit) as end:
        _ThreeWays(outcomes.unknown("Look at the record.")).run_from_argv(["manage.py", "x", "--skip-checks"])

    assert end.value.code == 3


@pytest.mark.parametrize(
    ("stopped", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "CommandError: Interrupted. What was done by then stays done.\n"),
        (LeftUnknown("Nobody knows."), 3, "CommandError: Nobody knows.\n"),
    ],
)
def test_ctrl_c_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stopped: KeyboardInterrupt,
    code: int,
    said: str,
) -> None:
    def interrupted(*args: Any, **options: Any) -> None:
        raise stopped

    command = _ThreeWays(None)
    monkeypatch.setattr(command, "handle", interrupted)

    with pytest.raises(SystemExit) as end:
        command.run_from_argv(["manage.py", "x", "--skip-checks"])

    assert (end.value.code, capsys.readouterr().err) == (code, said)


@pytest.mark.thorough  # processes of their own
@pytest.mark.parametrize("stderr", ["2>/dev/full", "2>&-"])
def test_a_process_whose_standard_error_takes_nothing_ends_as_it_should(stderr: str) -> None:
    words = f"{shlex.quote(sys.executable)} -m laaffic_console contacts export /nowhere/a.csv {stderr}"

    done = subprocess.run(["/bin/sh", "-c", words], cwd=BASE_DIR, capture_output=True, check=False)

    assert done.returncode == 1
