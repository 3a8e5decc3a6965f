"""The pages of budgets: the list, the front page's line, the look before a launch, and lifting."""

import datetime as dt
import re
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from laaffic_console.gateway.models import Application
from messaging.models import Budget, BudgetCounter, Campaign, CampaignState, ContactGroup
from messaging.services.budgets import budgets
from messaging.services.campaigns import drafts, launch_checks
from messaging.services.forecast import forecast
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db
LIST = "admin:messaging_budget_changelist"


@pytest.fixture
def budget(application: Application) -> Budget:
    made = budgets.put(application, per="day", limit=Decimal(1000))
    BudgetCounter.objects.create(budget=made, starts_on=budgets.today(), used=850)
    return made


@pytest.mark.usefixtures("budget")
class PageTests:
    def test_the_list_says_what_has_gone(self, admin_client: Client) -> None:
        page = admin_client.get(reverse(LIST)).content.decode()

        assert "850 messages, 85%" in page
        assert "150 messages" in page

    def test_the_front_page_has_a_line(self, admin_client: Client) -> None:
        page = " ".join(admin_client.get(reverse("admin:index")).content.decode().split())

        assert "has used 85% of its budget for a day, 1,000 messages." in page

    def test_raised_it_says_that_what_it_holds_is_resumed_by_a_person(
        self, admin_client: Client, budget: Budget, group: ContactGroup
    ) -> None:
        app = budget.application
        draft = drafts.create(name="A", application=app, sender_id="", text="Hi", groups=[group])
        BudgetCounter.objects.update(used=1000)
        Campaign.objects.update(state=CampaignState.HELD, hold_reason=budgets.used_up(budget))
        own = reverse("admin:messaging_campaign_change", args=[draft.pk])
        before = admin_client.get(own).content.decode()

        saved = admin_client.post(
            reverse("admin:messaging_budget_change", args=[budget.pk]), {"limit": "2000"}, follow=True
        )

        assert "What a budget holds does not go on by itself: resume it." in saved.content.decode()
        said = "By now something is left, or the budget was lifted. Whether it is enough shows when it is resumed."
        assert [said in page for page in (before, admin_client.get(own).content.decode())] == [False, True]

    @pytest.mark.parametrize(
        ("rights", "says", "is_linked"),
        [
            ((), "In the list of budgets somebody who may change budgets can raise its limit", False),
            (("change_budget",), "In the list of budgets somebody", False),  # without the list it is not within reach
            (("view_budget",), "In the list of budgets somebody who may change budgets can raise its limit", True),
            (("view_budget", "change_budget"), "You can raise the limit in the list of budgets", True),
            (("view_budget", "approve_campaign"), "You can lift it in the list of budgets", True),
            (("view_budget", "change_budget", "approve_campaign"), "You can raise the limit, or lift the budget", True),
        ],
    )
    def test_what_it_holds_says_who_may_raise_or_lift_it(
        self, client: Client, budget: Budget, group: ContactGroup, rights: tuple[str, ...], says: str, is_linked: bool
    ) -> None:
        draft = drafts.create(name="A", application=budget.application, sender_id="", text="Hi", groups=[group])
        Campaign.objects.update(state=CampaignState.HELD, hold_reason=budgets.used_up(budget))
        reader = User.objects.create_user("reader", is_staff=True)
        reader.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", *rights]))
        client.force_login(reader)

        page = " ".join(
            client.get(reverse("admin:messaging_campaign_change", args=[draft.pk])).content.decode().split()
        )

        assert says in page
        assert ('id="budgets"' in page) is is_linked

    @pytest.mark.parametrize(("limit", "said"), [(10, "850 messages: 840 messages above the limit"), (850, ", 100%")])
    def test_beyond_its_limit_no_share_is_shown(
        self, admin_client: Client, application: Application, limit: int, said: str
    ) -> None:
        budgets.put(application, per="day", limit=Decimal(limit))
        printed = StringIO()

        page = admin_client.get(reverse(LIST)).content.decode()
        front = " ".join(admin_client.get(reverse("admin:index")).content.decode().split())
        call_command("budget", "list", stdout=printed)

        assert said in page
        assert ("has used more than its budget for a day, 10 messages." in front) == (limit == 10)
        assert not any(share in text for text in (page, front, printed.getvalue()) for share in ("8,500%", "8500%"))

    def test_its_limit_is_edited_as_people_write_it(self, admin_client: Client, budget: Budget) -> None:
        page = admin_client.get(reverse("admin:messaging_budget_change", args=[budget.pk])).content.decode()

        assert 'value="1000"' in page

    def test_its_limit_is_read_as_people_write_it(self, client: Client, budget: Budget) -> None:
        reader = User.objects.create_user("reader", is_staff=True)
        reader.user_permissions.add(Permission.objects.get(codename="view_budget"))
        client.force_login(reader)

        page = client.get(reverse("admin:messaging_budget_change", args=[budget.pk])).content.decode()

        assert "1,000 messages" in page
        assert "1000.000000" not in page

    def test_a_limit_of_nothing_is_refused(self, admin_client: Client, budget: Budget) -> None:
        page = admin_client.post(reverse("admin:messaging_budget_change", args=[budget.pk]), {"limit": "0"})

        assert "To send nothing, pause the campaigns" in page.content.decode()


class LiftTests:
    def lift(self, client: Client, budget: Budget, **given: str) -> str:
        asked = {"action": "lift", "_selected_action": [budget.pk]}
        page = client.post(reverse(LIST), asked).content.decode()
        shown = dict(re.findall(r'<input type="hidden" name="(day)" value="([^"]*)"', page))
        given = {"_confirmed": "1", "why": "the fair"} | shown | given
        return client.post(reverse(LIST), asked | given, follow=True).content.decode()

    def test_an_approver_lifts_it_with_a_reason(self, client: Client, budget: Budget) -> None:
        self.lift(signed_in(client, "approve_campaign"), budget)

        counter = BudgetCounter.objects.get()
        assert (counter.lift_reason, str(counter.lifted_by)) == ("the fair", "somebody")
        assert budgets.nearly_used() == []

    def test_nobody_else_does(self, client: Client, budget: Budget) -> None:
        self.lift(signed_in(client), budget)

        assert BudgetCounter.objects.get().lifted_at is None

    def test_what_was_asked_on_the_day_before_lifts_no_new_day(self, client: Client, budget: Budget) -> None:
        """The question was open at midnight."""
        day_before = budgets.today() - dt.timedelta(days=1)

        page = self.lift(signed_in(client, "approve_campaign"), budget, day=day_before.isoformat())

        assert "A new day has begun since you looked" in page
        assert not BudgetCounter.objects.exclude(lifted_at=None).exists()

    @pytest.mark.parametrize("day", ["", "soon"])
    def test_a_page_that_does_not_say_its_day_lifts_nothing(self, client: Client, budget: Budget, day: str) -> None:
        self.lift(signed_in(client, "approve_campaign"), budget, day=day)

        assert not BudgetCounter.objects.exclude(lifted_at=None).exists()


def signed_in(client: Client, *rights: str) -> Client:
    user = User.objects.create_user("somebody", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_budget", "change_budget", *rights]))
    client.force_login(user)
    return client


@pytest.mark.parametrize(("limit", "is_said"), [(9, True), (10, False)])
def test_the_page_before_the_launch_warns(
    application: Application, group: ContactGroup, limit: int, is_said: bool
) -> None:
    budgets.put(application, per="day", limit=Decimal(limit))
    add_contacts(group, 10)
    draft = drafts.create(name="A", application=application, sender_id="", text="Hello", groups=[group])

    checks = launch_checks.of(draft, forecast.of(draft))

    assert ("budget" in {check.key.partition(":")[0] for check in checks}) == is_said
