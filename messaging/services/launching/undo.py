"""The moment of a launch, the same for every kind of draft: its time, or the end of the seconds in which it can be
taken back. Nothing leaves before, by the database's clock: the one on whose moment all machines agree.
"""

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet

from laaffic_console.gateway.services.database import database_clock

LONGEST = 60  # seconds


def until(seconds: float) -> dt.datetime:
    return database_clock.now() + dt.timedelta(seconds=min(seconds, LONGEST))


def is_to_come(moment: dt.datetime | None) -> bool:
    return moment is not None and moment > database_clock.now()


def comes(by: dt.datetime) -> Q:
    """Launches whose moment comes by then: the end of their undo window, else the time they are scheduled for."""
    return Q(undo_until__lte=by) | Q(undo_until=None, scheduled_at__lte=by)


def due(waiting: "QuerySet[Any]", by: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """(row, its moment) of those whose moment comes by then: the supervisor rings for them (moments)."""
    rows = waiting.filter(comes(by)).order_by().values_list("pk", "undo_until", "scheduled_at")
    return [(pk, undo_until or scheduled_at) for pk, undo_until, scheduled_at in rows]


def moment_of(waiting: "QuerySet[Any]") -> dt.datetime | None:
    """When the waiting campaign starts; None if it waits no more."""
    moments = waiting.values_list("undo_until", "scheduled_at").first() or (None, None)
    return moments[0] or moments[1]
