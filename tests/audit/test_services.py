"""What services tell: steps of campaigns by a person or the shell, requests; nothing that follows by itself."""

import contextlib
import contextvars
import sys
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from django import forms
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.forms import modelform_factory
from django.utils import translation

from laaffic_console import __main__ as entry
from laaffic_console.audit.models import AuditEntry
from laaffic_console.audit.services import chain
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.audit import acts
from laaffic_console.kit.audit.acts import Act, Actor, acting, record
from laaffic_console.kit.forms import edits
from laaffic_console.kit.words import said
from messaging.models import Campaign, Contact, ContactGroup, SuppressionEntry
from messaging.services.campaigns import campaigns, drafts, follow_ups, starting, states
from messaging.services.contacts import contact_writes, contacts, people, suppression
from messaging.services.refusals import NotApproved

pytestmark = pytest.mark.django_db
SHELL = Actor(None, "shell user ada", is_shell=True)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def application() -> Application:
    return Application.objects.create(app_id="smsApp01", channel="sms")


@pytest.fixture
def running(application: Application) -> Campaign:
    return Campaign.objects.create(name="spring", application=application, text="hi", state="running")


@pytest.fixture
def _may_send(settings: LazySettings) -> Iterator[None]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    yield
    account.laaffic_client.cache_clear()


def signed_in(user: User) -> Actor:
    return Actor(user.pk, user.username, "203.0.113.7")


def told() -> list[tuple[str, str, str, str]]:
    """Kind, who, about what, and what happened."""
    rows = AuditEntry.objects.order_by("id")
    return [(one.kind, one.person, one.object_label, one.details.get("event", "")) for one in rows]


def test_a_campaign_is_paused_by_a_person(running: Campaign, ada: User) -> None:
    with acting(lambda: signed_in(ada)):
        campaigns.pause(running.pk, by=ada)
        campaigns.cancel(running.pk, by=ada)

    assert told() == [("steered", "ada", "spring", "Paused"), ("steered", "ada", "spring", "Cancelled")]


def test_and_from_the_shell(running: Campaign) -> None:
    with acting(lambda: SHELL):
        campaigns.pause(running.pk)

    assert told() == [("steered", "shell user ada", "spring", "Paused")]


def test_what_follows_by_itself_is_nobodys_act(running: Campaign, ada: User) -> None:
    states.hold(running.pk, "no funds")
    with acting(lambda: signed_in(ada)):
        states.hold(running.pk, "no funds")

    assert told() == []


def test_every_draft_is_told_whoever_made_it_and_however(application: Application, ada: User) -> None:
    """Send SMS, an answer, a call to one number: each makes its draft by this service, and no form tells it."""
    for who, by in ((SHELL, None), (signed_in(ada), ada)):
        with acting(lambda who=who: who):
            drafts.create(name="spring", application=application, sender_id="ACME", text="hi", groups=[], by=by)

    assert [(kind, person) for kind, person, *_rest in told()] == [("added", "shell user ada"), ("added", "ada")]


@pytest.mark.usefixtures("_may_send")
def test_a_test_and_a_copy_are_told_with_who_asked_for_them(application: Application, ada: User) -> None:
    draft = drafts.create(name="spring", application=application, sender_id="ACME", text="hi", numbers=["919876500000"])
    Campaign.objects.filter(pk=draft.pk).update(state="finished")

    with acting(lambda: signed_in(ada)):
        test = starting.launch_test(draft, "919876500001", by=ada)
        copy = follow_ups.copy(draft.pk, by=ada)

    added = [(person, about) for kind, person, about, _event in told() if kind == "added"]
    assert added == [("ada", test.name), ("ada", copy.name)]


@pytest.mark.usefixtures("_may_send")
def test_what_a_program_sends_is_told_by_its_launch_and_a_draft_that_stays_one_by_itself(
    application: Application, ada: User, settings: LazySettings
) -> None:
    def sent(name: str, numbers: list[str]) -> None:
        draft = drafts.create(
            name=name, application=application, text="hi", numbers=numbers, kind="quick", by=ada, is_noted=False
        )
        with contextlib.suppress(NotApproved):
            starting.launch_new(draft, by=ada)

    with acting(lambda: signed_in(ada)):
        sent("one", ["919876500001"])
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
        sent("two", ["919876500001", "919876500002"])

    assert [(kind, person, about) for kind, person, about, _event in told()] == [
        ("steered", "ada", "one"),
        ("added", "ada", "two"),
    ]


def test_what_a_person_asks_of_laaffic(application: Application, ada: User) -> None:
    with acting(lambda: signed_in(ada)):
        entry = ledger.prepare(
            interface="bind", application=application, about_kind="binding request", about_id=7, summary={}
        )

    made = AuditEntry.objects.get()
    assert (made.kind, made.object_label) == ("requested", "binding request 7")
    assert made.summary == {"interface": "bind", "ledger": entry.pk}


def test_numbers_are_suppressed_and_allowed_again(ada: User) -> None:
    Contact.objects.bulk_create(Contact(number=f"9198765432{n}") for n in (10, 11))
    with acting(lambda: signed_in(ada)):
        suppression.suppress_contacts(Contact.objects.all(), channel="all", reason="manual", by=ada)
        one = SuppressionEntry.objects.filter(number="919876543210")
        suppression.allow_again(one, why="asked for it", by=ada)

    first, second = AuditEntry.objects.order_by("id")
    assert (first.kind, first.object_label, first.summary["numbers"]) == ("suppressed", "suppression list", 2)
    assert (second.kind, second.object_label, second.summary["why"]) == ("allowed", "919876543210", "asked for it")


class ContactsTests:
    """What is done to chosen contacts is one entry that says how many; what is stopped halfway has one too."""

    @pytest.fixture(autouse=True)
    def _contacts(self) -> None:
        Contact.objects.bulk_create(Contact(number=f"9198765432{n}") for n in (10, 11, 12))

    def test_they_come_into_a_group_and_leave_it(self, ada: User) -> None:
        group = ContactGroup.objects.create(name="Spring")
        with acting(lambda: signed_in(ada)):
            contacts.add_to_group(Contact.objects.all(), group)
            contacts.remove_from_group(Contact.objects.filter(number__endswith="0"), group)

        assert told() == [
            ("changed", "ada", "Spring", "contacts are added to the group"),
            ("changed", "ada", "Spring", "contacts are taken out of the group"),
        ]
        assert [one.summary["contacts"] for one in AuditEntry.objects.order_by("id")] == [3, 1]

    def test_they_are_deleted(self, ada: User) -> None:
        with acting(lambda: signed_in(ada)):
            contacts.delete(Contact.objects.all())

        made = AuditEntry.objects.get()
        assert (made.kind, made.object_label, made.summary["contacts"]) == ("deleted", "contacts", 3)

    def test_whose_deletion_fails_midway_is_told(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(contact_writes, "delete", Mock(side_effect=OSError))
        with acting(lambda: signed_in(ada)), pytest.raises(OSError):  # noqa: PT011 - a full disk
            contacts.delete(Contact.objects.all())

        assert AuditEntry.objects.get().summary["contacts"] == 3

    def test_none_chosen_is_no_act(self, ada: User) -> None:
        with acting(lambda: signed_in(ada)):
            contacts.delete(Contact.objects.none())

        assert told() == []

    def test_a_group_for_one_message_is_told_by_its_campaign(self, ada: User) -> None:
        with acting(lambda: signed_in(ada)):
            contacts.quick_group(Contact.objects.all(), "Hello")

        assert told() == []

    def test_a_person_is_erased(self, ada: User) -> None:
        with acting(lambda: signed_in(ada)):
            people.erase("919876543210", why="asked for it", by=ada)

        made = AuditEntry.objects.get()
        assert (made.kind, made.object_kind, made.object_label) == ("deleted", "messaging.erasure", "919876543210")
        assert made.summary == {"why": "asked for it", "contacts": 1}


def test_a_push_that_opts_out_is_nobodys_act() -> None:
    suppression.suppress_numbers(["919876543210"], channel="sms", reason="opt_out", source="reply")

    assert told() == []


class LanguageTests:
    """Whoever reads it reads it in their own language, whatever whoever acted had chosen."""

    def test_an_event(self, running: Campaign, ada: User) -> None:
        with acting(lambda: signed_in(ada)), translation.override("zh-hans"):
            campaigns.pause(running.pk, by=ada)

        entry = AuditEntry.objects.get()
        assert entry.details["event"] == "Paused"
        with translation.override("zh-hans"):
            assert entry.details["event"] == "已暂停"

    def test_a_field_and_its_choice(self, running: Campaign) -> None:
        form = modelform_factory(Campaign, fields=["purpose"])({"purpose": "marketing"}, instance=running)
        assert form.is_valid(), form.errors
        with translation.override("zh-hans"):
            record(Act.CHANGED, running, by=SHELL, changes=list(edits.of(form)))

        ((field, before, after),) = AuditEntry.objects.get().details["changes"]
        assert (field, before, after) == ("purpose", "Not specified", "Marketing")
        with translation.override("zh-hans"):
            ((field, before, after),) = AuditEntry.objects.get().details["changes"]
            assert (field, before, after) == ("用途", "未指定", "营销")

    def test_what_a_form_has_changed(self, running: Campaign) -> None:
        class Form(forms.Form):
            latest_end = forms.DateTimeField()
            is_archived = forms.BooleanField()

        form = Form({"latest_end": "2027-04-03 09:30", "is_archived": "on"})
        assert form.is_valid(), form.errors
        with translation.override("zh-hans"):
            record(Act.CHANGED, running, by=SHELL, changes=list(edits.of(form, said.shaped("%(n)s", n=1))))

        changes = AuditEntry.objects.get().details["changes"]
        assert [after for _field, _before, after in changes] == ["3 Apr 2027, 09:30", "Yes"]
        assert changes[0][0].startswith("1: ")
        with translation.override("zh-hans"):
            changes = AuditEntry.objects.get().details["changes"]
            assert [after for _field, _before, after in changes] == ["2027年4月3日 09:30", "是"]

    def test_the_chain_stands_whoever_looks(self, running: Campaign, ada: User) -> None:
        with acting(lambda: signed_in(ada)):
            campaigns.pause(running.pk, by=ada)
        chain.seal()

        with translation.override("zh-hans"):
            assert chain.verify().problem == ""


@pytest.mark.parametrize(("command", "is_somebodys"), [("worker", False), ("qcluster", False), ("contacts", True)])
def test_a_worker_is_not_the_one_who_started_it(
    monkeypatch: pytest.MonkeyPatch, command: str, is_somebodys: bool
) -> None:
    found: list[acts.Actor | None] = []
    monkeypatch.setattr(sys, "argv", ["laaffic-console", command])
    monkeypatch.setattr(entry, "execute_from_command_line", lambda: found.append(acts.actor()))
    monkeypatch.setattr(entry.garbage, "look_seldom", lambda: None)

    contextvars.copy_context().run(entry.main)

    assert [bool(actor) for actor in found] == [is_somebodys]
