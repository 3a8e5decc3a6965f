"""What people say of themselves: their clock, and the phone that their tests go to."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from laaffic_console.audit.models import AuditEntry
from laaffic_console.identity.models import profile_of

pytestmark = pytest.mark.django_db
PAGE = reverse("own_profile")


def test_it_is_kept_for_who_said_it(admin_client: Client, admin_user: User) -> None:
    answer = admin_client.post(PAGE, {"time_zone": "Asia/Kolkata", "number": "+91 98765-43210"})

    kept = profile_of(admin_user)
    assert answer["Location"] == reverse("mfa_index")
    assert (kept.time_zone, kept.number) == ("Asia/Kolkata", "+919876543210")
    assert profile_of(User.objects.create_user("other")).number == ""


def test_what_is_changed_is_recorded(admin_client: Client, admin_user: User) -> None:
    for number in ("+91 98765-43210", "+919876543210", "+919876543211"):
        admin_client.post(PAGE, {"time_zone": "", "number": number})

    entries = AuditEntry.objects.filter(kind="changed", object_kind="auth.user", object_id=str(admin_user.pk))
    assert [entry.details["changes"] for entry in entries.order_by("pk")] == [
        [["my own number", "–", "+919876543210"]],
        [["my own number", "+919876543210", "+919876543211"]],
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time_zone": "Middle/Earth"}, "“Middle/Earth” is not a time zone. Write one like Europe/Berlin."),
        ({"number": "98765"}, "Write the number with + and the country, like +91 98765 43210."),
    ],
)
def test_what_cannot_be_is_said(admin_client: Client, admin_user: User, given: dict[str, str], said: str) -> None:
    answer = admin_client.post(PAGE, given)

    assert said in answer.content.decode()
    assert profile_of(admin_user)._state.adding


def test_it_goes_back_to_where_it_was_asked_for(admin_client: Client) -> None:
    answer = admin_client.post(f"{PAGE}?next=/admin/messaging/campaign/add/", {"number": ""})

    assert answer["Location"] == "/admin/messaging/campaign/add/"
