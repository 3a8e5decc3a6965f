"""A backup with a right checksum that this console never wrote is refused by a sentence, and nothing is touched."""

import hashlib
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from laaffic_console.backups.services import alone, archives, databases, restoring
from laaffic_console.gateway.models import Application

pytestmark = pytest.mark.django_db(transaction=True)

Content = dict[str, bytes]


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "people.csv").write_text("number\n919876500000\n")
    monkeypatch.setattr(restoring, "VAR_DIR", tmp_path)
    monkeypatch.setattr(alone, "VAR_DIR", tmp_path)


@pytest.fixture
def backup(tmp_path: Path, application: Application) -> Path:
    path = tmp_path / "console.backup"
    call_command("backup", path)
    Application.objects.update(name="later")
    return path


def _with_checksum(path: Path, made: io.BytesIO) -> None:
    whole = made.getvalue()[: -archives.COMMENT]
    path.write_bytes(whole + hashlib.sha256(whole).hexdigest().encode())


def _craft(path: Path, manifest: Any, content: Content, **how: Any) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **how) as written:
        written.comment = b"0" * archives.COMMENT
        for name, body in content.items():
            written.writestr(name, body)
        said = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        written.writestr(archives.MANIFEST, said)
    _with_checksum(path, made)


def _read(path: Path) -> tuple[dict[str, Any], Content]:
    with zipfile.ZipFile(path) as file:
        content = {name: file.read(name) for name in file.namelist()}
    return json.loads(content.pop(archives.MANIFEST)), content


def _refused(path: Path, tmp_path: Path) -> str:
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CommandError) as refused:
        call_command("restore", path, "--yes")
    assert refused.value.returncode == 1
    assert Application.objects.get().name == "later"
    assert (tmp_path / "media" / "people.csv").read_text() == "number\n919876500000\n"
    assert [one for one in sorted(tmp_path.rglob("*")) if one.name != alone.LOCK] == [
        one for one in before if one.name != alone.LOCK
    ]
    assert "\n" not in str(refused.value)
    return str(refused.value)


DEEP = b'{"format": "laaffic-console-backup", "parts": ' + b"[" * 100_000


@pytest.mark.parametrize(
    "odd",
    [
        *({"format version": wrong} for wrong in (None, "1", True, -1, 1.0, [])),
        *({"version": wrong} for wrong in (None, 1, "", "1.x y", "9" * 5000, ["1"])),
        *({"at": wrong} for wrong in (None, 5, "", "soon", "2026-05-04", "2026-05-04T10:00:00", {})),
        *(
            {"at": wrong}
            for wrong in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2190-01-01T00:00:00Z")
        ),
        *({"database": wrong} for wrong in (None, 7, "oracle", ["sqlite"])),
        *({"migrations": wrong} for wrong in (None, [], {}, "all", [None], [["messaging", "0001"]], ["messaging"])),
        {"migrations": ["messaging.9999_later"]},
        *({"parts": wrong} for wrong in (None, [], {}, "all", {"media/x": {}}, {"database.sqlite3": None})),
        *({"parts": {"database.sqlite3": wrong}} for wrong in ({"sha256": 1, "bytes": 1}, {"sha256": "0" * 64}, [])),
    ],
    ids=str,
)
def test_a_manifest_with_what_is_missing_or_of_another_kind(backup: Path, tmp_path: Path, odd: dict[str, Any]) -> None:
    manifest, content = _read(backup)
    crafted = {key: value for key, value in {**manifest, **odd}.items() if value is not None}
    _craft(backup, crafted, content)

    _refused(backup, tmp_path)


@pytest.mark.parametrize("manifest", [b"", b"[]", b"null", b"7", b"{}", b"\xff", DEEP, b'{"a": ' + b"9" * 9999 + b"}"])
def test_a_manifest_that_is_none(backup: Path, tmp_path: Path, manifest: bytes) -> None:
    _craft(backup, manifest, _read(backup)[1])

    assert "is not a backup of this console" in _refused(backup, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "/etc/evil",
            "../evil",
            "media/../evil",
            "media/../../evil",
            "media//evil",
            "media/./evil",
            "media/",
            "media",
        ),
        *("media/a/", "media\\evil", "media/people.csv/evil", "media/" + "x" * 256, "evil", "database.other"),
    ],
)
def test_a_file_that_leads_elsewhere(backup: Path, tmp_path: Path, name: str) -> None:
    manifest, content = _read(backup)
    manifest["parts"][name] = {"sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1}
    _craft(backup, manifest, {**content, name: b"x"})

    said = _refused(backup, tmp_path)
    assert "it has a part" in said or "is damaged" in said
    assert not Path("/etc/evil").exists()


def test_a_file_below_media_that_is_absolute(backup: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    manifest, content = _read(backup)
    name = f"media/{outside}"
    manifest["parts"][name] = {"sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1}
    _craft(backup, manifest, {**content, name: b"x"})

    _refused(backup, tmp_path)
    assert not outside.exists()


@pytest.mark.parametrize("how", [{"compression": zipfile.ZIP_LZMA}, {"compression": zipfile.ZIP_BZIP2}])
def test_one_that_is_packed_otherwise_is_read(backup: Path, how: dict[str, Any]) -> None:
    _craft(backup, *_read(backup), **how)

    call_command("restore", backup, "--yes")
    assert Application.objects.get().name != "later"


@pytest.mark.parametrize("at", ["password", "method"])
def test_a_zip_that_cannot_be_unpacked(backup: Path, tmp_path: Path, at: str) -> None:
    """Its list says that a part needs a password, or an unknown method."""
    _craft(backup, *_read(backup))
    raw = bytearray(backup.read_bytes())
    entry = raw.index(b"PK\x01\x02")
    place, value = {"password": (8, 1), "method": (10, 99)}[at]
    raw[entry + place] = raw[place - 2] = value
    _with_checksum(backup, io.BytesIO(bytes(raw)))

    _refused(backup, tmp_path)


def _with_database(path: Path, change: Callable[[bytes], bytes]) -> None:
    manifest, content = _read(path)
    name = databases.PARTS[connection.vendor]
    content[name] = change(content[name])
    manifest["parts"][name] = {"sha256": hashlib.sha256(content[name]).hexdigest(), "bytes": len(content[name])}
    _craft(path, manifest, content)


def _after(folder: Path, *statements: str) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        path = folder / "changed.sqlite3"
        path.write_bytes(content)
        opened = sqlite3.connect(path)
        opened.execute("PRAGMA foreign_keys = off")
        for statement in statements:
            opened.execute(statement)
        opened.commit()
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        opened.close()
        return path.read_bytes()

    return change


@pytest.mark.parametrize("content", [b"", b"nonsense", b"SQLite format 3\0" + b"\xff" * 5000, b"PGDMP" + b"\xff" * 500])
def test_a_database_that_is_none(backup: Path, tmp_path: Path, content: bytes) -> None:
    _with_database(backup, lambda _before: content)

    _refused(backup, tmp_path)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a dump of PostgreSQL cannot be written by hand")
@pytest.mark.parametrize(
    "statements",
    [
        ["DROP TABLE django_migrations"],
        ["DELETE FROM django_migrations"],
        ["DELETE FROM django_migrations WHERE app = 'messaging'"],
        ["DELETE FROM django_migrations WHERE name = '0001_initial'"],
        ["DROP TABLE messaging_campaign"],
        ["DROP TABLE messaging_reply"],
        ["DROP TABLE messaging_campaign", "CREATE TABLE messaging_campaign (odd text)"],
        ["UPDATE messaging_campaign SET id = 'x'", "DROP TABLE gateway_ledgerentry"],
    ],
    ids=lambda statements: statements[0],
)
def test_a_database_that_is_another_one(backup: Path, tmp_path: Path, statements: list[str]) -> None:
    _with_database(backup, _after(tmp_path, *statements))

    assert "is not one of this console" in _refused(backup, tmp_path)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a dump of PostgreSQL cannot be written by hand")
def test_tables_that_nobody_knows_are_an_operators_own(backup: Path, tmp_path: Path) -> None:
    _with_database(backup, _after(tmp_path, "CREATE TABLE notes (text)"))

    call_command("restore", backup, "--yes")
    assert "notes" in connection.introspection.table_names()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE notes")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite tries the copy itself")
@pytest.mark.parametrize(
    ("reader", "lost", "said"),
    [
        ("tables_in", "messaging_campaign", "it lacks the table messaging_campaign"),
        ("migrations_in", "messaging.0001_initial", "it lacks migrations that it names"),
    ],
)
def test_a_dump_that_lacks_something(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str, lost: str, said: str
) -> None:
    read = getattr(databases, reader)
    monkeypatch.setattr(databases, reader, lambda dump: read(dump) - {lost})

    assert lost in _read_of(backup, tmp_path, read)
    assert said in _refused(backup, tmp_path)


def _read_of(backup: Path, tmp_path: Path, read: Callable[[Path], set[str]]) -> set[str]:
    dump = tmp_path / "dump"
    dump.write_bytes(_read(backup)[1][databases.PARTS[connection.vendor]])
    found = read(dump)
    dump.unlink()
    return found


def test_a_lock_that_is_never_free_says_what_to_wait_for() -> None:
    assert "nothing has changed" in databases._not_taken("ERROR:  disk on fire")
    said = databases._not_taken("ERROR:  canceling statement due to lock timeout")
    assert "Wait until a backup" in said
    assert "ERROR" not in said
