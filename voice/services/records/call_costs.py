"""Costs of calls that a push names and that cannot be right. Nothing proves where a push comes from.

Such a cost is kept beside the record and is in no total. Laaffic's own records say what the call cost, or a person
decides (`cost_words`).
"""

from laaffic_console.laaffic import CallRecord, Source
from messaging.services.reports import doubtful_amounts

MINUTE = 60  # seconds: the least that is billed


def is_doubtful(record: CallRecord, source: Source) -> bool:
    """Whether the cost cannot be right; Laaffic's own records are believed, unless the cost is below zero."""
    if record.cost is None:
        return False
    if record.cost < 0 or source is not Source.VOICE_PUSH:
        return record.cost < 0
    minutes = max(1, -(-(record.charged or record.duration or 0) // MINUTE))
    return doubtful_amounts.is_unlikely(record.cost / minutes, record.currency)
