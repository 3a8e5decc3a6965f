"""Adding to tallies: each kind of counter in one statement for hundreds of rows, on both databases."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from messaging.models import ActivityTally, MessageState


def upsert_tallies(table: str, keys: Sequence[str], counts: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add to counters, making the rows that are missing; in one order everywhere, so that no two writers deadlock."""
    ordered = sorted(rows, key=lambda row: tuple(str(value) for value in row[: len(keys)]))
    if not ordered:
        return
    columns = [*keys, *counts]
    adds = ", ".join(f"{count} = {table}.{count} + excluded.{count}" for count in counts)
    marks = f"({', '.join(['%s'] * len(columns))})"
    with connection.cursor() as cursor:
        for start in range(0, len(ordered), 200):
            piece = ordered[start : start + 200]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * len(piece))} "
                f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {adds}",
                [_adapt(value) for row in piece for value in row],
            )


Outcome = tuple[str, int, str, str]  # country, state, reason, currency


def count_outcomes(campaign_id: int, changes: dict[Outcome, tuple[int, int, int]]) -> None:
    """{outcome: (messages, billed segments, micros)}, added to what is there."""
    upsert_tallies(
        "messaging_outcometally",
        ["campaign_id", "country", "state", "reason", "currency"],
        ["messages", "billed_segments", "pay_micros"],
        [(campaign_id, *outcome, *change) for outcome, change in changes.items() if any(change)],
    )


def count_activity(campaign_id: int, happened: dict[MessageState, int], now: dt.datetime) -> None:
    minute = now.replace(second=0, microsecond=0)
    upsert_tallies(
        ActivityTally._meta.db_table,
        ["minute", "campaign_id", "state"],
        ["messages"],
        [(minute, campaign_id, int(state), n) for state, n in happened.items() if n],
    )


def _adapt(value: Any) -> Any:
    """Dates as Django's SQLite backend keeps them: UTC without an offset."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value
