"""A list without rows says how it gets its first; one that was searched says that nothing matches."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from messaging.models import Contact

OURS = ("laaffic_console", "messaging", "voice", "phone_numbers")


def test_every_list_says_how_it_gets_its_first_row() -> None:
    lists = [one for one in admin.site._registry.values() if type(one).__module__.startswith(OURS)]

    assert len(lists) > 25
    assert [type(one).__name__ for one in lists if not getattr(one, "when_empty", "")] == []


@pytest.mark.django_db
class ContactTests:
    PAGE = "admin:messaging_contact_changelist"

    def test_whoever_may_import_is_led_there(self, admin_client: Client) -> None:
        page = admin_client.get(reverse(self.PAGE)).content.decode()

        assert "Import a list, CSV or XLSX" in page
        assert ">Import contacts</a>" in page

    def test_whoever_may_not_has_no_button(self, client: Client) -> None:
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename="view_contact"))
        client.force_login(viewer)
        page = client.get(reverse(self.PAGE)).content.decode()

        assert "Import a list, CSV or XLSX" in page
        assert ">Import contacts</a>" not in page

    def test_a_search_without_a_match_offers_everything(self, admin_client: Client) -> None:
        Contact.objects.create(number="919876543210", country="IN")
        page = admin_client.get(reverse(self.PAGE), {"q": "nobody"}).content.decode()

        assert "Nothing matches" in page
        assert "Import a list, CSV or XLSX" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "button"),
    [
        ("messaging_listprice", "Import a price list"),
        ("messaging_contactimport", "Import contacts"),
        ("reports_report", "Show a report"),
    ],
)
def test_the_button_does_what_the_words_say(admin_client: Client, page: str, button: str) -> None:
    shown = admin_client.get(reverse(f"admin:{page}_changelist")).content.decode()

    empty = shown[shown.index('<div class="c-empty">') :].partition("</div>")[0]
    assert re.findall(r'"c-button main"[^>]*>\s*([^<]+?)\s*</a>', empty) == [button]
