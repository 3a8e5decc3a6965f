"""An answer that comes after its batch was given up for lost is the best evidence there is."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import (
    DeliveryReport,
    DeliveryState,
    LaafficError,
    NotSent,
    OutcomeUnknown,
    Refused,
    SendResult,
)
from laaffic_console.laaffic.codes import Family, lookup
from laaffic_console.laaffic.reports import Source
from messaging.models import Batch, BatchState, Campaign, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import claiming, failed_requests, settling, unanswered
from messaging.services.campaigns import campaigns, drafts, resolving
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import proving
from messaging.services.reports import reports
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db(transaction=True)

RECIPIENTS = 4


@pytest.fixture
def lost(application: Application, group: ContactGroup) -> Claim:
    """A batch whose request left, whose worker was thought dead, and whose messages are unknown."""
    claimed = departed(application, group)
    campaign = Campaign.objects.get()
    LedgerEntry.objects.update(left_at=timezone.now() - unanswered.ANSWER_GRACE * 2)
    assert unanswered.recover_stale(campaign.pk, "another") == 1
    assert counting.state_counts(campaign)["unknown"] == RECIPIENTS
    return claimed


def departed(application: Application, group: ContactGroup) -> Claim:
    """A batch whose request has left."""
    add_contacts(group, RECIPIENTS)
    campaign = drafts.create(name="A", application=application, sender_id="S", text="Hi", groups=[group])
    audience.begin(campaign)
    Campaign.objects.update(state="running")
    while audience.freeze_chunk(campaign.pk):
        pass
    claimed = claiming.claim(campaign, "token")
    assert isinstance(claimed, Claim)
    assert ledger.depart(claimed.entry_id)
    return claimed


def delivered(message_id: int) -> DeliveryReport:
    return DeliveryReport(
        source=Source.PUSH,
        msg_id=f"21{message_id}",
        number=Message.objects.get(pk=message_id).number,
        order_id=f"lc-{message_id}",
        state=DeliveryState.DELIVERED,
        raw_status="0",
        reason="",
        at=timezone.now(),
    )


def refused(code: str) -> Refused:
    return Refused(interface="sendSms", entry=lookup(Family.SMS, code), reason="no", http_status=200)


def settle(claimed: Claim, error: LaafficError) -> None:
    failed_requests.settle_error(Campaign.objects.get().pk, claimed, error)


def states() -> set[int]:
    return set(Message.objects.values_list("state", flat=True))


def proved() -> bool:
    return proving.prove(Campaign.objects.get())["disagreements"] == []


def unsent() -> NotSent:
    return NotSent("refused", interface="sendSms")


class LateAnswerTests:
    @pytest.mark.parametrize("error", [unsent(), refused("-15"), refused("-10")], ids=["not sent", "-15", "-10"])
    def test_certainly_not_sent_goes_back_to_the_queue(self, lost: Claim, error: LaafficError) -> None:
        settle(lost, error)

        assert states() == {MessageState.QUEUED}
        assert Batch.objects.get().state == BatchState.QUEUED
        assert Batch.objects.get().queued == RECIPIENTS
        assert proved()

    def test_refused_whole_is_split(self, lost: Claim) -> None:
        settle(lost, refused("-9"))

        assert sorted(Batch.objects.values_list("queued", flat=True)) == [2, 2]
        assert proved()

    def test_refused_for_good_is_rejected(self, lost: Claim) -> None:
        settle(lost, refused("-4"))

        assert states() == {MessageState.REJECTED}
        assert proved()

    def test_unknown_stays_unknown(self, lost: Claim) -> None:
        settle(lost, OutcomeUnknown("timeout", interface="sendSms"))

        assert states() == {MessageState.UNKNOWN}
        assert Batch.objects.get().state == BatchState.UNKNOWN
        assert proved()

    def test_accepted_is_accepted(self, lost: Claim) -> None:
        ids: list[str | None] = [f"21{n}" for n in range(RECIPIENTS)]
        settling.settle_answer(Campaign.objects.get().pk, lost, SendResult(ids, [], RECIPIENTS, 0))

        assert states() == {MessageState.ACCEPTED}
        assert proved()

    def test_an_answer_that_takes_nobody_rejects_all(self, lost: Claim) -> None:
        nobody: list[str | None] = [None] * RECIPIENTS
        settling.settle_answer(Campaign.objects.get().pk, lost, SendResult(nobody, [], 0, RECIPIENTS))

        assert states() == {MessageState.REJECTED}
        assert proved()

    @pytest.mark.parametrize("sent_again", [False, True])
    def test_the_same_answer_twice_counts_once(self, lost: Claim, sent_again: bool) -> None:
        campaign = Campaign.objects.get().pk
        if sent_again:
            resolving.send_again(campaign, reason="they asked")
        answer = SendResult([f"21{n}" for n in range(RECIPIENTS)], [], RECIPIENTS, 0)
        settling.settle_answer(campaign, lost, answer)
        before = list(Batch.objects.values()), list(Message.objects.order_by("pk").values())

        settling.settle_answer(campaign, lost, answer)

        assert (list(Batch.objects.values()), list(Message.objects.order_by("pk").values())) == before

    def test_an_error_of_a_new_kind_is_not_taken_for_one_that_is_known(self, lost: Claim) -> None:
        before = list(Batch.objects.values())

        with pytest.raises(TypeError, match="no branch"):
            settle(lost, LaafficError("?", interface="sendSms"))

        assert list(Batch.objects.values()) == before

    @pytest.mark.parametrize("error", [unsent(), refused("-9"), refused("-4")], ids=["not sent", "-9", "-4"])
    @pytest.mark.parametrize("word", [resolving.send_again, resolving.write_off])
    def test_a_persons_word_stands(self, lost: Claim, word: Callable[..., int], error: LaafficError) -> None:
        word(Campaign.objects.get().pk, reason="they asked")
        before = list(Message.objects.order_by("pk").values("state", "attempt"))

        settle(lost, error)

        assert list(Message.objects.order_by("pk").values("state", "attempt")) == before
        assert proved()

    def test_of_a_cancelled_campaign_nothing_is_sent_again(self, lost: Claim) -> None:
        campaign = Campaign.objects.get()
        campaigns.cancel(campaign.pk)

        with pytest.raises(NotNow, match="Write the unknown messages off"):
            resolving.send_again(campaign.pk, reason="they asked")

        assert states() == {MessageState.UNKNOWN}
        assert resolving.write_off(campaign.pk, reason="they asked") == RECIPIENTS
        assert proved()

    def test_cancelled_while_it_is_being_sent_again_nothing_waits_for_ever(
        self, lost: Claim, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaign = Campaign.objects.get()
        queue_again = resolving._queue_again

        def cancelled_first(*args: Any) -> int:
            campaigns.cancel(campaign.pk)
            return queue_again(*args)

        monkeypatch.setattr(resolving, "_queue_again", cancelled_first)

        resolving.send_again(campaign.pk, reason="they asked")

        assert states() == {MessageState.EXPIRED}
        assert proved()

    def test_reported_for_everybody_before_it_is_known_to_be_lost(
        self, application: Application, group: ContactGroup
    ) -> None:
        claimed = departed(application, group)
        reports.apply_now([delivered(pk) for pk in claimed.message_ids])

        settle(claimed, OutcomeUnknown("timeout", interface="sendSms"))

        assert states() == {MessageState.DELIVERED}
        assert Batch.objects.get().state == BatchState.SETTLED
        assert campaigns.finish_if_done(Campaign.objects.get().pk)
        assert proved()

    def test_its_call_says_what_the_late_answer_said(self, lost: Claim) -> None:
        settle(lost, refused("-15"))

        assert LedgerEntry.objects.get().state == EntryState.REFUSED


class RecoverTests:
    def test_a_request_that_may_still_be_answered_is_left_to_its_worker(
        self, application: Application, group: ContactGroup
    ) -> None:
        claimed = departed(application, group)

        unanswered.recover_stale(Campaign.objects.get().pk, "another")

        assert Batch.objects.get().state == BatchState.CLAIMED
        assert not claiming.release(claimed, "stopped")
        assert LedgerEntry.objects.get().state == EntryState.IN_FLIGHT

    @pytest.mark.parametrize(("ahead", "state"), [(2, BatchState.CLAIMED), (3600, BatchState.UNKNOWN)])
    def test_of_a_clock_that_was_far_ahead_nothing_is_awaited(
        self, application: Application, group: ContactGroup, ahead: int, state: str
    ) -> None:
        departed(application, group)
        LedgerEntry.objects.update(left_at=timezone.now() + dt.timedelta(seconds=ahead))

        unanswered.recover_stale(Campaign.objects.get().pk, "another")

        assert Batch.objects.get().state == state

    def test_one_that_was_answered_while_it_was_looked_for_is_left_alone(self, lost: Claim) -> None:
        settle(lost, refused("-4"))

        unanswered._recover(lost.batch_id, lost.entry_id, timezone.now())

        assert states() == {MessageState.REJECTED}
        assert proved()
