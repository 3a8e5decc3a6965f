"""Drafts of every kind edited and deleted from a script, by the same services as on their pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache

from laaffic_console.api.models import Scope
from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from laaffic_console.kit.words.people import APPROVER, OPERATOR, VIEWER
from messaging.models import Approval, Calendar, Campaign, ContactGroup, MmsAttachment, Paste
from messaging.services.approvals import approvals
from messaging.services.mms import attachments
from tests.api.conftest import Api
from tests.messaging.conftest import add_contacts
from tests.messaging.mms import attachment_samples as samples

pytestmark = pytest.mark.django_db

DRAFT = {"name": "Spring", "application": "4luaKsL2", "text": "Sale", "groups": ["customers"]}
MANY = [str(919876500000 + n) for n in range(1001)]


@pytest.fixture
def draft(api: Api, application: Application, group: ContactGroup) -> int:
    add_contacts(group, 3)
    made: int = api("POST", "campaigns", DRAFT).json()["id"]
    return made


def seen(api: Api, pk: int) -> str:
    said: str = api("GET", f"campaigns/{pk}").json()["seen"]
    return said


def edit(api: Api, pk: int, **asked: Any) -> Any:
    return api("PATCH", f"campaigns/{pk}", {"seen": seen(api, pk), **asked})


class EditTests:
    def test_what_is_named_changes_and_the_rest_stays(self, api: Api, draft: int) -> None:
        Calendar.objects.create(name="Days", hours="mon-sun 09:00-20:00")
        ContactGroup.objects.create(name="others")
        before = api("GET", f"campaigns/{draft}").json()
        asked = {
            "text": "Big sale",
            "calendar": "Days",
            "not_after": "2040-05-01T10:00:00+00:00",
            "rate_per_second": 5,
            "excluded_groups": ["others"],
            "canary": "10%",
            "canary_wait": 30,
            "error_limit": 0,
            "latest_start_minutes": 90,
        }

        answer = edit(api, draft, **asked)

        assert answer.status_code == 200, answer.content
        after = answer.json()
        assert after == api("GET", f"campaigns/{draft}").json()
        assert {name: after[name] for name in asked} == asked
        assert after["seen"] != before["seen"]
        stays = before.keys() - asked.keys() - {"seen"}
        assert {name: after[name] for name in stays} == {name: before[name] for name in stays}

    def test_null_takes_away(self, api: Api, draft: int) -> None:
        edit(api, draft, rate_per_second=5, scheduled_at="2040-05-01T10:00:00Z", canary="10%", canary_least=90)
        edit(api, draft, rate_per_second=None, scheduled_at=None, canary_least=None, groups=[])

        kept = Campaign.objects.get()
        assert (kept.rate_per_second, kept.scheduled_at, kept.canary_least) == (None, None, 80)
        assert not kept.groups.exists()

    def test_who_has_not_seen_an_edit_replaces_nothing(self, api: Api, draft: int) -> None:
        stale = seen(api, draft)
        edit(api, draft, text="Theirs")

        refused = api("PATCH", f"campaigns/{draft}", {"seen": stale, "text": "Ours"})

        assert (refused.status_code, Campaign.objects.get().text) == (409, "Theirs")
        assert "GET it again" in refused.json()["detail"]
        assert api("PATCH", f"campaigns/{draft}", {"text": "Ours"}).status_code == 400

    @pytest.mark.parametrize("change", [{"groups": ["others"]}, {"to": ["919876543210"]}, {"name": "Summer"}])
    def test_each_edit_is_one_that_has_to_be_seen(self, api: Api, draft: int, change: Any) -> None:
        ContactGroup.objects.create(name="others")
        stale = seen(api, draft)
        assert edit(api, draft, **change).status_code == 200

        assert api("PATCH", f"campaigns/{draft}", {"seen": stale, "text": "Ours"}).status_code == 409

    def test_groups_of_its_own_can_be_kept(self, api: Api, draft: int) -> None:
        """Such as the recipients of the campaign before: given back as they were shown."""
        own = ContactGroup.objects.create(name="Recipients of Spring", is_ad_hoc=True)
        Campaign.objects.get().excluded_groups.add(own)
        ContactGroup.objects.create(name="others")
        names = ["Recipients of Spring", "others"]

        assert sorted(edit(api, draft, excluded_groups=names).json()["excluded_groups"]) == names
        assert edit(api, draft, groups=["Recipients of Spring"]).status_code == 400

    def test_an_old_tag_neither_edits_nor_deletes(self, api: Api, draft: int) -> None:
        tag = api("GET", f"campaigns/{draft}")["ETag"]
        edit(api, draft, text="Theirs")

        stale = [
            api("PATCH", f"campaigns/{draft}", {"seen": seen(api, draft), "text": "Ours"}, If_Match=tag),
            api("DELETE", f"campaigns/{draft}", If_Match=tag),
        ]

        assert [one.status_code for one in stale] == [412, 412]
        assert Campaign.objects.get().text == "Theirs"
        tag = api("GET", f"campaigns/{draft}")["ETag"]
        gone = [api("DELETE", f"campaigns/{draft}", If_Match=tag, Idempotency_Key="a") for _time in range(2)]
        assert [one.status_code for one in gone] == [204, 204]

    def test_what_is_deleted_in_this_moment_is_not_there(
        self, api: Api, draft: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kept = Campaign.objects.get()
        asked = {"seen": seen(api, draft), "text": "Ours"}
        Campaign.objects.all().delete()
        monkeypatch.setattr("laaffic_console.api.campaigns.changing.row", lambda _rows, _pk: kept)

        assert api("PATCH", f"campaigns/{draft}", asked).status_code == 404

    def test_repeated_it_changes_nothing_and_says_the_same(self, api: Api, draft: int) -> None:
        asked = {"seen": seen(api, draft), "text": "Big sale", "to": ["+91 98765 43210"], "groups": ["customers"]}
        once = api("PATCH", f"campaigns/{draft}", asked)
        events = Campaign.objects.get().events.count()

        again = api("PATCH", f"campaigns/{draft}", asked)

        assert (again.status_code, again.json()) == (200, once.json())
        assert Campaign.objects.get().events.count() == events
        assert AuditEntry.objects.filter(kind="changed", object_kind="messaging.campaign").count() == 1

    @pytest.mark.parametrize("change", [{"text": "a\r\nb\u200b"}, {"sender_id": ""}, {"to": []}, {"calendar": None}])
    def test_however_it_is_stored(self, api: Api, draft: int, change: Any) -> None:
        Campaign.objects.update(sender_id="OTHER", extra_numbers=["919876543210"])
        asked = {"seen": seen(api, draft), **change}
        answers = [api("PATCH", f"campaigns/{draft}", asked) for _time in range(2)]

        assert [answer.status_code for answer in answers] == [200, 200], answers[1].content
        assert answers[0].json() == answers[1].json()

    def test_who_did_what_begins_with_the_draft(self, api: Api, draft: int) -> None:
        edit(api, draft, text="Big sale")

        kept = AuditEntry.objects.filter(object_id=str(draft)).order_by("pk").values_list("kind", "person")
        assert list(kept) == [("added", "shop"), ("changed", "shop")]

    def test_with_a_key_the_first_answer_stays(self, api: Api, draft: int) -> None:
        asked = {"seen": seen(api, draft), "text": "Big sale"}
        answers = [api("PATCH", f"campaigns/{draft}", asked, Idempotency_Key="a").json() for _time in range(2)]
        edit(api, draft, text="Later")

        assert api("PATCH", f"campaigns/{draft}", asked, Idempotency_Key="a").json() == answers[0] == answers[1]
        assert Campaign.objects.get().text == "Later"
        other = api("PATCH", f"campaigns/{draft}", {**asked, "text": "x"}, Idempotency_Key="a")
        assert other.status_code == 409

    def test_numbers_are_replaced_or_taken_out(self, api: Api, draft: int) -> None:
        assert edit(api, draft, to=["+91 98765 43210"]).json()["numbers"] == 1
        assert edit(api, draft, to=MANY).json()["numbers"] == 1001
        assert Campaign.objects.get().extra_numbers == []
        edit(api, draft, to=list(reversed(MANY)))
        assert Paste.objects.count() == 1  # the same ones: nothing to read anew, and no approval is void
        assert edit(api, draft, text="Hi").json()["numbers"] == 1001
        assert edit(api, draft, to=[]).json()["numbers"] == 0
        refused = edit(api, draft, to=["12"])
        assert refused.status_code == 400
        assert "Number 1 of “to” is invalid" in refused.json()["detail"]

    def test_no_number_stands_in_what_is_kept_about_it(self, api: Api, draft: int) -> None:
        edit(api, draft, to=["919876543210"])
        edit(api, draft, to=["919876543211", "919876543212"])

        told = [entry.summary["changes"] for entry in AuditEntry.objects.filter(kind="changed")]
        assert [[row[1:] for row in rows] for rows in told] == [[["1", "2"]], [["0", "1"]]]

    def test_what_was_launched_stays_as_it_was(self, api: Api, draft: int) -> None:
        stale = seen(api, draft)
        api("POST", f"campaigns/{draft}/launch", {})

        refused = api("PATCH", f"campaigns/{draft}", {"seen": stale, "text": "Ours"})

        assert (refused.status_code, Campaign.objects.get().text) == (409, "Sale")
        assert "cannot be edited" in refused.json()["detail"]

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"text": ""}, "text"),
            ({"text": "{{nothing_has_it}}"}, "text"),
            ({"name": None}, "name"),
            ({"canary_wait": 30}, "canary_wait"),
            ({"canary": "many"}, "canary"),
            ({"scheduled_at": "2040-04-01T09:00:00Z", "not_after": "2040-03-01T00:00:00Z"}, "not_after"),
            ({"rate_per_second": 10**12}, "rate_per_second"),
            ({"error_limit": -1}, "error_limit"),
            ({"to": "919876543210"}, "to"),
            ({"attachments": [1]}, "attachments"),
            ({"language": "EN"}, "language"),
            ({"seen": 5.5}, ""),
        ],
    )
    def test_what_is_wrong_names_its_field(self, api: Api, draft: int, change: Any, field: str) -> None:
        before = Campaign.objects.values().get()

        answer = edit(api, draft, **({"text": "x"} | change))

        assert answer.status_code == (400 if field else 409), answer.content
        assert [one["field"] for one in answer.json().get("errors", [])] == ([field] if field else [])
        assert Campaign.objects.values().get() == before

    def test_names_that_nothing_has(self, api: Api, draft: int) -> None:
        Application.objects.create(app_id="voiceApp", channel="voice")
        for change in ({"groups": ["x"]}, {"audiences": ["x"]}, {"calendar": "x"}, {"application": "x"}):
            assert edit(api, draft, **change).status_code == 400
        assert "application" in edit(api, draft, application="voiceApp").json()["errors"][0]["field"]
        for pk in (draft + 1, 2**70):
            assert api("PATCH", f"campaigns/{pk}", {"seen": "x"}).status_code == 404

    def test_an_approval_of_it_is_void(self, api: Api, draft: int, person: User, settings: Any) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
        approvals.ask(draft, by=person)

        edit(api, draft, text="Another")

        assert Approval.objects.get().outcome == Approval.Outcome.VOID

    def test_who_edits_it_may_not_approve_it(self, api: Api, draft: int, person: User) -> None:
        Campaign.objects.update(created_by=None)
        Campaign.objects.get().authors.clear()

        edit(api, draft, text="Another")

        assert approvals.is_author(Campaign.objects.get(), person)


class OtherKindTests:
    @pytest.fixture
    def picture(self, db: None) -> MmsAttachment:
        return attachments.add(samples.picture(), "beach.png")[0]

    def test_an_mms(self, api: Api, application: Application, group: ContactGroup, picture: MmsAttachment) -> None:
        made = api("POST", "mms", {**DRAFT, "title": "Sea", "random_title": True, "attachments": [picture.pk]}).json()
        assert made["options"] == {"title": "Sea", "random_title": True, "attachments": [picture.pk]}

        changed = edit(api, made["id"], title="Lake", sender_id="BEACH").json()

        assert changed["options"] == {**made["options"], "title": "Lake"}
        assert changed["sender_id"] == "BEACH"
        refused = edit(api, made["id"], attachments=[picture.pk + 1])
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "attachments")
        assert edit(api, made["id"], language="EN").status_code == 400

    def test_attachments_want_the_right_to_see_them(
        self, api: Api, api_with: Callable[..., Api], application: Application, group: ContactGroup, picture: Any
    ) -> None:
        pk = api("POST", "mms", {**DRAFT, "title": "Sea", "attachments": [picture.pk]}).json()["id"]
        somebody = User.objects.create_user("somebody")
        for right in ("view_campaign", "change_campaign"):
            somebody.user_permissions.add(_permission(right))
        cache.clear()

        answer = api_with(user=somebody)(
            "PATCH", f"campaigns/{pk}", {"seen": seen(api, pk), "attachments": [picture.pk]}
        )

        assert answer.status_code == 403

    def test_a_spoken_message(self, api: Api, group: ContactGroup) -> None:
        Application.objects.create(app_id="voiceApp", channel="voice")
        asked = {**DRAFT, "application": "voiceApp", "gender": "female", "speed": 0.9, "longest_seconds": 60}
        made = api("POST", "spoken-messages", asked).json()
        assert made["options"] | {"gender": "female", "speed": 0.9, "longest_seconds": 60} == made["options"]

        changed = edit(api, made["id"], language="hi", gender=None, longest_seconds=None, times=2).json()

        expected = {"language": "HI", "gender": None, "longest_seconds": None, "times": 2}
        assert changed["options"] == {**made["options"], **expected}
        assert edit(api, made["id"], language_code="sw").json()["options"]["language"] == "SW"
        for wrong in ({"sender_id": "SHOP"}, {"title": "x"}, {"display_number": "12"}, {"language": "xx"}):
            refused = edit(api, made["id"], **wrong)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, next(iter(wrong)))


def _permission(codename: str) -> Any:
    return Permission.objects.get(codename=codename)


class DeleteTests:
    def test_a_draft_is_deleted_once(self, api: Api, draft: int, person: User) -> None:
        approvals.ask(draft, by=person)
        answers = [api("DELETE", f"campaigns/{draft}", Idempotency_Key="a") for _time in range(2)]

        assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
        assert not Campaign.objects.exists()
        assert api("DELETE", f"campaigns/{draft}").status_code == 404
        entry = AuditEntry.objects.get(kind="deleted")
        assert (entry.object_label, entry.object_id, entry.person) == ("Spring", str(draft), "shop")

    def test_what_was_launched_stays(self, api: Api, draft: int) -> None:
        api("POST", f"campaigns/{draft}/launch", {})

        refused = api("DELETE", f"campaigns/{draft}")

        assert (refused.status_code, Campaign.objects.count()) == (409, 1)
        assert "cannot be deleted" in refused.json()["detail"]
        assert not AuditEntry.objects.filter(kind="deleted").exists()

    @pytest.mark.parametrize(("role", "may"), [("", False), (VIEWER, False), (APPROVER, False), (OPERATOR, True)])
    def test_who_may(self, api: Api, api_with: Callable[..., Api], draft: int, role: str, may: bool) -> None:
        user = User.objects.create_user("one")
        if role:
            user.groups.add(Group.objects.get(name=role))
        cache.clear()
        theirs = api_with(user=user)

        edited = theirs("PATCH", f"campaigns/{draft}", {"seen": seen(api, draft), "text": "Theirs"})
        deleted = theirs("DELETE", f"campaigns/{draft}")

        assert (edited.status_code, deleted.status_code) == ((200, 204) if may else (403, 403))

    def test_a_token_to_read_changes_nothing(self, api_with: Callable[..., Api], draft: int) -> None:
        reads = api_with(scopes=[Scope.READ])

        assert [reads(method, f"campaigns/{draft}", {}).status_code for method in ("PATCH", "DELETE")] == [403, 403]
