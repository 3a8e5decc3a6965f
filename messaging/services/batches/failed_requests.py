"""Failed requests: what an error says of a batch, and what it asks of the campaign.

Not sent goes back to the queue, refused does what its code says, and without an answer everybody is unknown. Batch,
messages, campaign and tallies are locked in the order that `settling` keeps.
"""

import datetime as dt
from collections import Counter

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.laaffic import Code, InvalidRequest, LaafficError, NotSent, OutcomeUnknown, Refused, Remedy
from messaging.models import Batch, BatchState, Message, MessageState
from messaging.services import events
from messaging.services.batches import carving, error_limit, limited_phones
from messaging.services.batches.unanswered import WAITING, mark_unknown
from messaging.services.channels import channels
from messaging.services.channels.outgoing import Claim
from messaging.services.tallies import sent_tallies
from messaging.services.tallies.tally_writes import count_activity, count_outcomes

FIRST_WAIT = 0.5  # seconds; doubled with each attempt
LONGEST_WAIT = 60.0
LONGEST_OF_PHONE = 3600.0  # the limit of one phone lasts hours, and delays no other message
# Longer than a daily limit lasts: nobody needs a message that comes later, and its campaign would never be finished.
PHONE_GIVEN_UP_AFTER = dt.timedelta(hours=26)
OF_TEXT = frozenset({"content", "text", "mmsTitle"})  # parameters that one recipient may have and another not
OF_NUMBER = frozenset({"numbers", "callee"})


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


class Unfit(NotSent):
    """A request would break a limit of its interface, so it was not made; made again it would break it again."""

    def __init__(self, problem: InvalidRequest) -> None:
        super().__init__(str(problem), interface="")
        self.field = problem.field


def settle_error(campaign_id: int, claimed: Claim, error: LaafficError) -> Aftermath:
    """The three branches: not sent goes back, refused does what the code says, unknown stays unknown."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=claimed.batch_id)
        if not ledger.settle_error(claimed.entry_id, error) or batch.entry_id != claimed.entry_id:
            return Aftermath()  # sent again by a person's word since: this says only what came of its own call
        with sent_tallies.following(batch):
            return _settle_error_locked(campaign_id, batch, claimed, error)


def _settle_error_locked(campaign_id: int, batch: Batch, claimed: Claim, error: LaafficError) -> Aftermath:
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
        case ledger.StayedHere():
            return _requeue(batch, error, wait_because=error.sentence)
        case NotSent():
            unreachable = _("The gateway cannot be reached (%(why)s).") % {"why": error.message}
            return _requeue(batch, error, wait_because=unreachable)
        case OutcomeUnknown():
            mark_unknown(batch, f"{error}")
            return Aftermath()
        case Refused():
            return _settle_refused(campaign_id, batch, claimed, error)
    raise TypeError(f"no branch for {type(error).__name__}") from error


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


def _settle_refused(campaign_id: int, batch: Batch, claimed: Claim, refusal: Refused) -> Aftermath:
    sentence = code_words.refused(refusal, repeats=True)
    several = len(claimed.message_ids) > 1
    match refusal.calls_for:
        case Remedy.RETRY if not refusal.entry.of_number:
            return _requeue(batch, refusal, wait_because=sentence)
        case Remedy.RETRY if not several and not _is_limited_for_good(batch):
            _requeue(batch, refusal, wait_because=sentence, longest=LONGEST_OF_PHONE)
            Batch.objects.filter(pk=batch.pk, limited_since=None).update(limited_since=database_clock.in_statement())
            return Aftermath()  # one phone has its limit; the others need not wait for it
        case Remedy.FIX_ADDRESS:
            limited_phones.put_back(Batch.objects.filter(pk=batch.pk))
            return Aftermath(hold_because=sentence)
        case Remedy.SPLIT if refusal.entry.is_foreign and not several:
            limited_phones.put_back(Batch.objects.filter(pk=batch.pk))
            return Aftermath(hold_because=_too_large_alone(refusal))
        case Remedy.HOLD_ACCOUNT | Remedy.RESIGN:
            limited_phones.put_back(Batch.objects.filter(pk=batch.pk))
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
        return after_rejecting(campaign_id, rejected)
    if refusal.entry.of_number or refusal.code == Code.NO_PRICE:
        return after_rejecting(campaign_id, rejected, sentence)
    return Aftermath(hold_because=sentence)


def _make_ready_again(batch: Batch, claimed: Claim, refusal: Refused) -> Aftermath:
    """Laaffic has forgotten a file that everybody is to get. Nothing was sent, and nobody is rejected for that."""
    left_at = LedgerEntry.objects.values_list("left_at", flat=True).get(pk=claimed.entry_id) or timezone.now()
    if channels.of(batch.campaign).makes_ready_again(batch.campaign, refusal, left_at):
        gone = _("Laaffic has forgotten an attachment before its three days were over: it is uploaded again.")
        aftermath = _requeue(batch, refusal, wait_because=gone)
        aftermath.is_made_ready_again = True
        return aftermath
    limited_phones.put_back(Batch.objects.filter(pk=batch.pk))
    sentence = _("%(why)s Its attachments had just been uploaded. Nothing was rejected.")
    return Aftermath(hold_because=sentence % {"why": code_words.refused(refusal, repeats=True)})


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


def _settle_unfit(campaign_id: int, batch: Batch, claimed: Claim, unfit: Unfit) -> Aftermath:
    """Reject only the recipient at fault and send the rest; what is wrong for everybody waits for a person."""
    if unfit.field not in OF_TEXT | OF_NUMBER:
        limited_phones.put_back(Batch.objects.filter(pk=batch.pk))
        sentence = _("Its requests cannot be made (%(why)s), so nothing was sent. Correct that, then resume.")
        return Aftermath(hold_because=sentence % {"why": unfit.message[:150]})
    if len(claimed.texts if unfit.field in OF_TEXT else claimed.message_ids) > 1:
        _split(batch)
        return Aftermath()
    rejected = _reject_all(campaign_id, batch, claimed, f"cannot be sent: {unfit.message}")
    return after_rejecting(campaign_id, rejected)


def _split(batch: Batch) -> None:
    """A batch refused whole goes again in two halves, until what is wrong is alone and the rest has gone."""
    limited_phones.put_back(Batch.objects.filter(pk=batch.pk))
    batch.state = BatchState.QUEUED
    carving.carve_head(batch, max(1, batch.queued // 2))


def _requeue(batch: Batch, error: LaafficError, *, wait_because: str, longest: float = LONGEST_WAIT) -> Aftermath:
    """Back to the queue, later each time, `longest` seconds at most: it is certain that nothing was sent."""
    seconds = max(min(longest, FIRST_WAIT * 2 ** min(batch.attempt, 13)), getattr(error, "retry_after", 0.0))
    wait_until = database_clock.now() + dt.timedelta(seconds=seconds)
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.QUEUED, token="", not_before=wait_until)
    return Aftermath(wait_because=wait_because, wait_until=wait_until)


def _reject_all(campaign_id: int, batch: Batch, claimed: Claim, reason: str) -> int:
    """How many were still waiting."""
    now = timezone.now()
    everyone = list(range(len(claimed.message_ids)))
    rejected = write_rejected(campaign_id, claimed, everyone, reason[:120], now)
    Batch.objects.filter(pk=batch.pk).update(
        state=BatchState.SETTLED, queued=F("queued") - rejected, rejected=F("rejected") + rejected
    )
    count_activity(campaign_id, {MessageState.REJECTED: rejected}, now)
    return rejected


def write_rejected(campaign_id: int, claimed: Claim, positions: list[int], reason: str, now: dt.datetime) -> int:
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


def after_rejecting(campaign_id: int, rejected: int, sentence: str = "") -> Aftermath:
    if not rejected:
        return Aftermath()
    limit_reached = error_limit.reason_to_hold(campaign_id)
    # A refusal of one number after another, and of nobody else, is not about the numbers.
    return Aftermath(hold_because=limit_reached or (sentence if error_limit.nobody_passes(campaign_id) else ""))
