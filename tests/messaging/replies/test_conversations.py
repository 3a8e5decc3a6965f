"""Conversations: moved on by replies, read, answered, assigned and ended; and what nobody may do."""

import datetime as dt
import importlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.audit.models import AuditEntry
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.kit.audit.acts import Actor, acting
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Reply as WireReply
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Approval,
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    Contact,
    Conversation,
    ConversationAnswer,
    ConversationNote,
    Message,
    MessageState,
    Reply,
    SavedAnswer,
)
from messaging.services.approvals import approvals
from messaging.services.contacts import people, suppression
from messaging.services.replies import conversation_lists, conversations, replies

pytestmark = pytest.mark.django_db

NUMBER = "919876543210"
NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
LIST = "/admin/messaging/conversation/"


def wire(text: str = "Yes", number: str = NUMBER, minutes: int = 0, sender: str = "SHOP") -> WireReply:
    at = NOW + dt.timedelta(minutes=minutes)
    return WireReply("", number, sender, text, at, "", "", "", None, None, "", None)


def written(*found: WireReply) -> Conversation:
    replies.take(found or [wire()], source="push")
    return Conversation.objects.latest("pk")


def page_of(conversation: Conversation) -> str:
    return f"{LIST}{conversation.pk}/change/"


def person(name: str, *roles: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(db: None) -> User:
    return person("olga", "Operator")


@pytest.fixture
def desk(operator: User) -> Client:
    return signed_in(operator)


def message(application: Application, text: str = "Sale today", **fields: Any) -> Message:
    campaign = Campaign.objects.create(
        name="Diwali", application=application, sender_id="SHOP", text=text, launched_at=NOW
    )
    batch = Batch.objects.create(
        campaign=campaign, first_message_id=0, last_message_id=0, size=1, state=BatchState.SETTLED
    )
    settled_at = NOW - dt.timedelta(hours=1)
    state = MessageState.DELIVERED
    return Message.objects.create(
        campaign=campaign, batch=batch, number=NUMBER, state=state, settled_at=settled_at, **fields
    )


def unassigned(user: User) -> list[Conversation]:
    return list(conversation_lists.of(user, "unassigned", by_contact=False))


class RepliesMoveThemOnTests:
    def test_the_first_reply_makes_one_and_the_next_counts(self) -> None:
        written(wire("One"), wire("Two", minutes=1))
        conversation = written(wire("Three  of\nthem", minutes=2))

        assert Conversation.objects.count() == 1
        assert (conversation.unread, conversation.last_said) == (3, "Three of them")
        assert conversation.last_at == NOW + dt.timedelta(minutes=2)

    def test_the_same_reply_read_again_changes_nothing(self) -> None:
        written()
        conversation = written()

        assert conversation.unread == 1

    def test_what_was_kept_the_other_way_meanwhile_is_counted_once(self) -> None:
        theirs = Reply(key="k", number=NUMBER, content="x", at=NOW, received_at=NOW)
        theirs.save()

        assert replies._kept_here([Reply(key="k", number=NUMBER)], NOW + dt.timedelta(seconds=1)) == []

    def test_a_late_reply_is_unread_but_not_the_newest(self) -> None:
        written(wire("New", minutes=9))
        conversation = written(wire("Old"))

        assert (conversation.unread, conversation.last_said) == (2, "New")

    def test_every_spelling_is_one_conversation(self) -> None:
        written(wire(number="5215512345678"))
        conversation = written(wire(number="525512345678", minutes=1))

        assert Conversation.objects.count() == 1
        assert conversation.number == "525512345678"

    def test_a_new_reply_opens_what_was_done(self, operator: User) -> None:
        conversation = written()
        conversations.assign(conversation.pk, to=operator, by=operator)
        conversations.finish(conversation.pk, by=operator)

        conversation = written(wire("And?", minutes=1))

        assert (conversation.state, conversation.unread, conversation.assigned_to) == ("open", 1, operator)

    def test_many_are_a_few_statements(self) -> None:
        many = [wire(number=str(919876500000 + n)) for n in range(400)]
        with CaptureQueriesContext(connection) as captured:
            replies.take(many, source="push")

        assert len([q for q in captured if "messaging_conversation" in q["sql"]]) == 2
        assert Conversation.objects.count() == 400

    def test_what_came_before_is_found_by_the_migration(self) -> None:
        now = timezone.now()
        for n, (number, age) in enumerate([("5215512345678", 1), ("525512345678", 0), (NUMBER, 60)]):
            at = now - dt.timedelta(days=age)
            Reply.objects.create(key=str(n), number=number, content=f"text {n}", at=at, received_at=at)

        importlib.import_module("messaging.migrations.0033_past_conversations").from_replies(apps, None)

        found = {one.number: (one.state, one.unread, one.last_said) for one in Conversation.objects.all()}
        assert found == {"525512345678": ("open", 0, "text 1"), NUMBER: ("done", 0, "text 2")}


class ThreadTests:
    def test_what_was_sent_before_stands_above_the_reply(self, desk: Client, application: Application) -> None:
        message(application, "Sale for {{name}}", merge_values={"name": "Asha"})
        conversation = written()
        conversations.note(conversation.pk, "Knows the boss", by=User.objects.get(username="olga"))

        page = desk.get(page_of(conversation)).content.decode()

        assert page.index("Sale for Asha") < page.index(">Yes<") < page.index("Knows the boss")
        assert "Diwali · Delivered" in page

    def test_a_message_that_nobody_sends_says_what_holds_it(self, desk: Client, application: Application) -> None:
        waits = message(application)
        Message.objects.update(state=MessageState.QUEUED)
        Batch.objects.update(state=BatchState.QUEUED, queued=1)
        conversation = written()
        assert "Diwali · Queued<" in desk.get(page_of(conversation)).content.decode()

        waits.campaign.state, waits.campaign.hold_reason = "held", "The budget is used up."
        waits.campaign.save()

        assert "Diwali · Held · The budget is used up.<" in desk.get(page_of(conversation)).content.decode()

    def test_what_never_left_does_not_look_as_if_they_had_read_it(self, desk: Client, application: Application) -> None:
        message(application)
        conversation = written()
        assert 'class="messages unsent"' not in desk.get(page_of(conversation)).content.decode()

        Message.objects.update(state=MessageState.CANCELLED, attempt=1)
        assert 'class="messages unsent"' in desk.get(page_of(conversation)).content.decode()

        Message.objects.update(attempt=2)  # given up, and the first one may have arrived
        assert 'class="messages unsent"' not in desk.get(page_of(conversation)).content.decode()

    def test_what_somebody_has_before_them_is_read(self, desk: Client) -> None:
        """Looking alone writes nothing: the page tells, by what stands in it."""
        conversation = written()
        hidden = dict(
            re.findall(r'name="(unread|last_at)" value="([^"]*)"', desk.get(page_of(conversation)).content.decode())
        )
        conversation.refresh_from_db()
        assert conversation.unread == 1

        assert desk.post(f"{LIST}{conversation.pk}/do/seen/", hidden).status_code == 204

        conversation.refresh_from_db()
        assert conversation.unread == 0

    def test_who_may_not_answer_reads_it_for_nobody(self) -> None:
        conversation = written()

        assert "data-seen" not in signed_in(person("vera", "Viewer")).get(page_of(conversation)).content.decode()

    def test_what_came_after_it_was_shown_stays_unread(self) -> None:
        shown = written()
        written(wire("More", minutes=1))

        conversations.seen(shown.pk, unread=shown.unread, last_at=shown.last_at)

        assert Conversation.objects.get().unread == 2

    @pytest.mark.parametrize("told", [{}, {"unread": "x", "last_at": "y"}, {"unread": "-1", "last_at": "2026-13-40"}])
    def test_what_the_page_did_not_say_changes_nothing(self, desk: Client, told: dict[str, str]) -> None:
        conversation = written()

        assert desk.post(f"{LIST}{conversation.pk}/do/seen/", told).status_code == 204
        assert Conversation.objects.get().unread == 1

    def test_older_pages_leave_nothing_out(self, desk: Client) -> None:
        conversation = written(*(wire(f"text {n:03}", minutes=n) for n in range(40)))

        first = desk.get(page_of(conversation))
        second = desk.get(page_of(conversation), {"before": first.context["following"]})

        said = [one.entry.text for page in (second, first) for one in page.context["shown"]]
        assert said == [f"text {n:03}" for n in range(40)]

    def test_a_viewer_sees_neither_number_nor_name_of_buttons(self) -> None:
        Contact.objects.create(number=NUMBER, name="Asha")
        conversation = written()

        page = signed_in(person("vera", "Viewer")).get(page_of(conversation)).content.decode()

        assert NUMBER not in page
        assert "9198•••••210" in page
        assert 'id="send"' not in page

    def test_what_they_write_is_escaped(self, desk: Client) -> None:
        conversation = written(wire("<script>alert(1)</script>"))

        for address in (LIST, page_of(conversation)):
            assert "<script>alert" not in desk.get(address).content.decode()

    def test_it_asks_as_much_for_many_as_for_one(self, desk: Client, application: Application) -> None:
        def queries(address: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                desk.get(address)
            return len(captured)

        message(application)
        conversation = written()
        desk.get(page_of(conversation))
        page, listed = queries(page_of(conversation)), queries(LIST)
        for n in range(30):
            message(application)
            written(wire(f"{n}", number=str(919876500000 + n)), wire(f"{n}", minutes=n + 1))
        desk.get(page_of(conversation))

        assert queries(page_of(conversation)) == page
        assert queries(LIST) == listed


class AnswerTests:
    def answer(self, desk: Client, conversation: Conversation, **given: Any) -> Any:
        application = Application.objects.get()
        body = {"application": application.pk, "sender_id": "SHOP", "text": "We open at 9"} | given
        return desk.post(f"{LIST}{conversation.pk}/answer/", body)

    @pytest.mark.django_db(transaction=True)
    def test_it_leaves_and_is_shown(
        self, desk: Client, sandbox: RunningSandbox, application: Application, run_jobs: Callable[[], int]
    ) -> None:
        conversation = written()

        answered = self.answer(desk, conversation)
        page = desk.get(page_of(conversation)).content.decode()
        run_jobs()

        assert answered.status_code == 302
        assert "We open at 9" in page
        sent = Message.objects.get()
        assert (sent.number, sent.campaign.text, sent.campaign.kind) == (NUMBER, "We open at 9", "quick")
        assert len(sandbox.sandbox.store.messages) == 1
        after = desk.get(page_of(conversation)).content.decode()
        assert after.count('<p class="c-bubble">We open at 9</p>') == 1
        assert "olga · Accepted" in after or "olga · Delivered" in after
        assert AuditEntry.objects.filter(object_kind__icontains="conversation", summary__icontains="Answered").exists()

    def test_the_usual_way_is_as_what_was_sent(self, desk: Client, application: Application) -> None:
        Application.objects.create(app_id="other", channel="sms", sender_id="OTHER")
        message(application)

        page = desk.get(page_of(written()))

        assert page.context["answer"].initial == {"application": application, "sender_id": "SHOP"}

    def test_a_suppressed_number_gets_none(
        self, desk: Client, sandbox: RunningSandbox, application: Application
    ) -> None:
        conversation = written(wire("STOP"))

        page = desk.get(page_of(conversation)).content.decode()
        assert self.answer(desk, conversation).status_code == 200

        assert "This number is suppressed for SMS" in page
        assert "Opted out with “STOP”" in page
        assert 'id="send"' not in page
        assert not Campaign.objects.exists()

    @pytest.mark.parametrize(
        ("given", "said"), [({"text": " "}, "This field is required"), ({"text": "Hi {{nobody}}"}, "No contact has")]
    )
    def test_what_cannot_be_sent_is_said_and_kept(
        self, desk: Client, application: Application, given: dict[str, str], said: str
    ) -> None:
        page = self.answer(desk, written(), **given)

        assert said in page.content.decode()
        assert not Campaign.objects.exists()

    def test_without_credentials_nothing_is_left_behind(
        self, desk: Client, application: Application, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_API_KEY = ""
        laaffic_client.cache_clear()

        page = self.answer(desk, written())

        assert page.status_code == 200
        assert "We open at 9" in page.content.decode()
        assert not Campaign.objects.exists()

    def test_where_an_approval_is_needed_it_is_asked_for(
        self, desk: Client, sandbox: RunningSandbox, application: Application, settings: LazySettings
    ) -> None:
        settings.LAAFFIC_APPROVAL_COST = 1  # and no price is known
        conversation = written()

        self.answer(desk, conversation)

        assert Approval.objects.get().outcome == Approval.Outcome.ASKED
        assert Campaign.objects.get().state == CampaignState.DRAFT
        page = desk.get(page_of(conversation)).content.decode()
        assert "olga · Draft" in page
        assert "Nothing has left yet." in page

    @pytest.mark.parametrize("problem", [NotNow("Not now."), ValidationError("Not now.")])
    def test_where_it_cannot_be_asked_for_nothing_is_left_behind(
        self,
        desk: Client,
        sandbox: RunningSandbox,
        application: Application,
        settings: LazySettings,
        monkeypatch: pytest.MonkeyPatch,
        problem: Exception,
    ) -> None:
        settings.LAAFFIC_APPROVAL_COST = 1

        def ask(*_given: Any, **_named: Any) -> None:
            raise problem

        monkeypatch.setattr(approvals, "ask", ask)

        page = self.answer(desk, written())

        assert (page.status_code, Campaign.objects.count()) == (200, 0)
        assert "Not now." in page.content.decode()

    def test_the_same_form_twice_sends_once(
        self, operator: User, sandbox: RunningSandbox, application: Application
    ) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(operator)
        conversation = written()
        token = client.get(page_of(conversation)).context["csrf_token"]

        for _click in range(2):
            self.answer(client, conversation, csrfmiddlewaretoken=str(token))

        assert ConversationAnswer.objects.count() == Campaign.objects.count() == 1


class LookingAfterTests:
    def do(self, client: Client, conversation: Conversation, verb: str) -> int:
        return client.post(f"{LIST}{conversation.pk}/do/{verb}/").status_code

    def test_taken_done_reopened_unread(self, desk: Client, operator: User) -> None:
        conversation = written()

        for verb, state, unread in [("take", "open", 1), ("done", "done", 0), ("reopen", "open", 0)]:
            assert self.do(desk, conversation, verb) == 302
            conversation.refresh_from_db()
            assert (conversation.state, conversation.unread) == (state, unread)
        self.do(desk, conversation, "unread")
        conversation.refresh_from_db()

        assert (conversation.unread, conversation.assigned_to) == (1, operator)

    def test_what_nobody_has_seen_keeps_it_open(self, desk: Client) -> None:
        page = desk.get(page_of(written())).content.decode()
        shown = dict(re.findall(r'name="(unread|last_at)" value="([^"]*)"', page.split('id="done"')[0]))
        conversation = written(wire("Wait!", minutes=1))

        said = desk.post(f"{LIST}{conversation.pk}/do/done/", shown, follow=True).content.decode()

        conversation.refresh_from_db()
        assert (conversation.state, conversation.unread) == ("open", 2)
        assert "They have written again in the meantime." in said

    @pytest.mark.parametrize("is_read_before", [True, False])
    def test_what_the_page_has_does_not_keep_it_open(self, desk: Client, is_read_before: bool) -> None:
        """The page shows what comes; its buttons know only what was there when it was opened."""
        page = desk.get(page_of(written())).content.decode()
        shown = dict(re.findall(r'name="(unread|last_at)" value="([^"]*)"', page.split('id="done"')[0]))
        conversation = written(wire("Wait!", minutes=1)) if is_read_before else Conversation.objects.get()
        if is_read_before:
            conversations.seen(conversation.pk, unread=2, last_at=conversation.last_at)

        desk.post(f"{LIST}{conversation.pk}/do/done/", shown)

        conversation.refresh_from_db()
        assert (conversation.state, conversation.unread) == ("done", 0)

    def test_nobody_takes_it_from_another(self, desk: Client) -> None:
        other = person("otto", "Operator")
        conversation = written()
        conversations.take(conversation.pk, by=other)

        self.do(desk, conversation, "take")

        conversation.refresh_from_db()
        assert conversation.assigned_to == other

    def test_what_somebody_had_who_left_is_nobodys(self, desk: Client, operator: User) -> None:
        other = person("otto", "Operator")
        conversation = written()
        conversations.take(conversation.pk, by=other)
        assert (conversations.unread_for(operator, 9), unassigned(operator)) == (0, [])

        other.is_active = False
        other.save()

        assert (conversations.unread_for(operator, 9), unassigned(operator)) == (1, [conversation])
        self.do(desk, conversation, "take")
        conversation.refresh_from_db()
        assert conversation.assigned_to == operator

    @pytest.mark.parametrize(
        "change",
        [
            lambda other: other.groups.clear(),
            lambda other: other.groups.get().user_set.remove(other),
            lambda other: other.groups.get().permissions.remove(Permission.objects.get(codename="answer_conversation")),
            lambda other: other.groups.get().delete(),
            lambda other: (setattr(other, "is_staff", False), other.save()),
        ],
        ids=["no role", "not in the role", "a right of the role", "the role", "no staff"],
    )
    def test_what_somebody_had_who_may_not_answer_any_more_is_nobodys(self, change: Callable[[User], object]) -> None:
        other, conversation = person("otto", "Operator"), written()
        conversations.assign(conversation.pk, to=other, by=other)

        change(other)

        assert Conversation.objects.get().assigned_to is None

    def test_who_keeps_the_right_keeps_theirs(self) -> None:
        other, conversation = person("otto", "Operator"), written()
        other.user_permissions.add(Permission.objects.get(codename="answer_conversation"))
        conversations.assign(conversation.pk, to=other, by=other)

        other.groups.clear()

        assert Conversation.objects.get().assigned_to == other

    def test_an_account_that_was_switched_off_since_it_was_read_is_given_none(self) -> None:
        other, conversation = person("otto", "Operator"), written()
        assert other.has_perm(conversations.ANSWER)
        User.objects.filter(pk=other.pk).update(is_active=False)

        with pytest.raises(NotNow, match="may not answer"):
            conversations.assign(conversation.pk, to=other, by=other)

    def test_only_who_may_answer_is_given_one(self, desk: Client) -> None:
        viewer, other = person("vera", "Viewer"), person("otto", "Operator")
        conversation = written()
        assign = f"{LIST}{conversation.pk}/assign/"

        desk.post(assign, {"to": viewer.pk})
        conversation.refresh_from_db()
        assert conversation.assigned_to is None
        desk.post(assign, {"to": other.pk})

        conversation.refresh_from_db()
        assert conversation.assigned_to == other

    def test_whoever_may_not_answer_is_named(self, operator: User) -> None:
        conversation = written()

        with pytest.raises(NotNow, match="vera may not answer"):
            conversations.assign(conversation.pk, to=person("vera", "Viewer"), by=operator)

        assert not Conversation.objects.exclude(assigned_to=None).exists()

    def test_what_is_so_already_is_no_second_act(self, operator: User) -> None:
        conversation = written()
        with acting(lambda: Actor(operator.pk, "olga", "")):
            for _time in range(2):
                conversations.take(conversation.pk, by=operator)
                conversations.finish(conversation.pk, by=operator)

        assert AuditEntry.objects.filter(object_kind__icontains="conversation").count() == 2

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (" \0\r\n", "it is empty"),
            ("\u200b \u2800", "it is empty"),
            ("x" * (conversations.LONGEST_NOTE + 1), "at most"),
        ],
    )
    def test_a_note_that_cannot_be_kept_says_why(self, operator: User, text: str, why: str) -> None:
        with pytest.raises(ValidationError, match=why):
            conversations.note(written().pk, text, by=operator)

        assert not ConversationNote.objects.exists()

    @pytest.mark.parametrize("address", ["answer/", "note/", "assign/", "do/done/", "do/take/"])
    def test_a_viewer_changes_nothing(self, address: str) -> None:
        conversation = written()

        answer = signed_in(person("vera", "Viewer")).post(f"{LIST}{conversation.pk}/{address}")

        assert answer.status_code == 403

    def test_notes_say_who(self, desk: Client) -> None:
        conversation = written()
        desk.post(f"{LIST}{conversation.pk}/note/", {"note": "Call her back"})

        page = desk.get(page_of(conversation)).content.decode()

        assert "Call her back" in page
        assert "Note by olga" in page

    def test_a_note_that_nobody_could_see_is_refused_on_its_page(self, desk: Client) -> None:
        page = desk.post(f"{LIST}{written().pk}/note/", {"note": "\u200b\u2800"}).content.decode()

        assert "Write the note: it is empty." in page
        # This address takes no GET: the page goes on asking its own.
        assert f'hx-get="{LIST}{Conversation.objects.get().pk}/change/"' in page
        assert not ConversationNote.objects.exists()

    def test_erasing_a_person_leaves_no_text(self, operator: User, application: Application) -> None:
        conversation = written()
        conversations.note(conversation.pk, "Her son is ill", by=operator)
        sent = Campaign.objects.create(name="a", application=application, text="Get well", state="finished")
        ConversationAnswer.objects.create(conversation=conversation, campaign=sent, by=operator)

        people.erase(NUMBER, why="asked", by=operator)

        sent.refresh_from_db()
        assert not Conversation.objects.exists()
        assert sent.text == ""

    def test_an_answer_that_waits_stops_erasing(self, operator: User, application: Application) -> None:
        conversation = written()
        draft = Campaign.objects.create(name="a", application=application, text="Get well")
        ConversationAnswer.objects.create(conversation=conversation, campaign=draft, by=operator)

        with pytest.raises(ValidationError, match="waits"):
            people.erase(NUMBER, why="asked", by=operator)

        assert Conversation.objects.exists()


class ListTests:
    def numbers(self, client: Client, **asked: str) -> list[str]:
        return [one.number for one, _name in client.get(LIST, asked).context["rows"]]

    @pytest.fixture(autouse=True)
    def _some(self, operator: User) -> None:
        for n, number in enumerate(["919876500001", "919876500002", "919876500003", "919876500004"]):
            written(wire(number=number, minutes=n))
        one, two, three, _four = Conversation.objects.order_by("pk")
        conversations.assign(one.pk, to=operator, by=operator)
        conversations.assign(two.pk, to=person("otto", "Operator"), by=operator)
        conversations.finish(three.pk, by=operator)

    @pytest.mark.parametrize(
        ("show", "ends"),
        [("open", "421"), ("mine", "1"), ("unassigned", "4"), ("unread", "421"), ("done", "3"), ("x", "421")],
    )
    def test_each_view_newest_first(self, desk: Client, show: str, ends: str) -> None:
        assert "".join(number[-1] for number in self.numbers(desk, show=show)) == ends

    def test_found_by_number_and_name(self, desk: Client) -> None:
        Contact.objects.create(number="919876500003", name="Asha Rao")

        assert self.numbers(desk, q="9198765") == [f"91987650000{n}" for n in (4, 3, 2, 1)]
        assert self.numbers(desk, q="+91 98765 00002") == ["919876500002"]
        assert self.numbers(desk, q="asha") == ["919876500003"]
        assert self.numbers(desk, q="%") == []

    def test_pages_are_whole(self, desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("messaging.admin.conversations.conversations.SHOWN", 2)

        first = desk.get(LIST)
        second = self.numbers(desk, before=first.context["following"])

        assert [one.number[-1] for one, _name in first.context["rows"]] == ["4", "2"]
        assert [number[-1] for number in second] == ["1"]

    def test_the_menu_counts_mine_and_nobodys(self, operator: User) -> None:
        assert conversations.unread_for(operator, 100) == 2
        assert conversations.unread_for(operator, 1) == 1


def test_a_saved_answer_stands_beside_the_box(desk: Client, application: Application) -> None:
    made = desk.post("/admin/messaging/savedanswer/add/", {"title": "Hours", "text": "We open at 9 & close at 5"})

    assert made.status_code == 302, made.context["adminform"].form.errors
    page = desk.get(page_of(written())).content.decode()
    assert 'data-text="We open at 9 &amp; close at 5"' in page
    assert SavedAnswer.objects.count() == 1


def test_a_stop_from_elsewhere_is_said_too(desk: Client) -> None:
    conversation = written()
    suppression.suppress_numbers([NUMBER], channel="all", reason="complaint")

    assert 'id="stopped"' in desk.get(page_of(conversation)).content.decode()


def test_a_persons_page_leads_to_it(desk: Client) -> None:
    conversation = written()

    assert (
        f'href="{page_of(conversation)}#end"' in desk.get(f"/admin/messaging/contact/person/{NUMBER}/").content.decode()
    )
