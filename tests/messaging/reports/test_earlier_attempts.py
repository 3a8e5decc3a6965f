"""After a person's *send again*: what is heard of the first sending is kept as its own, and its price counts."""

import itertools
from collections.abc import Sequence
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import DeliveryReport, DeliveryState, LaafficError, SendResult, Source
from messaging.models import (
    Batch,
    Campaign,
    ContactGroup,
    EarlierAttempt,
    FrequencyCap,
    Message,
    MessageEvent,
    MessageState,
    SuppressionEntry,
)
from messaging.services.audience import audience, audience_counts
from messaging.services.batches import (
    answers,
    claiming,
    failed_requests,
    queued_rows,
    settling,
    unanswered,
    written_off,
)
from messaging.services.campaigns import campaigns, drafts, follow_ups, resolving
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import suppression
from messaging.services.figures import proving
from messaging.services.gates import gates, retries
from messaging.services.reports import reports
from messaging.services.tallies import counting, sent_tallies, tally_writes
from tests.messaging.conftest import add_contacts
from tests.messaging.sending.test_late_answers import refused, unsent

pytestmark = pytest.mark.django_db(transaction=True)

PAY = Decimal("0.008")


@pytest.fixture
def first(application: Application, group: ContactGroup) -> Claim:
    """The first sending of two messages, whose answer was lost and which wait to be sent again."""
    add_contacts(group, 2)
    campaign = drafts.create(name="A", application=application, sender_id="S", text="Hi", groups=[group])
    audience.begin(campaign)
    Campaign.objects.update(state="running")
    while audience.freeze_chunk(campaign.pk):
        pass
    claimed = claiming.claim(campaign, "token")
    assert isinstance(claimed, Claim)
    assert ledger.depart(claimed.entry_id)
    LedgerEntry.objects.update(left_at=timezone.now() - unanswered.ANSWER_GRACE * 2)
    unanswered.recover_stale(campaign.pk, "another")
    assert resolving.send_again(campaign.pk, reason="they asked") == 2
    return claimed


def sent_again() -> Claim:
    claimed = claiming.claim(Campaign.objects.get(), "token")
    assert isinstance(claimed, Claim)
    assert ledger.depart(claimed.entry_id)
    msg_ids = [f"B{n}" for n in range(len(claimed.numbers))]
    settling.settle_answer(Campaign.objects.get().pk, claimed, SendResult(msg_ids, [], len(msg_ids), 0))
    return claimed


def report(state: DeliveryState, attempt: int = 1, **changed: object) -> DeliveryReport:
    """Of the first message."""
    message = Message.objects.order_by("pk")[0]
    given = DeliveryReport(
        source=Source.PUSH,
        msg_id="A0" if attempt == 1 else "B0",
        number=message.number,
        order_id=f"lc-{message.pk}" if attempt == 1 else f"lc-{message.pk}-{attempt}",
        state=state,
        raw_status="0",
        reason="",
        at=timezone.now(),
        pay=PAY,
        currency="USD",
    )
    return given._replace(**changed)


def states() -> list[int]:
    answers.write_all(Batch.objects.all())
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


def proved() -> list[str]:
    return list(proving.prove(Campaign.objects.get())["disagreements"])


def told() -> list[str]:
    return list(MessageEvent.objects.filter(text__startswith="attempt 1 was").values_list("text", flat=True))


class WaitingTests:
    @pytest.mark.parametrize("state", [DeliveryState.FAILED, DeliveryState.PENDING, DeliveryState.UNKNOWN])
    def test_a_first_sending_that_failed_takes_nothing_out_of_the_queue(
        self, first: Claim, state: DeliveryState
    ) -> None:
        reports.apply_now([report(state)])

        assert states() == [MessageState.QUEUED, MessageState.QUEUED]
        assert len(told()) == (0 if state is DeliveryState.UNKNOWN else 1)
        assert proved() == []

    def test_a_first_sending_that_was_delivered_is_not_sent_again_and_says_so(self, first: Claim) -> None:
        reports.apply_now([report(DeliveryState.DELIVERED)])

        assert states() == [MessageState.DELIVERED, MessageState.QUEUED]
        assert told() == ["attempt 1 was reported delivered: A0; what waited is not sent"]
        assert proved() == []

    def test_what_a_worker_holds_by_then_is_not_said_to_stay(self, first: Claim) -> None:
        claimed = claiming.claim(Campaign.objects.get(), "token")
        assert claimed is not None

        reports.apply_now([report(DeliveryState.DELIVERED)])

        assert told() == ["attempt 1 was reported delivered: A0; attempt 2 was on its way by then, and may arrive too"]

    def test_it_is_found_by_the_id_of_a_late_answer(self, first: Claim) -> None:
        settling.settle_answer(Campaign.objects.get().pk, first, SendResult(["A0", "A1"], [], 2, 0))

        known = reports.apply_now([report(DeliveryState.DELIVERED, order_id="", source=Source.GET_REPORT)])

        assert known == [True]
        assert states() == [MessageState.DELIVERED, MessageState.QUEUED]


class LateAnswerTests:
    @pytest.mark.parametrize("is_out_again", [False, True])
    def test_it_is_on_its_own_ledger_row_and_attempts(self, first: Claim, is_out_again: bool) -> None:
        if is_out_again:
            sent_again()
        before = states()

        settling.settle_answers(Campaign.objects.get().pk, [(first, SendResult(["A0", "A1"], [], 2, 0))])

        assert LedgerEntry.objects.get(pk=first.entry_id).state == EntryState.ACCEPTED
        kept = EarlierAttempt.objects.order_by("message_id")
        assert list(kept.values_list("attempt", "gateway_id")) == [(1, "A0"), (1, "A1")]
        assert (states(), len(told())) == (before, 2)
        assert proved() == []

    @pytest.mark.parametrize(
        ("error", "state"),
        [
            (refused("-4"), EntryState.REFUSED),
            (unsent(), EntryState.NOT_SENT),
        ],
    )
    def test_a_late_refusal_is_on_its_own_row(self, first: Claim, error: LaafficError, state: EntryState) -> None:
        failed_requests.settle_error(Campaign.objects.get().pk, first, error)

        assert LedgerEntry.objects.get(pk=first.entry_id).state == state
        assert states() == [MessageState.QUEUED, MessageState.QUEUED]
        assert proved() == []


class PriceTests:
    @pytest.mark.parametrize("order", [(1, 2), (2, 1)])
    def test_both_payments_are_counted_and_derived(self, first: Claim, order: tuple[int, int]) -> None:
        sent_again()

        for attempt in (*order, *order):
            reports.apply_now([report(DeliveryState.DELIVERED, attempt)])

        campaign = Campaign.objects.get()
        assert counting.costs(campaign) == {"USD": PAY * 2}
        assert Message.objects.order_by("pk")[0].gateway_id == "B0"
        assert len(told()) == 1
        assert proved() == []

    @pytest.mark.parametrize("together", [False, True])
    def test_each_sending_costs_what_its_best_report_says(self, first: Claim, together: bool) -> None:
        sent_again()
        answers.write_all(Batch.objects.all())
        told = [
            report(DeliveryState.FAILED, pay=Decimal("0.001"), segments=1),
            report(DeliveryState.DELIVERED, pay=Decimal("0.002"), currency="EUR", segments=2),
            report(DeliveryState.FAILED, 2, pay=Decimal("0.004"), segments=1),
            report(DeliveryState.DELIVERED, 2, pay=Decimal("0.008"), segments=2),
        ]
        campaign = Campaign.objects.get()

        for order in itertools.permutations(told):
            with transaction.atomic():
                for some in [order] if together else [[one] for one in order]:
                    reports.apply_now(some)
                assert counting.costs(campaign) == {"EUR": Decimal("0.002"), "USD": Decimal("0.008")}
                assert proved() == []
                assert list(sent_tallies.disagreements(sent_tallies.of_campaign(campaign.pk))) == []
                transaction.set_rollback(True)

    def test_a_failed_first_sending_costs_too_and_the_second_goes_on(self, first: Claim) -> None:
        sent_again()

        reports.apply_now([report(DeliveryState.FAILED)])
        assert states() == [MessageState.ACCEPTED, MessageState.ACCEPTED]
        reports.apply_now([report(DeliveryState.DELIVERED, 2, pay=None)])

        assert states() == [MessageState.DELIVERED, MessageState.ACCEPTED]
        assert counting.costs(Campaign.objects.get()) == {"USD": PAY}
        assert proved() == []

    def test_without_a_currency_it_is_in_no_sum(self, first: Claim) -> None:
        sent_again()

        reports.apply_now([report(DeliveryState.DELIVERED, currency="")])

        assert counting.costs(Campaign.objects.get()) == {}
        assert proved() == []

    def test_another_number_is_not_believed(self, first: Claim) -> None:
        reports.apply_now([report(DeliveryState.DELIVERED, number="919999999999")])

        assert (states(), told()) == ([MessageState.QUEUED, MessageState.QUEUED], [])
        assert not EarlierAttempt.objects.exists()


class StoppedTests:
    """A person had it sent again, and stopped that: the first sending may have arrived all the same."""

    def test_cancelled_it_is_not_said_to_have_got_nothing(self, first: Claim) -> None:
        campaigns.cancel(Campaign.objects.get().pk)

        assert states() == [MessageState.EXPIRED, MessageState.EXPIRED]
        assert Message.objects.latest("pk").evidence == campaigns.CANCELLED_AGAIN
        batch = Batch.objects.get()
        assert (batch.queued, batch.cancelled, batch.expired) == (0, 0, 2)
        assert counting.state_counts(Campaign.objects.get())["expired"] == 2
        assert proved() == []

    def test_what_certainly_failed_at_first_is_cancelled(self, first: Claim) -> None:
        reports.apply_now([report(DeliveryState.FAILED)])

        campaigns.cancel(Campaign.objects.get().pk)

        assert states() == [MessageState.CANCELLED, MessageState.EXPIRED]
        assert proved() == []

    def test_on_the_suppression_list_it_is_not_said_that_nothing_was_sent(self, first: Claim) -> None:
        suppression.suppress_numbers([first.numbers[0]], channel="sms", reason="manual")

        second = sent_again()

        assert second.message_ids == first.message_ids[1:]
        one = Message.objects.get(pk=first.message_ids[0])
        assert (one.state, one.batch.entry_id) == (MessageState.EXPIRED, None)
        assert one.evidence == f"{queued_rows.SUPPRESSED}{written_off.PERHAPS}"
        assert proved() == []

    def test_what_certainly_failed_at_first_is_suppressed(self, first: Claim) -> None:
        reports.apply_now([report(DeliveryState.FAILED)])
        for number in first.numbers:
            suppression.suppress_numbers([number], channel="sms", reason="manual")

        assert claiming.claim(Campaign.objects.get(), "token") is None

        assert states() == [MessageState.SUPPRESSED, MessageState.EXPIRED]
        assert proved() == []

    @pytest.mark.parametrize("somebody_waits", [False, True])
    def test_stopped_by_gates_it_is_not_said_to_have_got_nothing(
        self, first: Claim, somebody_waits: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For a reason of its own each, as consents have theirs; also where others of the claim wait."""

        class Stopping(gates.Gate):
            kind = "frequency"

            def look(self, rows: Sequence[gates.Queued]) -> gates.Verdict:
                stopped = {row.message_id: f"reason {row.message_id}" for row in rows}
                waiting = {}
                if somebody_waits and len(rows) > 1:
                    waiting = {pk: gates.Later(None, "frequency:") for pk in list(stopped)[1:]}
                    stopped = dict(list(stopped.items())[:1])
                return gates.Verdict(stopped=stopped, waiting=waiting)

        monkeypatch.setattr(gates, "standing", lambda campaign: [Stopping()])

        assert claiming.claim(Campaign.objects.get(), "token") is None

        assert states() == [MessageState.EXPIRED, MessageState.EXPIRED]
        said = [f"reason {pk}{written_off.PERHAPS}" for pk in first.message_ids]
        assert list(Message.objects.order_by("pk").values_list("evidence", flat=True)) == said
        assert counting.state_counts(Campaign.objects.get())["expired"] == 2
        assert proved() == []

    def test_a_late_report_of_the_first_still_counts(self, first: Claim) -> None:
        campaigns.cancel(Campaign.objects.get().pk)

        reports.apply_now([report(DeliveryState.DELIVERED)])

        assert states() == [MessageState.DELIVERED, MessageState.EXPIRED]
        assert proved() == []

    def test_failed_when_sent_again_it_is_not_retried_unless_the_first_has_failed_too(self, first: Claim) -> None:
        """A click on "failed" reaches nobody a second time."""
        campaign = Campaign.objects.get()
        Message.objects.update(state=MessageState.REJECTED, reason="left out by Laaffic", contact=None)
        tally_writes.count_outcomes(campaign.pk, {("IN", MessageState.REJECTED, "left out by Laaffic", ""): (2, 0, 0)})
        Campaign.objects.update(state="finished", launched_at=timezone.now(), finished_at=timezone.now())
        with pytest.raises(NotNow, match="its first sending may have arrived"):
            follow_ups.retry_failed(campaign.pk)

        message = Message.objects.get(pk=first.message_ids[1])
        EarlierAttempt.objects.create(message=message, attempt=1, state=MessageState.UNDELIVERED)
        retry = follow_ups.retry_failed(campaign.pk)

        assert retry.extra_numbers == [message.number]
        assert "Left out: 1 that a person" in retry.events.latest("pk").text
        assert set(retries.reached(retry).values_list("pk", flat=True)) == {first.message_ids[0]}

    def test_of_its_contacts_too(self, first: Claim) -> None:
        campaign = Campaign.objects.get()
        Message.objects.update(state=MessageState.REJECTED, reason="left out by Laaffic")
        tally_writes.count_outcomes(campaign.pk, {("IN", MessageState.REJECTED, "left out by Laaffic", ""): (2, 0, 0)})
        Campaign.objects.update(state="finished", launched_at=timezone.now(), finished_at=timezone.now())
        message = Message.objects.get(pk=first.message_ids[1])
        EarlierAttempt.objects.create(message=message, attempt=1, state=MessageState.UNDELIVERED)

        retry = follow_ups.retry_failed(campaign.pk)

        assert list(retry.groups.get().contacts.values_list("number", flat=True)) == [message.number]

    @pytest.mark.parametrize("stopped_by", ["cancelling", "suppression", "a refusal"])
    def test_they_are_not_new_and_count_for_cap_and_repeats(
        self, first: Claim, application: Application, group: ContactGroup, stopped_by: str
    ) -> None:
        campaign = Campaign.objects.get()
        if stopped_by == "cancelling":
            campaigns.cancel(campaign.pk)
        elif stopped_by == "suppression":
            for number in first.numbers:
                suppression.suppress_numbers([number], channel="sms", reason="manual")
            assert not isinstance(claiming.claim(campaign, "token"), Claim)
            SuppressionEntry.objects.all().delete()
        else:
            Message.objects.update(state=MessageState.REJECTED)
        campaign.refresh_from_db()
        Campaign.objects.update(state="finished", launched_at=timezone.now(), finished_at=timezone.now())

        again = follow_ups.to_new_contacts(campaign.pk)
        assert audience_counts.complete(again).recipients == 0
        same = drafts.create(name="B", application=application, sender_id="S", text="Hi", groups=[group])
        assert audience_counts.complete(same).repeated == 2
        FrequencyCap.objects.create(application=application, per_day=1)
        assert audience_counts.complete(same).capped == 2
