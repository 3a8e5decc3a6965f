"""Who sees masks finds by a whole number, is shown no whole one, and does not guess its digits one by one."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client

from laaffic_console.dashboard import roles
from tests.dashboard import doors

pytestmark = pytest.mark.django_db
NUMBER = "447700900123"
# What search finds by somebody's number or address.
FOUND = {
    "people": "messaging.contact",
    "messages": "messaging.message",
    "replies": "messaging.reply",
    "suppressed": "messaging.suppressionentry",
    "emails": "messaging.emailmessage",
    "calls": "voice.sipcall",
    "call-records": "voice.callrecord",
    "bindings": "numbers.binding",
}
PAGE = "/admin/search/"


@pytest.fixture
def viewer(client: Client) -> User:
    user = User.objects.create_user("asha", is_staff=True)
    user.groups.add(Group.objects.get(name=roles.VIEWER))
    client.force_login(user)
    return user


def with_number(label: str, number: str = NUMBER) -> None:
    row = doors.one(apps.get_model(label), {})
    type(row)._default_manager.filter(pk=row.pk).update(**dict.fromkeys(masked_columns(label), number))


def masked_columns(label: str) -> tuple[str, ...]:
    return tuple(admin.site._registry[apps.get_model(label)].masked)


@pytest.mark.parametrize("kind", FOUND)
def test_search_everything_shows_no_whole_number(client: Client, viewer: User, kind: str) -> None:
    typed = "asha@example.com" if kind == "emails" else NUMBER
    with_number(FOUND[kind], typed)
    asked = f"“{typed}”"  # what was typed is said again

    page = client.get(PAGE, {"q": typed})
    palette = client.get(PAGE, {"s": typed, "extended": "1"})

    titles = [f"{one.title} {one.subtitle}" for part in page.context["found"].parts for one in part.results]
    assert titles
    assert not [title for title in titles if typed in title]
    shown = [f"{one['title']} {one['description']}".replace(asked, "") for one in palette.context["results"]]
    assert not [text for text in shown if typed in text]
