"""What a batch says: its texts with their recipients, merge fields filled in."""

import json
from collections.abc import Sequence
from typing import Any

from messaging.models import Campaign
from messaging.services.channels import channels
from messaging.services.channels.outgoing import OutgoingText
from messaging.text import merge_fields


def texts_of(campaign: Campaign, rows: Sequence[Any]) -> list[OutgoingText]:
    """The batch by equal text, in the order of each text's first recipient."""
    channel = channels.of(campaign)
    title = channel.title(campaign)
    if rows[0][5] is None:
        return [OutgoingText(campaign.text, rows[0][2], list(range(len(rows))), title)]
    if title:
        return _titled(campaign, title, rows)
    template = merge_fields.parse(campaign.text)
    by_text: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        text = merge_fields.render(template, merge_fields.with_derived(as_values(row[5])))
        by_text.setdefault(text, []).append(position)
    return [OutgoingText(text, channel.segments(text), positions) for text, positions in by_text.items()]


def _titled(campaign: Campaign, title: str, rows: Sequence[Any]) -> list[OutgoingText]:
    """The batch's texts where each has a title: each pair of title and text that differs is one content."""
    channel = channels.of(campaign)
    above, below = merge_fields.parse(title), merge_fields.parse(campaign.text)
    contents: dict[tuple[str, str], list[int]] = {}
    for position, row in enumerate(rows):
        values = merge_fields.with_derived(as_values(row[5]))
        content = merge_fields.render(below, values), channel.merged_title(above, values)
        contents.setdefault(content, []).append(position)
    return [OutgoingText(text, channel.segments(text), at, said) for (text, said), at in contents.items()]


def as_values(kept: Any) -> dict[str, str]:
    """Merge values as a mapping; a raw cursor gives JSON as text on SQLite."""
    values = json.loads(kept) if isinstance(kept, str) else kept
    return {key: "" if value is None else str(value) for key, value in values.items()}
