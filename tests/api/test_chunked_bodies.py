"""Bodies of a length that nobody says beforehand, as some libraries send them."""

import io
import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, ContactGroup, ContactImport
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


def in_chunks(api: Api, path: str, body: bytes, *, kind: str = "application/json", **environ: Any) -> Any:
    """As the web server hands it on: the chunks undone, and no length."""
    environ = {"wsgi.input_terminated": True, "HTTP_AUTHORIZATION": f"Bearer {api.secret}", **environ}
    environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "", "CONTENT_TYPE": kind}
    client = Client(raise_request_exception=False)
    return client.generic("POST", f"/api/v1/{path}", **environ, **{"wsgi.input": io.BytesIO(body)})


@pytest.fixture
def draft(api: Api, application: Application) -> int:
    asked = {"name": "Sale", "application": "4luaKsL2", "text": "Hello", "to": ["919876543210"]}
    made: int = api("POST", "campaigns", asked).json()["id"]
    return made


def test_a_launch_compares_what_was_shown(api: Api, draft: int) -> None:
    answer = in_chunks(api, f"campaigns/{draft}/launch", b'{"shown": "of another draft"}')

    assert (answer.status_code, Campaign.objects.get().state) == (400, "draft")


def test_another_body_wants_another_key(api: Api) -> None:
    bodies = [json.dumps({"name": name}).encode() for name in ("Friends", "Friends", "Others")]
    answers = [in_chunks(api, "groups", body, HTTP_IDEMPOTENCY_KEY="a") for body in bodies]

    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert ContactGroup.objects.get(is_ad_hoc=False).name == "Friends"


def test_none_at_all_is_fine_where_none_is_wanted(api: Api, draft: int) -> None:
    assert in_chunks(api, f"campaigns/{draft}/cancel", b"").status_code == 200


def test_one_that_is_too_large_is_not_read_whole(api: Api, settings: LazySettings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    assert in_chunks(api, "groups", b" " * 100_000).status_code == 413


def test_one_that_ends_too_early_is_refused_though_it_can_be_read(api: Api) -> None:
    """The caller has gone away in its middle; what is missing may have mattered."""
    said: dict[str, Any] = {"wsgi.input": io.BytesIO(b'{"name": "Friends"}'), "CONTENT_LENGTH": "500"}
    said |= {"HTTP_AUTHORIZATION": f"Bearer {api.secret}"}
    answer = Client(raise_request_exception=False).generic("POST", "/api/v1/groups", b"", "application/json", **said)

    assert (answer.status_code, ContactGroup.objects.exists()) == (400, False)
    assert "Content-Length" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "environ"),
    [("imports", {"kind": "multipart/form-data; boundary=x"}), ("groups", {"wsgi.input_terminated": False})],
)
def test_what_cannot_be_read_is_told(api: Api, path: str, environ: dict[str, Any]) -> None:
    answer = in_chunks(api, path, b"--x--", **environ)

    assert (answer.status_code, ContactImport.objects.count()) == (411, 0)
    assert "Content-Length" in answer.json()["detail"]
