"""What was expected at the launch is kept, shown beside what came, and told where it differs."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.client import account
from laaffic_console.notices.models import Notice
from laaffic_console.notices.services import handing_out
from messaging.models import (
    Batch,
    Campaign,
    CampaignState,
    ContactGroup,
    ListPrice,
    Message,
    MessageState,
    OutcomeTally,
)
from messaging.services.campaigns import drafts, starting
from messaging.services.figures import campaign_report, drift, expected
from tests.messaging.conftest import add_contacts
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db

MICROS = 1_000_000


@pytest.fixture(autouse=True)
def _credentials(settings: Any) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


@pytest.fixture
def write(application: Application, group: ContactGroup) -> Callable[..., Campaign]:
    ListPrice.objects.create(channel="sms", country="IN", price="0.01", currency="USD")
    add_contacts(group, 3)

    def make(text: str = "Hi") -> Campaign:
        return drafts.create(name="Autumn", application=application, sender_id="", text=text, groups=[group])

    return make


@pytest.fixture
def launched(write: Callable[..., Campaign]) -> Campaign:
    return starting.launch(write().pk, by=User.objects.create_superuser("ada"))


def charge(campaign: Campaign, messages: int, segments: int, paid: float, currency: str = "USD") -> None:
    OutcomeTally.objects.update_or_create(
        campaign=campaign,
        country="IN",
        state=MessageState.DELIVERED,
        reason="",
        currency=currency,
        defaults={"messages": messages, "billed_segments": segments, "pay_micros": round(paid * MICROS)},
    )
    Campaign.objects.filter(pk=campaign.pk).update(total=messages)


def told(campaign: Campaign) -> list[str]:
    drift.look()
    return [event.text for event in campaign.events.order_by("pk") if event.text.startswith("IN:")]


class KeptTests:
    def test_from_the_page_by_country(self, admin_client: Client, write: Callable[..., Campaign]) -> None:
        draft = write()
        page = reverse("admin:messaging_campaign_review", args=[draft.pk])

        admin_client.post(page, hidden(admin_client, page))

        draft.refresh_from_db()
        [row] = expected.rows(draft)
        was = row.expected
        assert (was.country, was.recipients, was.segments, f"{was.price}", was.currency) == (
            "IN",
            3,
            3,
            "0.010000",
            "USD",
        )
        shown = admin_client.get(reverse("admin:messaging_campaign_change", args=[draft.pk])).content.decode()
        assert "0.01 USD" in shown
        assert "0.010000" not in shown
        assert float(was.cost or 0) == pytest.approx(0.03)

    def test_where_nothing_is_counted_what_one_message_costs(self, launched: Campaign) -> None:
        charge(launched, 2, 2, 0.02)

        [row] = expected.rows(launched)
        assert (row.expected.recipients, row.expected.each, f"{row.expected.price}") == (None, 1.0, "0.010000")
        assert (row.actual.ended, f"{row.actual.cost}") == (2, "0.02")

    def test_the_report_of_the_shell_has_it(self, launched: Campaign) -> None:
        charge(launched, 2, 2, 0.02)

        [country] = campaign_report.document(launched)["forecast"]
        assert country["country"] == "IN"
        assert country["actual"]["segments"] == 2

    def test_taken_back_and_launched_again_it_is_of_the_last_launch(self, write: Callable[..., Campaign]) -> None:
        campaign = starting.launch(write().pk, undo_seconds=60)
        starting.take_back(campaign.pk)
        ListPrice.objects.update(price="0.05")

        starting.launch(campaign.pk, undo_seconds=60)

        campaign.refresh_from_db()
        assert expected.of(campaign.forecast, "IN").price == ListPrice.objects.get().price


class DriftTests:
    @pytest.mark.parametrize(
        ("messages", "segments", "paid", "currency", "says"),
        [
            (100, 100, 1.0, "USD", []),
            (100, 110, 1.1, "USD", []),  # ten percent is not more than ten
            (100, 111, 1.11, "USD", ["IN: 1.11 segments a message are billed, 1.00 were expected"]),
            (99, 198, 1.98, "USD", []),  # too few to tell
            (100, 100, 1.2, "USD", ["IN: a segment costs 0.012 USD, 0.01 USD were expected"]),
            (100, 100, 0.5, "USD", ["IN: a segment costs 0.005 USD, 0.01 USD were expected"]),
            (100, 100, 1.0, "EUR", ["IN: a segment costs 0.01 EUR, 0.01 USD were expected"]),
        ],
    )
    def test_more_than_ten_percent_once_a_hundred_reports_have_come(
        self, launched: Campaign, messages: int, segments: int, paid: float, currency: str, says: list[str]
    ) -> None:
        charge(launched, messages, segments, paid, currency)

        assert told(launched) == says
        assert told(launched) == says  # once

    def test_where_no_segments_are_billed_it_speaks_of_messages(self, launched: Campaign) -> None:
        Campaign.objects.update(channel=Channel.MMS)
        charge(launched, 100, 0, 1.2)

        assert told(launched) == ["IN: a message costs 0.012 USD, 0.01 USD were expected"]

    def test_the_page_says_nothing_before_that(self, launched: Campaign) -> None:
        charge(launched, 99, 198, 1.98)
        assert [row.drifts for row in expected.rows(launched)] == [[]]

        charge(launched, 100, 200, 2.0)
        assert len(expected.rows(launched)[0].drifts) == 1

    def test_who_launched_it_is_told(self, launched: Campaign) -> None:
        charge(launched, 100, 200, 2.0)
        drift.look()
        handing_out.hand_out()

        assert [one.words for one in Notice.objects.filter(user__username="ada")] == [
            "“Autumn” costs more or less than expected in IN: 2.00 segments a message are billed, 1.00 were expected"
        ]

    def test_texts_that_differ_are_compared_with_their_own_counts(self, write: Callable[..., Campaign]) -> None:
        campaign = starting.launch(write("Hi {{name}}").pk)
        batch = Batch.objects.create(campaign=campaign, first_message_id=1, last_message_id=3, size=3)
        long_ones = [
            Message(
                campaign=campaign,
                batch=batch,
                number=f"91{n:010}",
                country="IN",
                state=MessageState.DELIVERED,
                segments=2,
                billed_segments=2,
            )
            for n in range(3)
        ]
        Message.objects.bulk_create(long_ones)
        charge(campaign, 100, 200, 2.0)
        assert told(campaign) == []

        Message.objects.update(segments=1)
        charge(campaign, 150, 300, 3.0)
        assert told(campaign) == []  # not looked at again so soon
        charge(campaign, 200, 400, 4.0)
        assert len(told(campaign)) == 1

    def test_where_reports_name_no_segments_by_our_own_count(self, write: Callable[..., Campaign]) -> None:
        campaign = starting.launch(write("Hello" + 50 * " and on").pk)

        charge(campaign, 100, 0, 3.0)
        assert told(campaign) == []

        charge(campaign, 100, 0, 6.0)
        assert [what for what in told(campaign) if "0.02 USD" in what]

    def test_not_of_what_was_over_long_ago(self, launched: Campaign) -> None:
        Campaign.objects.update(state=CampaignState.FINISHED, finished_at=timezone.now() - dt.timedelta(days=30))
        charge(launched, 100, 200, 2.0)

        assert told(launched) == []

    def test_zero_percent_is_never(self, launched: Campaign, settings: Any) -> None:
        settings.LAAFFIC_DRIFT_PERCENT = 0
        charge(launched, 100, 200, 2.0)

        assert told(launched) == []

    def test_as_many_questions_for_few_campaigns_as_for_many(self, write: Callable[..., Campaign]) -> None:
        charge(starting.launch(write().pk), 100, 100, 1.0)
        few = questions()
        for _n in range(4):
            charge(starting.launch(write().pk), 100, 100, 1.0)

        assert questions() == few == 4

    def test_piece_after_piece(self, write: Callable[..., Campaign], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drift, "AT_ONCE", 2)
        launched = [starting.launch(write().pk) for _n in range(5)]
        Campaign.objects.filter(pk=launched[0].pk).update(state=CampaignState.FINISHED, finished_at=timezone.now())
        for campaign in launched:
            charge(campaign, 100, 200, 2.0)

        with CaptureQueriesContext(connection) as asked:
            drift.look()

        assert all(len(told(campaign)) == 1 for campaign in launched)
        assert len([one for one in asked if "outcometally" in one["sql"]]) == 3

    def test_what_has_too_few_recipients_to_tell_is_not_read(self, launched: Campaign) -> None:
        assert launched.total < expected.ENOUGH

        assert questions() == 2

    def test_what_finished_long_ago_is_passed_by_an_index(self) -> None:
        with CaptureQueriesContext(connection) as asked:
            drift.look()

        plans = [plan_of(one["sql"]) for one in asked]
        assert [("campaign_state" in plan, "campaign_finished" in plan) for plan in plans] == [
            (True, False),
            (False, True),
        ]


def questions() -> int:
    with CaptureQueriesContext(connection) as asked:
        drift.look()
    return len(asked)


def plan_of(statement: str) -> str:
    if connection.vendor != "sqlite":
        pytest.skip("of few campaigns PostgreSQL reads all")
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        return str(cursor.fetchall())


class PageTests:
    pytestmark = pytest.mark.pages

    def test_the_campaigns_page_leads_to_the_messages_that_drifted(
        self, admin_client: Client, launched: Campaign
    ) -> None:
        batch = Batch.objects.create(campaign=launched, first_message_id=1, last_message_id=3, size=3)
        for number, segments, paid in (("911111111111", 1, 0.01), ("912222222222", 2, 0.02), ("913333333333", 1, 0.03)):
            Message.objects.create(
                campaign=launched,
                batch=batch,
                number=number,
                country="IN",
                state=MessageState.DELIVERED,
                billed_segments=segments,
                pay_micros=round(paid * MICROS),
                currency="USD",
            )
        charge(launched, 100, 200, 4.0)
        Message.objects.create(  # its report named no segments
            campaign=launched,
            batch=batch,
            number="914444444444",
            country="IN",
            state=MessageState.DELIVERED,
            segments=3,
            pay_micros=round(0.03 * MICROS),
            currency="USD",
        )
        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[launched.pk])).content.decode()
        address = f"/admin/messaging/message/?campaign__id__exact={launched.pk}&country__exact=IN&drifted="

        for what, number in (("segments", "912222222222"), ("price", "913333333333")):
            assert f"{address}{what}".replace("&", "&amp;") in page
            shown = list(admin_client.get(f"{address}{what}").context["cl"].queryset)
            assert [message.number for message in shown] == [number]


def test_switched_off_nobody_looks(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LAAFFIC_DRIFT_PERCENT = 0
    looked: list[int] = []
    monkeypatch.setattr(drift, "look", lambda: looked.append(1))

    drift.sweep()

    assert looked == []


def test_where_no_price_was_expected_none_has_drifted() -> None:
    actual = expected.Actual(ended=9, charged=9, segments=9, paid=900_000, currency="EUR")

    assert expected.drifts(expected.of(None, "IN"), actual) == []
    assert expected.priced_otherwise({"by_country": {"IN": {}}}) == Q(pk__in=[])
