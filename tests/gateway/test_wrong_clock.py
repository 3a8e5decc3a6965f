"""A clock that was an hour ahead for a moment stops nothing for an hour, whatever is waited for.

Each row is written while the clock is wrong and read when it is right again.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application, BalanceReading, LedgerEntry, OrphanReport
from laaffic_console.gateway.services.account import account_hold, balance_history
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import bell
from messaging.models import Batch, BatchState, Campaign, EmailCampaign, ReplyPull
from messaging.services.email import deliveries as email_deliveries
from messaging.services.replies import reply_pulls
from messaging.services.reports import report_pulls
from phone_numbers.models import SyncStatus
from phone_numbers.services import syncing as number_lists
from voice.models import GroupTask, SipCall, TaskState, VoiceSync
from voice.services import syncing as voice_lists
from voice.services.asking import group_calls as group_sync
from voice.services.calls import matching as call_matching
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import states as group_state

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
STATES = [TaskState.CALLING, TaskState.WAITING, TaskState.UNKNOWN, TaskState.FINISHED]


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    right = timezone.now

    @contextmanager
    def an_hour_ahead() -> Iterator[None]:
        with monkeypatch.context() as patched:
            patched.setattr(timezone, "now", lambda: right() + HOUR)
            patched.setattr(database_clock, "now", lambda: right() + HOUR)
            patched.setattr(database_clock, "in_statement", lambda: right() + HOUR)
            yield

    return an_hour_ahead


@pytest.fixture
def application(db: None) -> Application:
    return Application.objects.create(app_id="app", channel="sms")


@pytest.fixture
def batch(application: Application) -> Batch:
    campaign = Campaign.objects.create(name="c", application=application, text="Hi")
    return Batch.objects.create(
        campaign=campaign, state=BatchState.SETTLED, accepted=1, claimed_at=timezone.now(), **_of_batch()
    )


def _of_batch() -> dict[str, Any]:
    required = [
        field
        for field in Batch._meta.concrete_fields
        if not (field.has_default() or field.null or field.primary_key or field.blank or field.is_relation)
    ]
    return {field.name: 1 for field in required if field.name not in ("state", "accepted")}


class BatchTests:
    @pytest.mark.parametrize("checks", range(12))
    def test_reports_are_asked_for_at_the_next_sweep(self, batch: Batch, ahead: Callable[[], Any], checks: int) -> None:
        Batch.objects.update(checks=checks)
        with ahead():
            report_pulls.check_again(batch)

        assert report_pulls.anything_due()
        assert report_pulls._next_due() == batch
        assert Batch.objects.filter(report_pulls.is_due()).exists()

    @pytest.mark.parametrize("checks", range(12))
    def test_with_a_right_clock_they_wait_for_their_time(self, batch: Batch, checks: int) -> None:
        Batch.objects.update(checks=checks)
        report_pulls.check_again(batch)

        assert not report_pulls.anything_due()
        assert report_pulls._next_due() is None


class EmailTests:
    @pytest.fixture
    def campaign(self, application: Application) -> EmailCampaign:
        return EmailCampaign.objects.create(name="e", application=application, state="running")

    @pytest.mark.parametrize("checks", range(12))
    @pytest.mark.parametrize("is_wrong", [True, False])
    def test_deliveries_are_asked_for(
        self,
        campaign: EmailCampaign,
        ahead: Callable[[], Any],
        monkeypatch: pytest.MonkeyPatch,
        checks: int,
        is_wrong: bool,
    ) -> None:
        monkeypatch.setattr(email_deliveries, "_pending", lambda *given: [(1, "e1")])
        campaign.checks = checks
        campaign.save()
        if is_wrong:
            with ahead():
                email_deliveries._check_again(campaign)
        else:
            email_deliveries._check_again(campaign)

        assert email_deliveries.anything_due() is is_wrong


class HoldTests:
    @pytest.mark.parametrize("is_wrong", [True, False])
    def test_a_hold_is_probed(self, ahead: Callable[[], Any], is_wrong: bool) -> None:
        if is_wrong:
            with ahead():
                account_hold.place_because("No funds.")
        else:
            account_hold.place_because("No funds.")
        assert account_hold.probe_due() is is_wrong

        hold = AccountHold.objects.get()
        AccountHold.objects.update(probe_wait=account_hold.LONGEST_WAIT)
        hold.refresh_from_db()
        with ahead():
            account_hold._ask_later(hold, "no")
        assert account_hold.probe_due()


class ListTests:
    """What is read every few minutes, by when it was read last."""

    @pytest.fixture(autouse=True)
    def _rung(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bell, "ring", lambda *given: None)

    @pytest.mark.parametrize("is_wrong", [True, False])
    @pytest.mark.parametrize("field", ["started_at", "requested_at"])
    def test_lists_of_voice_and_numbers_are_read(self, ahead: Callable[[], Any], field: str, is_wrong: bool) -> None:
        at = timezone.now() + (HOUR if is_wrong else dt.timedelta())
        VoiceSync.objects.create(name="x", **{field: at})
        SyncStatus.objects.create(name="x", **{field: at})

        forgotten = timezone.now() - dt.timedelta(minutes=1)
        assert voice_lists.COPIES.is_due("x", forgotten=forgotten) is is_wrong
        assert number_lists.COPIES.is_due("x", forgotten=forgotten) is is_wrong

    @pytest.mark.parametrize("is_wrong", [True, False])
    def test_replies_and_the_balance_are_asked_for(self, application: Application, is_wrong: bool) -> None:
        at = timezone.now() + (HOUR if is_wrong else dt.timedelta())
        Campaign.objects.create(name="c", application=application, text="Hi")
        ReplyPull.objects.create(application=application, tried_at=at)
        BalanceReading.objects.create(at=at, balance=1)

        assert reply_pulls.anything_due() is is_wrong
        assert balance_history.is_due() is is_wrong


class OrphanTests:
    @pytest.mark.parametrize("tries", [0, 5, 10, 11, 20])
    def test_a_report_without_a_message_is_tried_again(self, ahead: Callable[[], Any], tries: int) -> None:
        orphan = OrphanReport(tries=tries, first_seen=timezone.now())
        with ahead():
            wrong = inbox._next_try(orphan, database_clock.now())
        right = inbox._next_try(orphan, database_clock.now())

        for at, is_due in ((wrong, True), (right, False)):
            OrphanReport.objects.all().delete()
            kept = OrphanReport.objects.create(
                kind="sms-report", report={}, tries=tries, first_seen=timezone.now(), next_try_at=at
            )
            assert OrphanReport.objects.filter(inbox.due_again(), pk=kept.pk).exists() is is_due


def call_looked_for(application: Application, look_at: dt.datetime, tried_at: dt.datetime) -> None:
    entry = LedgerEntry.objects.create(interface="voice/sendSip", application=application, prepared_at=tried_at)
    SipCall.objects.create(application=application, account="a", callee="919876543210", entry=entry, look_at=look_at)


class SipCallTests:
    @pytest.mark.parametrize("age", [0, 1, 20, 100, 200])  # minutes
    @pytest.mark.parametrize("is_wrong", [True, False])
    def test_its_record_is_looked_for(
        self, application: Application, ahead: Callable[[], Any], age: int, is_wrong: bool
    ) -> None:
        call_looked_for(application, timezone.now(), timezone.now() - dt.timedelta(minutes=age))
        if is_wrong:
            with ahead():
                calls.looked(database_clock.now())
        else:
            calls.looked(database_clock.now())

        assert SipCall.objects.get().look_at is None or calls.anything_to_look_for() is is_wrong

    def test_a_call_that_was_made_meanwhile_is_looked_for(
        self, application: Application, ahead: Callable[[], Any]
    ) -> None:
        with ahead():
            at = database_clock.now() + call_matching.FIRST_LOOK
            call_looked_for(application, at, timezone.now())

        assert calls.anything_to_look_for()


class GroupTaskTests:
    @pytest.mark.parametrize("state", STATES)
    @pytest.mark.parametrize("looks", [0, 1, 6, 12, 40])
    @pytest.mark.parametrize("minutes", [0, 10, 60, 300])
    def test_laaffic_is_asked_for_it(
        self, application: Application, ahead: Callable[[], Any], state: TaskState, looks: int, minutes: int
    ) -> None:
        before = timezone.now() - dt.timedelta(minutes=minutes)
        task = GroupTask.objects.create(
            name="t",
            application=application,
            state=state,
            looks=looks,
            launched_at=before,
            finished_at=before if state == TaskState.FINISHED else None,
            called=2,
            send_at=timezone.now() + dt.timedelta(days=1),
        )
        task.look_at = group_state.next_look(task, database_clock.now())
        task.save()
        assert not group_sync.is_anything_due()

        with ahead():
            task.look_at = group_state.next_look(task, database_clock.now())
        task.save()
        assert task.look_at is None or group_sync.is_anything_due()

    def test_a_launch_whose_process_died_is_given_back(
        self, application: Application, ahead: Callable[[], Any]
    ) -> None:
        with ahead():
            GroupTask.objects.create(
                name="t", application=application, state=TaskState.SENDING, look_at=database_clock.now()
            )
        group_sync.recover()

        assert GroupTask.objects.get().state == TaskState.DRAFT
