"""Before a launch: whom it reaches, what stands against it, and the moment in which it can be taken back."""

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laaffic_console.gateway.models import AccountHold, Application, BalanceReading
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import leases, moments
from laaffic_console.identity.models import Profile
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import (
    AudienceCount,
    Batch,
    BatchState,
    Campaign,
    CampaignState,
    Contact,
    ContactGroup,
    ListPrice,
    Message,
    MessageState,
    SuppressionEntry,
)
from messaging.services.audience import audience, audience_counting, audience_counts, recipient_clocks, repeats
from messaging.services.campaigns import campaigns, drafts, launch_checks, starting
from messaging.services.contacts import pastes
from messaging.services.forecast import forecast
from messaging.services.sending import forgotten
from messaging.services.tallies import tally_writes
from tests.messaging.conftest import add_contacts
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _credentials(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 60.0)  # however busy the machine is
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


@pytest.fixture
def write(application: Application, group: ContactGroup) -> Callable[..., Campaign]:
    def make(**given: Any) -> Campaign:
        return drafts.create(
            **{"name": "Autumn", "application": application, "sender_id": "", "text": "Hi", "groups": [group], **given}
        )

    return make


def review(campaign: Campaign) -> str:
    return reverse("admin:messaging_campaign_review", args=[campaign.pk])


def page_of(campaign: Campaign) -> str:
    return reverse("admin:messaging_campaign_change", args=[campaign.pk])


def test_it_knows_the_clock_and_the_number_of_who_reads_it(
    write: Callable[..., Campaign], group: ContactGroup, admin_client: Client, admin_user: User
) -> None:
    add_contacts(group, 1)
    Profile.objects.create(user=admin_user, time_zone="Asia/Tokyo", number="+4915112345678")
    draft = write(scheduled_at=dt.datetime(2040, 1, 2, 3, 4, tzinfo=dt.UTC))

    page = admin_client.get(review(draft)).content.decode()

    assert 'data-my-clock="Asia/Tokyo"' in page
    assert "12:04 (Asia/Tokyo)" in page
    assert 'value="+4915112345678"' in page


@pytest.mark.parametrize(
    ("rights", "is_said"), [(["view_campaign", "change_campaign"], True), (["view_campaign"], False)]
)
def test_only_who_may_write_is_told_that_it_is_not_theirs_to_launch(
    write: Callable[..., Campaign], client: Client, rights: list[str], is_said: bool
) -> None:
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(user)

    page = client.get(review(write())).content.decode()

    assert ("You may write campaigns, but not launch them." in page) is is_said


def keys(campaign: Campaign) -> dict[str, str]:
    return {check.key: check.level.value for check in launch_checks.of(campaign, forecast.of(campaign))}


def sentence(key: str, campaign: Campaign) -> str:
    return next(check.sentence for check in launch_checks.of(campaign, forecast.of(campaign)) if check.key == key)


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "; ".join(row[-1] for row in cursor.fetchall())


def freeze(campaign: Campaign) -> None:
    while audience.freeze_chunk(campaign.pk):
        pass


class CountTests:
    def test_it_says_what_a_launch_then_does(self, write: Callable[..., Campaign], group: ContactGroup) -> None:
        others = ContactGroup.objects.create(name="not these")
        add_contacts(group, 6, time_zones="Asia/Kolkata")
        add_contacts(others, 2, first=919876500010)
        for contact in Contact.objects.filter(number__in=["919876500010", "919876500000"]):
            contact.groups.add(group, others)
        SuppressionEntry.objects.create(number="919876500001", channel="sms")
        SuppressionEntry.objects.create(number="919876500002", channel="email")
        draft = write(excluded_groups=[others], numbers=["+44 7400 123456", "abc"])

        count = audience_counts.of(draft)
        starting.launch(draft.pk)
        freeze(draft)

        draft.refresh_from_db()
        assert (count.recipients, count.suppressed, count.excluded, count.invalid) == (5, 1, 2, 1)
        assert (draft.total, draft.dropped_suppressed, draft.dropped_excluded, draft.dropped_invalid) == (5, 1, 2, 1)
        assert forecast.by_country(count) == {"IN": 4, "GB": 1}

    def test_a_big_one_is_counted_by_and_by(
        self, write: Callable[..., Campaign], group: ContactGroup, monkeypatch: pytest.MonkeyPatch, run_jobs: Any
    ) -> None:
        monkeypatch.setattr(audience_counting, "STRETCH", 3)
        monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0.0)
        add_contacts(group, 10)
        draft = write()

        begun = audience_counts.of(draft)
        audience_counts.count_open()

        assert (begun.is_done, begun.recipients) == (False, 0)
        assert (audience_counts.of(draft).is_done, audience_counts.of(draft).recipients) == (True, 10)

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(stops=st.lists(st.integers(1, 4), max_size=4))
    def test_wherever_it_was_cut_off_nobody_is_counted_twice(
        self, write: Callable[..., Campaign], group: ContactGroup, monkeypatch: pytest.MonkeyPatch, stops: list[int]
    ) -> None:
        Contact.objects.all().delete()
        add_contacts(group, 10)
        draft = write()
        monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0.0)
        audience_counts.of(draft)
        monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 60.0)
        for contacts in stops:
            monkeypatch.setattr(audience_counting, "STRETCH", contacts)
            row = AudienceCount.objects.get(campaign=draft)
            counting = audience_counting.Counting(draft, row)
            if stretch := audience_counts.audience_sql.next_stretch(counting.groups, row.cursor, row.end, contacts):
                counting._count_stretch(*stretch)
                row.cursor, row.reached = stretch[1], [[*where, n] for where, n in counting.reached.items()]
                row.save()

        assert audience_counts.of(draft).recipients == 10

    def test_two_at_once_do_not_both_count(self, write: Callable[..., Campaign], group: ContactGroup) -> None:
        add_contacts(group, 3)
        draft = write()

        with leases.lease(f"count:{draft.pk}"):
            assert not audience_counts.of(draft).is_done

    @pytest.mark.parametrize("change", ["text", "group", "age"])
    def test_it_is_begun_anew_when_it_is_about_something_else(
        self, write: Callable[..., Campaign], group: ContactGroup, change: str
    ) -> None:
        add_contacts(group, 3)
        draft = write()
        audience_counts.of(draft)
        if change == "text":
            Campaign.objects.filter(pk=draft.pk).update(text="Other {{name}}")
        elif change == "group":
            draft.groups.add(ContactGroup.objects.create(name="more"))
        else:
            AudienceCount.objects.update(counted_at=timezone.now() - dt.timedelta(hours=1))

        assert not audience_counts.is_current(Campaign.objects.get(pk=draft.pk))


class SegmentTests:
    def test_they_are_those_of_everybody_it_reaches(
        self, write: Callable[..., Campaign], group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add_contacts(group, 7, name="Ann")
        Contact.objects.filter(pk=Contact.objects.latest("pk").pk).update(name="n" * 100)
        monkeypatch.setattr(forecast, "SAMPLE", 2)

        planned = forecast.of(write(text="{{name}}{{name}}"))

        assert (planned.segments_least, planned.segments_typical, planned.segments_most) == (1, 1, 2)
        assert planned.segments_total == 8
        assert planned.longer == 1

    def test_a_text_without_fields_is_not_counted_again_when_it_changes(
        self, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        add_contacts(group, 3)
        draft = write(text="Hello")
        audience_counts.of(draft)
        Campaign.objects.filter(pk=draft.pk).update(text="Other")

        assert audience_counts.is_current(Campaign.objects.get(pk=draft.pk))


class CheckTests:
    def test_the_same_text_to_the_same_people_wants_a_reason(
        self, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        add_contacts(group, 3)
        first, second = write(), write()
        starting.launch(first.pk)
        freeze(first)
        Message.objects.filter(number="919876500000").update(state=MessageState.REJECTED)

        assert audience_counts.of(second).repeated == 2
        assert keys(second) == {"same_text": "reason", "workers": "note"}
        with pytest.raises(launch_checks.NotSeen, match="2 of these recipients got the same text"):
            launch_checks.require(second, ticked=set(), reasons={"same_text": "  "})
        assert launch_checks.require(second, ticked=set(), reasons={"same_text": "corrected list"}) == {
            "same_text": "corrected list"
        }

    def test_also_while_the_first_is_not_frozen_yet(self, write: Callable[..., Campaign], group: ContactGroup) -> None:
        add_contacts(group, 3)
        starting.launch(write().pk, undo_seconds=60)

        assert "same_text" in keys(write())

    def test_one_that_the_account_holds_before_its_time_wants_a_reason(
        self, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        add_contacts(group, 3)
        earlier = write(scheduled_at=timezone.now() + dt.timedelta(hours=1))
        starting.launch(earlier.pk)
        AccountHold.objects.create(scope="account", placed_at=timezone.now(), probe_wait=15)
        campaigns.follow_account()
        assert Campaign.objects.get(pk=earlier.pk).state == "held"

        assert "same_text" in keys(write())

    @pytest.mark.parametrize(
        "first",
        [
            {"text": "Other"},
            {"kind": Campaign.Kind.TEST},
            {"state": CampaignState.FINISHED, "finished_at": timezone.now() - dt.timedelta(days=2)},
        ],
    )
    def test_another_text_a_test_or_an_old_one_does_not(
        self, write: Callable[..., Campaign], group: ContactGroup, first: dict[str, Any]
    ) -> None:
        add_contacts(group, 3)
        earlier = write()
        starting.launch(earlier.pk)
        freeze(earlier)
        Campaign.objects.filter(pk=earlier.pk).update(**first)

        assert "same_text" not in keys(write())

    @pytest.mark.parametrize("state", ["scheduled", "running", "paused", "held"])
    @pytest.mark.parametrize("is_frozen", [True, False])
    def test_one_that_was_launched_days_ago_and_still_waits_does(
        self, write: Callable[..., Campaign], group: ContactGroup, state: str, is_frozen: bool
    ) -> None:
        add_contacts(group, 3)
        earlier = write()
        starting.launch(earlier.pk)
        if is_frozen:
            freeze(earlier)
        Campaign.objects.filter(pk=earlier.pk).update(state=state, launched_at=timezone.now() - dt.timedelta(days=2))

        assert "same_text" in keys(write())

    @pytest.mark.parametrize("hours", [1, 25])
    @pytest.mark.parametrize("state", ["running", "finished", "cancelled"])
    def test_of_what_has_left_the_last_day_counts(
        self, write: Callable[..., Campaign], group: ContactGroup, hours: int, state: str
    ) -> None:
        """Whenever it was launched; also while others of it, to other people, still leave."""
        add_contacts(group, 3)
        earlier = write()
        starting.launch(earlier.pk)
        freeze(earlier)
        left, long_ago = timezone.now() - dt.timedelta(hours=hours), timezone.now() - dt.timedelta(days=9)
        Message.objects.update(state=MessageState.ACCEPTED, settled_at=left)
        Batch.objects.update(state=BatchState.SETTLED, queued=0, accepted=3, claimed_at=left)
        tally_writes.count_activity(earlier.pk, {MessageState.ACCEPTED: 3}, left)
        over = {"finished_at": left} if state == "finished" else {}
        Campaign.objects.filter(pk=earlier.pk).update(state=state, launched_at=long_ago, **over)
        draft = write()

        assert audience_counts.of(draft).repeated == (3 if hours == 1 else 0)
        assert ("same_text" in keys(draft)) == (hours == 1)

    @pytest.mark.parametrize("hours", [1, 25])
    def test_what_has_no_known_outcome_counts_from_its_claim(
        self, write: Callable[..., Campaign], group: ContactGroup, hours: int
    ) -> None:
        add_contacts(group, 3)
        earlier = write(numbers=["5491123456789"])
        starting.launch(earlier.pk)
        freeze(earlier)
        Message.objects.update(state=MessageState.UNKNOWN, settled_at=None)
        Batch.objects.update(state=BatchState.UNKNOWN, claimed_at=timezone.now() - dt.timedelta(hours=hours))

        assert audience_counts.of(write(numbers=["541123456789"])).repeated == (4 if hours == 1 else 0)

    @pytest.mark.parametrize("shared", ["group", "number", "paste"])
    def test_one_that_is_not_frozen_is_found_by_whatever_both_have(
        self, write: Callable[..., Campaign], group: ContactGroup, shared: str
    ) -> None:
        add_contacts(group, 3)
        paste = pastes.from_lines(["919876511111"])
        of_both: dict[str, dict[str, Any]] = {
            "group": {"groups": [group]},
            "number": {"groups": [], "numbers": ["919876511111"]},
            "paste": {"groups": [], "paste": paste},
        }
        earlier = write(scheduled_at=timezone.now() + dt.timedelta(hours=1), **of_both[shared])
        starting.launch(earlier.pk)

        draft, other = write(**of_both[shared]), write(groups=[], numbers=["919876522222"])

        assert repeats.still_open(draft) == [earlier]
        assert repeats.still_open(other) == []

    def test_what_finished_before_is_passed_by_an_index(self, write: Callable[..., Campaign]) -> None:
        if connection.vendor != "sqlite":
            pytest.skip("of few campaigns PostgreSQL reads all")
        draft = write()
        with CaptureQueriesContext(connection) as asked:
            repeats.campaigns_like(draft)
            repeats.about_to_leave(draft)

        plans = [step for one in asked for step in plan(one["sql"]).split("; ") if "messaging_campaign " in step]
        assert plans
        assert all("campaign_finished (channel=? AND state=?" in step for step in plans), plans
        assert sum("finished_at>?" in step for step in plans) == 1

    def test_nobody_left_stops_it(self, write: Callable[..., Campaign], group: ContactGroup) -> None:
        add_contacts(group, 1)
        SuppressionEntry.objects.create(number="919876500000", channel="all")

        assert keys(write())["nobody"] == "stop"

    def test_night_at_the_recipients_wants_a_tick(self, write: Callable[..., Campaign], group: ContactGroup) -> None:
        add_contacts(group, 2, time_zones="Asia/Kolkata")
        at_two = timezone.now().replace(hour=20, minute=30) + dt.timedelta(days=2)

        assert keys(write(scheduled_at=at_two))["night"] == "tick"
        assert "night" not in keys(write(scheduled_at=at_two.replace(hour=6)))

    def test_too_little_money_wants_a_tick(self, write: Callable[..., Campaign], group: ContactGroup) -> None:
        add_contacts(group, 1000)
        ListPrice.objects.create(country="IN", price=Decimal("0.004"), currency="USD")
        reading = BalanceReading.objects.create(at=timezone.now(), balance=Decimal(3))
        draft = write()

        assert keys(draft)["balance"] == "tick"
        assert "If the balance of 3.00, which names no currency, is in USD" in sentence("balance", draft)
        BalanceReading.objects.filter(pk=reading.pk).update(gift=Decimal(2))
        assert "balance" not in keys(draft)


class ClockTests:
    def test_each_country_has_its_own_and_the_span_of_its_zones(self) -> None:
        count = AudienceCount(
            reached=[["IN", "Asia/Kolkata", 5], ["US", "America/New_York,America/Los_Angeles", 9], ["XX", "", 1]]
        )

        shown = recipient_clocks.at(dt.datetime(2026, 1, 5, 12, 0, tzinfo=dt.UTC), count)

        assert [(clock.country, clock.first, clock.last, clock.is_night) for clock in shown] == [
            ("US", "Mon 04:00", "07:00", True),
            ("IN", "Mon 17:30", "17:30", False),
        ]

    def test_another_day_is_named(self) -> None:
        count = AudienceCount(reached=[["ES", "Europe/Madrid,Atlantic/Canary", 1]])

        clock = recipient_clocks.at(dt.datetime(2026, 1, 5, 23, 30, tzinfo=dt.UTC), count)[0]

        assert (clock.first, clock.last) == ("Mon 23:30", "Tue 00:30")
        assert recipient_clocks.at_night([clock]) == "It starts at night for some recipients: Spain (ES) 23:30."

    def test_a_country_with_few_recipients_is_asked_about_beside_many_others(self) -> None:
        by_day = ["AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FR", "HU", "IT", "NL", "NO", "PL", "SE"]
        many = [[country, "Europe/Berlin", 100] for country in by_day]
        count = AudienceCount(reached=[*many, ["JP", "Asia/Tokyo", 1]])

        afternoon = recipient_clocks.at(dt.datetime(2026, 1, 5, 13, 0, tzinfo=dt.UTC), count)
        night = recipient_clocks.at(dt.datetime(2026, 1, 5, 23, 0, tzinfo=dt.UTC), count)

        assert recipient_clocks.at_night(afternoon) == "It starts at night for some recipients: Japan (JP) 22:00."
        assert recipient_clocks.at_night(night).endswith("Netherlands (NL) 00:00, Norway (NO) 00:00, ….")


class PageTests:
    def test_ticks_and_reasons_are_asked_and_kept(
        self, admin_client: Client, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        add_contacts(group, 3)
        starting.launch(write(name="First").pk)
        draft = write(text="Hi", numbers=["nonsense"])

        refused = admin_client.post(
            review(draft), {"reason:same_text": "new offer", **hidden(admin_client, review(draft))}
        )
        draft.refresh_from_db()
        assert draft.state == CampaignState.DRAFT
        assert "Not launched." in refused.content.decode()
        assert 'value="new offer"' in refused.content.decode()  # nothing typed is lost

        said = {"reason:same_text": "new offer", "seen": ["invalid"], **hidden(admin_client, review(draft))}
        admin_client.post(review(draft), said)
        draft.refresh_from_db()
        assert draft.state == CampaignState.RUNNING
        assert "Launched all the same: new offer" in list(draft.events.values_list("text", flat=True))

    def test_what_another_tab_has_launched_and_ended_is_shown_as_it_is(
        self,
        admin_client: Client,
        write: Callable[..., Campaign],
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 3)
        draft = write()
        form = hidden(admin_client, review(draft))
        launch = starting.launch

        def after_the_other(campaign_id: int, **given: Any) -> Campaign:
            campaigns.cancel(launch(campaign_id, **given).pk)
            return launch(campaign_id, **given)

        monkeypatch.setattr(starting, "launch", after_the_other)
        shown = admin_client.post(review(draft), form, follow=True)

        assert shown.redirect_chain == [(page_of(draft), 302)]
        assert "it cannot be launched." in shown.content.decode()

    def test_while_it_is_counted_it_cannot_be_launched(
        self,
        admin_client: Client,
        write: Callable[..., Campaign],
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0.0)
        add_contacts(group, 3)
        draft = write()

        answers = [admin_client.get(review(draft)), admin_client.post(review(draft))]

        draft.refresh_from_db()
        assert [b'id="counting"' in answer.content for answer in answers] == [True, True]
        assert draft.state == CampaignState.DRAFT

    def test_it_shows_cost_balance_and_clocks(
        self, admin_client: Client, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        add_contacts(group, 200, time_zones="Asia/Kolkata")
        ListPrice.objects.create(country="IN", price=Decimal("0.0031"), currency="USD")
        BalanceReading.objects.create(at=timezone.now(), balance=Decimal("12.5"))

        said = admin_client.get(review(write())).content.decode()

        assert "0.62 <small>USD</small>" in said
        assert "leaves 11.88 of 12.50, the balance of now" in " ".join(said.split())
        assert "if the balance, which names no currency, is in USD" in said
        assert "Recipients in India (IN)" in said

    def test_a_balance_that_names_its_currency_is_not_doubted(
        self, admin_client: Client, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        add_contacts(group, 200)
        ListPrice.objects.create(country="IN", price=Decimal("0.0031"), currency="USD")
        BalanceReading.objects.create(at=timezone.now(), balance=Decimal("0.5"), currency="USD")

        said = admin_client.get(review(write())).content.decode()

        assert "leaves -0.12 of 0.50" in said
        assert "The balance of 0.50 does not cover the expected 0.62" in said
        assert "names no currency" not in said

    def test_the_queries_do_not_grow_with_countries_or_campaigns(
        self, admin_client: Client, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        def queries(draft: Campaign) -> int:
            admin_client.get(review(draft))
            with CaptureQueriesContext(connection) as counted:
                admin_client.get(review(draft))
            return len(counted)

        add_contacts(group, 2)
        few = queries(write(text="one"))
        for n, country in enumerate(["DE", "FR", "GB", "US", "CN"]):
            Contact.objects.create(number=f"49150000000{n}", country=country).groups.add(group)
            starting.launch(write(text=f"old {n}").pk)

        assert queries(write(text="two")) <= few + 2
        assert few < 88  # on PostgreSQL; a few less on SQLite


def test_a_test_that_may_not_leave_leaves_no_draft(
    write: Callable[..., Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_given: Any, **_named: Any) -> None:
        raise NotNow("Its recipients are still being counted.")

    draft = write(text="Hi")
    monkeypatch.setattr(starting, "launch", refused)

    with pytest.raises(NotNow):
        starting.launch_test(draft, "919876500001", by=None)

    assert Campaign.objects.count() == 1


class UndoTests:
    @pytest.fixture
    def launched(self, write: Callable[..., Campaign], group: ContactGroup) -> Campaign:
        add_contacts(group, 3)
        return starting.launch(write().pk, undo_seconds=60)

    def test_nothing_is_frozen_in_it(self, launched: Campaign) -> None:
        starting.start_scheduled(launched.pk)
        forgotten.sweep()

        launched.refresh_from_db()
        assert (launched.state, launched.audience) == (CampaignState.SCHEDULED, Campaign.Audience.OPEN)
        assert not Message.objects.exists()

    @pytest.mark.parametrize("hours", [-8, 8])
    def test_the_databases_clock_says_when_it_starts(
        self, write: Callable[..., Campaign], group: ContactGroup, monkeypatch: pytest.MonkeyPatch, hours: int
    ) -> None:
        """A worker's own clock may be wrong."""
        off = dt.timedelta(hours=hours)
        monkeypatch.setattr(database_clock, "now", lambda: timezone.now() + off)
        add_contacts(group, 3)
        launched = starting.launch(write().pk, undo_seconds=60)
        later = starting.launch(write(scheduled_at=database_clock.now() + dt.timedelta(hours=1)).pk)
        for campaign in (launched, later):
            starting.start_scheduled(campaign.pk)
            forgotten.sweep()
            campaign.refresh_from_db()
            assert campaign.state == CampaignState.SCHEDULED
        assert launched.undo_until
        assert dt.timedelta() < launched.undo_until - database_clock.now() <= dt.timedelta(seconds=60)

        Campaign.objects.update(undo_until=database_clock.now())
        forgotten.sweep()

        assert set(Campaign.objects.values_list("state", flat=True)) == {CampaignState.RUNNING}

    def test_taken_back_it_is_a_draft_that_can_be_edited(self, admin_client: Client, launched: Campaign) -> None:
        page = admin_client.get(page_of(launched)).content
        assert b'id="undo"' in page
        assert re.search(rb'data-seconds-left="(5\d|60)"', page)
        answer = admin_client.post(reverse("admin:messaging_campaign_do", args=[launched.pk, "take-back"]))
        assert answer["Location"] == reverse("admin:messaging_campaign_review", args=[launched.pk])
        assert b"Taken back: nothing has left." in admin_client.get(answer["Location"]).content
        Campaign.objects.filter(pk=launched.pk).update(undo_until=None)
        forgotten.sweep(timezone.now() + dt.timedelta(hours=1))

        launched.refresh_from_db()
        assert (launched.state, launched.undo_until) == (CampaignState.DRAFT, None)
        assert admin_client.get(page_of(launched)).status_code == 200

    @pytest.mark.parametrize("by", ["sweeper", "job"])
    def test_after_it_the_campaign_starts_once(self, launched: Campaign, by: str) -> None:
        Campaign.objects.filter(pk=launched.pk).update(undo_until=timezone.now() - dt.timedelta(seconds=1))
        if by == "sweeper":
            forgotten.sweep()
        starting.start_launched(launched.pk)
        starting.start_launched(launched.pk)

        launched.refresh_from_db()
        assert (launched.state, launched.undo_until) == (CampaignState.RUNNING, None)
        assert [event.text for event in launched.events.all()].count("Launched") == 1

    def test_no_worker_stands_still_for_it(self, launched: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        slept: list[float] = []
        monkeypatch.setattr(moments.time, "sleep", slept.append)
        Campaign.objects.filter(pk=launched.pk).update(undo_until=timezone.now() + dt.timedelta(seconds=40))

        starting.start_launched(launched.pk)

        launched.refresh_from_db()
        assert (launched.state, slept) == (CampaignState.SCHEDULED, [])

    def test_the_supervisor_rings_once_shortly_before(
        self, launched: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rung: list[tuple[str, int]] = []
        monkeypatch.setattr(moments, "async_task", lambda job, pk, **_options: rung.append((job, pk)))
        ringer = moments.Ringer()
        for seconds in (10, 1, 0.5, -0.5):
            until = timezone.now() + dt.timedelta(seconds=seconds)
            if seconds in (10, 1):
                Campaign.objects.filter(pk=launched.pk).update(undo_until=until)
            ringer.ring()

        assert rung == [(starting.START_JOB, launched.pk)]

    def test_a_moment_for_which_nothing_could_be_rung_is_rung_for_again(
        self, launched: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rung: list[object] = []

        def away_at_first(job: str, pk: int, broker: object = None, **_options: object) -> None:
            rung.append(broker)
            if len(rung) == 1:
                raise OSError("the queue is away")

        monkeypatch.setattr(moments, "async_task", away_at_first)
        Campaign.objects.filter(pk=launched.pk).update(undo_until=timezone.now() + dt.timedelta(seconds=1))
        ringer = moments.Ringer()
        with pytest.raises(OSError, match="away"):
            ringer.ring()

        ringer.ring()

        assert len(rung) == 2
        assert None not in rung

    def test_a_scheduled_time_is_rung_for_as_well(
        self, write: Callable[..., Campaign], group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rung: list[tuple[str, int]] = []
        slept: list[float] = []
        monkeypatch.setattr(moments, "async_task", lambda job, pk, **_options: rung.append((job, pk)))
        monkeypatch.setattr(moments.time, "sleep", slept.append)
        add_contacts(group, 1)
        at = timezone.now() + dt.timedelta(seconds=30)
        later = starting.launch(write(scheduled_at=at).pk)
        ringer = moments.Ringer()
        ringer.ring()
        starting.start_launched(later.pk)
        assert (rung, slept) == ([], [])

        Campaign.objects.filter(pk=later.pk).update(scheduled_at=timezone.now() + dt.timedelta(seconds=1))
        ringer.ring()
        ringer.ring()
        Campaign.objects.filter(pk=later.pk).update(scheduled_at=timezone.now())
        starting.start_launched(later.pk)

        later.refresh_from_db()
        assert rung == [(starting.START_JOB, later.pk)]
        assert later.state == CampaignState.RUNNING

    @pytest.mark.parametrize(("given", "seconds"), [("60", 60), ("0", None), ("", 7)])
    def test_each_launch_says_how_long(
        self,
        admin_client: Client,
        write: Callable[..., Campaign],
        group: ContactGroup,
        settings: Any,
        given: str,
        seconds: int | None,
    ) -> None:
        settings.LAAFFIC_UNDO_SECONDS = 7
        add_contacts(group, 3)
        draft = write()
        before = timezone.now()

        admin_client.post(review(draft), {**hidden(admin_client, review(draft)), "undo": given})

        after = timezone.now()
        draft.refresh_from_db()
        if seconds is None:
            assert draft.undo_until is None
        else:
            assert draft.undo_until is not None
            assert before <= draft.undo_until - dt.timedelta(seconds=seconds) <= after

    @pytest.mark.parametrize("given", ["61", "-1", "1e1", "٣", "9999999"])
    def test_not_longer_than_a_minute(
        self, admin_client: Client, write: Callable[..., Campaign], group: ContactGroup, given: str
    ) -> None:
        add_contacts(group, 3)
        draft = write()

        answer = admin_client.post(review(draft), {**hidden(admin_client, review(draft)), "undo": given})

        draft.refresh_from_db()
        assert draft.state == CampaignState.DRAFT
        assert b"0 to 60 seconds" in answer.content

    def test_what_has_started_cannot_be_taken_back(self, launched: Campaign) -> None:
        Campaign.objects.filter(pk=launched.pk).update(undo_until=timezone.now())
        starting.start_launched(launched.pk)

        with pytest.raises(NotNow, match="cannot be taken back"):
            starting.take_back(launched.pk)

    def test_a_hold_of_the_account_does_not_shorten_it(self, launched: Campaign, admin_client: Client) -> None:
        until = timezone.now() + dt.timedelta(seconds=40)
        Campaign.objects.filter(pk=launched.pk).update(undo_until=until)
        for sentence in ("No balance.", "No credentials."):
            account_hold.place_because(sentence)
            campaigns.follow_account()
        launched.refresh_from_db()
        page = admin_client.get(page_of(launched)).content.decode()
        assert launched.state == CampaignState.HELD
        assert 'id="undo-window"' not in page
        assert "Back to draft" in page

        AccountHold.objects.update(released_at=timezone.now())
        campaigns.follow_account()

        launched.refresh_from_db()
        assert (launched.state, launched.undo_until) == (CampaignState.SCHEDULED, until)
        assert 'id="undo-window"' in admin_client.get(page_of(launched)).content.decode()

    def test_a_hold_that_outlasts_it_lets_it_start(self, launched: Campaign) -> None:
        account_hold.place_because("No balance.")
        campaigns.follow_account()
        Campaign.objects.exclude(undo_until=None).update(undo_until=timezone.now())

        AccountHold.objects.update(released_at=timezone.now())
        campaigns.follow_account()

        launched.refresh_from_db()
        assert (launched.state, launched.undo_until) == (CampaignState.RUNNING, None)

    def test_who_goes_on_after_a_hold_is_counted_anew(
        self, launched: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A count of some minutes ago knows nothing of what was edited since: it would leave with other values."""
        account_hold.place_because("No balance.")
        campaigns.follow_account()
        Campaign.objects.exclude(undo_until=None).update(undo_until=timezone.now())
        prepared: list[int] = []
        prepare = campaigns.approval_rules.prepare

        def note(model: Any, pk: int, **given: Any) -> None:
            prepared.append(pk)
            prepare(model, pk, **given)

        monkeypatch.setattr(campaigns.approval_rules, "prepare", note)
        AccountHold.objects.update(released_at=timezone.now())

        campaigns.follow_account()

        assert prepared == [launched.pk]

    @pytest.mark.parametrize("is_released", [True, False])
    def test_who_does_not_start_after_a_hold_is_not_counted(
        self, launched: Campaign, monkeypatch: pytest.MonkeyPatch, is_released: bool
    ) -> None:
        """It only waits for its time again, or has another sentence: those behind it would wait for its count."""
        account_hold.place_because("No balance.")
        campaigns.follow_account()
        tomorrow = timezone.now() + dt.timedelta(days=1)
        Campaign.objects.update(scheduled_at=tomorrow if is_released else None, undo_until=None)
        prepared: list[int] = []
        monkeypatch.setattr(campaigns.approval_rules, "prepare", lambda model, pk, **given: prepared.append(pk))
        changed = {"released_at": timezone.now()} if is_released else {"sentence": "No sender ID."}
        AccountHold.objects.update(**changed)

        campaigns.follow_account()

        launched.refresh_from_db()
        assert prepared == []
        assert launched.state == (CampaignState.SCHEDULED if is_released else CampaignState.HELD)
        assert launched.hold_reason == ("" if is_released else "No sender ID.")

    def test_who_only_goes_on_after_a_hold_has_its_turn_first(
        self, launched: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        account_hold.place_because("No balance.")
        campaigns.follow_account()
        launched.refresh_from_db()
        Campaign.objects.update(audience=Campaign.Audience.FROZEN)
        still_open = Campaign.objects.create(
            name="B", application=launched.application, state=CampaignState.HELD, account_hold=launched.account_hold
        )
        AccountHold.objects.update(released_at=timezone.now())
        followed: list[int] = []
        monkeypatch.setattr(campaigns, "_follow", followed.append)

        campaigns.follow_account()

        assert followed == [launched.pk, still_open.pk]

    def test_hours_late_it_is_held(self, launched: Campaign) -> None:
        Campaign.objects.filter(pk=launched.pk).update(undo_until=timezone.now() - dt.timedelta(hours=3))
        forgotten.sweep()

        launched.refresh_from_db()
        assert launched.state == CampaignState.HELD

    @pytest.mark.parametrize("is_held", [True, False], ids=["too late", "paused"])
    def test_resumed_hours_late_during_a_hold_of_the_account_it_starts_after_that(
        self, write: Callable[..., Campaign], group: ContactGroup, is_held: bool
    ) -> None:
        add_contacts(group, 1)
        late = starting.launch(write(scheduled_at=timezone.now() + dt.timedelta(hours=1)).pk)
        Campaign.objects.update(scheduled_at=timezone.now() - dt.timedelta(hours=4))
        if is_held:
            forgotten.sweep()
        else:
            campaigns.pause(late.pk)
        account_hold.place_because("No balance.")
        campaigns.resume(late.pk)
        long_ago = timezone.now() - dt.timedelta(hours=9)  # the account is held for as long
        Campaign.objects.exclude(undo_until=None).update(undo_until=long_ago)
        AccountHold.objects.update(released_at=timezone.now())

        campaigns.follow_account()
        starting.start_scheduled(late.pk)

        late.refresh_from_db()
        assert late.state == CampaignState.RUNNING

    def test_the_shell_has_no_such_moment(self, write: Callable[..., Campaign], group: ContactGroup) -> None:
        add_contacts(group, 1)

        assert starting.launch(write().pk).state == CampaignState.RUNNING

    def test_a_scheduled_one_can_be_taken_back_too(self, write: Callable[..., Campaign], group: ContactGroup) -> None:
        add_contacts(group, 1)
        later = starting.launch(write(scheduled_at=timezone.now() + dt.timedelta(hours=1)).pk)

        assert starting.take_back(later.pk).state == CampaignState.DRAFT
