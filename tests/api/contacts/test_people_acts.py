"""What is done to people from a script: allowed again, changed, put into groups, taken back with a file, erased."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile

from laaffic_console.api.models import RepeatableRequest
from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from messaging.models import (
    Audience,
    Campaign,
    Contact,
    ContactGroup,
    ContactImport,
    Erasure,
    Reply,
    SuppressionEntry,
    SuppressionRelease,
)
from messaging.services.contacts import suppression
from messaging.services.imports import files, imports
from messaging.services.imports import undo as import_undo
from messaging.services.saved_audiences import audiences
from tests.api.conftest import Api
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

NUMBER = "919876543210"


def user_with(*codenames: str) -> User:
    user = User.objects.create_user("clerk")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def told(kind: str) -> list[str]:
    rows = AuditEntry.objects.filter(object_kind=f"messaging.{kind}").order_by("pk")
    return list(rows.values_list("kind", flat=True))


class SuppressionTests:
    def test_allowed_again_with_a_reason_once(self, api: Api, api_with: Callable[..., Api]) -> None:
        api("POST", "suppression", {"to": [NUMBER], "channel": "sms", "reason": "complaint", "note": "by phone"})
        api("POST", "suppression", {"to": [NUMBER], "channel": "email"})
        pk = SuppressionEntry.objects.get(channel="sms").pk
        entry = api("GET", f"suppression/{pk}").json()
        assert (entry["reason"], entry["note"], entry["number"]) == ("complaint", "by phone", NUMBER)
        assert api("POST", f"suppression/{pk}/allow-again", {"why": " "}).status_code == 400
        assert api("POST", f"suppression/{pk}/allow-again", {"why": "\u2800"}).json()["errors"][0]["field"] == "why"

        asked = {"why": "asked to be put back"}
        answers = [api("POST", f"suppression/{pk}/allow-again", asked, Idempotency_Key="a") for _time in range(2)]

        assert [(one.status_code, one.json()) for one in answers] == 2 * [(200, {"allowed": 1, "still_there": 1})]
        assert SuppressionRelease.objects.get().why == "asked to be put back"
        assert SuppressionEntry.objects.get().channel == "email"
        assert api("POST", f"suppression/{pk}/allow-again", asked).status_code == 404

    def test_only_who_may_take_them_off(self, api: Api, api_with: Callable[..., Api]) -> None:
        api("POST", "suppression", {"to": [NUMBER]})
        pk = SuppressionEntry.objects.get().pk
        clerk = api_with(user=user_with("view_suppressionentry", "add_suppressionentry", "change_suppressionentry"))

        assert clerk("GET", f"suppression/{pk}").json()["number"] == "9198•••••210"
        assert clerk("POST", f"suppression/{pk}/allow-again", {"why": "x"}).status_code == 403
        assert SuppressionEntry.objects.exists()

    def test_national_numbers_where_their_country_is_said(self, api: Api) -> None:
        answer = api("POST", "suppression", {"to": ["098765 43210", "12"], "region": "in"})

        assert (answer.json()["added"], answer.json()["invalid"][0]["position"]) == (1, 1)
        assert SuppressionEntry.objects.get().number == NUMBER
        assert api("POST", "suppression", {"to": [NUMBER], "region": "XX"}).status_code == 400
        assert api("POST", "suppression", {"to": [NUMBER], "reason": "whim"}).status_code == 400


class ContactTests:
    @pytest.fixture
    def pk(self, group: ContactGroup) -> int:
        [made] = add_contacts(group, 1, first=int(NUMBER), name="Asha K", attributes={"first_name": "Asha", "a": "1"})
        return int(made.pk)

    def test_what_is_left_out_stays(self, api: Api, pk: int, group: ContactGroup) -> None:
        ContactGroup.objects.create(name="gold")
        before = api("GET", f"contacts/{pk}").json()
        answer = api("PATCH", f"contacts/{pk}", {"email": "asha@example.org", "groups": ["gold"]}, Idempotency_Key="a")

        changed = {"email": "asha@example.org", "groups": ["gold"], "erased_before": False}
        assert answer.json() == {**before, **changed}
        assert [one.name for one in Contact.objects.get().groups.all()] == ["gold"]
        assert told("contact") == ["changed", "changed"]
        api("PATCH", f"contacts/{pk}", {"email": "asha@example.org", "groups": ["gold"]})
        assert told("contact") == ["changed", "changed"]

    def test_a_language_is_kept_as_conditions_ask_for_it(self, api: Api, pk: int) -> None:
        assert api("PATCH", f"contacts/{pk}", {"language": "English"}).json()["language"] == "en"
        assert api("POST", "contacts", {"number": NUMBER, "language": "Deutsch"}).json()["language"] == "de"
        assert api("POST", "contacts", {"number": NUMBER, "language": "Pirate"}).json()["language"] == "Pirate"

    def test_what_a_post_leaves_empty_erases_nothing(self, api: Api) -> None:
        known = {"number": "919876500000", "name": "Asha", "attributes": {"city": "Pune", "firm": "Kite"}}
        pk = api("POST", "contacts", known).json()["id"]

        api("POST", "contacts", {"number": "919876500000", "name": "", "attributes": {"city": "", "zip": ""}})
        contact = Contact.objects.get(pk=pk)
        assert (contact.name, contact.attributes) == ("Asha", {"city": "Pune", "firm": "Kite"})

        api("PATCH", f"contacts/{pk}", {"attributes": {"firm": ""}})  # which are all of them, as it says
        contact.refresh_from_db()
        assert contact.attributes == {"firm": ""}

    def test_a_number_brings_what_it_tells(self, api: Api, pk: int) -> None:
        Contact.objects.create(number="919876500000")
        assert api("PATCH", f"contacts/{pk}", {"number": "+44 7400 123456"}).json()["country"] == "GB"
        assert Contact.objects.get(pk=pk).time_zones.endswith("Europe/London")

        taken = api("PATCH", f"contacts/{pk}", {"number": "919876500000"})
        assert (taken.status_code, taken.json()["errors"][0]["field"]) == (400, "number")
        assert Contact.objects.get(pk=pk).number == "447400123456"

    def test_it_is_told_of_a_person_who_was_erased_before(self, api: Api, pk: int) -> None:
        for number in ("447400123456", "919876500000"):
            assert api("POST", "persons/erase", {"number": number, "why": "asked"}).status_code == 200

        changed = [api("PATCH", f"contacts/{pk}", {"number": "447400123456"}) for _time in range(2)]
        added = [api("POST", "contacts", {"number": "919876500000"}, Idempotency_Key="a") for _time in range(2)]
        added.append(api("POST", "contacts", {"number": "919876500000", "name": "Asha"}))

        assert [one.json()["erased_before"] for one in changed] == [True, False]
        assert [one.json()["erased_before"] for one in added] == [True, True, False]

    def test_a_first_name_goes_with_its_name(self, api: Api, pk: int) -> None:
        assert api("PATCH", f"contacts/{pk}", {"name": "Asha M"}).json()["attributes"] == {
            "first_name": "Asha",
            "a": "1",
        }
        assert api("PATCH", f"contacts/{pk}", {"name": "Ravi"}).json()["attributes"] == {"a": "1"}
        asked = {"attributes": {"first_name": "Asha", "b": "2"}}
        assert api("PATCH", f"contacts/{pk}", asked).json()["attributes"] == asked["attributes"]

    def test_a_first_name_stays_with_a_name_that_nobody_changes(self, api: Api, pk: int) -> None:
        Contact.objects.update(name="K Asha")  # the family name first

        for asked in ({}, {"language": "hu"}, {"name": "K Asha"}):
            assert api("PATCH", f"contacts/{pk}", asked).json()["attributes"] == {"first_name": "Asha", "a": "1"}

    def test_groups_are_seen_and_not_overwritten(self, api: Api, pk: int, group: ContactGroup) -> None:
        ContactGroup.objects.create(name="gold")
        looked = api("GET", f"contacts/{pk}")
        assert looked.json()["groups"] == [group.name]
        api("PATCH", f"contacts/{pk}", {"groups": [group.name, "gold"]})

        stale = api("PATCH", f"contacts/{pk}", {"groups": []}, If_Match=looked["ETag"])

        assert (stale.status_code, Contact.objects.get().groups.count()) == (412, 2)

    def test_what_was_changed_meanwhile_is_not_overwritten(self, api: Api, pk: int) -> None:
        tag = api("GET", f"contacts/{pk}")["ETag"]
        assert api("PATCH", f"contacts/{pk}", {"language": "en"}, If_Match=tag).status_code == 200

        for method, body in (("PATCH", {"language": "hi"}), ("DELETE", None)):
            stale = api(method, f"contacts/{pk}", body, If_Match=tag)
            assert (stale.status_code, stale.json()["title"]) == (412, "Precondition failed")
        assert Contact.objects.get().language == "en"
        assert api("PATCH", f"contacts/{pk}", {"language": "hi"}, If_Match="*").status_code == 200

    @pytest.mark.parametrize(
        "body",
        [
            {"number": "12"},
            {"email": "nobody"},
            {"attributes": {"a b": "x"}},
            {"attributes": {"name": "x"}},
            {"attributes": []},
            {"groups": ["nobody"]},
            {"name": None},
            {"colour": "red"},
            "[]",
            "{",
        ],
    )
    def test_what_makes_no_sense_changes_nothing(self, api: Api, pk: int, body: Any) -> None:
        before = Contact.objects.values().get()

        assert api("PATCH", f"contacts/{pk}", body).status_code == 400
        assert Contact.objects.values().get() == before

    def test_deleted_once_with_a_key(self, api: Api, pk: int) -> None:
        answers = [api("DELETE", f"contacts/{pk}", Idempotency_Key="d") for _time in range(2)]

        assert [(one.status_code, one.content) for one in answers] == [(204, b""), (204, b"")]
        assert not Contact.objects.exists()
        assert (told("contact"), api("DELETE", f"contacts/{pk}").status_code) == (["deleted"], 404)

    def test_who_may_and_who_may_not(self, api: Api, api_with: Callable[..., Api], pk: int) -> None:
        clerk = user_with("view_contact", "change_contact")
        assert api_with(user=clerk)("PATCH", f"contacts/{pk}", {"name": "x"}).status_code == 403  # sees no whole number
        assert api_with(user=clerk)("DELETE", f"contacts/{pk}").status_code == 403
        assert api_with(scopes=["read", "send"])("DELETE", f"contacts/{pk}").status_code == 403
        assert Contact.objects.get().name == "Asha K"


class GroupTests:
    def test_renamed_and_deleted_unless_it_is_used(
        self, api: Api, group: ContactGroup, application: Application
    ) -> None:
        assert api("GET", f"groups/{group.pk}").json()["name"] == "customers"
        assert api("PATCH", f"groups/{group.pk}", {"name": "people"}).json()["name"] == "people"
        ContactGroup.objects.create(name="gold")
        assert api("PATCH", f"groups/{group.pk}", {"name": "gold"}).json()["errors"][0]["field"] == "name"
        draft = Campaign.objects.create(name="Diwali", application=application, text="x")
        draft.groups.add(group)

        kept = api("DELETE", f"groups/{group.pk}")
        assert (kept.status_code, "used by “Diwali”" in kept.json()["detail"]) == (409, True)
        draft.delete()
        add_contacts(group, 2)
        assert api("DELETE", f"groups/{group.pk}").status_code == 204
        assert (Contact.objects.count(), told("contactgroup")) == (2, ["changed", "deleted"])

    def test_one_made_for_one_message_is_not_there(self, api: Api) -> None:
        hidden = ContactGroup.objects.create(name="x", is_ad_hoc=True)

        assert {api(method, f"groups/{hidden.pk}").status_code for method in ("GET", "DELETE")} == {404}
        assert api("PATCH", f"groups/{hidden.pk}", {"name": "y"}).status_code == 404

    def test_contacts_in_and_out(self, api: Api, api_with: Callable[..., Api], group: ContactGroup) -> None:
        gold = ContactGroup.objects.create(name="gold")
        ids = [one.pk for one in add_contacts(group, 3)]
        for _time in range(2):
            assert api("POST", f"groups/{gold.pk}/add", {"contacts": ids}).json() == {"contacts": 3}
        assert gold.contacts.count() == 3
        missing = api("POST", f"groups/{gold.pk}/remove", {"contacts": [ids[0], 4711]})
        assert (missing.status_code, gold.contacts.count()) == (404, 3)
        assert api("POST", f"groups/{gold.pk}/remove", {"contacts": ids[:2]}).json() == {"contacts": 2}
        assert [one.pk for one in gold.contacts.all()] == ids[2:]
        for bad in ([], [0], [2**63], ["x"], "x", [True]):
            assert api("POST", f"groups/{gold.pk}/add", {"contacts": bad}).status_code in (400, 404), bad
        looker = api_with(user=user_with("view_contact", "view_contactgroup", "change_contactgroup"))
        assert looker("POST", f"groups/{gold.pk}/add", {"contacts": ids}).status_code == 403


def test_an_audience_is_changed_and_deleted(
    api: Api, group: ContactGroup, application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    pk = audiences.create(name="English", condition="language = en").pk
    asked = {"condition": 'group "customers"'}
    assert api("PATCH", f"audiences/{pk}", asked).json()["condition"] == asked["condition"]
    assert list(Audience.objects.get().named_groups.all()) == [group]
    assert api("PATCH", f"audiences/{pk}", {"condition": "country is"}).json()["errors"][0]["field"] == "condition"
    with caplog.at_level("INFO", logger="laaffic_console.api.handling.idempotency"):
        assert api("DELETE", f"groups/{group.pk}").status_code == 409  # the audience names it
    assert "met another one" not in caplog.text  # a refusal as any other: it met no other request
    draft = Campaign.objects.create(name="Diwali", application=application, text="x")
    draft.audiences.add(pk)

    assert api("DELETE", f"audiences/{pk}").status_code == 409
    draft.delete()
    assert api("DELETE", f"audiences/{pk}").status_code == 204
    assert (Audience.objects.exists(), told("audience")) == (False, ["changed", "deleted"])


@pytest.mark.parametrize("list_of", ["suppression", "consents", "consents/said", "replies", "messages", "contacts"])
def test_a_number_is_looked_up_in_a_spelling_that_is_not_in_use(api: Api, list_of: str) -> None:
    """An entry may have it from a reply, and lists name it so."""
    suppression.suppress_numbers(["5215512345678"], channel="sms", reason="opt_out")

    for written in ("5215512345678", "%2B525512345678"):
        found = api("GET", f"{list_of}?number={written}")
        assert found.status_code == 200, found.content
        if list_of == "suppression":
            assert [one["number"] for one in found.json()["items"]] == ["5215512345678"]
    assert api("GET", f"{list_of}?number=nobody").status_code == 400


def test_a_renamed_audience_means_the_group_that_it_meant(api: Api, group: ContactGroup) -> None:
    pk = audiences.create(name="A", condition='group "customers"').pk
    assert api("PATCH", f"groups/{group.pk}", {"name": "Old customers"}).status_code == 200
    assert api("POST", "groups", {"name": "customers"}).status_code == 201

    assert api("PATCH", f"audiences/{pk}", {"name": "B"}).json()["condition"] == 'group "Old customers"'
    assert list(Audience.objects.get().named_groups.all()) == [group]


class UndoTests:
    @pytest.fixture
    def job(self) -> ContactImport:
        upload = SimpleUploadedFile("l.csv", b"phone,name\n919876543210,Asha\n919876543211,Ravi\n")
        job = files.receive(upload, group=None, new_group="spring", region="", by=None)
        imports.start(job.pk, mapping=job.mapping)
        imports.run(job.pk)
        Reply.objects.create(key="a", number=NUMBER, content="Hi", at=job.created_at, received_at=job.created_at)
        return job

    def test_counted_confirmed_and_done_once(self, api: Api, job: ContactImport) -> None:
        assert api("GET", f"imports/{job.pk}/undo").status_code == 404
        assert api("POST", f"imports/{job.pk}/undo/confirm").status_code == 409
        assert api("POST", f"imports/{job.pk}/undo").json()["state"] == "looking"
        assert api("POST", f"imports/{job.pk}/undo/confirm").status_code == 409
        import_undo.run(job.pk)
        looked = api("GET", f"imports/{job.pk}/undo").json()
        assert [looked[name] for name in ("state", "goes", "stays")] == ["ready", 1, 1]
        assert looked["reasons"][0]["contacts"] == 1
        assert Contact.objects.count() == 2

        for _time in range(2):
            answer = api("POST", f"imports/{job.pk}/undo/confirm")
            assert (answer.status_code, answer.json()["state"]) == (202, "running")
        assert api("POST", f"imports/{job.pk}/undo").json()["state"] == "running"
        import_undo.run(job.pk)
        assert api("POST", f"imports/{job.pk}/undo/confirm").json()["state"] == "done"
        assert [one.number for one in Contact.objects.all()] == [NUMBER]
        assert api("GET", f"imports/{job.pk}").json()["state"] == "undone"
        assert told("contactimport").count("deleted") == 1

    def test_repeated_its_count_stays(self, api: Api, job: ContactImport) -> None:
        api("POST", f"imports/{job.pk}/undo")
        import_undo.run(job.pk)

        again = api("POST", f"imports/{job.pk}/undo").json()

        assert [again[name] for name in ("state", "goes", "stays")] == ["ready", 1, 1]
        assert api("POST", f"imports/{job.pk}/undo/confirm").status_code == 202

    def test_one_that_runs_has_nothing_to_take_back(self, api: Api, job: ContactImport) -> None:
        ContactImport.objects.update(state=ContactImport.State.RUNNING)

        assert api("POST", f"imports/{job.pk}/undo").status_code == 409

    def test_kept(self, api: Api, job: ContactImport) -> None:
        api("POST", f"imports/{job.pk}/undo")
        assert api("POST", f"imports/{job.pk}/undo/keep").json()["state"] == "finished"
        assert api("GET", f"imports/{job.pk}/undo").status_code == 404
        Contact.objects.all().delete()
        nothing = api("POST", f"imports/{job.pk}/undo")
        assert (nothing.status_code, "nothing to take back" in nothing.json()["detail"]) == (409, True)

    def test_it_takes_the_right(self, api_with: Callable[..., Api], api: Api, job: ContactImport) -> None:
        clerk = api_with(user=user_with("view_contactimport", "view_contact", "add_contactimport"))

        for rest in ("undo", "undo/confirm", "undo/keep"):
            assert clerk("POST", f"imports/{job.pk}/{rest}").status_code == 403


class PersonTests:
    def test_erased_once_and_what_was_known_before(self, api: Api, group: ContactGroup) -> None:
        add_contacts(group, 1, first=int(NUMBER), name="Asha")
        Reply.objects.create(
            key="a", number=NUMBER, content="Yes", at="2026-05-04T12:00Z", received_at="2026-05-04T12:00Z"
        )
        found = api("GET", f"persons/history?number=%2B{NUMBER}").json()["items"]
        assert [one["text"] for one in found if one["kind"] == "replies"] == ["Yes"]
        assert api("POST", "persons/erase", {"number": NUMBER, "why": "\u2800"}).json()["errors"][0]["field"] == "why"

        asked = {"number": "+91 98765 43210", "why": "by letter of 3 May"}
        answers = [api("POST", "persons/erase", asked, Idempotency_Key="e") for _time in range(2)]

        proof = Erasure.objects.get()
        expected = {"id": proof.pk, "contacts": 1, "messages": 0, "replies": 1}
        assert [(one.status_code, one.json()) for one in answers] == 2 * [(200, expected)]
        assert (Contact.objects.exists(), Reply.objects.get().content) == (False, "")
        assert (proof.number, proof.why, proof.erased_by.get_username()) == (NUMBER, "by letter of 3 May", "shop")
        assert NUMBER not in RepeatableRequest.objects.get().answer

    def test_only_who_may(self, api: Api, api_with: Callable[..., Api], group: ContactGroup) -> None:
        add_contacts(group, 1, first=int(NUMBER))
        clerk = api_with(user=user_with("view_contact", "delete_contact", "see_numbers"))
        masked = User.objects.create_user("masked")
        masked.user_permissions.set(Permission.objects.filter(codename__in=["view_contact", "erase_person"]))

        for ask in (clerk, api_with(user=masked)):
            assert ask("POST", "persons/erase", {"number": NUMBER, "why": "x"}).status_code == 403
        assert api_with(user=masked)("GET", f"persons/history?number={NUMBER}").status_code == 403
        assert Contact.objects.exists()
        assert api("POST", "persons/erase", {"number": "12", "why": "x"}).status_code == 400
        assert api("GET", "persons/history").status_code == 400
