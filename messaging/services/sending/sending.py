"""Sending a campaign: claim, POST and settle, with the POSTs of several connections overlapped with the writing.

One sender holds a campaign's lease. Its threads only speak HTTP; this thread alone touches the database, so a request
never runs inside a transaction, and while answers are awaited the next batch is claimed and the last one is written.
"""

import contextlib
import datetime as dt
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from django.db import Error
from django.db.models import Exists, QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client.account import NotConfigured, laaffic_client
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.database.perseverance import insist
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.gateway.services.work import bell, leases, moments, turns, workers
from laaffic_console.kit.sql.constant_sql import Given, Select, Update
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import InvalidRequest, LaafficClient, LaafficError, OutcomeUnknown, SendResult
from messaging import job_names
from messaging.models import Campaign, CampaignState
from messaging.services.audience import audience
from messaging.services.batches import answers, claiming, failed_requests, settling, unanswered, waiting
from messaging.services.batches.claiming import Shut, Stopped, Wait
from messaging.services.batches.failed_requests import Aftermath
from messaging.services.campaigns import campaigns, states
from messaging.services.channels import channels
from messaging.services.channels.channels import NotReady, NotYet, Post
from messaging.services.channels.outgoing import Claim
from messaging.services.replies import reply_pushes
from messaging.services.sending import lost_answers
from messaging.services.sending.connections import Answered, Connections

logger = logging.getLogger(__name__)

RENEW_EVERY = 4.0
REPLIES_FIRST_SECONDS = 5.0
AT_ONCE = 4  # requests that are claimed, and answers that are written, in a transaction; as many lie ready
AT_MOST = 64  # of them, where a request carries few recipients and there are many connections
FEW = 100  # recipients a request
WRITE_WITHIN = 0.03  # seconds in which an answer that is known is only known here
IDLE_SECONDS = 0.05
LAST_SECONDS = 0.5  # after a turn, for what is claimed ahead: who waits for this process waits so much longer
LONGEST_PAUSE = 60.0


def send(campaign_id: int, *, slice_seconds: float | None = None) -> None:
    """Send for a turn; a second caller finds the lease taken and goes away."""
    with leases.lease(f"send:{campaign_id}") as lease:
        if lease is None or workers.is_stopping():
            return
        campaign: Campaign | None = _sent.first(Campaign, pk=campaign_id)
        if campaign is None:
            return
        if campaign.state == CampaignState.CANCELLED:
            campaigns.cancel_all_waiting(campaign_id)
            return
        if campaign.state != CampaignState.RUNNING:
            return
        unanswered.recover_stale(campaign_id, lease.token)
        # A STOP that came while no worker was there is obeyed before anything leaves (laws#opt-out-wins).
        reply_pushes.INBOX.catch_up(REPLIES_FIRST_SECONDS)
        if campaigns.hold_for_account(campaign_id):
            return
        try:
            client = laaffic_client()
            post = _poster(campaign, lease)
        except NotConfigured as problem:
            account_hold.place_because(str(problem))
            campaigns.hold_for_account(campaign_id)
            return
        except NotYet:
            return  # the sweep rings again
        except NotReady as problem:
            if not campaigns.hold_for_account(campaign_id):  # refused for the account's sake, it goes on with it
                states.hold(campaign_id, str(problem))
            return
        ring_again = Sender(campaign, client, post, lease, turns.Turn(slice_seconds)).run()
    if answers.anything_waiting():
        bell.ring(answers.JOB)
    if ring_again:
        bell.ring(job_names.SEND_CAMPAIGN, campaign_id)


def _poster(campaign: Campaign, lease: leases.HeldLease) -> Post:
    """The channel's poster. Uploads before it may take many times the lease, which is renewed in the meantime."""
    channel = channels.of(campaign)
    if channel.is_ready_at_once:
        return channel.poster(campaign)
    with workers.beating(lease.renew, every=lease.seconds / 4):
        return channel.poster(campaign)


@Update
def _first_left() -> tuple["QuerySet[Campaign]", dict[str, Any]]:
    return Campaign.objects.filter(pk=Given("campaign"), first_sent_at=None), {"first_sent_at": Given("at")}


@Select
def _sent() -> "QuerySet[Campaign]":
    return Campaign.objects.select_related("application").filter(pk=Given("pk")).order_by()


class Sender:
    """A campaign's pipeline for one turn."""

    def __init__(
        self, campaign: Campaign, client: LaafficClient, post: Post, lease: leases.HeldLease, turn: turns.Turn
    ) -> None:
        self.campaign = campaign
        self.client = client
        self.post = post
        self.lease = lease
        self.connections = Connections(campaign.application.connections)
        self.at_once = requests_at_once(channels.of(campaign).recipients_at_once, self.connections.n)
        self.turn = turn
        self.answers: list[tuple[Claim, SendResult]] = []  # come, and not written yet
        self.answered_at = 0.0  # when the oldest of them came
        self.finished: deque[Answered] = deque()  # answered, and not looked at yet
        self.ready: deque[Claim] = deque()  # claimed ahead: a free connection need not wait for the database
        self.pause_until = 0.0
        self.idle_until = 0.0  # the end of a pause that only waits for answers
        self.recipients_claimed = 0
        self.closes_at = math.inf  # the turn is over: nothing more is claimed, and until then what is ready may leave
        self.stopping = False
        self.is_finished = False
        self.ring_again = False
        self.next_renewal = lease.taken_at + RENEW_EVERY
        self.wait_reason = campaign.wait_reason

    def run(self) -> bool:
        """True when there is more to do."""
        with self.connections:
            try:
                with self._lease_kept():
                    while not self._is_over():
                        self._fill_connections()
                        self._settle_finished()
            finally:
                self._drain()
        if not self.ring_again:
            self._finish_if_done()
        return self.ring_again

    def _finish_if_done(self) -> None:
        if not self.is_finished:
            self.is_finished = campaigns.finish_if_done(self.campaign.pk)
        self.stopping |= self.is_finished

    @contextlib.contextmanager
    def _lease_kept(self) -> Iterator[None]:
        """Whatever happens, batches claimed ahead go back: their requests have not left."""
        try:
            yield
        finally:
            while self.ready:
                claimed = self.ready.popleft()
                with isolation.guarded(f"giving back batch {claimed.batch_id}"):
                    insist(partial(claiming.release, claimed, "its sender stopped before the request left"))

    def _is_over(self) -> bool:
        now = time.monotonic()
        if not self.stopping and workers.is_stopping():
            self.stopping = self.ring_again = True
        if not self.stopping and (self._is_closing() or self.turn.is_over()):
            self.closes_at = min(self.closes_at, now + LAST_SECONDS)
            self.ring_again = True
            self.stopping = not self.ready or now >= self.closes_at
        if now >= self.next_renewal:
            self.next_renewal = now + RENEW_EVERY
            workers.beat()
            if not self.lease.renew():
                self.stopping = True  # another sender has taken over: nothing more may leave from here
        return self.stopping

    def _is_closing(self) -> bool:
        return self.closes_at < math.inf

    def _fill_connections(self) -> None:
        while (free := self.connections.free) > 0 and not self.stopping:
            if not self.ready and not self._claim():
                return
            self._depart([self.ready.popleft() for _ in range(min(free, len(self.ready)))])
        self._depart_ahead()
        if len(self.ready) < self.at_once and not self.stopping and not self._is_paced():
            self._claim(self.at_once)

    def _depart_ahead(self) -> None:
        """One batch more than there are connections, when one of them is about to come free; of many, a quarter more.

        A gateway that answers at once would else wait for this thread while it writes. With a slow one this hardly ever
        happens, so a worker that is killed leaves few more requests in doubt than it has connections.
        """
        ahead = self.connections.spare
        if len(self.ready) < ahead or self.stopping or self._is_paced():
            return
        if self.connections.about_to_end() >= ahead:
            self._depart([self.ready.popleft() for _ in range(ahead)])

    def _is_paced(self) -> bool:
        """With a rate, a claim is the right to send now: nothing is claimed ahead."""
        return bool(self.campaign.rate_per_second or self.campaign.application.rate_per_second)

    def _claim(self, at_least: int = 1) -> bool:
        """Whether there is something ready now."""
        while len(self.ready) < at_least and time.monotonic() >= self.pause_until and not self._is_over():
            if self._is_closing():
                break
            if self._is_all_claimed() and not self._may_come_back():
                break
            match claiming.claim_some(self.campaign, self.lease.token, self.at_once):
                case list(claimed):
                    self.ready.extend(claimed)
                    self.recipients_claimed += sum(len(one.numbers) for one in claimed)
                case Wait(until=until):
                    self._pause_until(until)
                case Stopped():
                    self.stopping = True
                case Shut(because=because, kind=kind):
                    states.hold(self.campaign.pk, because, kind)
                    self.stopping = True
                case None:
                    self._nothing_queued(at_least - len(self.ready))
        return bool(self.ready)

    def _is_all_claimed(self) -> bool:
        """Everybody of it is in a request of this turn that was answered or is awaited: nothing is left to claim."""
        is_frozen = self.campaign.audience == Campaign.Audience.FROZEN
        return is_frozen and 0 < self.campaign.total <= self.recipients_claimed

    def _may_come_back(self) -> bool:
        """Whether to look anyway: not before the last answer is written, and not if that was the end."""
        if self._is_in_hand():
            self._await_answers()
            return False
        self._finish_if_done()
        return not self.is_finished

    def _is_in_hand(self) -> bool:
        return bool(self.connections or self.finished or self.answers)

    def _await_answers(self) -> None:
        self._pause(IDLE_SECONDS)
        self.idle_until = self.pause_until

    def _nothing_queued(self, wanted: int) -> None:
        """Freeze so many chunks if the audience is not whole; else wait for what is in flight, or for a moment."""
        if self.campaign.audience != Campaign.Audience.FROZEN:
            if not audience.freeze_some(self.campaign.pk, min(wanted, AT_ONCE)):
                self.campaign.refresh_from_db(fields=["audience", "total"])
                self._pause(IDLE_SECONDS)
            return
        if self._is_in_hand():
            self._await_answers()
            return
        due = waiting.next_due(self.campaign.pk)
        if due is None:
            self.stopping = True
            self._finish_if_done()
            return
        if due - database_clock.now() > moments.AHEAD:
            self.stopping = True  # it is rung for when it is due: no worker stands still for it
            self._say_waiting(waiting.sentence(self.campaign.pk, due))
            return
        self._pause_until(due, at_most=1.0)

    def _pause_until(self, moment: dt.datetime, at_most: float = LONGEST_PAUSE) -> None:
        """Pause until this moment by the database's clock, which set it: this machine's may be an hour behind."""
        self._pause(min((moment - database_clock.now()).total_seconds(), at_most))

    def _pause(self, seconds: float) -> None:
        self.pause_until = time.monotonic() + max(seconds, 0.0)

    def _depart(self, claims: Sequence[Claim]) -> None:
        """Commit that these requests leave, and only then let them; not if the campaign was stopped since the claim."""
        if workers.is_stopping():
            self.stopping = self.ring_again = True
            for claimed in claims:
                claiming.release(claimed, "its worker was stopped before the request left")
            return
        began = time.monotonic()
        try:
            left = DEPARTURE.commit([claimed.entry_id for claimed in claims], campaign=self.campaign.pk)
        except ledger.DepartureLost as lost:
            self._give_back(claims, lost)
            return
        for claimed in claims:
            if claimed.entry_id in left:
                request = partial(attempt, self.post, self.client, claimed, left[claimed.entry_id], began)
                self.connections.post(claimed, request)
        self._note_first_departure(min(left.values(), default=None))
        for claimed in claims:
            if claimed.entry_id not in left:
                claiming.release(claimed, "its campaign or the account was stopped before the request left")

    def _give_back(self, claims: Sequence[Claim], lost: ledger.DepartureLost) -> None:
        """Their rows may say that they have left, and nobody else will ever know that they have not."""
        for claimed in claims:
            self.recipients_claimed -= len(claimed.numbers)
            with isolation.guarded(f"giving back batch {claimed.batch_id}"):
                self._insist(claimed, partial(failed_requests.settle_error, self.campaign.pk, claimed, lost))

    def _note_first_departure(self, left_at: dt.datetime | None) -> None:
        """After all of them are on their way: one that waited behind a failure here would not leave."""
        if left_at is not None and self.campaign.first_sent_at is None:
            _first_left(campaign=self.campaign.pk, at=left_at)
            self.campaign.first_sent_at = left_at

    def _settle_finished(self) -> None:
        self.finished.extend(self._take_answers())
        # The wire first: the connections that came free carry the next batches while these answers are written.
        # Failures come before that: one may stop the campaign, or bring its messages back to the queue.
        went_well = all(answered.went_well for answered in self.finished)
        if self.finished and went_well and not self._is_over():
            self._fill_connections()
        self._settle_all()
        if not self.connections or time.monotonic() - self.answered_at > WRITE_WITHIN:
            self._write_answers()
        if self.pause_until == self.idle_until and not self._is_in_hand():
            self.pause_until = 0.0

    def _settle_all(self) -> None:
        while self.finished:
            self._settle(*self.finished.popleft())

    def _take_answers(self) -> list[Answered]:
        """Wait for the next answers: no longer than for a pause to end, or than earlier ones may stay unwritten."""
        patience = max(0.0, min(self.pause_until - time.monotonic(), 1.0)) if self.pause_until else IDLE_SECONDS
        if not self.connections:
            if not self.answers and not self.stopping:
                time.sleep(min(patience, 0.5))
            return []
        if self.connections.free <= 0:
            patience = 1.0
        if self.answers:
            patience = min(patience, max(0.0, self.answered_at + WRITE_WITHIN - time.monotonic()))
        return self.connections.answers(patience)

    def _settle(self, future: Future[SendResult], claimed: Claim) -> None:
        try:
            result = future.result()
        except LaafficError as error:
            lost = error  # Python forgets `error` at the end of this clause
            self.recipients_claimed -= len(claimed.numbers)  # they may come back to the queue
            self._insist(claimed, lambda: failed_requests.settle_error(self.campaign.pk, claimed, lost))
            if isinstance(lost, OutcomeUnknown):
                self._brake()
            return
        if not self.answers:
            self.answered_at = time.monotonic()
        self.answers.append((claimed, result))
        if len(self.answers) >= self.at_once or None in result.msg_ids:  # what goes wrong may have to stop it all
            self._write_answers()

    def _brake(self) -> None:
        """Nothing more leaves when one answer after the other is lost; one that came between them is written first."""
        self._write_answers()
        if lost_answers.brake(self.campaign.pk) is not None:
            campaigns.hold_for_account(self.campaign.pk)
            self.stopping = True

    def _write_answers(self) -> None:
        if not self.answers:
            return
        with contextlib.suppress(Error):  # another batch can wait; these answers exist in memory only
            self._depart_ahead()
        answered, self.answers = self.answers, []
        isolation.in_pieces(answered, self._write, self._give_up)
        self._say_waiting("")

    def _write(self, answered: Sequence[tuple[Claim, SendResult]]) -> None:
        self._after(insist(lambda: settling.settle_answers(self.campaign.pk, answered)))

    def _give_up(self, answered: tuple[Claim, SendResult], problem: Exception) -> None:
        self._unwritten(answered[0], problem)

    def _unwritten(self, claimed: Claim, problem: Exception) -> None:
        """An answer that cannot be written loses no other: its messages become unknown, the campaign is held."""
        logger.error("the answer to batch %s cannot be written", claimed.batch_id, exc_info=problem)
        isolation.note(f"the answer to batch {claimed.batch_id}", problem)
        self.ring_again, self.stopping = False, True
        said = _("An answer of Laaffic could not be stored (%(why)s). Have that fixed, then resume.")
        states.hold(self.campaign.pk, said % {"why": isolation.in_words(problem)[:150]})

    def _insist(self, claimed: Claim, settle: Callable[[], Aftermath]) -> None:
        try:
            self._after(insist(settle))
        except Exception as problem:
            if isolation.is_passing(problem):
                raise
            self._unwritten(claimed, problem)

    def _after(self, aftermath: Aftermath) -> None:
        if aftermath.account_is_held:
            campaigns.hold_for_account(self.campaign.pk)
            self.stopping = True
        if aftermath.hold_because:
            states.hold(self.campaign.pk, aftermath.hold_because)
            self.stopping = True
        if aftermath.is_made_ready_again:
            self.stopping = self.ring_again = True
        if aftermath.wait_until:
            self._pause_until(aftermath.wait_until)
            self._say_waiting(aftermath.wait_because)

    def _say_waiting(self, reason: str) -> None:
        if reason != self.wait_reason:
            self.wait_reason = reason
            running = Campaign.objects.filter(pk=self.campaign.pk, state=CampaignState.RUNNING)
            running.update(wait_reason=reason)  # a cancelled one waits for nothing

    def _drain(self) -> None:
        """Every request that left is settled before this job ends, however long its answer takes, and whatever else
        has failed: no other process knows these answers."""
        self._settle_all()
        while self.connections:
            answered = self.connections.answers(RENEW_EVERY)
            with contextlib.suppress(Error):
                self.lease.renew()
                workers.beat()
            self.finished.extend(answered)
            self._settle_all()
            self._write_answers()
        self._write_answers()


DEPARTURE = ledger.Departure(
    provided=Exists(Campaign.objects.filter(pk=Given("campaign"), state=CampaignState.RUNNING)), unless_held=True
)


def requests_at_once(recipients_per_call: int, connections: int) -> int:
    """How many requests are claimed, let go and written together.

    One transaction for a single recipient would cost as much as one for a thousand.
    """
    return AT_ONCE if recipients_per_call > FEW else max(AT_ONCE, min(2 * connections, AT_MOST))


def attempt(post: Post, client: LaafficClient, claimed: Claim, left_at: dt.datetime, began: float) -> SendResult:
    """One request, in a thread; whatever is not an answer of the gateway's leaves the outcome unknown.

    `began`: when its departure was about to be committed, in monotonic seconds: a clock that is set until then hides no
    standstill from these. They do not count while the machine sleeps, which its clock shows.
    """
    ledger.must_leave(began, "")
    if timezone.now() - left_at > ledger.LEAVES_WITHIN:
        raise ledger.StoodStill("")
    try:
        return post(client, claimed)
    except LaafficError:
        raise
    except InvalidRequest as problem:
        raise failed_requests.Unfit(problem) from problem
    except Exception as problem:  # a bug here must not make a message look unsent
        logger.exception("sending batch %s failed", claimed.batch_id, extra={"ledger": claimed.entry_id})
        raise OutcomeUnknown(f"our own failure: {type(problem).__name__}", interface="", code="") from problem
