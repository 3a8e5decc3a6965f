"""The bell, the page of all notices, and the choice of what one is told: each person's own."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

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


def happens_again(one: Notice) -> None:
    """As it is handed out: on its row."""
    said = {"name": "Autumn", "reason": "Something else."}
    Notice.objects.filter(pk=one.pk).update(said=said, count=2, last_at=timezone.now())


def until(one: Notice) -> str:
    return one.last_at.isoformat()


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
    client.post("/admin/notices/read/", {"last": f"{theirs.pk}", "until": until(theirs)})

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

    client.post("/admin/notices/read/", {"last": f"{shown.pk}", "until": until(since)})

    assert list(Notice.objects.filter(read_at=None)) == [since]


def held(page: str, form: str) -> dict[str, str]:
    """What that form of the page posts."""
    [inside] = re.findall(f'<form method="post" action="{form}">(.*?)</form>', page, re.DOTALL)
    return dict(re.findall(r'<input type="hidden" name="(last|until)" value="([^"]*)">', inside))


@pytest.mark.parametrize("page", ["/admin/notices/", "/admin/notices/bell/"])
def test_marking_all_leaves_what_has_happened_again_since(ann: User, client: Client, page: str) -> None:
    again, seen = notice(ann), notice(ann, "Winter", 8)
    shown = held(client.get(page).content.decode(), "/admin/notices/read/")
    happens_again(again)

    client.post("/admin/notices/read/", shown)

    assert list(Notice.objects.filter(read_at=None)) == [again]
    assert Notice.objects.exclude(read_at=None).get() == seen


def test_marking_one_leaves_it_where_it_has_happened_again_since(ann: User, client: Client) -> None:
    one = notice(ann)
    shown = held(client.get("/admin/notices/").content.decode(), f"/admin/notices/{one.pk}/")
    happens_again(one)

    answer = client.post(f"/admin/notices/{one.pk}/", {**shown, "stay": "1"})
    assert answer["Location"] == "/admin/notices/"
    assert Notice.objects.get().read_at is None

    client.post(f"/admin/notices/{one.pk}/", shown)  # to its page, which shows how things are
    assert Notice.objects.get().read_at is not None


@pytest.mark.parametrize("page", ["/admin/notices/", "/admin/notices/bell/"])
def test_opening_what_has_no_page_leaves_what_has_happened_again_since(ann: User, client: Client, page: str) -> None:
    more = Notice.objects.create(user=ann, kind=Notify.MORE, said={"kinds": {"held": 1}})
    shown = held(client.get(page).content.decode(), f"/admin/notices/{more.pk}/")
    Notice.objects.update(said={"kinds": {"held": 2}}, last_at=timezone.now())

    client.post(f"/admin/notices/{more.pk}/", shown)

    assert Notice.objects.get().read_at is None


@pytest.mark.parametrize(
    "until", ["", "yesterday", "2026-13-01T00:00:00+00:00", "2026-03-01T00:00:00", "0001-01-01T00:00:00+14:00"]
)
def test_marking_all_up_to_no_moment_is_refused(ann: User, client: Client, until: str) -> None:
    one = notice(ann)

    assert client.post("/admin/notices/read/", {"last": f"{one.pk}", "until": until}).status_code == 404
    assert Notice.objects.get().read_at is None


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
