"""The four roles: what each may see and do on every page of the admin, and that an owner's changes last."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.template.response import SimpleTemplateResponse
from django.test import Client
from django.urls import reverse

from laaffic_console.dashboard import theme
from laaffic_console.dashboard.people import roles
from laaffic_console.gateway.models import Application
from laaffic_console.kit.registers import search_kinds
from messaging.models import Campaign, ContactGroup
from messaging.services.campaigns import drafts
from tests.dashboard import doors

pytestmark = pytest.mark.django_db

# Pages on which each role may begin something new; looking is for everybody.
PEOPLE = {
    "messaging.contact",
    "messaging.audience",
    "messaging.consent",
    "messaging.contactgroup",
    "messaging.contactimport",
    "messaging.suppressionentry",
}
CAMPAIGNS = {"messaging.campaign", "messaging.mmscampaign", "messaging.emailcampaign", "voice.spokencampaign"}
MEDIA = {"messaging.mmsattachment", "messaging.savedanswer", "messaging.messagetemplate", "voice.audiofile"}
CALLS = {"voice.sipcall", "voice.sipphone", "voice.grouptask"}
NUMBERS = {"numbers.binding", "numbers.numberpool"}
REPORTS = {"reports.report"}
BEGINS = {
    roles.VIEWER: set(),
    roles.OPERATOR: PEOPLE | CAMPAIGNS | MEDIA | CALLS | NUMBERS | REPORTS,
    roles.APPROVER: set(),
    roles.ADMINISTRATOR: PEOPLE
    | CAMPAIGNS
    | MEDIA
    | CALLS
    | NUMBERS
    | REPORTS
    | {
        "gateway.application",
        "messaging.listprice",
        "messaging.calendar",
        "messaging.applicationcalendar",
        "messaging.budget",
        "messaging.frequencycap",
        "auth.user",
        "auth.group",
    },
}
PAGES = sorted(
    model._meta.label_lower for model in admin.site._registry if model._meta.app_label in (*roles.APPS, "auth")
)


@pytest.fixture
def signed_in(client: Client) -> Callable[[str], Client]:
    def sign_in(role: str) -> Client:
        user, _ = User.objects.get_or_create(username=role.lower(), is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def opens(signed_in: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], bool]:
    """Whether a page opens for a role: as the table of doors has it, to which test_doors.py holds each page and role.

    Asked for itself where the table does not say: what lies behind an address that leads on, or one with a query.
    """

    def opens(role: str, page: str) -> bool:
        if (letter := doors.written_down(page, role)) in (doors.OPENED, doors.REFUSED):
            return letter == doors.OPENED
        # Whether a page opens is decided before it is drawn; drawing takes most of the time.
        with monkeypatch.context() as undrawn:
            undrawn.setattr(SimpleTemplateResponse, "rendered_content", "")
            return bool(signed_in(role).get(page, follow=True).status_code == 200)

    return opens


def address(label: str, page: str, *arguments: int) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=arguments)


@pytest.mark.parametrize("role", roles.ROLES)
def test_each_page_opens_for_who_may_see_it_and_begins_for_who_may_begin(
    opens: Callable[[str, str], bool], role: str
) -> None:
    seen = {label for label in PAGES if opens(role, address(label, "changelist"))}
    begun = {label for label in PAGES if opens(role, address(label, "add"))}
    people = {"auth.user", "auth.group"}
    assert seen == set(PAGES) - (people if role != roles.ADMINISTRATOR else set())
    assert begun == BEGINS[role]


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (roles.VIEWER, set()),
        (roles.OPERATOR, set()),
        (roles.APPROVER, {"ledgerentry", "pushedbody", "orphanreport", "accounthold"}),
        (roles.ADMINISTRATOR, {"ledgerentry", "pushedbody", "orphanreport", "accounthold", "workerheartbeat"}),
    ],
)
def test_the_machinery_is_in_the_menu_of_who_acts_there(
    signed_in: Callable[[str], Client], role: str, shown: set[str]
) -> None:
    client = signed_in(role)
    request = client.get(reverse("admin:index")).wsgi_request
    machinery = {"ledgerentry", "pushedbody", "orphanreport", "accounthold", "workerheartbeat"}
    pages = {model: reverse(f"admin:gateway_{model}_changelist") for model in machinery}

    menu = {str(item["link"]) for group in theme.groups() for item in group["items"] if _may(item, request)}

    assert {model for model, page in pages.items() if page in menu} == shown
    assert ("l" in {place["key"] for place in theme.places(request)}) == ("ledgerentry" in shown)
    assert ("ledger" in {kind.name for kind in search_kinds.for_person(request.user)}) == ("ledgerentry" in shown)
    assert client.get(pages["ledgerentry"]).status_code == 200  # who knows the address looks as before


def _may(item: dict[str, Any], request: HttpRequest) -> bool:
    return bool(item["permission"](request)) if "permission" in item else True


@pytest.mark.parametrize("role", roles.ROLES)
def test_the_navigation_leads_nowhere_that_is_closed(
    signed_in: Callable[[str], Client], opens: Callable[[str, str], bool], role: str
) -> None:
    navigation = signed_in(role).get(reverse("admin:index")).context["sidebar_navigation"]
    items = [item for group in navigation for item in group["items"] if item.get("has_permission", True)]

    closed = [link for link in (str(item["link"]) for item in items) if not opens(role, link)]

    assert len(items) > 20
    assert closed == []


@pytest.mark.parametrize(
    ("role", "may"),
    [(roles.VIEWER, False), (roles.OPERATOR, True), (roles.APPROVER, False), (roles.ADMINISTRATOR, True)],
)
def test_launching_is_for_operators(
    signed_in: Callable[[str], Client], settings: LazySettings, role: str, may: bool
) -> None:
    draft = drafts.create(
        name="A",
        application=Application.objects.create(app_id="app", channel="sms"),
        sender_id="S",
        text="Hi",
        groups=[ContactGroup.objects.create(name="customers")],
    )
    client = signed_in(role)
    page = client.get(address("messaging.campaign", "review", draft.pk))
    assert page.status_code == 200
    assert page.context["may_launch"] is may
    launched = client.post(address("messaging.campaign", "review", draft.pk))
    assert (launched.status_code != 403) is may
    for verb in ("pause", "resume", "cancel"):
        done = client.post(reverse("admin:messaging_campaign_do", args=[draft.pk, verb]))
        assert (done.status_code != 403) is may
    assert (client.post(reverse("admin:messaging_campaign_test", args=[draft.pk])).status_code != 403) is may


@pytest.mark.parametrize(("role", "may"), [(r, r in (roles.APPROVER, roles.ADMINISTRATOR)) for r in roles.ROLES])
def test_a_word_on_unknown_messages_is_for_approvers(signed_in: Callable[[str], Client], role: str, may: bool) -> None:
    application = Application.objects.create(app_id="app", channel="sms")
    campaign = Campaign.objects.create(name="A", application=application, text="Hi", state="paused")
    page = signed_in(role).get(address("messaging.campaign", "unknown", campaign.pk))
    assert page.status_code == (200 if may else 403)


class OwnersChangesTests:
    def migrate_again(self) -> None:
        """What every `manage.py migrate` does before and after."""
        roles._given_now.clear()  # another process has no memory of this one's first filling
        roles.remember("default")
        for app in ("gateway", "messaging", "voice", "numbers", "auth"):
            roles.fill(apps.get_app_config(app), "default")

    def test_what_was_taken_stays_taken_and_what_was_added_stays(self) -> None:
        operator = Group.objects.get(name=roles.OPERATOR)
        launch = Permission.objects.get(codename="launch_campaign")
        resolve = Permission.objects.get(codename="resolve_campaign")
        operator.permissions.remove(launch)
        operator.permissions.add(resolve)
        Group.objects.get(name=roles.APPROVER).delete()

        self.migrate_again()

        assert launch not in operator.permissions.all()
        assert resolve in operator.permissions.all()
        assert not Group.objects.filter(name=roles.APPROVER).exists()

    def test_what_a_version_brings_is_added_to_its_roles(self) -> None:
        roles._given_now.clear()
        roles.remember("default")
        model = ContentType.objects.get_for_model(Campaign)
        new = Permission.objects.create(content_type=model, codename="view_something_new", name="Can view it")
        roles.fill(apps.get_app_config("messaging"), "default")
        assert all(new in Group.objects.get(name=role).permissions.all() for role in roles.ROLES)

    def test_somebody_elses_groups_are_left_alone(self) -> None:
        night_shift = Group.objects.create(name="Night shift")
        self.migrate_again()
        assert not night_shift.permissions.exists()
