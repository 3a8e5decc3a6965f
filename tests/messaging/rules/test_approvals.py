"""A second person's word: when it is needed, what voids it, and that nothing starts without it."""

import datetime as dt
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from laaffic_console import conf
from laaffic_console.audit.models import AuditEntry
from laaffic_console.events.kinds import Kind
from laaffic_console.events.models import Event
from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.words.not_now import NotNow
from messaging.exports import dossiers
from messaging.models import Approval, Campaign, CampaignState, Contact, ContactGroup, ListPrice
from messaging.services.approvals import approval_limits, approval_rules, approvals, shown
from messaging.services.approvals.approvable import Plan
from messaging.services.audience import audience_counts
from messaging.services.campaigns import campaigns, drafts, launch_checks, starting
from messaging.services.forecast import forecast
from tests.messaging.conftest import add_contacts
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 10.0)  # on a busy machine a page may not count to the end
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_APPROVAL_RECIPIENTS = 2
    account.laaffic_client.cache_clear()


@pytest.fixture
def draft(application: Application, group: ContactGroup) -> Campaign:
    add_contacts(group, 3)
    return drafts.create(name="Autumn", application=application, sender_id="", text="Hi", groups=[group])


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_superuser("bob")


class WithdrawTests:
    def test_nobody_is_asked_any_more_and_the_history_says_who_withdrew_it(
        self, draft: Campaign, ada: User, bob: User, client: Client
    ) -> None:
        approvals.ask(draft.pk, by=ada)
        asked = draft.approvals.get()
        review = reverse("admin:messaging_campaign_review", args=[draft.pk])
        client.force_login(ada)
        assert "withdraw-approval" in client.get(review).content.decode()

        posted = hidden(client, review)
        address = reverse("admin:messaging_campaign_approval", args=[draft.pk, "withdraw"])

        for stale in ({}, {**posted, "digest": "another"}):
            client.post(address, stale)
            assert draft.approvals.get().outcome == "asked"
        client.post(address, posted)

        asked.refresh_from_db()
        assert (asked.outcome, asked.decided_by) == ("withdrawn", ada)
        assert asked.bound_to == {}  # a version that takes the outcome for an approval finds no draft that it is for
        assert json.loads(b"".join(dossiers.approvals(draft).content()))["approvals"][0]["changed_since"] == []
        assert not approvals.waiting_for(bob).exists()
        assert "second person has to approve" in approval_rules.missing(draft)
        with pytest.raises(NotNow, match=r"ada has withdrawn the request for approval of “Autumn”, at .*\d:\d"):
            approvals.decide(draft.pk, by=bob, approve=True)
        said = draft.events.select_related("actor").first()
        assert (str(said.text), said.actor) == ("Request for approval withdrawn", ada)
        audited = AuditEntry.objects.filter(kind="approval", person="ada").values_list("summary", flat=True)
        assert "withdrawn" in f"{audited.order_by('-pk')[0]}"
        assert Event.objects.filter(kind=Kind.APPROVAL_WITHDRAWN).exists()
        page = client.get(review).content.decode()
        assert "withdraw-approval" not in page
        assert "ada withdrew the request" in page
        assert "Ask again" in page
        assert approvals.ask(draft.pk, by=ada).outcome == "asked"

    def test_what_was_approved_is_not_withdrawn(self, draft: Campaign, ada: User, bob: User) -> None:
        approved(draft, ada, bob)

        with pytest.raises(NotNow, match="bob has approved “Autumn” already, at "):
            approvals.withdraw(draft.pk, by=ada)

    def test_where_nothing_was_asked_that_is_said(self, draft: Campaign, ada: User) -> None:
        with pytest.raises(NotNow, match="No approval is asked for “Autumn” at the moment"):
            approvals.withdraw(draft.pk, by=ada)

    def test_what_was_changed_since_it_was_asked_for_is_said_to_be(self, draft: Campaign, ada: User, bob: User) -> None:
        approvals.ask(draft.pk, by=ada)
        draft.approvals.update(outcome=Approval.Outcome.VOID)

        with pytest.raises(NotNow, match="“Autumn” was changed since approval was asked for"):
            approvals.decide(draft.pk, by=bob, approve=True)


def approved(draft: Campaign, ada: User, bob: User) -> None:
    approvals.ask(draft.pk, by=ada)
    approvals.decide(draft.pk, by=bob, approve=True)


def raising(problem: Exception) -> Callable[..., Any]:
    def act(*args: object, **given: object) -> Any:
        raise problem

    return act


def outcomes(draft: Campaign) -> list[str]:
    return list(draft.approvals.order_by("pk").values_list("outcome", flat=True))


class NeedTests:
    def test_a_limit_of_one_is_said_as_one(self, draft: Campaign, ada: User, settings: LazySettings) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 1

        with pytest.raises(NotNow, match="more than 1 recipient: a second person"):
            starting.launch(draft.pk, by=ada)

    def test_a_launch_without_it_is_refused_everywhere(self, draft: Campaign, ada: User) -> None:
        with pytest.raises(NotNow, match="more than 2 recipients: a second person"):
            starting.launch(draft.pk, by=ada)

        assert Campaign.objects.get().state == CampaignState.DRAFT
        assert launch_checks.of(draft, forecast.of(draft))[0].level == "stop"

    @pytest.mark.parametrize("limit", [0, 3])
    def test_a_smaller_one_needs_none(self, draft: Campaign, settings: Any, limit: int) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = limit

        assert starting.launch(draft.pk).state == CampaignState.RUNNING

    @pytest.mark.parametrize(("price", "is_needed"), [("0.5", True), ("0.3", False), (None, True)])
    def test_a_dear_one_or_one_of_unknown_cost_needs_it(
        self, draft: Campaign, settings: Any, price: str | None, is_needed: bool
    ) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS, settings.LAAFFIC_APPROVAL_COST = 0, Decimal(1)
        if price:
            ListPrice.objects.create(country="IN", price=Decimal(price), currency="USD")

        assert bool(approval_rules.missing(draft)) is is_needed

    @pytest.mark.parametrize(
        ("limit", "prices", "is_needed"),
        [
            (Decimal(1), {"IN": ("0.2", "USD"), "DE": ("0.3", "EUR")}, False),  # 0.4 + 0.3 of one
            (Decimal(1), {"IN": ("0.4", "USD"), "DE": ("0.3", "EUR")}, True),  # 0.8 + 0.3: each alone is under it
            ({"USD": Decimal(10), "EUR": Decimal(1)}, {"IN": ("4", "USD"), "DE": ("0.1", "EUR")}, False),
            ({"USD": Decimal(10), "EUR": Decimal(1)}, {"IN": ("4", "USD"), "DE": ("0.3", "EUR")}, True),
            ({"USD": Decimal(10)}, {"IN": ("0.1", "USD"), "DE": ("0.1", "EUR")}, True),  # nothing says how much EUR
        ],
    )
    def test_a_cost_in_two_currencies_is_not_less_than_in_one(
        self,
        draft: Campaign,
        settings: Any,
        limit: Any,
        prices: dict[str, tuple[str, str]],
        is_needed: bool,
    ) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS, settings.LAAFFIC_APPROVAL_COST = 0, limit
        Contact.objects.order_by("pk").last().delete()  # two in India are left
        Contact.objects.create(number="4915123456789", country="DE").groups.add(draft.groups.get())
        for country, (price, currency) in prices.items():
            ListPrice.objects.create(country=country, price=Decimal(price), currency=currency)

        assert bool(approval_rules.missing(draft)) is is_needed

    def test_a_test_message_needs_none(self, draft: Campaign, settings: Any) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS, settings.LAAFFIC_APPROVAL_COST = 0, Decimal("0.001")

        assert starting.launch_test(draft, "919876500000", by=None).state == CampaignState.RUNNING

    def test_a_test_that_was_left_behind_is_none_once_it_is_edited(
        self, draft: Campaign, group: ContactGroup, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By an earlier version, where the database was away before its launch; then somebody gives it a group."""
        with monkeypatch.context() as away:
            away.setattr(starting, "launch", raising(OperationalError("database is locked")))
            with pytest.raises(OperationalError):
                starting.launch_test(draft, "919876500000", by=None)
        assert not Campaign.objects.filter(kind=Campaign.Kind.TEST).exists()
        left = drafts.create(
            name="Test", application=draft.application, sender_id="", text="Hi", numbers=["919876500000"],
            kind=Campaign.Kind.TEST,
        )  # fmt: skip

        drafts.save(left, groups=[group], excluded_groups=[], columns=["name"], by=None)

        left.refresh_from_db()
        assert left.kind == Campaign.Kind.CAMPAIGN
        with pytest.raises(NotNow, match="a second person"):
            starting.launch(left.pk)


class SettingTests:
    @pytest.mark.parametrize(
        ("given", "limit"),
        [
            ("", Decimal(0)),
            ("1000", Decimal(1000)),
            ("12.5", Decimal("12.5")),
            ("USD 1000, EUR 900", {"USD": Decimal(1000), "EUR": Decimal(900)}),
            ("usd:1000,eur=900.5", {"USD": Decimal(1000), "EUR": Decimal("900.5")}),
        ],
    )
    def test_a_cost_is_one_amount_or_one_for_each_currency(
        self, monkeypatch: pytest.MonkeyPatch, given: str, limit: Any
    ) -> None:
        monkeypatch.setenv("LAAFFIC_APPROVAL_COST", given)

        assert conf.limits("LAAFFIC_APPROVAL_COST") == limit

    @pytest.mark.parametrize("given", ["-1", "much", "USD", "USD 0", "USD 5, USD 6", "USD 5; EUR 6", "5, EUR 6"])
    def test_what_is_neither_is_refused_at_the_start(self, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        monkeypatch.setenv("LAAFFIC_APPROVAL_COST", given)

        with pytest.raises(ImproperlyConfigured, match="LAAFFIC_APPROVAL_COST"):
            conf.limits("LAAFFIC_APPROVAL_COST")


class WordTests:
    def test_with_it_the_launch_goes_on(self, draft: Campaign, ada: User, bob: User) -> None:
        approved(draft, ada, bob)

        assert starting.launch(draft.pk, by=ada).state == CampaignState.RUNNING
        assert [(event.text, str(event.actor)) for event in draft.events.order_by("pk")][1:3] == [
            ("Approval asked for: 3 recipients", "ada"),
            ("Approved", "bob"),
        ]

    @pytest.mark.parametrize("lost", [{"is_active": False}, {"is_superuser": False}])
    def test_who_may_not_approve_any_more_has_approved_nothing(
        self, draft: Campaign, ada: User, bob: User, lost: dict[str, bool]
    ) -> None:
        approved(draft, ada, bob)
        User.objects.filter(pk=bob.pk).update(**lost)

        with pytest.raises(NotNow, match="bob approved it, but may not approve any more"):
            starting.launch(draft.pk, by=ada)

        approved(draft, ada, User.objects.create_superuser("eve"))
        starting.launch(draft.pk, by=ada)

    def test_a_word_of_somebody_whose_account_was_deleted(self, draft: Campaign, ada: User, bob: User) -> None:
        approved(draft, ada, bob)
        bob.delete()
        assert approval_rules.missing(draft) == "somebody approved it, but may not approve any more. Ask again."

        eve = User.objects.create_superuser("eve")
        approvals.ask(draft.pk, by=ada)
        approvals.decide(draft.pk, by=eve, approve=False, note="too long")
        eve.delete()
        assert approval_rules.missing(draft) == "somebody refused it: too long"

    def test_nobody_approves_what_they_asked_for(self, draft: Campaign, ada: User) -> None:
        approvals.ask(draft.pk, by=ada)

        with pytest.raises(NotNow, match="another person"):
            approvals.decide(draft.pk, by=ada, approve=True)
        assert outcomes(draft) == ["asked"]

    def test_a_refusal_needs_a_reason_and_stops_it(self, draft: Campaign, ada: User, bob: User) -> None:
        approvals.ask(draft.pk, by=ada)
        with pytest.raises(ValidationError):
            approvals.decide(draft.pk, by=bob, approve=False, note=" ")
        approvals.decide(draft.pk, by=bob, approve=False, note="Wrong price")

        with pytest.raises(NotNow, match="bob refused it: Wrong price"):
            starting.launch(draft.pk, by=ada)

    def test_two_who_decide_at_once_decide_once(self, draft: Campaign, ada: User, bob: User) -> None:
        approved(draft, ada, bob)

        with pytest.raises(NotNow, match="bob has approved “Autumn” already"):
            approvals.decide(draft.pk, by=bob, approve=False, note="No")
        with pytest.raises(IntegrityError), transaction.atomic():
            Approval.objects.create(campaign=draft, recipients=1)

    def test_asking_again_makes_the_first_void(self, draft: Campaign, ada: User, bob: User) -> None:
        approved(draft, ada, bob)
        approvals.ask(draft.pk, by=bob)

        assert outcomes(draft) == ["void", "asked"]


def add_a_member(draft: Campaign) -> None:
    Contact.objects.create(number="919876599999").groups.add(draft.groups.get())


def swap_a_member(draft: Campaign) -> None:
    group = draft.groups.get()
    group.contacts.remove(group.contacts.first())
    add_a_member(draft)


EDITS: dict[str, Callable[[Campaign], Any]] = {
    "the text": lambda draft: Campaign.objects.update(text="Other"),
    "the sender ID": lambda draft: Campaign.objects.update(sender_id="OTHER"),
    "the schedule": lambda draft: Campaign.objects.update(scheduled_at=timezone.now() + dt.timedelta(days=1)),
    "rate and limits": lambda draft: Campaign.objects.update(rate_per_second=5),
    "the numbers": lambda draft: Campaign.objects.update(extra_numbers=["919876599998"]),
    "the groups": lambda draft: draft.excluded_groups.add(ContactGroup.objects.create(name="x")),
    "who is in the groups": add_a_member,
    "who is in the groups ": swap_a_member,
}


class VoidTests:
    @pytest.mark.parametrize("part", EDITS)
    def test_an_edit_voids_it_and_says_what_was_changed(self, draft: Campaign, ada: User, bob: User, part: str) -> None:
        approved(draft, ada, bob)
        EDITS[part](draft)

        with pytest.raises(NotNow, match=f"changed since approval was asked for: .*{part.strip()}"):
            starting.launch(draft.pk, by=ada)

    @pytest.mark.parametrize("part", EDITS)
    def test_what_was_changed_meanwhile_is_not_approved(self, draft: Campaign, ada: User, bob: User, part: str) -> None:
        approvals.ask(draft.pk, by=ada)
        EDITS[part](draft)

        with pytest.raises(NotNow, match="asked for again"):
            approvals.decide(draft.pk, by=bob, approve=True)

    def test_another_name_does_not(self, draft: Campaign, ada: User, bob: User) -> None:
        approved(draft, ada, bob)
        Campaign.objects.update(name="Winter")

        assert starting.launch(draft.pk).state == CampaignState.RUNNING

    def test_every_field_of_a_campaign_is_bound_or_said_not_to_be(self) -> None:
        bound = {field for _name, fields in shown.PARTS.values() for field in fields}

        assert {field.attname for field in Campaign._meta.concrete_fields} == bound | shown.NOT_BOUND
        assert not bound & shown.NOT_BOUND

    def test_a_scheduled_one_whose_people_changed_is_held_and_can_be_taken_back(
        self, draft: Campaign, ada: User, bob: User
    ) -> None:
        soon = timezone.now() + dt.timedelta(minutes=5)
        Campaign.objects.update(scheduled_at=soon)
        approved(draft, ada, bob)
        starting.launch(draft.pk, by=ada)
        add_a_member(draft)
        Campaign.objects.update(scheduled_at=timezone.now())

        starting.start_scheduled(draft.pk)

        draft.refresh_from_db()
        assert draft.state == CampaignState.HELD
        assert "who is in the groups" in draft.hold_reason
        with pytest.raises(NotNow):
            campaigns.resume(draft.pk, by=ada)
        assert starting.take_back(draft.pk, by=ada).state == CampaignState.DRAFT


class LaunchedTests:
    """What its own steps change once it was launched does not take the word back."""

    @pytest.fixture
    def scheduled(self, draft: Campaign, ada: User, bob: User) -> Campaign:
        soon = timezone.now() + dt.timedelta(minutes=5)
        Campaign.objects.update(scheduled_at=soon, latest_end=soon + dt.timedelta(hours=1))
        approved(draft, ada, bob)
        return starting.launch(draft.pk, by=ada)

    def test_another_pace_does_not_hold_it(
        self, scheduled: Campaign, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        campaigns.change_pace(scheduled.pk, rate_per_second=5, by=ada)
        later = timezone.now() + dt.timedelta(minutes=6)
        monkeypatch.setattr(database_clock, "now", lambda: later)

        starting.start_scheduled(scheduled.pk)

        scheduled.refresh_from_db()
        assert (scheduled.state, scheduled.hold_reason) == (CampaignState.RUNNING, "")

    def test_held_before_it_began_it_goes_on_past_its_end(
        self, scheduled: Campaign, ada: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        much_later = timezone.now() + dt.timedelta(days=1)
        for clock in (timezone, database_clock):
            monkeypatch.setattr(clock, "now", lambda: much_later)
        starting.start_scheduled(scheduled.pk)
        scheduled.refresh_from_db()
        assert "Resume to send it now" in scheduled.hold_reason

        assert campaigns.resume(scheduled.pk, by=ada).state in (CampaignState.RUNNING, CampaignState.SCHEDULED)

    def test_made_a_draft_again_it_counts_as_it_stands(self, scheduled: Campaign, ada: User) -> None:
        campaigns.change_pace(scheduled.pk, rate_per_second=5, by=ada)
        starting.take_back(scheduled.pk, by=ada)

        with pytest.raises(NotNow, match="rate and limits"):
            starting.launch(scheduled.pk, by=ada)

    def test_who_only_presses_save_is_no_author_and_may_approve(self, draft: Campaign, ada: User, bob: User) -> None:
        as_it_is = {
            "groups": list(draft.groups.all()),
            "excluded_groups": [],
            "columns": ["text", "name", "rate_per_second"],
        }

        drafts.save(draft, **as_it_is, by=bob)
        assert not draft.authors.filter(pk=bob.pk).exists()
        assert "Edited" not in draft.events.values_list("text", flat=True)

        for changed in ({"excluded_groups": as_it_is["groups"]}, {"groups": []}):
            drafts.save(draft, **{**as_it_is, **changed}, by=bob)
            assert draft.authors.filter(pk=bob.pk).exists()
            draft.authors.clear()
            drafts.save(draft, **as_it_is)

    def test_another_pace_of_a_draft_voids_it_and_makes_an_author(self, draft: Campaign, ada: User, bob: User) -> None:
        approved(draft, ada, bob)

        campaigns.change_pace(draft.pk, rate_per_second=5, by=bob)

        assert outcomes(draft) == ["void"]
        assert draft.authors.filter(pk=bob.pk).exists()


def badges(page: str) -> list[str]:
    """What is written behind the items of the menu: unfold draws each badge, also an empty one."""
    return re.findall(r'<span class="[^"]*uppercase min-w-\[18px\][^"]*">\s*(.*?)\s*</span>', page)


class PageTests:
    def address(self, draft: Campaign, verb: str) -> str:
        return reverse("admin:messaging_campaign_approval", args=[draft.pk, verb])

    def test_an_operator_asks_and_an_approver_decides(self, draft: Campaign, as_role: Callable[[str], Client]) -> None:
        operator, approver = as_role("Operator"), as_role("Approver")
        review = reverse("admin:messaging_campaign_review", args=[draft.pk])

        refused = [operator.post(self.address(draft, verb)).status_code for verb in ("approve", "refuse")]
        operator.post(self.address(draft, "ask"), {"note": "for the weekend"})
        given = hidden(approver, review)
        seen = [client.get(review).content.decode() for client in (operator, approver)]
        front = [client.get("/admin/").content.decode() for client in (operator, approver)]
        approver.post(self.address(draft, "approve"), given)
        operator.post(review, hidden(operator, review))

        assert refused == [403, 403]
        assert ['id="approve"' in page for page in seen] == [False, True]
        assert "for the weekend" in seen[1]
        assert ["waits for your approval" in page for page in front] == [False, True]
        assert [badges(page) for page in front] == [[], ["1"]]
        assert Campaign.objects.get().state == CampaignState.RUNNING

    def test_who_only_approves_cannot_ask(self, draft: Campaign, as_role: Callable[[str], Client]) -> None:
        assert as_role("Approver").post(self.address(draft, "ask")).status_code == 403
        assert as_role("Viewer").post(self.address(draft, "approve")).status_code == 403
        assert as_role("Operator").get(self.address(draft, "ask")).status_code == 404

    def test_a_draft_is_deleted_with_what_was_asked(self, admin_client: Client, draft: Campaign, ada: User) -> None:
        approvals.ask(draft.pk, by=ada)

        admin_client.post(reverse("admin:messaging_campaign_delete", args=[draft.pk]), {"post": "yes"})

        assert not Campaign.objects.exists()

    def test_an_edit_in_the_form_is_said_in_the_events(
        self, admin_client: Client, draft: Campaign, ada: User, bob: User
    ) -> None:
        approved(draft, ada, bob)
        admin_client.post(
            reverse("admin:messaging_campaign_change", args=[draft.pk]),
            {"name": "Autumn", "application": draft.application_id, "text": "Hi!", "groups": [draft.groups.get().pk]},
        )

        assert outcomes(draft) == ["void"]
        assert draft.events.first().text == "Approval void, changed: the text"


class LimitsPageTests:
    """What is said on the page counts instead of the environment; each change is on the record."""

    PAGE = reverse("admin:messaging_approvallimits_changelist")

    def save(self, client: Client, **given: str) -> Any:
        seen = client.get(self.PAGE).context["adminform"].form.seen_token
        return client.post(self.PAGE, {"_seen": seen, "recipients": "", "cost": "", **given})

    def test_that_they_are_saved_is_said_without_a_name(self, admin_client: Client) -> None:
        saved = self.save(admin_client, recipients="3")

        said = admin_client.get(saved["Location"]).content.decode()
        assert "The approval limits were changed." in said
        assert "was changed successfully" not in said

    def test_its_name_stands_once_above_it(self, admin_client: Client) -> None:
        above = admin_client.get(self.PAGE).content.decode().partition("<main")[0]
        titles = re.findall(r"tracking-tight\">\s*(.+?)\s*</", above)

        assert titles.count("Approval limits") == 1
        assert titles[0] == "Messaging"

    def test_it_counts_instead_of_the_environment_until_it_is_emptied(
        self, admin_client: Client, draft: Campaign
    ) -> None:
        assert "as the environment says, 2." in admin_client.get(self.PAGE).content.decode()
        assert approval_rules.missing(draft)

        self.save(admin_client, recipients="3")
        assert approval_rules.missing(draft) == ""

        self.save(admin_client, recipients="0", cost="USD 1000, EUR 900")
        assert approval_limits.now().cost == {"USD": Decimal(1000), "EUR": Decimal(900)}
        assert approval_rules.is_on()

        self.save(admin_client)
        assert approval_rules.missing(draft)

    def test_before_and_after_are_recorded(self, admin_client: Client) -> None:
        self.save(admin_client, recipients="500")
        self.save(admin_client, recipients="9000")

        last = AuditEntry.objects.filter(kind="changed").order_by("-id")[0]
        assert [change[1:] for change in last.details["changes"]] == [["500", "9000"]]

    def test_what_is_no_amount_is_said_and_stays(self, admin_client: Client) -> None:
        page = self.save(admin_client, cost="a lot").content.decode()

        assert "“a lot” is not an amount." in page
        assert 'value="a lot"' in page
        assert approval_limits.now().recipients == 2

    def test_changing_it_is_a_right_of_its_own(self, client: Client) -> None:
        approver = User.objects.create_user("approver", is_staff=True)
        approver.groups.add(Group.objects.get(name="Approver"))
        client.force_login(approver)
        page = client.get(self.PAGE)

        answer = client.post(self.PAGE, {"recipients": "1000000", "cost": ""})

        assert (page.status_code, answer.status_code) == (200, 403)
        assert approval_limits.now().recipients == 2


def test_what_is_still_counted_is_neither_launched_nor_the_same() -> None:
    uncounted = Plan(None, {})

    assert "still being counted" in approval_rules.stands_against(None, uncounted, "", None)
    assert approval_rules.changed_since(Approval(bound_to={}), None, uncounted) == ["how it is counted"]
