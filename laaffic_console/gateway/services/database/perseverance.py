"""What must be written, although the database is locked, busy or away just now: it is tried until it is."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

from laaffic_console.gateway.services.database import isolation

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # seconds
PATIENCE = 600.0  # seconds; an outage that is longer costs what only memory knows


def insist(work: Callable[[], T], *, seconds: float = PATIENCE) -> T:
    """What `work` returns: a whole transaction that changes nothing when it is done twice.

    What passes (a lock, a deadlock, a lost connection; `isolation.is_passing`) is tried again for so many seconds;
    whatever else it raises is raised.
    """
    give_up_at = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while True:
        try:
            return work()
        except Exception as problem:
            if not isolation.is_passing(problem) or connection.in_atomic_block or time.monotonic() > give_up_at:
                raise
            logger.warning("what must be written is tried again: %s", isolation.in_words(problem))
            if isolation.is_read_only(problem):
                connection.close()  # the name leads to another server soon, a connection does not
        connection.close_if_unusable_or_obsolete()
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
