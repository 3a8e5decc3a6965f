"""Hundreds of attempts written in one statement, on both databases."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from laaffic_console.events import outcomes
from laaffic_console.events.kinds import Kind
from laaffic_console.events.models import Delivery
from laaffic_console.gateway.services.database import database_clock

Deliveries = QuerySet[Delivery]
# How long and how often something is tried counts from the next attempt on, not from one before.
NOT_TRIED_YET: dict[str, Any] = {"first_tried_at": None, "attempts": 0}
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
    now = database_clock.in_statement()
    asleep = Delivery.objects.filter(webhook_id=webhook_id, state=Delivery.State.WAITING, next_at__gt=now)
    of_target = Q(problem__in=sorted(outcomes.OF_TARGET)) | Q(status__gte=500)
    waiting = asleep.filter(of_target, tried_at__gte=since).order_by("next_at", "pk")
    ids = list(waiting.values_list("pk", flat=True)[:AT_ONCE])
    asleep.filter(pk__among=ids).update(next_at=now)
    return len(ids) < AT_ONCE


def count_anew(webhook_id: int) -> None:
    """Called while nothing leaves: what waits is tried at once, and as patiently as what is new."""
    tried = Delivery.objects.filter(webhook_id=webhook_id, state=Delivery.State.WAITING, first_tried_at__isnull=False)
    _change(tried, next_at=database_clock.in_statement(), **NOT_TRIED_YET)


def try_now(webhook_id: int) -> None:
    """Try at once what waits for a later try, whatever the last one came to."""
    later = Delivery.objects.filter(webhook_id=webhook_id, state=Delivery.State.WAITING)
    _change(later.filter(next_at__gt=database_clock.now()), next_at=database_clock.in_statement())


def disbelieve(webhook_id: int, longest: dt.timedelta) -> None:
    """Try at once what waits for longer than anything is told to: a wrong clock wrote that."""
    later = Delivery.objects.filter(webhook_id=webhook_id, state=Delivery.State.WAITING)
    _change(later.filter(next_at__gt=database_clock.now() + longest), next_at=database_clock.in_statement())


def end_unwanted(webhook_id: int, wanted: Sequence[str]) -> None:
    """End what waits and is of no kind that the receiver is to get; a test is of none that is chosen.

    Also what an event's own transaction wrote by the kinds of a moment before: it is looked at when it is resumed.
    """
    waiting = Delivery.objects.filter(webhook_id=webhook_id, state=Delivery.State.WAITING)
    unwanted = waiting.exclude(event__kind__in=[*wanted, Kind.WEBHOOK_TEST])
    _change(unwanted, state=Delivery.State.FAILED, problem="unwanted", detail="")


def _change(those: Deliveries, **values: Any) -> None:
    last: int | None = 0
    while last is not None:
        last = _change_some(those, last, values)


@transaction.atomic
def _change_some(those: Deliveries, after: int, values: dict[str, Any]) -> int | None:
    """The last of those; None when there are none. Attempts that were under way may still be written beside it."""
    some = those.filter(pk__gt=after).order_by("pk").select_for_update(no_key=True)
    ids = list(some.values_list("pk", flat=True)[:AT_ONCE])
    those.filter(pk__among=ids).update(**values)
    return ids[-1] if ids else None


def _adapt(value: Any) -> Any:
    """Dates as Django's SQLite backend keeps them: UTC without an offset."""
    adapted = connection.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value
    return str(adapted)
