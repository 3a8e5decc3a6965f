"""Two requests at the same moment that store what can be there once: the later one is answered as one that comes later
would be."""

from typing import Any

import pytest
from django.db import IntegrityError, models

from laaffic_console.api.models import RepeatableRequest
from laaffic_console.gateway.models import Application
from messaging.models import Contact, ContactGroup
from tests.api.conftest import Api
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

TEXT = {"name": "Welcome", "text": "Hello"}
CALENDAR = {"name": "Office", "hours": ["mon-fri 09:00-20:00"]}


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked for before it is stored is not found until the database has refused it: it came in between."""
    sees: list[bool] = []
    usual_unique, usual_constraints = models.Model.validate_unique, models.Model.validate_constraints
    usual_save = models.Model.save_base

    def unique(row: models.Model, *given: Any, **more: Any) -> None:
        if sees:
            usual_unique(row, *given, **more)

    def constraints(row: models.Model, *given: Any, **more: Any) -> None:
        if sees:
            usual_constraints(row, *given, **more)

    def save(row: models.Model, *given: Any, **more: Any) -> None:
        try:
            usual_save(row, *given, **more)
        except IntegrityError:
            sees.append(True)
            raise

    monkeypatch.setattr(models.Model, "validate_unique", unique)
    monkeypatch.setattr(models.Model, "validate_constraints", constraints)
    monkeypatch.setattr(models.Model, "save_base", save)


MADE = [
    ("groups", {"name": "Friends"}),
    ("audiences", {"name": "Indians", "condition": "country = IN"}),
    ("templates", TEXT),
    ("calendars", CALENDAR),
    ("saved-answers", {"title": "Hours", "text": "From 9 to 5"}),
    ("budgets", {"application": "app1", "limit": "100"}),
    ("frequency-caps", {"application": "app1", "per_day": 3}),
]


@pytest.mark.parametrize(("path", "asked"), MADE, ids=[path for path, _asked in MADE])
@pytest.mark.parametrize("keys", [{}, {"Idempotency_Key": "second"}], ids=["without a key", "with a key"])
def test_one_name_given_twice(
    api: Api,
    application: Application,
    path: str,
    asked: dict[str, Any],
    keys: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:
    asked = {**asked, **({"application": application.app_id} if "application" in asked else {})}
    assert api("POST", path, asked).status_code == 201
    later = api("POST", path, asked)

    request.getfixturevalue("blind")
    at_once = api("POST", path, asked, **keys)

    assert later.status_code in (400, 409)
    assert (at_once.status_code, at_once.json()) == (later.status_code, later.json())
    assert not RepeatableRequest.objects.exists()  # what was refused can be sent again under its key


def test_a_group_renamed_as_another_is_made(api: Api, request: pytest.FixtureRequest) -> None:
    pk = api("POST", "groups", {"name": "Friends"}).json()["id"]
    ContactGroup.objects.create(name="Family")
    later = api("PATCH", f"groups/{pk}", {"name": "Family"})

    request.getfixturevalue("blind")
    at_once = api("PATCH", f"groups/{pk}", {"name": "Family"})

    assert (at_once.status_code, at_once.json()) == (later.status_code, later.json())
    assert at_once.json()["errors"][0]["field"] == "name"


def test_a_number_that_an_import_makes_meanwhile(api: Api, group: ContactGroup, request: pytest.FixtureRequest) -> None:
    edited, imported = add_contacts(group, 2)

    request.getfixturevalue("blind")
    answer = api("PATCH", f"contacts/{edited.pk}", {"number": imported.number})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "number")
    assert Contact.objects.filter(number=edited.number).exists()


def test_what_stays_taken_is_a_conflict(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_given: object, **_more: object) -> None:
        raise IntegrityError("UNIQUE constraint failed: messaging_contactgroup.name")

    monkeypatch.setattr(ContactGroup, "save", taken)

    answer = api("POST", "groups", {"name": "Friends"})

    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert "repeat" in answer.json()["detail"]
