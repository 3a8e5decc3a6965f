"""A machine that lies to the processes of a rehearsal, and to no other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from laaffic_console.conf import BASE_DIR
from laaffic_console.rehearsal.installations import machine
from laaffic_console.rehearsal.installations.machine import Clock

ASK = """
import json, socket, time, datetime as dt
from django.conf import settings
settings.INSTALLED_APPS
from django.utils import timezone
try:
    found = socket.getaddrinfo("localhost", 80)[0][4][0]
except socket.gaierror:
    found = "no such name"
true = dt.datetime.now(dt.UTC)
ahead = [(timezone.now() - true).total_seconds(), time.time() - true.timestamp()]
print(json.dumps([*(60 * round(each / 60) for each in ahead), found]))
"""


def asked(folder: Path, settings: str) -> list[object]:
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": settings, machine.FOLDER: str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    parsed: list[object] = json.loads(said.stdout)
    return parsed


def test_a_process_of_a_rehearsal_is_lied_to(tmp_path: Path) -> None:
    assert asked(tmp_path, "laaffic_console.rehearsal.settings") == [0, 0, "127.0.0.1"]

    machine.set_clock(tmp_path, -3600)
    machine.forget_names(tmp_path, forgotten=True)

    assert asked(tmp_path, "laaffic_console.rehearsal.settings") == [-3600, -3600, "no such name"]


def test_the_console_itself_knows_nothing_of_it(tmp_path: Path) -> None:
    machine.set_clock(tmp_path, -3600)
    machine.forget_names(tmp_path, forgotten=True)

    ahead, ahead_too, found = asked(tmp_path, "laaffic_console.settings")

    assert (ahead, ahead_too) == (0, 0)
    assert found != "no such name"


@pytest.mark.parametrize(("written", "ahead"), [(None, 0.0), ("", 0.0), ("-12.5", -12.5), ("soon", 0.0)])
def test_a_clock_is_what_its_file_says(tmp_path: Path, written: str | None, ahead: float) -> None:
    file = tmp_path / machine.CLOCK
    if written is not None:
        file.write_text(written)

    assert Clock(file).ahead() == ahead


def test_a_clock_is_looked_at_now_and_then(tmp_path: Path) -> None:
    now = [0.0]
    clock = Clock(tmp_path / machine.CLOCK, monotonic=lambda: now[0])
    assert clock.ahead() == 0.0

    machine.set_clock(tmp_path, 60)
    now[0] = machine.LOOK_EVERY / 2
    assert clock.ahead() == 0.0
    now[0] = machine.LOOK_EVERY
    assert clock.ahead() == 60.0
