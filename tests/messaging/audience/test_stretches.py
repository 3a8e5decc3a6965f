"""An audience is asked for by stretches of its members, not of everybody who was imported before them."""

import pytest
from django.conf import LazySettings
from django.db import connection

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from messaging.models import Campaign, ContactGroup, GroupMembership
from messaging.services.audience import audience
from messaging.services.campaigns import drafts, starting
from messaging.services.saved_audiences import audience_sql
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db


@pytest.fixture
def young(group: ContactGroup) -> list[int]:
    """The ids of three contacts of a group that was imported after another one's."""
    add_contacts(ContactGroup.objects.create(name="old ones"), 200, first=919876400000)
    return [contact.pk for contact in add_contacts(group, 3)]


def test_a_stretch_begins_with_its_first_member(young: list[int], group: ContactGroup) -> None:
    assert audience_sql.next_stretch([group.pk], 0, young[-1], 2) == (young[0] - 1, young[1])
    assert audience_sql.next_stretch([group.pk], young[1], young[-1], 2) == (young[1], young[2])
    assert audience_sql.next_stretch([group.pk], young[2], young[-1], 2) is None


def test_of_several_groups_it_takes_the_first_of_all(young: list[int], group: ContactGroup) -> None:
    between = ContactGroup.objects.create(name="both")
    GroupMembership.objects.create(contact_id=young[0] - 5, group=between)
    GroupMembership.objects.create(contact_id=young[1], group=between)

    assert audience_sql.next_stretch([group.pk, between.pk], 0, young[-1], 3) == (young[0] - 6, young[1])


def test_everybody_of_a_young_group_is_frozen(
    young: list[int], group: ContactGroup, application: Application, settings: LazySettings
) -> None:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    draft = drafts.create(name="Autumn", application=application, sender_id="SHOP", text="Hello", groups=[group])
    campaign = starting.launch(draft.pk, by=None)
    asked: list[tuple[str, list[object]]] = []

    def noted(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if "FROM messaging_contact c" in sql:
            asked.append((sql, list(params)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(noted):
        while audience.freeze_chunk(campaign.pk):
            pass

    assert list(Campaign.objects.get(pk=campaign.pk).messages.order_by("pk").values_list("contact", flat=True)) == young
    assert asked
    assert all(young[0] - 1 in params and 0 not in params for _sql, params in asked)


def test_a_group_without_anybody_is_told_from_one_with(
    young: list[int], group: ContactGroup, application: Application
) -> None:
    empty = ContactGroup.objects.create(name="nobody")
    draft = drafts.create(name="Autumn", application=application, sender_id="SHOP", text="Hello", groups=[empty])
    assert not drafts.has_somebody(draft)

    draft.groups.add(group)

    assert drafts.has_somebody(draft)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL plans by what it has counted")
def test_the_members_lead_to_the_contacts(young: list[int], group: ContactGroup) -> None:
    """However many others have an id between them, SQLite's only write lock is not held for those."""
    who, params = audience_sql.members([group.pk], 0, young[-1], 10**6)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN SELECT c.id {who} ORDER BY c.id", params)
        plan = [row[3] for row in cursor.fetchall()]

    assert "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)" in plan
    assert any("SEARCH m USING COVERING INDEX" in step and "(group_id=? AND contact_id>?" in step for step in plan)
