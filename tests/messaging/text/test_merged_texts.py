"""Texts that grow too long when their fields are filled in, and texts of which nothing is left then."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.laaffic import InvalidRequest, LaafficClient
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, Campaign, Contact, ContactGroup, GroupMembership, ListPrice, Message, MessageState
from messaging.services.audience import audience
from messaging.services.campaigns import drafts, starting
from messaging.services.contacts import pastes
from messaging.services.figures import proving
from messaging.services.forecast import forecast
from messaging.services.tallies import counting
from messaging.services.text import merged_texts
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)

LITERAL = "x" * 1000


def draft(application: Application, group: ContactGroup, text: str, numbers: tuple[str, ...] = ()) -> Campaign:
    return drafts.create(name="Long", application=application, sender_id="", text=text, groups=[group], numbers=numbers)


def frozen(campaign: Campaign) -> Campaign:
    audience.begin(campaign)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    return campaign


def member(group: ContactGroup, number: str, **fields: object) -> Contact:
    contact = Contact.objects.create(number=number, country="DE", **fields)
    GroupMembership.objects.create(contact=contact, group=group)
    return contact


@pytest.mark.parametrize(
    ("text", "values", "is_too_long"),
    [
        (LITERAL + "{{name}}", {"name": "n" * 24}, False),
        (LITERAL + "{{name}}", {"name": "n" * 25}, True),
        (LITERAL + "{{city}}", {"attributes": {"city": "😀" * 24}}, False),
        (LITERAL + "{{city}}", {"attributes": {"city": "😀" * 25}}, True),
        (LITERAL + "{{city}}{{city}}", {"attributes": {"city": "c" * 12}}, False),
        (LITERAL + "{{city}}{{city}}", {"attributes": {"city": "c" * 13}}, True),
        (LITERAL + "{{city|" + "f" * 25 + "}}", {}, True),
        (LITERAL + "{{city|" + "f" * 25 + "}}", {"attributes": {"city": "c"}}, False),
        (LITERAL + "{{first_name}}", {"name": "Ann " + "n" * 100}, False),
        (LITERAL + "{{first_name}}{{name}}", {"name": "n" * 13}, True),
        (LITERAL + "{{number}}", {"attributes": {"other": "c" * 500}}, False),
    ],
)
def test_exactly_the_long_ones_are_rejected(
    application: Application, group: ContactGroup, text: str, values: dict[str, object], is_too_long: bool
) -> None:
    member(group, "4915123456789", **values)
    Contact.objects.create(number="4915123456780", attributes={"city": "a"})
    campaign = draft(application, group, "kept short")
    Campaign.objects.filter(pk=campaign.pk).update(text=text)
    campaign.refresh_from_db()

    planned = forecast.of(campaign)
    message = Message.objects.get(campaign=frozen(campaign))

    assert (message.state == MessageState.REJECTED) == is_too_long
    assert planned.counted.too_long == is_too_long
    assert planned.recipients == 1 - is_too_long
    assert proving.prove(campaign)["disagreements"] == []


def test_the_others_are_sent_and_every_figure_agrees(
    application: Application, group: ContactGroup, sandbox: RunningSandbox, run_jobs: Callable[[], int]
) -> None:
    add_contacts(group, 5, name="Ann")
    member(group, "4915123456789", name="n" * 100)
    member(group, "4915123456780", name="m" * 120)
    campaign = draft(application, group, LITERAL + "{{name}}")

    starting.launch(campaign.pk)
    run_jobs()

    campaign.refresh_from_db()
    counts = counting.state_counts(campaign)
    assert (campaign.state, campaign.total, counts["rejected"]) == ("finished", 7, 2)
    assert sandbox.stats()["accepted"] == 5
    rejected = Message.objects.filter(state=MessageState.REJECTED)
    assert {message.reason for message in rejected} == {"longer than 1,024 characters with its fields filled in"}
    assert counting.outcomes_by(campaign, "country")["DE"] == {"rejected": 2}
    assert proving.prove(campaign)["disagreements"] == []


def test_a_batch_of_none_but_long_ones_is_over(
    application: Application, group: ContactGroup, sandbox: RunningSandbox, run_jobs: Callable[[], int]
) -> None:
    member(group, "4915123456789", name="n" * 100)
    campaign = draft(application, group, LITERAL + "{{name}}")

    starting.launch(campaign.pk)
    run_jobs()

    campaign.refresh_from_db()
    assert (campaign.state, Batch.objects.get().state) == ("finished", "settled")
    assert sandbox.stats()["accepted"] == 0
    assert proving.prove(campaign)["disagreements"] == []


def test_numbers_given_one_by_one_too(application: Application, group: ContactGroup) -> None:
    Contact.objects.create(number="4915123456789", name="n" * 100)
    add_contacts(group, 1, name="Ann")

    campaign = frozen(draft(application, group, LITERAL + "{{name}}", numbers=("+4915123456789",)))

    assert counting.state_counts(campaign)["rejected"] == 1


@pytest.mark.parametrize("is_pasted", [True, False])
@pytest.mark.parametrize(
    ("text", "fields", "blank", "too_long"),
    [
        ("{{offer}}", None, 1, 0),
        ("{{offer}}", {"attributes": {"offer": "10%"}}, 0, 0),
        ("{{number}}", None, 0, 0),
        (LITERAL + "{{offer|" + "f" * 25 + "}}", None, 0, 1),
        (LITERAL + "{{name}}", {"name": "n" * 100}, 0, 1),
    ],
)
def test_numbers_in_no_group_are_counted_before_the_launch_as_they_are_rejected(
    application: Application,
    group: ContactGroup,
    text: str,
    fields: dict[str, object] | None,
    blank: int,
    too_long: int,
    is_pasted: bool,
) -> None:
    Contact.objects.create(number="4915123456780", name="Ann", attributes={"offer": "a"})
    if fields is not None:
        Contact.objects.create(number="4915123456789", **fields)
    number = "+4915123456789"
    campaign = draft(application, group, "kept short", () if is_pasted else (number,))
    pasted = pastes.from_lines([number]) if is_pasted else None
    Campaign.objects.filter(pk=campaign.pk).update(text=text, paste=pasted)
    campaign.refresh_from_db()

    planned = forecast.of(campaign)
    message = Message.objects.get(campaign=frozen(campaign))

    assert (planned.counted.blank, planned.counted.too_long) == (blank, too_long)
    assert planned.recipients == 1 - blank - too_long
    assert (message.state == MessageState.REJECTED) == bool(blank or too_long)


def test_what_is_not_sent_costs_nothing(application: Application, group: ContactGroup) -> None:
    add_contacts(group, 2, name="Ann")
    member(group, "4915123456789", name="n" * 100)
    ListPrice.objects.create(country="IN", price=Decimal("0.01"), currency="USD")
    ListPrice.objects.create(country="DE", price=Decimal("0.07"), currency="USD")

    planned = forecast.of(draft(application, group, LITERAL + "{{name}}"))

    assert forecast.by_country(planned.counted) == {"IN": 2}
    assert planned.cost.by_currency == {"USD": 2 * planned.segments_most * Decimal("0.01")}
    assert planned.segments_total == 2 * planned.segments_most


def test_it_is_said_before_the_launch(admin_client: Client, application: Application, group: ContactGroup) -> None:
    add_contacts(group, 2, name="Ann")
    member(group, "4915123456789", name="n" * 100)
    campaign = draft(application, group, LITERAL + "{{name}}")

    page = admin_client.get(f"/admin/messaging/campaign/{campaign.pk}/review/").content.decode()

    assert "1 not sent: their text is too long" in page
    assert "Send 2 messages" in page


@pytest.mark.parametrize(
    ("text", "offer", "is_blank"),
    [
        *(("{{offer}}", None, True), ("{{offer}}", " \u200b", True), ("{{offer}}", "10%", False)),
        *((" {{offer}}\n{{offer}}", None, True), ("{{offer}}{{other}}", None, True)),
        *(("{{offer|News}}", None, False), ("{{offer|News}}", " \u200b", True), ("Now: {{offer}}", None, False)),
    ],
)
def test_exactly_the_blank_ones_are_rejected(
    application: Application, group: ContactGroup, text: str, offer: str | None, is_blank: bool
) -> None:
    member(group, "4915123456789", attributes={} if offer is None else {"offer": offer})
    Contact.objects.create(number="4915123456780", attributes={"offer": "a", "other": "b"})
    campaign = draft(application, group, text)

    planned = forecast.of(campaign)
    message = Message.objects.get(campaign=frozen(campaign))

    assert (message.state == MessageState.REJECTED, bool(message.reason)) == (is_blank, is_blank)
    assert (planned.counted.blank, planned.counted.too_long) == (is_blank, 0)
    assert planned.recipients == 1 - is_blank
    assert proving.prove(campaign)["disagreements"] == []


@pytest.mark.parametrize(
    ("text", "name", "told"), [("{{name}}", "", (1, 0)), (LITERAL + "{{name}}", "n" * 100, (0, 1))]
)
def test_numbers_given_one_by_one_are_counted_too(
    application: Application, group: ContactGroup, text: str, name: str, told: tuple[int, int]
) -> None:
    Contact.objects.create(number="4915123456789", name=name)
    add_contacts(group, 1, name="Ann")
    campaign = draft(application, group, text, numbers=("+4915123456789",))

    planned = forecast.of(campaign)

    assert (planned.counted.blank, planned.counted.too_long, planned.recipients) == (*told, 1)
    assert counting.state_counts(frozen(campaign))["rejected"] == 1


def three_of_whom_one_has_no_offer(application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 2, attributes={"offer": "10%"})
    member(group, "4915123456789")
    return draft(application, group, "{{offer}}")


def test_one_blank_text_costs_the_others_nothing(
    application: Application, group: ContactGroup, sandbox: RunningSandbox, run_jobs: Callable[[], int]
) -> None:
    campaign = three_of_whom_one_has_no_offer(application, group)

    starting.launch(campaign.pk)
    run_jobs()

    campaign.refresh_from_db()
    counts = counting.state_counts(campaign)
    assert (campaign.state, counts["rejected"], counts["unknown"]) == ("finished", 1, 0)
    assert sandbox.stats()["accepted"] == 2
    assert Message.objects.get(state=MessageState.REJECTED).reason == "nothing to read with its fields filled in"
    assert proving.prove(campaign)["disagreements"] == []


@pytest.mark.parametrize("several_texts", [True, False])
def test_one_that_was_frozen_all_the_same_is_rejected_alone(
    application: Application,
    group: ContactGroup,
    sandbox: RunningSandbox,
    run_jobs: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
    several_texts: bool,
) -> None:
    """By a version that did not look for it."""
    monkeypatch.setattr(merged_texts, "reject_unfit", lambda campaign, batch: 0)
    Application.objects.filter(pk=application.pk).update(several_texts_per_call=several_texts)
    campaign = three_of_whom_one_has_no_offer(application, group)

    starting.launch(campaign.pk)
    campaign.refresh_from_db()
    while campaign.state == "running" and run_jobs():
        Batch.objects.update(not_before=None)
        campaign.refresh_from_db()

    counts = counting.state_counts(campaign)
    assert (campaign.state, counts["rejected"], counts["unknown"]) == ("finished", 1, 0)
    assert sandbox.stats()["accepted"] == 2
    reason = "cannot be sent: content: the content is empty"
    assert Message.objects.get(state=MessageState.REJECTED).reason == reason
    never_left = LedgerEntry.objects.exclude(state=EntryState.ACCEPTED)
    assert {(entry.state, entry.reason) for entry in never_left} == {
        (EntryState.NOT_SENT, reason.removeprefix("cannot be sent: "))
    }
    assert proving.prove(campaign)["disagreements"] == []


def test_what_is_wrong_for_everybody_holds_the_campaign_and_rejects_nobody(
    application: Application,
    group: ContactGroup,
    sandbox: RunningSandbox,
    run_jobs: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_given: object, **_more: object) -> None:
        raise InvalidRequest("senderId", "40 characters; at most 32")

    monkeypatch.setattr(LaafficClient, "send_sms", refuse)
    add_contacts(group, 3)
    campaign = draft(application, group, "Hello")

    starting.launch(campaign.pk)
    run_jobs()

    campaign.refresh_from_db()
    assert campaign.state == "held"
    assert counting.state_counts(campaign)["queued"] == 3
    assert "senderId" in str(campaign.hold_reason)


def test_a_blank_text_is_said_before_the_launch(
    admin_client: Client, application: Application, group: ContactGroup
) -> None:
    campaign = three_of_whom_one_has_no_offer(application, group)

    page = admin_client.get(f"/admin/messaging/campaign/{campaign.pk}/review/").content.decode()

    assert "1 not sent: nothing to read with their fields filled in" in page
    assert "1 recipient gets nothing" in page
    assert "Send 2 messages" in page
