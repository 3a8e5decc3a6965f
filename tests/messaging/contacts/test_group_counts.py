"""A group's contacts are counted no further than is said, however many there are."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from laaffic_console.kit.lists.paginator import CountedTo, said_to
from messaging.admin.contacts import contact_groups
from messaging.models import ContactGroup, GroupMembership
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db


def test_no_page_counts_all_members(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    few, many = (ContactGroup.objects.create(name=name) for name in ("few", "many"))
    add_contacts(few, 3)
    add_contacts(many, 12, first=919876600000)
    monkeypatch.setattr(contact_groups, "COUNTED_IN_LIST", 10)  # five each
    monkeypatch.setattr(contact_groups, "COUNT_LIMIT", 10)

    shown = admin_client.get(reverse("admin:messaging_contactgroup_changelist"))
    with CaptureQueriesContext(connection) as captured:
        deleted = admin_client.get(reverse("admin:messaging_contactgroup_delete", args=[many.pk]))

    assert {group.name: group.n for group in shown.context["cl"].result_list} == {"few": 3, "many": 6}
    assert "more than 5" in shown.content.decode()
    address = reverse("admin:messaging_contact_changelist")
    assert f'<a class="c-link" href="{address}?group={few.pk}">3</a>' in shown.content.decode()
    assert "many (more than 10 memberships)" in deleted.content.decode()
    counts = [query["sql"] for query in captured if "COUNT(*)" in query["sql"] and "groupmembership" in query["sql"]]
    assert counts
    assert all("LIMIT" in count for count in counts)


@pytest.mark.parametrize(("groups", "most"), [(0, 100_000), (1, 100_000), (7, 10_000), (10, 10_000), (50, 2000)])
def test_the_fewer_groups_a_page_has_the_further_each_is_counted(groups: int, most: int) -> None:
    assert contact_groups._share(groups) == most


def test_counted_by_the_index_of_the_group() -> None:
    group = ContactGroup.objects.create(name="VIPs")
    add_contacts(group, 3)

    members = GroupMembership.objects.filter(group=group)
    counted = ContactGroup.objects.annotate(n=CountedTo(members, 2)).values_list("n", flat=True)

    assert (list(counted), said_to(3, 2), said_to(2, 2)) == ([3], "more than 2", "2")
    if connection.vendor == "sqlite":
        assert "USING COVERING INDEX" in members.values("pk")[:3].explain()
