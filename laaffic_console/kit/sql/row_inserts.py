"""Many rows in hand-written INSERTs, which say which of them they have written."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

ROWS = 500  # in one statement


def insert(
    table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], conflict: str, *, returning: str
) -> list[tuple[Any, ...]]:
    """`returning` of each row that was written: of those that `conflict` passes over, nothing."""
    marks, written = f"({', '.join(['%s'] * len(columns))})", []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS):
            piece = rows[start : start + ROWS]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * len(piece))} "  # noqa: S608 - our own columns
                f"{conflict} RETURNING {returning}",
                [value for row in piece for value in row],
            )
            written += cursor.fetchall()
    return written
