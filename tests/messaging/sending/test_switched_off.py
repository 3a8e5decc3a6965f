"""An application that is switched off: nothing leaves by it any more, and whoever says STOP meanwhile is heard."""

import datetime as dt

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

from laaffic_console.gateway.models import Application, LedgerEntry
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import (
    Batch,
    Campaign,
    CampaignState,
    ContactGroup,
    EmailCampaign,
    EmailCampaignState,
    HourTally,
    Message,
    MessageState,
)
from messaging.services.audience import audience
from messaging.services.batches import claiming, unanswered
from messaging.services.campaigns import campaigns, drafts, resolving, starting
from messaging.services.email import sending as email_sending
from messaging.services.replies import reply_pulls
from messaging.services.sending import sending
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)

SWITCHED_OFF = "Its application is switched off, so nothing leaves. Switch it on again, then resume."


@pytest.fixture
def campaign(application: Application, group: ContactGroup, settings: LazySettings) -> Campaign:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    add_contacts(group, 3)
    return drafts.create(name="A", application=application, sender_id="S", text="Hi", groups=[group])


def switch(is_on: bool) -> None:
    Application.objects.update(is_active=is_on)


def test_a_campaign_whose_time_comes_is_held(campaign: Campaign) -> None:
    Campaign.objects.update(scheduled_at=timezone.now() + dt.timedelta(hours=1))
    assert starting.launch(campaign.pk).state == CampaignState.SCHEDULED
    switch(False)
    Campaign.objects.update(scheduled_at=timezone.now())

    starting.start_scheduled(campaign.pk)

    campaign.refresh_from_db()
    assert (campaign.state, campaign.hold_reason) == (CampaignState.HELD, SWITCHED_OFF)


def test_one_that_runs_is_held_before_its_next_request(campaign: Campaign) -> None:
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    switch(False)

    sending.send(campaign.pk)

    campaign.refresh_from_db()
    assert (campaign.state, campaign.hold_reason) == (CampaignState.HELD, SWITCHED_OFF)
    assert not LedgerEntry.objects.exists()
    with pytest.raises(NotNow, match="switched off"):
        campaigns.resume(campaign.pk)

    switch(True)
    assert campaigns.resume(campaign.pk).state == CampaignState.RUNNING
    assert isinstance(claiming.claim(campaign, "token"), claiming.Claim)


@pytest.mark.parametrize("is_paused", [False, True])
def test_one_that_only_waits_for_its_last_answers_ends(campaign: Campaign, is_paused: bool) -> None:
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    claimed = claiming.claim(campaign, "token")
    assert isinstance(claimed, claiming.Claim)
    assert ledger.depart(claimed.entry_id)
    LedgerEntry.objects.update(left_at=timezone.now() - unanswered.ANSWER_GRACE * 2)
    assert unanswered.recover_stale(campaign.pk, "another")  # the answer was lost
    if is_paused:
        campaigns.pause(campaign.pk)
    switch(False)

    if is_paused:
        campaigns.resume(campaign.pk)
    sending.send(campaign.pk)

    campaign.refresh_from_db()
    assert campaign.state == CampaignState.RUNNING
    resolving.write_off(campaign.pk, reason="they were called")
    sending.send(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.FINISHED


def test_one_whose_last_messages_were_all_reported_ends(campaign: Campaign) -> None:
    """They were to be sent again, when reports said that the first sending had arrived."""
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    Message.objects.update(state=MessageState.DELIVERED)
    Batch.objects.update(queued=0, delivered=F("size"))
    campaigns.pause(campaign.pk)
    switch(False)

    campaigns.resume(campaign.pk)
    sending.send(campaign.pk)

    campaign.refresh_from_db()
    assert campaign.state == CampaignState.FINISHED


def test_an_email_is_held_too(application: Application) -> None:
    switch(False)
    email = EmailCampaign.objects.create(application=application, state=EmailCampaignState.SENDING)

    assert email_sending._claim(email.pk) is None

    email.refresh_from_db()
    assert (email.state, email.hold_reason) == (EmailCampaignState.HELD, SWITCHED_OFF)


@pytest.mark.parametrize(
    ("state", "days", "is_heard"),
    [
        (CampaignState.HELD, 30, True),
        (CampaignState.CANCELLED, 1, True),  # what was wrong with it is why it was switched off
        (CampaignState.FINISHED, 6, True),
        (CampaignState.FINISHED, 8, False),
    ],
)
def test_replies_are_asked_for_while_somebody_may_answer(
    campaign: Campaign, state: CampaignState, days: int, is_heard: bool
) -> None:
    Campaign.objects.update(state=state, launched_at=timezone.now() - dt.timedelta(days=days))
    switch(False)

    assert reply_pulls.anything_due() == is_heard


@pytest.mark.parametrize(("days", "is_heard"), [(6, True), (8, False)])
def test_one_that_ran_for_long_counts_by_what_was_told_of_it(campaign: Campaign, days: int, is_heard: bool) -> None:
    now = timezone.now()
    Campaign.objects.update(state=CampaignState.CANCELLED, launched_at=now - dt.timedelta(days=30))
    HourTally.objects.create(
        application=campaign.application, hour=now - dt.timedelta(days=days), state=MessageState.DELIVERED, messages=1
    )
    switch(False)

    assert reply_pulls.anything_due() == is_heard


def test_the_command_says_whose_replies_could_not_be_read(campaign: Campaign, settings: LazySettings) -> None:
    now = timezone.now()
    Campaign.objects.update(state=CampaignState.CANCELLED, launched_at=now)
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = ""
    account.laaffic_client.cache_clear()
    switch(False)

    with pytest.raises(CommandError, match=campaign.application.app_id):
        call_command("replies", "pull")
