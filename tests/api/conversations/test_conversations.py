"""Conversations from a script: read, answered once, noted, assigned, ended and opened again."""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from laaffic_console.api.handling import idempotency
from laaffic_console.api.models import RepeatableRequest
from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.laaffic import Reply as WireReply
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Approval,
    Campaign,
    Contact,
    Conversation,
    ConversationAnswer,
    ConversationNote,
    Message,
    SavedAnswer,
)
from messaging.services.contacts import suppression
from messaging.services.replies import replies
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db

NUMBER = "919876543210"
NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def written(text: str = "Yes", number: str = NUMBER, minutes: int = 0) -> Conversation:
    at = NOW + dt.timedelta(minutes=minutes)
    replies.take([WireReply("", number, "SHOP", text, at, "", "", "", None, None, "", None)], source="push")
    return Conversation.objects.get(number=number)


def user_with(name: str, *codenames: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def operator(name: str = "olga") -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name="Operator"))
    return user


class ListTests:
    def test_views_and_searches_as_on_the_page(self, api: Api, person: User) -> None:
        mine, done = written(number="919876500001"), written(number="919876500002", minutes=1)
        free = written(number="919876500003", minutes=2)
        Contact.objects.create(number="919876500002", name="Asha")
        Conversation.objects.filter(pk=mine.pk).update(assigned_to=person)
        Conversation.objects.filter(pk=done.pk).update(state="done", unread=0)

        found = {
            asked: [one["id"] for one in api("GET", f"conversations?{asked}").json()["items"]]
            for asked in (
                "",
                "show=mine",
                "show=unassigned",
                "show=unread",
                "show=done",
                "search=Asha",
                "search=9198765",
            )
        }
        assert found == {
            "": [free.pk, mine.pk],
            "show=mine": [mine.pk],
            "show=unassigned": [free.pk],
            "show=unread": [free.pk, mine.pk],
            "show=done": [done.pk],
            "search=Asha": [done.pk],
            "search=9198765": [free.pk, done.pk, mine.pk],
        }
        assert api("GET", "conversations?show=closed").status_code == 400

    def test_pages_leave_nothing_out(self, api: Api) -> None:
        for n in range(5):
            written(number=f"91987650000{n}", minutes=n)
        found, cursor = [], ""
        while cursor is not None:
            answer = api("GET", f"conversations?limit=2{f'&cursor={cursor}' if cursor else ''}").json()
            found += [one["number"][-1] for one in answer["items"]]
            cursor = answer["next"]

        assert found == ["4", "3", "2", "1", "0"]
        assert api("GET", "conversations?cursor=MTI").status_code == 400
        edge = base64.urlsafe_b64encode(b"0001-01-01T00:00:00+14:00~5").decode().rstrip("=")
        assert api("GET", f"conversations?cursor={edge}").status_code == 400
        assert api("GET", "conversations?cursor=%F0%9F%98%80").status_code == 400

    def test_numbers_are_masked(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk = written().pk
        clerk = api_with(user=user_with("clerk", "view_conversation"))

        assert clerk("GET", f"conversations/{pk}").json()["number"] == "9198•••••210"
        assert clerk("GET", "conversations").json()["items"][0]["number"] == "9198•••••210"


def test_what_was_said_by_whom(api: Api, api_with: Callable[..., Api], application: Application) -> None:
    pk = written("One").pk
    written("Two", minutes=1)
    api("POST", f"conversations/{pk}/note", {"note": "Call her"})
    entries = api("GET", f"conversations/{pk}/messages").json()["items"]
    assert [(one["kind"], one["text"]) for one in entries] == [
        ("notes", "Call her"),
        ("replies", "Two"),
        ("replies", "One"),
    ]
    first = api("GET", f"conversations/{pk}/messages?limit=2").json()
    assert [one["text"] for one in first["items"]] == ["Call her", "Two"]
    rest = api("GET", f"conversations/{pk}/messages?limit=2&cursor={first['next']}").json()
    assert ([one["text"] for one in rest["items"]], rest["next"]) == (["One"], None)
    assert api("GET", f"conversations/{pk}/messages?cursor=abc").status_code == 400
    assert Conversation.objects.get().unread == 2  # looking is not reading

    clerk = api_with(user=user_with("clerk", "view_conversation"))
    assert [one["kind"] for one in clerk("GET", f"conversations/{pk}/messages").json()["items"]] == ["notes"]


class AnswerTests:
    @pytest.mark.django_db(transaction=True)
    def test_it_reaches_the_person_once(
        self,
        sandbox: RunningSandbox,
        api_with: Callable[..., Api],
        application: Application,
        run_jobs: Callable[[], int],
    ) -> None:
        api, pk = api_with(), written().pk
        for _time in range(2):
            assert api("POST", f"conversations/{pk}/answer", {"text": "Hi"}, Idempotency_Key="a").status_code == 202
            run_jobs()

        assert len(sandbox.sandbox.store.messages) == 1
        assert Message.objects.get().number == NUMBER
        said = api("GET", f"conversations/{pk}/messages").json()["items"]
        assert [one["text"] for one in said if one["kind"] == "messages"] == ["Hi"]

    def test_it_leaves_once_however_often_it_is_asked_for(self, api: Api, application: Application) -> None:
        pk = written().pk
        assert api("GET", f"conversations/{pk}").json()["application"] == application.app_id
        shown = api("GET", f"conversations/{pk}").json()
        body = {"text": "Thanks", **{name: shown[name] for name in ("unread", "last_at")}}
        answers = [api("POST", f"conversations/{pk}/answer", body, Idempotency_Key="a") for _time in range(3)]

        [sent] = Campaign.objects.all()
        assert [(one.status_code, one.json()) for one in answers] == 3 * [
            (202, {"campaign": sent.pk, "state": "running", "waits": ""})
        ]
        assert (sent.text, sent.extra_numbers, sent.sender_id) == ("Thanks", [NUMBER], "SHOP")
        assert ConversationAnswer.objects.get().campaign == sent
        assert Conversation.objects.get().unread == 0

    def test_only_what_was_shown_becomes_read(self, api: Api, application: Application) -> None:
        pk = written().pk
        shown = api("GET", f"conversations/{pk}").json()
        seen = {name: shown[name] for name in ("unread", "last_at")}
        written("No, cancel!", minutes=1)  # comes while the answer is typed

        for n, said in enumerate(({}, seen)):
            assert api("POST", f"conversations/{pk}/answer", {"text": f"Booked {n}", **said}).status_code == 202
            assert Conversation.objects.get().unread == 2
        refused = api("POST", f"conversations/{pk}/answer", {"text": "Booked", "unread": 2})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "last_at")

    def test_a_process_that_dies_before_its_answer_is_kept_has_launched_nothing(
        self, api: Api, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pk = written().pk

        def killed(**given: Any) -> Any:
            raise KeyboardInterrupt

        with monkeypatch.context() as dying:
            dying.setattr(idempotency, "_answered", killed)
            dying.setattr(idempotency, "_give_back", lambda *args: None)
            with pytest.raises(KeyboardInterrupt):
                api("POST", f"conversations/{pk}/answer", {"text": "Thanks"}, Idempotency_Key="a")
        assert not Campaign.objects.exists()
        RepeatableRequest.objects.update(held_until=timezone.now())

        again = api("POST", f"conversations/{pk}/answer", {"text": "Thanks"}, Idempotency_Key="a")

        assert again.json()["campaign"] == Campaign.objects.get().pk

    def test_the_same_text_wants_a_reason_while_an_answer_is_lost(self, api: Api, application: Application) -> None:
        pk = written().pk
        first = api("POST", f"conversations/{pk}/answer", {"text": "Thanks"}).json()
        assert "without an Idempotency-Key" in first["note"]
        LedgerEntry.objects.create(
            interface="sendSms",
            application=application,
            about_kind="campaign",
            about_id=first["campaign"],
            state="unknown",
            prepared_at=timezone.now(),
        )
        second = api("POST", f"conversations/{pk}/answer", {"text": "Thanks"})

        assert (second.status_code, second.json()["errors"][0]["field"]) == (409, "again")
        assert Campaign.objects.count() == 1
        third = api("POST", f"conversations/{pk}/answer", {"text": "Thanks", "again": "they asked twice"})
        assert (third.status_code, Campaign.objects.count()) == (202, 2)

    def test_the_same_text_wants_a_reason_while_an_answer_waits_for_the_account(
        self, api: Api, application: Application
    ) -> None:
        pk = written().pk
        account_hold.place_because("No balance.")
        api("POST", f"conversations/{pk}/answer", {"text": "Thanks"})
        assert Campaign.objects.get().state == "held"

        second = api("POST", f"conversations/{pk}/answer", {"text": "Thanks"})

        assert (second.status_code, second.json()["errors"][0]["field"]) == (409, "again")
        assert Campaign.objects.count() == 1
        assert api("POST", f"conversations/{pk}/answer", {"text": "Thank you"}).status_code == 202

    def test_who_is_suppressed_gets_none(self, api: Api, application: Application) -> None:
        pk = written().pk
        suppression.suppress_numbers([NUMBER], channel="all", reason="opt_out")
        assert api("GET", f"conversations/{pk}").json()["stopped"]
        answer = api("POST", f"conversations/{pk}/answer", {"text": "Thanks"})

        assert (answer.status_code, "suppressed" in answer.json()["detail"]) == (409, True)
        assert answer.json()["errors"][0]["field"] == "text"
        assert not Campaign.objects.exists()

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "text"),
            ({"text": ""}, "text"),
            ({"text": "\u200b"}, "text"),
            ({"text": "Hi {{nobody}}"}, "text"),
            ({"text": "Hi", "application": 7, "sender_id": "x" * 33}, "sender_id"),
            ({"text": "Hi", "sender_id": "SHOP"}, "sender_id"),
            ({"text": "Hi", "application": "mail"}, "application"),
        ],
    )
    def test_what_cannot_be_sent_leaves_nothing(
        self, api: Api, application: Application, body: dict[str, Any], field: str
    ) -> None:
        Application.objects.create(app_id="mail", channel="email")
        answer = api("POST", f"conversations/{written().pk}/answer", body)

        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
        assert not Campaign.objects.exists()

    def test_which_application_is_asked_where_several_could_be_meant(self, api: Api, application: Application) -> None:
        Application.objects.create(app_id="two", channel="sms", sender_id="SHOP")
        Application.objects.create(app_id="off", channel="sms", is_active=False)
        pk = written().pk

        for body in ({"text": "Hi"}, {"text": "Hi", "application": "off"}, {"text": "Hi", "application": "none"}):
            answer = api("POST", f"conversations/{pk}/answer", body)
            assert answer.status_code in (400, 409), answer.content
        assert not Campaign.objects.exists()
        assert api("POST", f"conversations/{pk}/answer", {"text": "Hi", "application": "two"}).status_code == 202
        assert Campaign.objects.get().application.app_id == "two"

    def test_where_a_second_person_is_asked_it_waits(
        self, api: Api, application: Application, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_APPROVAL_COST, settings.LAAFFIC_APPROVAL_RECIPIENTS = 1, 0
        answers = [
            api("POST", f"conversations/{written().pk}/answer", {"text": "Hi"}, Idempotency_Key="a") for _ in range(2)
        ]

        assert [answer.status_code for answer in answers] == [202, 202], answers[0].content
        assert answers[0].json() == answers[1].json()
        assert (answers[0].json()["state"], bool(answers[0].json()["waits"])) == ("draft", True)
        assert Approval.objects.count() == 1

    def test_it_takes_the_right_and_the_scope(
        self, api: Api, api_with: Callable[..., Api], application: Application
    ) -> None:
        pk = written().pk
        viewer = user_with("vera", "view_conversation", "launch_campaign", "add_campaign")
        for refused in (api_with(user=viewer), api_with(user=operator(), scopes=["contacts", "campaigns"])):
            assert refused("POST", f"conversations/{pk}/answer", {"text": "Hi"}).status_code == 403
        assert not Campaign.objects.exists()
        assert api_with(user=operator("otto"), scopes=["send"])("POST", f"conversations/{pk}/answer", {"text": "Hi"})
        assert Campaign.objects.count() == 1


class ActTests:
    def test_taken_done_opened_again_and_unread(self, api: Api, person: User) -> None:
        shown = api("GET", f"conversations/{written().pk}").json()
        pk, seen = shown["id"], {name: shown[name] for name in ("unread", "last_at")}
        steps = [
            ("take", None, ("open", 1, "shop")),
            ("done", seen, ("done", 0, "shop")),
            ("reopen", None, ("open", 0, "shop")),
            ("unread", None, ("open", 1, "shop")),
            ("seen", seen, ("open", 0, "shop")),
        ]
        for verb, body, stands in steps:
            for _time in range(2):
                answer = api("POST", f"conversations/{pk}/{verb}", body)
                told = answer.json()
                assert (answer.status_code, told["state"], told["unread"], told["assigned_to"]) == (200, *stands), verb
        recorded = AuditEntry.objects.filter(object_kind="messaging.conversation")
        assert recorded.count() == 3  # take, done and opened again, each once

    def test_what_nobody_has_seen_keeps_it_open(self, api: Api) -> None:
        shown = api("GET", f"conversations/{written().pk}").json()
        written("More", minutes=1)
        seen = {name: shown[name] for name in ("unread", "last_at")}

        refused = api("POST", f"conversations/{shown['id']}/done", seen)
        assert (refused.status_code, "written again" in refused.json()["detail"]) == (409, True)
        assert api("POST", f"conversations/{shown['id']}/seen", seen).json()["unread"] == 2
        assert api("POST", f"conversations/{shown['id']}/done", {}).status_code == 400
        assert Conversation.objects.get().state == "open"

    def test_nobody_takes_it_from_another(self, api: Api, api_with: Callable[..., Api]) -> None:
        pk = written().pk
        operator()
        assert api("POST", f"conversations/{pk}/assign", {"to": "olga"}).json()["assigned_to"] == "olga"

        assert api("POST", f"conversations/{pk}/take").status_code == 409
        assert api("POST", f"conversations/{pk}/assign", {"to": None}).json()["assigned_to"] is None
        assert api("POST", f"conversations/{pk}/take").json()["assigned_to"] == "shop"

    def test_only_who_may_answer_is_given_one(self, api: Api) -> None:
        pk = written().pk
        user_with("vera", "view_conversation")

        for name in ("vera", "nobody", ""):
            assert api("POST", f"conversations/{pk}/assign", {"to": name}).status_code == 400
        assert Conversation.objects.get().assigned_to is None

    def test_a_note_once(self, api: Api) -> None:
        pk = written().pk
        made = [api("POST", f"conversations/{pk}/note", {"note": "Call her"}, Idempotency_Key="n") for _ in range(2)]

        assert [(one.status_code, one.json()["by"]) for one in made] == 2 * [(201, "shop")]
        assert made[0].json() == made[1].json()
        assert ConversationNote.objects.get().text == "Call her"
        assert api("POST", f"conversations/{pk}/note", {"note": "\u2800"}).status_code == 400

    def test_a_note_that_is_repeated_at_once_is_kept_once(self, api: Api) -> None:
        pk = written().pk
        made = [api("POST", f"conversations/{pk}/note", {"note": text}).json()["id"] for text in ("Call", "Call", "No")]
        assert (made[0] == made[1], ConversationNote.objects.count()) == (True, 2)

        ConversationNote.objects.update(at=timezone.now() - dt.timedelta(hours=1))
        assert api("POST", f"conversations/{pk}/note", {"note": "No"}).json()["id"] not in made

    @pytest.mark.parametrize("verb", ["take", "done", "reopen", "unread", "seen", "note", "assign", "answer"])
    def test_who_may_only_look_does_nothing(self, api: Api, api_with: Callable[..., Api], verb: str) -> None:
        before = Conversation.objects.values().get(pk=written().pk)
        viewer = api_with(user=user_with("vera", "view_conversation"))

        assert viewer("POST", f"conversations/{before['id']}/{verb}", {}).status_code == 403
        assert Conversation.objects.values().get() == before
        assert api("POST", f"conversations/99999999999999999999/{verb}", {}).status_code in (400, 404)


def test_saved_answers(api: Api) -> None:
    made = api("POST", "saved-answers", {"title": "Hours", "text": "We open at 9"})
    pk = made.json()["id"]

    assert api("PATCH", f"saved-answers/{pk}", {"text": "We open at 10"}).json()["text"] == "We open at 10"
    assert api("PATCH", f"saved-answers/{pk}", {"text": "Hi {{a b"}).status_code == 400
    assert api("POST", "saved-answers", {"title": "Hours", "text": "x"}).status_code == 400
    assert api("DELETE", f"saved-answers/{pk}").status_code == 204
    assert not SavedAnswer.objects.exists()
    kinds = AuditEntry.objects.filter(object_kind="messaging.savedanswer").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["added", "changed", "deleted"]
