"""Answers in flight are written, whatever becomes of the database meanwhile, and one failure loses no other's."""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.database import database_clock, perseverance
from laaffic_console.gateway.services.work import workers
from laaffic_console.laaffic import SendResult
from laaffic_console.sandbox.testing import RunningSandbox
from messaging.models import Batch, Campaign, CampaignState, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import claiming, failed_requests, settling
from messaging.services.campaigns import drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.sending import sending
from messaging.services.text import merged_texts
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)

LOCKED = OperationalError("database is locked")


@pytest.fixture
def launched(
    sandbox: RunningSandbox, application: Application, group: ContactGroup, settings: LazySettings
) -> Campaign:
    """Six batches of one, on four connections."""
    settings.LAAFFIC_RECIPIENTS_PER_CALL = 1
    application.connections = 4
    application.save()
    add_contacts(group, 6)
    campaign = drafts.create(name="A", application=application, sender_id="SHOP", text="Hello", groups=[group])
    starting.launch(campaign.pk)
    audience.freeze(campaign.pk)
    return campaign


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perseverance, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(perseverance, "LONGEST_PAUSE", 0.001)


def failing(times: int, problem: Exception, work: Callable[..., Any]) -> Callable[..., Any]:
    """`work` that raises so many times before it does anything."""
    left = [times]

    def fail_first(*given: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise problem
        return work(*given)

    return fail_first


class SettlingTests:
    @pytest.mark.parametrize("times", [1, 3, 20])
    @pytest.mark.usefixtures("impatient")
    def test_what_passes_is_tried_again(
        self, launched: Campaign, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, times: int
    ) -> None:
        monkeypatch.setattr(settling, "settle_answers", failing(times, LOCKED, settling.settle_answers))

        sending.send(launched.pk)

        assert sandbox.stats()["accepted"] == 6
        assert set(LedgerEntry.objects.filter(about_kind="campaign").values_list("state", flat=True)) == {
            EntryState.ACCEPTED
        }
        launched.refresh_from_db()
        assert launched.state == CampaignState.FINISHED

    @pytest.mark.usefixtures("impatient")
    def test_an_error_that_is_settled_is_tried_again_too(
        self, launched: Campaign, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sandbox.sandbox.options.balance = 0
        monkeypatch.setattr(failed_requests, "settle_error", failing(3, LOCKED, failed_requests.settle_error))

        sending.send(launched.pk)

        assert not LedgerEntry.objects.filter(state__in=[EntryState.IN_FLIGHT, EntryState.UNKNOWN]).exists()

    def test_one_answer_that_cannot_be_written_costs_no_other(
        self, launched: Campaign, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settle_answers = settling.settle_answers

        def one_fails(campaign_id: int, answered: Sequence[Any]) -> Any:
            if any(c.message_ids[0] == first for c, _result in answered):
                raise ValueError("cannot be written")
            return settle_answers(campaign_id, answered)

        first = Message.objects.order_by("pk").values_list("pk", flat=True)[0]
        monkeypatch.setattr(settling, "settle_answers", one_fails)

        sending.send(launched.pk)

        entries = LedgerEntry.objects.filter(about_kind="campaign")
        assert entries.filter(state=EntryState.IN_FLIGHT).count() == 1
        assert entries.filter(state=EntryState.ACCEPTED).count() == sandbox.stats()["accepted"] - 1 >= 1
        launched.refresh_from_db()
        assert launched.state == CampaignState.HELD
        assert "could not be stored" in launched.hold_reason

    def test_a_failure_elsewhere_still_awaits_what_is_in_flight(
        self, launched: Campaign, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill = sending.Sender._fill_connections

        def fill_then_fail(sender: sending.Sender) -> None:
            fill(sender)
            raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setattr(sending.Sender, "_fill_connections", fill_then_fail)

        with pytest.raises(OperationalError):
            sending.send(launched.pk)

        states = set(LedgerEntry.objects.filter(about_kind="campaign").values_list("state", flat=True))
        assert states <= {EntryState.ACCEPTED, EntryState.NOT_SENT}
        assert LedgerEntry.objects.filter(state=EntryState.ACCEPTED).count() == sandbox.stats()["accepted"] == 4
        assert not Batch.objects.filter(state=Batch.State.CLAIMED).exists()


class SlowClockTests:
    def test_a_machine_an_hour_behind_keeps_the_pace_of_the_database(
        self, launched: Campaign, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Campaign.objects.update(rate_per_second=20)
        launched.rate_per_second = 20
        ours = database_clock.now
        monkeypatch.setattr(database_clock, "now", lambda: ours() + dt.timedelta(hours=1))
        monkeypatch.setattr(database_clock, "in_statement", database_clock.now)

        sending.send(launched.pk, slice_seconds=30)

        assert sandbox.stats()["accepted"] == 6


class StoppingTests:
    def test_after_the_signal_nothing_new_leaves_and_what_left_is_awaited(
        self, launched: Campaign, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        told = tmp_path / "stop"
        monkeypatch.setenv(workers.STOP_VARIABLE, str(told))
        attempt = sending.attempt

        def stopped_meanwhile(*given: Any) -> SendResult:
            told.touch()
            return attempt(*given)

        monkeypatch.setattr(sending, "attempt", stopped_meanwhile)
        Application.objects.update(connections=1)

        sending.send(launched.pk)

        assert 1 <= sandbox.stats()["accepted"] <= 2
        entries = LedgerEntry.objects.filter(about_kind="campaign")
        assert entries.filter(state=EntryState.ACCEPTED).count() == sandbox.stats()["accepted"]
        assert not Batch.objects.filter(state=Batch.State.CLAIMED).exists()
        assert set(entries.values_list("state", flat=True)) <= {EntryState.ACCEPTED, EntryState.NOT_SENT}

    def test_a_worker_that_was_stopped_begins_nothing(
        self, launched: Campaign, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "stop").touch()
        monkeypatch.setenv(workers.STOP_VARIABLE, str(tmp_path / "stop"))

        sending.send(launched.pk)

        assert sandbox.stats()["accepted"] == 0


class LockOrderTests:
    def test_a_freeze_and_an_answer_that_rejects_do_not_deadlock(
        self,
        sandbox: RunningSandbox,
        application: Application,
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has one write lock")
        add_contacts(group, 2, name="Ann", attributes={"city": "Pune"})
        campaign = drafts.create(
            name="A", application=application, sender_id="SHOP", text="Hi {{name}} {{city|town}}", groups=[group]
        )
        starting.launch(campaign.pk)
        audience.freeze_chunk(campaign.pk)
        claim = claiming.claim(campaign, "token")
        assert isinstance(claim, Claim)
        add_contacts(group, 1, first=919876700000, name="Bo", attributes={"city": "x" * 1100})
        Campaign.objects.filter(pk=campaign.pk).update(audience="freezing", audience_end=10**9)
        has_campaign, may_go_on = threading.Event(), threading.Event()
        reject = merged_texts.reject_unfit

        def slowly(*given: Any) -> int:
            has_campaign.set()
            may_go_on.wait(2)
            return reject(*given)

        monkeypatch.setattr(merged_texts, "reject_unfit", slowly)
        problems: list[Exception] = []
        freezing = threading.Thread(target=_noting(problems, lambda: audience.freeze_chunk(campaign.pk)))
        freezing.start()
        has_campaign.wait(5)
        answer = _answer(None, None)
        settle = threading.Thread(target=_noting(problems, lambda: settling.settle_answer(campaign.pk, claim, answer)))
        settle.start()
        settle.join(0.3)  # it has its tallies by now, or waits for the campaign before it takes them
        may_go_on.set()
        freezing.join(10)
        settle.join(10)

        assert problems == []
        assert set(Message.objects.values_list("state", flat=True)) == {MessageState.REJECTED}


def _answer(*ids: str | None) -> Any:
    return SendResult(list(ids), [], None, None)


def _noting(problems: list[Exception], work: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        try:
            work()
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    return run
