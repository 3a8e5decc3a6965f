"""What the pages say a message's segments are: of its own text, not of the text with its fields unfilled."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Campaign, ContactGroup, Message
from messaging.services.audience import audience
from messaging.services.batches import own_segments
from messaging.services.campaigns import drafts, starting
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)

# Unfilled it has two segments; with a short name one, with a long name two, with a name in Cyrillic two.
TEXT = "Dear {{first_name|valued customer of the house}}, " + "a" * 130
NAMES = {"Ann": 1, "Maximiliana-Alexandrina-of-Hohenlohe": 2, "Анна": 3, "": 2}


@pytest.fixture
def personal(application: Application, group: ContactGroup) -> Campaign:
    for at, name in enumerate(NAMES):
        add_contacts(group, 1, first=919876500000 + at, name=name)
    return drafts.create(name="Autumn", application=application, sender_id="SHOP", text=TEXT, groups=[group])


def shown(client: Client, message: Message) -> str:
    """Without the space between its tags and words, which is for who reads the template."""
    page = client.get(reverse("admin:messaging_message_change", args=[message.pk])).content.decode()
    return re.sub(r"\s*(<[^>]*>)\s*", r"\1", page)


def test_each_row_keeps_the_count_of_its_own_text(
    sandbox: RunningSandbox, personal: Campaign, run_jobs: Callable[[], int]
) -> None:
    starting.launch(personal.pk)
    run_jobs()

    assert [message.segments for message in Message.objects.order_by("pk")] == list(NAMES.values())


def test_its_page_names_the_order_of_its_latest_request(admin_client: Client, personal: Campaign) -> None:
    audience.begin(personal)
    audience.freeze(personal.pk)
    Message.objects.update(attempt=2)
    message = Message.objects.earliest("pk")

    assert f"lc-{message.pk}-2<" in shown(admin_client, message)


def test_texts_of_one_segment_say_one(
    sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
) -> None:
    add_contacts(group, 2, name="Ann")
    campaign = drafts.create(name="Autumn", application=application, sender_id="SHOP", text=TEXT, groups=[group])

    starting.launch(campaign.pk)
    run_jobs()

    assert {message.segments for message in Message.objects.all()} == {1}


def test_a_message_that_has_not_left_says_its_own_too(client: Client, personal: Campaign) -> None:
    client.force_login(User.objects.create_superuser("root"))
    audience.begin(personal)
    audience.freeze(personal.pk)
    Message.objects.update(segments=9)  # whatever the row says before its text was merged

    pages = [shown(client, message) for message in Message.objects.order_by("pk")]

    for page, segments in zip(pages, NAMES.values(), strict=True):
        assert f"<dt>Segments</dt><dd>{segments}</dd>" in page


def test_a_text_that_was_emptied_counts_nothing(personal: Campaign) -> None:
    personal.text = ""

    assert own_segments.OwnSegments(personal).of({"first_name": ""}, 2) == 2
