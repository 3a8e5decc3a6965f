"""Emptying the inbox: one mechanism for every kind of push. A kind says how it reads and applies an entry.

Bodies are applied in slices, each a short transaction of its own that also moves the bodies' positions: a worker that
is killed, and a body of a hundred thousand entries, go on where they were. What cannot be applied is marked on its
body, is shown, can be tried again, and holds up nobody.
"""

import itertools
import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import bell, leases, turns, workers
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic.pushes import entries_of

logger = logging.getLogger(__name__)

Entry = TypeVar("Entry")

BODIES_AT_ONCE = 4000
TEXT_AT_ONCE = 1_000_000
LARGE = 250_000  # characters; of such bodies one is in a round, beside the small ones
ENTRIES_A_ROUND = 5_000  # from one body; then whatever came in the meantime has its turn
SMALLEST, LARGEST = 50, 4000  # entries in a transaction
LONG_SECONDS, SHORT_SECONDS = 0.4, 0.15  # a transaction above is followed by one of half the size, below by a double
GAP_SECONDS = 0.05  # between SQLite's write transactions, for requests that wait to store a push
PROBLEMS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Inbox(Generic[Entry]):
    """One kind of push.

    `read` makes of one raw entry what is applied, or says in words why it is none. `apply` works in the caller's
    transaction and says for each entry whether what it is about is known. `orphan` is the row that keeps one nobody
    knows, None where nothing is to be kept; `retry` applies such rows' reports again, in the caller's transaction.
    """

    kind: PushKind
    job: str
    read: Callable[[PushedBody, object], tuple[Sequence[Entry], Sequence[str]]]
    apply: Callable[[Sequence[Entry]], Sequence[bool]]
    orphan: Callable[[int, Entry], OrphanReport | None] | None = None
    retry: Callable[[list[dict[str, Any]]], list[bool]] | None = None
    linger: float = 0.0  # seconds that a worker stays for what is about to come

    def apply_waiting(self) -> bool:
        """Apply until the inbox is empty, stay a moment for what is about to come, and look at orphans again.

        Whether it ended before that, with its turn; then the bell has been rung for the rest. False where another is
        at it.
        """
        with leases.lease(f"inbox:{self.kind}") as lease:
            if lease is None:
                return False
            draining = _Draining(self, lease, turns.Turn())
            if draining.work(self._retry_due) and self._retry_all(draining.may_go_on):
                return False
            bell.ring(self.job)
            return True

    def catch_up(self, seconds: float) -> None:
        """Apply what waits, for so long at most, before something is done that it may speak against: that is not cut
        short because another job waits.

        Where another is at it, nothing: that one may be slow, or dead.
        """
        if not inbox.anything_waiting(self.kind):
            return
        with leases.lease(f"inbox:{self.kind}") as lease:
            if lease is not None:
                _Draining(self, lease, turns.Turn(seconds, least=seconds)).work()

    def apply_some(self, go_on: Callable[[], bool] = lambda: True, pace: "_Pace | None" = None) -> int:
        """One round: every small body that waits, up to a limit, and a part of one large one; how many bodies.

        `go_on` is asked between transactions; what is left then waits where it is. `pace`: that of the rounds before.
        """
        bodies = _next_bodies(self.kind)
        items = self._entries(bodies)
        pace = pace or _Pace()
        piece = list(itertools.islice(items, pace.size))
        while piece and go_on():
            with pace.timed():
                isolation.in_pieces(piece, self._apply_piece, self._give_up)
            piece = list(itertools.islice(items, pace.size))
            if piece:
                pace.leave_a_gap()
        return len(bodies)

    def _retry_all(self, go_on: Callable[[], bool]) -> bool:
        """Slice after slice; False where more are due and time is up, or bodies have come, which are first."""
        if self.retry is None:
            return True
        while inbox.is_any_orphan_due(self.kind):
            if inbox.anything_waiting(self.kind) or not go_on():
                return False
            self.retry_orphans()
        return True

    def _retry_due(self) -> None:
        """Try some orphans: where pushes come steadily, a worker that stays for the next has no time left later."""
        if self.retry is not None and inbox.is_any_orphan_due(self.kind):
            self.retry_orphans()

    def retry_orphans(self) -> int:
        """Try some reports again whose message nobody knew; how many are known now."""
        return inbox.retry_orphans(self.kind, self.retry) if self.retry else 0

    def _entries(self, bodies: Iterable[PushedBody]) -> "Iterator[_Item[Entry]]":
        """The entries left in each body, read when they are wanted; an unreadable body is given up at once."""
        for body in bodies:
            try:
                raw = entries_of(json.loads(body.body))
            except Exception as problem:  # whatever a hostile body makes of the parser
                _mark_unreadable(body, problem)
                continue
            if body.position >= len(raw):
                _move(body.pk, len(raw), len(raw), [], 0)
            for index in range(body.position, min(len(raw), body.position + ENTRIES_A_ROUND)):
                yield self._item(body, index, raw[index], len(raw))

    def _item(self, body: PushedBody, index: int, raw: object, total: int) -> "_Item[Entry]":
        try:
            found, problems = self.read(body, raw)
        except Exception as problem:  # a fault of ours: it is marked, and can be tried again when it is fixed
            logger.exception("an entry of pushed body %s cannot be read", body.pk)
            return _Item(body.pk, index, total, (), [isolation.in_words(problem)], is_failed=True)
        return _Item(body.pk, index, total, found, [problem[:300] for problem in problems])

    @transaction.atomic
    def _apply_piece(self, piece: "Sequence[_Item[Entry]]") -> None:
        ours = _still_ours(piece)
        found = [(item.body_id, entry) for item in ours for entry in item.entries]
        known = self.apply([entry for _, entry in found])
        if self.orphan is not None:
            pairs = zip(found, known, strict=True)
            orphans = [self.orphan(pk, entry) for (pk, entry), is_known in pairs if not is_known]
            inbox.keep_orphans([orphan for orphan in orphans if orphan is not None])
        _advance(ours)

    def _give_up(self, item: "_Item[Entry]", problem: Exception) -> None:
        logger.error("entry %s of pushed body %s cannot be applied: %s", item.place, item.body_id, problem)
        failed: _Item[Entry] = _Item(
            item.body_id, item.place, item.total, (), [isolation.in_words(problem)], is_failed=True
        )
        with transaction.atomic():
            _advance(_still_ours([failed]))


class _Item(NamedTuple, Generic[Entry]):
    """The entry at a place of a body: as a rule one, none where it could not be read."""

    body_id: int
    place: int  # in its body
    total: int
    entries: Sequence[Entry]
    problems: Sequence[str]
    is_failed: bool = False


class _Draining:
    """One worker's time with one inbox."""

    def __init__(self, drained: Inbox[Any], lease: leases.HeldLease, turn: turns.Turn) -> None:
        self.drained, self.lease, self.turn, self.pace = drained, lease, turn, _Pace()

    def work(self, when_empty: Callable[[], object] = lambda: None) -> bool:
        """True when the inbox is empty, False when time is up or another has taken over.

        `when_empty`: done as soon as it is so, before the worker stays for what is about to come.
        """
        empty_since: float | None = None
        while self.may_go_on():
            if self.drained.apply_some(self.may_go_on, self.pace):
                empty_since = None
                continue
            if empty_since is None:
                when_empty()
                empty_since = time.monotonic()
            if time.monotonic() - empty_since >= self.drained.linger:
                return True
            time.sleep(0.1)
        return False

    def may_go_on(self) -> bool:
        workers.beat()
        return not self.turn.is_over() and self.lease.renew()


class _Pace:
    """How many entries go into a transaction, so that each is short on a slow machine too."""

    size = 100

    def timed(self) -> "_Pace":
        return self

    def __enter__(self) -> None:
        self.began = time.monotonic()

    def __exit__(self, *problem: object) -> None:
        self.ended = time.monotonic()
        self.took = self.ended - self.began
        if self.took > LONG_SECONDS:
            self.size = max(SMALLEST, self.size // 2)
        elif self.took < SHORT_SECONDS:
            self.size = min(LARGEST, self.size * 2)

    def leave_a_gap(self) -> None:
        """SQLite's waiters look now and then whether the lock is free: without a gap they would hardly find it so.

        What was done since the transaction, as reading what comes next, is a part of the gap.
        """
        if connection.vendor == "sqlite":
            left = min(GAP_SECONDS, self.took / 4) - (time.monotonic() - self.ended)
            if left > 0:
                time.sleep(left)


def try_again(bodies: Iterable[int]) -> int:
    """Have bodies applied again from their beginning; what was applied before changes nothing. How many."""
    chosen = PushedBody.objects.filter(pk__in=list(bodies)).exclude(applied_at=None)
    with transaction.atomic():
        for body in chosen.defer("body"):
            record(Act.CHANGED, body, event=_("applied again"))
        again = chosen.update(applied_at=None, position=0, failed=0, problems=[])
    inbox.ring_for_waiting()
    return again


def _next_bodies(kind: PushKind) -> list[PushedBody]:
    """The oldest, as many small ones as a round takes, and the first large one before them.

    However many wait, only the first are looked at: else each round of a long inbox would go through all of it.
    """
    if not inbox.anything_waiting(kind):
        return []
    waiting = PushedBody.objects.filter(kind=kind, applied_at=None).order_by("id")
    oldest = _sizes(waiting)
    small = [(pk, size) for pk, size in oldest if size <= LARGE]
    if not small and len(oldest) == BODIES_AT_ONCE:
        small = _sizes(waiting.filter(size__lte=LARGE))
    large = next((pk for pk, size in oldest if size > LARGE), None)
    chosen = [] if large is None else [large]
    text = itertools.accumulate(size for _pk, size in small)
    chosen += [pk for n, ((pk, _), total) in enumerate(zip(small, text, strict=True)) if not n or total <= TEXT_AT_ONCE]
    return list(waiting.filter(pk__among=chosen).only("mark", "body", "position"))


def _sizes(waiting: "QuerySet[PushedBody]") -> list[tuple[int, int]]:
    """Ids and sizes, read from the index alone: on SQLite the size of a body lies behind its whole text."""
    return list(waiting.values_list("pk", "size")[:BODIES_AT_ONCE])


def _still_ours(piece: Sequence[_Item[Entry]]) -> list[_Item[Entry]]:
    """The items that nobody else has applied in the meantime; their bodies are locked until the transaction ends."""
    locked = PushedBody.objects.select_for_update().filter(pk__in={item.body_id for item in piece}, applied_at=None)
    at = dict(locked.order_by("pk").values_list("pk", "position"))
    ours = []
    for item in piece:
        if at.get(item.body_id) == item.place:
            at[item.body_id] += 1
            ours.append(item)
    return ours


def _advance(piece: Sequence[_Item[Entry]]) -> None:
    """Move the bodies behind the last entry of a piece; those without a problem in one statement."""
    of_body: dict[int, list[_Item[Entry]]] = defaultdict(list)
    for item in piece:
        of_body[item.body_id].append(item)
    clean: dict[tuple[int, int], list[int]] = defaultdict(list)
    for pk, items in of_body.items():
        position, total = items[-1].place + 1, items[-1].total
        problems = [problem for item in items for problem in item.problems]
        if problems:
            _move(pk, position, total, problems, sum(item.is_failed for item in items))
        else:
            clean[position, total].append(pk)
    for (position, total), pks in clean.items():
        PushedBody.objects.filter(pk__in=pks).update(**_place(position, total))


def _move(pk: int, position: int, total: int, problems: Sequence[str], failed: int) -> None:
    body = PushedBody.objects.get(pk=pk)
    body.problems = [*body.problems, *problems][:PROBLEMS_KEPT]
    body.failed += failed
    changed = _place(position, total)
    PushedBody.objects.filter(pk=pk).update(problems=body.problems, failed=body.failed, **changed)


def _place(position: int, total: int) -> dict[str, Any]:
    is_done = position >= total
    return {"position": position, "entries": total} | ({"applied_at": timezone.now()} if is_done else {})


def _mark_unreadable(body: PushedBody, problem: Exception) -> None:
    logger.error("pushed body %s cannot be read: %s", body.pk, problem)
    PushedBody.objects.filter(pk=body.pk).update(
        applied_at=timezone.now(), entries=0, failed=1, problems=[isolation.in_words(problem)]
    )
