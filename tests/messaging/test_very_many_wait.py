"""What waits for its moment costs nothing until then: what is due is found by an index (laws#history-costs-nothing)."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services import database_clock
from messaging.models import Batch, BatchState, Campaign, CampaignState
from messaging.services.batches import claiming, settling, waiting
from messaging.services.reports import record_matching, report_pulls
from messaging.services.sending import sending

pytestmark = pytest.mark.django_db
POSTGRESQL = connection.vendor == "postgresql"
MANY = 2000  # rows of which a planner thinks twice
HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def campaign(application: Application) -> Campaign:
    return Campaign.objects.create(
        name="Autumn",
        application=application,
        state=CampaignState.RUNNING,
        audience=Campaign.Audience.FROZEN,
    )


def batches(campaign: Campaign, n: int, **fields: Any) -> list[int]:
    """Their ids."""
    state = fields.pop("state", BatchState.QUEUED)
    made = Batch.objects.bulk_create(
        Batch(campaign=campaign, first_message_id=0, last_message_id=0, size=1, queued=1, state=state, **fields)
        for _ in range(n)
    )
    return [batch.pk for batch in made]


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_batch")


def plans(act: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What it returns, and how each of its questions about batches was answered."""
    with CaptureQueriesContext(connection) as captured:
        result = act()
    asked = [each["sql"] for each in captured if each["sql"].startswith("SELECT") and "messaging_batch" in each["sql"]]
    return result, [plan_of(sql) for sql in asked]


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN " if POSTGRESQL else "EXPLAIN QUERY PLAN ") + sql)
        return "\n".join(str(row[0] if POSTGRESQL else row[-1]) for row in cursor.fetchall())


def assert_by_index(answered: Sequence[str], index: str) -> None:
    """PostgreSQL may know a better one of the table's indexes by what is in it."""
    assert answered
    for plan in answered:
        assert ("batch_" if POSTGRESQL else index) in plan
        assert not [word for word in ("SCAN", "TEMP B-TREE") if word in plan]


class ClaimingTests:
    def next_of(self, campaign: Campaign, at_most: int, *, has_due: bool = True) -> list[int]:
        return [batch.pk for batch in claiming._next_queued(campaign, 1, at_most, has_due=has_due)]

    @pytest.mark.parametrize("is_analyzed", [True, False])
    def test_the_few_that_may_leave_are_found_among_all_that_wait(self, campaign: Campaign, is_analyzed: bool) -> None:
        now = database_clock.now()
        batches(campaign, MANY, not_before=now + HOUR)
        free = batches(campaign, 3)
        due = batches(campaign, 6, not_before=now - MINUTE)
        if is_analyzed or POSTGRESQL:  # which analyzes its tables by itself
            analyze()

        found, answered = plans(lambda: self.next_of(campaign, 8))

        assert found == [*due, *free[:2]]
        assert_by_index(answered, "batch_next")

    def test_whether_any_is_due_is_known_without_looking_at_what_waits(self, campaign: Campaign) -> None:
        now = database_clock.now()
        batches(campaign, MANY, not_before=now + HOUR)
        analyze()

        before, answered = plans(lambda: claiming._as_it_is(campaign)[4])
        batches(campaign, 1, not_before=now - MINUTE)

        assert (bool(before), bool(claiming._as_it_is(campaign)[4])) == (False, True)
        assert_by_index(answered, "batch_next")

    def test_no_more_are_locked_than_are_needed(self, campaign: Campaign) -> None:
        due = batches(campaign, 20, not_before=database_clock.now() - MINUTE)
        free = batches(campaign, 20)

        assert self.next_of(campaign, 2) == due[:2]
        assert self.next_of(campaign, 22) == [*due, *free[:2]]
        assert self.next_of(campaign, 2, has_due=False) == free[:2]


class AsleepTests:
    def test_a_campaign_of_which_all_waits_is_known_by_index(self, campaign: Campaign) -> None:
        now = database_clock.now()
        batches(campaign, MANY, not_before=now + HOUR)
        analyze()

        found, answered = plans(lambda: list(waiting.asleep(Campaign.objects.filter(pk=campaign.pk))))

        assert found == [campaign]
        assert_by_index(answered, "batch_next")
        assert_by_index(answered, "batch_claimed")

    @pytest.mark.parametrize(
        ("ahead", "state"),
        [(None, BatchState.QUEUED), (dt.timedelta(0), BatchState.QUEUED), (HOUR, BatchState.CLAIMED)],
    )
    def test_one_that_may_leave_or_has_left_keeps_it_awake(
        self, campaign: Campaign, ahead: dt.timedelta | None, state: BatchState
    ) -> None:
        now = database_clock.now()
        batches(campaign, 3, not_before=now + HOUR)
        batches(campaign, 1, not_before=None if ahead is None else now + ahead, state=state)

        assert not waiting.asleep(Campaign.objects.all()).exists()


class FewInHandTests:
    """Also for SQLite, which takes an index of several states for no single one."""

    @pytest.fixture(params=[True, False])
    def few(self, campaign: Campaign, request: pytest.FixtureRequest) -> dict[str, list[int]]:
        batches(campaign, MANY, state=BatchState.SETTLED)
        batches(campaign, MANY, not_before=database_clock.now() + HOUR)
        states = (BatchState.CLAIMED, BatchState.UNKNOWN)
        made = {state.value: batches(campaign, 2, state=state) for state in states}
        if request.param or POSTGRESQL:
            analyze()
        return made

    def test_of_what_is_claimed(self, campaign: Campaign, few: dict[str, list[int]]) -> None:
        found, answered = plans(lambda: settling._claimed_by_others.rows(campaign=campaign.pk, token="t"))

        assert [row[0] for row in found] == few["claimed"]
        assert_by_index(answered, "batch_claimed")

    @pytest.mark.usefixtures("few")
    def test_of_campaigns_with_anything_claimed(self) -> None:
        _none, answered = plans(lambda: sending.sweep())

        assert [plan for plan in answered if "batch_claimed" in plan] or POSTGRESQL
        assert not [plan for plan in answered if "SCAN messaging_batch\n" in f"{plan}\n"]

    def test_of_what_is_unknown(self, application: Application, few: dict[str, list[int]]) -> None:
        found, answered = plans(lambda: list(record_matching.unknown_batches(application)))

        assert [batch.pk for batch in found] == few["unknown"]
        assert ("batch_" if POSTGRESQL else "batch_unknown") in answered[0]


class PullingTests:
    def wait(self, campaign: Campaign, n: int, checks: int, **ahead: float) -> list[int]:
        at = database_clock.now() + dt.timedelta(**ahead)
        return batches(campaign, n, state=BatchState.SETTLED, checks=checks, next_check_at=at)

    def fill(self, campaign: Campaign) -> None:
        for checks, seconds in enumerate(report_pulls.CHECK_AFTER):
            self.wait(campaign, MANY // 10, checks, seconds=seconds - 5)
        self.wait(campaign, MANY // 10, 50, hours=5)

    @pytest.mark.parametrize("is_analyzed", [True, False])
    def test_that_none_is_due_is_known_by_index(self, campaign: Campaign, is_analyzed: bool) -> None:
        self.fill(campaign)
        if is_analyzed or POSTGRESQL:  # which analyzes its tables by itself
            analyze()

        found, answered = plans(lambda: (report_pulls.anything_due(), report_pulls._next_due()))

        assert found == (False, None)
        assert len(answered) == 2 * (len(report_pulls.CHECK_AFTER) + 1)
        assert_by_index(answered, "batch_")

    @pytest.mark.parametrize(
        ("checks", "ahead", "is_misdated"),
        [
            (0, {"minutes": 11}, True),
            (0, {"minutes": 9}, False),
            (5, {"minutes": 31}, True),
            (5, {"minutes": 29}, False),
            (8, {"hours": 4.1}, True),
            (8, {"hours": 3.9}, False),
            (9, {"hours": 6.1}, True),
            (1000, {"hours": 6.1}, True),
            (1000, {"hours": 5.9}, False),
        ],
    )
    def test_what_waits_for_longer_than_it_was_told_to_is_due(
        self, campaign: Campaign, checks: int, ahead: dict[str, float], is_misdated: bool
    ) -> None:
        (one,) = self.wait(campaign, 1, checks, **ahead)

        found = report_pulls.next_due(Batch.objects.all(), 5)

        assert [batch.pk for batch in found] == ([one] if is_misdated else [])
        assert report_pulls.anything_due() == is_misdated

    def test_of_one_application_the_due_ones_are_found_first(self, campaign: Campaign) -> None:
        self.fill(campaign)
        (misdated,) = self.wait(campaign, 1, 2, hours=1)
        later, earlier = self.wait(campaign, 1, 9, minutes=-1) + self.wait(campaign, 1, 0, minutes=-2)
        analyze()
        of_application = Batch.objects.filter(campaign__application=campaign.application)

        found, answered = plans(lambda: report_pulls.next_due(of_application, 10))

        assert [batch.pk for batch in found] == [earlier, later, misdated]
        assert_by_index(answered, "batch_")
