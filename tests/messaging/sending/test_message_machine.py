"""Any order of claims, answers, crashes, reports, records and a person's word, driven through the real services.

The machine plays the gateway: what it took it writes down, and at the end the ledger must say the same of everybody,
whatever came first. After every step the figures must be derivable from the rows.
"""

import contextlib
import datetime as dt
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from laaffic_console.gateway.models import Application, EntryState, LedgerEntry
from laaffic_console.gateway.services.ledger import ledger
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
from messaging.models import Batch, BatchAnswer, Campaign, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, failed_requests, settling, unanswered
from messaging.services.campaigns import drafts, resolving
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import proving
from messaging.services.reports import record_matching, reports
from tests.messaging.conftest import APP_ID, add_contacts

RECIPIENTS = 6
PER_CALL = 3
SECOND_ID = "a second gateway id"  # what `prove` says, rightly, where a person had something sent twice

TOOK = {"accepted", "partial", "lost after", "-18 after"}  # the request arrived, and was taken at least in part
LOST = {"lost after", "lost before", "-18 after", "crashed before"}  # no answer that says what happened
OUTCOME = st.sampled_from(
    ["accepted", "lost after", "partial", "-18 after", "-15", "lost before", "not sent", "-9", "-4", "crashed before"]
)
FATES = st.lists(st.booleans(), min_size=PER_CALL, max_size=PER_CALL)


@dataclass(slots=True)
class Record:
    """One message that the gateway took."""

    msg_id: str
    pk: int
    number: str
    order_id: str
    delivered: bool
    at: dt.datetime


@dataclass(slots=True)
class Flight:
    """A claim, and what became of its request."""

    claim: Claim
    outcome: str = ""  # until it has departed
    taken: tuple[Record | None, ...] = ()
    answered: bool = False


class MessageMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.undo = contextlib.ExitStack()
        self.undo.enter_context(rolled_back())
        application = Application.objects.create(app_id=APP_ID, channel="sms", sender_id="SHOP")
        group = ContactGroup.objects.create(name="customers")
        add_contacts(group, RECIPIENTS)
        campaign = drafts.create(name="A", application=application, sender_id="S", text="Hi", groups=[group])
        audience.begin(campaign)
        Campaign.objects.update(state="running")
        while audience.freeze_chunk(campaign.pk):
            pass
        self.application, self.campaign = application, Campaign.objects.get(pk=campaign.pk)
        self.flights: list[Flight] = []
        self.records: list[Record] = []
        self.posts: dict[int, list[Flight]] = defaultdict(list)  # message → requests that carried it
        self.excused: dict[int, int] = defaultdict(int)  # message → how many of them a person has given up
        self.told: dict[int, set[bool]] = defaultdict(set)  # message → ends that were reported of it
        self.sender = 1
        self.before: dict[int, MessageState] = {}
        self.word_was_given = False

    def teardown(self) -> None:
        try:
            self.all_evidence_comes_in()
            self.the_ledger_says_what_the_gateway_did()
        finally:
            self.undo.close()

    # The console acts.

    @initialize(outcomes=st.tuples(OUTCOME, OUTCOME), fates=FATES)
    def two_requests_are_under_way(self, outcomes: tuple[str, str], fates: list[bool]) -> None:
        for outcome in outcomes:
            self.claim()
            self.let_leave(self.ready()[0], outcome, fates)

    @rule()
    def claim(self) -> None:
        Batch.objects.update(not_before=None)  # whatever a batch waited for has passed
        claimed = claiming.claim(self.campaign, f"sender {self.sender}")
        if isinstance(claimed, Claim):
            self.flights.append(Flight(claimed))

    @precondition(lambda self: self.ready())
    @rule(data=st.data(), outcome=OUTCOME, fates=FATES)
    def depart(self, data: st.DataObject, outcome: str, fates: list[bool]) -> None:
        self.let_leave(data.draw(st.sampled_from(self.ready())), outcome, fates)

    @rule(outcome=OUTCOME, fates=FATES)
    def a_sender_goes_on(self, outcome: str, fates: list[bool]) -> None:
        """Whatever is in the queue leaves at once: what should not be there shows soonest so."""
        self.claim()
        for flight in self.ready():
            self.let_leave(flight, outcome, fates)

    def let_leave(self, flight: Flight, outcome: str, fates: list[bool]) -> None:
        if ledger.depart(flight.claim.entry_id) is None:
            self.flights.remove(flight)  # it was taken away: nothing leaves
            return
        flight.outcome = outcome
        if outcome == "crashed before":
            self.flights.remove(flight)  # and nothing ever answers it
            return
        for pk in flight.claim.message_ids:
            assert self.may_be_posted(pk), f"message {pk} leaves a second time without a person's word"
            self.posts[pk].append(flight)
        left_out = int(fates[0]) if outcome == "partial" else -1
        flight.taken = tuple(
            self.take(flight.claim, position, fates[position % 3]) if outcome in TOOK and position != left_out else None
            for position in range(len(flight.claim.message_ids))
        )

    @precondition(lambda self: self.awaited())
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """Sooner or later, perhaps long after the batch was given up for lost."""
        flight = data.draw(st.sampled_from(self.awaited()))
        flight.answered = True
        if flight.outcome in ("accepted", "partial"):
            settling.settle_answers(self.campaign.pk, [(flight.claim, result_of(flight))])
        else:
            failed_requests.settle_error(self.campaign.pk, flight.claim, error_of(flight.outcome))

    @precondition(lambda self: len(self.accepting()) > 1)
    @rule()
    def several_answers_at_once(self) -> None:
        answered = self.accepting()
        for flight in answered:
            flight.answered = True
        settling.settle_answers(self.campaign.pk, [(flight.claim, result_of(flight)) for flight in answered])

    @rule()
    def sender_dies(self) -> None:
        """Another finds what it had claimed; answers on their way may still be settled by a process that lives on."""
        self.sender += 1
        unanswered.recover_stale(self.campaign.pk, f"sender {self.sender}")

    @precondition(lambda self: BatchAnswer.objects.exists())
    @rule()
    def write_an_answer_to_its_rows(self) -> None:
        answers.write_one(BatchAnswer.objects.order_by("pk").first().pk)

    # Evidence comes in.

    @precondition(lambda self: self.records)
    @rule(data=st.data(), contradicts=st.booleans(), repeats=st.integers(1, 2))
    def push(self, data: st.DataObject, contradicts: bool, repeats: int) -> None:
        """Early or late, in any order, again, and against what was said before."""
        chosen = data.draw(st.lists(st.sampled_from(self.records), min_size=1, max_size=4, unique_by=id))
        self.tell([report_of(record, Source.PUSH, record.delivered != contradicts) for record in chosen * repeats])

    @precondition(lambda self: self.records)
    @rule(data=st.data(), pending=st.booleans())
    def get_report(self, data: st.DataObject, pending: bool) -> None:
        """Only ids that the ledger knows are asked for."""
        known = set(Message.objects.exclude(gateway_id=None).values_list("gateway_id", flat=True))
        askable = [record for record in self.records if record.msg_id in known]
        if askable:
            record = data.draw(st.sampled_from(askable))
            self.tell([report_of(record, Source.GET_REPORT, None if pending else record.delivered)])

    @rule()
    def sweep_the_records(self) -> None:
        answers.write_all(Batch.objects.all())
        found = [report_of(record, Source.GET_SENT_RCD, record.delivered) for record in self.records]
        strays = record_matching.Strays(self.application)
        known = reports.apply_now(found)
        strays.add([report for report, is_known in zip(found, known, strict=True) if not is_known])
        strays.settle((timezone.now() - dt.timedelta(days=90), timezone.now()))
        for record in self.records:
            if Message.objects.filter(pk=record.pk, gateway_id=record.msg_id).exists():
                self.told[record.pk].add(record.delivered)

    @rule()
    def somebody_sends_the_unknown_again(self) -> None:
        unknown = list(Message.objects.filter(state=MessageState.UNKNOWN).values_list("pk", flat=True))
        resolving.send_again(self.campaign.pk, reason="they asked")
        for pk in unknown:
            self.excused[pk] = len(self.posts[pk])
        self.word_was_given = True

    @rule()
    def somebody_writes_the_unknown_off(self) -> None:
        resolving.write_off(self.campaign.pk, reason="too late")

    # What must always hold.

    @invariant()
    def every_figure_can_be_derived(self) -> None:
        with rolled_back():  # proving writes answers to their rows: here they wait on
            found = proving.prove(Campaign.objects.get(pk=self.campaign.pk))["disagreements"]
        assert [sentence for sentence in found if SECOND_ID not in sentence or not any(self.excused.values())] == []

    @invariant()
    def each_message_is_in_at_most_one_live_call(self) -> None:
        live = LedgerEntry.objects.filter(state__in=[EntryState.PREPARED, EntryState.IN_FLIGHT])
        carried = [pk for flight in self.flights if self.is_live(flight, live) for pk in flight.claim.message_ids]
        assert len(carried) == len(set(carried))

    @invariant()
    def what_is_known_is_never_forgotten(self) -> None:
        after = standing()
        if not self.word_was_given:
            for pk, state in self.before.items():
                is_unsure = state in (MessageState.QUEUED, MessageState.CLAIMED, MessageState.UNKNOWN)
                assert is_unsure or after[pk] >= state, f"message {pk} fell from {state.label} to {after[pk].label}"
        self.before, self.word_was_given = after, False

    # The machine's own bookkeeping.

    def ready(self) -> list[Flight]:
        return [flight for flight in self.flights if not flight.outcome]

    def awaited(self) -> list[Flight]:
        return [flight for flight in self.flights if flight.outcome and not flight.answered]

    def accepting(self) -> list[Flight]:
        return [flight for flight in self.awaited() if flight.outcome in ("accepted", "partial")]

    def is_live(self, flight: Flight, live: Any) -> bool:
        is_current = Batch.objects.filter(pk=flight.claim.batch_id, entry_id=flight.claim.entry_id).exists()
        return bool(is_current and live.filter(pk=flight.claim.entry_id).exists())

    def may_be_posted(self, pk: int) -> bool:
        """Each request before must have been answered by a plain no, or a person must have given it up."""
        return all(f.answered and f.outcome not in TOOK | LOST for f in self.posts[pk][self.excused[pk] :])

    def take(self, claimed: Claim, position: int, delivered: bool) -> Record:
        record = Record(
            msg_id=f"21{len(self.records):05d}",
            pk=claimed.message_ids[position],
            number=claimed.numbers[position],
            order_id=claimed.order_ids[position],
            delivered=delivered,
            at=timezone.now(),
        )
        self.records.append(record)
        return record

    def tell(self, told: Sequence[DeliveryReport]) -> None:
        known = reports.apply_now(told)
        assert all(known)
        for report in told:
            if report.state != DeliveryState.PENDING:
                pk = next(record.pk for record in self.records if record.msg_id == report.msg_id)
                self.told[pk].add(report.state == DeliveryState.DELIVERED)

    def all_evidence_comes_in(self) -> None:
        self.sender_dies()
        for flight in self.awaited():
            if flight.outcome in ("accepted", "partial"):
                settling.settle_answers(self.campaign.pk, [(flight.claim, result_of(flight))])
        self.tell([report_of(record, Source.PUSH, record.delivered) for record in self.records])
        self.sweep_the_records()
        self.every_figure_can_be_derived()

    def the_ledger_says_what_the_gateway_did(self) -> None:
        """A function of the evidence alone: whatever order it came in, the best that was reported stands."""
        assert not Batch.objects.filter(state=Batch.State.CLAIMED).exists()
        for message in Message.objects.all():
            ends = self.told[message.pk]
            if message.attempt > 1:  # that an earlier sending failed says nothing about the last
                assert True not in ends or message.state == MessageState.DELIVERED
            elif ends:
                assert message.state == (MessageState.DELIVERED if True in ends else MessageState.UNDELIVERED)
                assert message.gateway_id in {record.msg_id for record in self.records if record.pk == message.pk}
            else:
                assert message.state < MessageState.ACCEPTED or message.state == MessageState.EXPIRED


@contextlib.contextmanager
def rolled_back() -> Any:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def standing() -> dict[int, MessageState]:
    messages = Message.objects.select_related("batch").all()
    return {message.pk: answers.standing(message) for message in messages}


def result_of(flight: Flight) -> SendResult:
    msg_ids = [record.msg_id if record else None for record in flight.taken]
    taken = sum(msg_id is not None for msg_id in msg_ids)
    return SendResult(msg_ids, [], taken, len(msg_ids) - taken)


def error_of(outcome: str) -> LaafficError:
    if outcome == "not sent":
        return NotSent("the connection was refused", interface="sendSms")
    if outcome in LOST:
        return OutcomeUnknown("no answer within the time limit", interface="sendSms")
    return Refused(interface="sendSms", entry=lookup(Family.SMS, outcome), reason="no", http_status=200)


def report_of(record: Record, source: Source, delivered: bool | None) -> DeliveryReport:
    state = {True: DeliveryState.DELIVERED, False: DeliveryState.FAILED, None: DeliveryState.PENDING}[delivered]
    return DeliveryReport(
        source=source,
        msg_id=record.msg_id,
        number=record.number,
        order_id=record.order_id if source == Source.PUSH else "",
        state=state,
        raw_status={True: "0", False: "1", None: "-1"}[delivered],
        reason="" if delivered else "Absent subscriber",
        at=record.at,
    )


@pytest.fixture
def time_flies(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A dead worker's answer is given up at once, calls are small, and no bell rings."""
    monkeypatch.setattr(unanswered, "ANSWER_GRACE", dt.timedelta())
    monkeypatch.setattr("laaffic_console.gateway.services.work.bell._ring_now", lambda job, *args: None)
    settings.LAAFFIC_RECIPIENTS_PER_CALL = PER_CALL


@pytest.mark.thorough
@pytest.mark.django_db
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("time_flies")
def test_every_order_of_events_ends_the_same() -> None:
    run_state_machine_as_test(
        MessageMachine,
        settings=settings(
            max_examples=int(os.environ.get("MACHINE_EXAMPLES", "10")),  # `make rehearse` plays 400
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
