"""Campaigns to audiences by condition: counted, frozen in chunks, kept as of the launch; and the commands."""

import datetime as dt
import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import ProtectedError

from laaffic_console.gateway.models import Application
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import (
    Audience,
    AudienceCount,
    Batch,
    Campaign,
    CampaignState,
    Contact,
    ContactGroup,
    GroupMembership,
    Message,
    SuppressionEntry,
)
from messaging.services.approvals import shown
from messaging.services.audience import audience, audience_counts
from messaging.services.campaigns import drafts, follow_ups, previews, starting
from messaging.services.contacts import contacts
from messaging.services.forecast import forecast
from messaging.services.saved_audiences import audience_sql, audiences
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db


@pytest.fixture
def pune(group: ContactGroup) -> Audience:
    """Of thirty contacts every third lives in Pune."""
    for place, contact in enumerate(add_contacts(group, 30)):
        contact.attributes = {"city": "Delhi" if place % 3 else "Pune"}
        contact.save()
    return audiences.create(name="Pune", condition="attribute.city = Pune")


def draft(application: Application, pune: Audience, **more: object) -> Campaign:
    given = {"name": "Autumn", "application": application, "sender_id": "", "text": "Hi", "audiences": [pune], **more}
    return drafts.create(**given)  # type: ignore[arg-type]


def freeze(campaign: Campaign) -> None:
    with transaction.atomic():
        campaign.refresh_from_db()
        audience.begin(campaign)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()


def numbers_of(campaign: Campaign) -> list[str]:
    return list(Message.objects.filter(campaign=campaign).order_by("number").values_list("number", flat=True))


def in_pune() -> list[str]:
    found = Contact.objects.filter(attributes__city="Pune").order_by("number")
    return list(found.values_list("number", flat=True))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "CHUNK", 2)
    monkeypatch.setattr(audience_sql, "LOOKED_AT", 5)


def test_who_meets_the_condition_gets_it_in_chunks(
    application: Application, pune: Audience, small_chunks: None
) -> None:
    campaign = draft(application, pune)

    freeze(campaign)

    assert numbers_of(campaign) == in_pune()
    assert campaign.total == len(in_pune()) == 10
    assert Batch.objects.count() > 3


def test_a_killed_freeze_goes_on_where_it_stood(application: Application, pune: Audience, small_chunks: None) -> None:
    campaign = draft(application, pune)
    audience.begin(campaign)
    audience.freeze_chunk(campaign.pk)
    stood_at = Campaign.objects.get().audience_cursor

    while audience.freeze_chunk(campaign.pk):
        assert Campaign.objects.get().audience_cursor > stood_at

    assert numbers_of(campaign) == in_pune()


def test_groups_and_audiences_add_up_and_each_reason_is_counted(application: Application, pune: Audience) -> None:
    delhi, staff = ContactGroup.objects.create(name="Delhi"), ContactGroup.objects.create(name="Staff")
    ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
    GroupMembership.objects.bulk_create(GroupMembership(contact_id=pk, group=delhi) for pk in ids[:2])
    GroupMembership.objects.create(contact_id=ids[3], group=staff)
    SuppressionEntry.objects.create(number=Contact.objects.get(pk=ids[6]).number, channel="sms")
    campaign = draft(application, pune, groups=[delhi], excluded_groups=[staff])

    counted = audience_counts.complete(campaign)
    freeze(campaign)

    assert (campaign.total, campaign.dropped_excluded, campaign.dropped_suppressed) == (9, 1, 1)
    assert (counted.recipients, counted.excluded, counted.suppressed) == (9, 1, 1)


def test_a_rare_condition_is_not_counted_again_at_each_look(
    application: Application, pune: Audience, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 30 contacts 10 meet it, and all 30 are looked at."""
    monkeypatch.setattr(audience_counts, "QUICK", 20)
    campaign = draft(application, pune)
    begun = audience_counts.complete(campaign).started_at

    def looked(**given: bool) -> AudienceCount:
        audience_counts.renew(campaign, **given)
        return AudienceCount.objects.get(campaign=campaign)

    assert looked(to_look=True).started_at == begun
    SuppressionEntry.objects.create(number=in_pune()[0], channel="sms")
    assert looked(to_look=True).started_at == begun  # a moment later
    monkeypatch.setattr(audience_counts, "A_LOOK", dt.timedelta(0))
    moved = looked(to_look=True)
    assert (moved.started_at > begun, moved.recipients, moved.suppressed) == (True, 9, 1)
    assert looked(to_look=True).started_at == moved.started_at  # and nothing has moved since
    add_contacts(group, 1, first=919876599999)
    assert looked(to_look=True).started_at > moved.started_at
    monkeypatch.setattr(audience_counts, "A_LOOK", dt.timedelta(minutes=1))
    shown = looked(to_look=True).started_at
    assert looked().started_at > shown  # who acts


def test_few_contacts_are_counted_at_each_look(application: Application, pune: Audience) -> None:
    campaign = draft(application, pune)
    begun = audience_counts.complete(campaign).started_at

    audience_counts.renew(campaign, to_look=True)

    assert AudienceCount.objects.get(campaign=campaign).started_at > begun


def test_who_was_added_or_joined_after_the_launch_is_not_in(
    application: Application, pune: Audience, group: ContactGroup, small_chunks: None
) -> None:
    new = ContactGroup.objects.create(name="New")
    both = audiences.create(name="Both", condition='attribute.city = Pune or group "New"')
    campaign = draft(application, both)
    audience.begin(campaign)
    expected = in_pune()

    late = Contact.objects.create(number="919876599999", country="IN", attributes={"city": "Pune"})
    GroupMembership.objects.bulk_create(
        GroupMembership(contact=contact, group=new) for contact in Contact.objects.all()
    )
    while audience.freeze_chunk(campaign.pk):
        pass

    assert numbers_of(campaign) == expected
    assert late.number not in expected


def test_an_edit_after_the_launch_changes_nothing_of_it(
    application: Application, pune: Audience, small_chunks: None
) -> None:
    campaign = draft(application, pune)
    audience.begin(campaign)
    audience.freeze_chunk(campaign.pk)
    expected = in_pune()

    pune.condition = "attribute.city = Delhi"
    audiences.save(pune)
    while audience.freeze_chunk(campaign.pk):
        pass

    campaign.refresh_from_db()
    assert numbers_of(campaign) == expected
    assert [rule["condition"] for rule in campaign.rules] == ["attribute.city = Pune"]


def test_an_edit_before_the_launch_is_something_else_than_was_shown(application: Application, pune: Audience) -> None:
    campaign = draft(application, pune)
    seen = shown.parts_of(campaign)
    counted_for = audience_counts.complete(campaign).counted_for

    pune.condition = "attribute.city = Pune or attribute.city is not set"
    audiences.save(pune)

    assert shown.changed_parts(seen, shown.parts_of(campaign)) == ["the audiences, or a condition of theirs"]
    assert audience_counts.complete(campaign).counted_for != counted_for


@pytest.mark.django_db(transaction=True)
def test_it_is_launched_to_whom_was_counted_and_sent(
    application: Application, pune: Audience, sandbox: RunningSandbox, run_jobs: Callable[[], int]
) -> None:
    campaign = draft(application, pune)
    planned = forecast.of(campaign)
    starting.launch(campaign.pk, seen=shown.of(campaign, planned))

    run_jobs()

    campaign.refresh_from_db()
    assert (campaign.total, campaign.rules[0]["name"]) == (10, "Pune")


@pytest.mark.parametrize("state", [CampaignState.DRAFT, CampaignState.RUNNING])
def test_an_audience_in_use_is_not_deleted(application: Application, pune: Audience, state: str) -> None:
    campaign = draft(application, pune)
    Campaign.objects.update(state=state)

    with pytest.raises(ProtectedError, match=r"Pune.*Autumn"), transaction.atomic():
        pune.delete()

    Campaign.objects.update(state=CampaignState.FINISHED)
    pune.delete()
    assert Campaign.objects.filter(pk=campaign.pk).exists()


def test_a_group_that_a_condition_names_is_not_deleted(group: ContactGroup) -> None:
    audiences.create(name="Others", condition='not group "customers"')

    with pytest.raises(ProtectedError, match=r"customers.*Others"), transaction.atomic():
        contacts.delete_group(group)


def test_a_copy_goes_to_the_same_audience(application: Application, pune: Audience) -> None:
    assert list(follow_ups.copy(draft(application, pune).pk).audiences.all()) == [pune]


def test_the_preview_is_of_somebody_in_it(application: Application, pune: Audience) -> None:
    campaign = draft(application, pune, text="Hi {{city}}")

    assert previews.first(campaign).text == "Hi Pune"
    other = Contact.objects.exclude(attributes__city="Pune").order_by("pk")[0]
    assert "not in this campaign's audience" in previews.why_not(campaign, other)
    assert not previews.why_not(campaign, Contact.objects.filter(attributes__city="Pune").order_by("pk")[0])


# The commands


def run(*words: str) -> dict[str, object]:
    said = StringIO()
    call_command(*words, "--json", stdout=said)
    document: dict[str, object] = json.loads(said.getvalue())
    return document


def test_an_audience_is_saved_and_counted_from_the_shell(pune: Audience) -> None:
    made = run("audience", "create", "Delhi", "--where", "attribute.city = Delhi")

    counted = run("audience", "count", "Delhi")

    assert counted == {**made, "contacts": 20}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["create", "X", "--where", "country = Narnia"], "--where: At character 11.*not a country"),
        (["create", "X", "--where", 'group "nobody"'], "no group “nobody”"),
        (["create", "Pune", "--where", "country = IN"], "an audience “Pune” already: manage.py audience count “Pune”"),
        (["create", " ", "--where", "country = IN"], "NAME: "),
        (["count", "Nowhere"], "no audience “Nowhere”. Save one: manage.py audience create"),
    ],
)
def test_bad_input_is_one_sentence(pune: Audience, words: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("audience", *words)


def test_a_campaign_is_created_for_an_audience(application: Application, pune: Audience) -> None:
    made = run(
        *("campaign", "create", "--name", "A", "--app", application.app_id, "--text", "Hi", "--audience", "Pune")
    )

    assert list(Campaign.objects.get(pk=made["id"]).audiences.all()) == [pune]


def test_a_campaign_to_nobody_is_refused(application: Application) -> None:
    with pytest.raises(CommandError, match="--audience NAME"):
        call_command("campaign", "create", "--name", "A", "--app", application.app_id, "--text", "Hi")


def test_a_campaign_without_contacts_names_both_ways(application: Application) -> None:
    campaign = drafts.create(name="A", application=application, sender_id="", text="Hi")

    with pytest.raises(ValidationError, match="select groups or an audience, or paste numbers"):
        drafts.check_ready(campaign)


def renamed(group: ContactGroup) -> ContactGroup:
    """Another group, which has got the name that this one had."""
    was, group.name = group.name, "Old customers"
    group.save()
    return ContactGroup.objects.create(name=was)


def test_a_text_names_its_group_as_it_is_called_now(group: ContactGroup) -> None:
    kept = audiences.create(name="A", condition='country  =  IN and not group "customers" or group in (customers)')
    apart = audiences.create(name="B", condition="country  =  IN")
    other = renamed(group)
    kept.refresh_from_db()
    apart.refresh_from_db()

    assert kept.condition == 'country = IN and not group "Old customers" or group "Old customers"'
    assert apart.condition == "country  =  IN"
    assert list(kept.named_groups.all()) == [group] != [other]


def test_an_audience_whose_text_stays_keeps_the_group_that_was_meant(group: ContactGroup) -> None:
    kept = audiences.create(name="A", condition='group "customers"')
    with pytest.MonkeyPatch.context() as before_groups_were_told:
        before_groups_were_told.setattr("messaging.models.group_names.text", lambda written, *_: written)
        renamed(group)
    kept.name = "All of them"
    audiences.save(kept)

    kept.refresh_from_db()
    assert list(kept.named_groups.all()) == [group]
    assert kept.tree["group"] == group.pk
    assert kept.condition == 'group "Old customers"'


def test_a_group_is_renamed_without_a_change_of_what_was_approved(
    application: Application, group: ContactGroup
) -> None:
    kept = audiences.create(name="A", condition='group "customers"')
    campaign = draft(application, kept)
    before = shown.parts_of(campaign)
    renamed(group)

    assert shown.parts_of(Campaign.objects.get(pk=campaign.pk)) == before
