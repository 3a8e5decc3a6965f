"""What a killed process leaves beside its files goes, and nothing else does."""

import os
import time
from pathlib import Path

import pytest

from laaffic_console.kit.files import exports, leftovers

NOW = time.time()


@pytest.fixture
def days_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laaffic_console.kit.files.leftovers.time.time", lambda: NOW + 2 * 24 * 3600)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def left_in(folder: Path) -> None:
    for name in (
        ".monday-0123abcd.part",
        ".monday-0123abcd.part-journal",
        ".restored-0123abcd",
        ".restored-0123abcd-wal",
    ):
        (folder / name).write_text("a whole copy")
    (folder / ".media-new-0123abcd").mkdir()
    (folder / ".media-new-0123abcd" / "a.png").write_text("x")
    for name in ("monday.backup", ".env", ".mine.part", ".cache-0123abcd.sqlite3", "a-0123abcd.part"):
        (folder / name).write_text("somebody's own")


BACKUPS = {".monday-0123abcd.part", ".monday-0123abcd.part-journal"}
RESTORED = {".restored-0123abcd", ".restored-0123abcd-wal"}
OTHERS = {"monday.backup", ".env", ".mine.part", ".cache-0123abcd.sqlite3", "a-0123abcd.part"}


def test_who_writes_there_days_later_removes_them(tmp_path: Path, days_later: None) -> None:
    left_in(tmp_path)

    exports.write_whole(tmp_path / "tuesday.backup", lambda file: file.write(b"x"))

    assert names(tmp_path) == {*OTHERS, *RESTORED, ".media-new-0123abcd", "tuesday.backup"}


def test_a_restore_removes_its_own(tmp_path: Path, days_later: None) -> None:
    left_in(tmp_path)

    leftovers.remove(tmp_path, of="restored")
    leftovers.remove(tmp_path, of="media-new")

    assert names(tmp_path) == {*OTHERS, *BACKUPS}


def test_what_somebody_may_still_be_writing_stays(tmp_path: Path) -> None:
    left_in(tmp_path)
    before = names(tmp_path)

    exports.write_whole(tmp_path / "tuesday.backup", lambda file: file.write(b"x"))

    assert names(tmp_path) == {*before, "tuesday.backup"}


def test_what_cannot_be_removed_is_in_nobodys_way(tmp_path: Path, days_later: None) -> None:
    (tmp_path / "gone").mkdir()
    os.rmdir(tmp_path / "gone")

    leftovers.remove(tmp_path / "gone")


@pytest.mark.parametrize("stem", ["console", "a" * 300, "täglich-2026"])
def test_a_name_is_known_again(stem: str) -> None:
    assert leftovers._NAME.fullmatch(leftovers.name_beside(stem))
