"""Commands forked from a process that has loaded the console: each ends as it would in a shell."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from laaffic_console.rehearsal.installations.standing import StandingShell


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[StandingShell]:
    made = StandingShell(
        {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "laaffic_console.settings",
            "CONSOLE_VAR_DIR": str(tmp_path),
            "DATABASE_URL": f"sqlite:///{tmp_path}/console.sqlite3",
        }
    )
    yield made
    made.end()


def test_each_command_ends_for_itself(shell: StandingShell, migrated_sqlite: Path) -> None:
    shell.environment = {**shell.environment, "DATABASE_URL": f"sqlite:///{migrated_sqlite}"}
    said = shell.run(["campaign", "report", "1", "--json"], 60)
    assert said.code == 1
    assert "no campaign" in said.errors.lower()
    assert said.output == ""

    version = shell.run(["version"], 60)
    assert (version.code, version.errors) == (0, "")
    assert version.output.strip()

    assert shell.run(["no_such_command"], 60).code == 1


def test_one_that_does_not_end_takes_the_shell_with_it_and_the_next_starts_another(shell: StandingShell) -> None:
    with pytest.raises(TimeoutError):
        shell.run(["shell", "--command", "import time; time.sleep(60)"], 3)

    assert shell.run(["version"], 60).code == 0


def test_a_version_that_has_no_such_module_runs_its_own_commands(tmp_path: Path) -> None:
    package = tmp_path / "laaffic_console"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "conf.py").write_text("HOME_DIR = None\n")
    (package / "plain_settings.py").touch()
    (package / "__main__.py").write_text("def main():\n    print('an earlier version')\n    raise SystemExit(3)\n")
    shell = StandingShell({"DJANGO_SETTINGS_MODULE": "laaffic_console.plain_settings"})
    shell.home = tmp_path
    try:
        done = shell.run(["migrate"], 20)
    finally:
        shell.end()
    assert (done.code, done.output) == (3, "an earlier version\n")
