"""Costs of calls that a push names and that cannot be right. Nothing proves where a push comes from.

Such a cost is kept beside the record and is in no total. Laaffic's own records tell what the call cost, or a person
does (`cost_words`).
"""

from laaffic_console.laaffic import CallRecord, Source
from messaging.services.reports import doubtful_amounts

MINUTE = 60  # seconds: what is billed at least


def is_doubtful(record: CallRecord, source: Source) -> bool:
    """Laaffic's own records are believed, unless they name less than nothing."""
    if record.cost is None:
        return False
    if record.cost < 0 or source is not Source.VOICE_PUSH:
        return record.cost < 0
    minutes = max(1, -(-(record.charged or record.duration or 0) // MINUTE))
    return doubtful_amounts.is_unlikely(record.cost / minutes, record.currency)
