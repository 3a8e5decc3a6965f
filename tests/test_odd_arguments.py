"""Words and file names from a terminal or a script that writes no UTF-8."""

import errno
import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from laaffic_console.__main__ import main
from laaffic_console.gateway.models import Application
from tests.messaging.conftest import application

__all__ = ["application"]

LATIN = "caf\udce9"  # what Python makes of the byte E9

pytestmark = pytest.mark.django_db


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
