"""Settling: what came of a batch's POST, written on the request, the batch and each message in one transaction.

A batch's row is locked first and its messages after it, here and wherever else messages change; the campaign's after
them, and the tallies last (docs/mechanisms/locks.md).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, IntegerField, QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.database import database_clock, durability
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.kit.sql.constant_sql import Given, Select, Update, moment
from laaffic_console.laaffic import SendResult
from messaging.models import Batch, BatchState, Message, MessageState
from messaging.services import events
from messaging.services.batches import answers, earlier_attempts
from messaging.services.batches.failed_requests import Aftermath, after_rejecting, write_rejected
from messaging.services.batches.unanswered import FIRST_CHECK, WAITING
from messaging.services.channels.outgoing import Claim
from messaging.services.tallies import sent_tallies
from messaging.services.tallies.tally_writes import count_activity
from messaging.wire import gateway_ids

# The answer's array leaves the number out, without a reason (laaffic-api#ambiguities 3).
NOT_ACCEPTED = "not accepted by the provider"


def settle_answers(campaign_id: int, answered: Sequence[tuple[Claim, SendResult]]) -> Aftermath:
    """Several answers at once: those that accept everybody in one transaction, each of the others in its own."""
    plain = [(claimed, result) for claimed, result in answered if None not in result.msg_ids]
    one_by_one = [(claimed, result) for claimed, result in answered if None in result.msg_ids]
    try:
        _settle_together(campaign_id, plain)
    except _NotAsClaimed:
        one_by_one = list(answered)
    for claimed, result in one_by_one:
        aftermath = settle_answer(campaign_id, claimed, result)
        if aftermath.hold_because:
            return aftermath
    return Aftermath()


class _NotAsClaimed(Exception):
    """Somebody has looked after one of the batches since it was claimed."""


@transaction.atomic
def _settle_together(campaign_id: int, answered: Sequence[tuple[Claim, SendResult]]) -> None:
    if not answered:
        return
    durability.relax()
    claims = {claimed.batch_id: claimed for claimed, _ in answered}
    rows = _claimed.rows(batches=list(claims))
    entry_ids = [claimed.entry_id for claimed in claims.values()]
    if sorted(row[1] for row in rows) != sorted(entry_ids) or ledger.settle_all_accepted(entry_ids) != len(entry_ids):
        raise _NotAsClaimed
    now = timezone.now()
    by_batch = {claimed.batch_id: _answered(claimed, result) for claimed, result in answered}
    moves = answers.write_singles(by_batch, now)
    if moves is None:
        answers.keep(by_batch, now)
    by_segments: dict[int, list[int]] = defaultdict(list)
    for batch_id, _entry_id, queued, unknown in rows:
        by_segments[_segments_to_count(claims[batch_id], [], queued + unknown)].append(batch_id)
    look_at = database_clock.in_statement()
    for segments, batch_ids in by_segments.items():
        _accept(moment(look_at), batches=batch_ids, segments=segments, first_check=look_at + FIRST_CHECK)
    count_activity(campaign_id, {MessageState.ACCEPTED: sum(row[2] + row[3] for row in rows)}, now)
    if moves is not None:
        sent_tallies.move({campaign_id: moves})


@Select
def _claimed() -> "QuerySet[Batch, Any]":
    batches = Batch.objects.select_for_update().filter(pk__among=Given("batches"), state=BatchState.CLAIMED)
    return batches.order_by("pk").values_list("pk", "entry_id", "queued", "unknown")


@Update
def _accept(now: Any) -> tuple["QuerySet[Batch]", dict[str, Any]]:
    """Everybody whom no report has moved already."""
    return Batch.objects.filter(pk__among=Given("batches")), {
        "state": BatchState.SETTLED,
        "accepted": F("accepted") + F("queued") + F("unknown"),
        "queued": 0,
        "unknown": 0,
        "segments": F("segments") + Given("segments", IntegerField()),
        "next_check_at": Given("first_check") if isinstance(now, Given) else now + FIRST_CHECK,
        "checks": 0,
    }


def _answered(claimed: Claim, result: SendResult) -> answers.Answered:
    return claimed.message_ids, result.msg_ids, _segments_by_position(claimed)


@transaction.atomic
def settle_answer(campaign_id: int, claimed: Claim, result: SendResult) -> Aftermath:
    """The gateway answered: each number has an id, or was left out and is rejected."""
    durability.relax()
    batch = Batch.objects.select_for_update().get(pk=claimed.batch_id)
    if batch.entry_id != claimed.entry_id:
        _keep_late(claimed, result)
        return Aftermath()
    if not ledger.settle_accepted(claimed.entry_id):
        return Aftermath()
    with sent_tallies.following(batch):
        left_out = _settle_locked(campaign_id, batch, claimed, result)
    return after_rejecting(campaign_id, left_out)


def _settle_locked(campaign_id: int, batch: Batch, claimed: Claim, result: SendResult) -> int:
    """How many were left out, and so are rejected."""
    now = timezone.now()
    accepted, rejected = _sorted_out(claimed, result)
    uncounted = _segments_to_count(claimed, rejected, batch.queued + batch.unknown)
    if batch.state != BatchState.CLAIMED:
        was = _states([pk for pk, _id, _segments in accepted])
        answers.write_accepted(
            _with_kept_ids(accepted), now
        )  # given up for lost, so its rows say unknown: they are corrected at once
        events.messages_moved(was)
    elif accepted:
        ids, gateway_ids, segments = zip(*accepted, strict=True)
        answers.keep({claimed.batch_id: (ids, gateway_ids, segments)}, now)
    left_out = write_rejected(campaign_id, claimed, rejected, NOT_ACCEPTED, now)
    moved = batch.queued + batch.unknown - left_out  # less what an early report has moved already
    Batch.objects.filter(pk=claimed.batch_id).update(
        state=BatchState.SETTLED,
        queued=0,
        unknown=0,
        rejected=F("rejected") + left_out,
        accepted=F("accepted") + moved,
        segments=F("segments") + uncounted,
        next_check_at=database_clock.in_statement() + FIRST_CHECK,
        checks=0,
    )
    count_activity(campaign_id, {MessageState.ACCEPTED: moved, MessageState.REJECTED: left_out}, now)
    return left_out


def _keep_late(claimed: Claim, result: SendResult) -> None:
    """A person had the batch sent again since: the answer is for its own request, and the attempts that it carried."""
    if ledger.settle_accepted(claimed.entry_id, evidence=known_by.late_answer()):
        ids = zip(claimed.message_ids, result.msg_ids, strict=True)
        earlier_attempts.keep_accepted(
            {pk: msg_id for pk, msg_id in ids if msg_id},
            dict(zip(claimed.message_ids, claimed.attempts, strict=True)),
        )


def _sorted_out(claimed: Claim, result: SendResult) -> tuple[list[tuple[int, str | None, int]], list[int]]:
    """(message id, gateway id, segments) of the accepted, and the positions of those that were left out."""
    rows = list(zip(claimed.message_ids, result.msg_ids, _segments_by_position(claimed), strict=True))
    if None not in result.msg_ids:
        return rows, []
    unknown_ids = set(result.unknown_positions)
    rejected = [n for n, gateway_id in enumerate(result.msg_ids) if gateway_id is None and n not in unknown_ids]
    left_out = set(rejected)
    return [row for position, row in enumerate(rows) if position not in left_out], rejected


def _with_kept_ids(accepted: list[tuple[int, str | None, int]]) -> list[tuple[int, str | None, int]]:
    return [(pk, gateway_ids.kept(given) if given else given, segments) for pk, given, segments in accepted]


def _states(ids: Sequence[int]) -> dict[int, int]:
    return dict(Message.objects.filter(pk__in=ids).values_list("pk", "state"))


def _segments_by_position(claimed: Claim) -> list[int]:
    segments = [claimed.texts[0].segments] * len(claimed.message_ids)
    for text in claimed.texts[1:]:
        for position in text.positions:
            segments[position] = text.segments
    return segments


def _segments_to_count(claimed: Claim, left_out: list[int], waiting: int) -> int:
    """The segments of the messages that this answer accepts: the others were counted when a report moved them."""
    if waiting == len(claimed.message_ids):
        return _segments_of(claimed, left_out)
    moved = Message.objects.filter(pk__in=claimed.message_ids).exclude(state__in=WAITING)
    ids = set(moved.values_list("pk", flat=True))
    counted = [position for position, pk in enumerate(claimed.message_ids) if pk in ids]
    return _segments_of(claimed, [*left_out, *counted])


def _segments_of(claimed: Claim, left_out: list[int]) -> int:
    gone = set(left_out)
    return sum(
        text.segments * (sum(p not in gone for p in text.positions) if gone else len(text.positions))
        for text in claimed.texts
    )
