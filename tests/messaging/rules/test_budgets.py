"""Budgets: what fits leaves, what does not is held with a sentence, and what did not leave is given back."""

import datetime as dt
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.pages import own_page
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import DeliveryReport, DeliveryState, NotSent, OutcomeUnknown, SendResult, Source
from messaging.models import (
    Batch,
    Budget,
    BudgetCounter,
    Calendar,
    Campaign,
    CampaignState,
    ContactGroup,
    ListPrice,
    Message,
    MessageState,
    SentTally,
)
from messaging.services import restored
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, failed_requests, settling
from messaging.services.budgets import budget_gate, budgets, shares
from messaging.services.campaigns import campaigns, drafts, resolving, starting, states
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import batch_squares
from messaging.services.reports import reports
from messaging.services.tallies import sent_tallies
from tests.messaging.conftest import APP_ID, add_contacts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_prices() -> Iterator[None]:
    budget_gate.forget_prices()
    yield
    budget_gate.forget_prices()


@pytest.fixture
def running(application: Application, group: ContactGroup, settings: LazySettings) -> Iterator[Campaign]:
    settings.LAAFFIC_API_KEY = settings.LAAFFIC_API_SECRET = "key"  # only that there is one
    account.laaffic_client.cache_clear()
    add_contacts(group, 10)
    yield started(application, group, "Autumn")
    account.laaffic_client.cache_clear()


OF_THREE_SEGMENTS = "Hello {{first_name|you}}" + 50 * " and on"


def started(application: Application, group: ContactGroup, name: str, text: str = "") -> Campaign:
    text = text or f"Hello {name}"
    campaign = drafts.create(name=name, application=application, sender_id="", text=text, groups=[group])
    starting.launch(campaign.pk, by=None)
    while audience.freeze_chunk(campaign.pk):
        pass
    campaign.refresh_from_db()
    return campaign


@pytest.mark.parametrize("currency", ["", "USD"])
@pytest.mark.parametrize("is_claimed", [False, True])
def test_what_may_have_left_since_a_backup_counts(running: Campaign, currency: str, is_claimed: bool) -> None:
    ListPrice.objects.create(country="IN", price=Decimal("0.01"), currency="USD")
    budgets.put(running.application, per="day", limit=Decimal(5 if not currency else 1), currency=currency)
    if is_claimed:
        claimed(running)
    now = timezone.now()

    restored.settle(now - dt.timedelta(hours=1), now)

    assert Message.objects.filter(state=MessageState.UNKNOWN).count() == 10
    expected = 100_000 if currency else 10
    assert BudgetCounter.objects.get().used == expected
    shares.sweep()
    assert BudgetCounter.objects.get().used == shares.derived(BudgetCounter.objects.get()) == expected


def test_what_a_restore_made_doubtful_is_said_to_be(running: Campaign, admin_client: Client) -> None:
    """Nothing of it is known to have left, and the moment of the restore says nothing of when."""
    now = timezone.now()
    restored.settle(backup := now - dt.timedelta(days=3), now)
    entry = Batch.objects.get().entry
    assert entry is not None
    moment = date_format(timezone.localtime(backup), "EXACT_DATETIME_FORMAT")

    for address in (own_page(running), own_page(running, "unknown"), own_page(entry)):
        page = " ".join(admin_client.get(address).content.decode().split())
        assert f"may have left after the backup was made: since {moment}" in page

    squares = batch_squares.of(running)
    assert squares is not None
    assert [square.says for square in squares.squares] == ["It may have left after the backup was made · 10 recipients"]


def test_a_text_with_fields_may_have_left_by_its_own_segments(
    running: Campaign, application: Application, group: ContactGroup
) -> None:
    ListPrice.objects.create(country="IN", price=Decimal("0.01"), currency="USD")
    budgets.put(application, per="day", limit=Decimal(1), currency="USD")
    Campaign.objects.filter(pk=running.pk).update(state=CampaignState.FINISHED)
    started(application, group, "Winter", OF_THREE_SEGMENTS)
    now = timezone.now()

    restored.settle(now - dt.timedelta(hours=1), now)

    assert used() == 300_000 == shares.derived(BudgetCounter.objects.get())


def sent(running: Campaign, hour: dt.datetime, state: MessageState, messages: int, micros: int) -> None:
    SentTally.objects.create(
        hour=hour, campaign=running, country="IN", state=state, messages=messages, pay_micros=micros, currency="EUR"
    )


@pytest.mark.parametrize(("currency", "used"), [("", 12), ("EUR", 4_000_000), ("USD", 0)])
def test_what_left_in_the_period_before_it_was_set_counts(running: Campaign, currency: str, used: int) -> None:
    midnight = dt.datetime.combine(budgets.today(), dt.time.min, timezone.get_default_timezone())
    sent(running, midnight, MessageState.DELIVERED, 8, 3_000_000)
    sent(running, midnight, MessageState.UNDELIVERED, 4, 1_000_000)
    sent(running, midnight, MessageState.REJECTED, 2, 0)
    sent(running, midnight - dt.timedelta(hours=1), MessageState.DELIVERED, 50, 9_000_000)

    budgets.put(running.application, per="day", limit=Decimal(100), currency=currency)
    budgets.put(running.application, per="day", limit=Decimal(200), currency=currency)

    counters = [(counter.used, shares.derived(counter)) for counter in BudgetCounter.objects.all()]
    assert counters == ([(used, used)] if used else [])


def claimed(campaign: Campaign) -> Claim:
    Batch.objects.update(not_before=None)
    found = claiming.claim(campaign, "token")
    assert isinstance(found, Claim)
    return found


def lose(campaign: Campaign, claim: Claim) -> None:
    ledger.depart(claim.entry_id)
    failed_requests.settle_error(campaign.pk, claim, OutcomeUnknown("timeout", interface="sendSms"))


def used() -> int:
    return BudgetCounter.objects.get().used


def accept(campaign: Campaign, claim: Claim, left_out: int = 0) -> None:
    ledger.depart(claim.entry_id)
    ids: list[str | None] = [None if n < left_out else f"20{pk}" for n, pk in enumerate(claim.message_ids)]
    settling.settle_answer(campaign.pk, claim, SendResult(ids, [], len(ids) - left_out, left_out))
    answers.write_all(Batch.objects.all())


class ClaimTests:
    def test_without_a_budget_nothing_is_counted(self, running: Campaign) -> None:
        claimed(running)

        assert not BudgetCounter.objects.exists()

    def test_what_fits_leaves_and_then_it_is_held(self, running: Campaign, application: Application) -> None:
        budgets.put(application, per="day", limit=Decimal(7))

        assert len(claimed(running).message_ids) == 7
        shut = claiming.claim(running, "token")

        assert isinstance(shut, claiming.Shut)
        assert f"The budget of {application} for a day, 7 messages, is used up. The next day begins on" in shut.because
        assert (used(), Message.objects.filter(state=MessageState.QUEUED).count()) == (7, 10)

    @pytest.mark.parametrize(("limit", "currency"), [(7, ""), (Decimal("0.15"), "USD")])
    def test_while_it_is_used_up_a_resume_says_so(
        self, running: Campaign, application: Application, admin_client: Client, limit: Any, currency: str
    ) -> None:
        """Of the amount something is left, which is too little for the next message."""
        ListPrice.objects.create(country="IN", price=Decimal("0.02"), currency="USD")
        budget = budgets.put(application, per="day", limit=Decimal(limit), currency=currency)
        first = claimed(running)
        shut = claiming.claim(running, "token")
        assert isinstance(shut, claiming.Shut)
        states.hold(running.pk, shut.because, shut.kind)

        shown = admin_client.post(own_page(running, "do", "resume"), follow=True).content.decode()

        running.refresh_from_db()
        assert running.state == CampaignState.HELD
        assert shown.count("is used up. The next day begins on") > 2  # above the page, on it, and in its history
        assert f'id="budgets" href="{reverse("admin:messaging_budget_changelist")}"' in shown
        with pytest.raises(NotNow, match="used up"):
            campaigns.resume(running.pk)

        assert ("By now something is left" in shown) == bool(currency)

        accept(running, first, left_out=2)  # it is given back when somebody looks
        assert campaigns.resume(running.pk).state == CampaignState.RUNNING
        claimed(running)
        states.hold(running.pk, shut.because, shut.kind)
        budgets.lift(budget.pk, reason="the fair")
        assert campaigns.resume(running.pk).state == CampaignState.RUNNING

    @pytest.mark.parametrize("opens_in_days", [0, 2])
    def test_while_it_is_used_up_nothing_begins_before_another_day(
        self, application: Application, group: ContactGroup, opens_in_days: int
    ) -> None:
        """Nobody of it is frozen: a budget of which nothing is left stops it no matter who is in it."""
        add_contacts(group, 3)
        draft = drafts.create(name="Later", application=application, sender_id="", text="Hi", groups=[group])
        opens = timezone.localdate() + dt.timedelta(opens_in_days)
        day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[opens.weekday()]
        hours = Calendar.objects.create(name="Hours", hours=f"{day} 12:00-13:00") if opens_in_days else None
        Campaign.objects.filter(pk=draft.pk).update(state=CampaignState.HELD, calendar=hours)
        budget = budgets.put(application, per="day", limit=Decimal(7))
        BudgetCounter.objects.create(budget=budget, starts_on=budgets.today(), used=7)

        if opens_in_days:
            assert campaigns.resume(draft.pk).state == CampaignState.RUNNING
            return
        with pytest.raises(NotNow, match="used up"):
            campaigns.resume(draft.pk)
        budgets.put(application, per="day", limit=Decimal(8))
        assert campaigns.resume(draft.pk).state == CampaignState.RUNNING

    @pytest.mark.parametrize(("limit", "currency"), [(7, ""), (Decimal("0.14"), "USD")])
    def test_several_requests_of_one_claim_take_no_more_than_fits(
        self, running: Campaign, application: Application, settings: LazySettings, limit: Any, currency: str
    ) -> None:
        """What the first ones took is not given back to the next, though their batches are written after all of it."""
        settings.LAAFFIC_RECIPIENTS_PER_CALL = 2
        ListPrice.objects.create(country="IN", price=Decimal("0.02"), currency="USD")
        budgets.put(application, per="day", limit=Decimal(limit), currency=currency)

        found = claiming.claim_some(running, "token", 4)

        assert isinstance(found, list)
        assert [len(each.message_ids) for each in found] == [2, 2, 2, 1]
        assert used() == (140_000 if currency else 7)
        assert isinstance(claiming.claim(running, "token"), claiming.Shut)

    def test_two_campaigns_share_it(self, running: Campaign, application: Application, group: ContactGroup) -> None:
        budgets.put(application, per="day", limit=Decimal(12))
        other = started(application, group, "Winter")

        assert [len(claimed(one).message_ids) for one in (running, other)] == [10, 2]

    def test_a_released_claim_gives_it_back(self, running: Campaign, application: Application) -> None:
        budgets.put(application, per="day", limit=Decimal(100))

        claiming.release(claimed(running), "its sender stopped")

        assert len(claimed(running).message_ids) == 10
        assert used() == 10

    def test_another_campaign_gets_what_was_given_back(
        self, running: Campaign, application: Application, group: ContactGroup
    ) -> None:
        budgets.put(application, per="day", limit=Decimal(10))
        other = started(application, group, "Winter")
        claim = claimed(running)
        ledger.depart(claim.entry_id)
        failed_requests.settle_error(running.pk, claim, NotSent("refused", interface="sendSms"))

        assert len(claimed(other).message_ids) == 10

    def test_who_is_left_out_by_the_answer_costs_nothing(self, running: Campaign, application: Application) -> None:
        budgets.put(application, per="day", limit=Decimal(10))
        accept(running, claimed(running), left_out=3)

        shares.sweep()

        assert used() == 7 == shares.derived(BudgetCounter.objects.get())

    def test_four_fifths_are_told_once(self, running: Campaign, application: Application, group: ContactGroup) -> None:
        budgets.put(application, per="day", limit=Decimal(12))
        claimed(running)
        claimed(started(application, group, "Winter"))

        told = [event.text for event in running.events.all() if "budget" in event.text]
        assert told == [f"80% of a budget of {application} has gone: 12 messages for each day."]
        assert [standing.percent for standing in budgets.nearly_used()] == [100]

    def test_the_next_day_has_its_own(
        self, running: Campaign, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        budgets.put(application, per="day", limit=Decimal(5))
        claimed(running)
        monkeypatch.setattr(budgets, "today", lambda: dt.date(2030, 1, 2))

        assert len(claimed(running).message_ids) == 5
        assert sorted(BudgetCounter.objects.values_list("used", flat=True)) == [5, 5]


class MoneyTests:
    @pytest.fixture
    def _priced(self, application: Application) -> None:
        ListPrice.objects.create(country="IN", price=Decimal("0.02"), currency="USD")
        budgets.put(application, per="month", limit=Decimal("0.15"), currency="USD")

    @pytest.mark.usefixtures("_priced")
    def test_what_is_expected_is_reserved(self, running: Campaign) -> None:
        assert len(claimed(running).message_ids) == 7
        assert isinstance(claiming.claim(running, "token"), claiming.Shut)
        assert used() == 140_000

    @pytest.mark.usefixtures("_priced", "running")
    def test_a_text_with_fields_is_reserved_by_its_own_segments(
        self, application: Application, group: ContactGroup
    ) -> None:
        campaign = started(application, group, "Winter", OF_THREE_SEGMENTS)
        claim = claimed(campaign)

        assert len(claim.message_ids) == 2
        assert used() == 120_000
        shares.sweep()
        assert used() == 120_000
        lose(campaign, claim)
        shares.sweep()
        assert used() == 120_000 == shares.derived(BudgetCounter.objects.get())
        resolving.send_again(campaign.pk, reason="nobody got it")
        assert used() == 120_000 == shares.derived(BudgetCounter.objects.get())

    @pytest.mark.usefixtures("_priced", "running")
    def test_by_its_own_segments_while_its_answer_is_written(
        self, application: Application, group: ContactGroup
    ) -> None:
        campaign = started(application, group, "Winter", OF_THREE_SEGMENTS)
        claim = claimed(campaign)
        ledger.depart(claim.entry_id)
        ids: list[str | None] = [f"20{pk}" for pk in claim.message_ids]

        settling.settle_answer(campaign.pk, claim, SendResult(ids, [], len(ids), 0))
        shares.sweep()

        assert used() == 120_000 == shares.derived(BudgetCounter.objects.get())

    @pytest.mark.usefixtures("_priced")
    def test_what_reports_say_takes_its_place(self, running: Campaign) -> None:
        accept(running, claim := claimed(running))
        Message.objects.filter(pk__in=claim.message_ids).update(
            state=MessageState.DELIVERED, pay_micros=10_000, currency="USD"
        )
        Batch.objects.filter(pk=claim.batch_id).update(accepted=0, delivered=7)

        assert len(claimed(running).message_ids) == 3
        assert used() == 7 * 10_000 + 3 * 20_000 == shares.derived(BudgetCounter.objects.get())

    @pytest.mark.usefixtures("_priced")
    def test_what_may_have_left_stays_counted_when_it_is_sent_again(self, running: Campaign) -> None:
        lose(running, claimed(running))
        assert used() == 140_000

        resolving.send_again(running.pk, reason="nobody got it")

        counter = BudgetCounter.objects.get()
        assert counter.used == 140_000 == shares.derived(counter)
        assert isinstance(claiming.claim(running, "token"), claiming.Shut)  # 0.01 is left, and one costs 0.02

    def test_in_messages_too(self, running: Campaign, application: Application) -> None:
        budgets.put(application, per="day", limit=Decimal(15))
        lose(running, claimed(running))

        resolving.send_again(running.pk, reason="nobody got it")

        assert used() == 10 == shares.derived(BudgetCounter.objects.get())
        assert len(claimed(running).message_ids) == 5

    def test_another_currency_is_not_added(self, running: Campaign, application: Application) -> None:
        ListPrice.objects.create(country="IN", price=Decimal("0.02"), currency="EUR")
        budgets.put(application, per="day", limit=Decimal("0.01"), currency="USD")

        assert len(claimed(running).message_ids) == 10
        assert used() == 0


class FirstSendingTests:
    """The answer was lost, a person had them sent again, and then what became of the first sending is told."""

    @pytest.fixture(autouse=True)
    def _lost(self, running: Campaign, application: Application) -> Claim:
        ListPrice.objects.create(country="IN", price=Decimal("0.02"), currency="USD")
        for currency in ("", "USD"):
            budgets.put(application, per="day", limit=Decimal(100), currency=currency)
        lose(running, claim := claimed(running))
        resolving.send_again(running.pk, reason="nobody got it")
        return claim

    def told(self, state: DeliveryState, pay: str | None, currency: str = "USD", attempt: int = 1) -> None:
        """Of the first message, by the report of one of its sendings."""
        message = Message.objects.order_by("pk")[0]
        said = DeliveryReport(
            source=Source.PUSH,
            msg_id=f"A{attempt}",
            number=message.number,
            order_id=f"lc-{message.pk}" if attempt == 1 else f"lc-{message.pk}-{attempt}",
            state=state,
            raw_status="0",
            reason="",
            at=timezone.now(),
            pay=Decimal(pay) if pay else None,
            currency=currency,
        )
        reports.apply_now([said])

    def used(self) -> tuple[int, int]:
        """(messages, millionths)"""
        shares.sweep()
        counters = BudgetCounter.objects.order_by("budget__currency")
        for counter in counters:
            assert counter.used == shares.derived(counter) == sum(counter.shares.values_list("used", flat=True))
        by_messages, money = counters
        return by_messages.used, money.used

    @pytest.mark.parametrize(
        ("pay", "currency", "charged"),
        [("0.05", "USD", 50_000), ("0.05", "EUR", 0), ("0.05", "", 0), (None, "", 20_000)],
    )
    def test_delivered_it_counts_once_and_costs_what_it_says(
        self, running: Campaign, pay: str | None, currency: str, charged: int
    ) -> None:
        self.told(DeliveryState.DELIVERED, pay, currency)
        assert self.used() == (10, 9 * 20_000 + charged)

        accept(running, claimed(running))
        assert self.used() == (10 + 9, 2 * 9 * 20_000 + charged)

    def test_failed_it_has_cost_too_and_the_second_counts(self, running: Campaign) -> None:
        self.told(DeliveryState.FAILED, "0.03")
        assert self.used() == (10, 9 * 20_000 + 30_000)

        accept(running, claimed(running))
        assert self.used() == (20, 19 * 20_000 + 30_000)

    def test_delivered_when_the_second_was_on_its_way_both_count(self, running: Campaign) -> None:
        claim = claimed(running)
        self.told(DeliveryState.DELIVERED, "0.05")
        lose(running, claim)

        assert self.used() == (20, 19 * 20_000 + 50_000)

    def test_in_a_later_period_too(self, running: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told(DeliveryState.DELIVERED, "0.05")
        tomorrow = budgets.today() + dt.timedelta(days=1)
        monkeypatch.setattr(budgets, "today", lambda: tomorrow)

        accept(running, claimed(running))
        shares.sweep()

        counters = BudgetCounter.objects.order_by("budget__currency", "starts_on")
        assert list(counters.values_list("used", flat=True)) == [10, 9, 9 * 20_000 + 50_000, 9 * 20_000]

    def test_a_budget_that_is_set_then_counts_the_rest(self, running: Campaign, application: Application) -> None:
        self.told(DeliveryState.DELIVERED, "0.05")
        Budget.objects.all().delete()
        for currency in ("", "USD"):
            budgets.put(application, per="day", limit=Decimal(100), currency=currency)
        before = tuple(standing.counter.used for standing in budgets.standings(application))

        accept(running, claimed(running))

        assert self.used() == (before[0] + 9, before[1] + 9 * 20_000)


def lose_all_but_four(running: Campaign) -> None:
    """Of these reports have come."""
    lose(running, claim := claimed(running))
    gone = Message.objects.filter(pk__in=claim.message_ids[:4])
    gone.update(state=MessageState.DELIVERED, pay_micros=10_000, currency="USD")
    Batch.objects.update(delivered=4, unknown=6)
    SentTally.objects.all().delete()
    sent_tallies.write_again([running.pk])


class SetLaterTests:
    """A budget that is set when some of a batch have gone: those count once."""

    @pytest.mark.parametrize("currency", ["", "USD"])
    def test_what_had_gone_of_a_batch_that_is_sent_again(
        self, running: Campaign, application: Application, currency: str
    ) -> None:
        ListPrice.objects.create(country="IN", price=Decimal("0.02"), currency="USD")
        lose_all_but_four(running)
        SentTally.objects.update(hour=timezone.now())
        budgets.put(application, per="day", limit=Decimal(100), currency=currency)
        before = 40_000 if currency else 10
        assert used() == before

        resolving.send_again(running.pk, reason="nobody got it")
        accept(running, claimed(running))
        shares.sweep()

        assert used() == before + (6 * 20_000 if currency else 6) == shares.derived(BudgetCounter.objects.get())

    @pytest.mark.parametrize("currency", ["", "USD"])
    def test_what_may_have_left_since_a_backup(
        self, running: Campaign, application: Application, currency: str
    ) -> None:
        ListPrice.objects.create(country="IN", price=Decimal("0.02"), currency="USD")
        lose_all_but_four(running)
        resolving.send_again(running.pk, reason="nobody got it")
        SentTally.objects.update(hour=timezone.now())
        budgets.put(application, per="day", limit=Decimal(100), currency=currency)
        now = timezone.now()

        restored.settle(now - dt.timedelta(hours=1), now)

        assert used() == (4 * 10_000 + 6 * 20_000 if currency else 10) == shares.derived(BudgetCounter.objects.get())


class LiftTests:
    def test_a_lifted_budget_lets_everything_through_and_counts_on(
        self, running: Campaign, application: Application
    ) -> None:
        budget = budgets.put(application, per="day", limit=Decimal(1))
        person = User.objects.create_user("approver")

        counter = budgets.lift(budget.pk, reason="the fair is today", by=person)

        assert (counter.lifted_by, counter.lift_reason) == (person, "the fair is today")
        assert len(claimed(running).message_ids) == 10
        assert used() == 10
        with pytest.raises(NotNow):
            budgets.lift(budget.pk, reason="again", by=person)

    @pytest.mark.parametrize(
        ("per", "seen", "is_lifted"),
        [
            ("day", "2026-11-30", False),
            ("day", "2026-12-01", True),
            ("month", "2026-11-30", False),
            ("month", "2026-12-01", True),
        ],
    )
    def test_it_lifts_the_period_that_was_shown(
        self, application: Application, monkeypatch: pytest.MonkeyPatch, per: str, seen: str, is_lifted: bool
    ) -> None:
        monkeypatch.setattr(budgets, "today", lambda: dt.date(2026, 12, 1))
        budget = budgets.put(application, per=per, limit=Decimal(1))
        day = dt.date.fromisoformat(seen)

        if is_lifted:
            assert budgets.lift(budget.pk, reason="the fair", day=day).starts_on == dt.date(2026, 12, 1)
            return
        with pytest.raises(budgets.NewPeriod, match=f"A new {per} has begun"):
            budgets.lift(budget.pk, reason="the fair", day=day)
        assert not BudgetCounter.objects.exclude(lifted_at=None).exists()

    def test_it_wants_a_reason(self, application: Application) -> None:
        budget = budgets.put(application, per="day", limit=Decimal(1))

        with pytest.raises(ValidationError):
            budgets.lift(budget.pk, reason=" ")


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("budget", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.usefixtures("application")
class CommandTests:
    def test_it_sets_and_lists(self) -> None:
        run("set", "--app", APP_ID, "--messages", "1000", "--cost", "12.5", "--currency", "usd", "--per", "month")
        run("set", "--app", APP_ID, "--messages", "2000", "--per", "month")

        document: Any = json.loads(run("list", "--json"))
        assert [(row["currency"], row["limit"], row["used"], row["per"]) for row in document["budgets"]] == [
            ("", "2000", "0", "month"),
            ("USD", "12.5", "0", "month"),
        ]

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--messages", "0"], "To send nothing, pause"),
            (["--messages", "1.5"], "messages is whole"),
            (["--messages", "many"], "“many” is not a number"),
            (["--cost", "5"], "Name the currency"),
            (["--currency", "USD"], "needs an amount"),
            (["--cost", "5", "--currency", "dollars"], "Three capital letters"),
            (["--cost", "NaN", "--currency", "USD"], "not a number"),
            ([], "Say how much"),
        ],
    )
    def test_what_is_wrong_is_said(self, arguments: list[str], says: str) -> None:
        with pytest.raises(CommandError, match=says):
            run("set", "--app", APP_ID, *arguments)
        assert run("list").startswith("There is no budget")
