"""Calendars on their pages, hours on the campaign's form and page, and the word that puts them aside."""

import datetime as dt
import re
from typing import ClassVar

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.kit.words import dates
from messaging.models import ApplicationCalendar, Batch, Calendar, Campaign, CampaignState, ContactGroup, Message
from messaging.services.audience import audience
from messaging.services.campaigns import drafts, starting
from tests.messaging.conftest import add_contacts, events_saying

pytestmark = pytest.mark.django_db

TOMORROW = timezone.now() + dt.timedelta(days=1)
GIVEN = {"name": "Day", "hours": "mon-fri 09:00-20:00\nIN: mon-sat 10:00-19:00", "left_out": "2026-12-25"}


@pytest.fixture
def waiting(application: Application, group: ContactGroup, settings: LazySettings) -> Campaign:
    """A campaign that runs, and of which everything waits."""
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    add_contacts(group, 3)
    campaign = drafts.create(name="Autumn", application=application, sender_id="", text="Hello", groups=[group])
    starting.launch(campaign.pk, by=None)
    while audience.freeze_chunk(campaign.pk):
        pass
    Batch.objects.update(not_before=TOMORROW, waits_for="hours:IN")
    Campaign.objects.update(calendar=Calendar.objects.create(name="Days", hours="mon-sun 09:00-20:00"))
    campaign.refresh_from_db()
    return campaign


class CalendarPageTests:
    ADD = "admin:messaging_calendar_add"

    def test_it_is_kept_as_written(self, admin_client: Client) -> None:
        answer = admin_client.post(reverse(self.ADD), GIVEN)

        assert answer.status_code == 302
        assert Calendar.objects.get().hours.splitlines() == GIVEN["hours"].splitlines()

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("hours", "nine to five", "is not a line of hours"),
            ("hours", "IN: mon 09:00-10:00", "Write the hours for all countries first"),
            ("left_out", "Christmas", "is not a date"),
        ],
    )
    def test_what_cannot_be_read_is_said_beside_it(
        self, admin_client: Client, field: str, value: str, said: str
    ) -> None:
        answer = admin_client.post(reverse(self.ADD), GIVEN | {field: value})

        assert said in answer.content.decode()
        assert value in answer.content.decode()
        assert not Calendar.objects.exists()

    @pytest.mark.parametrize("written_as", ["text", "rows"])
    def test_what_is_missing_is_said_once(self, admin_client: Client, written_as: str) -> None:
        """Of rows above them, of a text at its field; beside both it is not said again when the page opens."""
        page = admin_client.post(reverse(self.ADD), {"name": "Day", "written_as": written_as}).content.decode()

        [above] = re.findall(r'<div class="c-notice bad" id="errors".*?</div>', page, re.DOTALL)
        assert ("<p>" in above) is (written_as == "rows")
        assert 'hx-trigger="written' in page

    def test_one_that_is_not_begun_is_not_warned_about(self, admin_client: Client) -> None:
        kept = Calendar.objects.create(name="Day", hours="mon 09:00-10:00")

        assert 'hx-trigger="written' in admin_client.get(reverse(self.ADD)).content.decode()
        page = admin_client.get(reverse("admin:messaging_calendar_change", args=[kept.pk])).content.decode()
        assert 'hx-trigger="load, written' in page

    def test_a_change_makes_what_waits_look_again(self, admin_client: Client) -> None:
        calendar = Calendar.objects.create(name="Day", hours="mon 09:00-10:00", looked_at=TOMORROW)
        before = calendar.changed_at

        admin_client.post(reverse("admin:messaging_calendar_change", args=[calendar.pk]), GIVEN)

        calendar.refresh_from_db()
        assert calendar.hours.startswith("mon-fri")
        assert calendar.changed_at > before

    def test_an_applications_calendar_stays_that_applications(
        self, admin_client: Client, application: Application
    ) -> None:
        """Nobody would look again at what the first one has waiting."""
        day = Calendar.objects.create(**GIVEN)
        given = ApplicationCalendar.objects.create(application=application)
        other = Application.objects.create(app_id="other", channel="sms")

        page = reverse("admin:messaging_applicationcalendar_change", args=[given.pk])
        admin_client.post(page, {"application": other.pk, "calendar": day.pk})

        given.refresh_from_db()
        assert (given.application, given.calendar) == (application, day)

    def test_one_that_is_used_is_not_deleted(self, admin_client: Client, application: Application) -> None:
        calendar = Calendar.objects.create(**GIVEN)
        admin_client.post(
            reverse("admin:messaging_applicationcalendar_add"),
            {"application": application.pk, "calendar": calendar.pk},
        )
        assert ApplicationCalendar.objects.get().calendar == calendar

        admin_client.post(reverse("admin:messaging_calendar_delete", args=[calendar.pk]), {"post": "yes"})

        assert Calendar.objects.exists()


class RowsTests:
    """The same calendar by clicks."""

    ADD = reverse("admin:messaging_calendar_add")
    LOOK = reverse("admin:messaging_calendar_look")
    ROWS: ClassVar = {
        "name": "Day",
        "written_as": "rows",
        "part": ["0", "1"],
        "0-mon-from": ["09:00", ""],
        "0-mon-to": ["20:00", ""],
        "0-date": ["2026-12-25", ""],
        "1-countries": "IN",
        "1-sat-from": "10:00",
        "1-sat-to": "14:00",
    }

    def test_rows_are_kept_as_text_and_shown_as_rows(self, admin_client: Client) -> None:
        admin_client.post(self.ADD, self.ROWS)

        kept = Calendar.objects.get()
        assert (kept.hours, kept.left_out) == ("mon 09:00-20:00\nIN: sat 10:00-14:00", "2026-12-25")
        page = admin_client.get(reverse("admin:messaging_calendar_change", args=[kept.pk])).content.decode()
        assert 'name="0-mon-from" value="09:00"' in page
        assert 'name="1-countries" value="IN"' in page
        assert 'name="1-sat-to" value="14:00"' in page

    def test_half_a_row_is_said_and_stays(self, admin_client: Client) -> None:
        page = admin_client.post(self.ADD, self.ROWS | {"1-sat-to": ""}).content.decode()

        assert "Saturday, IN: give both, from and to, or empty the row." in page
        assert 'name="1-sat-from" value="10:00"' in page
        assert not Calendar.objects.exists()

    def test_rows_that_nobody_touched_leave_the_text_as_it_was_written(self, admin_client: Client) -> None:
        written = "  Mon 9:00-20:00\nin: SAT 10:00-14:00"
        kept = Calendar.objects.create(name="Day", hours=written, left_out="2026-12-25")

        given = self.ROWS | {"name": "Other", "hours": written, "left_out": "2026-12-25"}
        admin_client.post(reverse("admin:messaging_calendar_change", args=[kept.pk]), given)

        kept.refresh_from_db()
        assert (kept.name, kept.hours.strip()) == ("Other", written.strip())

    def test_beside_them_stands_where_it_is_open(self, admin_client: Client, client: Client) -> None:
        always = {"written_as": "text", "hours": "mon-sun 00:00-24:00\nIN: mon 09:00-10:00", "left_out": ""}

        page = admin_client.post(self.LOOK, always).content.decode()
        problem = admin_client.post(self.LOOK, always | {"hours": "nine to five"}).content.decode()

        assert "open now" in page
        assert "India (IN)" in page
        assert "is not a line of hours" in problem


class CampaignFormTests:
    def test_it_takes_a_calendar_and_recipients_own_time(
        self, admin_client: Client, application: Application, group: ContactGroup
    ) -> None:
        calendar = Calendar.objects.create(**GIVEN)
        add = reverse("admin:messaging_campaign_add")
        given = {
            "name": "A",
            "application": application.pk,
            "text": "Hi",
            "groups": [group.pk],
            "calendar": calendar.pk,
            "local_time": "2026-11-27 09:00",
        }
        assert "UTC" in admin_client.get(add).content.decode()
        both = given | {"scheduled_at_0": f"{timezone.localdate() + dt.timedelta(days=30)}", "scheduled_at_1": "09:00"}
        assert "Give one of the two" in admin_client.post(add, both).content.decode()

        admin_client.post(add, given)

        made = Campaign.objects.get()
        assert (made.calendar, made.local_time) == (calendar, "2026-11-27 09:00")


class BeforeLaunchTests:
    def look(self, client: Client, campaign: Campaign) -> str:
        return client.get(reverse("admin:messaging_campaign_review", args=[campaign.pk])).content.decode()

    @pytest.fixture
    def draft(self, application: Application, group: ContactGroup) -> Campaign:
        add_contacts(group, 3)
        return drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group])

    def test_their_own_time_stands_on_the_button(self, admin_client: Client, draft: Campaign) -> None:
        Campaign.objects.update(local_time=f"{TOMORROW:%Y-%m-%d} 09:00")
        page = self.look(admin_client, draft)
        assert f"at {TOMORROW.day} {TOMORROW:%b %Y}, 09:00 by their own clocks" in page
        assert "It starts at once" not in page

        Campaign.objects.update(local_time="2026-01-05 09:00")
        assert "It is later than 5 Jan 2026, 09:00 already in India (IN)" in self.look(admin_client, draft)

    def test_a_country_that_no_hour_suits_is_named(
        self, admin_client: Client, draft: Campaign, group: ContactGroup
    ) -> None:
        add_contacts(group, 1, first=79161234567, time_zones="Europe/Kaliningrad,Asia/Kamchatka")
        Campaign.objects.update(calendar=Calendar.objects.create(name="Day", hours="mon-fri 10:00-18:00"))

        assert "No hour suits all time zones of India (IN)" in self.look(admin_client, draft)


class WaitingPageTests:
    def test_the_campaigns_page_says_what_waits(self, admin_client: Client, waiting: Campaign) -> None:
        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[waiting.pk])).content.decode()

        assert "Outside the sending hours of IN." in page
        assert dates.moment(TOMORROW) in page
        assert 'id="outside-hours"' in page

    def test_a_message_says_why_and_until_when(self, admin_client: Client, waiting: Campaign) -> None:
        message = Message.objects.filter(campaign=waiting)[0]
        page = admin_client.get(reverse("admin:messaging_message_change", args=[message.pk])).content.decode()

        assert "Outside the sending hours of IN." in page
        assert "Not before" in page

    def test_an_approver_puts_the_hours_aside_with_a_reason(self, client: Client, waiting: Campaign) -> None:
        approver = User.objects.create_user("approver", is_staff=True)
        rights = Permission.objects.filter(codename__in=["view_campaign", "approve_campaign"])
        approver.user_permissions.set(rights)
        client.force_login(approver)
        address = reverse("admin:messaging_campaign_outside_hours", args=[waiting.pk])

        assert "This field is required" in client.post(address, {"reason": " "}).content.decode()
        client.post(address, {"reason": "A recall"})

        waiting.refresh_from_db()
        assert waiting.outside_hours
        assert events_saying("A recall", waiting.events.filter(actor=approver)).exists()
        assert Batch.objects.get().not_before is None

    def test_who_may_only_launch_does_not(self, client: Client, waiting: Campaign) -> None:
        operator = User.objects.create_user("operator", is_staff=True)
        operator.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "launch_campaign"]))
        client.force_login(operator)

        answer = client.post(reverse("admin:messaging_campaign_outside_hours", args=[waiting.pk]), {"reason": "Now"})

        assert answer.status_code == 403
        assert waiting.state == CampaignState.RUNNING
        assert not Campaign.objects.get().outside_hours
