"""Saved reports from a script: kept, changed, sent and deleted as on their page."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.kit.words.people import OPERATOR
from laaffic_console.reports.models import Report, Sending
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db

ASKED = {"name": "Last month", "query": "period=last_month&by=channel", "is_shared": True}


def test_one_is_kept_once_and_asks_what_its_page_would(api: Api) -> None:
    made = [api("POST", "reports", ASKED, Idempotency_Key="a") for _time in range(2)]

    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json() == made[1].json() == api("GET", "reports").json()["items"][0]
    assert (made[0].json()["owner"], made[0].json()["next_at"]) == ("shop", None)
    report = Report.objects.get()
    assert (report.name, report.query, report.is_shared) == ("Last month", "period=last_month&by=channel", True)
    assert AuditEntry.objects.filter(object_kind="reports.report").count() == 1


def test_a_change_leaves_what_it_does_not_say(api: Api, person: User) -> None:
    pk = api("POST", "reports", ASKED).json()["id"]

    changed = api("PATCH", f"reports/{pk}", {"schedule": "weekly", "weekday": 2, "addresses": ["a@example.org"]})

    assert changed.status_code == 200, changed.content
    assert (changed.json()["name"], changed.json()["weekday"]) == ("Last month", 2)
    assert changed.json()["addresses"] == ["a@example.org"]
    assert changed.json()["next_at"] is not None
    assert api("PATCH", f"reports/{pk}", {"schedule": "none"}).json()["next_at"] is None
    assert Report.objects.get().addresses == "a@example.org"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"schedule": "monthly"}, "schedule"),  # to nobody
        ({"addresses": ["nobody"]}, "addresses"),
        ({"users": ["ghost"]}, "users"),
        ({"name": "Other"}, "name"),  # which is there already
    ],
)
def test_what_makes_no_sense_names_its_field(api: Api, asked: dict[str, object], field: str) -> None:
    api("POST", "reports", {**ASKED, "name": "Other"})
    pk = api("POST", "reports", ASKED).json()["id"]

    refused = api("PATCH", f"reports/{pk}", asked)

    assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (400, [field])
    assert "below" not in refused.json()["detail"]  # there is no page
    assert api("GET", f"reports/{pk}").json()["name"] == "Last month"


def test_a_report_that_cannot_be_run_is_not_kept(api: Api) -> None:
    assert api("POST", "reports", {"name": "x", "query": "period=whenever"}).status_code == 400
    assert not Report.objects.exists()


@pytest.mark.parametrize("name", ["country", "person", "campaign"])
def test_a_filter_without_a_value_does_not_mean_everything(api: Api, name: str) -> None:
    refused = api("POST", "reports", {"name": "x", "query": f"period=last_month&{name}="})

    assert (refused.status_code, [one["field"] for one in refused.json()["errors"]]) == (400, ["query"])
    assert f"“{name}” has no value" in refused.json()["detail"]


def test_it_is_sent_once_and_deleted(api: Api) -> None:
    pk = api("POST", "reports", ASKED).json()["id"]

    sent = [api("POST", f"reports/{pk}/send", Idempotency_Key="b") for _time in range(2)]

    assert [answer.status_code for answer in sent] == [202, 202]
    assert Sending.objects.count() == 1
    assert api("GET", f"reports/{pk}").json()["last_sending"]["state"] == "queued"
    deleted = [api("DELETE", f"reports/{pk}", Idempotency_Key="c") for _time in range(2)]
    assert [(answer.status_code, answer.content) for answer in deleted] == [(204, b"")] * 2
    assert not Report.objects.exists()


def test_others_see_what_is_shared_and_change_nothing(api: Api, api_with: Callable[..., Api]) -> None:
    shared, own = (api("POST", "reports", {**ASKED, "name": f"{n}", "is_shared": n == 1}).json()["id"] for n in (1, 2))
    api("PATCH", f"reports/{shared}", {"addresses": ["a@example.org"]})
    user = User.objects.create_user("operator")
    user.groups.add(Group.objects.get(name=OPERATOR))
    other = api_with(user=user)

    assert [(one["id"], one["addresses"]) for one in other("GET", "reports").json()["items"]] == [(shared, [])]
    assert other("GET", f"reports/{own}").status_code == 404
    for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/send")):
        assert other(method, f"reports/{shared}{path}", {} if method == "PATCH" else None).status_code == 403
        assert other(method, f"reports/{own}{path}", {} if method == "PATCH" else None).status_code == 404
    assert Report.objects.count() == 2


def test_a_problem_names_addresses_only_to_who_may_see_them(api: Api, api_with: Callable[..., Api]) -> None:
    pk = api("POST", "reports", ASKED).json()["id"]
    Sending.objects.create(report_id=pk, due_at=timezone.now(), state="failed", problem="a@example.org: no such box")
    user = User.objects.create_user("operator")
    user.groups.add(Group.objects.get(name=OPERATOR))

    seen = {
        who: asked("GET", f"reports/{pk}").json()["last_sending"]["problem"]
        for who, asked in (("owner", api), ("colleague", api_with(user=user)))
    }

    assert seen == {"owner": "a@example.org: no such box", "colleague": ""}


def test_whom_it_is_sent_to_stands_in_who_did_what(api: Api, person: User) -> None:
    pk = api("POST", "reports", ASKED).json()["id"]
    User.objects.filter(pk=person.pk).update(email="shop@example.org", is_staff=True)

    assert api("PATCH", f"reports/{pk}", {"users": ["shop"]}).json()["users"] == ["shop"]

    [entry] = AuditEntry.objects.filter(object_kind="reports.report", kind="changed")
    assert "shop" in str(entry.details)


def test_what_waits_to_be_sent_is_not_sent_twice_and_lists_cost_the_same(api: Api) -> None:
    pks = [api("POST", "reports", {**ASKED, "name": f"{n}"}).json()["id"] for n in range(3)]
    assert [api("POST", f"reports/{pks[0]}/send").status_code for _time in range(2)] == [202, 202]
    assert Sending.objects.count() == 1

    def queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert len(api("GET", f"reports?limit={limit}").json()["items"]) == limit
        return len(asked)

    assert queries(1) == queries(3)
