"""A short rehearsal on each configuration: real processes, real kills, and nothing twice and nothing lost.

A long one, with every kind of blow many times, is `make rehearse`.
"""

import io
import json
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.reliability.test_from_the_shell import empty_redis

__all__ = ["empty_redis"]

pytestmark = [pytest.mark.reliability, pytest.mark.timeout(1500), pytest.mark.xdist_group("rehearsal")]


def rehearsed(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    """The command only watches, so it needs no process of its own: what it strikes are others."""
    said, code = io.StringIO(), 0
    try:
        call_command("rehearse", "--recipients", "500", "--kills", "4", "--json", *options, stdout=said)
    except CommandError as ended:  # where they disagree
        code = ended.returncode
    found: dict[str, object] = json.loads(said.getvalue())
    assert found["agrees"], (found["disagreements"], capsys.readouterr().err[-3000:])
    assert code == 0
    return found


def check(found: dict[str, object]) -> None:
    assert set(found["findings"].values()) == {0}
    assert sum(found["counts"].values()) == 500
    assert found["calls"]["unknown"]  # the faults did strike
    assert sum(found["strikes"].values()) == 5


def test_on_sqlite_with_its_own_queue(migrated_sqlite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(rehearsed(capsys, "--seed", "11", "--opt-outs", "0.3", "--database", f"sqlite:{migrated_sqlite}"))


@pytest.mark.services
def test_on_postgresql_with_redis_and_two_workers(
    empty_redis: str, migrated_postgresql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = ["--database", migrated_postgresql, "--redis", empty_redis]
    check(rehearsed(capsys, "--seed", "12", "--workers", "2", *stores))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--outage", "redis", "5"], "--outage redis needs --redis URL"),
        (["--database", "sqlite:/nowhere/at.all"], "There is no SQLite database at /nowhere/at.all."),
        (["--database", "mysql://localhost/"], "Use sqlite, or postgres://"),
        (["--upgrade-from", "no-such-version"], "neither the folder of a checkout nor a version that git knows"),
        (["--upgrade-from", "HEAD", "--database", "sqlite:/a.file"], "a database that is made for it"),
        (["--upgrade-from", "HEAD", "--channel", "sip", "--recipients", "4"], "--upgrade-from needs a campaign"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_starts(options: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        call_command("rehearse", *options)


def test_calls_whose_commands_are_killed(migrated_sqlite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--recipients", "4", "--kills", "0", "--seed", "14", "--database", f"sqlite:{migrated_sqlite}"]
    found = rehearsed(capsys, "--channel", "sip", *options)

    assert set(found["findings"].values()) == {0}
    assert 0 < found["setting"]["acts taken by the gateway"] <= 4
    assert any(struck.startswith("command") for struck in found["strikes"])
