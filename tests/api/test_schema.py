"""openapi.json names every address of the API, and the page that shows it is served from here."""

import re
from typing import Any

import pytest
from django.test import Client
from drf_spectacular import drainage
from drf_spectacular.generators import SchemaGenerator

from laaffic_console.api import urls

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema(client: Client) -> Any:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_every_address_is_in_it(schema: Any) -> None:
    routes = {re.sub(r"<int:pk>", "{id}", str(one.pattern)) for one in urls.urlpatterns}

    assert {path.removeprefix("/api/") for path in schema["paths"]} == routes - {
        *("v1/openapi.json", "v1/docs", r"[\s\S]+")
    }
    assert schema["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}


def test_each_operation_says_what_it_does_and_how_it_is_refused(schema: Any) -> None:
    operations = [one for methods in schema["paths"].values() for one in methods.values()]

    assert len({one["operationId"] for one in operations}) == len(operations) > 20
    assert [one["operationId"] for one in operations if not one.get("description")] == []
    assert [one["operationId"] for one in operations if not 10 < len(one.get("summary", "")) < 120] == []
    assert {one["responses"]["409"]["$ref"] for one in operations} == {"#/components/responses/Status409"}
    refusals = [schema["components"]["responses"][f"Status{status}"] for status in (400, 409)]
    assert all("application/problem+json" in one["content"] for one in refusals)


def test_it_is_short_and_asked_for_once(client: Client) -> None:
    answer = client.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert len(answer.content) < 100_000  # of three hundred operations

    known = client.get("/api/v1/openapi.json", headers={"If-None-Match": answer["ETag"]})

    assert (known.status_code, known.content) == (304, b"")
    as_json = client.get("/api/v1/openapi.json", headers={"Accept": "application/json"})
    assert as_json["Content-Type"] == "application/json"


def test_nothing_in_it_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    """Two shapes of one name would be described as one of them, and said to nobody."""
    drainage.reset_generator_stats()

    SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]

    assert not drainage.GENERATOR_STATS, capsys.readouterr().err


def test_files_and_readings_are_described_as_they_are_answered(schema: Any) -> None:
    for path in ("/api/v1/exports/{id}/file", "/api/v1/imports/{id}/bad-rows/file"):
        assert {"text/csv", "application/zip"} < set(schema["paths"][path]["get"]["responses"]["200"]["content"])
    assert schema["components"]["schemas"]["Reading"]["properties"]["languages"] == {"type": "string"}


def test_what_is_answered_304_says_so(schema: Any) -> None:
    """A client that is made from it otherwise takes “nothing has changed” for a fault."""
    for path, has_tag in (("contacts/{id}", True), ("contacts", False)):
        operation = schema["paths"][f"/api/v1/{path}"]["get"]
        assert ("304" in operation["responses"]) is has_tag
        assert ("ETag" in operation["responses"]["200"].get("headers", {})) is has_tag
        assert ("If-None-Match" in {one["name"] for one in operation["parameters"]}) is has_tag


def test_what_may_not_be_empty_in_a_request_says_so(schema: Any) -> None:
    shapes = schema["components"]["schemas"]
    key = next(one for one in schema["paths"]["/api/v1/groups"]["post"]["parameters"] if one["in"] == "header")

    assert shapes["GroupRequest"]["properties"]["name"]["minLength"] == 1
    assert shapes["SmsAfter"]["properties"]["text"]["minLength"] == 1  # a part of what is asked
    assert "minLength" not in shapes["Group"]["properties"]["name"]
    assert (key["schema"]["minLength"], key["schema"]["maxLength"]) == (1, 255)


def test_the_page_needs_a_sign_in_and_nothing_from_elsewhere(client: Client, admin_client: Client) -> None:
    assert client.get("/api/v1/docs").status_code == 302
    drawn = admin_client.get("/api/v1/docs").content.decode()

    assert "swagger-ui-bundle" in drawn
    assert re.findall(r"""(?:src|href)=["']?https?://""", drawn) == []
    assert re.findall(r"<script(?![^>]*src=)", drawn) == []
