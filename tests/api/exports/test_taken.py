"""Exports and reports from a script: who may have what, made by a worker and downloaded with a note."""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command

from laaffic_console.api.exports import shapes
from laaffic_console.conf import BASE_DIR
from laaffic_console.exporting.models import Export, ExportDownload
from laaffic_console.exporting.services import keeping, making
from laaffic_console.gateway.models import Application
from messaging.models import Campaign, ContactGroup, EmailCampaign, Reply
from tests.api.conftest import Api
from tests.messaging.conftest import add_contacts
from voice.models import GroupTask

pytestmark = pytest.mark.django_db


def clerk(*codenames: str) -> User:
    user = User.objects.create_user(f"clerk{User.objects.count()}")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


class ExportTests:
    def test_asked_made_and_downloaded(self, api: Api, application: Application, settings: Any, tmp_path: Any) -> None:
        settings.MEDIA_ROOT = tmp_path
        asked = {"application": "4luaKsL2", "text": "hi", "to": ["919876500000", "919876500001"]}
        campaign = api("POST", "messages", asked).json()["campaign"]
        wanted = {"kind": "campaign recipients", "id": campaign, "format": "csv"}
        made = [api("POST", "exports", wanted, Idempotency_Key="a") for _time in range(2)]
        assert [answer.status_code for answer in made] == [202, 202], made[0].content
        pk = Export.objects.get().pk
        early = api("GET", f"exports/{pk}/file")
        assert (early.status_code, early.json()["detail"]) == (
            409,
            "There is no file: the export is queued. Ask for the file again when it is finished.",
        )

        making.make_next()
        done = api("GET", f"exports/{pk}").json()
        assert (done["state"], done["rows"], done["is_there"]) == ("finished", 2, True)
        file = api("GET", f"exports/{pk}/file")
        assert b"919876500001" in b"".join(file.streaming_content)
        assert ExportDownload.objects.get().by_name == "shop"
        assert api("POST", f"exports/{pk}/cancel").json()["state"] == "finished"

        keeping.path_of(Export.objects.get()).unlink()
        gone = api("GET", f"exports/{pk}").json()
        assert (gone["state"], gone["is_there"]) == ("finished", False)
        late = api("GET", f"exports/{pk}/file")
        assert (late.status_code, late.json()["detail"].split(": ")[0]) == (409, "The file is there no longer")
        assert "Ask for the export again" in late.json()["detail"]

    def test_an_export_that_was_sent_at_once_has_no_file(self, api: Api, settings: Any, tmp_path: Any) -> None:
        settings.MEDIA_ROOT = tmp_path
        by = User.objects.get(username="shop")
        row = Export.objects.create(
            kind="messaging.reply",
            parameters={"query": ""},
            format="csv",
            is_direct=True,
            state="finished",
            asked_by=by,
        )

        answer = api("GET", f"exports/{row.pk}/file")

        assert (answer.status_code, "straight to a browser" in answer.json()["detail"]) == (409, True)

    def test_names_are_for_who_may_still_see_contacts(
        self, api_with: Callable[..., Api], application: Application, settings: Any, tmp_path: Any
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        by = clerk("view_reply", "export_reply", "view_contact", "see_numbers")
        api = api_with(user=by)
        pk = api("POST", "exports", {"kind": "replies"}).json()["id"]
        making.make_next()
        assert b"".join(api("GET", f"exports/{pk}/file").streaming_content)

        by.user_permissions.remove(Permission.objects.get(codename="view_contact"))

        assert api("GET", f"exports/{pk}/file").status_code == 403

    @pytest.mark.parametrize("search", ["919876500001", "919876500001%00", "%E2%80%8B919876500001"])
    def test_a_list_with_its_filters(
        self, api: Api, group: ContactGroup, settings: Any, tmp_path: Any, search: str
    ) -> None:
        """What nobody sees is left out of a search, as on the list's page."""
        settings.MEDIA_ROOT = tmp_path
        add_contacts(group, 3)
        pk = api("POST", "exports", {"kind": "contacts", "query": f"q={search}"}).json()["id"]
        making.make_next()

        assert api("GET", f"exports/{pk}").json()["rows"] == 1

    @pytest.mark.parametrize("kind", shapes.LISTS)
    def test_a_query_that_makes_no_sense_is_told(self, api: Api, kind: str) -> None:
        statuses = {
            query: api("POST", "exports", {"kind": kind, "query": query}).status_code
            for query in ("q=%00", "stat=failed", "nobody__knows=1")
        }
        assert statuses == {"q=%00": 202, "stat=failed": 400, "nobody__knows=1": 400}

    def test_of_others_there_is_nothing(self, api: Api, api_with: Callable[..., Api], group: ContactGroup) -> None:
        pk = api("POST", "exports", {"kind": "contacts"}).json()["id"]
        other = api_with(user=clerk("view_contact", "export_contact"))

        assert other("GET", f"exports/{pk}").status_code == 404
        assert other("GET", f"exports/{pk}/file").status_code == 404
        assert other("POST", f"exports/{pk}/cancel").status_code == 404
        assert other("GET", "exports").json()["items"] == []
        assert Export.objects.get().state == "queued"

    def test_it_wants_scope_and_rights(self, api_with: Callable[..., Api]) -> None:
        asked = {"kind": "contacts"}

        assert api_with(scopes=["read"])("POST", "exports", asked).status_code == 403
        refused = api_with(user=clerk("view_contact"))("POST", "exports", asked)
        assert (refused.status_code, "messaging.export_contact" in refused.json()["detail"]) == (403, True)
        assert not Export.objects.exists()

    def test_the_example_of_the_document(self, api: Api) -> None:
        [body] = re.findall(r"`(\{\"kind\": \"messages\".*?\})`", (BASE_DIR / "docs" / "api.md").read_text())

        assert api("POST", "exports", json.loads(body)).status_code == 202

    @pytest.mark.parametrize(
        ("body", "status", "said"),
        [
            ({"kind": "secrets"}, 400, "kind"),
            ({"kind": "campaign recipients"}, 400, "Say in “id”"),
            ({"kind": "campaign recipients", "id": 404}, 404, "There is no campaign 404"),
            ({"kind": "campaign dossier", "id": 404, "format": "csv"}, 400, "zip only"),
            ({"kind": "contacts", "id": 4}, 400, "takes no “id”"),
            ({"kind": "contacts", "query": "nonsense=1"}, 400, "filters are no longer valid"),
            *(
                ({"kind": kind, "query": query}, 400, "filters are no longer valid")
                for kind, query in (
                    *(("messages", "in=failed"), ("messages", "drifted=price"), ("replies", "stop=maybe")),
                    *(("bindings", "state=dead"), ("bindings", "within=7"), ("bindings", "app=x")),
                    *(("owned numbers", "held=maybe"), ("owned numbers", "due=soon"), ("pools", "compared=x")),
                    *(("call records", "days=2"), ("call records", "recorded=no"), ("group calls", "show=x")),
                    *(
                        ("contacts", "validity__exact=x"),
                        ("contacts", "validity=x"),
                        ("contacts", "group=x"),
                        ("ledger", "state__exact=x"),
                    ),
                    *(
                        ("calls", "entry__state__exact=x"),
                        ("suppression", "channel__exact=x"),
                        ("emails", "delivery=x"),
                    ),
                )
            ),
        ],
    )
    def test_bad_input_is_told(self, api: Api, body: dict[str, Any], status: int, said: str) -> None:
        answer = api("POST", "exports", body)

        assert answer.status_code == status
        assert said in answer.json()["detail"]
        assert not Export.objects.exists()

    @pytest.mark.parametrize("kind", ["campaign dossier", "email campaign dossier", "group call dossier"])
    def test_a_draft_has_no_dossier_yet(self, api: Api, application: Application, kind: str) -> None:
        for model in (Campaign, EmailCampaign, GroupTask):
            model.objects.create(pk=7, name="Diwali", application=application)
        answer = api("POST", "exports", {"kind": kind, "id": 7})

        assert (answer.status_code, "is a draft" in answer.json()["detail"]) == (409, True)


class ReportTests:
    def test_it_is_the_document_of_the_command(self, api: Api, capsys: pytest.CaptureFixture[str]) -> None:
        days = ("2026-03-01", "2026-03-31")
        call_command("report", "--from", days[0], "--to", days[1], "--by", "channel", "--compare", "--json")
        told = json.loads(capsys.readouterr().out)

        address = f"report?first={days[0]}&last={days[1]}&by=channel&compare=true"
        asked = api("GET", address)
        assert asked.json() == told
        assert api("GET", address, If_None_Match=asked["ETag"]).status_code == 304

    def test_replies_are_counted_where_nothing_is_told_apart(self, api: Api) -> None:
        day = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
        for key, opt_out in (("a", "STOP"), ("b", "")):
            Reply.objects.create(key=key, number="919876500001", at=day, received_at=day, opt_out=opt_out)

        answer = api("GET", "report?first=2026-03-01&last=2026-03-31&columns=replies,opt_outs")
        assert answer.json()["totals"] == {"replies": 2, "opt_outs": 1}

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("first=2026-03-01", "last"),
            ("first=2026-03-02&last=2026-03-01", "Swap the two days"),
            ("first=2026-03-01&last=2026-03-02&by=colour", "colour"),
            ("first=2026-03-01&last=2026-03-02&campaign=x", "is not a campaign's id"),
            ("first=2026-03-01&last=2026-03-02&country=India", "is not a country"),
            ("first=2026-03-01&last=2026-03-02&person=nosuch", "does not know the user name"),
        ],
    )
    def test_bad_input_is_told(self, api: Api, query: str, said: str) -> None:
        answer = api("GET", f"report?{query}")

        assert answer.status_code == 400
        assert said in answer.json()["detail"]
