"""A disk that is full: the import says so, leaves nothing half, and the pages stay."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from messaging.models import ContactGroup, ContactImport
from messaging.services.imports import files as import_files

pytestmark = pytest.mark.django_db
ADD = "admin:messaging_contactimport_add"


@pytest.fixture
def media(settings: LazySettings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture(params=[errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def _full(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first piece of an upload nothing more fits."""

    def chunks(upload: SimpleUploadedFile, chunk_size: int | None = None) -> Iterator[bytes]:
        yield b"919876"
        raise OSError(request.param, "full")

    monkeypatch.setattr("django.core.files.uploadedfile.InMemoryUploadedFile.chunks", chunks)


@pytest.mark.usefixtures("_full")
def test_it_is_said_and_nothing_stays(admin_client: Client, media: Path) -> None:
    file = SimpleUploadedFile("people.csv", b"number\n919876543210\n")

    answer = admin_client.post(reverse(ADD), {"file": file, "new_group": "new", "region": ""})

    assert answer.status_code == 200
    assert "no room on the console" in answer.content.decode()
    assert [path for path in media.rglob("*") if path.is_file()] == []
    assert not ContactImport.objects.exists()
    assert not ContactGroup.objects.exists()


@pytest.mark.usefixtures("_full")
def test_the_pages_stay(admin_client: Client, media: Path) -> None:
    admin_client.post(reverse(ADD), {"file": SimpleUploadedFile("people.csv", b"number\n"), "region": ""})

    assert admin_client.get(reverse("admin:messaging_contactimport_changelist")).status_code == 200
    assert admin_client.get("/healthz").status_code == 200


def test_before_the_first_upload_there_is_nothing_to_sweep(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path

    assert import_files.sweep_uploads() == 0
