"""What was shown is what happens: number, people, values and price are compared when the button is pressed, when the
time of a scheduled campaign has come, and when somebody approves."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from laaffic_console.gateway.models import AccountHold, Application
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.words.not_now import NotNow
from messaging.models import (
    AudienceCount,
    Campaign,
    CampaignState,
    Contact,
    ContactGroup,
    ListPrice,
    Message,
    SuppressionEntry,
    SuppressionRelease,
)
from messaging.services.approvals import approval_rules, approvals, shown
from messaging.services.audience import audience, audience_counts
from messaging.services.campaigns import campaigns, drafts, starting
from messaging.services.launching import seals
from tests.messaging.conftest import add_contacts
from tests.messaging.pages import hidden

pytestmark = pytest.mark.django_db
TEXT = "Hi {{name|you}}, see {{offer|us}}"


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_UNDO_SECONDS = 0
    account.laaffic_client.cache_clear()


@pytest.fixture
def write(application: Application, group: ContactGroup) -> Callable[..., Campaign]:
    add_contacts(group, 4, attributes={"offer": "us"})
    ListPrice.objects.create(country="IN", price=Decimal("0.01"), currency="USD")

    def make(**given: Any) -> Campaign:
        return drafts.create(
            **{"name": "Autumn", "application": application, "sender_id": "", "text": TEXT, "groups": [group], **given}
        )

    return make


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_superuser("ada")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_superuser("bob")


def review(campaign: Campaign) -> str:
    return reverse("admin:messaging_campaign_review", args=[campaign.pk])


def state_of(campaign: Campaign) -> str:
    return Campaign.objects.get(pk=campaign.pk).state


def join(group: ContactGroup, number: str = "919876599999") -> None:
    Contact.objects.create(number=number, country="IN").groups.add(group)


def swap(group: ContactGroup) -> None:
    """Other people whose ids add up to the same."""
    spare = [Contact.objects.create(number=f"91987659999{n}", country="IN") for n in range(4)]
    group.contacts.set([*list(group.contacts.order_by("pk"))[:2], spare[0], spare[3]])


def leave(group: ContactGroup) -> None:
    group.contacts.remove(group.contacts.order_by("pk").first())


def exclude(group: ContactGroup) -> None:
    others = ContactGroup.objects.create(name="not these")
    Campaign.objects.get().excluded_groups.add(others)
    group.contacts.order_by("pk").first().groups.add(others)


# {what is changed behind the page: how}
CHANGES: dict[str, Callable[[ContactGroup], Any]] = {
    "somebody joins": join,
    "somebody leaves": leave,
    "others with the same sum of ids": swap,
    "a number is changed": lambda group: Contact.objects.filter(number="919876500001").update(number="919876577777"),
    "an attribute becomes a link": lambda group: Contact.objects.filter(number="919876500001").update(
        attributes={"offer": "https://evil.example"}
    ),
    "a name is changed": lambda group: Contact.objects.filter(number="919876500001").update(name="Eve"),
    "somebody is excluded": exclude,
    "the text is edited": lambda group: Campaign.objects.update(text="Other"),
    "the price is raised": lambda group: ListPrice.objects.update(price=Decimal("0.02")),
    "the price is gone": lambda group: ListPrice.objects.all().delete(),
}
SUPPRESSED = {
    "somebody opts out": lambda group: SuppressionEntry.objects.create(number="919876500001", channel="sms"),
}


class ButtonTests:
    @pytest.mark.parametrize("change", [*CHANGES, *SUPPRESSED])
    def test_nothing_launches_when_it_is_not_what_was_shown(
        self, admin_client: Client, write: Callable[..., Campaign], group: ContactGroup, change: str
    ) -> None:
        draft = write()
        posted = hidden(admin_client, review(draft))
        (CHANGES | SUPPRESSED)[change](group)

        answer = admin_client.post(review(draft), posted).content.decode()

        assert "has changed since it was shown" in answer
        assert state_of(draft) == CampaignState.DRAFT

    def test_the_page_says_before_and_after_and_its_next_button_launches(
        self, admin_client: Client, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        draft = write(text="Hi")
        posted = hidden(admin_client, review(draft))
        join(group)

        answer = admin_client.post(review(draft), posted).content.decode()
        admin_client.post(review(draft), hidden(admin_client, review(draft)))

        assert "recipients: 4 before, 5 now" in answer
        assert "0.04 USD before, 0.05 USD now" in answer
        assert "Send 5 messages" in answer
        assert state_of(draft) == CampaignState.RUNNING

    @pytest.mark.parametrize("posted", [{}, {"shown": "nonsense"}])
    def test_a_page_that_showed_nothing_launches_nothing(
        self, admin_client: Client, write: Callable[..., Campaign], posted: dict[str, str]
    ) -> None:
        draft = write()

        admin_client.post(review(draft), posted)

        assert state_of(draft) == CampaignState.DRAFT

    def test_what_another_campaign_showed_does_not_count(
        self, admin_client: Client, write: Callable[..., Campaign]
    ) -> None:
        draft, other = write(), write(name="Other")

        admin_client.post(review(draft), hidden(admin_client, review(other)))

        assert state_of(draft) == CampaignState.DRAFT

    def test_a_tick_is_for_the_sentence_that_was_shown(
        self, admin_client: Client, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        draft = write(text="Hi {{name}}")
        Contact.objects.filter(number="919876500000").update(name="Ann")
        posted = hidden(admin_client, review(draft))
        Contact.objects.filter(number="919876500000").update(name="")

        answer = admin_client.post(review(draft), {**posted, "seen": ["field:name"]}).content.decode()

        assert state_of(draft) == CampaignState.DRAFT
        assert "4 of the first recipients have no name" in answer
        assert "checked" not in answer.split('value="field:name"')[1].split(">")[0]

    def test_a_large_audience_is_looked_at_by_a_job_before_it_starts(
        self,
        admin_client: Client,
        write: Callable[..., Campaign],
        group: ContactGroup,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(audience_counts, "QUICK", 2)
        draft = write()
        posted = hidden(admin_client, review(draft))
        join(group)

        admin_client.post(review(draft), posted)
        launched = state_of(draft)
        starting.start_launched(draft.pk)

        held = Campaign.objects.get(pk=draft.pk)
        assert (launched, held.state) == (CampaignState.SCHEDULED, CampaignState.HELD)
        assert "recipients: 4 before, 5 now" in held.hold_reason
        assert not Message.objects.exists()


class TimeTests:
    def launched(self, write: Callable[..., Campaign], **given: Any) -> Campaign:
        draft = write(scheduled_at=timezone.now() + dt.timedelta(hours=1), **given)
        return starting.launch(draft.pk)

    @pytest.fixture
    def come(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Campaign], Campaign]:
        """Its time, without an edit of the schedule."""

        def start(campaign: Campaign) -> Campaign:
            later = timezone.now() + dt.timedelta(hours=1, seconds=1)
            for clock in (timezone, database_clock):
                monkeypatch.setattr(clock, "now", lambda: later)
            starting.start_scheduled(campaign.pk)
            return Campaign.objects.get(pk=campaign.pk)

        return start

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_scheduled_one_is_held_when_it_is_not_what_was_shown(
        self,
        write: Callable[..., Campaign],
        group: ContactGroup,
        come: Callable[[Campaign], Campaign],
        ada: User,
        change: str,
    ) -> None:
        campaign = self.launched(write)
        CHANGES[change](group)

        held = come(campaign)

        assert held.state == CampaignState.HELD
        assert "has changed since it was launched" in held.hold_reason
        with pytest.raises(NotNow, match="Make it a draft again"):
            campaigns.resume(campaign.pk, by=ada)

    @pytest.mark.parametrize(("most", "state"), [("1", CampaignState.RUNNING), ("0.05", CampaignState.HELD)])
    def test_a_price_that_became_known_since_holds_nothing_within_the_limit(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign], settings: Any, most: str, state: str
    ) -> None:
        """The first report of a test teaches it."""
        campaign = self.launched(write, numbers=["+49 151 23456789"])
        ListPrice.objects.create(country="DE", price=Decimal("0.03"), currency="EUR")
        settings.LAAFFIC_APPROVAL_COST = Decimal(most)

        assert come(campaign).state == state

    def test_beside_a_price_that_became_known_another_price_that_moved_still_holds(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign]
    ) -> None:
        campaign = self.launched(write, numbers=["+49 151 23456789"])
        ListPrice.objects.update(price=Decimal("0.02"))
        ListPrice.objects.create(country="DE", price=Decimal("0.03"), currency="USD")

        assert "0.04 USD + unknown for 1 before, 0.11 USD now" in come(campaign).hold_reason

    def test_it_is_resumed_at_the_new_cost_that_was_agreed_to(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign], admin_client: Client
    ) -> None:
        campaign = self.launched(write)
        ListPrice.objects.update(price=Decimal("0.02"))
        come(campaign)
        own = reverse("admin:messaging_campaign_change", args=[campaign.pk])
        do = reverse("admin:messaging_campaign_do", args=[campaign.pk, "resume"])
        page = admin_client.get(own).content.decode()
        agreed = hidden(admin_client, own)["agreed"]

        back = {"next": reverse("admin:messaging_campaign_changelist")}
        told = admin_client.post(f"{do}?{urlencode(back)}", follow=True).content.decode()  # by a page that did not ask
        assert state_of(campaign) == CampaignState.HELD
        assert f'<a class="c-link" href="{own}">Open the page of “{campaign.name}”</a>' in told
        ListPrice.objects.update(price=Decimal("0.03"))
        admin_client.post(do, {"agreed": agreed})
        assert state_of(campaign) == CampaignState.HELD
        admin_client.post(do, {"agreed": hidden(admin_client, own)["agreed"]})

        assert "0.04 USD before, 0.08 USD now. Resume it at the new cost?" in page
        assert state_of(campaign) == CampaignState.RUNNING
        assert any("0.04 USD before, 0.12 USD now" in event.text for event in campaign.events.all())
        assert Campaign.objects.get().shown["cost"] == {"USD": "0.120000"}

    def test_the_new_cost_is_agreed_to_while_the_account_is_held(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign], ada: User
    ) -> None:
        campaign = self.launched(write)
        ListPrice.objects.update(price=Decimal("0.02"))
        come(campaign)
        account_hold.place_because("No key.")

        with pytest.raises(NotNow, match="agree to the new cost"):
            campaigns.resume(campaign.pk, by=ada)
        campaigns.resume(campaign.pk, by=ada, agreed=shown.Agreed({"USD": Decimal("0.08")}))
        waits = Campaign.objects.get()
        account_hold.end_by_hand(AccountHold.objects.get().pk, ada)
        campaigns.follow_account()
        starting.start_scheduled(campaign.pk)

        assert (waits.state, waits.hold_kind) == (CampaignState.HELD, "account")
        assert state_of(campaign) == CampaignState.RUNNING

    def test_what_the_page_before_a_launch_has_sealed_agrees_to_nothing(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign], admin_client: Client
    ) -> None:
        draft = write(scheduled_at=timezone.now() + dt.timedelta(hours=1))
        sealed = hidden(admin_client, review(draft))["shown"]
        starting.launch(draft.pk)
        ListPrice.objects.update(price=Decimal("0.02"))
        come(draft)

        for posted in (sealed, sealed[:-1], seals.token(draft, [{"USD": "1"}, 0], {})):
            told = admin_client.post(
                reverse("admin:messaging_campaign_do", args=[draft.pk, "resume"]), {"agreed": posted}, follow=True
            )
            assert "agree to the new cost" in told.content.decode()
            assert state_of(draft) == CampaignState.HELD

    def test_its_page_moves_by_itself_and_only_looks(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign], admin_client: Client
    ) -> None:
        campaign = self.launched(write)
        ListPrice.objects.update(price=Decimal("0.02"))
        come(campaign)
        own = reverse("admin:messaging_campaign_change", args=[campaign.pk])
        admin_client.get(own)

        with CaptureQueriesContext(connection) as asked:
            assert "Resume it at the new cost?" in admin_client.get(own).content.decode()
        AudienceCount.objects.update(counted_for="another audience")
        old = list(AudienceCount.objects.values())
        with CaptureQueriesContext(connection) as without:
            assert "Resume it at the new cost?" not in admin_client.get(own).content.decode()

        said = [query["sql"] for query in [*asked, *without]]
        assert [sql for sql in said if sql.startswith(("INSERT", "UPDATE", "DELETE"))] == []
        assert list(AudienceCount.objects.values()) == old
        admin_client.post(reverse("admin:messaging_campaign_do", args=[campaign.pk, "resume"]))
        assert "Resume it at the new cost?" in admin_client.get(own).content.decode()  # a press counts

    def test_nobody_is_asked_to_agree_where_it_has_to_be_approved_first(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign], admin_client: Client, settings: Any
    ) -> None:
        campaign = self.launched(write)
        ListPrice.objects.update(price=Decimal("0.02"))
        come(campaign)
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 3
        own = reverse("admin:messaging_campaign_change", args=[campaign.pk])
        do = reverse("admin:messaging_campaign_do", args=[campaign.pk, "resume"])
        said = "a second person has to approve it. Make it a draft again: then it can be approved."

        page = admin_client.get(own).content.decode()
        told = admin_client.post(do, follow=True).content.decode()
        Campaign.objects.update(state=CampaignState.SCHEDULED)
        starting.start_scheduled(campaign.pk)
        held = Campaign.objects.get(pk=campaign.pk)
        once = admin_client.get(own).content.decode()

        assert said in page
        assert "Resume it at the new cost?" not in page
        assert told.count(said) == 2  # beside its button, and as the answer
        assert said in held.hold_reason
        assert 'id="unapproved"' not in once  # its hold says it

    def test_an_agreed_cost_lets_nobody_else_in(
        self, write: Callable[..., Campaign], group: ContactGroup, come: Callable[[Campaign], Campaign], ada: User
    ) -> None:
        campaign = self.launched(write)
        join(group)
        come(campaign)

        with pytest.raises(NotNow, match="Make it a draft again"):
            campaigns.resume(campaign.pk, by=ada, agreed=shown.Agreed({"USD": Decimal(1)}))

    def test_from_the_shell_too(self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign]) -> None:
        campaign = self.launched(write)
        ListPrice.objects.update(price=Decimal("0.02"))
        come(campaign)

        call_command("campaign", "resume", f"{campaign.pk}", "--cost", "USD 0.07")
        assert state_of(campaign) == CampaignState.HELD
        call_command("campaign", "resume", f"{campaign.pk}", "--cost", "USD 0.08")

        assert state_of(campaign) == CampaignState.RUNNING

    def test_paused_before_its_time_it_can_be_made_a_draft_again(
        self, write: Callable[..., Campaign], group: ContactGroup, ada: User, admin_client: Client
    ) -> None:
        campaign = self.launched(write)
        campaigns.pause(campaign.pk)
        join(group)
        Campaign.objects.update(scheduled_at=timezone.now())
        with pytest.raises(NotNow, match="Make it a draft again"):
            campaigns.resume(campaign.pk, by=ada)
        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

        assert "Back to draft" in page
        assert starting.take_back(campaign.pk, by=ada).state == CampaignState.DRAFT

    def test_paused_while_it_runs_it_cannot(self, write: Callable[..., Campaign], admin_client: Client) -> None:
        campaign = starting.launch(write().pk)
        campaigns.pause(campaign.pk)
        page = admin_client.get(reverse("admin:messaging_campaign_change", args=[campaign.pk])).content.decode()

        assert "Back to draft" not in page
        with pytest.raises(NotNow):
            starting.take_back(campaign.pk)

    def test_it_starts_when_nothing_has_changed_or_some_opted_out(
        self, write: Callable[..., Campaign], group: ContactGroup, come: Callable[[Campaign], Campaign]
    ) -> None:
        campaign = self.launched(write)
        campaigns.change_pace(campaign.pk, rate_per_second=5)
        SUPPRESSED["somebody opts out"](group)

        assert come(campaign).state == CampaignState.RUNNING

    def test_who_was_taken_off_the_suppression_list_since_was_not_shown(
        self, write: Callable[..., Campaign], group: ContactGroup, come: Callable[[Campaign], Campaign]
    ) -> None:
        SuppressionEntry.objects.create(number="919876500000", channel="sms")
        campaign = self.launched(write)
        entry = SuppressionEntry.objects.get()
        SuppressionRelease.objects.create(number=entry.number, channel="sms", suppressed_at=timezone.now(), why="asked")
        entry.delete()
        for n in (1, 2):
            SuppressionEntry.objects.create(number=f"91987650000{n}", channel="sms")

        assert come(campaign).state == CampaignState.HELD

    @pytest.mark.parametrize(
        ("given", "starts"),
        [({}, True), ({"numbers": ["+44 7700 900123"]}, False), ({"numbers": ["+44 7700 900124"]}, True)],
    )
    def test_that_strangers_were_taken_off_it_holds_nothing(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign], given: dict[str, Any], starts: bool
    ) -> None:
        """A START of somebody else, while one of its own people opts out, is the rule in a busy console."""
        stranger = SuppressionEntry.objects.create(number="447700900123", channel="sms")
        campaign = self.launched(write, **given)
        SuppressionRelease.objects.create(number=stranger.number, channel="sms", suppressed_at=timezone.now(), why="a")
        stranger.delete()
        for n in (1, 2):
            SuppressionEntry.objects.create(number=f"91987650000{n}", channel="sms")

        assert come(campaign).state == (CampaignState.RUNNING if starts else CampaignState.HELD)

    def test_many_that_nobody_looks_through_may_be_its_own(
        self, write: Callable[..., Campaign], come: Callable[[Campaign], Campaign], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shown, "MANY_BACK", 1)
        campaign = self.launched(write)
        for number in ("447700900123", "447700900124"):
            SuppressionRelease.objects.create(number=number, channel="sms", suppressed_at=timezone.now(), why="asked")
        SuppressionEntry.objects.create(number="919876500001", channel="sms")

        assert come(campaign).state == CampaignState.HELD

    def test_who_joins_once_it_has_started_is_not_in(
        self, write: Callable[..., Campaign], group: ContactGroup, come: Callable[[Campaign], Campaign]
    ) -> None:
        Contact.objects.create(number="919876500999", country="IN")  # has an id within the audience's end
        campaign = self.launched(write)
        come(campaign)
        group.contacts.add(Contact.objects.get(number="919876500999"))

        while audience.freeze_chunk(campaign.pk):
            pass

        assert Message.objects.count() == 4


class ApprovalTests:
    @pytest.fixture(autouse=True)
    def _limit(self, settings: Any) -> None:
        settings.LAAFFIC_APPROVAL_RECIPIENTS = 3

    @pytest.mark.parametrize("change", CHANGES)
    def test_it_is_bound_to_who_gets_what(
        self, write: Callable[..., Campaign], group: ContactGroup, ada: User, bob: User, change: str
    ) -> None:
        draft = write()
        approvals.ask(draft.pk, by=ada)
        approvals.decide(draft.pk, by=bob, approve=True)
        if "leaves" in change or "excluded" in change:
            join(group)  # it stays above the limit
        CHANGES[change](group)

        with pytest.raises(NotNow, match="changed since"):
            starting.launch(draft.pk, by=ada)

    @pytest.mark.parametrize(("price", "counts"), [("0.03", True), ("2", False)])
    def test_it_counts_still_when_an_unknown_price_has_become_known_within_the_limit(
        self, write: Callable[..., Campaign], ada: User, bob: User, settings: Any, price: str, *, counts: bool
    ) -> None:
        settings.LAAFFIC_APPROVAL_COST = Decimal(1)
        draft = write(numbers=["+49 151 23456789"])
        approvals.ask(draft.pk, by=ada)
        approvals.decide(draft.pk, by=bob, approve=True)
        ListPrice.objects.create(country="DE", price=Decimal(price), currency="USD")
        missing = approval_rules.missing(draft)

        assert ("changed since" in missing) is not counts
        assert bool(missing) is not counts

    def test_a_group_that_grew_past_the_limit_needs_it_though_it_was_counted_before(
        self, write: Callable[..., Campaign], group: ContactGroup
    ) -> None:
        draft = write()
        leave(group)
        audience_counts.complete(draft)
        add_contacts(group, 30, first=919876510000)

        with pytest.raises(NotNow, match="second person"):
            starting.launch(draft.pk)

    def test_a_stale_page_decides_nothing(
        self, client: Client, write: Callable[..., Campaign], ada: User, bob: User
    ) -> None:
        draft = write()
        approvals.ask(draft.pk, by=ada)
        client.force_login(bob)
        stale = hidden(client, review(draft))
        Campaign.objects.update(text="Something else")
        approvals.ask(draft.pk, by=ada)
        address = reverse("admin:messaging_campaign_approval", args=[draft.pk, "approve"])

        for posted in (stale, {}, {**hidden(client, review(draft)), "digest": stale["digest"]}):
            client.post(address, posted)
            assert draft.approvals.first().outcome == "asked"
        client.post(address, hidden(client, review(draft)))

        assert draft.approvals.first().outcome == "approved"

    def test_who_wrote_or_edited_the_draft_does_not_approve_it_whoever_asks(
        self, client: Client, write: Callable[..., Campaign], ada: User, bob: User
    ) -> None:
        carol = User.objects.create_superuser("carol")
        draft = write(by=ada)
        client.force_login(bob)
        client.post(
            reverse("admin:messaging_campaign_change", args=[draft.pk]),
            {"name": "Autumn", "application": draft.application_id, "text": "Hi!", "groups": [draft.groups.get().pk]},
        )
        approvals.ask(draft.pk, by=carol)

        for author in (ada, bob):
            with pytest.raises(NotNow, match="You wrote this"):
                approvals.decide(draft.pk, by=author, approve=True)
        assert not approvals.waiting_for(bob).exists()


def test_a_value_is_written_alike_wherever_it_was_read_from() -> None:
    aware = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

    assert shown._plain(aware) == shown._plain(aware.astimezone(ZoneInfo("Asia/Kolkata")))
    assert shown._plain(5) == "5"


class KeptTests:
    SEEN = shown.Shown({"text": "a"}, "b", "c", 3, {"USD": "1"}, 2, "2026-03-01T12:00:00+00:00", ["DE", "FR"])

    def test_the_version_before_can_read_it_while_an_upgrade_goes_on(self) -> None:
        kept = shown.as_json(self.SEEN)

        assert kept.keys() == {"parts", "people", "reached", "recipients", "cost", "unpriced", "at"}
        assert shown.from_json(kept) == self.SEEN
        assert shown.from_json({**kept, "parts": self.SEEN.parts, "unpriced_in": ["DE", "FR"]}) == self.SEEN
        assert shown.as_json(replace(self.SEEN, unpriced_in=[]))["parts"] == self.SEEN.parts

    def test_what_cannot_be_read_starts_nothing(self, write: Callable[..., Campaign]) -> None:
        draft = write()

        for kept in ({"another": "version"}, {**shown.as_json(self.SEEN), "parts": 5}, ["a"]):
            draft.shown = kept
            assert "launch it" in starting.not_as_shown(draft)
        for kept in (None, {}):
            draft.shown = kept
            assert starting.not_as_shown(draft) == ""
