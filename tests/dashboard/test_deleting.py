"""Pages that ask before something is deleted, or say why it cannot be."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from messaging.models import ContactGroup
from messaging.services.campaigns import drafts

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> ContactGroup:
    return ContactGroup.objects.create(name="VIP")


@pytest.fixture
def _needed(application: Application, group: ContactGroup) -> None:
    drafts.create(name="Autumn", application=application, sender_id="", text="Hi", groups=[group])


def words(page: Any) -> str:
    return " ".join(page.content.decode().split())


@pytest.mark.usefixtures("_needed")
def test_what_is_needed_says_by_what_and_leads_back(admin_client: Client, group: ContactGroup) -> None:
    page = words(admin_client.get(reverse("admin:messaging_contactgroup_delete", args=[group.pk])))

    assert "“VIP” cannot be deleted" in page
    assert "Autumn" in page
    assert f'href="{reverse("admin:messaging_contactgroup_change", args=[group.pk])}">Back' in page
    assert "protected related objects" not in page


@pytest.mark.usefixtures("_needed")
def test_of_several_the_needed_are_named(admin_client: Client, group: ContactGroup) -> None:
    groups = reverse("admin:messaging_contactgroup_changelist")

    page = words(admin_client.post(groups, {"action": "delete_selected", "_selected_action": group.pk}))

    assert "Not all of these can be deleted" in page
    assert f'href="{groups}">Back' in page
    assert "protected related objects" not in page


def test_several_that_were_deleted_are_counted_in_our_words(admin_client: Client, group: ContactGroup) -> None:
    chosen = [group.pk, ContactGroup.objects.create(name="Old").pk]

    page = words(
        admin_client.post(
            reverse("admin:messaging_contactgroup_changelist"),
            {"action": "delete_selected", "_selected_action": chosen, "post": "yes"},
            follow=True,
        )
    )

    assert "Deleted: 2 groups." in page
    assert "uccessfully" not in page
    assert not ContactGroup.objects.exists()


def test_what_nobody_needs_is_asked_about(admin_client: Client, group: ContactGroup) -> None:
    page = admin_client.get(reverse("admin:messaging_contactgroup_delete", args=[group.pk]))

    assert 'name="post" value="yes"' in words(page)


def test_a_history_of_nothing_says_so(admin_client: Client, group: ContactGroup) -> None:
    page = words(admin_client.get(reverse("admin:messaging_contactgroup_history", args=[group.pk])))

    assert "Nobody has changed this on a page of the console yet." in page
    assert "this admin site" not in page
