"""What has to begin at a moment, to the second: the supervisor rings shortly before, and the job waits for the rest.

The sweeper comes every few seconds and finds what was forgotten; a launch that can be taken back for a minute is
awaited by somebody. No worker stands still for it in the meantime.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable

from django.db.models import Q
from django_q.tasks import async_task

from laaffic_console.gateway import queue
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.work import bell

AHEAD = dt.timedelta(seconds=1.5)  # longer than a supervisor's tick; a job waits for no longer than this
REMEMBERED = 300.0  # seconds

# (row, its moment), of those whose moment comes by then.
Due = Callable[[dt.datetime], Iterable[tuple[int, dt.datetime]]]

_awaited: dict[str, Due] = {}


def await_with(job: str, due: Due) -> None:
    """Called from an app's ready(). `due` asks one small question each second."""
    _awaited[job] = due


class Ringer:
    """One supervisor's: each moment is rung for once."""

    def __init__(self) -> None:
        self._rung: dict[tuple[str, int, dt.datetime], float] = {}

    def ring(self) -> None:
        now = time.monotonic()
        self._rung = {key: at for key, at in self._rung.items() if now - at < REMEMBERED}
        by = database_clock.now() + AHEAD
        for job, due in _awaited.items():
            for row, moment in due(by):
                if (job, row, moment) not in self._rung:
                    async_task(job, row, broker=queue.of_ringing(), **bell.options_of(job))
                    self._rung[job, row, moment] = now  # not before: where the queue is away, it is rung for again


def just_before(field: str, by: dt.datetime) -> Q:
    """Rows whose moment comes by then, or has just passed; for rows that keep it once their work has begun."""
    return Q(**{f"{field}__gt": by - 2 * AHEAD, f"{field}__lte": by})


def wait_for(moment: dt.datetime) -> bool:
    """Wait for what is left of it; False at once where that is longer than a job may wait."""
    left = (moment - database_clock.now()).total_seconds()
    if left > AHEAD.total_seconds() + 0.5:
        return False
    time.sleep(max(0.0, left))
    return True
