"""What the console keeps is for its own user, whatever umask it is started with."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from laaffic_console import conf
from laaffic_console.conf import BASE_DIR
from laaffic_console.kit.files import private_files


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> set[int]:
    return {mode(path) for path in folder.rglob("*") if path.is_file()}


def test_what_was_open_is_closed_and_programs_in_it_stay_programs(tmp_path: Path) -> None:
    """Nobody else enters the folder, so nothing in it needs other rights than it has."""
    var = tmp_path / "var"
    var.mkdir(0o755)
    program = var / "program"
    program.touch(0o755)
    (var / "secret_key").touch()

    private_files.make_private(var)

    assert (mode(var), mode(program)) == (0o700, 0o755)


@pytest.mark.parametrize("name", private_files.FOREIGN)
def test_a_folder_that_others_use_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / name).touch(0o755)

    with pytest.raises(private_files.NotItsOwn, match=name):
        private_files.make_private(tmp_path)

    assert (mode(tmp_path), mode(tmp_path / name)) == (0o755, 0o755)


def test_a_folder_of_every_user_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    tmp_path.chmod(0o1777)

    with pytest.raises(private_files.NotItsOwn, match="files of every user"):
        private_files.make_private(tmp_path)

    assert mode(tmp_path) == 0o1777


def test_a_folder_that_others_enter_and_that_holds_nothing_of_ours_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "postgresql").mkdir()

    with pytest.raises(private_files.NotItsOwn, match="postgresql"):
        private_files.make_private(tmp_path)

    assert mode(tmp_path) == 0o755


@pytest.mark.parametrize(
    ("rights", "names"),
    [
        (0o755, []),
        (0o755, [".profile", ".bashrc", ".bash_logout"]),
        (0o755, ["lost+found"]),
        (0o755, ["demo.lock", "demo.json", "demo.env"]),
        (0o755, ["secret_key", "notes"]),
        (0o755, ["console.sqlite3", "notes"]),
        (0o755, ["media", "notes"]),
        (0o700, ["notes"]),
    ],
)
def test_one_that_may_be_its_own_is_taken(tmp_path: Path, rights: int, names: list[str]) -> None:
    var = tmp_path / "var"
    var.mkdir()
    for name in names:
        (var / name).touch()
    var.chmod(rights)

    private_files.make_private(var)

    assert mode(var) == 0o700


def test_a_command_says_which_folder_to_name_instead(tmp_path: Path) -> None:
    (tmp_path / "manage.py").touch()

    said = subprocess.run(
        [sys.executable, "-m", "laaffic_console", "check"],
        env={**os.environ, "CONSOLE_VAR_DIR": str(tmp_path)},
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 1
    assert f"Name one that holds nothing else, such as {tmp_path}/var" in said.stderr
    assert "Traceback" not in said.stderr


def test_what_comes_later_is_private_too(tmp_path: Path) -> None:
    private_files.make_private(tmp_path / "var")

    later = tmp_path / "var" / "later"
    later.write_text("919876543210")

    assert mode(later) == 0o600


def test_a_link_leads_to_no_change_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(0o644)
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret_key").touch()
    (tmp_path / "var" / "link").symlink_to(outside)

    private_files.make_private(tmp_path / "var")

    assert mode(outside) == 0o644


def test_a_first_start_leaves_nothing_open(tmp_path: Path) -> None:
    """Two keys, database with its journal, an upload with its folders, and the folder of what is being uploaded."""
    var = tmp_path / "var"
    code = """
import django; django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
connection.cursor().execute("CREATE TABLE t (n)")
default_storage.save("imports/2026/people.csv", ContentFile(b"919876543210"))
import os; print(len(os.listdir(os.environ["CONSOLE_VAR_DIR"])), sorted(
    oct(os.stat(os.path.join(at, name)).st_mode & 0o777)
    for at, folders, files in os.walk(os.environ["CONSOLE_VAR_DIR"]) for name in files + folders if
    os.stat(os.path.join(at, name)).st_mode & 0o077))
"""
    environment = {**os.environ, "CONSOLE_VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "laaffic_console.settings"}
    environment = {name: value for name, value in environment.items() if name not in ("DATABASE_URL", "SECRET_KEY")}

    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=BASE_DIR, capture_output=True, text=True, check=True
    )

    assert said.stdout.split(maxsplit=1) == ["7", "[]\n"]
    assert mode(var) == 0o700


def test_a_folder_of_another_user_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner is root where root ran the first command, and the units run as somebody else."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(PermissionError, match="Permission denied"):
        private_files.make_private(tmp_path / "var")


def test_a_secret_of_another_user_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret_key").touch()
    monkeypatch.setattr(conf, "VAR_DIR", tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(ImproperlyConfigured, match=f"chown -R USER {tmp_path}"):
        conf.kept_secret("secret_key", lambda: "fresh")


@pytest.mark.parametrize("names", [["demo"], ["demo", "demo-2"], ["demo", ".env"]])
def test_a_checkouts_folder_in_which_only_demos_were_made_is_closed(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    tmp_path.chmod(0o755)

    private_files.make_private(tmp_path)

    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_an_empty_file_system_in_memory_is_taken(tmp_path: Path) -> None:
    """As a container's tmpfs begins."""
    tmp_path.chmod(0o1777)

    private_files.make_private(tmp_path)

    assert tmp_path.stat().st_mode & 0o077 == 0
