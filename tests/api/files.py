"""Files as scripts send them."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.api.conftest import Api


def sent(api: Api, path: str, name: str, content: bytes, key: str = "", **fields: Any) -> Any:
    """As multipart/form-data, with a boundary of its own; a list of values stands as often in it."""
    headers = {"HTTP_AUTHORIZATION": f"Bearer {api.secret}"} | ({"HTTP_IDEMPOTENCY_KEY": key} if key else {})
    data = {"file": SimpleUploadedFile(name, content), **fields}
    return Client(raise_request_exception=False).post(f"/api/v1/{path}", data, **headers)  # type: ignore[arg-type]
