"""Delivering: what waits leaves for each webhook over several connections at once, and in order for each key.

At least once: an attempt is written down after it, so that a process that dies in between has it made again, with the
same webhook-id. One process at a time delivers, under a lease. Each webhook has a lane of its own: threads that post
and know no database. One that hangs or is away holds up nobody else; where nothing succeeds it rests, and a few
attempts find out whether it is back.

A round begins attempts for SLICE_SECONDS. What is under way by then keeps its ten seconds, and the other webhooks go on
in the meantime: a receiver that hangs delays nobody. What those begin may not make the round longer still: it is given
LAST_SECONDS once the first ones are over, then left, not counted as a failure, and posted again by the next round.
"""

import datetime as dt
import logging
import random
import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Signer

from laaffic_console.events import addresses, sealed, signing
from laaffic_console.events.models import Delivery, Webhook
from laaffic_console.events.posting import Answer, Line, Patience
from laaffic_console.events.services import delivery_writes, fan_out, webhooks
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.work import bell, due, leases, workers

logger = logging.getLogger(__name__)

LEASE = "webhooks"
SLICE_SECONDS = 8.0  # then the queue gets its worker back, as soon as what is under way has ended
LAST_SECONDS = 1.0  # for what was begun while the others were waited for
CONNECTIONS = 8  # for each webhook
AT_ONCE = 400
PROBES = 4  # while nothing succeeds
ENOUGH = 8  # failures without a success: the target is away, the rest need not be tried
WRITE_EVERY = 0.25
LOOK_EVERY = 0.05
OPEN_EVERY = 0.5
WEBHOOKS_AT_ONCE = 50

FIRST_WAIT, LONGEST_WAIT = 2.0, 4 * 3600.0
LONGEST_REST = 60.0
GIVE_UP_AFTER = dt.timedelta(days=3)
WAKE_AFTER = 3  # rounds in which nothing succeeded: what waits because of them is tried at once
JITTER = (0.8, 1.2)

State = Delivery.State
Attempt = tuple[Delivery, Answer]


def deliver() -> None:
    """The job: for some seconds whatever is due; the rest is rung for."""
    with leases.lease(LEASE) as lease:
        if lease is None:
            return
        round_ = _Round(lease)
        try:
            round_.run()
        finally:
            round_.close()
    if not workers.is_stopping() and is_anything_due(but=round_.given_up):
        bell.ring_once_a_second(fan_out.JOB)


def ring_if_due() -> None:
    """For the sweep: retries whose time has come, and bells that were lost."""
    _disbelieve()
    if is_anything_due() and not leases.is_held(LEASE):
        bell.ring(fan_out.JOB)


def _disbelieve() -> None:
    """Undo moments that lie further ahead than any wait: they are of a clock that was wrong."""
    longest = dt.timedelta(seconds=LONGEST_WAIT * JITTER[1]) + due.CLOCKS_DIFFER_BY
    ahead = database_clock.now() + longest
    asleep = Delivery.objects.filter(webhook=OuterRef("pk"), state=State.WAITING, next_at__gt=ahead)
    for webhook in Webhook.objects.filter(Exists(asleep)):
        delivery_writes.disbelieve(webhook.pk, longest)
    Webhook.objects.filter(rests_until__gt=ahead).update(rests_until=None)


def is_anything_due(*, but: Collection[int] = ()) -> bool:
    return any(webhook.pk not in but and _due(webhook).exists() for webhook in _awake())


def _awake() -> Iterable[Webhook]:
    """The webhooks for which something waits, 50 at most: if others counted, they could be the first fifty forever."""
    now = database_clock.in_statement()
    rested = Q(rests_until=None) | Q(rests_until__lte=now)
    waiting = Delivery.objects.filter(webhook=OuterRef("pk"), state=State.WAITING, next_at__lte=now)
    awake = Webhook.objects.filter(rested, Exists(waiting), state=Webhook.State.ACTIVE)
    return awake.order_by("pk")[:WEBHOOKS_AT_ONCE]


def _due(webhook: Webhook) -> "delivery_writes.Deliveries":
    """The first of each key alone: what came later waits for it. Who has been due for longest comes first: in the order
    of an index that leads past all that waits for a later try.
    """
    waiting = Delivery.objects.filter(webhook=webhook, state=State.WAITING)
    earlier = waiting.filter(order_key=OuterRef("order_key"), pk__lt=OuterRef("pk"))
    return waiting.filter(~Exists(earlier), next_at__lte=database_clock.in_statement()).order_by("next_at", "pk")


class _Round:
    def __init__(self, lease: leases.HeldLease) -> None:
        self.lease = lease
        self.lanes: dict[int, _Lane] = {}
        self.given_up: set[int] = set()  # webhooks whose lane failed here: the next sweep tries again
        self.ends_at = time.monotonic() + SLICE_SECONDS
        self.is_lost = False
        self.awaited: list[_Lane] | None = None  # lanes with attempts from before the round's end; None until then
        self.left_at: float | None = None  # when to leave what is still under way

    def run(self) -> None:
        renewed = looked = time.monotonic()
        self._open_lanes()
        while True:
            self._look_at_the_clock()
            may_begin = self.left_at is None and not self._must_stop()
            if may_begin and time.monotonic() - looked > OPEN_EVERY:
                looked = time.monotonic()
                self._open_lanes()
            for lane in list(self.lanes.values()):
                self._look_after(lane, is_over=not may_begin or lane in (self.awaited or ()))
            busy = [lane for lane in self.lanes.values() if lane.is_busy]
            if not busy or (self.left_at is not None and time.monotonic() > self.left_at):
                return
            wait([lane.running[0] for lane in busy], timeout=LOOK_EVERY, return_when="FIRST_COMPLETED")
            if time.monotonic() - renewed > 2:
                renewed = time.monotonic()
                workers.beat()
                self.is_lost = self.is_lost or not self.lease.renew()

    def _look_after(self, lane: "_Lane", *, is_over: bool) -> None:
        """Look after one lane. A webhook deleted at the same moment, or a fault of ours with it, stops no other."""
        try:
            lane.look_after(is_over=is_over)
        except Exception as problem:
            if isolation.is_passing(problem):
                raise
            lane.give_up(problem)
            self.given_up.add(lane.webhook.pk)

    def _must_stop(self) -> bool:
        return self.is_lost or workers.is_stopping()

    def _look_at_the_clock(self) -> None:
        """At the round's end, await the lanes that are busy then; the others go on until none of those is left."""
        busy = [lane for lane in self.lanes.values() if lane.is_busy]
        if self.awaited is None:
            if time.monotonic() < self.ends_at and not self._must_stop():
                return
            self.awaited = busy
        self.awaited = [lane for lane in self.awaited if lane in busy]
        if not self.awaited and self.left_at is None:
            self.left_at = time.monotonic() + LAST_SECONDS

    def _open_lanes(self) -> None:
        """Open lanes for all that is due, also while another lane hangs: what is new does not wait for it."""
        for webhook in _awake():
            lane = self.lanes.get(webhook.pk)
            if webhook.pk in self.given_up:
                continue
            if (lane is None or (lane.is_done and not lane.is_busy)) and _due(webhook).exists():
                self.lanes[webhook.pk] = lane = lane or _Lane(webhook)
                lane.open()

    def close(self) -> None:
        for lane in self.lanes.values():
            with isolation.guarded(lane.name):
                lane.close()
                if lane.problem is not None:
                    raise lane.problem


class _Lane:
    """A webhook's own threads and connections."""

    def __init__(self, webhook: Webhook) -> None:
        self.webhook = webhook
        self.name = f"webhook {webhook.pk}"
        self.problem: Exception | None = None  # a fault of ours with this one
        self.pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix=f"webhook-{webhook.pk}")
        self.lines: deque[Line] = deque()
        self.every_line: list[Line] = []
        self.answered: deque[Attempt] = deque()
        self.running: list[Future[None]] = []
        self.succeeded = self.failed = 0
        self.is_stopped = self.is_done = False
        self.patience = Patience()
        self.last: Answer | None = None
        self.wrote_at = time.monotonic()
        self.target: addresses.Target | None = None
        self.rested_until: dt.datetime | None = None
        self.signers: list[Signer] = []

    @property
    def is_busy(self) -> bool:
        return bool(self.running)

    def open(self) -> None:
        """Begin another turn, while nothing of the lane runs."""
        self.is_done = self.is_stopped = False
        self.patience.for_names = True

    def give_up(self, problem: Exception) -> None:
        """Leave this lane for the round. A webhook that was deleted in the meantime is not a fault."""
        self.is_done = self.is_stopped = True
        if Webhook.objects.filter(pk=self.webhook.pk).exists():
            self.problem = problem

    def look_after(self, *, is_over: bool) -> None:
        """One step, in the round's own thread: it alone reads and writes the database."""
        for line in list(self.every_line):
            line.cut_if_overdue()
        if is_over:
            self.is_stopped = True
            self.patience.for_names = False
        self.running = [one for one in self.running if not one.done()]
        if self.answered and (not self.running or time.monotonic() - self.wrote_at > WRITE_EVERY):
            self._write()
        if not self.running and not self.is_done:
            self._settle()
            if is_over:
                self.is_done = True
            elif not self.is_done:
                self._begin()

    def _begin(self) -> None:
        webhook = Webhook.objects.filter(pk=self.webhook.pk, state=Webhook.State.ACTIVE).first()
        if webhook is None:  # paused or deleted in the meantime
            self.is_done = True
            return
        self.webhook = webhook
        self.rested_until = webhook.rests_until
        at_most = PROBES if self.webhook.failures else AT_ONCE
        found = list(_due(self.webhook).select_related("event")[:at_most])
        if not found:
            self.is_done = True
            return
        try:
            self.target = addresses.parse(self.webhook.url)
            self.signers = webhooks.signers(self.webhook, timezone.now())
        except sealed.CannotOpen:
            self._fail_all(found, Answer(problem="secret"))
            return
        except ValidationError:  # kept by a version that took it
            self._fail_all(found, Answer(problem="url", detail=self.webhook.url[:100]))
            return
        self.is_stopped = False  # set in the turn before, if something succeeded after the receiver had seemed away
        self.running = [self.pool.submit(self._attempt, delivery) for delivery in found]

    def _fail_all(self, found: Sequence[Delivery], answer: Answer) -> None:
        """Note the same answer for all of `found`, where nothing can be posted at all."""
        self.answered.extend((delivery, answer) for delivery in found)
        self.failed += len(found)
        self._write()
        self._settle()

    def _attempt(self, delivery: Delivery) -> None:
        """Post one delivery, in a thread of the lane's own."""
        if self.is_stopped or self.target is None:
            return
        try:
            line = self.lines.pop()
        except IndexError:
            line = Line(self.target, self.patience)
            self.every_line.append(line)
        try:
            body = delivery.event.body
            headers = signing.headers(self.signers, delivery.event.webhook_id, body, timezone.now())
            answer: Answer | None = line.post(body.encode(), headers)
        except Exception as problem:
            logger.exception("event %s was not delivered", delivery.event_id)
            answer = Answer(problem="own", detail=type(problem).__name__)
        self.lines.append(line)
        if answer is None:
            return
        self._judge(answer)
        self.answered.append((delivery, answer))

    def _judge(self, answer: Answer) -> None:
        if not answer.problem:
            self.succeeded += 1
            return
        self.failed += 1
        is_away = not self.succeeded and (self.failed >= ENOUGH or answer.problem in ("timeout", "lookup"))
        if answer.problem == "gone" or is_away:
            self.is_stopped = True

    def _write(self) -> None:
        attempts = [self.answered.popleft() for _n in range(len(self.answered))]
        now = database_clock.now()
        delivery_writes.write([self._row(delivery, answer, now) for delivery, answer in attempts])
        self.wrote_at = time.monotonic()
        failed = [answer for _delivery, answer in attempts if answer.problem]
        self.last = failed[-1] if failed else self.last
        if any(answer.problem == "gone" for answer in failed):
            self.is_done = self.is_stopped = True
            webhooks.disable(self.webhook.pk, "gone")

    def _row(self, delivery: Delivery, answer: Answer, now: dt.datetime) -> delivery_writes.Row:
        first = delivery.first_tried_at or now
        if _is_long_past(self.rested_until or delivery.next_at, now) and _is_long_past(delivery.next_at, now):
            first = now  # nobody here tried for hours, which speaks against no receiver
        next_at, state = delivery.next_at, State.DELIVERED
        if answer.problem:
            is_over = answer.problem == "gone" or now - first > GIVE_UP_AFTER
            state = State.FAILED if is_over else State.WAITING
            next_at = now + dt.timedelta(seconds=max(pause(delivery.attempts), answer.wait))
        return delivery_writes.Row(
            delivery.pk, state, answer.status, answer.ms, answer.problem, answer.detail, next_at, first, now
        )

    def _settle(self) -> None:
        """Note what the whole turn says about the webhook itself."""
        if self.succeeded:
            self._is_well()
        elif self.failed and not self.is_done:
            self._is_away()
        self.succeeded = self.failed = 0

    def _is_well(self) -> None:
        """Note that the webhook answers: where that is news, and each few seconds."""
        now, row = database_clock.now(), self.webhook
        if row.failures >= WAKE_AFTER and not delivery_writes.wake(row.pk, row.failing_since or now):
            self._keep(rests_until=None, last_ok_at=now)  # more is to be woken, with the next that succeeds
            return
        is_old = row.last_ok_at is None or now - row.last_ok_at > dt.timedelta(seconds=5)
        if row.failures or row.failing_since or is_old:
            health = {"failures": 0, "failing_since": None, "rests_until": None, "problem": "", "detail": ""}
            if not self._keep(**health, last_ok_at=now):
                Webhook.objects.filter(pk=row.pk).update(last_ok_at=now)  # it arrived anyway

    def _is_away(self) -> None:
        self.is_done = True
        now, row = database_clock.now(), self.webhook
        stood_still = self.rested_until is not None and _is_long_past(self.rested_until, now)
        since = now if stood_still else row.failing_since or now
        rest = max(min(2.0 ** min(row.failures, 30), LONGEST_REST), self.last.wait if self.last else 0.0)
        rests_until = now + dt.timedelta(seconds=rest * random.uniform(*JITTER))  # noqa: S311 - no secret
        why = {"problem": self.last.problem, "detail": self.last.detail} if self.last is not None else {}
        # It may have succeeded since, and what waited for it was still being woken.
        is_over = now - max(since, row.last_ok_at or since) > settings.WEBHOOKS_DISABLE_AFTER
        with transaction.atomic():
            kept = self._keep(failures=row.failures + 1, failing_since=since, rests_until=rests_until, **why)
            if kept and is_over:
                webhooks.disable(row.pk, "failing", f"{settings.WEBHOOKS_DISABLE_AFTER.total_seconds() / 86400:g}")

    def _keep(self, **health: Any) -> bool:
        """Store what this turn found out, unless somebody has paused and perhaps resumed it: that begins again."""
        row = self.webhook
        as_read = Webhook.objects.filter(pk=row.pk, state=row.state, failing_since=row.failing_since)
        is_kept = bool(as_read.update(**health))
        for name, value in health.items() if is_kept else ():
            setattr(row, name, value)
        return is_kept

    def close(self) -> None:
        """Write what has been answered; what is still under way is left, and not waited for."""
        self.is_stopped = True
        self.patience.for_names = self.patience.for_answers = False
        if self.answered:
            self._write()
        self.pool.shutdown(wait=False, cancel_futures=True)
        for line in list(self.every_line):
            line.leave()


def _is_long_past(moment: dt.datetime, now: dt.datetime) -> bool:
    """Whether `moment` is longer ago than any wait: nobody looked for that long, or this is an older backup."""
    return now - moment > dt.timedelta(seconds=LONGEST_WAIT * JITTER[1])


def pause(attempts: int) -> float:
    """Seconds until the next attempt, doubled each time, with jitter so that many do not come back at once."""
    longest = min(FIRST_WAIT * 2.0 ** min(attempts, 30), LONGEST_WAIT)
    return longest * random.uniform(*JITTER)  # noqa: S311 - no secret
