"""A phone at its limit (−28) is waited for by trying: only the hours in which it was tried count."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Case, DateTimeField, F, QuerySet, When

from laaffic_console.gateway.services.database import database_clock
from messaging.models import Batch, BatchState

ON_TIME = dt.timedelta(minutes=10)  # claimed so long after its moment, a batch was only behind others


def put_back(batches: QuerySet[Batch], **fields: Any) -> None:
    """Back into the queue, for its next turn. A batch whose phone is at its limit notes since when nobody tries it."""
    now = database_clock.in_statement()
    since = Case(
        When(limited_since__isnull=False, then=now), default=F("not_before"), output_field=DateTimeField(null=True)
    )
    batches.update(state=BatchState.QUEUED, token="", not_before=since, **fields)


def count_no_pauses(batches: Sequence[Batch]) -> None:
    """Take off what a pause, a hold, closed hours or a stopped worker has cost, as these batches are claimed."""
    limited = [batch for batch in batches if batch.limited_since and batch.not_before]
    now = database_clock.now() if limited else None
    for batch in limited:
        if now is not None and batch.not_before and now - batch.not_before > ON_TIME:
            later = F("limited_since") + (now - batch.not_before)
            Batch.objects.filter(pk=batch.pk).update(limited_since=later)
