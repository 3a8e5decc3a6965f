"""Writing thousands of rows in one statement, each with values of its own, on both databases.

Django's `bulk_update` makes the send loop thirty to fifty times slower; a test forbids it on messages.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from messaging.models import BatchState

# Column → its type on PostgreSQL, where an array says what it holds.
MESSAGE_COLUMNS = {
    "batch_id": "bigint",
    "billed_segments": "smallint",
    "currency": "text",
    "evidence": "text",
    "gateway_id": "text",
    "network": "integer",
    "pay_micros": "bigint",
    "reason": "text",
    "report_source": "text",
    "reported_at": "timestamptz",
    "segments": "smallint",
    "settled_at": "timestamptz",
    "state": "smallint",
}


REPORT_COLUMNS = [
    "state",
    "gateway_id",
    "reported_at",
    "report_source",
    "reason",
    "evidence",
    "billed_segments",
    "pay_micros",
    "currency",
    "segments",
    "settled_at",
    "network",
]


def write_answers(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    raise_state_to: int,
    settled_at: dt.datetime,
    only_unwritten: bool = False,
) -> None:
    """Set `columns` of messages from rows of (id, value, …), each id at most once.

    The state only ever rises: what an early report already said stays. `only_unwritten` passes over
    messages that have been answered for already.
    """
    also = ["settled_at = %s", "state = CASE WHEN state < %s THEN %s ELSE state END"]
    where = "AND messaging_message.settled_at IS NULL" if only_unwritten else ""
    params = [connection.ops.adapt_datetimefield_value(settled_at), raise_state_to, raise_state_to]
    _update_messages(columns, rows, also, params, where)


def write_reports(rows: Sequence[Any]) -> None:
    """Write the columns that a delivery report can change, from objects that have them and `pk`."""
    _update_messages(
        REPORT_COLUMNS, [[row.pk, *(getattr(row, column) for column in REPORT_COLUMNS)] for row in rows], [], []
    )


# What a report can change, except what is each message's own.
ALIKE_COLUMNS = ["state", "report_source", "reason", "billed_segments", "pay_micros", "currency", "network"]


def write_same_reports(
    pks: Sequence[int], values: Mapping[str, Any], reported_at: Sequence[dt.datetime | None] | None
) -> None:
    """Write the same `values`, by column, to all of these messages, and to each its moment unless that is None.

    Without the columns that have an index of their own it takes a third to a half of the time of `write_reports`.
    """
    sets, params = [f"{column} = %s" for column in values], list(values.values())
    if reported_at is None:
        _update_messages([], [(pk,) for pk in pks], sets, params)
    else:
        _update_messages(["reported_at"], list(zip(pks, reported_at, strict=True)), sets, params)


def _update_messages(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], also: Sequence[str], params: Sequence[Any], where: str = ""
) -> None:
    if not rows:
        return
    sets = ", ".join([*(f"{column} = new.{column}" for column in columns), *also])
    source, given = _as_table({"id": "bigint", **{column: MESSAGE_COLUMNS[column] for column in columns}}, rows)
    with connection.cursor() as cursor:
        cursor.execute(
            # The bounds keep PostgreSQL on the primary key: it would hash the whole table for a thousand rows.
            f"UPDATE messaging_message SET {sets} FROM {source} WHERE messaging_message.id = new.id "
            f"AND messaging_message.id BETWEEN %s AND %s {where}",
            [*params, *given, min(row[0] for row in rows), max(row[0] for row in rows)],
        )


def _as_table(columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Rows as a table `new` with these columns and types, for FROM, and its parameters: one text for any number."""
    if connection.vendor == "postgresql":
        arrays = ", ".join(f"{_ARRAY_OF.get(kind, '%s')}::{kind}[]" for kind in columns.values())
        given = [
            _joined(column) if kind in _ARRAY_OF else list(column)
            for kind, column in zip(columns.values(), zip(*rows, strict=True), strict=True)
        ]
        return f"unnest({arrays}) AS new({', '.join(columns)})", given
    fields = ", ".join(f"json_extract(value, '$[{index}]') AS {name}" for index, name in enumerate(columns))
    return f"(SELECT {fields} FROM json_each(%s)) AS new", [json.dumps(rows, separators=(",", ":"), default=_in_utc)]


# An array of what is written without commas is given as one text: that takes a fraction of the time.
_ARRAY_OF = dict.fromkeys(["bigint", "integer", "smallint", "timestamptz"], "string_to_array(%s, ',', '')")


def _joined(values: Sequence[Any]) -> str:
    return ",".join(["" if value is None else str(value) for value in values])


def move_to_batches(rows: Sequence[tuple[int, int]]) -> None:
    """From rows of (message, its new batch)."""
    _update_messages(["batch_id"], rows, [], [])


def write_segments(rows: Sequence[tuple[int, int]]) -> None:
    """From rows of (message, its segments)."""
    _update_messages(["segments"], rows, [], [])


def move_counts(moves: Mapping[int, Mapping[str, int]]) -> None:
    """Add to the counts of locked batches: {batch: {state, or "segments": by how much}}."""
    states = sorted({state for moved in moves.values() for state, n in moved.items() if n})
    if not states:
        return
    rows = [(pk, *(moved.get(state, 0) for state in states)) for pk, moved in sorted(moves.items())]
    source, given = _as_table({"id": "bigint", **dict.fromkeys(states, "integer")}, rows)
    sets = ", ".join(f"{state} = messaging_batch.{state} + new.{state}" for state in states)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE messaging_batch SET {sets} FROM {source} WHERE messaging_batch.id = new.id", given)


def give_to_requests(rows: Sequence[tuple[int, int]], *, token: str, at: dt.datetime) -> None:
    """From rows of (batch, ledger entry): each batch is in this worker's hands, for the request of that entry."""
    source, given = _as_table({"id": "bigint", "entry_id": "bigint"}, rows)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_batch SET state = %s, token = %s, claimed_at = %s, attempt = attempt + 1, "
            f"entry_id = new.entry_id, not_before = NULL, waits_for = '' FROM {source} "
            "WHERE messaging_batch.id = new.id",
            [BatchState.CLAIMED.value, token, connection.ops.adapt_datetimefield_value(at), *given],
        )


def _in_utc(moment: dt.datetime) -> str:
    """The moment as Django's SQLite backend writes it, without the cost of asking the backend for each of many rows."""
    return str(moment.astimezone(dt.UTC).replace(tzinfo=None))
