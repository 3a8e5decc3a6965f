"""The wheel runs where no checkout is: pages, styles, texts and commands come out of it."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from laaffic_console.conf import BASE_DIR

TEXTS = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
PACKAGES = ["laaffic_console", "messaging", "voice", "numbers/phone_numbers"]

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip would put beside the dependencies."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in [*PACKAGES, "docs", *TEXTS, "pyproject.toml", "setup.py"]:
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).symlink_to(BASE_DIR / name)
    build = "import sys, setuptools.build_meta as back; back.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(made)], cwd=source, check=True, capture_output=True)
    assert not (source / "build").exists()
    [wheel] = made.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(made / "site")
    return made / "site"


def ran(installed: Path, home: Path, *command: str) -> str:
    told = {**os.environ, "PYTHONPATH": str(installed), "DJANGO_SETTINGS_MODULE": "laaffic_console.settings"}
    told |= {"DATABASE_URL": "", "REDIS_URL": "", "CONSOLE_VAR_DIR": ""}
    del told["CONSOLE_VAR_DIR"]
    done = subprocess.run([sys.executable, *command], cwd=home, env=told, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-3000:]
    return done.stdout


def test_everything_that_is_no_python_is_in_it(installed: Path) -> None:
    for package in PACKAGES:
        root = BASE_DIR / package
        wanted = {
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_file() and path.suffix not in (".pyc", ".po")
        }
        there = installed / root.name
        assert wanted <= {path.relative_to(there).as_posix() for path in there.rglob("*")}


def test_it_serves_from_a_folder_of_its_own(installed: Path, tmp_path: Path, migrated_sqlite: Path) -> None:
    page = """
import django; django.setup()
import laaffic_console, phone_numbers
from django.test import Client
assert laaffic_console.__file__.startswith(sys.path[1]), laaffic_console.__file__
assert phone_numbers.__file__.startswith(sys.path[1]), phone_numbers.__file__
client = Client(headers={"host": "127.0.0.1"})
answer, style = client.get("/admin/login/"), client.get("/static/console/console.css")
print(answer.status_code, b"console.css" in answer.content, style.status_code, style["Content-Type"].split(";")[0])
"""
    (tmp_path / "var").mkdir()
    shutil.copyfile(migrated_sqlite, tmp_path / "var" / "console.sqlite3")
    with closing(sqlite3.connect(migrated_sqlite)) as database:
        (applied,) = database.execute("SELECT count(*) FROM django_migrations").fetchone()
    shown = ran(installed, tmp_path, "-m", "laaffic_console", "showmigrations")
    in_place_of = sum(map(int, re.findall(r"\((\d+) squashed migrations\)", shown)))
    assert (shown.count("[X]") + in_place_of, shown.count("[ ]")) == (applied, 0)

    assert ran(installed, tmp_path, "-c", "import sys" + page).split() == ["200", "True", "200", "text/css"]


def test_it_has_the_demo(installed: Path, tmp_path: Path) -> None:
    assert "laaffic-console demo" in ran(installed, tmp_path, "-m", "laaffic_console", "demo", "--help")


def test_the_texts_of_the_help_are_in_it(installed: Path) -> None:
    """Beside the packages in a checkout, inside one in a wheel."""
    there = installed / "laaffic_console" / "handbook" / "texts"

    for text in (
        "README.md",
        "CHANGELOG.md",
        *(path.relative_to(BASE_DIR) for path in (BASE_DIR / "docs").rglob("*.md")),
    ):
        assert (there / text).read_bytes() == (BASE_DIR / text).read_bytes()
    assert (there / "docs" / "screenshots" / "campaign.png").is_file()
