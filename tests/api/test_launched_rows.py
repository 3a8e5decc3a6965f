"""A campaign of the API takes fewer statements than one that was launched by hand, and its rows say the same."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application
from messaging.models import Batch, Campaign, FrequencyCap, Message, MessageState, SuppressionEntry
from messaging.services.audience import audience
from messaging.services.campaigns import drafts, starting
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db

NUMBERS = ["919876543210", "919876543211", "919876543212"]
OWN = ("id", "created_at", "launched_at")


def by_api(api: Api, application: Application, text: str) -> Campaign:
    asked = {"application": application.app_id, "sender_id": "SHOP", "text": text, "to": NUMBERS, "name": "one"}
    answer = api("POST", "messages", asked)
    assert answer.status_code == 202, answer.content
    return Campaign.objects.get(pk=answer.json()["id"])


def by_hand(person: User, application: Application, text: str) -> Campaign:
    named = {"name": "one", "application": application, "sender_id": "SHOP", "text": text, "numbers": NUMBERS}
    draft = drafts.create(**named, kind=Campaign.Kind.QUICK, by=person)
    starting.launch(draft.pk, by=person)
    while audience.freeze_chunk(draft.pk):
        pass
    return Campaign.objects.get(pk=draft.pk)


def rows_of(campaign: Campaign) -> dict[str, Any]:
    def told(rows: Any, *without: str) -> list[dict[str, Any]]:
        left = {"campaign_id", *OWN, *without}
        return [
            {name: value for name, value in row.items() if name not in left} for row in rows.order_by("pk").values()
        ]

    return {
        "campaign": told(Campaign.objects.filter(pk=campaign.pk)),
        "batches": told(Batch.objects.filter(campaign=campaign), "first_message_id", "last_message_id"),
        "messages": told(Message.objects.filter(campaign=campaign), "batch_id"),
        "events": told(campaign.events.all(), "at"),
        "authors": list(campaign.authors.values_list("pk", flat=True)),
    }


def hold(_application: Application) -> None:
    AccountHold.objects.create(scope="account", sentence="No funds.", placed_at=timezone.now(), probe_wait=15)


def cap(application: Application) -> None:
    FrequencyCap.objects.create(application=application, per_day=5, per_week=0)


def suppress(_application: Application) -> None:
    SuppressionEntry.objects.create(number=NUMBERS[1], channel="sms")


@pytest.mark.parametrize("before", [None, hold, cap, suppress])
@pytest.mark.parametrize("text", ["Your code is 1234", "Hello {{name|you}}"])
def test_the_rows_are_those_of_a_launch_by_hand(
    api: Api, person: User, application: Application, before: Any, text: str
) -> None:
    if before:
        before(application)
    first, second = rows_of(by_hand(person, application, text)), rows_of(by_api(api, application, text))

    assert second == first
    assert [event["text"] for event in second["events"]][:2] == ["Created", "Launched"]


def test_where_launches_are_approved_the_rows_are_the_same(
    api: Api, person: User, application: Application, settings: LazySettings
) -> None:
    settings.LAAFFIC_APPROVAL_RECIPIENTS = len(NUMBERS)
    first = rows_of(by_hand(person, application, "Your code is 1234"))
    second = rows_of(by_api(api, application, "Your code is 1234"))

    for rows in (first, second):
        del rows["campaign"][0]["shown"]["at"]
    assert second == first


def test_what_waits_for_an_approval_is_a_draft_that_was_created(
    api: Api, application: Application, settings: LazySettings
) -> None:
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 1
    asked = {"application": application.app_id, "sender_id": "SHOP", "text": "Hello", "to": NUMBERS}
    answer = api("POST", "messages", asked)

    assert answer.status_code == 409, answer.content
    draft = Campaign.objects.get(pk=answer.json()["campaign"])
    assert (draft.state, draft.audience) == ("draft", "open")
    assert [event.text for event in draft.events.all()] == ["Created"]
    assert not Message.objects.exists()


def test_the_cap_counts_who_had_enough(api: Api, person: User, application: Application) -> None:
    FrequencyCap.objects.create(application=application, per_day=1, per_week=0)
    by_hand(person, application, "Your code is 1234")
    Message.objects.update(state=MessageState.DELIVERED, settled_at=timezone.now())
    campaign = by_api(api, application, "Your code is 1234")

    assert (campaign.total, campaign.dropped_capped) == (0, 3)
    assert campaign.frozen_by["cap"] == [1, 0]
