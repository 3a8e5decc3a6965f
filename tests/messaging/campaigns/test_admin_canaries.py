"""The few first on the campaign's form, on the page before the launch and on its own page."""

import datetime as dt

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import Application
from messaging.models import Campaign, Canary, ContactGroup, HoldKind
from messaging.services.audience import audience
from messaging.services.campaigns import campaigns, canaries, canary_figures, drafts, starting, states
from tests.messaging.conftest import add_contacts, events_saying

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(application: Application, group: ContactGroup, settings: LazySettings) -> Campaign:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    add_contacts(group, 10)
    return drafts.create(name="A", application=application, sender_id="", text="Hi", groups=[group], canary="4")


@pytest.fixture
def running(draft: Campaign) -> Campaign:
    starting.launch(draft.pk, by=None)
    while audience.freeze_chunk(draft.pk):
        pass
    canaries.follow()
    draft.refresh_from_db()
    return draft


def test_the_form_takes_it_and_says_what_is_wrong(
    admin_client: Client, application: Application, group: ContactGroup
) -> None:
    add = reverse("admin:messaging_campaign_add")
    given = {"name": "A", "application": application.pk, "text": "Hi", "groups": [group.pk]}
    said = admin_client.post(add, given | {"canary": "some"}).content.decode()
    assert "“some” is not a size" in said

    admin_client.post(add, given | {"canary": "5%", "canary_wait": "", "canary_least": "90"})

    made = Campaign.objects.get()
    assert (made.canary, made.canary_wait, made.canary_reports, made.canary_least) == ("5%", 15, 50, 90)


def test_one_that_is_not_fewer_than_the_audience_wants_a_tick(admin_client: Client, draft: Campaign) -> None:
    review = reverse("admin:messaging_campaign_review", args=[draft.pk])
    sentence = "covers all of its 10 recipients"
    assert sentence not in admin_client.get(review).content.decode()

    Campaign.objects.update(canary="10")

    assert sentence in admin_client.get(review).content.decode()


class PageTests:
    def test_it_shows_the_figures_and_the_way_on(self, admin_client: Client, running: Campaign) -> None:
        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[running.pk])).content.decode()

        assert 'id="few-first"' in page
        assert 'id="go-on"' in page

    def test_held_by_its_few_it_does_not_say_when_it_decides(self, admin_client: Client, running: Campaign) -> None:
        Canary.objects.update(sent_at=timezone.now(), hold_reason="Too few.")
        own = reverse("admin:messaging_campaign_change", args=[running.pk])
        waiting = admin_client.get(own).content.decode()
        Campaign.objects.update(state="held", hold_reason="Too few.")

        held = admin_client.get(own).content.decode()

        assert ["It decides at" in page for page in (waiting, held)] == [True, False]
        assert "By these figures the rest is held." in held

    def test_once_its_time_is_over_it_says_what_it_waits_for(self, admin_client: Client, running: Campaign) -> None:
        Canary.objects.update(sent_at=timezone.now() - dt.timedelta(hours=1), said_late_at=timezone.now())

        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[running.pk])).content.decode()

        assert "their time is over. It decides when one report has come" in page
        assert "It decides at" not in page

    def test_going_on_takes_a_reason(self, admin_client: Client, running: Campaign) -> None:
        go_on = reverse("admin:messaging_campaign_go_on", args=[running.pk])
        assert admin_client.post(go_on, {"reason": ""}).status_code == 200
        assert Canary.objects.get().passed_at is None

        admin_client.post(go_on, {"reason": "the carrier is slow today"})

        assert Canary.objects.get().passed_by == User.objects.get()
        own = reverse("admin:messaging_campaign_change", args=[running.pk])
        assert "admin sent the rest at" in admin_client.get(own).content.decode()
        assert events_saying("the carrier is slow today", running.events.filter(actor__isnull=False)).exists()

    def test_resumed_with_the_reports_against_it_it_offers_to_go_on(
        self, admin_client: Client, running: Campaign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        states.hold(running.pk, "Too few.", HoldKind.FEW_FIRST)
        monkeypatch.setattr(canary_figures, "stop_of", lambda campaign: "1 of 4 reports say delivered.")
        resume = reverse("admin:messaging_campaign_do", args=[running.pk, "resume"])

        for back in ("", reverse("admin:messaging_campaign_changelist")):
            page = admin_client.post(resume, {"next": back}, follow=True).content.decode()
            go_on = reverse("admin:messaging_campaign_go_on", args=[running.pk])
            assert f'1 of 4 reports say delivered. <a class="c-link" href="{go_on}">Go on now</a>' in page

    def test_gone_on_with_while_it_is_paused_it_says_what_is_left_to_do(
        self, admin_client: Client, running: Campaign
    ) -> None:
        campaigns.pause(running.pk)
        go_on = reverse("admin:messaging_campaign_go_on", args=[running.pk])

        page = admin_client.post(go_on, {"reason": "seen"}, follow=True).content.decode()

        assert "Nothing leaves before it is resumed." in page
        assert "The rest is sent now" not in page

    def test_it_takes_the_right_to_launch(self, client: Client, running: Campaign) -> None:
        person = User.objects.create_user("viewer", is_staff=True)
        person.user_permissions.add(Permission.objects.get(codename="view_campaign"))
        client.force_login(person)

        go_on = reverse("admin:messaging_campaign_go_on", args=[running.pk])
        assert client.post(go_on, {"reason": "x"}).status_code == 403
        assert (
            'id="go-on"'
            not in client.get(reverse("admin:messaging_campaign_change", args=[running.pk])).content.decode()
        )
