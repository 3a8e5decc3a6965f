"""Batches made of a part of another: its first messages, one text each, those that wait."""

from collections.abc import Sequence

from django.db.models import F

from messaging.models import Batch, MessageState
from messaging.services.batches.bulk_writes import move_to_batches


def carve_head(batch: Batch, take: int) -> Batch:
    """Make a batch of the first `take` queued messages; the rest stays as it was."""
    [head] = carve_heads(batch, take, 1)
    return head


def carve_heads(batch: Batch, take: int, heads: int) -> list[Batch]:
    """Make batches of `take` messages each of the first that are queued; the rest stays as it was."""
    waiting = batch.messages().filter(state=MessageState.QUEUED).order_by("pk")
    ids = list(waiting.values_list("pk", flat=True)[: take * heads])
    return carve_all(batch, [ids[start : start + take] for start in range(0, len(ids), take)])


def carve(batch: Batch, ids: Sequence[int]) -> Batch:
    """Move these queued messages into a batch of their own, under the lock of the old one."""
    [part] = carve_all(batch, [ids])
    return part


def carve_all(batch: Batch, parts: Sequence[Sequence[int]]) -> list[Batch]:
    """Move queued messages into batches of their own, one for each of these lists of ids, by rising id."""
    made = Batch.objects.bulk_create(
        Batch(
            campaign_id=batch.campaign_id,
            first_message_id=ids[0],
            last_message_id=ids[-1],
            size=len(ids),
            queued=len(ids),
            state=batch.state,
            attempt=batch.attempt,
            not_before=batch.not_before,
        )
        for ids in parts
    )
    move_to_batches([(pk, part.pk) for part, ids in zip(made, parts, strict=True) for pk in ids])
    moved = sum(map(len, parts))
    Batch.objects.filter(pk=batch.pk).update(size=F("size") - moved, queued=F("queued") - moved)
    return made
