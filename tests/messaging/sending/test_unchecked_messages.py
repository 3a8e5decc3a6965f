"""Messages whose campaign and batch PostgreSQL does not check: how they are made, and what holds them all the same."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import Application
from messaging.models import Batch, Campaign, ContactGroup, GroupMembership, Message, SuppressionEntry
from messaging.services.audience import audience
from messaging.services.campaigns import drafts
from messaging.services.figures import proving
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "CHUNK", 2)


def freezing(application: Application, group: ContactGroup, **more: Any) -> Campaign:
    draft = drafts.create(
        name=f"Autumn {Campaign.objects.count()}",
        application=application,
        sender_id="",
        text="Hi",
        groups=[group],
        **more,
    )
    with transaction.atomic():
        audience.begin(draft)
    return draft


def frozen(campaign: Campaign, chunks: int = 1) -> tuple[list[str], dict[str, int]]:
    """Whom it goes to, and what was counted."""
    while audience.freeze_chunk(campaign.pk, chunks):
        pass
    campaign.refresh_from_db()
    numbers = Message.objects.filter(campaign=campaign).order_by("number").values_list("number", flat=True)
    counts = ("total", "dropped_excluded", "dropped_suppressed", "dropped_invalid", "dropped_capped", "dropped_consent")
    return list(numbers), {name: getattr(campaign, name) for name in counts}


@pytest.mark.usefixtures("two_a_chunk")
@pytest.mark.parametrize("chunks", [2, 3, 50])
def test_chunks_of_one_transaction_are_as_each_in_its_own(
    application: Application, group: ContactGroup, chunks: int
) -> None:
    contacts = add_contacts(group, 11)
    staff = ContactGroup.objects.create(name="Staff")
    GroupMembership.objects.create(contact=contacts[4], group=staff)
    SuppressionEntry.objects.create(number=contacts[7].number, channel="sms")
    more = {"excluded_groups": [staff], "numbers": ["+919812300001", contacts[2].number, "12"]}

    alone = frozen(freezing(application, group, **more))
    together = frozen(freezing(application, group, **more), chunks)

    assert together == alone
    assert alone[1] == {
        "total": 10,
        "dropped_excluded": 1,
        "dropped_suppressed": 1,
        "dropped_invalid": 2,
        "dropped_capped": 0,
        "dropped_consent": 0,
    }


@pytest.mark.usefixtures("two_a_chunk")
def test_a_chunk_with_nobody_in_it_costs_no_look_through_all_messages(
    application: Application, group: ContactGroup
) -> None:
    """A batch that is taken away again does: no index of the messages begins with the batch."""
    contacts = add_contacts(group, 4)
    SuppressionEntry.objects.bulk_create(SuppressionEntry(number=one.number, channel="sms") for one in contacts[:2])
    campaign = freezing(application, group)

    with CaptureQueriesContext(connection) as asked:
        _numbers, counts = frozen(campaign)

    assert (counts["total"], counts["dropped_suppressed"]) == (2, 2)
    assert Batch.objects.filter(campaign=campaign).count() == 1
    assert [one["sql"] for one in asked if one["sql"].startswith("DELETE")] == []


def test_messages_are_not_checked_one_by_one() -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Message._meta.db_table)
    assert [one["columns"] for one in found.values() if one["foreign_key"]] == []


def test_a_campaign_cannot_go_from_under_a_freeze(application: Application, group: ContactGroup) -> None:
    """Whoever deletes it has not seen the batch that was being made; the batch's own constraint refuses."""
    add_contacts(group, 3)
    campaign = freezing(application, group)
    frozen(campaign)
    with pytest.raises(IntegrityError), transaction.atomic():
        _delete_by_hand(campaign)
    with pytest.raises(ProtectedError):
        Batch.objects.filter(campaign=campaign).delete()


def _delete_by_hand(campaign: Campaign) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_campaignevent WHERE campaign_id = %s", [campaign.pk])
        cursor.execute("DELETE FROM messaging_message WHERE campaign_id = %s", [campaign.pk])
        cursor.execute("DELETE FROM messaging_campaign WHERE id = %s", [campaign.pk])
    connection.check_constraints()


def test_a_message_of_a_batch_that_is_not_there_is_told(application: Application, group: ContactGroup) -> None:
    add_contacts(group, 3)
    campaign = freezing(application, group)
    frozen(campaign)
    assert proving.prove(campaign)["disagreements"] == []
    other = Batch.objects.create(campaign=freezing(application, group), first_message_id=0, last_message_id=0, size=0)

    Message.objects.filter(pk=Message.objects.order_by("pk")[0].pk).update(batch=other)

    said = f"batch {other.pk}: 1 messages are in it, and it is not a batch of this campaign"
    assert said in proving.prove(campaign)["disagreements"]
