"""What stops a campaign by itself, and what a person changes while it runs."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import OutcomeUnknown
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, Campaign, CampaignState, ContactGroup, Message, MessageEvent, MessageState
from messaging.services.audience import audience
from messaging.services.batches import carving, claiming, failed_requests
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import proving
from messaging.services.sending import forgotten, sending
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts, events_saying

pytestmark = pytest.mark.django_db(transaction=True)


def draft(application: Application, group: ContactGroup, **fields: object) -> Campaign:
    campaign = drafts.create(name="A", application=application, sender_id="S", text="Hello", groups=[group])
    Campaign.objects.filter(pk=campaign.pk).update(**fields)
    return campaign


class ErrorLimitTests:
    def test_so_many_rejected_hold_it_and_resume_goes_on(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        contacts = add_contacts(group, 2500)
        sandbox.set_faults(leave_out=[contact.number for contact in contacts[:20]])
        application.connections = 1
        application.save()
        campaign = draft(application, group, error_limit=20)
        starting.launch(campaign.pk)
        run_jobs()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert campaign.hold_reason.startswith("20 recipients were rejected, and 20 is")

        sending.send(campaign.pk)
        assert sandbox.stats()["accepted"] < 2480  # what was held stays where it is
        campaigns.resume(campaign.pk)
        run_jobs()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.FINISHED
        assert sandbox.stats()["accepted"] == 2480
        assert proving.prove(campaign)["disagreements"] == []

    @pytest.mark.parametrize("limit", [0, 21])
    def test_below_it_or_without_one_it_goes_on(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        limit: int,
    ) -> None:
        contacts = add_contacts(group, 30)
        sandbox.set_faults(leave_out=[contact.number for contact in contacts[:20]])
        campaign = draft(application, group, error_limit=limit)
        starting.launch(campaign.pk)
        run_jobs()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.FINISHED


class LatestStartTests:
    @pytest.fixture
    def late(self, sandbox: RunningSandbox, application: Application, group: ContactGroup) -> Campaign:
        """Scheduled, and the console was off for two hours."""
        add_contacts(group, 2)
        campaign = draft(application, group, scheduled_at=timezone.now() + dt.timedelta(hours=1))
        starting.launch(campaign.pk)
        Campaign.objects.update(scheduled_at=timezone.now() - dt.timedelta(hours=2))
        return campaign

    def test_too_late_is_held_and_asks(self, late: Campaign, run_jobs: Callable[[], int]) -> None:
        forgotten.sweep()
        run_jobs()

        late.refresh_from_db()
        assert late.state == CampaignState.HELD
        assert late.hold_reason.startswith("It is 120 minutes past its time, and 60 is the limit.")
        assert not late.messages.exists()

    def test_resumed_it_starts(self, late: Campaign, run_jobs: Callable[[], int], sandbox: RunningSandbox) -> None:
        forgotten.sweep()
        campaigns.resume(late.pk)
        run_jobs()

        assert sandbox.stats()["accepted"] == 2

    def test_within_its_own_limit_it_starts_by_itself(
        self, late: Campaign, run_jobs: Callable[[], int], sandbox: RunningSandbox
    ) -> None:
        Campaign.objects.update(latest_start_minutes=180)

        forgotten.sweep()
        run_jobs()

        assert sandbox.stats()["accepted"] == 2

    @pytest.mark.parametrize(("seconds", "starts"), [(0, True), (20, True), (59, True), (61, False), (600, False)])
    @pytest.mark.parametrize("own", [True, False])
    def test_none_at_all_still_starts_on_time(
        self,
        application: Application,
        group: ContactGroup,
        settings: LazySettings,
        monkeypatch: pytest.MonkeyPatch,
        seconds: int,
        starts: bool,
        own: bool,
    ) -> None:
        settings.LAAFFIC_LATEST_START_MINUTES = 30 if own else 0
        campaign = draft(application, group)
        now = timezone.now()
        monkeypatch.setattr(database_clock, "now", lambda: now)
        due = now - dt.timedelta(seconds=seconds)
        Campaign.objects.update(
            state=CampaignState.SCHEDULED, scheduled_at=due, latest_start_minutes=0 if own else None
        )

        starting.start_scheduled(campaign.pk)

        campaign.refresh_from_db()
        assert campaign.state == (CampaignState.RUNNING if starts else CampaignState.HELD)


class PaceTests:
    def test_a_change_is_said_and_kept(self, application: Application, group: ContactGroup) -> None:
        campaign = draft(application, group)

        campaigns.change_pace(campaign.pk, rate_per_second=7)
        campaigns.change_pace(campaign.pk, rate_per_second=7)

        campaign.refresh_from_db()
        assert campaign.rate_per_second == 7
        assert campaign.events.all()[0].text == "Rate changed: 7 a second"
        assert campaign.events.count() == 2

    def test_zero_is_refused_and_what_is_over_too(self, application: Application, group: ContactGroup) -> None:
        campaign = draft(application, group)
        with pytest.raises(ValidationError):
            campaigns.change_pace(campaign.pk, rate_per_second=0)

        Campaign.objects.update(state=CampaignState.FINISHED)
        with pytest.raises(NotNow):
            campaigns.change_pace(campaign.pk, rate_per_second=5)

    def test_from_the_page(self, application: Application, group: ContactGroup, client: Client) -> None:
        campaign = draft(application, group, state=CampaignState.RUNNING)
        client.force_login(person("messaging.view_campaign", "messaging.launch_campaign"))

        client.post(reverse("admin:messaging_campaign_pace", args=[campaign.pk]), {"rate_per_second": "12"})

        campaign.refresh_from_db()
        assert campaign.rate_per_second == 12


def person(*permissions: str) -> User:
    user = User.objects.create_user("ann", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[name.split(".")[1] for name in permissions]))
    return user


class UnknownPageTests:
    @pytest.fixture
    def campaign(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> Campaign:
        add_contacts(group, 3)
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        campaign = draft(application, group)
        starting.launch(campaign.pk)
        run_jobs()
        return campaign

    def address(self, campaign: Campaign) -> str:
        return reverse("admin:messaging_campaign_unknown", args=[campaign.pk])

    def say(self, client: Client, campaign: Campaign, word: str, reason: str, **given: Any) -> Any:
        """As somebody does who looks at the page first."""
        seen = client.get(self.address(campaign)).context["newest"]
        return client.post(self.address(campaign), {"word": word, "reason": reason, "seen": seen}, **given)

    def test_it_shows_what_is_known(self, campaign: Campaign, client: Client) -> None:
        client.force_login(person("messaging.view_campaign", "messaging.resolve_campaign"))

        shown = client.get(self.address(campaign)).content.decode()

        assert "3 messages are unknown" in shown
        assert "502" in shown

    def test_send_again_says_who_and_why(
        self, campaign: Campaign, client: Client, run_jobs: Callable[[], int], sandbox: RunningSandbox
    ) -> None:
        client.force_login(person("messaging.view_campaign", "messaging.resolve_campaign"))

        self.say(client, campaign, "send_again", "the vendor has nothing")
        run_jobs()

        assert sandbox.stats()["accepted"] == 3
        event = MessageEvent.objects.first()
        assert (event.source, event.text) == ("ann", "sent again: the vendor has nothing")
        assert set(Message.objects.values_list("attempt", flat=True)) == {2}
        assert events_saying("sent again", campaign.events.filter(actor__username="ann")).exists()

    def test_write_off_ends_them(self, campaign: Campaign, client: Client) -> None:
        client.force_login(person("messaging.view_campaign", "messaging.resolve_campaign"))

        self.say(client, campaign, "write_off", "too late")

        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.EXPIRED}

    @pytest.mark.parametrize("word", ["send_again", "write_off"])
    def test_the_word_is_about_what_was_shown(
        self, campaign: Campaign, client: Client, run_jobs: Callable[[], int], sandbox: RunningSandbox, word: str
    ) -> None:
        """Sent again from another tab and lost anew, it is not sent a third time by a page drawn before."""
        client.force_login(person("messaging.view_campaign", "messaging.resolve_campaign"))
        seen = client.get(self.address(campaign)).context["newest"]
        sandbox.set_faults(next_fault="bad_gateway_before", next_calls=1)
        self.say(client, campaign, "send_again", "the vendor has nothing")
        run_jobs()
        assert counting.state_counts(campaign)["unknown"] == 3

        said = client.post(self.address(campaign), {"word": word, "reason": "the same", "seen": seen}, follow=True)

        assert "0 messages were settled by hand" in said.content.decode()
        assert "More answers have been lost since you looked" in said.content.decode()
        assert counting.state_counts(campaign)["unknown"] == 3
        assert set(Message.objects.values_list("attempt", flat=True)) == {2}

    @pytest.mark.parametrize("word", ["send_again", "write_off"])
    def test_what_left_earlier_and_is_lost_later_is_not_meant(
        self, application: Application, group: ContactGroup, client: Client, word: str
    ) -> None:
        """Two requests are under way, and the later one is lost at once."""
        client.force_login(person("messaging.view_campaign", "messaging.resolve_campaign"))
        campaign, first, second = self.two_under_way(application, group)
        lost = OutcomeUnknown("the connection broke", interface="sendSms")
        failed_requests.settle_error(campaign.pk, second, lost)
        seen = client.get(self.address(campaign)).context["newest"]
        failed_requests.settle_error(campaign.pk, first, lost)

        said = client.post(self.address(campaign), {"word": word, "reason": "nothing", "seen": seen}, follow=True)

        assert "2 messages were settled by hand" in said.content.decode()
        assert "More answers have been lost since you looked" in said.content.decode()
        of_first = Message.objects.filter(pk__in=first.message_ids)
        assert set(of_first.values_list("state", "attempt")) == {(MessageState.UNKNOWN, 1)}
        assert not Message.objects.filter(pk__in=second.message_ids, state=MessageState.UNKNOWN).exists()

        said = self.say(client, campaign, word, "nothing either", follow=True)

        assert "2 messages were settled by hand" in said.content.decode()
        assert "More answers have been lost since you looked" not in said.content.decode()
        assert counting.state_counts(campaign)["unknown"] == 0

    def two_under_way(self, application: Application, group: ContactGroup) -> tuple[Campaign, Claim, Claim]:
        add_contacts(group, 4)
        campaign = draft(application, group)
        audience.begin(campaign)
        Campaign.objects.update(state=CampaignState.RUNNING)
        while audience.freeze_chunk(campaign.pk):
            pass
        carving.carve_head(Batch.objects.get(), 2)
        first, second = claiming.claim(campaign, "token"), claiming.claim(campaign, "token")
        assert isinstance(first, Claim)
        assert isinstance(second, Claim)
        assert first.entry_id < second.entry_id
        assert all(ledger.depart(claimed.entry_id) for claimed in (first, second))
        return campaign, first, second

    @pytest.mark.parametrize(
        "seen", ["", "0", "7", "2026-13-40T00:00", "2026-11-29T12:00:00", "0001-01-01T00:00:00+14:00"]
    )
    def test_with_no_readable_look_nothing_happens(self, campaign: Campaign, client: Client, seen: str) -> None:
        client.force_login(person("messaging.view_campaign", "messaging.resolve_campaign"))

        client.post(self.address(campaign), {"word": "send_again", "reason": "the vendor has nothing", "seen": seen})

        assert counting.state_counts(campaign)["unknown"] == 3

    def test_without_a_look_nothing_happens(self, campaign: Campaign, client: Client) -> None:
        client.force_login(person("messaging.view_campaign", "messaging.resolve_campaign"))

        client.post(self.address(campaign), {"word": "send_again", "reason": "the vendor has nothing"})

        assert counting.state_counts(campaign)["unknown"] == 3

    def test_without_a_reason_nothing_happens(self, campaign: Campaign, client: Client) -> None:
        client.force_login(person("messaging.view_campaign", "messaging.resolve_campaign"))

        shown = self.say(client, campaign, "write_off", " ")

        assert "This field is required" in shown.content.decode()
        assert counting.state_counts(campaign)["unknown"] == 3

    def test_only_for_those_who_may(self, campaign: Campaign, client: Client) -> None:
        client.force_login(person("messaging.view_campaign", "messaging.launch_campaign"))

        assert client.get(self.address(campaign)).status_code == 403
        assert client.post(self.address(campaign), {"word": "write_off", "reason": "x"}).status_code == 403
        assert counting.state_counts(campaign)["unknown"] == 3
