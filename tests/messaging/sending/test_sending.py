"""A campaign from launch to its reports, against the sandbox over real HTTP."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.queue import taken_tasks
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import perseverance
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.gateway.services.work import bell, leases, turns
from laaffic_console.sandbox.testing import RunningSandbox
from messaging import job_names
from messaging.models import Batch, Campaign, CampaignState, ContactGroup, Message, MessageState, SuppressionEntry
from messaging.services.audience import audience
from messaging.services.batches import carving, claiming, settling
from messaging.services.campaigns import campaigns, drafts, starting, states
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import suppression
from messaging.services.reports import report_pulls
from messaging.services.sending import forgotten, sending
from messaging.services.sms.sms_channel import SmsChannel
from messaging.services.tallies import counting
from tests.losing_departures import lose_departures
from tests.messaging.conftest import LoseAnswers, add_contacts

pytestmark = pytest.mark.django_db(transaction=True)


def make(application: Application, group: ContactGroup, text: str = "Hello", **fields: object) -> Campaign:
    return drafts.create(name="Autumn", application=application, sender_id="SHOP", text=text, groups=[group], **fields)


def _watch_claims(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What each claim brings."""
    claimed: list[Any] = []
    claim_some = claiming.claim_some

    def watched(*given: Any) -> Any:
        claimed.append(claim_some(*given))
        return claimed[-1]

    monkeypatch.setattr(claiming, "claim_some", watched)
    return claimed


def _watch_batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many batches each claim carves."""
    made: list[int] = []
    claim_some, carve = claiming.claim_some, carving.carve

    def claim_watched(*given: Any) -> Any:
        made.append(0)
        return claim_some(*given)

    def carve_watched(*given: Any) -> Batch:
        made[-1] += 1
        return carve(*given)

    monkeypatch.setattr(claiming, "claim_some", claim_watched)
    monkeypatch.setattr(claiming, "carve", carve_watched)
    return made


class CampaignTests:
    def test_it_sends_to_everyone_once(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 2500)
        campaign = make(application, group)

        starting.launch(campaign.pk)
        run_jobs()

        campaign.refresh_from_db()
        stats = sandbox.stats()
        assert campaign.state == CampaignState.FINISHED
        assert campaign.total == stats["accepted"] == 2500
        assert counting.state_counts(campaign)["accepted"] == 2500
        assert stats["duplicates"] == {"number and text": 0, "order id": 0}
        assert LedgerEntry.objects.filter(state=EntryState.ACCEPTED).count() == 3
        ids = {m["order_id"]: m["msg_id"] for m in sandbox.log()}
        kept = {f"lc-{pk}": gid for pk, gid in Message.objects.values_list("pk", "gateway_id")}
        assert kept == ids

    def test_a_second_launch_changes_nothing(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 5)
        campaign = make(application, group)

        starting.launch(campaign.pk)
        starting.launch(campaign.pk)
        run_jobs()

        assert sandbox.stats()["accepted"] == 5

    def test_personalised_texts_share_a_call(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 3, name="Ann Lee")
        add_contacts(group, 2, first=919876600000, name="", attributes={"city": "Pune"})
        campaign = make(application, group, "Hi {{first_name|you}} in {{city|town}}")

        starting.launch(campaign.pk)
        run_jobs()

        said = {m["number"]: m["content"] for m in sandbox.messages()}
        assert said["919876500000"] == "Hi Ann in town"
        assert said["919876600001"] == "Hi you in Pune"
        assert sandbox.stats()["calls"] == {"/recordMo": 1, "/sendSms/batch": 1}

    def test_each_text_costs_a_call_where_the_application_takes_one(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        application.several_texts_per_call = False
        application.save()
        add_contacts(group, 3, name="Ann")
        add_contacts(group, 2, first=919876600000, name="Bo")
        add_contacts(group, 2, first=919876700000, name="Ann")
        campaign = make(application, group, "Hi {{name}}")

        starting.launch(campaign.pk)
        run_jobs()

        assert sandbox.stats()["calls"] == {"/recordMo": 1, "/sendSms": 2}
        assert sandbox.stats()["accepted"] == 7
        assert counting.state_counts(campaign)["accepted"] == 7

    def test_who_opted_out_since_is_given_up_batch_by_batch(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        settings: LazySettings,
        monkeypatch: pytest.MonkeyPatch,
        run_jobs: Callable[[], int],
    ) -> None:
        settings.LAAFFIC_RECIPIENTS_PER_CALL = 1
        claimed = _watch_claims(monkeypatch)
        contacts = add_contacts(group, 80)
        campaign = make(application, group)
        starting.launch(campaign.pk)
        audience.freeze(campaign.pk)
        suppression.suppress_numbers([c.number for c in contacts[:70]], channel="sms", reason="opt_out")

        run_jobs()

        assert counting.state_counts(campaign)["suppressed"] == 70
        assert counting.state_counts(campaign)["accepted"] == sandbox.stats()["accepted"] == 10
        assert claimed.count([]) >= 8  # each a transaction of its own

    def test_who_opted_out_takes_nobodys_turn(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup
    ) -> None:
        contacts = add_contacts(group, 3)
        campaign = make(application, group, rate_per_second=2)
        starting.launch(campaign.pk)
        audience.freeze(campaign.pk)
        suppression.suppress_numbers([c.number for c in contacts[:2]], channel="sms", reason="opt_out")

        assert claiming.claim_some(campaign, "token", 4) == []
        assert isinstance(claiming.claim(campaign, "token"), Claim)

    def test_a_batch_of_many_texts_is_taken_apart_over_several_claims(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
        run_jobs: Callable[[], int],
    ) -> None:
        application.several_texts_per_call = False
        application.save()
        made = _watch_batches(monkeypatch)
        for index in range(60):
            add_contacts(group, 1, first=919876500000 + index, name=f"N{index}")
        campaign = make(application, group, "Hi {{name}}")

        starting.launch(campaign.pk)
        run_jobs()

        assert len({m["content"] for m in sandbox.messages()}) == sandbox.stats()["accepted"] == 60
        assert max(made) <= 4 * claiming.TEXTS_CARVED
        batches = Batch.objects.filter(campaign=campaign)
        assert sum(batches.values_list("size", flat=True)) == 60
        assert set(batches.values_list("state", "queued")) == {(Batch.State.SETTLED, 0)}

    def test_a_number_left_out_of_the_answer_is_rejected(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 4)
        sandbox.set_faults(leave_out=["919876500002"])
        campaign = make(application, group)

        starting.launch(campaign.pk)
        run_jobs()

        left_out = Message.objects.get(number="919876500002")
        assert (left_out.state, left_out.reason) == (MessageState.REJECTED, settling.NOT_ACCEPTED)
        assert counting.state_counts(campaign) | {"accepted": 3, "rejected": 1} == counting.state_counts(campaign)

    def test_opt_out_wins_after_the_audience_was_frozen(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 4)
        SuppressionEntry.objects.create(number="919876500000", channel="all")
        campaign = make(application, group)
        starting.launch(campaign.pk)
        from messaging.services.audience import audience

        while audience.freeze_chunk(campaign.pk):
            pass
        SuppressionEntry.objects.create(number="919876500001", channel="sms")
        run_jobs()

        campaign.refresh_from_db()
        counts = counting.state_counts(campaign)
        assert (counts["accepted"], counts["suppressed"], campaign.dropped_suppressed) == (2, 1, 1)
        assert {m["number"] for m in sandbox.messages()} == {"919876500002", "919876500003"}


class FaultTests:
    @pytest.mark.parametrize("fault", ["reset_after", "bad_gateway_after", "html", "half_json", "hang"])
    def test_a_lost_answer_leaves_unknown_and_is_not_sent_again(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        lose_answers: LoseAnswers,
        settings: LazySettings,
        fault: str,
    ) -> None:
        if fault == "hang":
            settings.LAAFFIC_TIMEOUTS = (20.0, 1.0)
            account.laaffic_client.cache_clear()
        campaign = lose_answers(make(application, group), people=3, fault=fault)

        forgotten.sweep()
        run_jobs()

        campaign.refresh_from_db()
        assert counting.state_counts(campaign)["unknown"] == 3
        assert campaign.state == CampaignState.RUNNING
        assert sandbox.stats()["accepted"] == 3
        entry = LedgerEntry.objects.get()
        assert entry.state == EntryState.UNKNOWN
        assert entry.evidence

    def test_an_unreachable_gateway_sends_nothing_and_says_so(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, settings: object
    ) -> None:
        from laaffic_console.gateway.services.client import account

        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
        account.laaffic_client.cache_clear()
        add_contacts(group, 3)
        campaign = make(application, group)

        starting.launch(campaign.pk)
        sending.send(campaign.pk, slice_seconds=1)

        campaign.refresh_from_db()
        assert counting.state_counts(campaign)["queued"] == 3
        assert "cannot be reached" in campaign.wait_reason

    def test_a_cancelled_campaign_waits_for_nothing(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        settings: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        settings.LAAFFIC_BASE_URL = "http://127.0.0.1:9/v3"
        account.laaffic_client.cache_clear()
        add_contacts(group, 3)
        campaign = make(application, group)
        say_waiting = sending.Sender._say_waiting

        def cancelled_before(sender: sending.Sender, reason: str) -> None:
            campaigns.cancel(campaign.pk)
            say_waiting(sender, reason)

        monkeypatch.setattr(sending.Sender, "_say_waiting", cancelled_before)
        starting.launch(campaign.pk)
        sending.send(campaign.pk, slice_seconds=1)

        campaign.refresh_from_db()
        assert (campaign.state, campaign.wait_reason) == (CampaignState.CANCELLED, "")
        assert set(LedgerEntry.objects.values_list("state", flat=True)) == {EntryState.NOT_SENT}

    @pytest.mark.parametrize("code", ["-1", "-10", "-30"])
    def test_a_refusal_that_holds_keeps_every_message(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        code: str,
    ) -> None:
        add_contacts(group, 3)
        sandbox.set_faults(status=code, status_calls=1, paths=["/sendSms"])
        campaign = make(application, group)

        starting.launch(campaign.pk)
        run_jobs()

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD
        assert code in campaign.hold_reason
        assert counting.state_counts(campaign)["queued"] == 3

    def test_an_abnormal_number_ends_up_alone(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 16)
        sandbox.set_faults(abnormal=["919876500005"])
        campaign = make(application, group)

        starting.launch(campaign.pk)
        run_jobs()

        campaign.refresh_from_db()
        counts = counting.state_counts(campaign)
        assert (counts["accepted"], counts["rejected"]) == (15, 1)
        assert Message.objects.get(state=MessageState.REJECTED).number == "919876500005"
        assert campaign.state == CampaignState.FINISHED
        assert sandbox.stats()["duplicates"]["order id"] == 0

    def test_a_request_leaves_only_after_its_record(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 3)
        campaign = make(application, group)
        seen = []
        attempt = sending.attempt

        def spy(*request: Any) -> object:
            from django.db import connection

            seen.append((LedgerEntry.objects.get().state, connection.in_atomic_block))
            connection.close()
            return attempt(*request)

        monkeypatch.setattr(sending, "attempt", spy)
        starting.launch(campaign.pk)
        run_jobs()

        assert seen == [(EntryState.IN_FLIGHT, False)]

    @pytest.mark.parametrize("told_by", ["the time of day", "monotonic seconds"])
    def test_a_worker_that_was_stopped_before_its_request_left_does_not_send_it_later(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        told_by: str,
    ) -> None:
        """While it was stopped, somebody may have settled the call, and a person may have sent it again."""
        add_contacts(group, 3)
        campaign = make(application, group)
        attempt = sending.attempt
        stopped = []

        def slept(post: Any, client: Any, claimed: Any, left_at: dt.datetime, began: float) -> object:
            long = ledger.LEAVES_WITHIN * 2
            if not stopped and told_by == "the time of day":
                left_at -= long
            elif not stopped:
                began -= long.total_seconds()
            stopped.append(True)
            return attempt(post, client, claimed, left_at, began)

        monkeypatch.setattr(sending, "attempt", slept)
        starting.launch(campaign.pk)
        run_jobs()

        assert list(LedgerEntry.objects.order_by("pk").values_list("state", flat=True)) == ["not_sent", "accepted"]
        assert sandbox.stats()["accepted"] == 3
        assert sandbox.stats()["calls"]["/sendSms"] == 1

    @pytest.mark.parametrize("is_committed", [True, False])
    def test_a_departure_lost_with_the_database_sends_nothing_and_leaves_nothing_unknown(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
        is_committed: bool,
    ) -> None:
        """Its row may say that it left; the process that was about to send it knows better."""
        add_contacts(group, 3)
        campaign = make(application, group)
        lose_departures(monkeypatch, is_committed=is_committed)

        starting.launch(campaign.pk)
        run_jobs()

        first, second = LedgerEntry.objects.order_by("pk")
        assert (first.state, second.state) == (EntryState.NOT_SENT, EntryState.ACCEPTED)
        assert "the database was away" in first.evidence
        assert (sandbox.stats()["accepted"], sandbox.stats()["calls"]["/sendSms"]) == (3, 1)
        assert counting.state_counts(campaign)["unknown"] == 0

    def test_what_has_left_is_known_though_nothing_can_be_noted_of_the_campaign(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
        settings: LazySettings,
    ) -> None:
        """All requests of one departure leave, whatever fails behind it: else those that wait would look sent."""
        settings.LAAFFIC_RECIPIENTS_PER_CALL = 10
        add_contacts(group, 90)
        campaign = make(application, group)
        starting.launch(campaign.pk)
        while audience.freeze_chunk(campaign.pk):
            pass

        def gone(**given: Any) -> int:
            raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(sending, "_first_left", gone)
        with pytest.raises(OperationalError):
            sending.send(campaign.pk)

        assert EntryState.IN_FLIGHT not in LedgerEntry.objects.values_list("state", flat=True)
        accepted = LedgerEntry.objects.filter(state=EntryState.ACCEPTED)
        assert sandbox.stats()["accepted"] == 10 * accepted.count() >= 20

    def test_a_fault_of_ours_makes_no_message_look_unsent(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The request may have left before the fault: nobody is sent to again by itself."""
        add_contacts(group, 3)
        campaign = make(application, group)

        def broken(client: Any, claimed: Any) -> Any:
            raise ZeroDivisionError

        monkeypatch.setattr(SmsChannel, "poster", lambda self, campaign: broken)
        starting.launch(campaign.pk)
        run_jobs()

        assert counting.state_counts(campaign)["unknown"] == 3
        entry = LedgerEntry.objects.get()
        assert (entry.state, "ZeroDivisionError" in entry.evidence + entry.reason) == (EntryState.UNKNOWN, True)
        assert sandbox.stats()["accepted"] == 0

    @pytest.mark.parametrize("what", ["worker", "campaign"])
    def test_what_was_claimed_before_a_stop_does_not_leave_after_it(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
        what: str,
    ) -> None:
        add_contacts(group, 3)
        campaign = make(application, group)
        starting.launch(campaign.pk)
        claim_some = claiming.claim_some

        def claim_and_stop(*given: Any) -> Any:
            claimed = claim_some(*given)
            if isinstance(claimed, list):
                if what == "campaign":
                    campaigns.pause(campaign.pk)
                else:
                    monkeypatch.setattr(sending.workers, "is_stopping", lambda: True)
            return claimed

        monkeypatch.setattr(claiming, "claim_some", claim_and_stop)
        sending.send(campaign.pk)

        assert sandbox.stats()["accepted"] == 0
        assert counting.state_counts(campaign)["queued"] == 3
        assert set(LedgerEntry.objects.values_list("state", flat=True)) == {EntryState.NOT_SENT}


class ControlTests:
    def test_pause_stops_and_resume_goes_on(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 10)
        campaign = make(application, group)
        starting.launch(campaign.pk)
        campaigns.pause(campaign.pk)
        run_jobs()
        assert sandbox.stats()["accepted"] == 0

        campaigns.resume(campaign.pk)
        run_jobs()

        campaign.refresh_from_db()
        assert sandbox.stats()["accepted"] == 10
        assert campaign.state == CampaignState.FINISHED

    def test_cancel_ends_what_has_not_left(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        run_jobs: Callable[[], int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 10)
        campaign = make(application, group, rate_per_second=4)
        starting.launch(campaign.pk)
        while audience.freeze_chunk(campaign.pk):
            pass
        with monkeypatch.context() as patched:
            patched.setattr(turns.Turn, "is_over", lambda _turn: LedgerEntry.objects.exists())
            sending.send(campaign.pk)

        campaigns.cancel(campaign.pk)
        run_jobs()

        counts = counting.state_counts(campaign)
        assert counts["accepted"] == sandbox.stats()["accepted"] == 4
        assert counts["cancelled"] == 6
        assert not Batch.objects.filter(state="queued").exists()

    def test_a_draft_that_is_taken_back_stays_one(self, application: Application, group: ContactGroup) -> None:
        campaign = make(application, group)

        assert starting.take_back(campaign.pk).state == CampaignState.DRAFT

        assert not campaign.events.filter(text__icontains="taken back").exists()

    def test_of_one_that_is_gone_nothing_is_claimed(self, application: Application) -> None:
        campaign = Campaign(pk=77, application=application)
        for act in (lambda: claiming.claim(campaign, "token"), lambda: campaigns.pause(77)):
            with pytest.raises(Campaign.DoesNotExist):
                act()

    def test_cancelled_twice_is_cancelled_once(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 1)
        campaign = make(application, group)
        starting.launch(campaign.pk)
        campaigns.cancel(campaign.pk)
        events = campaign.events.count()

        assert campaigns.cancel(campaign.pk).state == CampaignState.CANCELLED

        assert campaign.events.count() == events

    def test_resumed_before_its_time_it_waits_for_it(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 1)
        at = timezone.now() + dt.timedelta(hours=2)
        campaign = starting.launch(make(application, group, scheduled_at=at).pk)
        states.hold(campaign.pk, "somebody asked")

        assert campaigns.resume(campaign.pk).state == CampaignState.SCHEDULED

    @pytest.mark.parametrize("waiting", [0, 3])
    def test_its_end_holds_what_still_waits_and_not_what_has_left(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, waiting: int
    ) -> None:
        add_contacts(group, 3)
        campaign = starting.launch(make(application, group).pk)
        while audience.freeze_chunk(campaign.pk):
            pass
        Campaign.objects.update(latest_end=timezone.now())
        if not waiting:
            Batch.objects.update(state="settled")

        campaigns.hold_after_end(campaign.pk)

        campaign.refresh_from_db()
        assert campaign.state == (CampaignState.HELD if waiting else CampaignState.RUNNING)

    def test_what_the_account_does_not_hold_stays_as_it_is(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 1)
        campaign = starting.launch(make(application, group).pk)

        campaigns._follow(campaign.pk)

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.RUNNING

    def test_a_freeze_whose_turn_is_over_rings_for_the_rest(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_contacts(group, 5)
        monkeypatch.setattr(audience, "CHUNK", 2)
        monkeypatch.setattr(audience.turns, "SECONDS", 0)
        campaign = starting.launch(make(application, group).pk)
        rung: list[Any] = []
        monkeypatch.setattr(audience.bell, "ring", lambda *bell: rung.append(bell))

        audience.freeze(campaign.pk)

        assert rung == [("messaging.jobs.freeze_audience", campaign.pk)]
        assert campaign.messages.count() == 2

    def test_a_campaign_that_is_gone_sends_nothing(self, application: Application) -> None:
        sending.send(77)

        assert not LedgerEntry.objects.exists()

    def test_the_rate_is_kept(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 100)
        campaign = make(application, group, rate_per_second=50)
        starting.launch(campaign.pk)
        while audience.freeze_chunk(campaign.pk):
            pass

        sending.send(campaign.pk, slice_seconds=30)

        assert sandbox.stats()["accepted"] == 100
        first, second = LedgerEntry.objects.order_by("pk").values_list("left_at", flat=True)[:2]
        assert 0.7 < (second - first).total_seconds() < 20  # how exactly, the pacer's own tests say


class ReportTests:
    def test_get_report_ends_what_was_not_pushed(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 450)
        campaign = make(application, group)
        starting.launch(campaign.pk)
        run_jobs()
        Batch.objects.update(next_check_at="2020-01-01T00:00Z")

        report_pulls.pull_due()

        counts, stats = counting.state_counts(campaign), sandbox.stats()
        assert (counts["delivered"], counts["undelivered"]) == (stats["delivered"], stats["failed"])
        assert stats["calls"]["/getReport"] == 3

    def test_a_sweep_by_time_ends_them_too(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, run_jobs: Callable[[], int]
    ) -> None:
        add_contacts(group, 30)
        campaign = make(application, group)
        starting.launch(campaign.pk)
        run_jobs()

        span = report_pulls.minutes_with_pending(application)
        assert span is not None
        assert report_pulls.reconcile(application, *span) == 30

        counts, stats = counting.state_counts(campaign), sandbox.stats()
        assert (counts["delivered"], counts["undelivered"]) == (stats["delivered"], stats["failed"])

    def test_what_may_have_left_long_before_is_swept_for_too(
        self, sandbox: RunningSandbox, application: Application, group: ContactGroup, lose_answers: LoseAnswers
    ) -> None:
        """After a restore its request says that it may have left since the backup."""
        lose_answers(make(application, group), people=3)
        LedgerEntry.objects.update(clock_ahead=dt.timedelta(days=3).total_seconds())

        span = report_pulls.minutes_with_pending(application)

        assert span is not None
        assert span[1] - span[0] > dt.timedelta(days=3)


class GivingWayTests:
    """A campaign with a rate is sent for long: it keeps no worker from whoever waits for one."""

    @pytest.fixture
    def paced(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox
    ) -> Campaign:
        monkeypatch.setattr(turns, "LEAST", 0.1)
        monkeypatch.setattr(taken_tasks, "is_task_waiting", lambda: True)
        add_contacts(group, 10)
        campaign = make(application, group, rate_per_second=4)
        starting.launch(campaign.pk)
        while audience.freeze_chunk(campaign.pk):
            pass
        OrmQ.objects.all().delete()
        return campaign

    def test_its_turn_ends_early_and_it_rings_for_the_rest(self, paced: Campaign, sandbox: RunningSandbox) -> None:
        began = time.monotonic()
        sending.send(paced.pk)

        assert time.monotonic() - began < 15
        assert sandbox.stats()["accepted"] == 4
        assert "messaging.jobs.send_campaign" in [row.task["func"] for row in OrmQ.objects.all()]
        assert not leases.is_held(f"send:{paced.pk}")

    @pytest.mark.parametrize(("last_seconds", "gives_back"), [(5.0, False), (0.0, True)])
    def test_what_was_claimed_ahead_leaves_before_its_turn_ends_unless_that_takes_long(
        self,
        paced: Campaign,
        sandbox: RunningSandbox,
        monkeypatch: pytest.MonkeyPatch,
        settings: LazySettings,
        last_seconds: float,
        gives_back: bool,
    ) -> None:
        monkeypatch.setattr(sending, "LAST_SECONDS", last_seconds)
        settings.LAAFFIC_RECIPIENTS_PER_CALL = 1
        Application.objects.update(connections=1)
        sandbox.set_faults(latency_ms=60)
        campaigns.change_pace(paced.pk, rate_per_second=None)

        sending.send(paced.pk)

        back = LedgerEntry.objects.filter(about_kind="campaign", state=EntryState.NOT_SENT)
        assert back.exists() is gives_back
        assert 0 < sandbox.stats()["accepted"] < 10
        assert not Batch.objects.filter(state="claimed").exists()

    def test_many_short_turns_send_nobody_twice(
        self, paced: Campaign, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for n in range(1, 4):
            with monkeypatch.context() as patched:
                patched.setattr(turns.Turn, "is_over", lambda _turn, n=n: LedgerEntry.objects.count() >= n)
                sending.send(paced.pk)
        monkeypatch.setattr(taken_tasks, "is_task_waiting", lambda: False)
        sending.send(paced.pk)

        paced.refresh_from_db()
        assert paced.state == CampaignState.FINISHED
        assert sorted(m["number"] for m in sandbox.messages()) == sorted(
            Message.objects.values_list("number", flat=True)
        )


def test_a_sender_may_insist_for_as_long_as_it_is_said(db: None) -> None:
    """What it holds in memory is lost with its process."""
    bell._ring_now(job_names.SEND_CAMPAIGN, 1)

    [job] = OrmQ.objects.all()
    assert job.task["timeout"] >= perseverance.PATIENCE + 60
