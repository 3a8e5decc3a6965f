"""A delivery for each webhook that wants an event, made where the event is made."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from laaffic_console.events.models import Event, Webhook
from laaffic_console.events.readers import Reader
from laaffic_console.gateway.services.work import bell
from laaffic_console.kit.sql.constant_sql import Select

JOB = "laaffic_console.events.jobs.deliver"
LISTENING = [Webhook.State.ACTIVE, Webhook.State.PAUSED]

_COLUMNS = "webhook_id, event_id, order_key, state, attempts, next_at, problem, detail"


def wanted() -> set[str]:
    """The kinds that webhooks want; one query on a table of a few rows."""
    return {kind for _pk, kinds in _listening.rows() for kind in kinds}


@Select
def _listening() -> "QuerySet[Webhook, Any]":
    return Webhook.objects.filter(state__in=LISTENING).order_by().values_list("pk", "kinds")


def take(events: Sequence[Event]) -> None:
    kinds = {event.kind for event in events}
    for webhook_id, wants in _listening.rows():
        if chosen := sorted(kinds.intersection(wants)):
            deliver_to(webhook_id, events, chosen)


def deliver_to(webhook_id: int, events: Sequence[Event], kinds: Sequence[str]) -> None:
    """One statement for all of them: they were written together, and share a mark.

    On PostgreSQL it keeps the webhook from being deleted until the events are committed: a delivery for one that is
    gone would undo the whole transaction, which may be an answer's.
    """
    marks = ", ".join(["%s"] * len(kinds))
    lock = " FOR KEY SHARE" if connection.features.has_select_for_no_key_update else ""
    # By the clock that says what is due, whose machine's that may be: an hour ahead, it would wait for an hour.
    now, clock = ("clock_timestamp()", ()) if connection.vendor == "postgresql" else ("%s", (_sqlite_now(),))
    first, last = min(event.pk for event in events), max(event.pk for event in events)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO events_delivery ({_COLUMNS}) "  # noqa: S608 - our own columns
            f"SELECT webhook.id, e.id, e.order_key, 'waiting', 0, {now}, '', '' FROM events_event e "
            f"CROSS JOIN (SELECT id FROM events_webhook WHERE id = %s{lock}) webhook "
            f"WHERE e.id BETWEEN %s AND %s AND e.mark = %s AND e.kind IN ({marks}) ORDER BY e.id",
            [*clock, webhook_id, first, last, events[0].mark, *kinds],
        )
    bell.ring_once_a_second(JOB)


def _sqlite_now() -> str:
    return str(connection.ops.adapt_datetimefield_value(timezone.now()))


READER = Reader(wanted, take)
