"""Uploads: a private folder, nothing left for ever, and a full disk said on the page."""

import errno
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from laaffic_console.dashboard import jobs
from laaffic_console.kit.files import uploads
from messaging.models import ContactImport

pytestmark = pytest.mark.django_db
PAGES = [
    ("messaging_contactimport_add", "file"),
    ("messaging_mmsattachment_add", "file"),
    ("messaging_listprice_import", "import_file"),
    ("messaging_suppressionentry_add", "file"),
    ("voice_audiofile_add", "file"),
    ("numbers_numberpool_add", "file"),
]


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """Every file is too large for memory."""
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 8
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "uploads"


def test_an_upload_lies_in_the_consoles_own_folder(
    admin_client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    usual = uploads.PrivateUploadHandler.receive_data_chunk

    def look(self: Any, raw_data: bytes, start: int) -> None:
        seen.append(Path(self.file.temporary_file_path()))
        usual(self, raw_data, start)

    monkeypatch.setattr(uploads.PrivateUploadHandler, "receive_data_chunk", look)
    file = SimpleUploadedFile("people.csv", b"number\n919876543210\n")
    admin_client.post(reverse("admin:messaging_contactimport_add"), {"file": file, "new_group": "new", "region": ""})

    assert ContactImport.objects.count() == 1
    assert {path.parent for path in seen} == {folder}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert list(folder.iterdir()) == []


def test_the_folder_is_in_var(tmp_path: Path) -> None:
    asked = "from laaffic_console import settings as s; print(s.FILE_UPLOAD_TEMP_DIR)"
    environment = {**os.environ, "CONSOLE_VAR_DIR": str(tmp_path / "var")}

    said = subprocess.run([sys.executable, "-c", asked], env=environment, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == str(tmp_path / "var" / "uploads")
    assert (tmp_path / "var" / "uploads").stat().st_mode & 0o777 == 0o700


class _Full:
    """Of the first bytes on, or only when the rest is flushed."""

    def __init__(self, at: str, code: int, usual: Callable[..., Any]) -> None:
        self.at, self.code, self.usual = at, code, usual

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.at == "open":
            raise OSError(self.code, "full")
        file = self.usual(*args, **kwargs)
        at, code = self.at, self.code

        def refuse(*_args: Any) -> None:
            raise OSError(code, "full")

        setattr(file, at, refuse)
        return file


@pytest.mark.parametrize("at", ["open", "write", "seek"])
@pytest.mark.parametrize(("page", "field"), PAGES)
def test_a_full_disk_is_said_on_the_page(
    admin_client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch, page: str, field: str, at: str
) -> None:
    full = _Full(at, errno.ENOSPC, tempfile.NamedTemporaryFile)
    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", full)
    file = SimpleUploadedFile("people.csv", b"number\n919876543210\n" * 100)

    answer = admin_client.post(reverse(f"admin:{page}"), {"name": "x", field: file}, follow=True)

    assert answer.status_code == 200
    assert "no room on the console" in answer.content.decode().replace("&#x27;", "'")
    assert list(folder.iterdir()) == []


def test_another_fault_of_the_disk_is_no_full_one(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = _Full("write", errno.EIO, tempfile.NamedTemporaryFile)
    monkeypatch.setattr("django.core.files.uploadedfile.tempfile.NamedTemporaryFile", broken)
    file = SimpleUploadedFile("people.csv", b"number\n919876543210\n" * 100)

    with pytest.raises(OSError, match="full"):
        admin_client.post(reverse("admin:messaging_contactimport_add"), {"file": file})


def test_the_sweep_takes_what_was_left_and_nothing_that_is_at_work(folder: Path, settings: LazySettings) -> None:
    waiting = Path(settings.MEDIA_ROOT, uploads.WAITING)
    old = time.time() - uploads.LEFT_BEHIND.total_seconds() - 1
    for place in (folder, waiting):
        place.mkdir(parents=True)
        for name in ("left", "at work"):
            (place / name).write_bytes(b"x")
        os.utime(place / "left", (old, old))
    (Path(settings.MEDIA_ROOT) / "kept").write_bytes(b"x")
    os.utime(Path(settings.MEDIA_ROOT) / "kept", (old, old))

    jobs.sweep()

    assert [path.name for place in (folder, waiting) for path in place.iterdir()] == ["at work", "at work"]
    assert (Path(settings.MEDIA_ROOT) / "kept").exists()
