"""What is linked above a list is in its header, and only for those who may open it."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from laaffic_console.kit.admin.page_links import PageLink

LINKED = [
    ("auth_user", "Invite somebody"),
    ("api_apitoken", "API reference"),
    ("events_webhook", "Deliveries"),
    ("messaging_contact", "Import contacts"),
    ("reports_report", "Show a report"),
    ("voice_audiofile", "Uploaded elsewhere"),
    ("voice_grouptask", "Templates"),
]


def header_of(client: Client, page: str, query: str = "") -> str:
    shown = client.get(reverse(f"admin:{page}_changelist") + query).content.decode()
    return re.sub(r"\s+", " ", shown[shown.index("<header>") : shown.index("</header>")])


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "words"), LINKED)
def test_a_link_leads_to_a_page_that_is_there(admin_client: Client, page: str, words: str) -> None:
    [address] = re.findall(rf'<a href="([^"]+)"[^>]*> {words} </a>', header_of(admin_client, page))

    assert admin_client.get(address).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("page", "words"), [("auth_user", "Invite somebody"), ("events_webhook", "New webhook")])
def test_it_is_not_offered_to_those_who_may_not(client: Client, page: str, words: str) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename=f"view_{page.partition('_')[2]}"))
    client.force_login(viewer)

    assert words not in header_of(client, page)


@pytest.mark.django_db
def test_a_row_made_on_a_page_of_its_own_is_begun_in_the_header(admin_client: Client) -> None:
    for page, words in [("events_webhook", "New webhook"), ("api_apitoken", "New token")]:
        assert f'aria-label="{words}"' in header_of(admin_client, page)


@pytest.mark.django_db
def test_templates_lead_back_to_the_tasks(admin_client: Client) -> None:
    assert "> Tasks </a>" in header_of(admin_client, "voice_grouptask", "?show=templates")


def test_every_link_of_a_list_is_tried_here() -> None:
    links = [link for one in admin.site._registry.values() for link in getattr(one, "list_links", ())]

    assert all(isinstance(link, PageLink) for link in links)
    assert {str(link.label) for link in links} <= {words for _page, words in LINKED}
