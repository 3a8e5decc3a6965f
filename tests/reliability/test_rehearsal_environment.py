"""A rehearsal sends, strikes and restarts: nothing that is set for a console in use may reach it."""

import os
import runpy
from pathlib import Path

import pytest

from laaffic_console import conf, environment
from laaffic_console.rehearsal.installations.installation import Installation
from laaffic_console.rehearsal.wanted import Wanted
from tests.test_settings import READ


def given_to_its_processes(folder: Path) -> dict[str, str]:
    database = f"sqlite:///{folder / 'rehearsal.sqlite3'}"
    wanted = Wanted(1, 0, 1, 1, database=database, redis="", folder=folder, command="rehearse")
    return Installation(wanted, per_call=1, restarts_database=False).environment


def test_no_setting_of_a_console_in_use_reaches_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for setting in (*READ, "LAAFFIC_OF_ANOTHER_VERSION"):
        monkeypatch.setenv(setting, "of-a-console-in-use")

    given = given_to_its_processes(tmp_path)

    assert [name for name, value in given.items() if "of-a-console-in-use" in value] == []
    assert given["PATH"] == os.environ["PATH"]


def test_its_processes_read_no_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read: list[Path] = []
    monkeypatch.setattr(environment, "read_file", read.append)
    monkeypatch.setenv("CONSOLE_ENV_FILE", given_to_its_processes(tmp_path)["CONSOLE_ENV_FILE"])

    runpy.run_path(conf.__file__)

    assert read == [Path(os.devnull)]
