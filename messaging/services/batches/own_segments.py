"""How many segments a message has by its own text, its merge fields filled in.

Such a message is frozen with one segment, and the answer writes how many it has: most of a send need not know before.
Who counts sooner, or of a message that no answer came for, counts here.
"""

from collections.abc import Sequence
from typing import Any

from messaging import merge_fields
from messaging.models import Campaign
from messaging.services.batches import bulk_writes
from messaging.services.batches.batch_texts import as_values
from messaging.services.channels import channels
from messaging.services.gates.gates import Queued


class OwnSegments:
    """Of one campaign's messages."""

    def __init__(self, campaign: Campaign) -> None:
        self._count = channels.of(campaign).segments
        self._text = campaign.text

    def of(self, merge_values: Any, on_its_row: int) -> int:
        """Without merge values it says what all say, and was counted when it was frozen."""
        if merge_values is None:
            return on_its_row
        template = merge_fields.parse(self._text)
        return self._count(merge_fields.render(template, merge_fields.with_derived(as_values(merge_values))))


def write(campaign: Campaign, rows: Sequence[Queued]) -> None:
    """On the rows of these messages, before their answer does."""
    counted = OwnSegments(campaign)
    own = [(row.message_id, row.segments, counted.of(row.merge_values, row.segments)) for row in rows]
    bulk_writes.write_segments([(pk, segments) for pk, kept, segments in own if segments != kept])
