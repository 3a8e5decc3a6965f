"""What happens while Redis is away or refuses: nothing that matters, and nobody waits for it long.

A Redis that refuses connections costs nothing. One that is silent, as when its host is gone, costs each caller the
time limit, so this process leaves it alone for a while: what it holds only makes things quicker, and the sweep rings
the bells. The same is true of a Redis that answers and refuses (its memory or its disk is full, it has become a
replica, its password has changed): whatever its library raises counts as away.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as Unanswered
from redis.retry import Retry

logger = logging.getLogger(__name__)

AWAY = RedisError
PATIENCE = 0.5  # seconds for an answer
LEFT_ALONE = 5.0  # seconds after one that did not come
SAID_EVERY = 60.0  # seconds between two lines about what Redis refuses


def options() -> dict[str, Any]:
    """Of a connection that a person or a push waits for: one that Redis has closed is opened again at once."""
    once_more = Retry(NoBackoff(), 1, supported_errors=(Unreachable,))
    return {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE, "retry": once_more}


class Outage:
    """Of the one Redis, in this process."""

    def __init__(self) -> None:
        self.over_at = 0.0  # by the monotonic clock
        self.say_at = 0.0

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Ask within this. One of `AWAY` where Redis is away or refuses, at once if it just was silent."""
        if time.monotonic() < self.over_at:
            raise Unanswered("Redis did not answer a moment ago")
        try:
            yield
        except Unanswered:
            self.over_at = time.monotonic() + LEFT_ALONE
            logger.warning("Redis does not answer; it is left alone for %d seconds", LEFT_ALONE)
            raise
        except ResponseError as problem:
            self._say(problem)
            raise

    def _say(self, problem: ResponseError) -> None:
        if time.monotonic() >= self.say_at:
            self.say_at = time.monotonic() + SAID_EVERY
            logger.warning("Redis refuses what it is asked for, and all goes on without it: %s", problem)


outage = Outage()
