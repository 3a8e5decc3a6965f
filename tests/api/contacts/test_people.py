"""Audiences, imports and consent from a script, by the same services as on their pages."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from laaffic_console.api.handling import idempotency
from laaffic_console.api.models import RepeatableRequest
from laaffic_console.audit.models import AuditEntry
from messaging.models import Audience, Consent, ConsentEvent, Contact, ContactGroup, ContactImport
from tests.api.conftest import Api
from tests.api.files import sent
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = b"Phone;Name;City\n+919876543210;Asha;Pune\n+919876543211;Ravi;Goa\n12;Nobody;Goa\n"


class AudienceTests:
    def test_saved_listed_and_counted(self, api: Api, group: ContactGroup) -> None:
        add_contacts(group, 3, language="en")
        add_contacts(group, 2, first=919800000000, language="hi")
        made = api("POST", "audiences", {"name": "English", "condition": "language = en"})
        pk = made.json()["id"]

        assert made.status_code == 201
        assert api("GET", "audiences").json()["items"] == [made.json()]
        counted = api("GET", f"audiences/{pk}/count").json()
        assert (counted["contacts"], counted["is_counted"]) == (3, True)
        assert AuditEntry.objects.filter(object_kind="messaging.audience", kind="added").exists()

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"name": "x", "condition": "country is"}, "condition"),
            ({"name": "x", "condition": 'group "Nobody"'}, "There is no group “Nobody”"),
            ({"name": "", "condition": "language = en"}, "name"),
        ],
    )
    def test_a_condition_that_makes_no_sense_is_told(self, api: Api, body: dict[str, str], said: str) -> None:
        answer = api("POST", "audiences", body)

        assert answer.status_code == 400
        assert said in str(answer.json())
        assert not Audience.objects.exists()

    def test_an_etag_of_what_has_not_changed(self, api: Api) -> None:
        pk = api("POST", "audiences", {"name": "English", "condition": "language = en"}).json()["id"]
        tag = api("GET", f"audiences/{pk}")["ETag"]

        assert api("GET", f"audiences/{pk}", If_None_Match=tag).status_code == 304
        Audience.objects.update(name="Other")
        assert api("GET", f"audiences/{pk}", If_None_Match=tag).status_code == 200


class ImportTests:
    def test_uploaded_forecast_started_and_its_bad_rows_given_back(
        self, api: Api, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        made = sent(api, "imports", "people.csv", PEOPLE, group="customers")
        assert made.status_code == 201, made.content
        pk = made.json()["id"]
        assert (made.json()["state"], made.json()["mapping"]["Phone"]) == ("preview", "number")

        run_jobs()
        forecast = api("GET", f"imports/{pk}").json()["forecast"]
        assert [forecast[name] for name in ("state", "rows", "new", "invalid")] == ["done", 3, 2, 1]
        assert not Contact.objects.exists()

        for _again in range(2):
            assert api("POST", f"imports/{pk}/start").json()["state"] == "queued"
        run_jobs()
        done = api("GET", f"imports/{pk}").json()
        assert [done[name] for name in ("state", "rows", "added", "invalid", "percent")] == ["finished", 3, 2, 1, 100]
        assert Contact.objects.filter(groups=group).count() == 2
        [bad] = api("GET", f"imports/{pk}/bad-rows").json()["items"]
        assert (bad["row"], bad["value"]) == (4, "12")
        file = api("GET", f"imports/{pk}/bad-rows/file")
        assert b"Nobody;Goa" in b"".join(file.streaming_content).replace(b",", b";")
        assert api("POST", f"imports/{pk}/cancel").json()["state"] == "finished"

    def test_an_upload_that_died_before_its_answer_was_kept_left_nothing(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def killed(**given: Any) -> Any:
            raise KeyboardInterrupt

        with monkeypatch.context() as dying:
            dying.setattr(idempotency, "_answered", killed)
            dying.setattr(idempotency, "_give_back", lambda *args: None)  # a killed process tidies nothing up
            with pytest.raises(KeyboardInterrupt):
                sent(api, "imports", "people.csv", PEOPLE, key="a", new_group="Gold")
        assert not ContactImport.objects.exists()
        assert not ContactGroup.objects.filter(name="Gold").exists()
        RepeatableRequest.objects.update(held_until=timezone.now())

        again = sent(api, "imports", "people.csv", PEOPLE, key="a", new_group="Gold")

        assert again.status_code == 201
        assert [job.pk for job in ContactImport.objects.all()] == [again.json()["id"]]

    def test_the_same_upload_again_is_one_import_whatever_its_boundary(self, api: Api) -> None:
        answers = [sent(api, "imports", "people.csv", PEOPLE, key="a") for _time in range(2)]
        other = sent(api, "imports", "people.csv", PEOPLE + b"+919876543212;X;Y\n", key="a")

        assert answers[0].json()["id"] == answers[1].json()["id"] == ContactImport.objects.get().pk
        assert other.status_code == 409

    def test_columns_are_said_otherwise_before_it_is_started(self, api: Api, run_jobs: Callable[[], int]) -> None:
        pk = sent(api, "imports", "people.csv", PEOPLE).json()["id"]
        body = {"mapping": {"City": "", "Name": "attributes.nick"}, "region": "in"}
        read = api("POST", f"imports/{pk}/reading", body)
        assert (read.status_code, read.json()["region"]) == (200, "IN"), read.content
        api("POST", f"imports/{pk}/start")
        run_jobs()

        assert Contact.objects.get(number="919876543210").attributes == {"nick": "Asha"}
        late = api("POST", f"imports/{pk}/reading", {"mapping": {"City": "name"}})
        assert (late.status_code, "before it is started" in late.json()["detail"]) == (409, True)

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ({"mapping": {"Town": "name"}}, "no column “Town”"),
            ({"mapping": {"City": "attributes.a b"}}, "A column cannot be"),
            ({"mapping": {"City": "town"}}, "A column cannot be"),
            ({"mapping": {"Phone": ""}}, "number"),
            ({"encoding": "klingon"}, "no encoding “klingon”"),
            ({"region": "XX"}, "“XX” is not a country"),
            ({"sheet": "Two"}, "no sheet “Two”"),
            ({"colour": "red"}, "Unknown field “colour”"),
        ],
    )
    def test_a_reading_that_makes_no_sense_is_told(self, api: Api, body: dict[str, Any], said: str) -> None:
        pk = sent(api, "imports", "people.csv", PEOPLE).json()["id"]
        before = ContactImport.objects.values().get()
        answer = api("POST", f"imports/{pk}/reading", body)

        assert answer.status_code == 400
        assert said in answer.json()["detail"]
        assert ContactImport.objects.values().get() == before

    @pytest.mark.parametrize(
        ("name", "content", "fields", "said"),
        [
            ("people.csv", b"", {}, "empty"),
            ("people.csv", b"\0\1\2\3" * 99, {}, ""),
            ("people.csv", PEOPLE, {"group": "nobody"}, "There is no group “nobody”"),
            ("people.csv", PEOPLE, {"group": "customers", "new_group": "x"}, "either “group”"),
            ("people.csv", PEOPLE, {"new_group": "Failed in Spring"}, "Choose another name"),
            ("people.csv", PEOPLE, {"region": "XQ"}, "“XQ” is not a country"),
            ("people.csv", PEOPLE, {"region": "ß"}, "“ß” is not a country"),
            ("people.csv", PEOPLE, {"file": [BytesIO(PEOPLE), BytesIO(PEOPLE)]}, "“file” is given twice"),
            ("people.csv", PEOPLE, {"region": ["IN", "GB"]}, "“region” is given twice"),
            ("people.csv", PEOPLE, {"region": ["IN"] * 10_001}, "too many parts"),
            ("people.csv", PEOPLE, {"file": [BytesIO(b"x") for _n in range(101)]}, "too many parts"),
        ],
    )
    def test_a_file_that_is_refused_leaves_nothing(
        self, api: Api, group: ContactGroup, name: str, content: bytes, fields: dict[str, str], said: str
    ) -> None:
        ContactGroup.objects.create(name="Failed in Spring", is_ad_hoc=True)
        answer = sent(api, "imports", name, content, **fields)

        assert answer.status_code == 400
        assert said in answer.json()["detail"]
        assert not ContactImport.objects.exists()

    def test_json_is_no_file(self, api: Api) -> None:
        assert api("POST", "imports", {"file": "people.csv"}).status_code == 415

    def test_neither_is_nothing(self, api: Api) -> None:
        assert "file" in api("POST", "imports", Idempotency_Key="a").json()["detail"]

    def test_bad_rows_are_for_who_sees_whole_numbers(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk = sent(api, "imports", "people.csv", PEOPLE).json()["id"]
        clerk = User.objects.create_user("clerk")
        clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_contactimport", "view_contact"]))

        assert api_with(user=clerk)("GET", f"imports/{pk}").status_code == 200
        assert api_with(user=clerk)("GET", f"imports/{pk}/bad-rows").status_code == 403


class ConsentTests:
    def test_written_down_and_shown(self, api: Api) -> None:
        asked = {"number": "+91 98765 43210", "channel": "sms", "state": "given", "why": "signed the form on 3 May"}
        made = [api("POST", "consents", asked, Idempotency_Key="a") for _time in range(2)]

        assert [answer.status_code for answer in made] == [200, 200]
        assert (made[0].json()["state"], made[0].json()["words"]) == ("given", "signed the form on 3 May")
        assert ConsentEvent.objects.count() == 1
        assert len(api("GET", "consents?number=919876543210&state=given").json()["items"]) == 1
        assert api("GET", "consents/said?number=919876543210").json()["items"][0]["source"] == "by hand"
        assert AuditEntry.objects.filter(object_kind="messaging.consent").exists()

    def test_a_file_of_them_is_uploaded_once_and_read(self, api: Api, run_jobs: Callable[[], int]) -> None:
        text = b"number,consent,words\n+919876543210,yes,I agree\n12,yes,\n"
        undated = sent(api, "consents/imports", "agreed.csv", text)
        assert (undated.status_code, undated.json()["errors"][0]["field"]) == (400, "date")

        made = [sent(api, "consents/imports", "agreed.csv", text, key="a", date="2026-05-03") for _time in range(2)]
        run_jobs()

        assert [answer.status_code for answer in made] == [201, 201]
        assert [listed["state"] for listed in api("GET", "consents/imports").json()["items"]] == ["finished"]
        done = api("GET", f"consents/imports/{made[0].json()['id']}").json()
        assert [done[name] for name in ("file_name", "rows", "kept", "known", "invalid")] == ["agreed.csv", 2, 1, 0, 1]
        assert [(bad["row"], bad["column"], bad["value"]) for bad in done["errors"]] == [(3, "number", "12")]
        assert Consent.objects.get().state == "given"

    def test_without_a_reason_it_is_refused(self, api: Api) -> None:
        asked = {"number": "919876543210", "channel": "sms", "state": "given", "why": " "}

        assert api("POST", "consents", asked).status_code == 400
        assert not Consent.objects.exists()

    def test_numbers_are_masked_for_who_may_not_see_them(self, api: Api, api_with: Callable[..., Api]) -> None:
        api("POST", "consents", {"number": "919876543210", "channel": "sms", "state": "given", "why": "form"})
        clerk = User.objects.create_user("clerk")
        clerk.user_permissions.set(Permission.objects.filter(codename="view_consent"))

        assert api_with(user=clerk)("GET", "consents").json()["items"][0]["number"] == "9198•••••210"

    def test_so_are_those_among_a_contacts_attributes(self, api: Api, api_with: Callable[..., Api]) -> None:
        Contact.objects.create(number="919876543210", attributes={"mobile2": "+91 98765 43211", "city": "Pune"})
        clerk = User.objects.create_user("clerk")
        clerk.user_permissions.set(Permission.objects.filter(codename="view_contact"))

        said = [ask("GET", "contacts").json()["items"][0]["attributes"] for ask in (api_with(user=clerk), api)]

        assert said == [{"mobile2": "+9198•••••211", "city": "Pune"}, {"mobile2": "+91 98765 43211", "city": "Pune"}]
