"""A sample of the plays of two transactions at once, on a PostgreSQL database of their own (tests/interleavings).

Each act of a scene is stopped at one place within it, while the other runs; at every place: CONTRIBUTING.md.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = "postgres://postgres@127.0.0.1:5432"


@pytest.fixture
def scratch() -> Iterator[str]:
    """The name of a database; the tests in it make one beside it, and drop that themselves where nothing stops them."""
    import psycopg

    name = f"console_test_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield name
        for made in (name, f"test_{name}"):
            connection.execute(f'DROP DATABASE IF EXISTS "{made}" WITH (FORCE)')


@pytest.mark.services
@pytest.mark.reliability
@pytest.mark.timeout(1500)
def test_a_sample_of_all_orders_keeps_what_must_be_so(scratch: str) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        "DATABASE_URL": f"{SERVER}/{scratch}",
        "INTERLEAVINGS_SAMPLE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "0", "-q", "tests/interleavings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout
