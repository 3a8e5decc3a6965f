"""A list draws its headers once, however many rows it has."""

import re

import pytest
from django.contrib.admin.views.main import ChangeList
from django.test import Client
from django.urls import reverse
from unfold.templatetags import unfold_list

from laaffic_console.kit.lists import list_headers
from messaging.models import ContactGroup
from tests.messaging.conftest import add_contacts

pytestmark = [pytest.mark.django_db, pytest.mark.pages]


def test_they_are_drawn_once_and_name_the_cells_of_each_row(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_contacts(ContactGroup.objects.create(name="customers"), 5)
    drawn: list[ChangeList] = []
    draw = unfold_list.result_headers.__wrapped__

    def counted(changelist: ChangeList) -> list_headers.Headers:
        drawn.append(changelist)
        return list(draw(changelist))

    monkeypatch.setattr(unfold_list, "result_headers", list_headers._once(counted))

    page = admin_client.get(reverse("admin:messaging_contact_changelist")).content.decode()

    assert len(drawn) == 1
    assert len(re.findall('data-label="country"', page)) == 5


def test_an_order_that_nobody_chose_is_one_arrow(admin_client: Client) -> None:
    ContactGroup.objects.create(name="customers")
    address = reverse("admin:messaging_contactgroup_changelist")

    usual = admin_client.get(address).content.decode()
    chosen = admin_client.get(address, {"o": "1.-4"}).content.decode()

    assert usual.count("sortoptions") == 1
    assert "sortremove" not in usual
    assert (chosen.count("sortremove"), chosen.count("sortpriority")) == (2, 2)
