"""Several campaigns resumed from the list: each as by its own button, and what stays says why."""

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.account import account_hold
from messaging.admin.campaigns import resuming_several
from messaging.models import Batch, BatchState, Campaign, CampaignState, HoldKind
from messaging.services.budgets import budgets
from messaging.services.campaigns import campaigns, states

pytestmark = pytest.mark.django_db

LIST = "/admin/messaging/campaign/"
HELD = "/admin/messaging/campaign/?state__exact=held"


@pytest.fixture
def held(application: Application) -> list[Campaign]:
    return [made_held(application, f"Campaign {n}") for n in range(3)]


def made_held(application: Application, name: str) -> Campaign:
    made = Campaign.objects.create(
        name=name, application=application, text="Hi", state="running", audience=Campaign.Audience.FROZEN, total=5
    )
    Batch.objects.create(
        campaign=made, size=5, queued=5, first_message_id=1, last_message_id=5, state=BatchState.QUEUED
    )
    states.hold(made.pk, "Too many failed.")
    return made


def resumed(client: Client, chosen: list[Campaign], *, address: str = LIST, **given: str) -> str:
    asked = {"action": "resume_chosen", "_selected_action": [one.pk for one in chosen], "_confirmed": "1", **given}
    return " ".join(client.post(address, asked, follow=True).content.decode().split())


def in_state(state: CampaignState) -> set[str]:
    return set(Campaign.objects.filter(state=state).values_list("name", flat=True))


def test_it_asks_first_and_says_how_many(admin_client: Client, held: list[Campaign]) -> None:
    asked = {"action": "resume_chosen", "_selected_action": [one.pk for one in held[:2]]}

    page = " ".join(admin_client.post(LIST, asked).content.decode().split())

    assert "Resume: 2 campaigns" in page
    assert "What needs your agreement" in page
    assert not in_state(CampaignState.RUNNING)


def test_those_that_were_chosen_go_on(admin_client: Client, held: list[Campaign]) -> None:
    page = resumed(admin_client, held[:2], address=HELD)

    assert "2 campaigns go on." in page
    assert in_state(CampaignState.RUNNING) == {"Campaign 0", "Campaign 1"}
    assert Campaign.objects.get(pk=held[0].pk).events.filter(actor__isnull=False).exists()


def test_each_that_stays_says_why_with_a_link_to_its_page(admin_client: Client, held: list[Campaign]) -> None:
    ended, over, fine = held
    Campaign.objects.filter(pk=ended.pk).update(latest_end=timezone.now() - dt.timedelta(hours=1))
    Campaign.objects.filter(pk=over.pk).update(state=CampaignState.FINISHED, name="<b>Over</b>")

    page = resumed(admin_client, held)

    assert "1 campaign goes on." in page
    assert in_state(CampaignState.RUNNING) == {fine.name}
    assert Campaign.objects.get(pk=ended.pk).latest_end is not None
    link = reverse("admin:messaging_campaign_change", args=[ended.pk])
    assert f'<a class="c-link" href="{link}">Campaign 0</a>: Its latest end has come. On its page' in page
    assert "&lt;b&gt;Over&lt;/b&gt;</a>:" in page


def test_an_end_that_holds_it_is_not_lifted_in_bulk(admin_client: Client, application: Application) -> None:
    ended = made_held(application, "Ended")
    Campaign.objects.update(latest_end=timezone.now() - dt.timedelta(hours=1), hold_kind=HoldKind.LATEST_END)

    resumed(admin_client, [ended])

    assert in_state(CampaignState.HELD) == {"Ended"}
    assert Campaign.objects.get().latest_end is not None


def test_what_the_account_stops_is_not_counted_as_going_on(admin_client: Client, held: list[Campaign]) -> None:
    paused = held[0]
    campaigns.pause(paused.pk)
    account_hold.place_because("No balance.")

    page = resumed(admin_client, [paused])

    assert "go on." not in page
    assert "goes on." not in page
    assert "Campaign 0</a>: No balance." in page


def test_no_more_than_twenty_are_told_one_by_one(
    admin_client: Client, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_hold.place_because("No balance.")
    many = [made_held(application, f"Campaign {n}") for n in range(22)]
    Campaign.objects.update(state=CampaignState.PAUSED)

    page = resumed(admin_client, many)

    assert page.count("</a>: No balance.") == 20
    assert "Did not go on either: 2 more." in page


def test_too_many_at_once_are_refused_before_any_goes_on(
    admin_client: Client, held: list[Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming_several, "MOST", 2)

    page = resumed(admin_client, held)

    assert "At most 2 at once" in page
    assert not in_state(CampaignState.RUNNING)


def test_it_takes_the_right_to_launch(client: Client, held: list[Campaign]) -> None:
    user = User.objects.create_user("looks", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign"]))
    client.force_login(user)

    assert "resume_chosen" not in client.get(LIST).content.decode()
    resumed(client, held)

    assert not in_state(CampaignState.RUNNING)


class BudgetTests:
    def test_raised_or_lifted_it_leads_to_what_is_held(
        self, admin_client: Client, application: Application, held: list[Campaign]
    ) -> None:
        budget = budgets.put(application, per="day", limit=Decimal(1000))
        Campaign.objects.update(hold_reason=budgets.used_up(budget))
        lift = {"action": "lift", "_selected_action": [budget.pk], "_confirmed": "1", "why": "the fair"}
        listed = f"{LIST}?state__exact=held&application__id__exact={application.pk}"
        link = f'href="{escape(listed)}">See what is held</a>'

        pages = [
            admin_client.post(
                reverse("admin:messaging_budget_change", args=[budget.pk]), {"limit": "2000"}, follow=True
            ),
            admin_client.post(
                reverse("admin:messaging_budget_changelist"), lift | {"day": budgets.today().isoformat()}, follow=True
            ),
        ]

        assert [link in page.content.decode() for page in pages] == [True, True]
        assert "Campaign 2" in admin_client.get(listed).content.decode()

    def test_where_nothing_is_held_it_names_nothing_to_resume(
        self, admin_client: Client, application: Application
    ) -> None:
        budget = budgets.put(application, per="day", limit=Decimal(1000))
        lift = {"action": "lift", "_selected_action": [budget.pk], "_confirmed": "1", "why": "the fair"}

        page = admin_client.post(
            reverse("admin:messaging_budget_changelist"), lift | {"day": budgets.today().isoformat()}, follow=True
        ).content.decode()

        assert "1 budget is lifted." in page
        assert "Resume the campaigns" not in page
