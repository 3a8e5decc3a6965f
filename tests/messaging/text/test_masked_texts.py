"""A number that a merge field puts into a text is masked there too; what is counted and sent is the text itself."""

from collections.abc import Iterator

import pytest

from laaffic_console.gateway.models import Application
from laaffic_console.kit.audit import acts
from messaging.models import Campaign, Contact, ContactGroup, GroupMembership, Message, MessageState
from messaging.people.person_timeline import Behind, Person
from messaging.services.audience import audience
from messaging.services.campaigns import drafts, previews, sketches
from messaging.services.figures import thread, timeline

pytestmark = pytest.mark.django_db

NUMBER, EMAIL, SECOND = "919876543210", "asha@example.com", "447911123456"
TEXT = "{{name}}, {{number}} {{email}} {{second}}: call 1800 555 0100"
WHOLE = f"Asha, {NUMBER} {EMAIL} {SECOND}: call 1800 555 0100"
MASKED = "Asha, 9198•••••210 a•••@example.com 4479•••••456: call 1800 555 0100"
BLIND = acts.Actor(1, "asha", sees_numbers=False)


@pytest.fixture
def person() -> Contact:
    return Contact.objects.create(number=NUMBER, country="IN", name="Asha", email=EMAIL, attributes={"second": SECOND})


@pytest.fixture
def draft(application: Application, person: Contact) -> Campaign:
    group = ContactGroup.objects.create(name="customers")
    GroupMembership.objects.create(group=group, contact=person)
    return drafts.create(name="A", application=application, sender_id="S", text=TEXT, groups=[group])


@pytest.fixture(params=[True, False], ids=["sees numbers", "sees masks"])
def seen(request: pytest.FixtureRequest) -> Iterator[str]:
    """The text as who looks now may see it."""
    if request.param:
        yield WHOLE
        return
    with acts.acting(lambda: BLIND):
        yield MASKED


def test_before_the_launch(draft: Campaign, seen: str) -> None:
    for preview in (previews.first(draft), previews.asked_for(draft, NUMBER)):
        assert (preview.shown, preview.text) == (seen, WHOLE)


def test_while_it_is_written(draft: Campaign, person: Contact, seen: str) -> None:
    read = sketches.read_by(draft, "0", [person])

    assert read is not None
    assert (read.shown, read.text) == (seen, WHOLE)


def test_what_was_sent_keeps_its_segments_when_its_values_are_erased(draft: Campaign, person: Contact) -> None:
    Contact.objects.update(name="Я" * 60)
    audience.begin(draft)
    audience.freeze(draft.pk)
    message = Message.objects.get()
    expected = timeline.segments_of(message)

    message.state, message.segments, message.merge_values = MessageState.DELIVERED, expected, {}

    assert timeline.segments_of(message) == expected == 2


def test_of_a_message(draft: Campaign, seen: str) -> None:
    audience.begin(draft)
    audience.freeze(draft.pk)
    message = Message.objects.get()

    assert timeline.text_of(message) == seen
    assert [entry.text for entry in thread.sent(Person((NUMBER,), (), ()), Behind(), 5)] == [seen]
