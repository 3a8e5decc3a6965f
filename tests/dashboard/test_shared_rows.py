"""Two people over one row: the older form is told what the newer has stored, and nothing that was typed is lost."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.kit.forms.shared_rows import SEEN, SeenForm
from messaging.models import Campaign, Contact, ContactGroup, EmailCampaign, ListPrice, SuppressionEntry
from messaging.services.contacts import pastes
from voice.models import GroupTask

pytestmark = pytest.mark.django_db

Row = Any
OVERTAKEN = "Somebody else has saved this in the meantime."


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def page_of(row: Row) -> str:
    what = "edit" if isinstance(row, GroupTask) else "change"
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{what}", args=[row.pk])


def opened(client: Client, row: Row) -> dict[str, Any]:
    """What a browser would send for the page as it is: the form's own data, with what it was shown with."""
    answer = client.get(page_of(row))
    form = answer.context["adminform"].form if "adminform" in answer.context else answer.context["form"]
    sent: dict[str, Any] = {}
    for bound in form:
        fill(sent, bound.html_name, bound.field.widget, bound.value())
    token = re.search(rf'name="{SEEN}" value="([^"]+)"', answer.content.decode())
    assert token is not None
    return sent | {SEEN: unescape(token[1])}


def fill(sent: dict[str, Any], name: str, widget: Any, value: Any) -> None:
    widget = getattr(widget, "widget", widget)
    if hasattr(widget, "widgets_names"):
        for part, ending, one in zip(widget.widgets, widget.widgets_names, widget.decompress(value), strict=True):
            fill(sent, name + ending, part, one)
    elif widget.__class__.__name__.endswith("FileInput") or (value is False or value is None):
        return
    elif value is True:
        sent[name] = "on"
    elif isinstance(value, list | tuple):
        sent[name] = [getattr(part, "pk", part) for part in value]
    else:
        shown = widget.format_value(getattr(value, "pk", value))
        sent[name] = "" if shown is None else shown


def contact(application: Application) -> Row:
    return Contact.objects.create(number="919876543210", name="Asha", country="IN", attributes={"city": "Pune"})


def email(application: Application) -> Row:
    mailer = Application.objects.create(app_id="mail1234", channel="email")
    ids = {"from_address": "shop@example.com", "receiver_id": "12", "template_id": "34", "subject": "Sale"}
    return EmailCampaign.objects.create(name="Spring", application=mailer, **ids)


def group_call(application: Application) -> Row:
    caller = Application.objects.create(app_id="voice123", channel="voice")
    return GroupTask.objects.create(name="Spring", application=caller, text="Hello", number_count=1)


def spoken(application: Application) -> Row:
    caller = Application.objects.create(app_id="voice123", channel="voice")
    from voice.models import SpokenCampaign

    return SpokenCampaign.objects.create(name="Spring", application=caller, text="Hello", channel="voice")


# A row, the field that the other changes, and one that this person changes.
ROWS: dict[str, tuple[Callable[[Application], Row], str, str]] = {
    "contact": (contact, "name", "language"),
    "group": (lambda app: ContactGroup.objects.create(name="Gold"), "name", "name"),
    "SMS draft": (lambda app: Campaign.objects.create(name="Spring", application=app, text="Hello"), "text", "name"),
    "spoken draft": (spoken, "text", "name"),
    "email draft": (email, "subject", "name"),
    "group call": (group_call, "text", "name"),
    "application": (lambda app: app, "sender_id", "name"),
    "price": (
        lambda app: ListPrice.objects.create(channel="sms", country="IN", price="0.01", currency="USD"),
        "currency",
        "country",
    ),
    "user": (lambda app: User.objects.create_user("ada", email="ada@example.com"), "email", "first_name"),
    "role": (lambda app: Group.objects.create(name="Night shift"), "name", "name"),
}


FEW = ("contact", "SMS draft")  # the others are left out of make fast


@pytest.fixture(params=[name if name in FEW else pytest.param(name, marks=pytest.mark.thorough) for name in ROWS])
def case(request: pytest.FixtureRequest, application: Application) -> tuple[Row, str, str]:
    make, theirs, mine = ROWS[request.param]
    return make(application), theirs, mine


def said_by(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_the_older_form_is_told_and_stores_nothing(root: Client, case: tuple[Row, str, str]) -> None:
    row, theirs, mine = case
    sent = opened(root, row)
    type(row).objects.filter(pk=row.pk).update(**{theirs: "EUR"})

    answer = root.post(page_of(row), sent | {mine: "ZW"})

    assert OVERTAKEN in said_by(answer)
    assert "“EUR”" in said_by(answer)
    assert 'value="ZW"' in said_by(answer)
    row.refresh_from_db()
    assert getattr(row, theirs) == "EUR"
    assert mine == theirs or getattr(row, mine) != "ZW"


def test_who_looked_and_saves_again_is_obeyed(root: Client, case: tuple[Row, str, str]) -> None:
    row, theirs, mine = case
    sent = opened(root, row)
    type(row).objects.filter(pk=row.pk).update(**{theirs: "EUR"})
    told = root.post(page_of(row), sent | {mine: "ZW"})
    token = re.search(rf'name="{SEEN}" value="([^"]+)"', told.content.decode())
    assert token is not None

    answer = root.post(page_of(row), sent | {mine: "ZW", SEEN: unescape(token[1])})

    assert answer.status_code == 302, said_by(answer)
    row.refresh_from_db()
    assert getattr(row, mine) == "ZW"


def test_nobody_is_asked_where_nothing_has_changed(root: Client, case: tuple[Row, str, str]) -> None:
    row, _theirs, mine = case

    answer = root.post(page_of(row), opened(root, row) | {mine: "ZW"})

    assert answer.status_code == 302, said_by(answer)


def test_what_was_not_touched_is_taken_over(root: Client, application: Application) -> None:
    row = contact(application)
    sent = opened(root, row)
    Contact.objects.filter(pk=row.pk).update(name="Asha Rao")

    shown = said_by(root.post(page_of(row), sent | {"language": "hi"}))

    assert "You had not changed it, so that is taken over." in shown
    assert 'value="Asha Rao"' in shown


def test_pasted_numbers_are_told_by_how_many_they_are(root: Client, application: Application) -> None:
    """Which paste it is stands in the form as a signed word, which nobody reads."""
    row = Campaign.objects.create(name="Spring", application=application, text="Hello")
    sent = opened(root, row)
    paste = pastes.from_lines(["+919876543210", "+919876543211"])
    Campaign.objects.filter(pk=row.pk).update(paste=paste)

    shown = said_by(root.post(page_of(row), sent | {"name": "Summer"}))
    assert "Numbers: now “2”. You had not changed it, so that is taken over." in shown

    sent = opened(root, row)
    Campaign.objects.filter(pk=row.pk).update(paste=None)
    assert "Numbers: now “–”." in said_by(root.post(page_of(row), sent))


def test_attributes_and_groups_are_compared_too(root: Client, application: Application) -> None:
    row = contact(application)
    sent = opened(root, row)
    row.groups.add(ContactGroup.objects.create(name="Gold"))
    Contact.objects.filter(pk=row.pk).update(attributes={"city": "Mumbai"})

    shown = said_by(root.post(page_of(row), sent))

    assert "now “Gold”" in shown
    assert "“city: Mumbai”" in shown


def test_a_token_of_another_row_says_nothing(root: Client, application: Application) -> None:
    one, other = contact(application), Contact.objects.create(number="919876543211", name="Bo")

    answer = root.post(page_of(other), opened(root, other) | {SEEN: opened(root, one)[SEEN]})

    assert answer.status_code == 302


def test_a_stranger_cannot_make_up_what_was_seen(root: Client, application: Application) -> None:
    row = contact(application)

    answer = root.post(page_of(row), opened(root, row) | {SEEN: "eyJuYW1lIjoiIn0:made-up"})

    assert answer.status_code == 302


def test_every_form_over_a_row_in_the_admin_compares(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = User.objects.create_superuser("root")
    ours = [model for model in admin.site._registry if model is not SuppressionEntry]
    for model in ours:
        found = admin.site.get_model_admin(model)
        if found.has_change_permission(request, None) and model is not EmailCampaign:
            assert issubclass(found.get_form(request, model(), change=True), SeenForm), model


# What the console itself writes on a row, behind the form's back.
BEHIND: dict[str, dict[str, Any]] = {
    "contact": {"validity": "possible", "source": "import"},
    "SMS draft": {"total": 7, "wait_reason": "theirs"},
    "spoken draft": {"total": 7, "wait_reason": "theirs"},
    "email draft": {"wait_reason": "theirs"},
    "group call": {"task_name": "theirs"},
    "user": {"last_login": timezone.now()},
}
DRAFTS = ("SMS draft", "spoken draft", "email draft", "group call")


def once_loaded(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do it when the row has been read for the form, and before anything of it is stored."""
    made = SeenForm.__init__

    def make(form: SeenForm, *args: Any, **kwargs: Any) -> None:
        made(form, *args, **kwargs)
        monkeypatch.setattr(SeenForm, "__init__", made)
        act()

    monkeypatch.setattr(SeenForm, "__init__", make)


@pytest.mark.parametrize("with_token", [True, False])
@pytest.mark.parametrize("what", DRAFTS)
def test_a_form_does_not_undo_a_launch(
    root: Client, application: Application, monkeypatch: pytest.MonkeyPatch, what: str, with_token: bool
) -> None:
    make, _theirs, mine = ROWS[what]
    row = make(application)
    rows = type(row).objects.filter(pk=row.pk)
    sent = opened(root, row) | {mine: "typed"}
    if not with_token:
        del sent[SEEN]
    once_loaded(monkeypatch, lambda: rows.update(state="running"))

    answer = root.post(page_of(row), sent)

    assert (rows.get().state, getattr(rows.get(), mine)) == ("running", "Spring")
    assert "been launched or assigned to somebody else" in said_by(answer)
    assert "typed" in said_by(answer)


@pytest.mark.parametrize("what", BEHIND)
def test_a_form_writes_only_its_own_columns(
    root: Client, application: Application, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    make, _theirs, mine = ROWS[what]
    row = make(application)
    sent = opened(root, row) | {mine: "ZW"}
    behind = {name: value for name, value in BEHIND[what].items() if name not in sent or name in SeenForm.unwatched}
    once_loaded(monkeypatch, lambda: type(row).objects.filter(pk=row.pk).update(**behind))

    answer = root.post(page_of(row), sent)

    assert answer.status_code == 302, said_by(answer)
    row = type(row).objects.get(pk=row.pk)
    assert getattr(row, mine) == "ZW"
    assert {name: getattr(row, name) for name in behind} == behind


def test_a_row_that_was_deleted_meanwhile_is_said(
    root: Client, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = contact(application)
    sent = opened(root, row) | {"name": "typed"}
    once_loaded(monkeypatch, lambda: Contact.objects.all().delete())

    answer = root.post(page_of(row), sent)

    assert "been deleted in the meantime" in said_by(answer)
    assert not Contact.objects.exists()
