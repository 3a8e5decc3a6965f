"""What holds the account: seen, asked about and ended from a script."""

import pytest
from django.contrib.auth.models import Group, User

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import AccountHold, Application
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.kit.words.people import APPROVER, OPERATOR
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def hold() -> AccountHold:
    account_hold.place_because("The key is missing.")
    return AccountHold.objects.get()


def test_what_holds_now_and_what_has_ended(api: Api, hold: AccountHold, application: Application) -> None:
    of_one = account_hold.place_for_lost_answers("Answers are lost.", campaign_id=4711)
    account_hold.release(hold.pk, because="Laaffic accepts the credentials.")

    both, now = (api("GET", f"account-holds{query}").json()["items"] for query in ("", "?open=true"))

    assert [one["id"] for one in both] == [of_one.pk, hold.pk]
    assert [(one["id"], one["campaign"], one["code"]) for one in now] == [(of_one.pk, 4711, "lost")]
    assert both[1]["ended_because"] == "Laaffic accepts the credentials."
    assert api("GET", f"account-holds/{hold.pk}").json() == both[1]


def test_one_is_ended_once(api: Api, hold: AccountHold, person: User) -> None:
    answers = [api("POST", f"account-holds/{hold.pk}/end") for _time in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["ended_because"], answers[0].json()["ended_by"]) == ("Ended by a person.", "shop")
    assert not account_hold.is_anything_held()
    assert AuditEntry.objects.filter(object_kind="gateway.accounthold").count() == 1


def test_laaffic_is_asked(api: Api, hold: AccountHold, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answers(held: AccountHold) -> None:
        asked.append(held.pk)
        account_hold.release(held.pk, because="Laaffic accepts the credentials.")

    monkeypatch.setattr(account_hold, "_probe", answers)

    told = api("POST", f"account-holds/{hold.pk}/ask").json()

    assert (asked, told["ended_because"]) == ([hold.pk], "Laaffic accepts the credentials.")
    assert api("POST", f"account-holds/{hold.pk}/ask").status_code == 200
    assert asked == [hold.pk]  # nothing holds any more


def test_only_who_may_end_holds(api_with: object, hold: AccountHold) -> None:
    for role, status in ((OPERATOR, 403), (APPROVER, 200)):
        user = User.objects.create_user(role)
        user.groups.add(Group.objects.get(name=role))
        assert api_with(user=user)("POST", f"account-holds/{hold.pk}/end").status_code == status  # type: ignore[operator]
    assert AccountHold.objects.get().released_by == user
