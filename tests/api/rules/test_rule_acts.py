"""What campaigns keep to, set from a script: templates, calendars, budgets, caps, prices, approval limits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from laaffic_console.kit.words.people import ADMINISTRATOR, APPROVER, OPERATOR
from messaging.models import (
    ApplicationCalendar,
    Budget,
    BudgetCounter,
    Calendar,
    Campaign,
    FrequencyCap,
    ListPrice,
    MessageTemplate,
    TemplateVersion,
)
from messaging.services.approvals import approval_limits
from messaging.services.budgets import budgets
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


def told(kind: str) -> list[str]:
    rows = AuditEntry.objects.filter(object_kind=f"messaging.{kind}").order_by("pk")
    return list(rows.values_list("kind", flat=True))


@pytest.fixture
def of_role(api: Api, api_with: Callable[..., Api]) -> Callable[[str], Api]:
    def made(role: str) -> Api:
        user = User.objects.create_user(role)
        user.groups.set(Group.objects.filter(name=role))
        return api_with(user=user)

    return made


def test_a_template_gets_a_version_for_each_text(api: Api, application: Application) -> None:
    pk = api("POST", "templates", {"name": "Welcome", "text": "Hello"}).json()["id"]
    tag = api("GET", f"templates/{pk}")["ETag"]
    body = {"text": "Hi", "note": "shorter"}
    for _time in range(2):
        assert api("PATCH", f"templates/{pk}", body, Idempotency_Key="t").json()["text"] == "Hi"
    assert api("PATCH", f"templates/{pk}", {"name": "Greeting"}).json() == api("GET", f"templates/{pk}").json()
    assert api("PATCH", f"templates/{pk}", {"name": "Late"}, If_Match=tag).status_code == 412
    assert api("PATCH", f"templates/{pk}", {"text": "{{a b"}).json()["errors"][0]["field"] == "text"
    versions = api("GET", f"templates/{pk}/versions").json()["items"]
    assert [(one["number"], one["text"], one["note"]) for one in versions] == [(2, "Hi", "shorter"), (1, "Hello", "")]

    draft = Campaign.objects.create(
        name="Diwali", application=application, text="Hi", template_version_id=versions[0]["id"]
    )
    assert api("DELETE", f"templates/{pk}").status_code == 409
    draft.delete()
    assert api("DELETE", f"templates/{pk}").status_code == 204
    assert (MessageTemplate.objects.exists(), TemplateVersion.objects.count()) == (False, 2)
    assert told("messagetemplate") == ["added", "changed", "changed", "deleted"]


class CalendarTests:
    def test_made_changed_given_and_deleted(self, api: Api, application: Application) -> None:
        asked = {"name": "Office", "hours": ["mon-fri 09:00-20:00", "IN: mon-sat 10:00-19:00"]}
        made = [api("POST", "calendars", asked, Idempotency_Key="c") for _time in range(2)]
        pk = made[0].json()["id"]
        assert [one.status_code for one in made] == [201, 201]
        assert (made[0].json(), Calendar.objects.count()) == (api("GET", f"calendars/{pk}").json(), 1)

        changed = api("PATCH", f"calendars/{pk}", {"left_out": ["2026-12-25"]}).json()
        assert (changed["hours"], changed["left_out"]) == (asked["hours"], ["2026-12-25"])
        given = {"application": application.app_id, "calendar": "Office"}
        for _time in range(2):
            assert api("POST", "application-calendars", given).status_code == 200
        assert api("GET", "application-calendars").json()["items"][0]["calendar"] == "Office"
        kept = api("DELETE", f"calendars/{pk}")
        assert (kept.status_code, "Give them another one" in kept.json()["detail"]) == (409, True)
        assert api("POST", "application-calendars", {**given, "calendar": None}).json()["calendar"] is None
        assert api("DELETE", f"calendars/{pk}").status_code == 204
        assert not Calendar.objects.exists()
        assert told("applicationcalendar") == ["added", "changed"]
        assert told("calendar") == ["added", "changed", "deleted"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"hours": ["moonday 9-5"]}, "hours"),
            ({"hours": []}, "hours"),
            ({"left_out": ["tomorrow"]}, "left_out"),
            ({"name": "\u200b"}, "name"),
            ({"hours": "mon-fri 09:00-20:00"}, "hours"),
        ],
    )
    def test_what_makes_no_sense_is_told(self, api: Api, body: dict[str, Any], field: str) -> None:
        pk = api("POST", "calendars", {"name": "Office", "hours": ["mon-fri 09:00-20:00"]}).json()["id"]
        new = {"name": "Two", "hours": ["mon 09:00-20:00"], **body}

        for answer in (api("PATCH", f"calendars/{pk}", body), api("POST", "calendars", new)):
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
        assert Calendar.objects.get().hours == "mon-fri 09:00-20:00"

    def test_an_application_or_calendar_that_nobody_knows(self, api: Api, application: Application) -> None:
        for body in ({"application": "x", "calendar": None}, {"application": application.app_id, "calendar": "x"}, {}):
            assert api("POST", "application-calendars", body).status_code == 400
        assert not ApplicationCalendar.objects.exists()


class BudgetTests:
    def test_made_changed_and_deleted(self, api: Api, application: Application) -> None:
        asked = {"application": application.app_id, "per": "month", "currency": "USD", "limit": "12.5"}
        made = [api("POST", "budgets", asked, Idempotency_Key="b") for _time in range(2)]
        pk = made[0].json()["id"]
        assert [one.status_code for one in made] == [201, 201]
        assert made[0].json() == made[1].json() == api("GET", f"budgets/{pk}").json()
        taken = api("POST", "budgets", asked).json()
        assert ("already" in taken["detail"], taken["errors"][0]["field"]) == (True, "")  # it is about the whole body

        assert api("PATCH", f"budgets/{pk}", {"limit": 20}).json()["limit"] == "20"
        assert api("DELETE", f"budgets/{pk}").status_code == 204
        assert (Budget.objects.exists(), told("budget")) == (False, ["added", "changed", "deleted"])

    @pytest.mark.parametrize("limit", ["0", "-1", "1.5", "NaN", "1e99", "", None, [], "x", 10**400])
    def test_a_limit_that_makes_no_sense(self, api: Api, application: Application, limit: Any) -> None:
        pk = api("POST", "budgets", {"application": application.app_id, "limit": 100}).json()["id"]
        new = {"application": application.app_id, "per": "month", "limit": limit}

        for answer in (api("PATCH", f"budgets/{pk}", {"limit": limit}), api("POST", "budgets", new)):
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "limit"), answer.content
        assert Budget.objects.get().limit == 100

    def test_an_approver_lifts_the_period_that_was_seen(
        self, api: Api, of_role: Callable[[str], Api], application: Application
    ) -> None:
        shown = api("POST", "budgets", {"application": application.app_id, "limit": 100}).json()
        pk, asked = shown["id"], {"why": "Diwali", "starts_on": shown["starts_on"]}
        assert of_role(OPERATOR)("POST", f"budgets/{pk}/lift", asked).status_code == 403
        approver = of_role(APPROVER)
        late = approver("POST", f"budgets/{pk}/lift", {**asked, "starts_on": "2020-01-01"})
        assert (late.status_code, "new day" in late.json()["detail"]) == (409, True)
        blank = approver("POST", f"budgets/{pk}/lift", {**asked, "why": "\u2800"})
        assert (blank.status_code, blank.json()["errors"][0]["field"]) == (400, "why")
        assert not BudgetCounter.objects.exclude(lifted_at=None).exists()

        for _time in range(2):
            lifted = approver("POST", f"budgets/{pk}/lift", asked)
            assert (lifted.status_code, lifted.json()["is_lifted"]) == (200, True)
        counter = BudgetCounter.objects.get()
        assert (counter.lift_reason, counter.lifted_by.get_username()) == ("Diwali", APPROVER)
        assert told("budget").count("steered") == 1

    def test_what_an_application_has_sent_counts_already(
        self, api: Api, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun: list[Budget] = []
        monkeypatch.setattr(budgets, "begin", begun.append)
        api("POST", "budgets", {"application": application.app_id, "limit": 100})

        assert begun == [Budget.objects.get()]


def test_a_frequency_cap(api: Api, application: Application) -> None:
    made = api("POST", "frequency-caps", {"application": application.app_id, "per_day": 2})
    pk = made.json()["id"]
    assert (made.status_code, made.json()["per_week"]) == (201, None)
    assert api("POST", "frequency-caps", {"application": application.app_id}).status_code == 400
    assert api("PATCH", f"frequency-caps/{pk}", {"per_week": 0}).json()["per_week"] == 0
    for bad in (-1, 2**31, "x", True, 1.5):
        assert api("PATCH", f"frequency-caps/{pk}", {"per_day": bad}).status_code == 400, bad
    assert (FrequencyCap.objects.get().per_day, FrequencyCap.objects.get().per_week) == (2, 0)
    assert len(api("GET", "frequency-caps").json()["items"]) == 1
    assert api("DELETE", f"frequency-caps/{pk}").status_code == 204
    assert (FrequencyCap.objects.exists(), told("frequencycap")) == (False, ["added", "changed", "deleted"])


class PriceTests:
    def test_put_on_the_list_and_changed(self, api: Api) -> None:
        rows = [
            {"country": "in", "price": "0.0031", "currency": "usd"},
            {"country": "GB", "price": 0.05, "currency": "USD"},
        ]
        for _time in range(2):
            assert api("POST", "prices", {"prices": rows}).json() == {"prices": 2}
        api("POST", "prices", {"prices": [{**rows[0], "price": "0.004"}]})
        listed = api("GET", "prices?channel=sms").json()["items"]
        assert [(one["country"], one["price"], one["currency"]) for one in listed] == [
            ("GB", "0.05", "USD"),
            ("IN", "0.004", "USD"),
        ]
        assert told("listprice") == ["added", "added", "changed"]
        assert api("GET", f"prices/{listed[0]['id']}").json() == listed[0]
        assert api("DELETE", f"prices/{listed[0]['id']}").status_code == 204
        assert ListPrice.objects.get().country == "IN"

    @pytest.mark.parametrize(
        "row",
        [
            {"country": "IND"},
            {"country": "UK"},
            {"price": "-1"},
            {"price": "NaN"},
            {"currency": "$"},
            {"channel": "pigeon"},
            {"colour": "red"},
            {"price": "0.0000001"},
        ],
    )
    def test_one_wrong_row_leaves_the_list(self, api: Api, row: dict[str, Any]) -> None:
        good = {"country": "GB", "price": "0.05", "currency": "USD"}
        answer = api("POST", "prices", {"prices": [good, {**good, "country": "IN", **row}]})

        assert answer.status_code == 400
        assert not ListPrice.objects.exists()


def test_approval_limits(api: Api, of_role: Callable[[str], Api]) -> None:
    changed = api("PATCH", "approval-limits", {"recipients": 5000, "cost": "USD 1000, EUR 900"})
    assert changed.json() == {
        "recipients": 5000,
        "cost": "USD 1000, EUR 900",
        "recipients_in_force": 5000,
        "cost_in_force": "USD 1000, EUR 900",
    }
    assert approval_limits.now().recipients == 5000
    tag = api("GET", "approval-limits")["ETag"]
    assert api("PATCH", "approval-limits", {"recipients": None}).json()["recipients"] is None
    assert api("PATCH", "approval-limits", {"cost": ""}, If_Match=tag).status_code == 412
    bad = api("PATCH", "approval-limits", {"cost": "lots"})
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "cost")
    assert told("approvallimits") == ["changed", "changed"]
    assert of_role(APPROVER)("PATCH", "approval-limits", {"recipients": 0}).status_code == 403


@pytest.mark.parametrize(
    "address", ["calendars", "application-calendars", "budgets", "frequency-caps", "prices"], ids=str
)
def test_settings_are_for_administrators(of_role: Callable[[str], Api], address: str) -> None:
    for role in (OPERATOR, APPROVER):
        assert of_role(role)("POST", address, {}).status_code == 403
    assert of_role(ADMINISTRATOR)("POST", address, {}).status_code == 400
