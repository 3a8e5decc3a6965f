"""A claim asks again only what may have changed since its audience was frozen, and all of that."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import SendResult
from messaging.models import (
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    ConsentState,
    ContactGroup,
    FrequencyCap,
    Message,
)
from messaging.models import MessageState as State
from messaging.services.audience import audience
from messaging.services.batches import claiming, settling
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import consents
from messaging.services.contacts.consents import Said
from messaging.services.gates import as_frozen, frequency
from messaging.services.tallies import tally_writes
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

ASKS_MESSAGES = "FROM messaging_message WHERE number"
ASKS_CONSENTS = "FROM messaging_consent WHERE number"


@pytest.fixture(autouse=True)
def _with_care(settings: LazySettings, group: ContactGroup) -> Iterator[None]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    settings.LAAFFIC_FREQUENCY_CAP_DAY, settings.LAAFFIC_FREQUENCY_CAP_WEEK = 2, 0
    settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True
    account.laaffic_client.cache_clear()
    now = timezone.now()
    consents.put(Said(one.number, "sms", ConsentState.GIVEN, now, "form") for one in add_contacts(group, 5))
    yield
    account.laaffic_client.cache_clear()


@pytest.fixture
def start(application: Application, group: ContactGroup) -> Callable[[str], Campaign]:
    def started(name: str) -> Campaign:
        campaign = drafts.create(
            name=name, application=application, sender_id="", text="Hello", groups=[group], purpose="marketing"
        )
        starting.launch(campaign.pk, by=None)
        while audience.freeze_chunk(campaign.pk):
            pass
        campaign.refresh_from_db()
        return campaign

    return started


def send(campaign: Campaign) -> tuple[int, list[str]]:
    """Claim what there is and have it accepted: how many, and what was asked of all of them."""
    Batch.objects.filter(campaign=campaign).update(not_before=None)
    with CaptureQueriesContext(connection) as captured:
        claim = claiming.claim(campaign, "token")
    asked = [what for what in (ASKS_MESSAGES, ASKS_CONSENTS) if any(what in one["sql"] for one in captured)]
    if not isinstance(claim, Claim):
        return 0, asked
    ledger.depart(claim.entry_id)
    ids: list[str | None] = [f"20{pk}" for pk in claim.message_ids]
    settling.settle_answer(campaign.pk, claim, SendResult(ids, [], len(ids), 0))
    return len(ids), asked


def test_nothing_has_changed_and_nothing_is_asked(start: Callable[[str], Campaign]) -> None:
    assert send(start("A")) == (5, [])


class OtherCampaignTests:
    def test_one_that_sends_meanwhile_is_counted(
        self, start: Callable[[str], Campaign], settings: LazySettings
    ) -> None:
        settings.LAAFFIC_FREQUENCY_CAP_DAY = 1
        first, second = start("A"), start("B")
        assert send(first) == (5, [])

        assert send(second) == (0, [ASKS_MESSAGES])

    def test_so_is_one_whose_request_is_under_way(
        self, start: Callable[[str], Campaign], settings: LazySettings
    ) -> None:
        settings.LAAFFIC_FREQUENCY_CAP_DAY = 1
        first, second = start("A"), start("B")
        assert isinstance(claiming.claim(first, "token"), Claim)

        assert send(second) == (0, [ASKS_MESSAGES])

    def test_one_that_had_finished_was_counted_at_the_freezing(self, start: Callable[[str], Campaign]) -> None:
        first = start("A")
        send(first)
        assert campaigns.finish_if_done(first.pk)

        assert send(start("B")) == (5, [])

    def test_one_that_had_finished_and_sends_again_is_counted(self, start: Callable[[str], Campaign]) -> None:
        first = start("A")
        send(first)
        assert campaigns.finish_if_done(first.pk)
        second = start("B")
        Campaign.objects.filter(pk=first.pk).update(state=CampaignState.RUNNING)
        Message.objects.filter(campaign=first).update(attempt=2, settled_at=None)

        assert send(second) == (0, [ASKS_MESSAGES])

    def test_one_that_finished_long_before_and_whose_reports_come_now_is_not_asked(
        self, start: Callable[[str], Campaign]
    ) -> None:
        first = start("A")
        send(first)
        assert campaigns.finish_if_done(first.pk)
        Campaign.objects.filter(pk=first.pk).update(finished_at=timezone.now() - dt.timedelta(hours=1))
        second = start("B")
        tally_writes.count_activity(first.pk, {State.DELIVERED: 5}, timezone.now())

        assert send(second) == (5, [])

    def test_many_that_finished_just_before_are_not_kept(
        self, start: Callable[[str], Campaign], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(as_frozen, "MANY", 0)
        first = start("A")
        send(first)
        assert campaigns.finish_if_done(first.pk)
        second = start("B")

        assert second.frozen_by == {}
        assert send(second) == (5, [ASKS_MESSAGES, ASKS_CONSENTS])


class CapTests:
    def test_another_cap_than_at_the_freezing_is_asked(
        self, start: Callable[[str], Campaign], application: Application
    ) -> None:
        send(start("A"))
        second = start("B")
        FrequencyCap.objects.create(application=application, per_day=1)

        assert send(second) == (0, [ASKS_MESSAGES])

    def test_a_chunk_that_is_frozen_by_another_ends_the_note(
        self, application: Application, group: ContactGroup
    ) -> None:
        campaign = drafts.create(
            name="A", application=application, sender_id="", text="Hi", groups=[group], purpose="marketing"
        )
        starting.launch(campaign.pk, by=None)
        own = FrequencyCap.objects.create(application=application, per_day=9)
        assert audience.freeze_chunk(campaign.pk)
        own.delete()  # as at the launch again

        campaign.refresh_from_db()
        assert campaign.frozen_by == {}
        assert send(campaign) == (5, [ASKS_CONSENTS])  # nobody else has ever sent: there are no messages to ask


class ConsentTests:
    def test_who_withdraws_after_the_freezing_gets_nothing(self, start: Callable[[str], Campaign]) -> None:
        campaign = start("A")
        number = Message.objects.order_by("pk").values_list("number", flat=True)[0]
        consents.put([Said(number, "sms", ConsentState.WITHDRAWN, timezone.now(), "reply")])

        assert send(campaign) == (4, [ASKS_CONSENTS])

    def test_who_withdrew_and_gave_it_back_gets_it(self, start: Callable[[str], Campaign]) -> None:
        campaign = start("A")
        number = Message.objects.order_by("pk").values_list("number", flat=True)[0]
        later = timezone.now() + dt.timedelta(seconds=2)
        consents.put([Said(number, "sms", ConsentState.WITHDRAWN, timezone.now(), "reply")])
        consents.put([Said(number, "sms", ConsentState.GIVEN, later, "reply")])

        assert send(campaign) == (5, [ASKS_CONSENTS])

    def test_what_was_said_on_another_channel_is_not_asked(self, start: Callable[[str], Campaign]) -> None:
        campaign = start("A")
        number = Message.objects.order_by("pk").values_list("number", flat=True)[0]
        consents.put([Said(number, "email", ConsentState.WITHDRAWN, timezone.now(), "reply")])

        assert send(campaign) == (5, [])

    def test_more_than_can_be_named_are_all_asked(
        self, start: Callable[[str], Campaign], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = start("A")
        monkeypatch.setattr(consents, "MANY", 1)
        numbers = list(Message.objects.order_by("pk").values_list("number", flat=True)[:2])
        consents.put(Said(number, "sms", ConsentState.WITHDRAWN, timezone.now(), "file") for number in numbers)

        assert send(campaign) == (3, [ASKS_CONSENTS])

    def test_consent_that_was_not_needed_at_the_freezing_is_asked_of_all(
        self, start: Callable[[str], Campaign], settings: LazySettings
    ) -> None:
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = False
        campaign = start("A")
        consents.put(
            Said(number, "sms", ConsentState.WITHDRAWN, timezone.now() - dt.timedelta(days=1), "file")
            for number in campaign.groups.get().contacts.values_list("number", flat=True)[:1]
        )
        settings.LAAFFIC_MARKETING_NEEDS_CONSENT = True

        sent, asked = send(campaign)

        assert asked == [ASKS_CONSENTS]
        assert sent == 5  # what was said a day ago is older than what was given


def test_a_batch_that_is_settled_by_a_report_counts_by_its_minute(start: Callable[[str], Campaign]) -> None:
    """Its request had no answer when the audience was frozen, and none since: the minute of its end tells."""
    first, second = start("A"), start("B")
    claim = claiming.claim(first, "token")
    assert isinstance(claim, Claim)
    Batch.objects.filter(pk=claim.batch_id).update(state=BatchState.SETTLED)
    tally_writes.count_activity(first.pk, {State.DELIVERED: 5}, timezone.now())
    frozen = as_frozen.of(second)
    assert frozen is not None

    assert as_frozen.others_sent(second, frozen)


def test_what_finished_before_is_passed_by_an_index(start: Callable[[str], Campaign]) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of few campaigns PostgreSQL reads all")
    first = start("A")
    frozen = as_frozen.of(first)
    assert frozen is not None

    with CaptureQueriesContext(connection) as asked:
        as_frozen.others_sent(first, frozen)
        as_frozen.noted("sms", timezone.now(), (1, 0), consent=False)
        frequency.sending_since("sms", timezone.now() - dt.timedelta(days=7))

    plans = [plan_of(one["sql"]) for one in asked]
    assert len(plans) == 3
    index, since = "campaign_finished (channel=? AND state=?", " AND finished_at>?)"
    assert [plan.count(index) - plan.count(index + since) for plan in plans] == [1, 0, 1]
    assert [plan.count(index + since) for plan in plans] == [1, 1, 1]


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return str(cursor.fetchall())
