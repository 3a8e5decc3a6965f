"""Delivery reports from wherever they come: any order of the same ones ends the same, and the figures follow."""

import datetime as dt
import itertools
import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from laaffic_console.gateway.models import Application, LedgerEntry, OrphanReport, PushedBody
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.inbox import draining, inbox
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.laaffic import DeliveryReport, DeliveryState, OutcomeUnknown, SendResult, Source
from messaging.models import (
    ActivityTally,
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    Contact,
    ContactGroup,
    DeliveryTimeTally,
    HourTally,
    Message,
    MessageEvent,
    MessageState,
    OutcomeTally,
    SentTally,
)
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, failed_requests, settling, unanswered
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import campaign_report, proving
from messaging.services.reports import report_pulls, report_pushes, reported_rows, reports
from messaging.services.tallies import counting, hour_tallies
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
STATUS = {
    DeliveryState.DELIVERED: "0",
    DeliveryState.FAILED: "1",
    DeliveryState.PENDING: "-1",
    DeliveryState.UNKNOWN: "77",
}
RANK = [DeliveryState.PENDING, DeliveryState.FAILED, DeliveryState.DELIVERED]


@pytest.fixture(autouse=True)
def _credentials(settings: Any) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


def claimed(application: Application, group: ContactGroup) -> tuple[Campaign, Claim]:
    """A campaign whose one batch is in a worker's hands."""
    campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hi", groups=[group])
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    claim = claiming.claim(campaign, "token")
    assert isinstance(claim, Claim)
    return campaign, claim


def gateway_ids(claim: Claim) -> list[str]:
    return [f"25{pk:010}" for pk in claim.message_ids]


def answered(claim: Claim, *, left_out: tuple[int, ...] = ()) -> SendResult:
    ids: list[str | None] = [None if n in left_out else gid for n, gid in enumerate(gateway_ids(claim))]
    return SendResult(msg_ids=ids, unknown_positions=[], success=None, fail=None)


def report(claim: Claim, position: int = 0, state: DeliveryState = DeliveryState.DELIVERED, **fields: Any) -> Any:
    given: dict[str, Any] = {
        "source": Source.GET_REPORT if state is DeliveryState.PENDING else Source.PUSH,
        "msg_id": gateway_ids(claim)[position],
        "number": claim.numbers[position],
        "order_id": f"lc-{claim.message_ids[position]}",
        "state": state,
        "raw_status": STATUS[state],
        "reason": {DeliveryState.FAILED: "absent subscriber"}.get(state, "0"),
        "at": NOW,
    }
    return DeliveryReport(**(given | fields))


def push(claim: Claim, position: int = 0, status: str = "0", **fields: Any) -> dict[str, Any]:
    given = {
        "msgid": gateway_ids(claim)[position],
        "mobile": claim.numbers[position],
        "status": status,
        "orderId": f"lc-{claim.message_ids[position]}",
        "reason": "0" if status == "0" else "absent subscriber",
        "timestamp": 1_767_268_800_000,
    }
    return given | fields


def store(body: Any) -> PushedBody:
    inbox.store(kind="sms-report", body=json.dumps(body), source=None)
    return PushedBody.objects.latest("id")


def message(claim: Claim, position: int = 0) -> Message:
    answers.write_one(claim.batch_id)
    return Message.objects.get(pk=claim.message_ids[position])


def assert_figures_are_a_recount(campaign: Campaign) -> None:
    """Batch columns, outcomes, activity, counts and costs, each against the messages themselves."""
    answers.write_all(Batch.objects.filter(campaign=campaign))
    rows = list(Message.objects.filter(campaign=campaign))
    for batch in Batch.objects.filter(campaign=campaign):
        found = Counter(MessageState(row.state).key for row in rows if row.batch_id == batch.pk)
        kept = {state.key: getattr(batch, state.key) for state in counting.STORED_STATES}
        assert kept == {state.key: found[state.key] for state in counting.STORED_STATES}
    outcomes: dict[Any, tuple[int, int, int]] = {}
    costs: Counter[str] = Counter()
    for row in rows:
        if row.state in reported_rows.FINAL_STATES:
            n, billed, paid = outcomes.get(key := (row.country, row.state, row.reason, row.currency), (0, 0, 0))
            outcomes[key] = (n + 1, billed + (row.billed_segments or 0), paid + (row.pay_micros or 0))
            costs[row.currency] += row.pay_micros or 0
    tallies = {
        (tally.country, tally.state, tally.reason, tally.currency): (
            tally.messages,
            tally.billed_segments,
            tally.pay_micros,
        )
        for tally in OutcomeTally.objects.filter(campaign=campaign)
    }
    assert {key: sums for key, sums in tallies.items() if any(sums)} == outcomes
    counts = counting.state_counts(campaign)
    in_hand = sum(row.batch.state == BatchState.CLAIMED and row.state == MessageState.QUEUED for row in rows)
    stored = Counter(MessageState(row.state).key for row in rows)
    assert counts == {
        **{state.key: stored[state.key] for state in MessageState},
        "queued": stored["queued"] - in_hand,
        "claimed": in_hand,
    }
    charged = {currency: micros for currency, micros in costs.items() if currency}
    assert {currency: total * 1_000_000 for currency, total in counting.costs(campaign).items() if total} == charged
    happened = dict.fromkeys(counting.SENT, 0) | dict(
        ActivityTally.objects.filter(campaign=campaign).values_list("state").annotate(n=Sum("messages"))
    )
    for state in (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED):
        assert happened[state] == stored[state.key]
    if not any(row.evidence.startswith("written off") for row in rows):
        assert happened[MessageState.ACCEPTED] == sum(stored[state.key] for state in counting.SENT)
    assert_hours_are_a_recount()


def assert_hours_are_a_recount() -> None:
    """The hours, folded twice, against every message there is."""
    hour_tallies.fold()
    hour_tallies.fold()

    keys = ["country", "state", "reason", "currency"]
    sums = HourTally.objects.exclude(state=MessageState.UNKNOWN).values_list(*keys)
    kept = {tuple(row[:4]): tuple(row[4:]) for row in sums.annotate(n=Sum("messages"), paid=Sum("pay_micros"))}
    finals = Message.objects.filter(state__in=reported_rows.FINAL_STATES).order_by().values_list(*keys)
    recounted = finals.annotate(n=Count("pk"), paid=Sum("pay_micros"))
    assert {key: n for key, n in kept.items() if any(n)} == {tuple(row[:4]): (row[4], row[5] or 0) for row in recounted}
    lost = Message.objects.filter(state=MessageState.UNKNOWN).count()
    assert lost == hour_tallies.unknown_now() == hour_tallies.unknown_until(timezone.now() + hour_tallies.HOUR)


def standing(campaign: Campaign) -> list[Any]:
    columns = ["number", "state", "gateway_id", "reason", "reported_at", "pay_micros", "currency", "billed_segments"]
    return list(Message.objects.filter(campaign=campaign).order_by("number").values_list(*columns[:2], *columns[3:]))


STATES = st.sampled_from(RANK)
SOURCES = st.sampled_from([Source.PUSH, Source.GET_REPORT])
NO_AMOUNT: dict[str, Any] = {"pay": None, "currency": "", "segments": None}


def amount_told(state: DeliveryState, source: Source) -> dict[str, Any]:
    """Another amount, currency and moment with each state, and by each way."""
    n, is_own = RANK.index(state), source is Source.GET_REPORT
    return {
        "source": source,
        "pay": Decimal(n * 2 + is_own) / 1000,
        "currency": ["USD", "EUR"][(n + is_own) % 2],
        "segments": [None, 1, 2, 3, 4, 5][n * 2 + is_own],
        "at": NOW + dt.timedelta(minutes=[9, 7, 5, 6, 8, 4][n * 2 + is_own]),
    }


@pytest.mark.thorough
class OrderTests:
    @given(
        told=st.lists(
            st.tuples(st.integers(0, 2), STATES, SOURCES, st.booleans(), st.booleans()), min_size=1, max_size=8
        ),
        order=st.randoms(use_true_random=False),
        cuts=st.lists(st.integers(0, 8), max_size=3),
        answer_at=st.integers(0, 8),
        written_after=st.integers(0, 8),
    )
    @hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_order_of_repeats_and_answer_ends_the_same(
        self,
        application: Application,
        told: list[Any],
        order: Any,
        cuts: list[int],
        answer_at: int,
        written_after: int,
    ) -> None:
        group = ContactGroup.objects.create(name=f"group {ContactGroup.objects.count()}")
        Contact.objects.all().delete()
        add_contacts(group, 3)
        ends = []
        for attempt in range(2):
            campaign, claim = claimed(application, group)
            steps: list[Any] = [
                report(
                    claim,
                    position,
                    state,
                    **amount_told(state, source)
                    | ({} if has_amount else NO_AMOUNT)
                    | ({} if has_time else {"at": None}),
                )
                for position, state, source, has_amount, has_time in told
            ]
            if attempt:
                order.shuffle(steps)
            steps.insert(min(answer_at, len(steps)) if attempt else 0, answered(claim))
            for step, chunk in enumerate(pieces(steps, cuts)):
                if step == written_after and attempt:
                    answers.write_all(Batch.objects.all())
                if isinstance(chunk[0], SendResult):
                    settling.settle_answer(campaign.pk, claim, chunk[0])
                else:
                    reports.apply_now(chunk)
            assert_figures_are_a_recount(campaign)
            best = {p: max((s for q, s, *_ in told if q == p), key=RANK.index) for p, *_ in told}
            assert [row.state for row in Message.objects.filter(campaign=campaign).order_by("pk")] == [
                reports.STATE_OF[best[p]] if p in best else MessageState.ACCEPTED for p in range(3)
            ]
            assert list(
                Message.objects.filter(campaign=campaign).order_by("pk").values_list("gateway_id", flat=True)
            ) == gateway_ids(claim)
            ends.append(standing(campaign))
        assert ends[0] == ends[1]

    PENDING = (DeliveryState.PENDING, Source.GET_REPORT)
    FAILED = (DeliveryState.FAILED, Source.PUSH)
    FAILED_ASKED = (DeliveryState.FAILED, Source.GET_REPORT)
    DELIVERED = (DeliveryState.DELIVERED, Source.PUSH)
    DELIVERED_ASKED = (DeliveryState.DELIVERED, Source.GET_REPORT)

    @pytest.mark.parametrize("together", [False, True])
    @pytest.mark.parametrize(
        ("with_amount", "without", "wins"),
        [
            ([FAILED, DELIVERED], [], DELIVERED),
            ([PENDING, DELIVERED], [], DELIVERED),
            ([PENDING, FAILED, DELIVERED], [DELIVERED], DELIVERED),
            ([PENDING, FAILED, FAILED_ASKED], [DELIVERED], FAILED_ASKED),
            ([FAILED, DELIVERED, DELIVERED_ASKED], [DELIVERED], DELIVERED_ASKED),
            ([PENDING, (DeliveryState.PENDING, Source.PUSH)], [FAILED], PENDING),
        ],
    )
    def test_the_amount_is_the_best_reports_whoever_comes_first(
        self,
        application: Application,
        group: ContactGroup,
        with_amount: list[Any],
        without: list[Any],
        wins: Any,
        together: bool,
    ) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        answers.write_all(Batch.objects.all())
        told = [report(claim, 0, state, **amount_told(state, source)) for state, source in with_amount]
        told += [report(claim, 0, state, **amount_told(state, source) | NO_AMOUNT) for state, source in without]
        ends = set()

        for order in itertools.permutations(told):
            with transaction.atomic():
                for some in [order] if together else [[one] for one in order]:
                    reports.apply_now(some)
                assert_figures_are_a_recount(campaign)
                tallies = SentTally.objects.exclude(messages=0, pay_micros=0, billed_segments=0)
                tallied = tallies.values_list("state", "currency", "messages", "billed_segments", "pay_micros")
                ends.add(
                    (
                        *standing(campaign)[0],
                        *tallied,
                        *DeliveryTimeTally.objects.filter(messages=1).values_list("bucket"),
                    )
                )
                assert proving.prove(campaign)["disagreements"] == []
                transaction.set_rollback(True)

        assert len(ends) == 1
        said = amount_told(*wins)
        assert ends.pop()[4:7] == (int(said["pay"] * 1_000_000), said["currency"], said["segments"])

    @pytest.mark.parametrize("same", [DELIVERED_ASKED, FAILED_ASKED])
    def test_an_amount_that_a_better_report_repeats_is_that_ones(
        self, application: Application, group: ContactGroup, same: Any
    ) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        answers.write_all(Batch.objects.all())

        def says(pay: str, state: DeliveryState, source: Source) -> DeliveryReport:
            return report(claim, 0, state, source=source, pay=Decimal(pay), currency="USD", segments=1)

        worse = self.FAILED_ASKED if same == self.DELIVERED_ASKED else self.FAILED
        told = [says("0.001", *(self.FAILED if same == self.DELIVERED_ASKED else self.PENDING)), says("0.001", *same)]
        told += [says("0.009", *worse), report(claim, 0, DeliveryState.DELIVERED, **NO_AMOUNT)]
        ends = set()

        for order in itertools.permutations(told):
            with transaction.atomic():
                for one in order:
                    reports.apply_now([one])
                ends.add(message(claim).pay_micros)
                transaction.set_rollback(True)

        assert ends == {1000}

    def test_a_better_report_without_a_moment_leaves_none(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))

        reports.apply_now([report(claim, 0, DeliveryState.FAILED)])
        reports.apply_now([report(claim, at=None)])

        assert message(claim).reported_at is None

    @pytest.mark.parametrize("order", list(itertools.permutations(["0", "1", "1", "0"])))
    def test_one_body_may_contradict_itself(
        self, application: Application, group: ContactGroup, order: tuple[str, ...]
    ) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))

        store([push(claim, status=status) for status in order])
        report_pushes.INBOX.apply_some()

        assert (message(claim).state, message(claim).reason) == (MessageState.DELIVERED, "")
        assert_figures_are_a_recount(campaign)


class AlikeTests:
    """What the rules say of one message is written to all that stood alike and were reported alike."""

    SAID = st.fixed_dictionaries(
        {"position": st.integers(0, 5), "state": st.sampled_from([*RANK, DeliveryState.UNKNOWN])},
        optional={
            "at": st.sampled_from([None, NOW, NOW + dt.timedelta(minutes=3)]),
            "msg_id": st.sampled_from(["", "another"]),
            "number": st.sampled_from(["", "919999999999"]),
            "named": st.sampled_from(["not", "second", "first"]),
            "source": st.sampled_from([Source.PUSH, Source.GET_REPORT]),
            "reason": st.sampled_from(["0", "absent subscriber", "x" * 200]),
            "pay": st.sampled_from([None, Decimal("0.0031"), Decimal(-1), Decimal(900)]),
            "currency": st.sampled_from(["USD", "EUR"]),
            "segments": st.sampled_from([None, 1, 70_000]),
            "mcc": st.sampled_from(["404", "nothing"]),
        },
    )

    @pytest.mark.thorough
    @given(
        slices=st.lists(st.lists(SAID, min_size=1, max_size=10), min_size=1, max_size=3),
        before=st.sampled_from(["answered", "answered", "unwritten", "unknown", "claimed"]),
        confirm=st.sampled_from([False, False, True]),
    )
    @hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_they_end_as_if_each_was_looked_at(
        self, application: Application, settings: Any, slices: list[Any], before: str, confirm: bool
    ) -> None:
        settings.LAAFFIC_CONFIRM_REPORTS = confirm
        group = ContactGroup.objects.create(name=f"group {ContactGroup.objects.count()}")
        Contact.objects.all().delete()
        add_contacts(group, 6)
        campaign, claim = self.sent(application, group, before)
        told = [[self.reported(claim, dict(said)) for said in part] for part in slices]

        together = self.undone(lambda: self.end(campaign, told))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reports._Applying, "_first_alike", lambda *given: None)
            one_by_one = self.undone(lambda: self.end(campaign, told))

        assert together == one_by_one

    def test_an_order_id_of_no_message_moves_nothing_and_costs_the_others_nothing(
        self, application: Application, group: ContactGroup
    ) -> None:
        """Such as one of a database that was restored since: it is kept among the orphans."""
        add_contacts(group, 3)
        campaign, claim = self.sent(application, group, "answered")
        unknown = report(claim, 1, order_id=f"lc-{claim.message_ids[-1] + 1000}")

        assert reports.apply_now([report(claim, 0), unknown, report(claim, 2)]) == [True, False, True]

        rows = Message.objects.filter(campaign=campaign).order_by("pk").values_list("state", flat=True)
        assert list(rows) == [MessageState.DELIVERED, MessageState.ACCEPTED, MessageState.DELIVERED]

    def test_a_plain_campaign_is_looked_at_once(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 12)
        campaign, claim = self.sent(application, group, "answered")
        price = {"pay": Decimal("0.0031"), "currency": "USD", "segments": 1}
        delivered = [report(claim, n, at=NOW + dt.timedelta(seconds=n), **price) for n in range(10)]
        failed = [report(claim, n, DeliveryState.FAILED, order_id="") for n in (10, 11)]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reports._Applying, "_take_one", None)
            reports.apply_now([*delivered[:5], *failed, *delivered[5:]])

        rows = Message.objects.filter(campaign=campaign).order_by("pk")
        moments = [NOW + dt.timedelta(seconds=n) for n in range(10)]
        assert list(rows.values_list("reported_at", flat=True)) == [*moments, NOW, NOW]
        assert Counter(rows.values_list("state", "reason", "pay_micros")) == {
            (MessageState.DELIVERED, "", 3100): 10,
            (MessageState.UNDELIVERED, "absent subscriber", None): 2,
        }
        assert_figures_are_a_recount(campaign)
        assert DeliveryTimeTally.objects.aggregate(n=Sum("messages")) == {"n": 10}

    def test_evidence_names_the_id_of_its_own_report(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 3)
        campaign, claim = self.sent(application, group, "unknown")
        for pk, gateway_id in zip(claim.message_ids, gateway_ids(claim), strict=True):
            Message.objects.filter(pk=pk).update(gateway_id=gateway_id)

        reports.apply_now([report(claim, n) for n in range(3)])

        rows = Message.objects.filter(campaign=campaign).order_by("pk")
        assert [row.evidence for row in rows] == [f"settled by push: {gid}" for gid in gateway_ids(claim)]

    def sent(self, application: Application, group: ContactGroup, before: str) -> tuple[Campaign, Claim]:
        campaign, claim = claimed(application, group)
        if before == "unknown":
            unanswered.mark_unknown(Batch.objects.get(pk=claim.batch_id), "lost")
        elif before != "claimed":
            settling.settle_answer(campaign.pk, claim, answered(claim))
        if before == "answered":
            answers.write_all(Batch.objects.filter(campaign=campaign))
        return campaign, claim

    def reported(self, claim: Claim, said: dict[str, Any]) -> DeliveryReport:
        pk = claim.message_ids[said["position"]]
        names = {"not": "", "first": f"lc-{pk}", "second": f"lc-{pk}-2"}
        named = {"order_id": names[said.pop("named")]} if "named" in said else {}
        return report(claim, said.pop("position"), said.pop("state"), **said, **named)

    def end(self, campaign: Campaign, told: list[list[DeliveryReport]]) -> list[Any]:
        known = [reports.apply_now(part) for part in told]
        kept = [
            *Message.objects.order_by("pk").values(),
            *Batch.objects.order_by("pk").values(),
            *OutcomeTally.objects.order_by("country", "state", "reason", "currency").values(),
            *over_minutes(),
            *over_hours(),
            *DeliveryTimeTally.objects.order_by("country", "network", "bucket").values(),
            *MessageEvent.objects.order_by("message", "source", "text").values(),
        ]
        figures = [
            {name: said for name, said in row.items() if name not in UNSTEADY} for row in kept if any_counted(row)
        ]
        assert_figures_are_a_recount(campaign)
        return [known, figures]

    def undone(self, act: Callable[[], list[Any]]) -> list[Any]:
        with transaction.atomic():
            found = act()
            transaction.set_rollback(True)
        return found


COUNTED = ("messages", "billed_segments", "pay_micros", "messages_", "billed_segments_", "pay_micros_")
UNSTEADY = ("id", "at", "next_check_at")


def over_minutes() -> Any:
    """What happened, of each kind: the clock may begin a new minute between two slices."""
    return ActivityTally.objects.order_by("state").values("campaign", "state").annotate(messages=Sum("messages"))


def over_hours() -> Any:
    told = SentTally.objects.order_by("country", "network", "state", "reason", "currency")
    counted = ("messages", "billed_segments", "pay_micros")
    return told.values("campaign", "country", "network", "state", "reason", "currency").annotate(
        **{f"{name}_": Sum(name) for name in counted}
    )


def any_counted(row: dict[str, Any]) -> bool:
    """False of a tally that has gone back to nothing."""
    counts = [row[name] for name in COUNTED if name in row]
    return "number" in row or not counts or any(counts)


def pieces(steps: list[Any], cuts: list[int]) -> list[list[Any]]:
    """In batches of reports, the answer on its own."""
    found: list[list[Any]] = []
    for n, step in enumerate(steps):
        alone = isinstance(step, SendResult) or not found or isinstance(found[-1][0], SendResult)
        if alone or n in cuts:
            found.append([step])
        else:
            found[-1].append(step)
    return found


class WorseReportTests:
    def test_failed_after_delivered_is_only_written_down(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        reports.apply_now([report(claim)])

        reports.apply_now([report(claim, state=DeliveryState.FAILED)])

        assert (message(claim).state, message(claim).reason) == (MessageState.DELIVERED, "")
        assert "absent subscriber after its end" in MessageEvent.objects.get().text
        assert_figures_are_a_recount(campaign)

    def test_pending_after_the_end_leaves_no_trace(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        reports.apply_now([report(claim, state=DeliveryState.FAILED)])

        reports.apply_now([report(claim, state=DeliveryState.PENDING)])

        assert (message(claim).state, message(claim).reason) == (MessageState.UNDELIVERED, "absent subscriber")
        assert not MessageEvent.objects.exists()

    def test_delivered_after_failed_counts(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 2)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        reports.apply_now([report(claim, n, DeliveryState.FAILED, pay=Decimal("0.5"), currency="USD") for n in (0, 1)])

        reports.apply_now([report(claim)])

        counts = counting.state_counts(campaign)
        assert (counts["delivered"], counts["undelivered"]) == (1, 1)
        assert counting.costs(campaign) == {"USD": Decimal("1.00")}
        assert_figures_are_a_recount(campaign)

    @pytest.mark.parametrize("pushed_first", [True, False])
    @pytest.mark.parametrize("asked", [{"at": NOW}, {"at": None}])
    def test_the_reason_of_a_failure_is_the_pushs_whoever_comes_first(
        self,
        application: Application,
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
        pushed_first: bool,
        asked: dict[str, Any],
    ) -> None:
        add_contacts(group, 3)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        answers.write_one(claim.batch_id)
        moved: list[int] = []
        monkeypatch.setattr(reported_rows.events, "messages_moved", lambda was: moved.extend(was))
        failed, n = DeliveryState.FAILED, range(3)
        pushed = [report(claim, each, failed) for each in n]
        told = [report(claim, each, failed, source=Source.GET_REPORT, reason="", **asked) for each in n]

        for some in (pushed, told) if pushed_first else (told, pushed):
            reports.apply_now(some)

        assert {(message(claim, each).state, message(claim, each).reason) for each in n} == {
            (MessageState.UNDELIVERED, "absent subscriber")
        }
        assert list(OutcomeTally.objects.exclude(messages=0).values_list("state", "reason", "messages")) == [
            (MessageState.UNDELIVERED, "absent subscriber", 3)
        ]
        assert sorted(moved) == sorted(claim.message_ids)  # nobody is told twice that it failed
        assert_figures_are_a_recount(campaign)

    def test_a_status_nobody_knows_changes_nothing(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))

        assert reports.apply_now([report(claim, state=DeliveryState.PENDING), report(claim)][:1]) == [True]
        odd = report(claim, msg_id=gateway_ids(claim)[0])
        odd = odd._replace(state=DeliveryState.UNKNOWN)
        assert reports.apply_now([odd]) == [True]

        assert message(claim).state == MessageState.ACCEPTED

    def test_a_second_gateway_id_is_written_down(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))

        reports.apply_now([report(claim, msg_id="999", source=Source.GET_REPORT)])

        assert message(claim).gateway_id == gateway_ids(claim)[0]
        assert "999" in MessageEvent.objects.get().text

    def test_an_expired_message_may_still_be_delivered(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 2)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        report_pulls.expire(claim.batch_id)
        assert_figures_are_a_recount(campaign)

        reports.apply_now([report(claim)])

        counts = counting.state_counts(campaign)
        assert (counts["expired"], counts["delivered"]) == (1, 1)
        assert_figures_are_a_recount(campaign)

    def test_what_was_unknown_and_is_on_its_way_late_expires_as_well(
        self, application: Application, group: ContactGroup
    ) -> None:
        """Past the window nobody asks about what is unknown any more."""
        add_contacts(group, 2)
        campaign, claim = claimed(application, group)
        assert ledger.depart(claim.entry_id)
        LedgerEntry.objects.update(left_at=timezone.now() - unanswered.ANSWER_GRACE * 2)
        unanswered.recover_stale(campaign.pk, "another")
        Batch.objects.update(claimed_at=timezone.now() - dt.timedelta(days=30))
        batch = Batch.objects.get()
        report_pulls.check_again(batch)
        assert Batch.objects.get().next_check_at is None
        assert message(claim).state == MessageState.UNKNOWN

        reports.apply_now([report(claim, state=DeliveryState.PENDING)])
        assert message(claim).state == MessageState.ACCEPTED
        assert Batch.objects.get().next_check_at is not None
        report_pulls.check_again(batch)

        assert message(claim).state == MessageState.EXPIRED
        assert message(claim, 1).state == MessageState.UNKNOWN
        assert_figures_are_a_recount(campaign)

    def test_what_a_pending_report_said_is_kept_when_it_expires(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2)
        campaign, claim = claimed(application, group)
        pending = DeliveryState.PENDING
        reports.apply_now(
            [report(claim, 0, pending, reason="queued abroad", pay=Decimal("0.02"), currency="EUR", segments=2)]
        )
        settling.settle_answer(campaign.pk, claim, answered(claim))

        report_pulls.expire(claim.batch_id)
        assert_figures_are_a_recount(campaign)
        reports.apply_now([report(claim)])

        assert_figures_are_a_recount(campaign)
        assert counting.costs(campaign) == {"EUR": Decimal("0.02")}


class EarlyPushTests:
    def test_it_stays_when_the_answer_comes(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 3)
        campaign, claim = claimed(application, group)
        store(push(claim))
        report_pushes.INBOX.apply_some()
        assert message(claim).state == MessageState.DELIVERED
        assert_figures_are_a_recount(campaign)

        settling.settle_answer(campaign.pk, claim, answered(claim))

        early = message(claim)
        assert (early.state, early.gateway_id) == (MessageState.DELIVERED, gateway_ids(claim)[0])
        assert early.settled_at is not None
        counts = counting.state_counts(campaign)
        assert (counts["delivered"], counts["accepted"]) == (1, 2)
        assert_figures_are_a_recount(campaign)

    def test_one_without_the_gateways_id_gets_it_from_the_answer(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        reports.apply_now([report(claim, msg_id="")])

        settling.settle_answer(campaign.pk, claim, answered(claim))

        assert message(claim).gateway_id == gateway_ids(claim)[0]

    def test_a_number_the_answer_leaves_out_was_delivered_all_the_same(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 3)
        campaign, claim = claimed(application, group)
        reports.apply_now([report(claim)])

        settling.settle_answer(campaign.pk, claim, answered(claim, left_out=(0, 1)))

        counts = counting.state_counts(campaign)
        assert (counts["delivered"], counts["rejected"], counts["accepted"]) == (1, 1, 1)
        assert_figures_are_a_recount(campaign)

    def test_every_message_reported_early_leaves_nothing_to_settle(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2)
        campaign, claim = claimed(application, group)
        reports.apply_now([report(claim, n) for n in range(2)])

        settling.settle_answer(campaign.pk, claim, answered(claim))

        assert Batch.objects.get().state == BatchState.SETTLED
        assert_figures_are_a_recount(campaign)

    def test_a_rejected_message_that_was_delivered_counts_as_delivered(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim, left_out=(0,)))

        reports.apply_now([report(claim)])

        assert counting.state_counts(campaign)["rejected"] == 0
        assert_figures_are_a_recount(campaign)


class UnknownTests:
    LOST = OutcomeUnknown("timed out", interface="sendSms")

    def test_a_report_is_evidence_and_settles_the_batch(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 2)
        campaign, claim = claimed(application, group)
        failed_requests.settle_error(campaign.pk, claim, self.LOST)
        assert counting.state_counts(campaign)["unknown"] == 2
        assert not campaigns.finish_if_done(campaign.pk)

        reports.apply_now([report(claim, 0)])
        assert Batch.objects.get().state == BatchState.UNKNOWN
        assert_figures_are_a_recount(campaign)
        reports.apply_now([report(claim, 1, DeliveryState.FAILED)])

        assert Batch.objects.get().state == BatchState.SETTLED
        assert message(claim).evidence == f"settled by push: {gateway_ids(claim)[0]}"
        assert_figures_are_a_recount(campaign)
        assert campaigns.finish_if_done(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.FINISHED

    def test_a_late_answer_settles_it_too(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 3)
        campaign, claim = claimed(application, group)
        failed_requests.settle_error(campaign.pk, claim, self.LOST)
        reports.apply_now([report(claim)])

        settling.settle_answer(campaign.pk, claim, answered(claim, left_out=(2,)))

        counts = counting.state_counts(campaign)
        assert (counts["delivered"], counts["accepted"], counts["rejected"]) == (1, 1, 1)
        assert_figures_are_a_recount(campaign)


class PushTests:
    def settled(self, application: Application, group: ContactGroup, count: int = 1) -> tuple[Campaign, Claim]:
        add_contacts(group, count)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        return campaign, claim

    @pytest.mark.parametrize("named", ["orderId", "msgid"])
    def test_a_hundred_take_no_more_statements_than_two(
        self, application: Application, group: ContactGroup, named: str
    ) -> None:
        campaign, claim = self.settled(application, group, 102)
        answers.write_all(Batch.objects.filter(campaign=campaign))
        taken = []
        for part in (range(2), range(2, 102)):
            store([push(claim, n) | {"orderId" if named == "msgid" else "msgid": ""} for n in part])
            with CaptureQueriesContext(connection) as statements:
                report_pushes.INBOX.apply_some()
            taken.append(len(statements))

        assert taken[1] <= taken[0]
        assert_figures_are_a_recount(campaign)

    def test_by_order_id(self, application: Application, group: ContactGroup) -> None:
        _campaign, claim = self.settled(application, group)

        store(push(claim, msgid=""))
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED

    def test_by_the_gateways_id(self, application: Application, group: ContactGroup) -> None:
        _campaign, claim = self.settled(application, group)

        store({key: value for key, value in push(claim).items() if key != "orderId"})
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED

    def test_by_the_gateways_id_beside_a_strange_order_id(self, application: Application, group: ContactGroup) -> None:
        _campaign, claim = self.settled(application, group)

        store(push(claim, orderId="shop-17"))
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED

    def test_a_key_with_a_space(self, application: Application, group: ContactGroup) -> None:
        _campaign, claim = self.settled(application, group)
        body = push(claim, msgid="")
        body["orderId "] = body.pop("orderId")

        store(body)
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.DELIVERED

    @pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"array": rows}])
    def test_many_in_a_body(self, application: Application, group: ContactGroup, wrap: Any) -> None:
        campaign, claim = self.settled(application, group, 5)

        body = store(wrap([push(claim, n, "0" if n % 2 else "1") for n in range(5)]))
        report_pushes.INBOX.apply_some()

        body.refresh_from_db()
        assert (body.entries, body.problems) == (5, [])
        counts = counting.state_counts(campaign)
        assert (counts["delivered"], counts["undelivered"]) == (2, 3)
        assert_figures_are_a_recount(campaign)

    def test_another_number_is_another_installations_message(
        self, application: Application, group: ContactGroup
    ) -> None:
        _campaign, claim = self.settled(application, group)

        store(push(claim, mobile="4915112345678", msgid="1"))
        report_pushes.INBOX.apply_some()

        assert message(claim).state == MessageState.ACCEPTED
        assert OrphanReport.objects.get().number == "4915112345678"

    def test_a_bad_entry_costs_the_others_nothing(self, application: Application, group: ContactGroup) -> None:
        _campaign, claim = self.settled(application, group)

        body = store([7, {"msgid": "1"}, push(claim)])
        report_pushes.INBOX.apply_some()

        body.refresh_from_db()
        assert (body.entries, len(body.problems)) == (3, 2)
        assert body.applied_at is not None
        assert message(claim).state == MessageState.DELIVERED

    def test_a_reason_with_nul_and_of_any_length(self, application: Application, group: ContactGroup) -> None:
        campaign, claim = self.settled(application, group, 2)

        store([push(claim, 0, "1", reason="bad\0number"), push(claim, 1, "1", reason="x" * 5000)])
        report_pushes.INBOX.apply_some()

        assert message(claim, 0).reason == "badnumber"
        assert message(claim, 1).reason == "x" * 120
        assert_figures_are_a_recount(campaign)

    def test_a_reason_with_nul_that_no_push_brought(self, application: Application, group: ContactGroup) -> None:
        _campaign, claim = self.settled(application, group)

        reports.apply_now([report(claim, state=DeliveryState.FAILED, reason="bad\0number")])

        assert message(claim).reason == "badnumber"

    def test_the_price_is_exact(self, application: Application, group: ContactGroup) -> None:
        campaign, claim = self.settled(application, group, 3)
        price = {"price": "0.0007", "pay": "0.0021", "currency": "USD", "chargeCnt": "3"}

        store([push(claim, n, pricedetail=price) for n in range(3)])
        report_pushes.INBOX.apply_some()
        store([push(claim, n, pricedetail=price) for n in range(3)])
        report_pushes.INBOX.apply_some()

        assert counting.costs(campaign) == {"USD": Decimal("0.0063")}
        assert message(claim).billed_segments == 3
        assert_figures_are_a_recount(campaign)

    def test_what_was_settled_by_asking_says_that_it_has_no_price(
        self, application: Application, group: ContactGroup, admin_client: Client
    ) -> None:
        """The older pages of getReport name none; the newer ones do."""
        campaign, claim = self.settled(application, group, 3)
        asked = {"source": Source.GET_REPORT, "order_id": ""}
        priced = {"pay": Decimal("0.02"), "currency": "EUR", "segments": 1}

        reports.apply_now([report(claim, 0, **asked), report(claim, 1, **asked, **priced)])

        answers.write_one(claim.batch_id)
        said, proved = campaign_report.document(campaign), proving.prove(campaign)
        assert (said["cost"], said["price_not_told"]) == ({"EUR": "0.02"}, 1)
        assert (proved["price_not_told"], proved["disagreements"]) == (1, [])
        page = admin_client.get(f"/admin/messaging/campaign/{campaign.pk}/change/").content.decode()
        assert "Price not reported" in page

    def test_applied_bodies_are_not_taken_again(self, application: Application, group: ContactGroup) -> None:
        _campaign, claim = self.settled(application, group)
        store(push(claim))

        assert [report_pushes.INBOX.apply_some(), report_pushes.INBOX.apply_some()] == [1, 0]

    def test_a_round_takes_only_so_much_text(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _campaign, claim = self.settled(application, group)
        monkeypatch.setattr(draining, "TEXT_AT_ONCE", 10)
        store(push(claim))
        store(push(claim))

        assert [report_pushes.INBOX.apply_some() for _ in range(3)] == [1, 1, 0]


class OrphanTests:
    def orphan(self, claim: Claim) -> None:
        body = push(claim)
        del body["orderId"]
        store(body)
        report_pushes.INBOX.apply_some()

    def test_it_is_kept_once_and_matched_later(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 1)
        campaign, claim = claimed(application, group)
        self.orphan(claim)
        self.orphan(claim)
        assert OrphanReport.objects.get().matched_at is None
        assert report_pushes.INBOX.retry_orphans() == 0

        settling.settle_answer(campaign.pk, claim, answered(claim))
        OrphanReport.objects.update(next_try_at=timezone.now())
        matched = report_pushes.INBOX.retry_orphans()

        kept = OrphanReport.objects.get()
        assert (matched, kept.tries, kept.next_try_at) == (1, 2, None)
        assert kept.matched_at is not None
        assert message(claim).state == MessageState.DELIVERED
        assert message(claim).reported_at == NOW
        assert_figures_are_a_recount(campaign)

    def test_the_sweeper_comes_back_for_it(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No further push need come: what waits is tried again by itself."""
        add_contacts(group, 1)
        _campaign, claim = claimed(application, group)
        self.orphan(claim)
        rung: list[str] = []
        monkeypatch.setattr(inbox.bell, "ring", rung.append)

        inbox.ring_for_waiting()
        OrphanReport.objects.update(next_try_at=timezone.now() + dt.timedelta(minutes=1))
        inbox.ring_for_waiting()

        assert rung == ["messaging.jobs.apply_sms_reports"]

    def test_the_waits_grow_and_end_after_a_day(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_contacts(group, 1)
        _campaign, claim = claimed(application, group)
        self.orphan(claim)

        waits = []
        for _ in range(3):
            now = timezone.now()
            monkeypatch.setattr(database_clock, "now", lambda now=now: now)
            monkeypatch.setattr(database_clock, "in_statement", lambda now=now: now)
            OrphanReport.objects.update(next_try_at=now)
            report_pushes.INBOX.retry_orphans()
            due = OrphanReport.objects.get().next_try_at
            assert due is not None
            waits.append(round((due - now).total_seconds()))
        OrphanReport.objects.update(next_try_at=now, first_seen=now - dt.timedelta(hours=25))
        report_pushes.INBOX.retry_orphans()

        assert waits == [2, 4, 8]
        assert OrphanReport.objects.get().next_try_at is None
