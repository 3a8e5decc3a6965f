"""What the page of a running campaign tells: batches as squares, why it waits, what it costs, and how many queries."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from laaffic_console.gateway.models import AccountHold, Application
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.words import dates, said
from messaging import meanings
from messaging.models import ActivityTally, Batch, BatchState, Campaign, CampaignState, MessageState, OutcomeTally
from messaging.services.figures import batch_squares, insights
from messaging.services.tallies import counting

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(application: Application) -> Campaign:
    return Campaign.objects.create(
        name="Autumn",
        application=application,
        text="Hi",
        state=CampaignState.RUNNING,
        audience=Campaign.Audience.FROZEN,
        total=40,
        first_sent_at=timezone.now(),
    )


@pytest.fixture
def at_59(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now().replace(second=59, microsecond=999_999)
    monkeypatch.setattr(timezone, "now", lambda: now)


def batch(campaign: Campaign, **fields: Any) -> Batch:
    given: dict[str, Any] = {"size": 10, "first_message_id": 1, "last_message_id": 10}
    return Batch.objects.create(campaign=campaign, **(given | fields))


def moved(campaign: Campaign, by_minutes_ago: dict[int, int], since: int) -> None:
    """At the end of a minute; it began so many seconds ago."""
    now = timezone.now().replace(second=59, microsecond=999_999)
    for minutes, n in by_minutes_ago.items():
        minute = now.replace(second=0, microsecond=0) - dt.timedelta(minutes=minutes)
        ActivityTally.objects.create(campaign=campaign, minute=minute, state=MessageState.ACCEPTED, messages=n)
    campaign.first_sent_at = now - dt.timedelta(seconds=since)


class ExpectedTests:
    @pytest.mark.parametrize("was_forecast", [True, False])
    def test_without_a_forecast_that_is_said_once(
        self, admin_client: Client, campaign: Campaign, was_forecast: bool
    ) -> None:
        part = {"recipients": 40, "segments": 40, "cost": None, "price": None, "currency": ""}
        campaign.forecast = {"each": 1.0, "by_country": {"IN": part} if was_forecast else {}}
        campaign.save()
        charged = {"billed_segments": 40, "pay_micros": 400_000, "currency": "USD"}
        OutcomeTally.objects.create(
            campaign=campaign, country="IN", state=MessageState.DELIVERED, messages=40, **charged
        )

        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()
        expected = page.partition('id="expected"')[2].partition("</section>")[0]

        assert ("launched without a forecast" in expected) is not was_forecast
        assert ("Above what was expected" in expected) is was_forecast
        dashes = [line for line in expected.splitlines() if line.strip().startswith("–")]
        assert bool(dashes) is was_forecast, "of a cost that nobody could tell"

    def test_the_countries_behind_the_twelfth_are_counted(self, admin_client: Client, campaign: Campaign) -> None:
        part = {"recipients": 1, "segments": 1, "cost": None, "price": None, "currency": ""}
        countries = ["AE", "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "CO", "CZ", "DE", "DK"]
        campaign.forecast = {"each": 1.0, "by_country": dict.fromkeys(countries, part)}
        campaign.save()
        for country in countries[:13]:
            OutcomeTally.objects.create(campaign=campaign, country=country, state=MessageState.DELIVERED, messages=1)

        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

        assert "2 more countries are not shown." in page, "what was expected"
        assert "1 more country is not shown." in page, "what came of it"


class SquaresTests:
    def test_none_before_there_are_batches(self, campaign: Campaign) -> None:
        assert batch_squares.of(campaign) is None

    def test_each_standing_has_its_square(self, campaign: Campaign) -> None:
        batch(campaign, state=BatchState.SETTLED, delivered=9, undelivered=1)
        batch(campaign, state=BatchState.SETTLED, delivered=4, rejected=6)
        batch(campaign, state=BatchState.SETTLED, delivered=9, accepted=1)
        batch(campaign, state=BatchState.UNKNOWN, unknown=3, delivered=7)
        batch(campaign, state=BatchState.CLAIMED, queued=10)
        batch(campaign, state=BatchState.QUEUED, queued=10)

        found = batch_squares.of(campaign)

        assert found is not None
        standings = [square.standing for square in found.squares]
        assert standings == ["done", "failed", "answered", "unknown", "claimed", "queued"]
        assert found.squares[0].says == "Every message has ended · 10 recipients · 9 delivered · 1 failed"
        assert {word for word, _tone, _means in found.standings} == set(standings)
        assert set(standings) | {"cancelled", "restored"} == set(meanings.OF_BATCHES)

    def test_what_was_cancelled_before_it_left_has_not_ended_well(self, campaign: Campaign) -> None:
        batch(campaign, state=BatchState.SETTLED, delivered=9, undelivered=1)
        batch(campaign, state=BatchState.SETTLED, cancelled=10)

        found = batch_squares.of(campaign)

        assert found is not None
        assert [square.standing for square in found.squares] == ["done", "cancelled"]
        assert found.squares[1].says.startswith(str(meanings.OF_BATCHES["cancelled"]))

    def test_very_many_batches_share_squares_and_the_most_urgent_speaks(
        self, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batch_squares, "AT_MOST", 4)
        for number in range(10):
            batch(campaign, state=BatchState.SETTLED, delivered=0 if number == 7 else 10, unknown=10 * (number == 7))

        found = batch_squares.of(campaign)

        assert found is not None
        assert (found.batches, len(found.squares)) == (10, 4)
        assert [square.standing for square in found.squares] == ["done", "done", "unknown", "done"]
        assert found.squares[2].says == "3 batches · Its answer was lost · 30 recipients · 20 delivered"

    def test_batches_from_before_and_after_a_restore_each_have_a_square(self, campaign: Campaign) -> None:
        for pk in (*range(1, 5), *range(90_000_001, 90_000_005)):
            batch(campaign, pk=pk, state=BatchState.SETTLED, delivered=10)

        found = batch_squares.of(campaign)

        assert found is not None
        assert len(found.squares) == 8


class WaitingTests:
    def why(self, campaign: Campaign) -> str:
        counts = counting.state_counts(campaign)
        return insights.why_waiting(campaign, counts, insights.pace(campaign))

    def test_no_worker(self, campaign: Campaign) -> None:
        assert "No worker is alive" in self.why(campaign)

    def test_its_rate(self, campaign: Campaign, at_59: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workers, "alive", lambda: 1)
        batch(campaign, queued=10)
        assert self.why(campaign) == ""

        campaign.rate_per_second = 5
        assert self.why(campaign) == ""  # nothing has been measured

        moved(campaign, {0: 300}, since=60)
        assert self.why(campaign) == "Its rate of 5 a second sets the pace."

        campaign.rate_per_second = 50
        assert self.why(campaign).startswith("It is slower than its rate of 50 a second allows")

    def test_what_says_it_already_is_not_said_twice(self, campaign: Campaign) -> None:
        campaign.wait_reason = "The gateway cannot be reached."

        assert self.why(campaign) == ""

    def test_a_pause(self, campaign: Campaign) -> None:
        campaign.state = CampaignState.PAUSED

        assert self.why(campaign) == "It was paused. Resume sends the rest."


class SpendingTests:
    def test_the_rest_is_expected_at_what_was_charged(self, campaign: Campaign) -> None:
        batch(campaign, delivered=10)
        batch(campaign, accepted=5, rejected=5)
        OutcomeTally.objects.create(
            campaign=campaign, state=MessageState.DELIVERED, currency="USD", messages=10, pay_micros=40_000
        )
        OutcomeTally.objects.create(campaign=campaign, state=MessageState.REJECTED, messages=5)

        spent = insights.spending(campaign, counting.state_counts(campaign))

        assert [(row["currency"], str(row["paid"]), str(row["about"])) for row in spent] == [("USD", "0.04", "0.06")]

    def test_the_end_has_no_forecast(self, campaign: Campaign) -> None:
        batch(campaign, delivered=10)
        OutcomeTally.objects.create(
            campaign=campaign, state=MessageState.DELIVERED, currency="USD", messages=10, pay_micros=40_000
        )

        assert insights.spending(campaign, counting.state_counts(campaign))[0]["about"] is None


class PaceTests:
    @pytest.mark.parametrize(
        ("seconds", "says"),
        [(None, ""), (0.2, "1 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (7500, "2 h 5 min")],
    )
    def test_what_is_left_is_said_as_people_say_it(self, seconds: float | None, says: str) -> None:
        assert insights.Pace(1.0, None, seconds).left == says

    def test_a_minute_that_it_stood_still_is_not_counted(self, campaign: Campaign, at_59: None) -> None:
        moved(campaign, {0: 600, 2: 600}, since=600)

        pace = insights.pace(campaign)

        assert pace is not None
        assert round(pace.per_second) == 10

    def test_what_it_was_paused_of_its_first_minute_is_not_counted(self, campaign: Campaign, at_59: None) -> None:
        moved(campaign, {0: 300}, since=600)
        resumed = campaign.events.create(text=said.gettext("Resumed"))
        campaign.events.filter(pk=resumed.pk).update(at=timezone.now() - dt.timedelta(seconds=30))

        pace = insights.pace(campaign)

        assert pace is not None
        assert round(pace.per_second) == 10

    def test_what_it_was_paused_between_two_halves_of_a_minute_is_not_counted(
        self, campaign: Campaign, at_59: None
    ) -> None:
        moved(campaign, {0: 390, 1: 600}, since=600)
        for text, ago in (("Launched", 600), ("Paused", 40), ("Resumed", 20)):
            event = campaign.events.create(text=said.gettext(text))
            campaign.events.filter(pk=event.pk).update(at=timezone.now() - dt.timedelta(seconds=ago))

        pace = insights.pace(campaign)

        assert pace is not None
        assert round(pace.per_second) == 10

    def test_what_all_waits_for_a_moment_moves_at_no_pace(self, campaign: Campaign, at_59: None) -> None:
        moved(campaign, {0: 300}, since=600)
        batch(campaign, queued=10, not_before=timezone.now() + dt.timedelta(hours=1))

        pace = insights.pace(campaign)

        assert pace is not None
        assert pace.per_second == 0.0


class PageTests:
    def fill(self, campaign: Campaign, times: int) -> None:
        start = OutcomeTally.objects.count()
        for n in range(start, start + times):
            batch(campaign, state=BatchState.SETTLED, delivered=9, undelivered=1)
            OutcomeTally.objects.create(
                campaign=campaign, country="IN", state=MessageState.UNDELIVERED, reason=f"absent {n}", messages=1
            )
            minute = campaign.created_at.replace(second=0, microsecond=0) - dt.timedelta(minutes=n)
            ActivityTally.objects.create(campaign=campaign, minute=minute, state=MessageState.DELIVERED, messages=9)

    def test_a_longer_history_costs_no_more_queries(self, admin_client: Client, campaign: Campaign) -> None:
        address = reverse("admin:messaging_campaign_change", args=[campaign.pk])
        self.fill(campaign, 1)
        with CaptureQueriesContext(connection) as few:
            admin_client.get(address)
        self.fill(campaign, 30)

        with CaptureQueriesContext(connection) as many:
            answer = admin_client.get(address)

        assert answer.status_code == 200
        assert len(many) == len(few) <= 32  # of which PostgreSQL is asked for the time in three
        assert not [query["sql"] for query in many if 'FROM "messaging_message"' in query["sql"]]

    def test_only_why_people_were_left_out_is_listed(self, admin_client: Client, campaign: Campaign) -> None:
        Campaign.objects.update(dropped_suppressed=1234, dropped_consent=5, dropped_invalid=0)

        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

        assert "".join(page.split()).count("<dt>suppressed</dt><dd>1,234</dd>") == 1
        assert "<dt>no consent</dt>" in page
        assert "invalid or twice" not in page

    @pytest.mark.parametrize("word", ["queued", "unknown", "accepted", "delivered"])
    @pytest.mark.parametrize("state", ["cancelled", "finished"])
    def test_it_is_drawn_again_until_nothing_moves_any_more(
        self, admin_client: Client, campaign: Campaign, state: str, word: str
    ) -> None:
        Campaign.objects.update(state=state)
        batch(campaign, **{word: 10})

        said = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

        assert ('hx-trigger="every 2s' in said) is (word != "delivered")

    def test_every_state_has_its_meaning(self, admin_client: Client, campaign: Campaign) -> None:
        batch(campaign, **{state.key: 1 for state in counting.STORED_STATES})

        said = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

        for word, means in meanings.OF_MESSAGES.items():
            assert word == "claimed" or escape(str(means)) in said
        assert str(meanings.OF_CAMPAIGNS["running"]) in said
        assert set(meanings.OF_MESSAGES) == {state.key for state in MessageState}
        assert set(meanings.OF_CAMPAIGNS) == set(CampaignState.values)

    def test_it_is_never_complete_too_early(self, campaign: Campaign) -> None:
        batch(campaign, size=40, state=BatchState.SETTLED, delivered=40)

        assert counting.progress(campaign)["percent"] == 99


@pytest.mark.parametrize(("reason", "says"), [("-4 number is invalid", True), ("nobody knows", False)])
def test_a_code_comes_with_what_to_do(reason: str, says: bool) -> None:
    assert bool(insights.advice_for(reason)) is says


def test_what_is_scheduled_or_still_counted_says_so(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    at = timezone.now() + dt.timedelta(hours=1)
    scheduled = Campaign(application=application, state=CampaignState.SCHEDULED, scheduled_at=at)
    counted = Campaign(application=application, state=CampaignState.RUNNING, audience=Campaign.Audience.FREEZING)
    monkeypatch.setattr(insights.workers, "alive", lambda: [1])

    assert insights.why_waiting(scheduled, {"queued": 1}, None) == f"It starts by itself at {dates.planned(at)}."
    assert "still being counted" in insights.why_waiting(counted, {"queued": 1}, None)


def test_a_held_one_is_asked_for_seldom(admin_client: Client, campaign: Campaign) -> None:
    def page() -> str:
        return admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

    batch(campaign, size=1, state=BatchState.QUEUED)
    Campaign.objects.update(state=CampaignState.RUNNING)
    running = page()
    Campaign.objects.update(state=CampaignState.HELD, hold_reason="The budget is used up.")
    held = page()

    assert (running.count('"every 2s"'), held.count('"every 2s"')) == (1, 0)
    assert held.count('"every 10s"') == 1


@pytest.mark.parametrize(("total", "says"), [(1, "of 1 recipient before"), (2, "of 2 recipients before")])
def test_how_many_it_had_before_it_was_cancelled(
    admin_client: Client, campaign: Campaign, total: int, says: str
) -> None:
    Campaign.objects.update(state=CampaignState.CANCELLED, total=total)
    batch(campaign, size=total, state=BatchState.SETTLED, cancelled=total)

    page = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

    assert says in " ".join(page.split())


def test_what_the_account_holds_leads_to_its_holds(admin_client: Client, campaign: Campaign) -> None:
    hold = AccountHold.objects.create(scope="account", sentence="No funds.", placed_at=timezone.now(), probe_wait=15)
    own = reverse("admin:messaging_campaign_change", args=[campaign.pk])
    Campaign.objects.update(state=CampaignState.HELD, hold_reason="No funds.")
    before = admin_client.get(own).content.decode()
    Campaign.objects.update(account_hold=hold)

    page = admin_client.get(own).content.decode()

    link = f'id="account-holds" href="{reverse("admin:gateway_accounthold_changelist")}"'
    assert [link in one for one in (before, page)] == [False, True]
