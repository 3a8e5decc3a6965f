"""The gateway's answers to whole batches, and how each message's own row comes to say the same.

An answer is one fact about a batch: it is committed as one row, at once, and the batch's figures with it. A thousand
rows that say it again are written a moment later, together with their delivery reports where these come first. Until
then a message whose column says `queued`, in a batch that has such a row, *is* accepted; `overlay` says with which id.
"""

import datetime as dt
import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet

from laaffic_console.gateway.services.work import bell, leases, turns, workers
from laaffic_console.kit.sql.constant_sql import Given, Insert, Select
from messaging.models import Batch, BatchAnswer, BatchState, Message, MessageState
from messaging.services.batches.bulk_writes import write_answers
from messaging.services.tallies import sent_tallies
from messaging.wire import gateway_ids

JOB = "messaging.jobs.write_answers"
LOOKED_AT = 100  # of the batches in which a page looks for messages


class Accepted(NamedTuple):
    gateway_id: str | None  # None: accepted under an id that cannot be told from others
    segments: int
    at: dt.datetime


Answered = tuple[Sequence[int], Sequence[str | None], Sequence[int]]  # message ids by rising id, gateway ids, segments


def keep(answers: dict[int, Answered], at: dt.datetime) -> None:
    """Commit with the caller's transaction what was answered, by batch."""
    _keep(
        [
            BatchAnswer(batch_id=batch_id, accepted=json.dumps(answered, separators=(",", ":")), settled_at=at)
            for batch_id, answered in answers.items()
        ]
    )
    bell.ring_once_a_second(JOB)


_keep = Insert(BatchAnswer, keys=False)


def write_singles(answers: dict[int, Answered], at: dt.datetime) -> sent_tallies.Moves | None:
    """Write answers for one message each to their rows at once, and say what that moves in the tallies of sending.

    Kept for later they would be as many rows again. None, and nothing written, where one of them is for several, or
    where a report or a word came first: then they are kept.
    """
    if any(len(answered[0]) > 1 for answered in answers.values()):
        return None
    rows = sorted((pk, given, segments) for answered in answers.values() for pk, given, segments in _each(answered))
    by_country = dict(_untouched.rows(messages=[row[0] for row in rows], batches=list(answers)))
    moves = sent_tallies.of_untouched(by_country, len(rows), at)
    if moves is not None:
        write_accepted(rows, at)
    return moves


@Select
def _untouched() -> "QuerySet[Message, Any]":
    singles = Message.objects.filter(pk__among=Given("messages"), batch__id__among=Given("batches"))
    return sent_tallies.untouched_by_country(singles)


def overlay(batch_ids: Iterable[int]) -> dict[int, Accepted]:
    """{message id: answer} that the messages' own rows do not say yet; the caller has locked the batches."""
    found: dict[int, Accepted] = {}
    for answer in BatchAnswer.objects.filter(batch_id__in=list(batch_ids)):
        found |= _read(answer.batch_id, answer.accepted, answer.settled_at)
    return found


@functools.lru_cache(maxsize=64)
def _read(batch_id: int, accepted: str, at: dt.datetime) -> dict[int, Accepted]:
    """An answer never changes, and shuffled reports come back to the same ones again and again."""
    return {pk: Accepted(gateway_id, segments, at) for pk, gateway_id, segments in _rows(accepted)}


def _rows(accepted: str) -> Iterator[tuple[int, str | None, int]]:
    return _each(json.loads(accepted))


def _each(answered: Answered) -> Iterator[tuple[int, str | None, int]]:
    for pk, gateway_id, segments in zip(*answered, strict=True):
        yield pk, gateway_ids.kept(gateway_id) if gateway_id else gateway_id, segments


def write_waiting() -> None:
    """Write kept answers to their messages' rows, the oldest first, until none is left."""
    with leases.lease("answers") as lease:
        if lease is None:
            return
        turn = turns.Turn()
        while lease.renew():
            workers.beat()
            batch_id = BatchAnswer.objects.order_by("pk").values_list("pk", flat=True).first()
            if batch_id is None:
                return
            turn.has_begun()
            if turn.is_over():
                break
            write_one(batch_id)
    bell.ring(JOB)


def anything_waiting() -> bool:
    return BatchAnswer.objects.exists()


def write_all(batches: "QuerySet[Batch]") -> None:
    """Before the messages of these batches are looked at one by one."""
    for pk in BatchAnswer.objects.filter(batch__in=batches).order_by("pk").values_list("pk", flat=True):
        write_one(pk)


@transaction.atomic
def write_one(batch_id: int) -> None:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    answer = BatchAnswer.objects.filter(pk=batch_id).first()
    if answer is None:
        return
    rows = list(_rows(answer.accepted))
    if moves := sent_tallies.of_accepted(batch, len(rows), answer.settled_at):
        write_accepted(rows, answer.settled_at, only_unwritten=True)
        sent_tallies.move({batch.campaign_id: moves})
    else:
        with sent_tallies.following(batch):
            write_accepted(rows, answer.settled_at, only_unwritten=True)
    answer.delete()


def write_accepted(
    rows: Sequence[tuple[int, str | None, int]], at: dt.datetime, *, only_unwritten: bool = False
) -> None:
    """Write (message id, gateway id, segments) to the messages; what a report has said already stays."""
    columns: list[str] = ["gateway_id", "segments"]
    given: Sequence[Sequence[Any]] = rows
    if all(segments == 1 for _pk, _gateway_id, segments in rows):
        columns, given = ["gateway_id"], [row[:2] for row in rows]
    write_answers(columns, given, raise_state_to=MessageState.ACCEPTED, settled_at=at, only_unwritten=only_unwritten)


def accepted_but_unwritten() -> Q:
    """A condition on messages: those whose batch's answer is not on their own rows yet."""
    return Q(state=MessageState.QUEUED) & within(Batch.objects.filter(answer__isnull=False))


def within(batches: "QuerySet[Batch]") -> Q:
    """A condition on messages that the primary key answers; of the newest batches, if there are very many."""
    found = Q(pk__in=[])
    spans = batches.order_by("-pk").values_list("first_message_id", "last_message_id", "pk")
    for first, last, batch_id in spans[:LOOKED_AT]:
        found |= Q(pk__gte=first, pk__lte=last, batch_id=batch_id)
    return found


def _unsettled() -> QuerySet[Batch]:
    return Batch.objects.exclude(state=BatchState.SETTLED)


def in_open_span() -> Q:
    """A condition on messages: from the first to the last that a batch still holds; nothing else can be queued.

    Messages have no index of those that are queued, which each would have to enter and to leave.
    """
    span = _unsettled().aggregate(first=Min("first_message_id"), last=Max("last_message_id"))
    return Q(pk__in=[]) if span["first"] is None else Q(pk__gte=span["first"], pk__lte=span["last"])


def standing(message: Message) -> MessageState:
    """The state of a message with its batch's: what a list shows."""
    if message.state != MessageState.QUEUED:
        return MessageState(message.state)
    return {
        Batch.State.CLAIMED: MessageState.CLAIMED,
        Batch.State.SETTLED: MessageState.ACCEPTED,
    }.get(Batch.State(message.batch.state), MessageState.QUEUED)
