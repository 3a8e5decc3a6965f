"""Files that are being uploaded: they lie in a private folder of the console's own, and what a killed process has left
there goes with the sweep. The page says when the disk is full."""

import datetime as dt
import errno
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from laaffic_console.kit.files import private_files

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the disk is full, a quota, or what one file may hold
LEFT_BEHIND = dt.timedelta(hours=24)  # no upload and no look at a file takes so long
WAITING = "django-import-export"  # below MEDIA_ROOT: files that somebody has looked at and not yet taken


class PrivateUploadHandler(TemporaryFileUploadHandler):
    """Django's own, for files that are too large for memory, into FILE_UPLOAD_TEMP_DIR."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        private_files.make_folder(Path(settings.FILE_UPLOAD_TEMP_DIR))
        self._guarded(super().new_file, *args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._guarded(super().receive_data_chunk, raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        return self._guarded(super().file_complete, file_size)

    def _guarded(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return act(*args, **kwargs)
        except OSError as problem:
            if file := getattr(self, "file", None):
                _forget(file)
            if problem.errno not in FULL:
                raise
            self.request.found_no_room = True  # type: ignore[union-attr]
            raise StopUpload(connection_reset=False) from problem


def _forget(file: Any) -> None:
    """Close and delete the file; closing flushes, which fails as well, so the file is deleted anyway."""
    try:
        file.close()
    except OSError:
        Path(file.temporary_file_path()).unlink(missing_ok=True)


class FullDiskMiddleware:
    """A form whose file found no room is not read on: what came of it is not whole."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        is_ours = request.path.startswith(reverse("admin:index"))  # pushes are read by their own views
        is_form = is_ours and request.method == "POST" and request.content_type == "multipart/form-data"
        if not is_form or request.POST is None or not getattr(request, "found_no_room", False):
            return None
        said = _("There is no room on the console's disk for this file. Make room, then upload it again.")
        messages.error(request, said)
        return HttpResponseRedirect(request.get_full_path())


def sweep() -> int:
    """Delete what killed processes and people who went away have left; how many files."""
    folders = [Path(settings.FILE_UPLOAD_TEMP_DIR), Path(settings.MEDIA_ROOT, WAITING)]
    before = time.time() - LEFT_BEHIND.total_seconds()
    return sum(_sweep(path, before) for folder in folders if folder.is_dir() for path in folder.iterdir())


def _sweep(path: Path, before: float) -> bool:
    try:
        if path.is_dir() or path.lstat().st_mtime >= before:
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True
