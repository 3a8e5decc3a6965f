"""Writing off messages without a known outcome: they expire, and a late report still counts."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.utils import timezone

from messaging.models import Batch, BatchState, EarlierAttempt, Message, MessageState
from messaging.services import events
from messaging.services.batches import carving, own_segments
from messaging.services.tallies import sent_tallies, tally_writes

PERHAPS = "; the first sending may have arrived"
FAILED = (MessageState.REJECTED, MessageState.UNDELIVERED)


def write_off(batch: Batch, ids: Sequence[int], *, was: MessageState, evidence: str) -> None:
    """Messages of one batch, whose row is locked, from the state in which they all are: their answer never came."""
    with sent_tallies.following(batch):
        messages = Message.objects.filter(pk__in=ids)
        by_country = Counter(messages.values_list("country", flat=True))
        messages.update(state=MessageState.EXPIRED, evidence=evidence[:200])
        n = len(ids)
        own_segments.count_without_answer(batch, ids)
        Batch.objects.filter(pk=batch.pk).update(**{was.key: F(was.key) - n, "expired": F("expired") + n})
        tally_writes.count_outcomes(
            batch.campaign_id, {(country, MessageState.EXPIRED, "", ""): (n, 0, 0) for country, n in by_country.items()}
        )
        tally_writes.count_activity(batch.campaign_id, {MessageState.EXPIRED: n}, timezone.now())
        events.messages_moved(dict.fromkeys(ids, int(was)))


def had_perhaps(waiting: QuerySet[Message]) -> list[int]:
    """The ids of the waiting messages that an earlier sending, given up without a known outcome, may have reached."""
    again = dict(waiting.filter(attempt__gt=1).order_by("pk").values_list("pk", "attempt"))
    if not again:
        return []
    failed = EarlierAttempt.objects.filter(message__in=again, state__in=FAILED).order_by()
    known = dict(failed.values_list("message").annotate(n=Count("pk")))
    return [pk for pk, attempt in again.items() if known.get(pk, 0) < attempt - 1]


@transaction.atomic
def write_off_waiting(batch_id: int, evidence: Mapping[int, str]) -> None:
    """Write off messages of a waiting batch that are not sent again; their first sending may have arrived.

    `evidence`: {message id: why}. They are moved into a batch of their own, as no request carries them with the others.
    If there are several reasons, one call handles only the first: tallies must be locked last in a transaction.
    """
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if batch.state != BatchState.QUEUED:
        return
    queued = batch.messages().filter(pk__in=evidence, state=MessageState.QUEUED).order_by("pk")
    by_evidence: dict[str, list[int]] = defaultdict(list)
    for pk in queued.values_list("pk", flat=True):
        by_evidence[evidence[pk]].append(pk)
    for why, ids in list(by_evidence.items())[:1]:
        part = carving.carve(batch, ids)
        Batch.objects.filter(pk=part.pk).update(state=BatchState.SETTLED)
        write_off(part, ids, was=MessageState.QUEUED, evidence=f"{why[: 200 - len(PERHAPS)]}{PERHAPS}")
