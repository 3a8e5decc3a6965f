"""Files that scripts send: one per request, as multipart/form-data, read with the handlers that page uploads use; and
bodies that come in chunks."""

import hashlib
import io
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes

from laaffic_console.api.handling.parsers import stands_twice
from laaffic_console.api.handling.problems import Problem
from laaffic_console.kit.files import exports
from laaffic_console.kit.requests.bounded_body import read_at_most

# How a download is described: its format is one of those that exports have.
DOWNLOADED = {(200, kind.partition(";")[0]): OpenApiTypes.BINARY for kind in exports.TYPES.values()}


def take_in_chunks(request: HttpRequest, *, is_file: bool) -> None:
    """Read a body that comes in chunks whole. It has no length, so Django takes it for empty and would ignore what it
    asks for: a launch with “shown” would compare nothing. If it is a file, which may be large, it is refused."""
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return
    if is_file or not request.META.get("wsgi.input_terminated"):
        raise Problem(411, _("The body came in chunks. Send it with its length, as Content-Length."))
    raw = read_at_most(request, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    if raw is None:
        raise RequestDataTooBig
    read: Any = request
    read._body, read._stream = raw, io.BytesIO(raw)
    request.META["CONTENT_LENGTH"] = str(len(raw))


def fingerprint(request: Any) -> bytes:
    """A digest of a request's fields and file, without the multipart boundaries: those differ each time."""
    sha = hashlib.sha256()
    for name in sorted(request.data):
        for value in request.data.getlist(name):
            sha.update(f"{name}={len(name)}".encode())
            if not isinstance(value, UploadedFile):
                sha.update(f"{len(str(value))}:{value}".encode("utf-8", "surrogatepass"))
                continue
            sha.update(f"{value.name}={value.size}".encode("utf-8", "surrogatepass"))
            for piece in value.chunks():
                sha.update(piece)
            value.seek(0)
    return sha.digest()


def require_room(request: Any) -> None:
    """Refuse an upload that did not fit on the disk: its file is not whole (kit/files/uploads.py)."""
    request.data  # noqa: B018 - reads it
    if getattr(request._request, "found_no_room", False):
        raise Problem(503, no_room(), retry_after=60)


def require_each_once(form: Any) -> None:
    """Refuse a field or file that is given twice: one of two files would be kept, and nobody would miss the other."""
    given = form.lists() if isinstance(form, MultiValueDict) else ()  # without a body it is a plain {}
    if twice := next((name for name, values in given if len(values) > 1), None):
        raise stands_twice(twice)


def no_room() -> str:
    return _("There is no room on the console's disk for this file. Make room, then send it again.")


def content(upload: "UploadedFile[Any]", largest: int) -> tuple[bytes, str]:
    """The content of a file and its name; of a file too large only `largest` + 1 bytes, which its service refuses."""
    return upload.read(largest + 1), str(upload.name)
