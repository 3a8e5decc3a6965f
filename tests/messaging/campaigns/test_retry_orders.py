"""Any order of retries, launches, claims, lost answers, late reports and opt-outs: nobody whom a message may have
reached gets another by a retry, and no figure on the way is wrong.
"""

import contextlib
import datetime as dt
import os
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client import account
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.laaffic import DeliveryReport, DeliveryState, NotSent, OutcomeUnknown, Refused, SendResult, Source
from laaffic_console.laaffic.codes import Family, lookup
from messaging.models import Batch, Campaign, CampaignState, ContactGroup, Message, MessageState
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, failed_requests, settling, unanswered
from messaging.services.campaigns import campaigns, drafts, follow_ups, starting
from messaging.services.channels.outgoing import Claim
from messaging.services.contacts import suppression
from messaging.services.figures import proving
from messaging.services.reports import reports
from messaging.subscribers import subscriber
from tests.messaging.conftest import add_contacts

pytestmark = pytest.mark.django_db

PEOPLE = 4
MOST = 5  # campaigns
SEEDS = int(os.environ.get("RETRY_SEEDS", "6"))
NO_CONTACT = "4915112345670"


@pytest.fixture(autouse=True)
def _time_flies(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LAAFFIC_API_KEY, settings.LAAFFIC_API_SECRET = "key", "secret"
    settings.LAAFFIC_RECIPIENTS_PER_CALL = 2
    monkeypatch.setattr(unanswered, "ANSWER_GRACE", dt.timedelta())
    monkeypatch.setattr("laaffic_console.gateway.services.work.bell._ring_now", lambda job, *args: None)
    account.laaffic_client.cache_clear()


class Play:
    """One campaign, retries of it and of them, and who has had what."""

    def __init__(self, seed: int, application: Application, group: ContactGroup) -> None:
        self.dice = random.Random(seed)
        add_contacts(group, PEOPLE)
        self.first = drafts.create(
            name="Autumn", application=application, sender_id="S", text="Hi", groups=[group], numbers=[NO_CONTACT]
        )
        starting.launch(self.first.pk)
        self.in_air: list[tuple[int, Claim]] = []
        self.records: list[tuple[str, Message]] = []
        # Subscriber: messages that have left and are not known to have failed.
        self.may_have: dict[str, set[int]] = defaultdict(set)
        self.stopped: set[str] = set()
        self.tokens = 0
        self.past: list[tuple[str, Message]] = []
        self.most_fail()
        self.records = self.past

    def most_fail(self) -> None:
        while self.first.state != CampaignState.FINISHED:
            audience.freeze_chunk(self.first.pk)
            self.leaves()
            if self.in_air:
                self.is_answered("accepted")
            for record in self.records:
                self.is_reported(record, has_come=self.dice.random() < 0.1)
            self.records, self.past = [], self.past + self.records
            self.first.refresh_from_db()

    def once(self) -> None:
        acts: list[Callable[[], Any]] = [self.leaves] * 5 + [self.freezes] * 3 + [self.launches] * 4
        acts += [self.tries_again] * 4 + [self.opts_out, self.dies, self.cancels, self.takes_back, self.starts]
        acts += [self.is_answered] * 4 * bool(self.in_air) + [self.is_reported] * 5 * bool(self.records)
        with contextlib.suppress(NotNow):
            self.dice.choice(acts)()

    def one_in(self, *states: str) -> Campaign:
        found = list(Campaign.objects.filter(state__in=states).order_by("pk"))
        if not found:
            raise NotNow("none is there")
        return self.dice.choice(found)

    def tries_again(self) -> None:
        if Campaign.objects.count() < MOST:
            follow_ups.retry_failed(self.one_in(CampaignState.FINISHED, CampaignState.CANCELLED).pk)

    def launches(self) -> None:
        starting.launch(self.one_in(CampaignState.DRAFT).pk, undo_seconds=self.dice.choice([0, 0, 30]))

    def starts(self) -> None:
        campaign = self.one_in(CampaignState.SCHEDULED)
        Campaign.objects.filter(pk=campaign.pk).update(undo_until=timezone.now())
        starting.start_scheduled(campaign.pk)

    def takes_back(self) -> None:
        starting.take_back(self.one_in(CampaignState.SCHEDULED).pk)

    def cancels(self) -> None:
        if self.dice.random() < 0.3:
            campaigns.cancel(self.one_in(CampaignState.RUNNING).pk)

    def freezes(self) -> None:
        audience.freeze_chunk(self.one_in(CampaignState.RUNNING).pk)

    def opts_out(self) -> None:
        if self.dice.random() < 0.2:
            number = self.dice.choice(sorted(Message.objects.values_list("number", flat=True)) or [NO_CONTACT])
            suppression.suppress_numbers([number], channel="sms", reason="manual", note="play", by=None)
            self.stopped.add(subscriber(number))

    def leaves(self) -> None:
        campaign = self.one_in(CampaignState.RUNNING)
        Batch.objects.update(not_before=None)
        self.tokens += 1
        claim = claiming.claim(campaign, f"sender {self.tokens}")
        if not isinstance(claim, Claim) or not ledger.depart(claim.entry_id):
            campaigns.finish_if_done(campaign.pk)
            return
        self.in_air.append((campaign.pk, claim))
        for pk, number in zip(claim.message_ids, claim.numbers, strict=True):
            assert not self.may_have[subscriber(number)], "it may have reached them, and a retry leaves"
            assert subscriber(number) not in self.stopped, "they have opted out, and a retry leaves"
            self.may_have[subscriber(number)].add(pk)

    def is_answered(self, came: str = "") -> None:
        campaign, claim = self.in_air.pop(self.dice.randrange(len(self.in_air)))
        came = came or self.dice.choice(["accepted", "accepted", "accepted", "lost", "not sent", "refused"])
        if came == "accepted":
            ids: list[str | None] = [f"20{pk}" for pk in claim.message_ids]
            settling.settle_answer(campaign, claim, SendResult(ids, [], len(ids), 0))
            answers.write_all(Batch.objects.all())
            self.records += [(f"20{pk}", Message.objects.get(pk=pk)) for pk in claim.message_ids]
        elif came == "lost":
            failed_requests.settle_error(campaign, claim, OutcomeUnknown("timeout", interface="sendSms"))
        else:
            away = NotSent("away", interface="sendSms")
            no = Refused(interface="sendSms", entry=lookup(Family.SMS, "-4"), reason="no", http_status=200)
            failed_requests.settle_error(campaign, claim, away if came == "not sent" else no)
            for pk, number in zip(claim.message_ids, claim.numbers, strict=True):
                self.may_have[subscriber(number)].discard(pk)
        campaigns.finish_if_done(campaign)

    def is_reported(self, record: tuple[str, Message] | None = None, *, has_come: bool | None = None) -> None:
        """Late, again, and against what was said before."""
        msg_id, message = record or self.dice.choice(self.records)
        has_come = self.dice.random() < 0.3 if has_come is None else has_come
        told = DeliveryReport(
            source=Source.PUSH,
            msg_id=msg_id,
            number=message.number,
            order_id="",
            state=DeliveryState.DELIVERED if has_come else DeliveryState.FAILED,
            raw_status="0" if has_come else "1",
            reason="" if has_come else "Absent subscriber",
            at=timezone.now(),
        )
        reports.apply_now([told] * self.dice.choice([1, 2]))
        now = Message.objects.get(pk=message.pk)
        theirs = self.may_have[subscriber(message.number)]
        (theirs.discard if now.state == MessageState.UNDELIVERED else theirs.add)(message.pk)

    def dies(self) -> None:
        if self.in_air:
            campaign, _claim = self.in_air.pop()
            unanswered.recover_stale(campaign, "another sender")
            self.in_air = [one for one in self.in_air if one[0] != campaign]

    def holds(self) -> None:
        for campaign in Campaign.objects.filter(audience=Campaign.Audience.FROZEN):
            assert proving.prove(campaign)["disagreements"] == []


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nobody_who_may_have_been_reached_gets_a_retry(
    seed: int, application: Application, group: ContactGroup
) -> None:
    play = Play(seed, application, group)
    for _ in range(60):
        play.once()
    play.holds()
