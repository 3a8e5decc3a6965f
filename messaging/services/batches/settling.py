"""Settling: what came of a batch's POST, written on the request, the batch and each message in one transaction.

A batch's row is locked first and its messages after it, here and wherever else messages change; the campaign's after
them, and the tallies last (docs/mechanisms/locks.md).
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, IntegerField, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import EntryState, LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.database import database_clock, durability
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.kit.sql.constant_sql import Given, Select, Update, moment
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import (
    SIGNS_AGAIN_WITHIN,
    Code,
    InvalidRequest,
    LaafficError,
    NotSent,
    OutcomeUnknown,
    Refused,
    Remedy,
    SendResult,
)
from messaging.models import IS_OPEN_BATCH, ActivityTally, Batch, BatchState, Message, MessageState
from messaging.services import events
from messaging.services.batches import answers, carving, earlier_attempts, error_limit, sent_tallies
from messaging.services.batches.bulk_writes import count_outcomes, upsert_tallies
from messaging.services.channels import channels
from messaging.services.channels.outgoing import Claim
from messaging.wire import gateway_ids

# The answer's array leaves the number out, without a reason (laaffic-api#ambiguities 3).
NOT_ACCEPTED = "not accepted by the provider"
FIRST_CHECK = dt.timedelta(seconds=30)
WAITING = (MessageState.QUEUED, MessageState.UNKNOWN)  # for this answer, or for what speaks in its place


def settle_answers(campaign_id: int, answered: Sequence[tuple[Claim, SendResult]]) -> "Aftermath":
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
def settle_answer(campaign_id: int, claimed: Claim, result: SendResult) -> "Aftermath":
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
    return _after_rejecting(campaign_id, left_out)


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
    left_out = _write_rejected(campaign_id, claimed, rejected, NOT_ACCEPTED, now)
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


def _segments_by_position(claimed: Claim) -> list[int]:
    segments = [claimed.texts[0].segments] * len(claimed.message_ids)
    for text in claimed.texts[1:]:
        for position in text.positions:
            segments[position] = text.segments
    return segments


def settle_error(campaign_id: int, claimed: Claim, error: LaafficError) -> "Aftermath":
    """The three branches: not sent goes back, refused does what the code says, unknown stays unknown."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=claimed.batch_id)
        if not ledger.settle_error(claimed.entry_id, error) or batch.entry_id != claimed.entry_id:
            return Aftermath()  # sent again by a person's word since: this says only what came of its own call
        with sent_tallies.following(batch):
            return _settle_error_locked(campaign_id, batch, claimed, error)


def _settle_error_locked(campaign_id: int, batch: Batch, claimed: Claim, error: LaafficError) -> "Aftermath":
    if batch.state == BatchState.UNKNOWN and not isinstance(error, OutcomeUnknown):
        _take_back(batch)  # given up for lost, and now it is certain that nothing was sent
    if batch.state not in (BatchState.CLAIMED, BatchState.UNKNOWN):
        return Aftermath()  # reports or a person's word have settled every message of it
    if not batch.queued + batch.unknown:
        mark_unknown(batch, f"{error}")  # reports came first, for everybody: nobody is left to mark
        return Aftermath()
    match error:
        case Unfit():
            return _settle_unfit(campaign_id, batch, claimed, error)
        case NotSent():
            unreachable = _("The gateway cannot be reached (%(why)s).") % {"why": error.message}
            return _requeue(batch, error, wait_because=unreachable)
        case OutcomeUnknown():
            mark_unknown(batch, f"{error}")
            return Aftermath()
        case Refused():
            return _settle_refused(campaign_id, batch, claimed, error)
    raise TypeError(f"no branch for {type(error).__name__}") from error


FIRST_WAIT = 0.5  # seconds; doubled with each attempt
LONGEST_WAIT = 60.0
LONGEST_OF_PHONE = 3600.0  # the limit of one phone lasts hours, and delays no other message
# Longer than a limit of a day lasts: what comes later nobody waits for, and its campaign would never be finished.
PHONE_GIVEN_UP_AFTER = dt.timedelta(hours=26)


class Aftermath:
    """What a failed request asks of its campaign: to be held, or to wait for a while, with one sentence why."""

    __slots__ = ("account_is_held", "hold_because", "is_made_ready_again", "wait_because", "wait_until")

    def __init__(
        self,
        *,
        hold_because: str = "",
        wait_because: str = "",
        wait_until: dt.datetime | None = None,
        account_is_held: bool = False,
    ) -> None:
        self.account_is_held = account_is_held
        self.is_made_ready_again = False  # by the next turn's poster; this one has what Laaffic does not know
        self.hold_because = hold_because
        self.wait_because = wait_because
        self.wait_until = wait_until


def _settle_refused(campaign_id: int, batch: Batch, claimed: Claim, refusal: Refused) -> Aftermath:
    sentence = code_words.refused(refusal)
    several = len(claimed.message_ids) > 1
    match refusal.calls_for:
        case Remedy.RETRY if not refusal.entry.of_number:
            return _requeue(batch, refusal, wait_because=sentence)
        case Remedy.RETRY if not several and not _is_limited_for_good(batch):
            _requeue(batch, refusal, wait_because=sentence, longest=LONGEST_OF_PHONE)
            Batch.objects.filter(pk=batch.pk, limited_since=None).update(limited_since=database_clock.in_statement())
            return Aftermath()  # one phone has its limit; the others need not wait for it
        case Remedy.FIX_ADDRESS:
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.QUEUED, token="")
            return Aftermath(hold_because=sentence)
        case Remedy.SPLIT if refusal.entry.is_foreign and not several:
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.QUEUED, token="")
            return Aftermath(hold_because=_too_large_alone(refusal))
        case Remedy.HOLD_ACCOUNT | Remedy.RESIGN:
            Batch.objects.filter(pk=batch.pk).update(state=BatchState.QUEUED, token="")
            account_hold.place(refusal, entry_id=claimed.entry_id)
            return Aftermath(account_is_held=True)
        case _ if several and (refusal.calls_for is Remedy.SPLIT or refusal.entry.of_number):
            _split(batch)
            return Aftermath()
        case Remedy.FIX_CONTENT if len(claimed.texts) > 1:
            _split(batch)
            return Aftermath()
        case _ if refusal.code == Code.NO_PRICE and _has_several_countries(batch):
            _split(batch)
            return Aftermath()
        case _ if refusal.code == Code.DOES_NOT_EXIST and not channels.of(batch.campaign).is_ready_at_once:
            return _make_ready_again(batch, claimed, refusal)
    rejected = _reject_all(campaign_id, batch, claimed, f"{refusal.code} {refusal.meaning}")
    if refusal.calls_for is Remedy.SPLIT:
        return _after_rejecting(campaign_id, rejected)
    if refusal.entry.of_number or refusal.code == Code.NO_PRICE:
        return _after_rejecting(campaign_id, rejected, sentence)
    return Aftermath(hold_because=sentence)


def _make_ready_again(batch: Batch, claimed: Claim, refusal: Refused) -> Aftermath:
    """Laaffic has forgotten a file that everybody is to get. Nothing was sent, and nobody is rejected for that."""
    left_at = LedgerEntry.objects.values_list("left_at", flat=True).get(pk=claimed.entry_id) or timezone.now()
    if channels.of(batch.campaign).makes_ready_again(batch.campaign, left_at):
        gone = _("Laaffic has forgotten an attachment before its three days were over: it is uploaded again.")
        aftermath = _requeue(batch, refusal, wait_because=gone)
        aftermath.is_made_ready_again = True
        return aftermath
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.QUEUED, token="")
    sentence = _("%(why)s Its attachments had just been uploaded. Nothing was rejected.")
    return Aftermath(hold_because=sentence % {"why": code_words.refused(refusal)})


def _too_large_alone(refusal: Refused) -> str:
    """No smaller request can be made, and Laaffic has not seen this one: who it is to may be as right as any other."""
    sentence = _(
        "Something between this machine and Laaffic says %(code)s, too large, even to a request for one recipient: let "
        "requests through, or check LAAFFIC_BASE_URL, then resume. Nothing was rejected."
    )
    return sentence % {"code": refusal.code}


def _is_limited_for_good(batch: Batch) -> bool:
    """The attempts alone do not say since when: other refusals make them too."""
    if batch.attempt < PHONE_GIVEN_UP_AFTER.total_seconds() / LONGEST_OF_PHONE:
        return False
    return batch.limited_since is not None and batch.limited_since <= database_clock.now() - PHONE_GIVEN_UP_AFTER


def _has_several_countries(batch: Batch) -> bool:
    """Without a price for one country the others go on, as they do without one of the numbers."""
    return batch.messages().order_by().values_list("country").distinct()[:2].count() > 1


class Unfit(NotSent):
    """A request would break a limit of its interface, so it was not made; made again it would break it again."""

    def __init__(self, problem: InvalidRequest) -> None:
        super().__init__(str(problem), interface="")
        self.field = problem.field


OF_TEXT = frozenset({"content", "text", "mmsTitle"})  # parameters that one recipient may have and another not
OF_NUMBER = frozenset({"numbers", "callee"})


def _settle_unfit(campaign_id: int, batch: Batch, claimed: Claim, unfit: Unfit) -> Aftermath:
    """Reject only the recipient at fault and send the rest; what is wrong for everybody waits for a person."""
    if unfit.field not in OF_TEXT | OF_NUMBER:
        Batch.objects.filter(pk=batch.pk).update(state=BatchState.QUEUED, token="")
        sentence = _("Its requests cannot be made (%(why)s), so nothing was sent. Correct that, then resume.")
        return Aftermath(hold_because=sentence % {"why": unfit.message[:150]})
    if len(claimed.texts if unfit.field in OF_TEXT else claimed.message_ids) > 1:
        _split(batch)
        return Aftermath()
    rejected = _reject_all(campaign_id, batch, claimed, f"cannot be sent: {unfit.message}")
    return _after_rejecting(campaign_id, rejected)


def _reject_all(campaign_id: int, batch: Batch, claimed: Claim, reason: str) -> int:
    """How many were still waiting."""
    now = timezone.now()
    everyone = list(range(len(claimed.message_ids)))
    rejected = _write_rejected(campaign_id, claimed, everyone, reason[:120], now)
    Batch.objects.filter(pk=batch.pk).update(
        state=BatchState.SETTLED, queued=F("queued") - rejected, rejected=F("rejected") + rejected
    )
    count_activity(campaign_id, {MessageState.REJECTED: rejected}, now)
    return rejected


def _after_rejecting(campaign_id: int, rejected: int, sentence: str = "") -> Aftermath:
    if not rejected:
        return Aftermath()
    limit_reached = error_limit.reason_to_hold(campaign_id)
    # A refusal of one number after another, and of nobody else, is not about the numbers.
    return Aftermath(hold_because=limit_reached or (sentence if error_limit.nobody_passes(campaign_id) else ""))


def _requeue(batch: Batch, error: LaafficError, *, wait_because: str, longest: float = LONGEST_WAIT) -> Aftermath:
    """Back to the queue, later each time, `longest` seconds at most: it is certain that nothing was sent."""
    seconds = max(min(longest, FIRST_WAIT * 2 ** min(batch.attempt, 13)), getattr(error, "retry_after", 0.0))
    wait_until = database_clock.now() + dt.timedelta(seconds=seconds)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.QUEUED, token="", not_before=wait_until)
    return Aftermath(wait_because=wait_because, wait_until=wait_until)


def _take_back(batch: Batch) -> None:
    """Unknown messages of a batch as queued ones, for a late answer that says what came of their request."""
    unknown = batch.messages().filter(state=MessageState.UNKNOWN)
    was = dict.fromkeys(unknown.values_list("pk", flat=True), int(MessageState.UNKNOWN))
    batch.queued += unknown.update(state=MessageState.QUEUED, evidence="", settled_at=None)
    events.messages_moved(was)
    batch.unknown = 0
    batch.next_check_at = None
    batch.state = BatchState.CLAIMED if batch.queued else BatchState.SETTLED
    batch.save(update_fields=["queued", "unknown", "next_check_at", "state"])


def _split(batch: Batch) -> None:
    """A batch refused whole goes again in two halves, until what is wrong is alone and the rest has gone."""
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.QUEUED, token="")
    batch.state = BatchState.QUEUED
    carving.carve_head(batch, max(1, batch.queued // 2))


def mark_unknown(batch: Batch, evidence: str) -> None:
    """The answer was lost. Only evidence or a person ends this state (laws#unknown-stays)."""
    waiting = batch.messages().filter(state=MessageState.QUEUED)
    now = timezone.now()
    marked = waiting.update(state=MessageState.UNKNOWN, evidence=evidence[:200], settled_at=now)
    Batch.objects.filter(pk=batch.pk).update(
        state=BatchState.UNKNOWN if marked or batch.unknown else BatchState.SETTLED,
        queued=F("queued") - marked,
        unknown=F("unknown") + marked,
        next_check_at=database_clock.in_statement() + FIRST_CHECK,
        checks=0,
    )


def recover_stale(campaign_id: int, token: str) -> int:
    """Under a fresh sender's lease: what a dead one had claimed. The row says which way it went."""
    stale = _claimed_by_others.rows(campaign=campaign_id, token=token)
    for batch_id, entry_id, left_at in stale:
        _recover(batch_id, entry_id, left_at)
    return len(stale)


@Select
def _claimed_by_others() -> "QuerySet[Batch, Any]":
    claimed = Batch.objects.filter(IS_OPEN_BATCH.implied, campaign=Given("campaign"), state=BatchState.CLAIMED)
    return claimed.exclude(token=Given("token")).order_by("id").values_list("pk", "entry_id", "entry__left_at")


LEAVES_WITHIN = ledger.LEAVES_WITHIN
# A request that left may still be answered while its worker lives; the client gives up well before this.
ANSWER_GRACE = LEAVES_WITHIN + dt.timedelta(seconds=SIGNS_AGAIN_WITHIN + sum(settings.LAAFFIC_TIMEOUTS))


@transaction.atomic
def _recover(batch_id: int, entry_id: int, left_at: dt.datetime | None) -> None:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.state != BatchState.CLAIMED or batch.entry_id != entry_id:
        return
    now = timezone.now()
    entries = LedgerEntry.objects.filter(pk=entry_id)
    died = known_by.console("its worker died before the request left")
    unsent = entries.filter(state=EntryState.PREPARED)
    if unsent.update(state=EntryState.NOT_SENT, settled_at=now, **died.columns()):
        Batch.objects.filter(pk=batch_id).update(state=BatchState.QUEUED, token="", attempt=F("attempt") - 1)
        return
    entry = entries.get()
    # What lies further ahead was written by a clock that was wrong. If its worker lives after all, the answer counts.
    if entry.left_at and abs(now - entry.left_at) < ANSWER_GRACE and left_at:
        return
    lost = known_by.no_answer("its worker died after the request may have left; the answer was lost")
    in_flight = entries.filter(state=EntryState.IN_FLIGHT)
    if in_flight.update(state=EntryState.UNKNOWN, settled_at=now, **lost.columns()):
        with sent_tallies.following(batch):
            mark_unknown(batch, lost.words)


def _write_rejected(campaign_id: int, claimed: Claim, positions: list[int], reason: str, now: dt.datetime) -> int:
    """Reject those that no report has spoken for; how many that were."""
    if not positions:
        return 0
    ids = [claimed.message_ids[position] for position in positions]
    waiting = Message.objects.filter(pk__in=ids, state__in=WAITING)
    by_country = Counter(waiting.values_list("country", flat=True))
    was = dict(waiting.values_list("pk", "state"))
    rejected = waiting.update(state=MessageState.REJECTED, reason=reason, settled_at=now, evidence="the answer")
    error_limit.count(campaign_id, rejected)  # before the tallies: the order of locks (docs/mechanisms/locks.md)
    count_outcomes(
        campaign_id, {(country, MessageState.REJECTED, reason, ""): (n, 0, 0) for country, n in by_country.items()}
    )
    events.messages_moved(was)
    return rejected


def _states(ids: Sequence[int]) -> dict[int, int]:
    return dict(Message.objects.filter(pk__in=ids).values_list("pk", "state"))


def _segments_to_count(claimed: Claim, left_out: list[int], waiting: int) -> int:
    """Of those that are accepted by this answer: the others of the claim were counted when a report moved them."""
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


def count_activity(campaign_id: int, happened: dict[MessageState, int], now: dt.datetime) -> None:
    minute = now.replace(second=0, microsecond=0)
    upsert_tallies(
        ActivityTally._meta.db_table,
        ["minute", "campaign_id", "state"],
        ["messages"],
        [(minute, campaign_id, int(state), n) for state, n in happened.items() if n],
    )
