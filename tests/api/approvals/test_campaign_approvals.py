"""A second person's word from a script: bound to what was seen, and never one's own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache

from laaffic_console.gateway.models import Application
from laaffic_console.kit.words.people import APPROVER, OPERATOR
from messaging.models import Approval, Campaign, ContactGroup, EmailCampaign
from messaging.services.audience import audience_counts
from tests.api.conftest import Api
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 10.0)  # on a busy machine a page may not count to the end
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 2


@pytest.fixture
def bob(api: Api, api_with: Callable[..., Api]) -> Api:
    return api_with(user=User.objects.create_superuser("bob"))


@pytest.fixture
def draft(api: Api, application: Application, group: ContactGroup) -> int:
    add_contacts(group, 3)
    asked = {"name": "Spring", "application": "4luaKsL2", "text": "Sale", "groups": ["customers"]}
    made: int = api("POST", "campaigns", asked).json()["id"]
    return made


@pytest.fixture
def asked(api: Api, draft: int) -> dict[str, Any]:
    answer = api("POST", f"campaigns/{draft}/approval/ask", {"note": "for Friday"})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_asked_for_approved_and_launched(api: Api, bob: Api, draft: int, asked: dict[str, Any]) -> None:
    assert (asked["outcome"], asked["recipients"], asked["asked_by"], asked["asked_note"]) == (
        *("asked", 3, "shop", "for Friday"),
    )
    assert api("POST", f"campaigns/{draft}/launch", {}).status_code == 409
    stands = bob("GET", f"campaigns/{draft}/approval").json()
    assert (bool(stands["needed"]), bool(stands["missing"]), stands["approval"]) == (True, True, asked)

    given = bob("POST", f"campaigns/{draft}/approval/approve", {"seen": stands["approval"]["seen"]})

    assert (given.status_code, given.json()["outcome"], given.json()["decided_by"]) == (200, "approved", "bob")
    assert bob("GET", f"campaigns/{draft}/approval").json()["missing"] == ""
    assert api("POST", f"campaigns/{draft}/launch", {}).json()["state"] == "running"
    assert bob("GET", f"campaigns/{draft}/approval").json() == {
        "id": draft,
        "needed": "",
        "missing": "",
        "approval": given.json(),
    }


def test_withdrawn_once_by_whoever_may_launch(api: Api, bob: Api, draft: int, asked: dict[str, Any]) -> None:
    other = bob("POST", f"campaigns/{draft}/approval/withdraw", {"seen": f"{asked['seen']}0"})
    assert (other.status_code, Approval.objects.get().outcome) == (409, "asked")

    taken = [bob("POST", f"campaigns/{draft}/approval/withdraw", {"seen": asked["seen"]}) for _time in range(2)]

    assert [(one.status_code, one.json()["id"], one.json()["outcome"]) for one in taken] == [
        (200, asked["id"], "withdrawn")
    ] * 2
    assert taken[0].json()["decided_by"] == "bob"
    assert bob("POST", f"campaigns/{draft}/approval/approve", {"seen": asked["seen"]}).status_code == 409
    assert api("POST", f"campaigns/{draft}/approval/withdraw").status_code == 409
    again = api("POST", f"campaigns/{draft}/approval/ask", {}).json()
    assert bob("POST", f"campaigns/{draft}/approval/withdraw", {"seen": asked["seen"]}).status_code == 409
    assert bob("POST", f"campaigns/{draft}/approval/withdraw").json()["id"] == again["id"]
    assert bob("POST", f"campaigns/{draft}/approval/withdraw", {"seen": asked["seen"]}).status_code == 409


def test_where_one_person_is_enough(api: Api, draft: int, settings: LazySettings) -> None:
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 0

    assert api("GET", f"campaigns/{draft}/approval").json() == {
        "id": draft,
        "needed": "",
        "missing": "",
        "approval": None,
    }


@pytest.mark.parametrize("verb", ["approve", "refuse"])
def test_nobody_decides_what_they_asked_for(api: Api, draft: int, asked: dict[str, Any], verb: str) -> None:
    refused = api("POST", f"campaigns/{draft}/approval/{verb}", {"seen": asked["seen"], "note": "fine"})

    assert refused.status_code == 409
    assert "another person" in refused.json()["detail"]
    assert Approval.objects.get().outcome == "asked"


def test_nobody_approves_what_they_wrote(api: Api, bob: Api, draft: int) -> None:
    theirs = bob("POST", f"campaigns/{draft}/approval/ask", {}).json()

    refused = api("POST", f"campaigns/{draft}/approval/approve", {"seen": theirs["seen"]})

    assert (refused.status_code, Approval.objects.get().outcome) == (409, "asked")
    assert "You wrote this" in refused.json()["detail"]


@pytest.mark.parametrize("seen", ["x", "1", "-", "99999999999999999999999-ab", "²-x"])
def test_only_what_was_seen_is_decided(api: Api, bob: Api, draft: int, asked: dict[str, Any], seen: str) -> None:
    for verb in ("approve", "refuse"):
        refused = bob("POST", f"campaigns/{draft}/approval/{verb}", {"seen": seen, "note": "no"})
        assert refused.status_code == 409, refused.content
    assert Approval.objects.get().outcome == "asked"


def test_what_was_asked_for_anew_has_to_be_seen_anew(api: Api, bob: Api, draft: int, asked: dict[str, Any]) -> None:
    seen = api("GET", f"campaigns/{draft}").json()["seen"]
    api("PATCH", f"campaigns/{draft}", {"seen": seen, "text": "Another"})
    again = api("POST", f"campaigns/{draft}/approval/ask", {}).json()

    refused = bob("POST", f"campaigns/{draft}/approval/approve", {"seen": asked["seen"]})

    assert refused.status_code == 409
    assert Approval.objects.get(pk=again["id"]).outcome == "asked"
    assert bob("POST", f"campaigns/{draft}/approval/approve", {"seen": again["seen"]}).status_code == 200


def test_what_has_changed_since_is_not_approved(
    api: Api, bob: Api, draft: int, asked: dict[str, Any], group: ContactGroup
) -> None:
    add_contacts(group, 1, first=919800000000)

    refused = bob("POST", f"campaigns/{draft}/approval/approve", {"seen": asked["seen"]})

    assert (refused.status_code, Approval.objects.get().outcome) == (409, "asked")
    assert "changed since approval was asked for" in refused.json()["detail"]


def test_a_refusal_says_why(api: Api, bob: Api, draft: int, asked: dict[str, Any]) -> None:
    assert bob("POST", f"campaigns/{draft}/approval/refuse", {"seen": asked["seen"], "note": " "}).status_code == 400

    given = bob("POST", f"campaigns/{draft}/approval/refuse", {"seen": asked["seen"], "note": "too many"})

    assert (given.json()["outcome"], given.json()["note"]) == ("refused", "too many")
    assert "too many" in api("GET", f"campaigns/{draft}/approval").json()["missing"]


class RepeatedTests:
    def test_asking(self, api: Api, draft: int, asked: dict[str, Any]) -> None:
        again = api("POST", f"campaigns/{draft}/approval/ask", {"note": "for Friday"})

        assert (again.status_code, again.json()) == (200, asked)
        assert Approval.objects.count() == 1

    @pytest.mark.parametrize(("verb", "events"), [("approve", 1), ("refuse", 1)])
    def test_deciding(self, api: Api, bob: Api, draft: int, asked: dict[str, Any], verb: str, events: int) -> None:
        word = {"seen": asked["seen"], "note": "so"}
        before = Campaign.objects.get().events.count()
        answers = [bob("POST", f"campaigns/{draft}/approval/{verb}", word) for _time in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        assert Campaign.objects.get().events.count() == before + events
        other = {"approve": "refuse", "refuse": "approve"}[verb]
        assert bob("POST", f"campaigns/{draft}/approval/{other}", word).status_code == 409

    def test_after_the_launch(self, api: Api, bob: Api, draft: int, asked: dict[str, Any]) -> None:
        word = {"seen": asked["seen"]}
        once = bob("POST", f"campaigns/{draft}/approval/approve", word)
        api("POST", f"campaigns/{draft}/launch", {})

        assert bob("POST", f"campaigns/{draft}/approval/approve", word).json() == once.json()

    def test_another_persons_word_is_not_ones_own(
        self, bob: Api, api_with: Callable[..., Api], draft: int, asked: dict[str, Any]
    ) -> None:
        bob("POST", f"campaigns/{draft}/approval/approve", {"seen": asked["seen"]})
        carol = api_with(user=User.objects.create_superuser("carol"))

        assert carol("POST", f"campaigns/{draft}/approval/approve", {"seen": asked["seen"]}).status_code == 409


class ListTests:
    def test_what_waits_for_whom(self, api: Api, bob: Api, draft: int, asked: dict[str, Any]) -> None:
        def waiting(who: Api) -> list[int]:
            return [one["id"] for one in who("GET", "approvals?waits_for_me=true").json()["items"]]

        assert (waiting(api), waiting(bob)) == ([], [asked["id"]])
        [row] = bob("GET", "approvals?outcome=asked").json()["items"]
        assert row == asked
        assert (row["kind"], row["draft"], row["name"]) == ("campaigns", draft, "Spring")
        assert row["draft_kind"] == "campaign"  # as webhooks say it
        bob("POST", f"campaigns/{draft}/approval/approve", {"seen": row["seen"]})
        assert waiting(bob) == []
        assert bob("GET", "approvals?outcome=asked").json()["items"] == []

    def test_only_kinds_that_one_may_see(
        self, api: Api, api_with: Callable[..., Api], asked: dict[str, Any], person: User
    ) -> None:
        app = Application.objects.create(app_id="mail", channel="email")
        mail = EmailCampaign.objects.create(name="News", application=app)
        Approval.objects.create(email_campaign=mail, asked_by=person, bound_to={})
        assert [row["kind"] for row in api("GET", "approvals").json()["items"]] == ["email-campaigns", "campaigns"]
        somebody = User.objects.create_user("somebody")
        somebody.user_permissions.add(*Permission.objects.filter(codename__in=["view_approval", "view_campaign"]))
        cache.clear()

        assert [row["kind"] for row in api_with(user=somebody)("GET", "approvals").json()["items"]] == ["campaigns"]


@pytest.mark.parametrize(("role", "asks", "decides"), [(OPERATOR, True, False), (APPROVER, False, True)])
def test_who_may(
    api_with: Callable[..., Api], draft: int, asked: dict[str, Any], role: str, asks: bool, decides: bool
) -> None:
    user = User.objects.create_user("one")
    user.groups.add(Group.objects.get(name=role))
    cache.clear()
    theirs = api_with(user=user)

    decided = theirs("POST", f"campaigns/{draft}/approval/refuse", {"seen": asked["seen"], "note": "no"})
    then = theirs("POST", f"campaigns/{draft}/approval/ask", {})

    assert (decided.status_code, then.status_code) == (200 if decides else 403, 200 if asks else 403)
