"""Words and file names from a terminal or a script that writes no UTF-8."""

import io
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from laaffic_console.__main__ import main

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
