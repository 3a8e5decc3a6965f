"""scripts/fill.py makes a console to measure, on each database."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from laaffic_console.conf import BASE_DIR
from messaging.models import Campaign
from messaging.services.tallies import counting


@pytest.mark.django_db
def test_on_the_tests_own_database() -> None:
    spec = importlib.util.spec_from_file_location("fill", BASE_DIR / "scripts" / "fill.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    module.fill(3000, 2000, 1500)

    finished, running = Campaign.objects.order_by("pk")
    assert (finished.state, running.state) == ("finished", "running")
    assert sum(counting.state_counts(finished).values()) == finished.total == 1500


@pytest.mark.reliability
@pytest.mark.services
def test_on_postgresql(tmp_path: Path, scratch_postgresql: str) -> None:
    environment = {**os.environ, "DATABASE_URL": scratch_postgresql, "CONSOLE_VAR_DIR": str(tmp_path)}

    def ran(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    ran("scripts/fill.py", "--messages", "3000", "--contacts", "2000", "--campaign", "1500")

    listed = json.loads(ran("manage.py", "campaign", "list", "--json"))["campaigns"]
    assert [campaign["state"] for campaign in listed] == ["running", "finished"]
