"""The seconds in which a launch can be taken back, the same for every kind of draft: nothing leaves before they end."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

LONGEST = 60  # seconds


def until(seconds: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(seconds=min(seconds, LONGEST))


def due(waiting: "QuerySet[Any]", by: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """(row, its moment) of those whose `undo_until` comes by then: the supervisor rings for them (moments)."""
    rows = waiting.filter(undo_until__lte=by).order_by()
    return [(pk, moment) for pk, moment in rows.values_list("pk", "undo_until") if moment is not None]
