"""How many segments a message has by its own text, its merge fields filled in.

Such a message is frozen with one segment, and the answer writes how many it has: most of a send need not know before.
Who counts sooner, or of a message that no answer came for, counts here.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet, Sum

from laaffic_console.kit.sql.constant_sql import Given, Select
from messaging.models import Batch, Campaign, Message
from messaging.services.batches import bulk_writes
from messaging.services.batches.batch_texts import as_values
from messaging.services.channels import channels
from messaging.services.gates.gates import Queued
from messaging.text import merge_fields


class OwnSegments:
    """Counts the segments of one campaign's messages."""

    def __init__(self, campaign: Campaign) -> None:
        self._count = channels.of(campaign).segments
        self._text = campaign.text

    def of(self, merge_values: Any, on_its_row: int) -> int:
        """The message's segments. Without merge values all have the same text, which was counted at the freezing.

        A text that was emptied with its only recipient's data says nothing any more: its row does.
        """
        if merge_values is None or not self._text:
            return on_its_row
        template = merge_fields.parse(self._text)
        return self._count(merge_fields.render(template, merge_fields.with_derived(as_values(merge_values))))


def write(campaign: Campaign, rows: Sequence[Queued]) -> None:
    """Write the segments on these messages' rows, before their answer does."""
    counted = OwnSegments(campaign)
    own = [(row.message_id, row.segments, counted.of(row.merge_values, row.segments)) for row in rows]
    bulk_writes.write_segments([(pk, segments) for pk, kept, segments in own if segments != kept])


def of_merged(ids: Sequence[int]) -> dict[int, int]:
    """{message id: segments} of the messages with merge fields; the rows of the others have it."""
    rows = _merged.rows(ids=ids)
    campaigns = Campaign.objects.in_bulk({campaign_id for _pk, campaign_id, _values in rows}) if rows else {}
    counted = {pk: OwnSegments(campaign) for pk, campaign in campaigns.items() if campaign.text}
    return {pk: counted[of].of(merge_values, 1) for pk, of, merge_values in rows if of in counted}


@Select
def _merged() -> "QuerySet[Message, Any]":
    merged = Message.objects.filter(pk__among=Given("ids"), merge_values__isnull=False)
    return merged.order_by().values_list("pk", "campaign_id", "merge_values")


def count_without_answer(batch: Batch, ids: Sequence[int]) -> None:
    """Count the segments of messages that a person declared sent, on their rows and on their batch, which is locked."""
    bulk_writes.write_segments(sorted(of_merged(ids).items()))
    total = Message.objects.filter(pk__in=ids).aggregate(total=Sum("segments"))["total"] or 0
    Batch.objects.filter(pk=batch.pk).update(segments=F("segments") + total)


def each_of(ids: Iterable[int]) -> dict[int, Decimal]:
    """{campaign id: segments of one message}: as its launch expected, else counted without any merge values."""
    rows = Campaign.objects.filter(pk__in=ids).only("pk", "channel", "text", "forecast")
    return {campaign.pk: Decimal(str((campaign.forecast or {}).get("each") or _least(campaign))) for campaign in rows}


def _least(campaign: Campaign) -> int:
    return OwnSegments(campaign).of({}, 1)
