"""Making batches of a part of another: of its first messages, of one text each, of those that wait."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet

from laaffic_console.kit.sql.constant_sql import Given, Insert, Select, Update
from messaging.models import Batch, Message, MessageState
from messaging.services.batches.bulk_writes import move_to_batches


def carve_head(batch: Batch, take: int) -> Batch:
    """Make a batch of the first `take` queued messages; the rest stays as it was."""
    [head] = carve_heads(batch, take, 1)
    return head


def carve_heads(batch: Batch, take: int, heads: int) -> list[Batch]:
    """Make batches of `take` messages each of the first that are queued; the rest stays as it was."""
    within = {"batch": batch.pk, "first": batch.first_message_id, "last": batch.last_message_id}
    at_most = 1 << (take * heads - 1).bit_length()  # there is a text for each power of two, not for each number
    ids = [pk for (pk,) in _first_queued.rows(at_most, **within)[: take * heads]]
    return carve_all(batch, [ids[start : start + take] for start in range(0, len(ids), take)])


def carve(batch: Batch, ids: Sequence[int]) -> Batch:
    """Move these queued messages into a batch of their own, under the lock of the old one."""
    [part] = carve_all(batch, [ids])
    return part


def carve_all(batch: Batch, parts: Sequence[Sequence[int]]) -> list[Batch]:
    """Move queued messages into batches of their own, one for each of these lists of ids, by rising id."""
    made = [
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
    ]
    _make(made)
    move_to_batches([(pk, part.pk) for part, ids in zip(made, parts, strict=True) for pk in ids])
    _shrink(batch=batch.pk, moved=sum(map(len, parts)))
    return made


_make = Insert(Batch, keys=True)


@Select
def _first_queued(at_most: int) -> "QuerySet[Message, Any]":
    """The ids of a batch's first queued messages, searched by primary key as in `Batch.messages`."""
    within = {"pk__gte": Given("first"), "pk__lte": Given("last"), "batch_id": Given("batch")}
    return Message.objects.filter(**within, state=MessageState.QUEUED).order_by("pk").values_list("pk")[:at_most]


@Update
def _shrink() -> tuple["QuerySet[Batch]", dict[str, Any]]:
    moved = Given("moved")
    return Batch.objects.filter(pk=Given("batch")), {"size": F("size") - moved, "queued": F("queued") - moved}
