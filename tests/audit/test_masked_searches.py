"""Who sees masks finds by a whole number, is shown no whole one, and does not guess its digits one by one."""

from typing import cast

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.test import Client, RequestFactory
from django.urls import reverse

from laaffic_console.dashboard.people import roles
from laaffic_console.exporting import kinds
from laaffic_console.kit.audit import acts
from laaffic_console.kit.lists import list_order
from messaging.models import Campaign, Contact, Conversation
from messaging.services.campaigns import previews
from messaging.services.saved_audiences import audiences
from phone_numbers.models import Binding
from tests.dashboard import doors

pytestmark = pytest.mark.django_db
NUMBER = "447700900123"
BLIND = acts.Actor(1, "asha", sees_numbers=False)
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


PARTS = [NUMBER[:5], NUMBER[:-1], NUMBER[3:9], NUMBER[-4:]]
LISTS = [
    "messaging.contact",
    "messaging.message",
    "messaging.reply",
    "messaging.suppressionentry",
    "messaging.conversation",
    "voice.sipcall",
    "voice.callrecord",
    "numbers.binding",
]


def found_in_list(client: Client, label: str, typed: str) -> int:
    context = client.get(reverse(f"admin:{label.replace('.', '_')}_changelist"), {"q": typed}).context
    return len(context["cl"].result_list if "cl" in context else context["rows"])


@pytest.mark.parametrize("label", LISTS)
def test_no_list_finds_by_a_part_of_a_masked_number(client: Client, viewer: User, label: str) -> None:
    with_number(label)
    Contact.objects.get_or_create(number=NUMBER)  # messages are found by the parts of contacts' numbers

    assert [typed for typed in PARTS if found_in_list(client, label, typed)] == []
    assert found_in_list(client, label, NUMBER) == 1
    viewer.groups.add(Group.objects.get(name=roles.OPERATOR))
    assert found_in_list(client, label, NUMBER[:5]) == 1


@pytest.mark.parametrize("kind", FOUND)
def test_search_everything_finds_nothing_by_a_part_of_a_masked_number(client: Client, viewer: User, kind: str) -> None:
    with_number(FOUND[kind])

    found = {typed: client.get(PAGE, {"q": typed}).context["found"].parts for typed in PARTS}

    assert {typed: parts for typed, parts in found.items() if any(part.kind.name == kind for part in parts)} == {}


@pytest.mark.parametrize(("typed", "n"), [("asha@exam", 0), ("asha@example.com", 1), ("Asha@Example.com", 1)])
def test_an_address_is_found_as_a_whole(client: Client, viewer: User, typed: str, n: int) -> None:
    Contact.objects.create(number=NUMBER, email="asha@example.com")

    assert found_in_list(client, "messaging.contact", typed) == n
    assert len(client.get(PAGE, {"q": typed}).context["found"].parts) == n


@pytest.mark.parametrize("typed", [*PARTS, "asha@exam"])
def test_a_preview_is_of_nobody_whose_number_is_guessed(viewer: User, typed: str) -> None:
    Contact.objects.create(number=NUMBER, name="Ravi", email="asha@example.com")
    campaign = cast(Campaign, doors.one(Campaign, {}))

    with acts.acting(lambda: BLIND):
        assert previews.asked_for(campaign, typed).contact is None
        assert previews.asked_for(campaign, NUMBER).contact is not None
    assert previews.asked_for(campaign, typed).contact is not None


def test_a_file_that_a_worker_makes_is_searched_as_its_asker_may(viewer: User) -> None:
    Contact.objects.create(number=NUMBER)
    kind = kinds.named("messaging.contact")

    def count(typed: str) -> int:
        return kind.count({"query": f"q={typed}"}, User.objects.get(pk=viewer.pk), 10)

    assert [count(typed) for typed in PARTS] == [0, 0, 0, 0]
    assert count(NUMBER) == 1
    viewer.groups.add(Group.objects.get(name=roles.OPERATOR))
    assert count(NUMBER[:5]) == 1


@pytest.mark.parametrize("part", ["98765", "9", "a@", "n° 4"])
def test_no_condition_asks_for_a_part_of_what_is_masked(db: None, part: str) -> None:
    """By how many have it a number among the attributes would be found digit after digit, with the name beside it."""
    Contact.objects.create(number=NUMBER, attributes={"mobile": NUMBER, "city": "Pune"})
    text = f'attribute.mobile contains "{part}"'
    assert audiences.read(text)

    with acts.acting(lambda: BLIND):
        with pytest.raises(ValidationError, match="contains"):
            audiences.read(text)
        with pytest.raises(ValidationError, match="contains"):
            audiences.create(name="One", condition=f"country = IN or not ({text})")
        assert audiences.read(f'attribute.mobile = "{NUMBER}" and attribute.city contains "un"')


@pytest.mark.parametrize("label", LISTS)
def test_no_list_is_sorted_by_what_is_masked(rf: RequestFactory, viewer: User, label: str) -> None:
    model_admin = admin.site._registry[apps.get_model(label)]
    request = rf.get("/")
    request.user = viewer

    def orders() -> set[str]:
        return {list_order.order_of(model_admin, column) for column in model_admin.get_sortable_by(request)}

    assert orders() & set(masked_columns(label))
    with acts.acting(lambda: BLIND):
        assert not orders() & set(masked_columns(label))


def test_a_conversation_is_not_found_by_a_contact_whom_nobody_shows(client: Client, viewer: User) -> None:
    Contact.objects.create(number=NUMBER, name="Ravi")
    with_number("messaging.conversation")
    Conversation.objects.update(subscriber=NUMBER)
    assert found_in_list(client, "messaging.conversation", "Ravi") == 1

    Group.objects.get(name=roles.VIEWER).permissions.remove(Permission.objects.get(codename="view_contact"))

    assert found_in_list(client, "messaging.conversation", "Ravi") == 0
    assert found_in_list(client, "messaging.conversation", NUMBER) == 1


def test_the_api_finds_bindings_by_a_whole_number(viewer: User) -> None:
    with_number("numbers.binding")

    with acts.acting(lambda: BLIND):
        assert not Binding.objects.with_number(NUMBER[:9]).exists()
        assert Binding.objects.with_number(NUMBER).exists()
    assert Binding.objects.with_number(NUMBER[:9]).exists()


def test_the_search_box_says_what_it_finds(client: Client, viewer: User) -> None:
    help_text = "Numbers and addresses are masked for you: only whole ones are found"

    shown = client.get(reverse("admin:messaging_contact_changelist"))
    assert help_text in shown.content.decode()
    viewer.groups.add(Group.objects.get(name=roles.OPERATOR))
    assert help_text not in client.get(reverse("admin:messaging_contact_changelist")).content.decode()
