"""The tour shows itself until somebody has ended it, and again when they ask for it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from laaffic_console.dashboard.models import TourTaken

pytestmark = pytest.mark.django_db
SHOWN = 'id="tour"'


def front_page(client: Client, **asked: str) -> str:
    return client.get("/admin/", asked).content.decode()


def test_it_is_there_until_it_was_ended(admin_client: Client, admin_user: User) -> None:
    assert SHOWN in front_page(admin_client)

    admin_client.post("/admin/tour/")
    admin_client.post("/admin/tour/")

    assert TourTaken.objects.get().user == admin_user
    assert SHOWN not in front_page(admin_client)


def test_it_is_found_again(admin_client: Client, admin_user: User) -> None:
    TourTaken.objects.create(user=admin_user)
    assert 'href="/admin/tour/"' in front_page(admin_client)

    answer = admin_client.get("/admin/tour/", follow=True)

    assert SHOWN in answer.content.decode()


def test_it_is_each_persons_own(admin_client: Client, client: Client) -> None:
    admin_client.post("/admin/tour/")
    client.force_login(User.objects.create_superuser("second"))

    assert SHOWN in front_page(client)
