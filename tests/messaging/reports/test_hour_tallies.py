"""The front page's hours: folded once, whatever dies or runs twice, and right again after a late report."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.work import leases
from laaffic_console.kit import delivery_buckets
from laaffic_console.laaffic import DeliveryState, OutcomeUnknown
from messaging.models import (
    ActivityTally,
    Campaign,
    ContactGroup,
    DeliveryTimeTally,
    HourTally,
    Message,
    MessageState,
    OutcomeTally,
)
from messaging.services.batches import failed_requests, settling
from messaging.services.reports import delivery_times, reports
from messaging.services.tallies import hour_tallies
from tests.messaging.conftest import add_contacts
from tests.messaging.reports.test_reports import answered, claimed, report

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 3, 1, 12, 10, tzinfo=dt.UTC)
AFTER = hour_tallies.hour_of(NOON) + hour_tallies.HOUR


@pytest.fixture(autouse=True)
def _credentials(settings: Any) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


@pytest.fixture
def campaign(application: Application) -> Campaign:
    return Campaign.objects.create(name="Autumn", application=application, text="Hi")


def tally(campaign: Campaign, messages: int, **fields: Any) -> OutcomeTally:
    given = {"country": "IN", "state": MessageState.DELIVERED, "currency": "USD", "pay_micros": messages * 3000}
    return OutcomeTally.objects.create(campaign=campaign, messages=messages, **(given | fields))


def sums() -> list[tuple[Any, ...]]:
    return list(HourTally.objects.order_by("hour", "state").values_list("hour", "state", "messages", "pay_micros"))


class FoldTests:
    def test_an_hour_gets_what_moved_in_it(self, campaign: Campaign) -> None:
        kept = tally(campaign, 5)
        hour_tallies.fold(NOON)
        OutcomeTally.objects.filter(pk=kept.pk).update(messages=7, pay_micros=21_000)

        hour_tallies.fold(NOON + hour_tallies.HOUR)

        assert sums() == [(hour_tallies.hour_of(NOON), 70, 5, 15_000), (AFTER, 70, 2, 6_000)]

    def test_a_second_fold_changes_nothing(self, campaign: Campaign) -> None:
        tally(campaign, 5)
        hour_tallies.fold(NOON)

        assert hour_tallies.fold(NOON) == 0
        assert sums() == [(hour_tallies.hour_of(NOON), 70, 5, 15_000)]

    def test_two_at_once_do_not_both_fold(self, campaign: Campaign) -> None:
        tally(campaign, 5)
        with leases.lease("hours"):
            assert hour_tallies.fold(NOON) == 0
        assert sums() == []

    def test_one_that_dies_before_it_remembers_has_done_nothing(
        self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tally(campaign, 5)
        with monkeypatch.context() as patch:
            patch.setattr(hour_tallies, "F", lambda _name: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                hour_tallies.fold(NOON)
        assert sums() == []

        hour_tallies.fold(NOON)

        assert sums() == [(hour_tallies.hour_of(NOON), 70, 5, 15_000)]

    def test_more_than_fits_one_transaction(self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hour_tallies, "AT_ONCE", 2)
        for n in range(5):
            tally(campaign, 1, state=MessageState.UNDELIVERED, reason=f"reason {n}")

        assert hour_tallies.fold(NOON) == 5
        assert sum(row[2] for row in sums()) == 5

    def test_a_report_that_never_came_is_no_failure_without_a_reason(self, campaign: Campaign) -> None:
        tally(campaign, 3, state=MessageState.EXPIRED)
        tally(campaign, 2, state=MessageState.UNDELIVERED, reason="absent")
        start = hour_tallies.hour_of(NOON)

        assert hour_tallies.reasons(start) == [("absent", 2)]
        hour_tallies.fold(NOON)
        assert hour_tallies.reasons(start) == [("absent", 2)]

    def test_nothing_to_fold_asks_an_index(self, campaign: Campaign) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("a planner with statistics prefers to read a small table")
        with CaptureQueriesContext(connection) as asked:
            hour_tallies.fold(NOON)

        looked = next(query["sql"] for query in asked if "folded_messages" in query["sql"])
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {looked}")
            assert "outcome_unfolded" in str(cursor.fetchall())


class LateReportTests:
    def test_an_undelivered_message_that_is_delivered_after_all(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 1)
        _campaign, claim = claimed(application, group)
        settling.settle_answer(_campaign.pk, claim, answered(claim))
        reports.apply_now([report(claim, state=DeliveryState.FAILED)])
        hour_tallies.fold(NOON)

        reports.apply_now([report(claim, at=timezone.now())])
        hour_tallies.fold(NOON + hour_tallies.HOUR)

        assert [row[:3] for row in sums()] == [(hour_tallies.hour_of(NOON), 60, 1), (AFTER, 60, -1), (AFTER, 70, 1)]
        assert hour_tallies.reasons(hour_tallies.hour_of(NOON)) == []
        assert hour_tallies.countries(hour_tallies.hour_of(NOON)) == [
            {"country": "IN", "delivered": 1, "failed": 0, "rate": 100.0}
        ]
        failed = ActivityTally.objects.filter(state=MessageState.UNDELIVERED)
        assert sum(failed.values_list("messages", flat=True)) == 0


class UnknownTests:
    def test_it_is_what_it_was_at_the_end_of_an_hour(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 3)
        campaign, claim = claimed(application, group)
        failed_requests.settle_error(campaign.pk, claim, OutcomeUnknown("lost", interface="sendSms"))
        hour_tallies.fold(NOON)

        reports.apply_now([report(claim)])
        hour_tallies.fold(NOON + hour_tallies.HOUR)

        assert hour_tallies.unknown_now() == 2
        assert hour_tallies.unknown_until(AFTER) == 3
        assert hour_tallies.unknown_until(AFTER + hour_tallies.HOUR) == 2


class SaidTests:
    def test_spending_is_of_its_hours(self, campaign: Campaign) -> None:
        tally(campaign, 5)
        hour_tallies.fold(NOON)
        tally(campaign, 2, currency="EUR")
        hour_tallies.fold(NOON + hour_tallies.HOUR)

        assert hour_tallies.spent(hour_tallies.hour_of(NOON), AFTER) == {"USD": Decimal("0.015")}
        assert hour_tallies.spent(AFTER, AFTER + hour_tallies.HOUR) == {"EUR": Decimal("0.006")}

    def test_what_has_moved_since_the_last_fold_is_in_it(self, campaign: Campaign) -> None:
        """So that all figures of the front page are of one moment."""
        start = hour_tallies.hour_of(NOON)
        tally(campaign, 5)
        hour_tallies.fold(NOON)
        OutcomeTally.objects.update(messages=8, pay_micros=40_000)
        tally(campaign, 2, state=MessageState.UNDELIVERED, reason="absent")

        def said() -> tuple[object, ...]:
            return hour_tallies.spent(start), hour_tallies.reasons(start), hour_tallies.countries(start)

        before = said()
        hour_tallies.fold(NOON)

        assert before == said()
        assert before[1] == [("absent", 2)]

    def test_a_day_begins_where_the_console_is(self, campaign: Campaign) -> None:
        midnight = dt.datetime(2026, 3, 1, 18, 30, tzinfo=dt.UTC)
        with timezone.override("Asia/Kolkata"):
            tally(campaign, 5)
            hour_tallies.fold(midnight - dt.timedelta(minutes=1))
            tally(campaign, 2, currency="EUR")
            hour_tallies.fold(midnight + dt.timedelta(minutes=1))

            assert hour_tallies.spent(midnight, midnight + hour_tallies.HOUR) == {"EUR": Decimal("0.006")}


class DeliveryTimeTests:
    @pytest.mark.parametrize(
        ("seconds", "bucket"),
        [(-2, 0), (0, 0), (4.9, 4), (5, 5), (59, 11), (60, 12), (3599, 23), (3600, 24), (260_000, 36)],
    )
    def test_each_time_has_a_place(self, seconds: float, bucket: int) -> None:
        assert delivery_buckets.bucket_of(NOON, NOON + dt.timedelta(seconds=seconds)) == bucket

    def test_a_report_before_the_answer_has_no_time(self) -> None:
        assert delivery_buckets.bucket_of(None, NOON) is None

    def test_they_are_counted_once_as_reports_arrive(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 4)
        campaign, claim = claimed(application, group)
        settling.settle_answer(campaign.pk, claim, answered(claim))
        sent_at = timezone.now()
        told = [
            report(claim, position, at=sent_at + dt.timedelta(seconds=after))
            for position, after in enumerate([2, 20, 20, 4000])
        ]

        reports.apply_now(told[:3])
        reports.apply_now(told)

        times = delivery_times.of_campaign(campaign)
        assert times is not None
        assert [bucket.messages for bucket in times.buckets] == [1, 0, 2, 0, 0, 0, 0, 1]
        assert (times.messages, times.half, times.most) == (4, "within 30 s", "over an hour")
        assert Message.objects.filter(state=MessageState.DELIVERED).count() == 4
        assert delivery_times.since(hour_tallies.hour_of(sent_at)) == times
        assert DeliveryTimeTally.objects.count() == 3


@pytest.mark.parametrize(("place", "says"), [(0, "within 5 s"), (4, "within 5 min"), (7, "over an hour")])
def test_how_long_it_took_is_said_in_seconds_or_minutes(place: int, says: str) -> None:
    assert delivery_times._within(place) == says
