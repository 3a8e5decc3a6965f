"""Files that are uploaded once, however often the request is repeated; a file that no row came to name is deleted."""

from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError

from laaffic_console.api.handling import problems
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.views import ApiView

Job = TypeVar("Job")


def stored_once(
    view: ApiView, *, look: Callable[[], Job], store: Callable[[Job], Answer], forget: Callable[[Job], None]
) -> Answer:
    """Keep a file with `look`, outside the transaction, as a large one would hold up all other writes. Then `store`
    writes its row, or else `forget` deletes the file."""
    looked_at: list[Job] = []

    def look_first() -> None:
        with problems.about("file"):
            looked_at.append(look())

    try:
        return view.once(lambda: store(looked_at[0]), before=look_first)
    except DatabaseError:  # the row may be stored anyway: the sweep of files without a row finds out
        raise
    except BaseException:
        for job in looked_at:
            forget(job)
        raise
