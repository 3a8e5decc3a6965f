"""The list of first steps on the front page: it ticks itself, goes away, and offers only what somebody may do."""

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.test import Client

from laaffic_console.dashboard.front import first_steps
from laaffic_console.gateway.models import Application
from laaffic_console.kit.registers import front_page
from laaffic_console.kit.words.people import APPROVER, OPERATOR, VIEWER
from messaging.models import Campaign, CampaignState, Contact

pytestmark = pytest.mark.django_db


def done(user: User) -> list[str]:
    return [str(step["says"]) for step in first_steps.of(user) if step["done"]]


def person(role: str) -> User:
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return User.objects.get(pk=user.pk)


def test_each_step_ticks_itself(admin_user: User, settings: LazySettings) -> None:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = ""
    assert done(admin_user) == []

    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "x"
    application = Application.objects.create(app_id="4luaKsL2", channel="sms")
    Contact.objects.create(number="919876543210")
    Campaign.objects.create(
        name="t", application=application, kind=Campaign.Kind.TEST, state=CampaignState.FINISHED, text="t"
    )
    Campaign.objects.create(name="draft", application=application, text="t")

    assert done(admin_user) == [
        "Give the console its credentials",
        "Register an application",
        "Import your contacts",
        "Send yourself a test message",
    ]


def test_the_list_is_gone_when_all_is_done(admin_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert first_steps.of(admin_user)
    done = front_page.Step(10, "a", "b", "c", "health", "gateway.view_workerheartbeat", lambda: True)
    monkeypatch.setattr(front_page, "_steps", [done] * 2)

    assert first_steps.of(admin_user) == []


def test_who_puts_it_away_sees_it_no_more_and_others_do(admin_client: Client, admin_user: User) -> None:
    other = User.objects.create_superuser("other")
    assert "First steps" in admin_client.get("/admin/").content.decode()

    admin_client.post("/admin/first-steps/put-away/")

    assert "First steps" not in admin_client.get("/admin/").content.decode()
    assert first_steps.of(other)


@pytest.mark.parametrize(
    ("role", "steps"),
    [
        (OPERATOR, ["Import your contacts", "Send yourself a test message", "Launch the first campaign"]),
        (APPROVER, []),
        (VIEWER, []),
    ],
)
def test_everybody_sees_the_steps_that_are_theirs(role: str, steps: list[str]) -> None:
    assert [str(step["says"]) for step in first_steps.of(person(role))] == steps
