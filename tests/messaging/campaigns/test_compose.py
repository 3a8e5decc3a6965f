"""The page on which a campaign is written, and what it says beside the form."""

import datetime as dt
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.client import account
from laaffic_console.identity.models import Profile
from messaging.models import AudienceCount, Campaign, Contact, ContactGroup
from messaging.services.audience import audience_counting, audience_counts
from messaging.services.campaigns import drafts, sketches
from messaging.services.saved_audiences import audiences
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

ADD = reverse("admin:messaging_campaign_add")
LIST = reverse("admin:messaging_campaign_changelist")
ESTIMATE = reverse("admin:messaging_campaign_estimate")
ZONE = "Asia/Kolkata"
NINE = timezone.now().replace(hour=9, minute=0, second=0, microsecond=0) + dt.timedelta(days=90)
AT = f"{NINE:%Y-%m-%dT%H:%M}"


@pytest.fixture(autouse=True)
def _credentials(settings: Any) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()


@pytest.fixture
def written(application: Application, group: ContactGroup) -> dict[str, Any]:
    return {"name": "Autumn", "application": application.pk, "text": "Hi {{name|you}}", "groups": [group.pk]}


def change_page(campaign: Campaign) -> str:
    return reverse("admin:messaging_campaign_change", args=[campaign.pk])


class PageTests:
    def test_a_lone_application_is_chosen_and_only_named(self, admin_client: Client, application: Application) -> None:
        page = admin_client.get(ADD).content.decode()

        assert f'<input type="hidden" name="application" id="id_application" value="{application.pk}">' in page

    def test_of_two_one_has_to_be_chosen(self, admin_client: Client, application: Application) -> None:
        Application.objects.create(app_id="other", name="Other", channel=Channel.SMS)

        page = admin_client.get(ADD).content.decode()

        assert "lone-application" not in page
        assert '<select name="application"' in page

    def test_sender_ids_are_offered_the_latest_first(self, admin_client: Client, application: Application) -> None:
        for sender in ("OLD", "NEW"):
            drafts.create(name="x", application=application, sender_id=sender, text="x")

        page = admin_client.get(ADD).content.decode()

        assert page.index('<option value="NEW">') < page.index('<option value="OLD">') < page.index('value="SHOP">')

    def test_what_was_typed_stays_beside_what_is_wrong(self, admin_client: Client, written: dict[str, Any]) -> None:
        page = admin_client.post(ADD, {**written, "text": "{{name", "canary": "many"}).content.decode()

        assert "is a merge field that is not closed" in page
        assert "{{name</textarea>" in page
        assert 'value="Autumn"' in page
        assert not Campaign.objects.exists()

    def test_a_fold_says_what_is_set(self, admin_client: Client, application: Application) -> None:
        draft = drafts.create(name="x", application=application, sender_id="", text="x", rate_per_second=7)

        page = admin_client.get(change_page(draft)).content.decode()

        assert ": 7</span>" in page
        assert 'id="fold-few">as usual</span>' in page


class TwoPeopleTests:
    def test_what_another_has_saved_meanwhile_is_said_and_nothing_typed_is_lost(
        self, admin_client: Client, written: dict[str, Any]
    ) -> None:
        admin_client.post(ADD, written)
        draft = Campaign.objects.get()
        shown = admin_client.get(change_page(draft)).context["form"].seen_token
        Campaign.objects.update(text="Theirs", scheduled_at=NINE)

        given = {**written, "text": "Mine", "send_at": "", "clock": "console", "_seen": shown}
        page = admin_client.post(change_page(draft), given).content.decode()

        draft.refresh_from_db()
        assert draft.text == "Theirs"
        assert "Mine</textarea>" in page
        assert f'value="{AT}"' in page
        assert "Somebody else has saved this in the meantime." in page


class ClockTests:
    @pytest.fixture
    def _in_india(self, admin_user: User) -> None:
        Profile.objects.create(user=admin_user, time_zone=ZONE)

    @pytest.mark.usefixtures("_in_india")
    @pytest.mark.parametrize(
        ("clock", "moment", "wall"),
        [
            ("console", NINE, ""),
            ("mine", NINE - dt.timedelta(hours=5, minutes=30), ""),
            ("recipients", None, AT.replace("T", " ")),
        ],
    )
    def test_nine_o_clock_is_whose_clock_it_says(
        self, admin_client: Client, written: dict[str, Any], clock: str, moment: dt.datetime | None, wall: str
    ) -> None:
        admin_client.post(ADD, {**written, "send_at": AT, "clock": clock})

        draft = Campaign.objects.get()
        assert (draft.scheduled_at, draft.local_time) == (moment, wall)

    @pytest.mark.usefixtures("_in_india")
    def test_it_is_shown_by_the_same_clock_and_can_be_taken_away(
        self, admin_client: Client, written: dict[str, Any]
    ) -> None:
        admin_client.post(ADD, {**written, "send_at": AT, "clock": "recipients"})
        draft = Campaign.objects.get()

        page = admin_client.get(change_page(draft)).content.decode()
        admin_client.post(change_page(draft), {**written, "send_at": "", "clock": "mine"})

        draft.refresh_from_db()
        assert f'value="{AT}"' in page
        assert '<option value="recipients" selected>' in page
        assert (draft.scheduled_at, draft.local_time) == (None, "")

    def test_an_untouched_time_keeps_its_seconds(
        self, admin_client: Client, written: dict[str, Any], application: Application
    ) -> None:
        at = NINE + dt.timedelta(seconds=42)
        draft = drafts.create(name="x", application=application, sender_id="", text="x", scheduled_at=at)

        admin_client.post(change_page(draft), {**written, "send_at": AT, "clock": "console"})

        draft.refresh_from_db()
        assert (draft.name, draft.scheduled_at) == ("Autumn", at)

    def test_nonsense_is_said(self, admin_client: Client, written: dict[str, Any]) -> None:
        page = admin_client.post(ADD, {**written, "send_at": "soon", "clock": "console"}).content.decode()

        assert "“soon” is not a time. Write it like 2026-11-27 09:00." in page


class BesideTests:
    def test_figures_of_everybody_and_nothing_is_stored(
        self, admin_client: Client, written: dict[str, Any], group: ContactGroup
    ) -> None:
        add_contacts(group, 3, name="Ann")

        answer = admin_client.post(ESTIMATE, written)

        assert answer.context["forecast"].recipients == 3
        assert answer.context["shown_text"] == "Hi Ann"
        assert (Campaign.objects.count(), AudienceCount.objects.count()) == (0, 0)

    def test_to_nobody_it_takes_no_time(
        self, admin_client: Client, written: dict[str, Any], application: Application
    ) -> None:
        Application.objects.update(rate_per_second=10)

        beside = admin_client.post(ESTIMATE, written)

        page = beside.content.decode()
        assert (beside.context["forecast"].recipients, beside.context["forecast"].takes) == (0, "")
        assert "1 each" not in page
        assert "10 a second" not in page

    def test_who_is_left_nothing_to_read_gets_nothing(
        self, admin_client: Client, written: dict[str, Any], group: ContactGroup
    ) -> None:
        add_contacts(group, 1, name="Ann")

        page = admin_client.post(ESTIMATE, {**written, "text": "{{email}}"}).content.decode()

        assert "there is nothing to read: Ann (919876500000) gets nothing" in page

    def test_it_says_when_by_its_writers_clock(
        self, admin_client: Client, admin_user: User, written: dict[str, Any], group: ContactGroup
    ) -> None:
        add_contacts(group, 3, name="Ann")
        Profile.objects.create(user=admin_user, time_zone="Asia/Dhaka")
        given = {**written, "send_at": "2031-05-01T10:00", "clock": "console"}

        page = admin_client.post(ESTIMATE, given).content.decode()

        assert "Starts 1 May 2031, 16:00 (Asia/Dhaka)." in page

    def test_it_goes_on_where_it_stood(
        self,
        admin_client: Client,
        written: dict[str, Any],
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        add_contacts(group, 7, name="Ann")
        monkeypatch.setattr(audience_counting, "STRETCH", 2)
        monkeypatch.setattr(audience_counts, "SKETCH_SECONDS", 1.5)  # one stretch by a clock that ticks when it is read
        clock = SimpleNamespace(monotonic=itertools.count().__next__)
        for module in (audience_counts, audience_counting):
            monkeypatch.setattr(module, "time", clock)

        told, seen = "", []
        for _turn in range(10):
            context = admin_client.post(ESTIMATE, {**written, "_told": told}).context
            told = context["told"]
            seen.append(context["forecast"].recipients)
            if not context["goes_on"]:
                break

        assert seen[:4] == [2, 4, 6, 7]
        assert not context["goes_on"]

    def test_it_looks_once_and_briefly_for_somebody_rare(
        self, admin_client: Client, written: dict[str, Any], group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By a condition that few meet, the first of them are looked for among all contacts."""
        add_contacts(group, 3, language="en")
        rare = audiences.create(name="rare", condition='language = "zu"')
        looks: list[float] = []
        really_first = audiences.first

        def first(meant: Any, *, at_most: int, seconds: float) -> list[Contact]:
            looks.append(seconds)
            return really_first(meant, at_most=at_most, seconds=seconds)

        monkeypatch.setattr(audiences, "first", first)

        answer = admin_client.post(ESTIMATE, {**written, "groups": [], "audiences": [rare.pk]})

        assert answer.context["forecast"].recipients == 0
        assert looks == [sketches.SAMPLE_SECONDS]

    def test_what_another_draft_has_counted_does_not_count(
        self, admin_client: Client, written: dict[str, Any], group: ContactGroup
    ) -> None:
        add_contacts(group, 3)
        told = admin_client.post(ESTIMATE, written).context["told"]
        other = ContactGroup.objects.create(name="empty")

        answer = admin_client.post(ESTIMATE, {**written, "groups": [other.pk], "_told": told})

        assert answer.context["forecast"].recipients == 0
        assert admin_client.post(ESTIMATE, {**written, "_told": "forged"}).context["forecast"].recipients == 3

    @pytest.mark.parametrize(("who", "text"), [("1", "Hi Bo"), ("longest", "Hi Alexandra"), ("lacking", "Hi you")])
    def test_the_phone_shows_the_one_who_is_asked_for(
        self, admin_client: Client, written: dict[str, Any], group: ContactGroup, who: str, text: str
    ) -> None:
        add_contacts(group, 4)
        for contact, name in zip(Contact.objects.order_by("pk"), ("Ann", "Bo", "Alexandra", ""), strict=True):
            Contact.objects.filter(pk=contact.pk).update(name=name)

        assert admin_client.post(ESTIMATE, {**written, "_as": who}).context["shown_text"] == text

    def test_a_mistake_in_the_text_is_said_at_once(self, admin_client: Client, written: dict[str, Any]) -> None:
        page = admin_client.post(ESTIMATE, {**written, "text": "{{name"}).content.decode()

        assert "is a merge field that is not closed" in page

    def test_who_may_not_see_contacts_reads_it_as_written(
        self, client: Client, written: dict[str, Any], group: ContactGroup
    ) -> None:
        add_contacts(group, 1, name="Ann Lee")
        user = User.objects.create_user("writer", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=["add_campaign", "view_campaign"]))
        client.force_login(user)

        answer = client.post(ESTIMATE, written)

        assert answer.context["shown_text"] == "Hi {{name|you}}"
        assert "Ann Lee" not in answer.content.decode()

    def test_it_is_for_who_may_write(self, client: Client) -> None:
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.set(Permission.objects.filter(codename="view_campaign"))
        client.force_login(viewer)

        assert client.post(ESTIMATE).status_code == 403


class TestToMeTests:
    def test_it_is_saved_and_goes_to_my_own_number(
        self, admin_client: Client, admin_user: User, written: dict[str, Any]
    ) -> None:
        Profile.objects.create(user=admin_user, number="+919876543210")

        answer = admin_client.post(ADD, {**written, "_test": "1"})

        test = Campaign.objects.get(kind=Campaign.Kind.TEST)
        draft = Campaign.objects.get(kind=Campaign.Kind.CAMPAIGN)
        assert test.extra_numbers == ["+919876543210"]
        assert answer["Location"] == change_page(draft)

    def test_without_a_number_it_leads_to_the_profile(self, admin_client: Client, written: dict[str, Any]) -> None:
        answer = admin_client.post(ADD, {**written, "_test": "1"})

        assert answer["Location"].startswith(reverse("own_profile"))
        assert list(Campaign.objects.values_list("kind", flat=True)) == [Campaign.Kind.CAMPAIGN]

    def test_who_may_not_launch_sends_no_test(self, client: Client, written: dict[str, Any]) -> None:
        user = User.objects.create_user("writer", is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(codename__in=["add_campaign", "view_campaign", "change_campaign"])
        )
        client.force_login(user)

        assert client.post(ADD, {**written, "_test": "1"}).status_code == 403
        assert not Campaign.objects.filter(kind=Campaign.Kind.TEST).exists()

    @pytest.mark.parametrize(("asked", "names"), [("", ["real"]), ("all", ["real", "try"]), ("test", ["try"])])
    def test_the_list_shows_tests_to_who_asks(
        self, admin_client: Client, application: Application, asked: str, names: list[str]
    ) -> None:
        drafts.create(name="real", application=application, sender_id="", text="x")
        drafts.create(name="try", application=application, sender_id="", text="x", kind=Campaign.Kind.TEST)

        page = admin_client.get(LIST, {"kind__exact": asked} if asked else {})

        assert sorted(row.name for row in page.context["cl"].result_list) == names
