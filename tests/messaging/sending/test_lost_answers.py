"""The brake: a gateway that hangs stops the sending, and lets it go on by itself when it answers."""

import datetime as dt
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import OutcomeUnknown
from messaging.models import Campaign, CampaignState, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.sending import lost_answers, sending
from tests.messaging.conftest import add_contacts
from tests.plans import plan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch, settings: LazySettings, application: Application) -> list[bool]:
    """One recipient a call, one connection, and a gateway whose answers are lost while the list holds True."""
    settings.LAAFFIC_RECIPIENTS_PER_CALL = 1
    application.connections = 1
    application.save()
    state = [True]
    real = sending.attempt

    def attempt(*given: Any) -> Any:
        if state[0]:
            raise OutcomeUnknown("read timed out", interface="sendSms")
        return real(*given)

    monkeypatch.setattr(sending, "attempt", attempt)
    return state


def launched(application: Application, group: ContactGroup) -> Campaign:
    campaign = drafts.create(name="A", application=application, sender_id="S", text="Hi", groups=[group])
    starting.launch(campaign.pk)
    audience.freeze(campaign.pk)
    return campaign


def unknown() -> int:
    return Message.objects.filter(state=MessageState.UNKNOWN).count()


def waits() -> dict[str, int]:
    """Seconds until Laaffic is asked, of each hold that stands."""
    standing = AccountHold.objects.filter(released_at=None)
    return {scope.partition(":")[0]: wait for scope, wait in standing.values_list("scope", "probe_wait")}


@pytest.mark.usefixtures("sandbox")
class BrakeTests:
    @pytest.fixture
    def application(self, application: Application) -> Application:
        """With one connection; each request in flight when the hold comes is lost as well, and one may leave ahead."""
        application.connections = 1
        application.save()
        return application

    @pytest.mark.parametrize("in_a_row", [1, 5])
    def test_a_few_in_a_row_hold_the_campaign_with_the_reason(
        self,
        application: Application,
        group: ContactGroup,
        hanging: list[bool],
        settings: LazySettings,
        in_a_row: int,
    ) -> None:
        settings.LAAFFIC_LOST_ANSWERS = in_a_row
        add_contacts(group, 12)
        campaign = launched(application, group)

        sending.send(campaign.pk)

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert f"last {in_a_row} answers of Laaffic were lost" in campaign.hold_reason
        assert in_a_row <= unknown() <= in_a_row + 2
        assert not account_hold.is_held(application.pk)

    def test_it_goes_on_by_itself_when_laaffic_answers(
        self, application: Application, group: ContactGroup, hanging: list[bool]
    ) -> None:
        add_contacts(group, 12)
        campaign = launched(application, group)
        sending.send(campaign.pk)
        lost = unknown()

        hanging[0] = False
        account_hold.probe(at_once=True)
        campaigns.follow_account()
        sending.send(campaign.pk)

        assert AccountHold.objects.get().released_because == "Laaffic answers again."
        assert LedgerEntry.objects.filter(about_kind="campaign", state=EntryState.ACCEPTED).count() == 12 - lost
        assert unknown() == lost

    def test_of_one_moment_the_newest_request_comes_first(self, application: Application) -> None:
        """Dozens are settled at once: what was answered among them is not put behind what was lost."""
        for state in ("unknown", "unknown", "accepted"):
            entry = ledger.prepare(
                interface="sendTts", application=application, about_kind="campaign", about_id=7, summary={}
            )
            LedgerEntry.objects.filter(pk=entry.pk).update(state=state, reason="timed out", settled_at=timezone.now())
        LedgerEntry.objects.update(settled_at=timezone.now())

        assert lost_answers._last_settled(7, 5) == ["accepted", "unknown", "unknown"]

    def test_it_stays_held_while_laaffic_is_silent(
        self, application: Application, group: ContactGroup, hanging: list[bool], settings: LazySettings
    ) -> None:
        add_contacts(group, 12)
        campaign = launched(application, group)
        sending.send(campaign.pk)
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:1"
        account_hold.laaffic_client.cache_clear()

        account_hold.probe(at_once=True)
        campaigns.follow_account()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD

    def test_several_campaigns_hold_the_account(
        self, application: Application, group: ContactGroup, hanging: list[bool]
    ) -> None:
        add_contacts(group, 12)
        for _ in range(2):
            sending.send(launched(application, group).pk)

        assert account_hold.is_held(application.pk)
        assert "2 campaigns" in AccountHold.objects.get(scope="account").sentence

        hanging[0] = False
        account_hold.probe(at_once=True)
        campaigns.follow_account()

        assert set(Campaign.objects.values_list("state", flat=True)) == {CampaignState.RUNNING}

    def test_a_person_may_resume_at_once_and_the_count_begins_anew(
        self, application: Application, group: ContactGroup, hanging: list[bool]
    ) -> None:
        add_contacts(group, 12)
        campaign = launched(application, group)
        sending.send(campaign.pk)
        before = unknown()

        campaigns.resume(campaign.pk)
        sending.send(campaign.pk)

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert unknown() - before >= 5

    def test_an_answer_between_lost_ones_begins_the_count_anew(
        self, application: Application, group: ContactGroup, hanging: list[bool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_contacts(group, 12)
        campaign = launched(application, group)
        lose, entries = sending.attempt, []

        def every_third_arrives(*given: Any) -> Any:
            entries.append(1)
            hanging[0] = len(entries) % 3 != 0
            return lose(*given)

        monkeypatch.setattr(sending, "attempt", every_third_arrives)

        sending.send(campaign.pk)

        assert not AccountHold.objects.exists()
        assert unknown() == 8

    @pytest.mark.parametrize(("answered", "wait"), [(0, 30), (8, 30), (25, 15)])
    @pytest.mark.parametrize(("campaigns_for_all", "scopes"), [(2, ["campaign"]), (1, ["account", "campaign"])])
    def test_it_is_asked_ever_more_seldom_unless_all_went_well_between(
        self,
        application: Application,
        group: ContactGroup,
        hanging: list[bool],
        monkeypatch: pytest.MonkeyPatch,
        settings: LazySettings,
        answered: int,
        wait: int,
        campaigns_for_all: int,
        scopes: list[str],
    ) -> None:
        settings.LAAFFIC_LOST_ANSWERS_CAMPAIGNS = campaigns_for_all
        add_contacts(group, 60)
        campaign = launched(application, group)
        sending.send(campaign.pk)
        assert waits() == dict.fromkeys(scopes, account_hold.FIRST_PROBE)
        account_hold.probe(at_once=True)
        campaigns.follow_account()
        lose, entries = sending.attempt, []

        def the_first_are_answered(*given: Any) -> Any:
            entries.append(1)
            hanging[0] = len(entries) > answered
            return lose(*given)

        monkeypatch.setattr(sending, "attempt", the_first_are_answered)
        sending.send(campaign.pk)

        assert waits() == dict.fromkeys(scopes, wait)

    def test_zero_switches_it_off(
        self, application: Application, group: ContactGroup, hanging: list[bool], settings: LazySettings
    ) -> None:
        settings.LAAFFIC_LOST_ANSWERS = 0
        add_contacts(group, 12)
        campaign = launched(application, group)

        sending.send(campaign.pk)

        assert unknown() == 12
        assert not AccountHold.objects.exists()


NOW = timezone.now()


class LastSettledTests:
    """Of a campaign with a request for each message."""

    @pytest.fixture
    def campaign(self, application: Application) -> Campaign:
        return Campaign.objects.create(name="A", application=application)

    def settle(self, campaign: Campaign, *settled: tuple[EntryState, int]) -> None:
        """In the order of their departure: each with its state and the seconds after which it was settled."""
        LedgerEntry.objects.bulk_create(
            LedgerEntry(
                interface="voice/sendCode",
                about_kind="campaign",
                about_id=campaign.pk,
                state=state,
                reason="read timed out" if state == EntryState.UNKNOWN else "",
                prepared_at=NOW,
                left_at=NOW,
                settled_at=None if state in lost_answers.WAITING else NOW + dt.timedelta(seconds=seconds),
            )
            for state, seconds in settled
        )

    def test_what_was_made_first_and_settled_last_counts_as_last(self, campaign: Campaign) -> None:
        lost = [(EntryState.UNKNOWN, n) for n in range(5)]
        self.settle(campaign, (EntryState.ACCEPTED, 60), *lost, (EntryState.IN_FLIGHT, 0), (EntryState.PREPARED, 0))

        assert lost_answers.brake(campaign.pk) is None

    def test_what_is_under_way_breaks_no_row(self, campaign: Campaign) -> None:
        lost = [(EntryState.UNKNOWN, n + 1) for n in range(5)]
        self.settle(campaign, (EntryState.ACCEPTED, 0), *lost, *[(EntryState.IN_FLIGHT, 0)] * 400)

        assert lost_answers.brake(campaign.pk) is not None

    def test_it_reads_a_few_hundred_of_however_many(self, campaign: Campaign) -> None:
        self.settle(campaign, *[(EntryState.ACCEPTED, 0)] * 1000, *[(EntryState.UNKNOWN, 1)] * 5)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE gateway_ledgerentry")

        with CaptureQueriesContext(connection) as asked:
            hold = lost_answers.brake(campaign.pk)

        (read,) = [query["sql"] for query in asked if 'FROM "gateway_ledgerentry"' in query["sql"]]
        said = plan(read)
        assert hold is not None
        assert "LIMIT 325" in read
        assert "TEMP B-TREE" not in said
        assert "Sort" not in said
