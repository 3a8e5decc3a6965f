"""Templates, calendars and budgets from a script."""

from decimal import Decimal

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from messaging.models import MessageTemplate
from messaging.services.budgets import budgets
from messaging.services.campaigns import calendars, templates
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


def test_a_template_and_its_versions(api: Api) -> None:
    asked = {"name": "Welcome", "text": "Hello {{name|there}}"}
    made = [api("POST", "templates", asked, Idempotency_Key="a") for _time in range(2)]
    pk = made[0].json()["id"]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json() == api("GET", f"templates/{pk}").json()
    assert AuditEntry.objects.filter(object_kind="messaging.messagetemplate").count() == 1

    template = MessageTemplate.objects.get()
    template.text = "Hi {{name|there}}"
    templates.save(template)
    assert [one["number"] for one in api("GET", f"templates/{pk}/versions").json()["items"]] == [2, 1]
    assert api("POST", "templates", asked).status_code == 400
    assert api("POST", "templates", {"name": "x", "text": "{{a b"}).status_code == 400


def test_calendars_and_whose_they_are(api: Api, application: Application) -> None:
    kept = calendars.add_part("Office", hours=["mon-fri 09:00-20:00"], left_out=["2026-12-25"])
    calendars.give(application, kept)

    [row] = api("GET", "calendars").json()["items"]
    assert (row["hours"], row["left_out"]) == (["mon-fri 09:00-20:00"], ["2026-12-25"])
    assert row["applications"] == [application.app_id]
    assert api("GET", f"calendars/{kept.pk}").json() == row


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (OperationalError("database is locked"), 503),
        (OperationalError("deadlock detected"), 503),
        (InterfaceError("the connection is closed"), 503),
        (DataError("integer out of range"), 500),
        (IntegrityError("NOT NULL constraint failed"), 500),
        (KeyError("x"), 500),
    ],
    ids=repr,
)
def test_a_fault_of_ours_is_not_called_a_busy_database(
    api: Api, monkeypatch: pytest.MonkeyPatch, problem: Exception, status: int
) -> None:
    def fails(*_given: object, **_more: object) -> None:
        raise problem

    monkeypatch.setattr("laaffic_console.api.rules.budget_views.BudgetsView.get", fails)

    answer = api("GET", "budgets")

    assert (answer.status_code, answer["Retry-After"], answer.json()["status"]) == (status, "5", status)


def test_budgets_as_they_stand(api: Api, application: Application) -> None:
    budgets.put(application, per="day", limit=Decimal(100), currency="")

    listed = api("GET", "budgets").json()
    assert listed["next"] is None  # all of them at once, in the shape of every list
    [row] = listed["items"]
    assert (row["application"], row["limit"], row["used"], row["percent"]) == (application.app_id, "100", "0", 0)
