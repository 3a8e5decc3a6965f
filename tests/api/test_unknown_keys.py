"""What nobody reads is refused before anything is done: in every body and every query, and in parts of them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

from laaffic_console.api.handling import unread_keys as unknown
from laaffic_console.gateway.models import Application
from messaging.models import Campaign, ContactGroup, ContactImport
from tests.api.conftest import Api
from tests.api.files import sent

pytestmark = pytest.mark.django_db

STRAY = "zzqx"


def test_a_moment_that_would_not_be_looked_at_sends_nothing(api: Api, application: Application) -> None:
    asked = {"application": application.app_id, "text": "hi", "to": ["+919876543210"]}
    answer = api("POST", "messages", {**asked, "scheduled_at": "2027-01-01T09:00:00Z"}, idempotency_key="one")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()["detail"]
    assert said.startswith("Nothing was done. Unknown field “scheduled_at”. Known fields: application, sender_id,")
    assert answer.json()["errors"][0]["field"] == "scheduled_at"
    assert not Campaign.objects.exists()
    assert api("POST", "messages", asked, idempotency_key="one").status_code == 202  # the key is still free


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("campaigns?sate=draft", "Unknown field “sate”. Did you mean “state”? Known fields: limit, cursor, state."),
        ("messages?Number=919876543210", "Did you mean “number”?"),
        ("health?limit=1", "Unknown field “limit”. No fields are taken here"),
        ("campaigns/7?state=draft", "Unknown field “state”"),
        ("campaigns?state=draft&state=running", "“state” is given twice in the address"),
    ],
)
def test_a_filter_that_is_misspelt_lists_nothing(api: Api, path: str, said: str) -> None:
    answer = api("GET", path)

    assert (answer.status_code, said in answer.json()["detail"]) == (400, True), answer.content


def test_pages_and_the_format_can_always_be_asked_for(api: Api) -> None:
    assert api("GET", "groups?limit=5&format=json").status_code == 200
    assert api("HEAD", "groups?limit=5").status_code == 200
    assert api("HEAD", "groups?limits=5").status_code == 400


def test_any_other_format_is_refused_in_words(api: Api) -> None:
    answer = api("GET", "groups?format=xml")

    assert (answer.status_code, "JSON" in answer.json()["detail"]) == (400, True), answer.content


@pytest.mark.parametrize("part", ["sms", "transfer"])
def test_parts_of_a_body_too(api: Api, part: str) -> None:
    answer = api("POST", "group-calls", {"name": "x", part: {"aplication": "x", "agent_gruop": 3}})

    assert answer.status_code == 400
    names = {one["field"] for one in answer.json()["errors"]}
    assert names == {f"{part}.aplication", f"{part}.agent_gruop"}
    meant = {"sms": "application", "transfer": "agent_group"}[part]
    assert f"Did you mean “{meant}”?" in answer.json()["detail"]


def test_what_has_names_of_ones_own_takes_any(api: Api, group: ContactGroup) -> None:
    asked = {"number": "+919876543210", "attributes": {STRAY: "1"}}

    assert api("POST", "contacts", asked).status_code == 201


def test_fields_of_an_upload(api: Api) -> None:
    answer = sent(api, "imports", "people.csv", b"number\n+919876543210\n", grop="Friends")

    assert (answer.status_code, "Did you mean “group”?" in answer.json()["detail"]) == (400, True)
    assert not ContactImport.objects.exists()


def test_a_thousand_of_them_are_not_all_told(api: Api) -> None:
    answer = api("POST", "groups", {f"{n:0>2000}": n for n in range(1000)})

    assert (answer.status_code, len(answer.json()["errors"])) == (400, unknown.MOST_NAMED)
    assert len(answer.content) < 4000


def _operations() -> list[tuple[str, str]]:
    schema = Client().get("/api/v1/openapi.json").json()
    return [(method.upper(), path) for path, of in schema["paths"].items() for method in of]


def test_every_operation_refuses_what_its_description_does_not_name(api: Api) -> None:
    """Before it looks whether there is such a thing, so that any number does."""
    operations = _operations()
    for method, path in operations:
        within = path.removeprefix("/api/v1/").replace("{id}", "987654")
        answers = [api(method, f"{within}?{STRAY}=1")]
        if method != "GET" and not resolve(f"/api/v1/{within}").func.view_class.takes_file:
            answers.append(api(method, within, {STRAY: 1}))
        for answer in answers:
            assert answer.status_code == 400, (method, path, answer.content)
            assert f"Unknown field “{STRAY}”" in answer.json()["detail"], (method, path, answer.content)
    assert len(operations) > 80


def test_every_name_that_is_described_can_be_said(api: Api) -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    for path, of in schema["paths"].items():
        for method, operation in of.items():
            names = [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
            query = "&".join(f"{name}=1" for name in names)
            within = path.removeprefix("/api/v1/").replace("{id}", "987654")
            assert b"Unknown field" not in api(method.upper(), f"{within}?{query}").content, (method, path)


def test_bodies_are_described_as_closed_and_answers_as_open(api: Api) -> None:
    """A client that is made of it may not choke on keys that answers get later."""
    schema: Any = Client().get("/api/v1/openapi.json").json()
    shapes = schema["components"]["schemas"]
    closed = {name for name, one in shapes.items() if one.get("additionalProperties") is False}

    assert {"MessagesRequest", "SmsAfter", "Transfer", "ImportRequest", "LaunchRequest"} < closed
    answered = str([one["responses"] for of in schema["paths"].values() for one in of.values()])
    assert [name for name in closed if f"schemas/{name}'" in answered] == []
    assert "additionalProperties" not in shapes["Campaign"]


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE"])
def test_what_cannot_be_done_is_said_first(api: Api, method: str) -> None:
    assert api(method, "audiences", {"nothing": 1}).status_code == 405
