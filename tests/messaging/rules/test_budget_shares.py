"""Of a million shares that wait for their reports, a sweep goes on where the last one ended; a claim looks at few."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.database import database_clock
from messaging.models import Batch, BatchState, BudgetCounter, BudgetShare, Campaign, Message, MessageState
from messaging.services.budgets import budget_gate, budgets, shares
from messaging.services.gates.gates import Queued, Verdict

pytestmark = pytest.mark.django_db
AT_THE_DATABASE = dt.datetime(2031, 5, 1, tzinfo=dt.UTC)


@pytest.fixture
def campaign(application: Application) -> Campaign:
    return Campaign.objects.create(name="Spoken", application=application)


def counter_of(application: Application, limit: int, currency: str = "") -> BudgetCounter:
    budget = budgets.put(application, per="day", limit=Decimal(limit), currency=currency)
    return budgets.locked_counters([budget])[0]


def taken(campaign: Campaign, counter: BudgetCounter, n: int, each: int = 1) -> list[BudgetShare]:
    """Of `n` batches of one message that were claimed and accepted; as they stand, measured never."""
    one = {"country": "IN", "state": MessageState.ACCEPTED, "segments": 1}
    found = []
    for _n in range(n):
        batch = Batch.objects.create(
            campaign=campaign, first_message_id=0, last_message_id=0, size=1, accepted=1, state=BatchState.SETTLED
        )
        message = Message.objects.create(campaign=campaign, batch=batch, number=str(919876543210 + batch.pk), **one)
        Batch.objects.filter(pk=batch.pk).update(first_message_id=message.pk, last_message_id=message.pk)
        found.append(BudgetShare.objects.create(counter=counter, batch_id=batch.pk, used=each, prices={"IN": each}))
    BudgetCounter.objects.filter(pk=counter.pk).update(used=F("used") + n * each)
    counter.used += n * each
    return found


def refuse(of: list[BudgetShare]) -> None:
    Batch.objects.filter(pk__in=[one.batch_id for one in of]).update(accepted=0, rejected=1)


def looked_at(counter: BudgetCounter) -> list[int]:
    """By one sweep."""
    before = set(counter.shares.filter(measured_at__isnull=False).values_list("pk", flat=True))
    shares.follow_slowly(counter.pk)
    return sorted(set(counter.shares.filter(measured_at__isnull=False).values_list("pk", flat=True)) - before)


def used(counter: BudgetCounter) -> int:
    return BudgetCounter.objects.get(pk=counter.pk).used


def test_a_sweep_goes_on_where_the_one_before_ended(
    campaign: Campaign, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "LOOKED_AT", 2)
    counter = counter_of(application, 100)
    ids = [one.pk for one in taken(campaign, counter, 5)]

    assert [looked_at(counter) for _sweep in range(3)] == [ids[:2], ids[2:4], ids[4:]]

    refuse(list(counter.shares.filter(pk__in=[ids[0], ids[3]])))
    seen = []
    for _sweep in range(3):
        shares.follow_slowly(counter.pk)
        seen.append(used(counter))
    assert seen == [4, 3, 3]


def test_a_sweep_measures_some_of_very_many_that_have_moved(
    campaign: Campaign, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MEASURED", 2)
    counter = counter_of(application, 100)
    ids = [one.pk for one in taken(campaign, counter, 5)]

    assert [looked_at(counter) for _sweep in range(3)] == [ids[:2], ids[2:4], ids[4:]]


def statements(campaign: Campaign, counter: BudgetCounter, n: int) -> int:
    taken(campaign, counter, n)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        shares.follow_slowly(counter.pk)
    return len(asked)


@pytest.mark.parametrize("currency", ["", "USD"])
def test_fifty_are_measured_by_as_many_statements_as_one(
    campaign: Campaign, application: Application, currency: str
) -> None:
    counter = counter_of(application, 100, currency)
    shares.follow_slowly(counter.pk)

    assert statements(campaign, counter, 1) == statements(campaign, counter, 19)


def test_what_has_not_moved_is_neither_measured_nor_locked_for(
    campaign: Campaign, application: Application, django_assert_num_queries: Any
) -> None:
    counter = counter_of(application, 100)
    taken(campaign, counter, 3)
    shares.follow_slowly(counter.pk)

    with django_assert_num_queries(3):  # the counter, where to end, what has moved
        shares.follow_slowly(counter.pk)


def asked(campaign: Campaign, n: int) -> Verdict:
    """A claim for `n` more."""
    budget_gate.forget_prices()
    gate = budget_gate.of(campaign)
    assert gate is not None
    return gate.look([Queued(-pk, "919876543210", 1, 0, False, None, 0, "IN") for pk in range(n)])


def test_a_claim_measures_some_and_waits_a_moment_before_it_says_no(
    campaign: Campaign, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MEASURED", 2)
    counter = counter_of(application, 5)
    refuse(taken(campaign, counter, 5)[4:])

    for _look in range(2):
        verdict = asked(campaign, 1)
        assert not verdict.hold
        assert [later.until is not None for later in verdict.waiting.values()] == [True]
    assert asked(campaign, 1) == Verdict()
    assert used(counter) == 4


def test_a_claim_of_many_batches_measures_as_many_as_one_of_one(
    campaign: Campaign, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MEASURED", 2)
    counter = counter_of(application, 5)
    taken(campaign, counter, 20)
    gate = budget_gate.of(campaign)
    assert gate is not None

    verdicts = [gate.look([Queued(-pk, "919876543210", 1, 0, False, None, 0, "IN")]) for pk in range(4)]

    assert [bool(verdict.waiting) for verdict in verdicts] == [True] * 4
    assert counter.shares.exclude(measured_at=None).count() == 2


def test_it_waits_by_the_clock_that_claims_compare_with(
    campaign: Campaign, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MEASURED", 2)
    taken(campaign, counter_of(application, 5), 20)
    monkeypatch.setattr(database_clock, "now", lambda: AT_THE_DATABASE)

    (later,) = asked(campaign, 1).waiting.values()

    assert later.until == AT_THE_DATABASE + budget_gate.LOOK_AGAIN


def test_a_claim_that_has_seen_all_holds(
    campaign: Campaign, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MEASURED", 5)
    taken(campaign, counter_of(application, 5), 5)

    assert "is used up" in asked(campaign, 1).hold


def test_a_claim_measures_no_more_than_it_needs(
    campaign: Campaign, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "AT_ONCE", 1)
    counter = counter_of(application, 5)
    refuse(taken(campaign, counter, 5))

    assert asked(campaign, 2) == Verdict()
    assert counter.shares.exclude(measured_at=None).count() == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="of sixty rows PostgreSQL reads all")
def test_open_shares_and_the_oldest_amounts_are_found_in_order_by_an_index(
    campaign: Campaign, application: Application
) -> None:
    counter = counter_of(application, 10_000, "USD")
    taken(campaign, counter, 60)
    BudgetShare.objects.exclude(pk__gt=BudgetShare.objects.order_by("pk")[29].pk).update(is_open=False)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    with CaptureQueriesContext(connection) as run:
        shares.follow_slowly(counter.pk)

    plans = [plan_of(one["sql"]) for one in run if "ORDER BY" in one["sql"] and "LIMIT" in one["sql"]]
    assert len(plans) == 3
    assert ["budget_share_measured" in plan for plan in plans] == [False, False, True]
    assert ["budget_share_followed" in plan for plan in plans] == [True, True, False]
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
