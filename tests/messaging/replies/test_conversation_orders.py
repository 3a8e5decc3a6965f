"""Any order of replies, late, twice, long, from whichever spelling, and of what operators do between them: no reply is
lost or there twice, what is unread is what nobody has seen, and nobody gets an answer after their STOP.
"""

import contextlib
import datetime as dt
import os
import random

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import Reply as WireReply
from messaging.models import Campaign, CampaignState, Conversation, Reply
from messaging.services.audience import audience
from messaging.services.batches import claiming
from messaging.services.campaigns import answering
from messaging.services.channels.outgoing import Claim
from messaging.services.replies import conversations, replies
from messaging.subscribers import subscriber

pytestmark = pytest.mark.django_db

NUMBERS = ["919876543210", "5215512345678", "525512345678", "4915112345670"]
NOW = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)
WORDS = ["Yes", "No", "Maybe", "When?", "x" * 900, "\0", "", *["Thanks"] * 16, "STOP", "stop.", "退订"]
SEEDS = int(os.environ.get("CONVERSATION_SEEDS", "3"))


class Play:
    def __init__(self, seed: int, application: Application) -> None:
        self.dice, self.application = random.Random(seed), application
        self.people = [User.objects.create_superuser(name) for name in ("ada", "bob")]
        self.told: list[WireReply] = []
        self.unread: dict[str, int] = {}
        self.pages: list[Conversation] = []
        self.minute, self.answered = 0, 0
        self.left: list[int] = []

    def once(self) -> None:
        acts = [self.writes] * 4 + [self.comes_again, self.answers, self.answers, self.leaves, self.looks, self.looks]
        with contextlib.suppress(NotNow, ValidationError):
            self.dice.choice([*acts, self.has_seen, self.has_seen, self.finishes, self.reopens])()
        self.holds()

    def writes(self) -> None:
        self.minute += 1
        found = []
        for second in range(self.dice.choice([1, 1, 3])):
            at = NOW + dt.timedelta(minutes=self.minute, seconds=second)
            text = self.dice.choice(WORDS)
            found.append(WireReply("", self.dice.choice(NUMBERS), "SHOP", text, at, "", "", "", None, None, "", None))
        self.told += found
        self.take(found)
        for one in found:
            self.unread[subscriber(one.number)] = self.unread.get(subscriber(one.number), 0) + 1

    def comes_again(self) -> None:
        if self.told:
            self.take(self.dice.choices(self.told, k=3))

    def take(self, found: list[WireReply]) -> None:
        self.dice.shuffle(found)
        replies.take(found, source=self.dice.choice(["push", "pull"]))

    def one(self) -> Conversation:
        found = list(Conversation.objects.order_by("pk"))
        if not found:
            raise NotNow("none is there")
        return self.dice.choice(found)

    def answers(self) -> None:
        conversation = self.one()
        way = answering.Way(self.application, "SHOP")
        shown = (conversation.unread, conversation.last_at)
        by = self.dice.choice(self.people)
        answering.answer(conversation, way=way, text=f"Thanks {self.minute}", shown=shown, by=by)
        self.answered += 1
        self.unread[conversation.subscriber] = 0

    def leaves(self) -> None:
        for campaign in Campaign.objects.filter(state=CampaignState.RUNNING).order_by("pk"):
            while audience.freeze_chunk(campaign.pk):
                pass
            claim = claiming.claim(campaign, "sender")
            if isinstance(claim, Claim):
                stopped = set(Reply.objects.exclude(opt_out="").values_list("number", flat=True))
                assert {subscriber(one) for one in stopped}.isdisjoint(map(subscriber, claim.numbers))
                self.left += claim.message_ids
                assert len(self.left) == len(set(self.left)) <= self.answered

    def looks(self) -> None:
        self.pages.append(self.one())

    def has_seen(self) -> None:
        if self.pages:
            page = self.dice.choice(self.pages)
            before = Conversation.objects.get(pk=page.pk)
            conversations.seen(page.pk, unread=page.unread, last_at=page.last_at)
            if (before.unread, before.last_at) == (page.unread, page.last_at):
                self.unread[page.subscriber] = 0

    def finishes(self) -> None:
        if self.pages:
            page = self.dice.choice(self.pages)
            was = Conversation.objects.get(pk=page.pk)
            conversations.finish(page.pk, by=self.people[0], shown=(page.unread, page.last_at))
            if was.state != Conversation.State.DONE:
                assert not was.unread or (was.unread, was.last_at) == (page.unread, page.last_at)
                self.unread[page.subscriber] = 0

    def reopens(self) -> None:
        conversations.reopen(self.one().pk, by=self.people[1])

    def holds(self) -> None:
        told = {(one.number, one.at, one.content) for one in self.told}
        assert Reply.objects.count() == len(told)
        assert {one.subscriber: one.unread for one in Conversation.objects.all()} == self.unread


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_reply_is_lost_and_none_is_answered_after_stop(
    seed: int, application: Application, settings: object
) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"  # type: ignore[attr-defined]
    account.laaffic_client.cache_clear()
    play = Play(seed, application)
    for _ in range(40):
        play.once()
