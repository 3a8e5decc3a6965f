"""Any order of calls, answers, late answers, records and words about spoken messages, and about a retry of the failed:
nobody is called twice unless somebody said so, and what is known stays known.
"""

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import DeliveryReport, DeliveryState, NotSent, OutcomeUnknown, SendResult, Source, Spoken
from messaging.models import Batch, Campaign, CampaignState, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, failed_requests, settling, unanswered
from messaging.services.campaigns import campaigns, drafts, follow_ups, resolving, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.figures import proving
from messaging.services.gates import retries
from messaging.services.reports import reports
from tests.messaging.conftest import add_contacts, group
from voice.services.spoken.options import TtsOptions

__all__ = ["group"]

pytestmark = pytest.mark.django_db

INTERFACE = "voice/sendCode"


@dataclass(slots=True)
class Call:
    """One that Laaffic makes."""

    voice_id: str
    message: int
    number: str
    order_id: str
    is_heard: bool


class Play:
    """A campaign of spoken messages, and the retry of those whom it did not reach."""

    def __init__(self, seed: int, application: Application, group: ContactGroup) -> None:
        self.dice = random.Random(seed)
        add_contacts(group, 3)
        self.campaign = drafts.create(
            name="A",
            application=application,
            sender_id="",
            text="Hello",
            groups=[group],
            channel="voice",
            channel_options=TtsOptions(Spoken(text=""), "861000000").as_json(),
        )
        self.retry: Campaign | None = None
        self.begin(self.campaign)
        self.in_air: list[tuple[int, Claim, Call | None]] = []
        self.late: list[tuple[int, Claim, Call]] = []  # answers that no worker waits for
        self.calls: list[Call] = []
        self.asked: dict[int, int] = {}  # message: requests without a certain no
        self.words: dict[int, int] = {}
        self.told: set[int] = set()  # messages of which an answer or a record has come
        self.heard: set[int] = set()
        self.senders = self.steps = 0

    def begin(self, campaign: Campaign) -> None:
        starting.launch(campaign.pk)
        while audience.freeze_chunk(campaign.pk):
            pass

    def once(self) -> None:
        with contextlib.suppress(NotNow, ValidationError):
            self.dice.choice(self.may_come())()
        self.holds()

    def may_come(self) -> list[Callable[[], Any]]:
        acts = [*[self.leaves] * 4, self.says_again, self.writes_off, self.finishes, self.finishes]
        stopped = any(campaign.state == CampaignState.PAUSED for campaign in Campaign.objects.all())
        acts += [self.goes_on] * (3 if stopped else 1)
        acts += [self.is_retried] * 3 if self.retry is None else []
        acts += [self.is_answered, self.is_answered, self.dies] if self.in_air else []
        acts += [self.is_answered_late] if self.late else []
        return acts + ([self.is_recorded] * 4 if self.calls else [])

    def one(self) -> Campaign:
        return Campaign.objects.get(pk=self.dice.choice([each.pk for each in (self.campaign, self.retry) if each]))

    def goes_on(self) -> None:
        campaign = self.one()
        act = campaigns.pause if campaign.state == CampaignState.RUNNING else campaigns.resume
        act(campaign.pk)

    def leaves(self) -> None:
        Batch.objects.update(not_before=None)
        campaign = self.one()
        self.senders += 1
        claim = claiming.claim(campaign, f"sender {self.senders}")
        if not isinstance(claim, Claim) or not ledger.depart(claim.entry_id):
            return
        [pk], [number], [order_id] = claim.message_ids, claim.numbers, claim.order_ids
        self.asked[pk] = self.asked.get(pk, 0) + 1
        assert self.asked[pk] <= 1 + self.words.get(pk, 0), "somebody is called twice, and nobody said so"
        if not self.words.get(pk):
            assert pk not in self.told, "somebody is called again who is known to have been called"
        if self.retry and campaign.pk == self.retry.pk:
            [first] = Message.objects.filter(campaign=self.campaign, number=number)
            assert first.state in retries.FAILED, "a retry calls somebody who may have been reached"
        call = None
        if self.dice.random() < 0.7:
            call = Call(f"v{len(self.calls)}", pk, number, order_id, self.dice.random() < 0.5)
            self.calls.append(call)
        self.in_air.append((campaign.pk, claim, call))

    def is_answered(self) -> None:
        campaign_id, claim, call = self.in_air.pop(self.dice.randrange(len(self.in_air)))
        if self.dice.random() < 0.4:
            failed_requests.settle_error(campaign_id, claim, OutcomeUnknown("timeout", interface=INTERFACE))
        elif call:
            self.accepts(campaign_id, claim, call)
        else:
            failed_requests.settle_error(campaign_id, claim, NotSent("away", interface=INTERFACE))
            self.asked[claim.message_ids[0]] -= 1

    def accepts(self, campaign_id: int, claim: Claim, call: Call) -> None:
        settling.settle_answer(campaign_id, claim, SendResult([call.voice_id], [], 1, 0))
        answers.write_all(Batch.objects.all())
        self.told.add(call.message)

    def dies(self) -> None:
        """Each of its answers may still come to a process that was taken for dead."""
        self.late += [(pk, claim, call) for pk, claim, call in self.in_air if call]
        campaign_ids = {pk for pk, _claim, _call in self.in_air}
        self.in_air.clear()
        for pk in campaign_ids:
            unanswered.recover_stale(pk, "another sender")

    def is_answered_late(self) -> None:
        self.accepts(*self.late.pop(self.dice.randrange(len(self.late))))

    def is_recorded(self) -> None:
        """Once or often, in any order."""
        call = self.dice.choice(self.calls)
        report = DeliveryReport(
            source=Source.VOICE_RECORD,
            msg_id=call.voice_id,
            number=call.number,
            order_id=call.order_id,
            state=DeliveryState.DELIVERED if call.is_heard else DeliveryState.FAILED,
            raw_status="",
            reason="" if call.is_heard else "busy",
            at=timezone.now(),
        )
        assert reports.apply_each([report]) == [True]
        self.told.add(call.message)
        if call.is_heard:
            self.heard.add(call.message)

    def says_again(self) -> None:
        campaign = self.one()
        unknown = Message.objects.filter(campaign=campaign, state=MessageState.UNKNOWN)
        again = list(unknown.values_list("pk", flat=True))
        resolving.send_again(campaign.pk, reason="play")
        for pk in again:
            self.words[pk] = self.words.get(pk, 0) + 1

    def writes_off(self) -> None:
        resolving.write_off(self.one().pk, reason="play")

    def finishes(self) -> None:
        for campaign in Campaign.objects.all():
            if campaigns.finish_if_done(campaign.pk):
                waits = (MessageState.QUEUED, MessageState.CLAIMED, MessageState.UNKNOWN)
                assert not Message.objects.filter(campaign=campaign, state__in=waits).exists(), "it is not finished"

    def is_retried(self) -> None:
        made = follow_ups.retry_failed(self.campaign.pk)
        self.begin(made)
        self.retry = made

    def holds(self) -> None:
        states = dict(Message.objects.values_list("pk", "state"))
        for pk in self.heard:
            assert states[pk] == MessageState.DELIVERED, "a worse word came over a better one"
        for pk in self.told - set(self.words):
            assert states[pk] != MessageState.QUEUED, "what is known to have left waits again"
        self.steps += 1
        for campaign in Campaign.objects.exclude(state=CampaignState.DRAFT) if self.steps % 10 == 0 else ():
            assert proving.prove(campaign)["disagreements"] == []

    def end(self) -> None:
        while self.in_air:
            self.is_answered()
            self.holds()
        while self.late:
            self.is_answered_late()
            self.holds()
        made = {call.message for call in self.calls}
        lost = Message.objects.filter(pk__in=made - set(self.words), state=MessageState.QUEUED)
        assert not lost.exists(), "a call that was made is forgotten"


@pytest.mark.parametrize("seed", [4, 8, 19, 26])
def test_nobody_is_called_twice(seed: int, settings: LazySettings, group: ContactGroup) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    account.laaffic_client.cache_clear()
    application = Application.objects.create(app_id="voiceApp", channel="voice", connections=4)
    play = Play(seed, application, group)
    for _ in range(40):
        play.once()
    play.end()
