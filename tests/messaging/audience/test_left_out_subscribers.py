"""Who is left out by a group is left out however they are named: as a contact, pasted, given one by one, or by another
spelling of their number; and nobody is in an audience twice, whatever becomes of contacts while it is frozen."""

from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, CampaignState, Contact, ContactGroup, GroupMembership, Message, MessageState
from messaging.services.audience import audience, audience_counts, repeats
from messaging.services.campaigns import drafts, follow_ups, previews
from messaging.services.contacts import consents, pastes, suppression
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

SPELLED = [("970599123456", "972599123456"), ("5491123456789", "541123456789")]


@pytest.fixture
def left_out() -> ContactGroup:
    return ContactGroup.objects.create(name="Do not contact")


def add(group: ContactGroup, *numbers: str) -> list[Contact]:
    return [add_contacts(group, 1, first=int(number))[0] for number in numbers]


def draft(application: Application, **given: Any) -> Campaign:
    return drafts.create(**{"name": "Any", "application": application, "sender_id": "SHOP", "text": "Hi", **given})


def frozen(campaign: Campaign) -> tuple[set[str], int]:
    """Who is in the audience, and how many a group left out."""
    audience.begin(campaign)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    numbers = Message.objects.filter(campaign=campaign).values_list("number", flat=True)
    assert campaign.total == len(numbers)
    return set(numbers), campaign.dropped_excluded


def counted(campaign: Campaign) -> tuple[int, int]:
    count = audience_counts.complete(campaign)
    return count.recipients, count.excluded


@pytest.mark.parametrize(("there", "given"), [*SPELLED, ("919876543210", "919876543210")])
@pytest.mark.parametrize("way", ["given", "pasted", "contact"])
def test_a_group_that_is_left_out_holds_however_its_people_are_named(
    application: Application, group: ContactGroup, left_out: ContactGroup, there: str, given: str, way: str
) -> None:
    (contact,) = add(left_out, there)
    chosen: dict[str, Any] = {"excluded_groups": [left_out]}
    if way == "contact" and there == given:
        chosen["groups"] = [group]
        GroupMembership.objects.create(contact=contact, group=group)
        add(group, "447400123456")
    elif way == "contact":
        chosen["groups"] = [group]
        add(group, given, "447400123456")
    elif way == "pasted":
        chosen["paste"] = pastes.from_lines([given, "447400123456"])
    else:
        chosen["numbers"] = [f"+{given}", "+447400123456"]
    campaign = draft(application, **chosen)

    assert counted(campaign) == (1, 1)
    assert "group that is left out" in previews.why_not(campaign, Contact(pk=contact.pk, number=there)) or (
        way == "contact" and there != given  # this contact is in no group that gets it
    )
    assert frozen(campaign) == ({"447400123456"}, 1)


@pytest.mark.parametrize(("one", "other"), SPELLED)
def test_new_contacts_are_not_those_who_had_it_by_another_spelling(
    application: Application, group: ContactGroup, one: str, other: str
) -> None:
    add(group, one, other)
    first = draft(application, groups=[group])
    numbers, _excluded = frozen(first)
    assert len(numbers) == 1
    Message.objects.filter(campaign=first).update(state=MessageState.DELIVERED)
    Campaign.objects.filter(pk=first.pk).update(state=CampaignState.FINISHED)

    again = follow_ups.to_new_contacts(first.pk)

    assert counted(again) == (0, 2)
    assert frozen(again) == (set(), 2)


@pytest.mark.parametrize(("one", "other"), SPELLED)
@pytest.mark.parametrize("way", ["given", "pasted", "contact"])
def test_the_same_text_to_the_same_person_is_seen_by_any_spelling(
    application: Application, group: ContactGroup, one: str, other: str, way: str
) -> None:
    first = draft(application, numbers=[one])
    frozen(first)
    Campaign.objects.filter(pk=first.pk).update(state=CampaignState.FINISHED, finished_at=timezone.now())
    add(group, other)
    chosen: dict[str, Any] = {
        "given": {"numbers": [other]},
        "pasted": {"paste": pastes.from_lines([other])},
        "contact": {"groups": [group]},
    }[way]

    assert audience_counts.complete(draft(application, **chosen)).repeated == 1


def test_who_was_given_is_the_same_however_it_was_typed(application: Application) -> None:
    typed = [draft(application, numbers=[number]) for number in ("+54 11 2345-6789", "5491123456789", "447400123456")]

    assert repeats._subscribers(typed[0]) == repeats._subscribers(typed[1]) != repeats._subscribers(typed[2])


@pytest.mark.parametrize("needs_consent", [False, True])
def test_a_number_that_moves_to_another_contact_meanwhile_is_in_it_once(
    application: Application,
    group: ContactGroup,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    *,
    needs_consent: bool,
) -> None:
    """Two duplicates are merged by hand while the audience is frozen."""
    monkeypatch.setattr(audience, "CHUNK", 2)
    first, _second, third, *_others = add_contacts(group, 5)
    if needs_consent:
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True
        for number in [f"91987650000{n}" for n in (0, 1, 2, 4)]:
            consents.set_by_hand(number, channel="sms", state="given", why="form", by=None)
    campaign = draft(application, groups=[group], purpose="marketing")
    audience.begin(campaign)
    audience.freeze_chunk(campaign.pk)
    moved = first.number
    first.delete()
    Contact.objects.filter(pk=third.pk).update(number=moved)

    numbers, _excluded = frozen(campaign)

    assert campaign.audience == Campaign.Audience.FROZEN
    without_consent = 1 if needs_consent else 0
    assert len(numbers) == campaign.total == 4 - without_consent
    assert (campaign.dropped_invalid, campaign.dropped_consent) == (1, without_consent)


def test_a_stop_between_two_statements_of_a_chunk_is_no_negative_figure(
    application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL somebody else may commit between the messages and the count of those who got none."""
    contacts = add_contacts(group, 3)
    campaign = draft(application, groups=[group])
    insert = audience._insert_messages

    def made_and_stopped(*given: Any) -> tuple[int, int, int]:
        made = insert(*given)
        suppression.suppress_numbers([contacts[0].number], channel="sms", reason="opt_out")
        return made

    monkeypatch.setattr(audience, "_insert_messages", made_and_stopped)

    assert len(frozen(campaign)[0]) == 3
    assert campaign.total_left_out == 0
