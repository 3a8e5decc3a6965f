"""The bell, the page of all notices, and the choice of what one is told: each person's own."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from laaffic_console.notices.kinds import Notify
from laaffic_console.notices.models import Choice, Notice
from tests.notices.conftest import Person

pytestmark = [pytest.mark.django_db, pytest.mark.pages]


@pytest.fixture
def ann(person: Person, client: Client) -> User:
    user = person("ann", "Operator")
    client.force_login(user)
    return user


def notice(user: User, name: str = "Autumn", pk: int = 7) -> Notice:
    return Notice.objects.create(
        user=user, kind=Notify.HELD, about=f"campaign:{pk}", subject="campaign", said={"name": name, "reason": "Why."}
    )


def test_the_bell_counts_what_is_unread_and_escapes_it(ann: User, client: Client, person: Person) -> None:
    notice(ann, "<b>Autumn</b>")
    notice(person("bob", "Operator"), "Winter")

    page = client.get("/admin/notices/bell/").content.decode()

    assert "Notices: 1 unread" in page
    assert "&lt;b&gt;Autumn" in page
    assert "Winter" not in page


def test_a_hundred_and_more_are_not_counted(ann: User, client: Client) -> None:
    for n in range(101):
        notice(ann, pk=n)

    assert "Notices: 100+ unread" in client.get("/admin/notices/bell/").content.decode()


def test_a_console_without_a_worker_says_so_to_who_owns_it(ann: User, client: Client, person: Person) -> None:
    assert "No worker" not in client.get("/admin/notices/bell/").content.decode()

    client.force_login(person("owner", "Administrator"))
    assert "No worker" in client.get("/admin/notices/bell/").content.decode()


def test_opening_one_marks_it_and_leads_to_its_page(ann: User, client: Client) -> None:
    one = notice(ann)

    answer = client.post(f"/admin/notices/{one.pk}/")

    one.refresh_from_db()
    assert answer["Location"] == "/admin/messaging/campaign/7/change/"
    assert one.read_at is not None


def test_marking_it_alone_stays_on_the_page(ann: User, client: Client) -> None:
    assert client.post(f"/admin/notices/{notice(ann).pk}/", {"stay": "1"})["Location"] == "/admin/notices/"


def test_another_persons_is_not_there(ann: User, client: Client, person: Person) -> None:
    theirs = notice(person("bob", "Operator"))

    assert client.post(f"/admin/notices/{theirs.pk}/").status_code == 404
    client.post("/admin/notices/read/", {"last": f"{theirs.pk}"})

    theirs.refresh_from_db()
    assert theirs.read_at is None


def test_a_get_changes_nothing(ann: User, client: Client) -> None:
    one = notice(ann)

    assert client.get(f"/admin/notices/{one.pk}/").status_code == 404
    assert client.get("/admin/notices/read/").status_code == 404

    one.refresh_from_db()
    assert one.read_at is None


def test_marking_all_leaves_what_came_since(ann: User, client: Client) -> None:
    shown, since = notice(ann), notice(ann, "Winter", 8)

    client.post("/admin/notices/read/", {"last": f"{shown.pk}"})

    assert list(Notice.objects.filter(read_at=None)) == [since]


def test_unread_ones_come_first(ann: User, client: Client) -> None:
    client.post(f"/admin/notices/{notice(ann, 'Newest', 9).pk}/")
    notice(ann, "Older", 8)

    page = client.get("/admin/notices/").content.decode()

    assert page.index("Older") < page.index("Newest")


def test_choices_are_kept(ann: User, client: Client) -> None:
    client.post("/admin/notices/mine/", {"bell": ["held", "asked"], "email": ["finished"]})

    kept = {row.kind: (row.bell, row.email) for row in Choice.objects.filter(user=ann)}
    assert kept["finished"] == (False, True)
    assert kept["held"] == (True, False)
    page = client.get("/admin/notices/mine/").content.decode()
    assert page.count("checked") == 3
