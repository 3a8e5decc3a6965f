"""Any order of edits, questions, words, launches, claims and lost answers around an approval: what leaves is what was
approved, once, and within its budget.
"""

import contextlib
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import NotSent, OutcomeUnknown, SendResult
from messaging.models import Batch, BudgetCounter, Campaign, CampaignState, Contact, ContactGroup, Message, MessageState
from messaging.services.approvals import approvals
from messaging.services.audience import audience, audience_counts
from messaging.services.batches import answers, claiming, failed_requests, settling, unanswered
from messaging.services.budgets import budget_gate, budgets, shares
from messaging.services.campaigns import campaigns, drafts, resolving, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import suppression
from messaging.services.figures import proving
from messaging.services.tallies import counting
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

MOST = 2  # recipients without a second person
LIMIT = 5


@pytest.fixture(autouse=True)
def _limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience_counts, "PAGE_SECONDS", 10.0)
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_APPROVAL_RECIPIENTS = MOST
    account.laaffic_client.cache_clear()
    budget_gate.forget_prices()


class Play:
    """One draft, three people who may do anything, and what leaves of it."""

    def __init__(self, seed: int, application: Application, group: ContactGroup) -> None:
        self.dice = random.Random(seed)
        self.group, self.application = group, application
        self.people = [User.objects.create_superuser(name) for name in ("ada", "bob", "eve")]
        add_contacts(group, 4)
        budgets.put(application, per="day", limit=Decimal(LIMIT))
        self.campaign = drafts.create(
            name="Autumn", application=application, sender_id="S", text="Hi", groups=[group], by=self.people[0]
        )
        self.writers = {self.people[0].pk}
        self.asked: tuple[str, set[str], int] | None = None  # the text, who gets it, who asked
        self.approved: tuple[str, set[str], int] | None = None
        self.in_air: list[Claim] = []
        self.left: dict[int, int] = {}  # message: how often it has left without a certain no
        self.words: dict[int, int] = {}  # message: how often a person had it sent again
        self.tokens = 0

    def once(self) -> None:
        with contextlib.suppress(NotNow, ValidationError):
            self.dice.choice(self.may_come())()
        self.holds()

    def now(self) -> Campaign:
        return Campaign.objects.get(pk=self.campaign.pk)

    def somebody(self) -> User:
        return self.dice.choice(self.people)

    def members(self) -> set[str]:
        return set(Contact.objects.filter(groups=self.group).values_list("number", flat=True))

    def may_come(self) -> list[Callable[[], Any]]:
        is_asked = self.campaign.approvals.filter(outcome__in=approvals.OPEN).exists()
        of_draft = [self.edits, *([self.decides, self.launches] * 4 if is_asked else [self.asks] * 4)]
        by_state: dict[str, list[Callable[[], Any]]] = {
            CampaignState.DRAFT: of_draft,
            CampaignState.SCHEDULED: [*[self.starts] * 4, self.takes_back, self.edits],
            CampaignState.RUNNING: [self.freezes, *[self.leaves] * 3, self.pauses, self.says_again, self.says_again],
            CampaignState.PAUSED: [self.resumes, self.leaves],
            CampaignState.HELD: [self.resumes, self.takes_back, self.edits],
        }
        acts = [*by_state.get(self.now().state, [self.edits]), self.joins, self.opts_out, self.launches]
        return acts + [self.is_answered, self.is_answered, self.dies] * bool(self.in_air)

    def edits(self) -> None:
        draft, by = self.now(), self.somebody()
        draft.text = self.dice.choice(["Hi", "Hello", "Bye"])
        drafts.save(draft, groups=[self.group], excluded_groups=[], columns=["text"], by=by)
        self.writers.add(by.pk)

    def asks(self) -> None:
        by = self.somebody()
        approvals.ask(self.campaign.pk, by=by)
        self.asked = self.now().text, self.members(), by.pk

    def decides(self) -> None:
        by, approve = self.somebody(), self.dice.random() < 0.8
        approvals.decide(self.campaign.pk, by=by, approve=approve, note="play")
        assert self.asked is not None
        assert by.pk != self.asked[2], "who asks decides"
        assert not approve or by.pk not in self.writers, "an author approves"
        self.approved = self.asked if approve else None

    def launches(self) -> None:
        starting.launch(self.campaign.pk, by=self.somebody(), undo_seconds=self.dice.choice([0, 30]))

    def starts(self) -> None:
        Campaign.objects.exclude(undo_until=None).update(undo_until=timezone.now())
        starting.start_scheduled(self.campaign.pk)

    def takes_back(self) -> None:
        starting.take_back(self.campaign.pk)

    def pauses(self) -> None:
        campaigns.pause(self.campaign.pk)

    def resumes(self) -> None:
        campaigns.resume(self.campaign.pk)

    def joins(self) -> None:
        add_contacts(self.group, 1, first=919876600000 + Contact.objects.count())

    def opts_out(self) -> None:
        number = self.dice.choice(sorted(self.members()))
        suppression.suppress_numbers([number], channel="sms", reason="manual", note="play", by=None)

    def freezes(self) -> None:
        audience.freeze_chunk(self.campaign.pk)

    def leaves(self) -> None:
        Batch.objects.update(not_before=None)
        self.tokens += 1
        claim = claiming.claim(self.now(), f"sender {self.tokens}")
        if not isinstance(claim, Claim):
            return
        if not ledger.depart(claim.entry_id):
            return
        self.in_air.append(claim)
        numbers = set(Message.objects.filter(campaign=self.campaign).values_list("number", flat=True))
        for pk in claim.message_ids:
            self.left[pk] = self.left.get(pk, 0) + 1
            assert self.left[pk] <= 1 + self.words.get(pk, 0), "it leaves twice, and nobody said so"
        if len(numbers) > MOST:
            assert self.approved is not None, "it leaves without a second person's word"
            text, people, _asker = self.approved
            assert {one.text for one in claim.texts} == {text}, "it says something else than was approved"
            assert set(claim.numbers) <= people, "somebody gets it who was not seen"

    def is_answered(self) -> None:
        claim = self.in_air.pop(self.dice.randrange(len(self.in_air)))
        came = self.dice.choice(["accepted", "lost", "not sent"])
        if came == "accepted":
            ids: list[str | None] = [f"20{pk}" for pk in claim.message_ids]
            settling.settle_answer(self.campaign.pk, claim, SendResult(ids, [], len(ids), 0))
            answers.write_all(Batch.objects.all())
        elif came == "lost":
            failed_requests.settle_error(self.campaign.pk, claim, OutcomeUnknown("timeout", interface="sendSms"))
        else:
            failed_requests.settle_error(self.campaign.pk, claim, NotSent("away", interface="sendSms"))
            for pk in claim.message_ids:
                self.left[pk] -= 1

    def dies(self) -> None:
        self.in_air.clear()
        unanswered.recover_stale(self.campaign.pk, "another sender")

    def says_again(self) -> None:
        unknown = Message.objects.filter(campaign=self.campaign, state=MessageState.UNKNOWN)
        again = list(unknown.values_list("pk", flat=True))
        resolving.send_again(self.campaign.pk, reason="play")
        for pk in again:
            self.words[pk] = self.words.get(pk, 0) + 1

    def holds(self) -> None:
        for counter in BudgetCounter.objects.all():
            assert sum(self.left.values()) <= counter.used <= LIMIT, "the budget is not true"
        if self.now().audience == Campaign.Audience.FROZEN:
            assert proving.prove(self.now())["disagreements"] == []

    def end(self) -> None:
        while self.in_air:
            self.is_answered()
            self.holds()
        shares.sweep()
        counts = counting.state_counts(self.now())
        gone = sum(counts.get(state.key, 0) for state in shares.GONE)
        for counter in BudgetCounter.objects.all():
            assert counter.used == shares.derived(counter) >= gone


@pytest.mark.parametrize("seed", [27, 52, 61, 67])
def test_what_leaves_was_approved(seed: int, application: Application, group: ContactGroup) -> None:
    play = Play(seed, application, group)
    for _ in range(30):
        play.once()
    play.end()
