"""Nothing is claimed outside the hours of its recipient; what waits is told, and goes when its time has come."""

import datetime as dt
import json
import time
from collections.abc import Callable, Iterator

import phonenumbers
import pytest
import time_machine
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import bell, moments
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.sandbox.testing import RunningSandbox
from messaging import msisdn
from messaging.hours import opening_hours
from messaging.models import (
    Batch,
    BatchState,
    Calendar,
    Campaign,
    CampaignState,
    Contact,
    ContactGroup,
    GroupMembership,
    Message,
)
from messaging.services.audience import audience, audience_counting, audience_counts
from messaging.services.batches import claiming, waiting
from messaging.services.campaigns import calendars, campaigns, drafts, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import insights
from messaging.services.gates import gates, sending_hours
from messaging.services.sending import forgotten, sending
from tests.messaging.conftest import add_contacts, events_saying
from tests.messaging.rules.test_opening_hours import BY_CHANGE, allows

pytestmark = pytest.mark.django_db

# India; Germany; New York; toll-free of all North America; Russia's mobiles; Lord Howe's country; nobody's country.
NUMBERS = {
    "919876500001": "IN",
    "4915123456789": "DE",
    "12125550123": "US",
    "18005550123": "US",
    "79161234567": "RU",
    "61412345678": "AU",
    "80012345678": "",
}
NOON = dt.datetime(2026, 11, 26, 12, 0, tzinfo=dt.UTC)  # Thursday; 17:30 in India, 13:00 in Germany
CLOCK = dt.timedelta(minutes=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.datetime], None]:
    """The database's clock, set by hand."""
    shown = [NOON]
    monkeypatch.setattr(database_clock, "now", lambda: shown[0])
    monkeypatch.setattr(database_clock, "in_statement", lambda: shown[0])

    def show(moment: dt.datetime) -> None:
        shown[0] = moment

    return show


@pytest.fixture(autouse=True)
def _keys(settings: LazySettings) -> Iterator[None]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    yield
    account.laaffic_client.cache_clear()


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Bells, as they are rung."""
    found: list[str] = []
    monkeypatch.setattr(bell, "ring", lambda job, *args, **given: found.append(job))
    return found


def calendar(hours: str, left_out: str = "", name: str = "Day") -> Calendar:
    return calendars.save(Calendar(name=name, hours=hours, left_out=left_out))


@pytest.fixture
def start(application: Application, group: ContactGroup) -> Callable[..., Campaign]:
    """A campaign to all of NUMBERS that runs, its audience frozen."""
    made = Contact.objects.bulk_create(Contact(number=number, country=of) for number, of in NUMBERS.items())
    GroupMembership.objects.bulk_create(GroupMembership(contact=contact, group=group) for contact in made)

    def started(**given: object) -> Campaign:
        campaign = drafts.create(
            name="Autumn", application=application, sender_id="", text="Hello", groups=[group], **given
        )
        starting.launch(campaign.pk, by=None)
        Campaign.objects.filter(state=CampaignState.SCHEDULED).update(scheduled_at=database_clock.now() - CLOCK)
        starting.start_scheduled(campaign.pk)
        while audience.freeze_chunk(campaign.pk):
            pass
        campaign.refresh_from_db()
        return campaign

    return started


def claimed_of(campaign: Campaign) -> set[str]:
    """Numbers of one claim after the other, until there is none."""
    found: set[str] = set()
    while isinstance(claim := claiming.claim(campaign, "token"), Claim):
        found |= set(claim.numbers)
    return found


def at_nine_by_each_clock(application: Application, group: ContactGroup) -> Campaign:
    tomorrow = timezone.now() + dt.timedelta(days=1)
    return drafts.create(
        name="A",
        application=application,
        sender_id="",
        text="Hi",
        groups=[group],
        local_time=f"{tomorrow:%Y-%m-%d} 09:00",
    )


class HoursGateTests:
    def test_only_who_is_in_their_hours_is_claimed(
        self, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None]
    ) -> None:
        campaign = start(calendar=calendar("mon-fri 09:00-17:00"))

        # 12:00 UTC: 13:00 in Germany; after hours in India, before them in New York; Russia spreads over ten hours.
        assert claimed_of(campaign) == {"4915123456789", "80012345678"}

        waits = Batch.objects.filter(state=BatchState.QUEUED).values_list("waits_for", "not_before")
        assert ("hours:IN", dt.datetime(2026, 11, 27, 3, 30, tzinfo=dt.UTC)) in waits
        assert ("hours:RU:never", NOON + dt.timedelta(days=1)) in waits
        clock(dt.datetime(2026, 11, 27, 3, 30, tzinfo=dt.UTC))
        assert claimed_of(campaign) == {"919876500001", "61412345678"}

    def test_the_applications_calendar_counts_where_there_is_no_own(
        self, application: Application, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None]
    ) -> None:
        calendars.give(application, calendar("mon-sun 03:00-04:00"))

        assert claimed_of(start()) == set()

    def test_without_any_nothing_is_asked(self, start: Callable[..., Campaign]) -> None:
        assert sending_hours.of(start()) is None

    def test_a_changed_calendar_is_followed_by_what_waits(
        self, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None]
    ) -> None:
        chosen = calendar("sat 09:00-10:00")
        campaign = start(calendar=chosen)
        assert claimed_of(campaign) == set()

        chosen.hours = "mon-sun 00:00-24:00"
        calendars.save(chosen, ["hours"])
        waiting.follow_calendars()

        assert claimed_of(campaign) == set(NUMBERS)

    @pytest.mark.parametrize("hours", [-8, 8])
    @pytest.mark.parametrize("of_its_application", [False, True])
    def test_one_that_a_machine_with_a_wrong_clock_changed_is_followed_once(
        self,
        application: Application,
        start: Callable[..., Campaign],
        clock: Callable[[dt.datetime], None],
        hours: int,
        of_its_application: bool,
    ) -> None:
        now = timezone.now()
        clock(now)
        chosen = calendar("mon-sun 00:00-00:01")
        calendars.give(application, chosen)
        campaign = start()
        waiting.follow_calendars()
        with time_machine.travel(now + dt.timedelta(hours=hours), tick=False):
            if of_its_application:
                calendars.give(application, None)
            else:
                calendars.save(chosen, ["hours"])
        Batch.objects.update(not_before=now + dt.timedelta(days=1), waits_for="hours:IN")
        waits = Batch.objects.filter(campaign=campaign, not_before__isnull=False)
        assert waits.exists()

        for seconds in (1, 6):  # once more when claims that had read the calendar before have ended
            clock(now + dt.timedelta(seconds=seconds))
            waiting.follow_calendars()
            assert not waits.exists()
            Batch.objects.update(not_before=now + dt.timedelta(days=1), waits_for="hours:IN")
        clock(now + dt.timedelta(seconds=7))
        waiting.follow_calendars()
        assert waits.exists()

    def test_a_narrowed_calendar_is_seen_by_the_next_claim(
        self, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None]
    ) -> None:
        campaign = start(calendar=calendar("mon-sun 00:00-24:00"))
        Calendar.objects.update(hours="sat 09:00-10:00")

        assert claimed_of(campaign) == set()

    def test_each_recipients_own_time(
        self, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None]
    ) -> None:
        campaign = start(local_time=f"{timezone.now() + dt.timedelta(days=2):%Y-%m-%d} 09:00")
        Campaign.objects.update(local_time="2026-11-26 09:00")

        assert claimed_of(campaign) == {"919876500001", "4915123456789", "61412345678", "79161234567", "80012345678"}
        whys = set(Batch.objects.filter(state=BatchState.QUEUED).values_list("waits_for", flat=True))
        assert whys == {"hours:US:clock"}
        clock(dt.datetime(2026, 11, 26, 14, 0, tzinfo=dt.UTC))
        assert claimed_of(campaign) == {"12125550123"}  # toll-free numbers may ring in Hawaii

    def test_at_their_own_time_it_starts_with_the_first_clock(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2, time_zones="Asia/Kolkata")
        campaign = at_nine_by_each_clock(application, group)

        starting.launch(campaign.pk, by=None)

        campaign.refresh_from_db()
        assert campaign.state == CampaignState.SCHEDULED
        assert f"{campaign.scheduled_at:%H:%M}" == "03:30"  # UTC
        starting.take_back(campaign.pk)
        campaign.refresh_from_db()
        assert campaign.scheduled_at is None

    def test_a_launch_without_a_page_counts_whoever_is_not_counted_yet(
        self, application: Application, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(audience_counting, "STRETCH", 1)
        monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 0)
        add_contacts(group, 5, time_zones="Asia/Kolkata")
        campaign = at_nine_by_each_clock(application, group)

        assert starting.launch(campaign.pk).state == CampaignState.SCHEDULED

    def test_a_time_that_all_clocks_have_shown_long_ago_is_not_taken_for_at_once(
        self, application: Application, group: ContactGroup
    ) -> None:
        add_contacts(group, 2)
        draft = at_nine_by_each_clock(application, group)
        Campaign.objects.update(local_time="2020-01-01 09:00")

        with pytest.raises(NotNow, match="This moment has passed"):
            starting.launch(draft.pk)
        assert Campaign.objects.get().state == CampaignState.DRAFT

    def test_an_end_before_its_start_is_refused(self, application: Application, group: ContactGroup) -> None:
        with pytest.raises(ValidationError, match="It would end before it starts"):
            drafts.create(
                name="A",
                application=application,
                sender_id="",
                text="Hi",
                groups=[group],
                scheduled_at=NOON,
                latest_end=NOON - CLOCK,
            )

    def test_an_end_before_their_own_time_has_come_anywhere_is_refused(
        self, application: Application, group: ContactGroup
    ) -> None:
        given = {"name": "A", "application": application, "sender_id": "", "text": "Hi", "groups": [group]}
        first = NOON.replace(hour=9) - dt.timedelta(hours=14)  # 9:00 on the first clock on earth
        with pytest.raises(ValidationError, match="It would end before it starts"):
            drafts.create(**given, local_time="2026-11-26 09:00", latest_end=first)

        assert drafts.create(**given, local_time="2026-11-26 09:00", latest_end=first + CLOCK).pk

    def test_an_end_that_has_passed_is_not_launched(self, application: Application, group: ContactGroup) -> None:
        add_contacts(group, 2)
        past = timezone.now() - CLOCK
        draft = drafts.create(
            name="A", application=application, sender_id="", text="Hi", groups=[group], latest_end=past
        )

        with pytest.raises(NotNow, match="begin after its latest end"):
            starting.launch(draft.pk)
        assert Campaign.objects.get().state == CampaignState.DRAFT

    def test_an_approvers_word_lets_it_go_once(
        self, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None]
    ) -> None:
        campaign = start(calendar=calendar("sat 09:00-10:00"))
        assert claimed_of(campaign) == set()
        with pytest.raises(ValidationError, match="Say why"):
            calendars.send_outside_hours(campaign.pk, reason=" ", by=None)

        for _time in range(2):
            calendars.send_outside_hours(campaign.pk, reason="A recall", by=None)
        assert events_saying("A recall", campaign.events.all()).count() == 1

        assert claimed_of(campaign) == set(NUMBERS)
        assert events_saying("A recall", campaign.events.all()).exists()

    def test_an_approvers_word_is_over_with_the_launch_that_it_was_on(
        self, application: Application, group: ContactGroup
    ) -> None:
        campaign = drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group])
        days = Calendar.objects.create(name="Days", hours="mon-sun 09:00-20:00")
        Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.HELD, calendar=days)
        calendars.send_outside_hours(campaign.pk, reason="A recall", by=None)

        assert not starting.take_back(campaign.pk).outside_hours

        campaign.refresh_from_db()
        assert (campaign.state, campaign.outside_hours) == (CampaignState.DRAFT, False)

    def test_after_its_latest_end_it_is_held_until_resumed(
        self, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None]
    ) -> None:
        campaign = start(latest_end=timezone.now() + CLOCK)
        Campaign.objects.update(latest_end=timezone.now() - CLOCK)
        clock(timezone.now())

        shut = claiming.claim(campaign, "token")
        assert isinstance(shut, claiming.Shut)
        assert "Resume sends the rest" in shut.because
        forgotten.sweep()
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.HELD

        campaigns.resume(campaign.pk, by=None)
        assert claimed_of(campaign) == set(NUMBERS)

    def test_resumed_after_another_stop_it_asks_about_its_end(
        self, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None]
    ) -> None:
        campaign = start(latest_end=timezone.now() + CLOCK)
        campaigns.pause(campaign.pk)
        Campaign.objects.update(latest_end=timezone.now() - CLOCK)
        clock(timezone.now())

        campaigns.resume(campaign.pk)

        assert isinstance(claiming.claim(campaign, "token"), claiming.Shut)
        forgotten.sweep()
        campaign.refresh_from_db()
        assert "Resume sends the rest" in campaign.hold_reason
        campaigns.resume(campaign.pk)
        assert claimed_of(campaign) == set(NUMBERS)

    @examples(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        hours=st.sampled_from(
            ["mon-sun 01:30-02:30", "mon-fri 09:00-20:00", "sat-sun 20:00-03:00", "mon-sun 00:00-24:00"]
        ),
        own=st.sampled_from(["", "\nIN: mon-sun 23:00-01:00", "\nUS, AU: sun 00:00-24:00"]),
        left_out=st.sampled_from(["", "2026-03-29", "IN: 2026-10-25"]),
        moments=st.lists(BY_CHANGE, min_size=1, max_size=3),
    )
    def test_nobody_is_ever_claimed_outside_their_hours(
        self,
        start: Callable[..., Campaign],
        clock: Callable[[dt.datetime], None],
        hours: str,
        own: str,
        left_out: str,
        moments: list[dt.datetime],
    ) -> None:
        chosen = calendar(hours + own, left_out, name=str(Calendar.objects.count()))
        campaign = start(calendar=chosen)
        read = opening_hours.read(chosen.hours, chosen.left_out)
        for moment in sorted(moments):
            clock(moment)
            for number in claimed_of(campaign):
                country, zones = sending_hours.place_of(number)
                assert all(allows(zone, read.of(country), moment) for zone in zones)
        left = Message.objects.filter(campaign=campaign, batch__state=BatchState.QUEUED)
        for number in left.values_list("number", flat=True):  # and whoever is in their hours is not kept
            country, zones = sending_hours.place_of(number)
            assert not all(allows(zone, read.of(country), max(moments)) for zone in zones)


class WaitingTests:
    @pytest.mark.usefixtures("clock")
    def test_it_tells_the_first_moment_that_suits_anybody(self, start: Callable[..., Campaign]) -> None:
        """Of Russia, which no hour suits, it is looked at again tomorrow: nothing leaves then."""
        campaign = start(calendar=calendar("mon 01:00-02:00"))
        assert claimed_of(campaign) == set()
        due = waiting.next_due(campaign.pk)
        assert due == NOON + dt.timedelta(days=1)

        said = waiting.sentence(campaign.pk, due)

        assert "Nothing of it may leave before 29 Nov 2026" in said
        assert [entry.until for entry in waiting.of(campaign) if "RU" in entry.why] == [None]

    def test_a_sender_does_not_sit_waiting_and_is_rung_when_it_is_due(
        self,
        start: Callable[..., Campaign],
        clock: Callable[[dt.datetime], None],
        sandbox: RunningSandbox,
        rung: list[str],
    ) -> None:
        campaign = start(calendar=calendar("mon-sun 03:00-04:00"))
        rung.clear()
        began = time.monotonic()
        sending.send(campaign.pk)
        assert time.monotonic() - began < 15
        campaign.refresh_from_db()
        assert campaign.state == CampaignState.RUNNING
        assert "Nothing of it may leave before" in campaign.wait_reason
        forgotten.sweep()
        assert rung == []

        due = waiting.next_due(campaign.pk)
        assert due is not None
        clock(due - dt.timedelta(seconds=1))
        forgotten.sweep()
        assert rung == ["messaging.jobs.send_campaign"]

    def test_the_supervisor_rings_for_the_moment_at_which_its_hours_open(
        self,
        start: Callable[..., Campaign],
        clock: Callable[[dt.datetime], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        found: list[tuple[str, int]] = []
        monkeypatch.setattr(moments, "async_task", lambda job, pk, **_options: found.append((job, pk)))
        campaign = start(calendar=calendar("mon-sun 03:00-04:00"))
        sending.send(campaign.pk)
        due = waiting.next_due(campaign.pk)
        assert due is not None
        ringer = moments.Ringer()

        for seconds in (-60, -2, -1, 0, 1, 60):
            clock(due + dt.timedelta(seconds=seconds))
            ringer.ring()
            assert found == ([] if seconds < -1 else [("messaging.jobs.send_campaign", campaign.pk)])

        Campaign.objects.update(state=CampaignState.PAUSED)
        clock(due)
        moments.Ringer().ring()
        assert len(found) == 1

    def test_the_end_is_no_sooner_than_the_last_that_waits(self, start: Callable[..., Campaign]) -> None:
        campaign = start()
        due = timezone.now() + dt.timedelta(hours=10)
        Batch.objects.update(not_before=due, waits_for="hours:IN")
        Campaign.objects.update(first_sent_at=timezone.now() - CLOCK)
        campaign.refresh_from_db()

        pace = insights.pace(campaign)

        assert pace is not None
        assert pace.seconds_left is not None
        assert pace.seconds_left > 9 * 3600

    def test_a_campaign_that_is_not_asleep_is_rung_for(self, start: Callable[..., Campaign], rung: list[str]) -> None:
        start()
        rung.clear()
        forgotten.sweep()
        assert rung == ["messaging.jobs.send_campaign"]

    def test_the_report_says_what_waits_until_when(
        self, start: Callable[..., Campaign], clock: Callable[[dt.datetime], None], capsys: pytest.CaptureFixture[str]
    ) -> None:
        campaign = start(calendar=calendar("mon-fri 09:00-17:00\nUS, RU, AU: mon-sun 00:00-24:00"))
        claimed_of(campaign)

        call_command("campaign", "report", str(campaign.pk), "--json")

        assert json.loads(capsys.readouterr().out)["waiting"] == [
            {"why": "Outside the sending hours of IN.", "until": "2026-11-27T03:30:00+00:00", "n": 1}
        ]
        campaigns.cancel(campaign.pk, by=None)
        call_command("campaign", "report", str(campaign.pk), "--json")
        assert json.loads(capsys.readouterr().out)["waiting"] == []

    def test_each_reason_is_a_sentence(self) -> None:
        said = [gates.in_words(f"hours:{value}") for value in ("IN", "IN:never", "IN:clock", "")]
        told = [gates.tells_when(f"hours:{value}") for value in ("IN", "IN:never", "IN:clock", "")]

        assert told == [True, False, True, True]  # of what never opens the moment is only one to look again at
        assert said[0] == "Outside the sending hours of IN."
        assert all(sentence.endswith(".") and "hours:" not in sentence for sentence in said)


class CalendarCommandTests:
    def run(self, *args: str) -> None:
        call_command("calendar", *args)

    def test_it_is_made_in_parts(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.run("create", "Day", "--hours", "mon-fri 09:00-20:00", "--except-date", "2026-12-25")
        self.run("create", "Day", "--country", "IN", "--hours", "mon-sat 10:00-19:00", "--hours", "sun 10:00-12:00")
        capsys.readouterr()

        self.run("list", "--json")

        (only,) = json.loads(capsys.readouterr().out)["calendars"]
        assert only["name"] == "Day"
        assert only["hours"] == ["mon-fri 09:00-20:00", "IN: mon-sat 10:00-19:00", "IN: sun 10:00-12:00"]
        assert only["left_out"] == ["2026-12-25"]

    def test_several_countries_and_dates_follow_one_option(self, capsys: pytest.CaptureFixture[str]) -> None:
        dates = ["--except-date", "2026-12-25", "2026-12-26"]
        self.run("create", "Day", "--hours", "mon-fri 09:00-20:00", "--country", "IN", "BD", *dates)
        capsys.readouterr()

        self.run("list", "--json")

        (only,) = json.loads(capsys.readouterr().out)["calendars"]
        assert only["hours"] == ["mon-fri 09:00-20:00", "BD, IN: mon-fri 09:00-20:00"]

    def test_what_never_opens_is_refused(self) -> None:
        with pytest.raises(CommandError, match="is never open"):
            self.run("create", "Day", "--country", "IN", "--hours", "mon 10:00-10:00")
        assert not Calendar.objects.exists()

    def test_a_campaign_takes_it_by_its_name(
        self, application: Application, group: ContactGroup, capsys: pytest.CaptureFixture[str]
    ) -> None:
        add_contacts(group, 1)
        calendar("mon-fri 09:00-20:00")
        given = ["--name", "A", "--app", application.app_id, "--text", "Hi", "--group", group.name]

        call_command("campaign", "create", *given, "--calendar", "Day", "--local-time", "2026-11-27 09:00")

        made = Campaign.objects.get()
        assert (str(made.calendar), made.local_time) == ("Day", "2026-11-27 09:00")
        with pytest.raises(CommandError, match="There is no calendar “Night”"):
            call_command("campaign", "create", *given, "--calendar", "Night")
        with pytest.raises(CommandError, match="is not a time"):
            call_command("campaign", "create", *given, "--local-time", "tomorrow")


def test_a_calling_code_of_one_place_tells_the_zones_that_its_numbers_tell() -> None:
    examples = [
        number
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
        if (example := phonenumbers.example_number_for_type(region, kind)) is not None
        for number in [f"{example.country_code}{phonenumbers.national_significant_number(example)}"]
    ]
    told = {number: msisdn.only_time_zones(number) for number in examples}

    assert sum(1 for zones in told.values() if zones) > 250
    wrong = {number: zones for number, zones in told.items() if zones and zones != msisdn.parse(number).time_zones}
    assert wrong == {}
