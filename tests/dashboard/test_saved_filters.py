"""A list's filters are kept under a name: for oneself, or for everybody who may see that list."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from laaffic_console.audit.models import AuditEntry
from laaffic_console.dashboard.lists import saved_filters
from laaffic_console.dashboard.models import SavedFilter

pytestmark = pytest.mark.django_db
LIST = "messaging.contact"


def somebody(name: str, *rights: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ann() -> Client:
    return somebody("ann", "view_contact")


def keep(client: Client, name: str = "Indians", query: str = "country=IN&p=3", **more: str) -> str:
    return client.post(
        reverse("save_filter"), {"list": LIST, "name": name, "query": query, **more}, follow=True
    ).content.decode()


def test_it_is_kept_and_leads_to_the_same_rows(ann: Client) -> None:
    page = keep(ann)

    assert "Kept as “Indians”." in page
    assert SavedFilter.objects.get().query == "country=IN"  # and not the third page of it
    assert '?country=IN" aria-current="true">Indians</a>' in page
    assert "Keep this filter" not in page


def test_the_order_of_filters_makes_no_other() -> None:
    assert saved_filters.cleaned("validity=possible&country=IN&e=1") == saved_filters.cleaned(
        "country=IN&validity=possible"
    )


def test_the_same_name_is_taken_over(ann: Client) -> None:
    keep(ann)
    keep(ann, query="country=GB")

    assert SavedFilter.objects.get().query == "country=GB"


def test_others_see_it_once_it_is_shared(ann: Client) -> None:
    bo = somebody("bo", "view_contact")
    keep(ann)
    assert "Indians" not in bo.get(reverse("admin:messaging_contact_changelist")).content.decode()

    keep(ann, is_shared="on")

    page = bo.get(reverse("admin:messaging_contact_changelist")).content.decode()
    assert "Indians" in page
    assert "Remove Indians" not in page


@pytest.mark.parametrize(("query", "is_seen"), [("q=919876543210", False), ("q=Pune&added=2026-11-01", True)])
def test_who_sees_masks_is_shown_none_that_names_a_number(query: str, is_seen: bool) -> None:
    somebodys = somebody("ann", "view_contact", "see_numbers")
    keep(somebodys, name="Asha", query=query, is_shared="on")
    others = [somebody("bo", "view_contact"), somebody("cy", "view_contact", "see_numbers"), somebodys]

    pages = [other.get(reverse("admin:messaging_contact_changelist")).content.decode() for other in others]

    assert ["Asha" in page for page in pages] == [is_seen, True, True]


def test_it_is_removed_by_its_owner_alone(ann: Client) -> None:
    keep(ann, is_shared="on")
    address = reverse("remove_filter", args=[SavedFilter.objects.get().pk])

    assert somebody("bo", "view_contact").post(address).status_code == 403
    assert ann.get(address).status_code == 405
    assert "is removed" in ann.post(address, follow=True).content.decode()
    assert not SavedFilter.objects.exists()


def test_an_administrator_removes_what_somebody_shares(ann: Client) -> None:
    keep(ann, is_shared="on")
    keep(ann, "Britons", "country=GB")
    admin = somebody("root", "view_contact", "change_user")
    shared, own = (reverse("remove_filter", args=[row.pk]) for row in SavedFilter.objects.order_by("pk"))

    assert "Remove Indians" in admin.get(reverse("admin:messaging_contact_changelist")).content.decode()
    assert admin.post(own).status_code == 403
    assert "is removed" in admin.post(shared, follow=True).content.decode()
    assert [row.name for row in SavedFilter.objects.all()] == ["Britons"]


def test_what_somebody_shared_who_has_left_is_shown_to_nobody(ann: Client) -> None:
    keep(ann, is_shared="on")
    User.objects.filter(username="ann").update(is_active=False)

    page = somebody("bo", "view_contact").get(reverse("admin:messaging_contact_changelist")).content.decode()

    assert "Indians" not in page


def test_what_others_see_of_it_is_recorded(ann: Client) -> None:
    keep(ann)  # for herself alone
    keep(ann, is_shared="on")
    keep(ann, is_shared="on")  # as it was
    keep(ann)
    keep(ann, is_shared="on")
    ann.post(reverse("remove_filter", args=[SavedFilter.objects.get().pk]))

    entries = AuditEntry.objects.filter(object_kind=LIST).order_by("pk")
    assert [(entry.person, entry.kind, str(entry.details["event"])) for entry in entries] == [
        ("ann", "changed", "The filter “Indians” is shared with everybody who sees this list"),
        ("ann", "changed", "The filter “Indians” is no longer shared"),
        ("ann", "changed", "The filter “Indians” is shared with everybody who sees this list"),
        ("ann", "changed", "The shared filter “Indians” is removed"),
    ]
    assert entries[0].details["filters"] == "country=IN"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"list": "messaging.message"}, 403),  # a list that she may not see
        ({"list": "messaging.batch"}, 404),  # a table without a list
        ({"list": "nonsense"}, 404),
        ({"name": " \0"}, 302),
        ({"name": "\u200b \u2800"}, 302),
        ({"query": "p=2"}, 302),
        ({"query": "q=" + "x" * 3000}, 302),
    ],
)
def test_what_cannot_be_kept(ann: Client, given: dict[str, str], status: int) -> None:
    asked = {"list": LIST, "name": "All", "query": "country=IN"} | given

    assert ann.post(reverse("save_filter"), asked).status_code == status
    assert not SavedFilter.objects.exists()


def test_there_is_an_end(ann: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_filters, "MOST", 1)
    keep(ann)

    assert "Remove one first" in keep(ann, "Britons", "country=GB")
