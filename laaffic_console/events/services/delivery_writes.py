"""Hundreds of attempts written in one statement, on both databases."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from laaffic_console.events import outcomes
from laaffic_console.events.models import Delivery

Deliveries = QuerySet[Delivery]
AT_ONCE = 5_000  # changed in one statement, so that no other writer waits for long


class Row(NamedTuple):
    id: int
    state: str
    status: int | None
    ms: int
    problem: str
    detail: str
    next_at: dt.datetime
    first_tried_at: dt.datetime
    tried_at: dt.datetime


# Column → its type on PostgreSQL, where JSON does not say what it holds.
_TYPES = {
    "id": "bigint",
    "state": "text",
    "status": "smallint",
    "ms": "integer",
    "problem": "text",
    "detail": "text",
    "next_at": "timestamptz",
    "first_tried_at": "timestamptz",
    "tried_at": "timestamptz",
}


def write(rows: Sequence[Row]) -> None:
    """Write what came of attempts, but nothing of deleted webhooks; by id, the order in which all others lock them."""
    if not rows:
        return
    sets = ", ".join(f"{name} = new.{name}" for name in Row._fields[1:])
    given = json.dumps([row._asdict() for row in sorted(rows)], default=_adapt)
    if connection.vendor == "postgresql":
        columns = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
        source = f"json_to_recordset(%s::json) AS new({columns})"
    else:
        fields = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in Row._fields)
        source = f"(SELECT {fields} FROM json_each(%s)) AS new"  # noqa: S608 - our own columns
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE events_delivery SET {sets}, attempts = attempts + 1 FROM {source} "  # noqa: S608
            "WHERE events_delivery.id = new.id",
            [given],
        )


def wake(webhook_id: int, since: dt.datetime) -> bool:
    """Try at once, AT_ONCE of it, what waits only because the receiver was away. Whether that was all."""
    now = timezone.now()
    asleep = Delivery.objects.filter(webhook_id=webhook_id, state=Delivery.State.WAITING, next_at__gt=now)
    of_target = Q(problem__in=sorted(outcomes.OF_TARGET)) | Q(status__gte=500)
    waiting = asleep.filter(of_target, tried_at__gte=since).order_by("next_at", "pk")
    ids = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
    asleep.filter(pk__among=ids).update(next_at=now)
    return len(ids) < AT_ONCE


def count_anew(webhook_id: int) -> None:
    """Called while nothing leaves: count how long to try from the next attempt on, not from one before."""
    tried = Delivery.objects.filter(webhook_id=webhook_id, state=Delivery.State.WAITING, first_tried_at__isnull=False)
    last: int | None = 0
    while last is not None:
        last = _count_some_anew(tried, last)


@transaction.atomic
def _count_some_anew(tried: Deliveries, after: int) -> int | None:
    """The last of those; None when there are none. Attempts that were under way may still be written beside it."""
    some = tried.filter(pk__gt=after).order_by("pk").select_for_update(no_key=True)
    ids = list(some.values_list("pk", flat=True)[:AT_ONCE])
    tried.filter(pk__among=ids).update(first_tried_at=None)
    return ids[-1] if ids else None


def _adapt(value: Any) -> Any:
    """Dates as Django's SQLite backend keeps them: UTC without an offset."""
    adapted = connection.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value
    return str(adapted)
