"""Through a table by its ids, a chunk at a time."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.db.models import QuerySet

Row = TypeVar("Row")


def rising(rows: "QuerySet[Any, Row]", size: int, pk: Callable[[Row], int]) -> Iterator[list[Row]]:
    """The rows in chunks, by rising id; `pk` reads a row's id, be it a model or a tuple.

    Each chunk is a query of its own, by an index: none lives longer than its chunk, and what changes in between is
    neither missed nor given twice.
    """
    ordered, last = rows.order_by("pk"), 0
    while chunk := list(ordered.filter(pk__gt=last)[:size]):
        last = pk(chunk[-1])
        yield chunk
        if len(chunk) < size:
            return


def falling(rows: "QuerySet[Any, Row]", size: int, pk: Callable[[Row], int]) -> Iterator[list[Row]]:
    """Like `rising`, the newest id first."""
    ordered = rows.order_by("-pk")
    chunk = list(ordered[:size])
    while chunk:
        last = pk(chunk[-1])
        yield chunk
        chunk = list(ordered.filter(pk__lt=last)[:size]) if len(chunk) == size else []
