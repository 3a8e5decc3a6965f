"""A sender's requests that are under way, each in a thread that only speaks HTTP.

The sender's own thread posts them, and takes their answers in the order in which they come.
"""

import contextlib
import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import NamedTuple, Self

from laaffic_console.laaffic import SendResult
from messaging.services.channels.outgoing import Claim

NEAR_SECONDS = 0.01


class Answered(NamedTuple):
    """A request that has ended, with its result or what it raised."""

    future: Future[SendResult]
    claimed: Claim

    @property
    def went_well(self) -> bool:
        return self.future.exception() is None


class Connections:
    """`n` requests at a time; a few more wait for one of them to end."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.spare = max(1, n // 4)  # requests that may wait
        self._threads = ThreadPoolExecutor(n, thread_name_prefix="post")
        self._under_way: dict[Future[SendResult], Claim] = {}
        self._done: SimpleQueue[Future[SendResult]] = SimpleQueue()  # in the order of the answers
        self._began: dict[Future[SendResult], float] = {}  # when each got its connection; infinity: it waits for one
        self._usual_seconds = math.inf

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._threads.shutdown()

    def __bool__(self) -> bool:
        """Whether any request is under way."""
        return bool(self._under_way)

    @property
    def free(self) -> int:
        return self.n - len(self._under_way)

    def post(self, claimed: Claim, request: Callable[[], SendResult]) -> None:
        """Let the request leave in a thread, at once where a connection is free."""
        began = time.monotonic() if self.free > 0 else math.inf
        future = self._threads.submit(request)
        self._under_way[future] = claimed
        self._began[future] = began
        future.add_done_callback(self._done.put)

    def about_to_end(self) -> int:
        """How many are about to come free, by the usual time of an answer; 0 where one is free, or enough wait already.

        With a slow gateway this hardly ever happens.
        """
        if not self.n <= len(self._under_way) < self.n + self.spare:
            return 0
        near = time.monotonic() + NEAR_SECONDS - self._usual_seconds
        return sum(began < near for began in self._began.values())

    def answers(self, patience: float) -> list[Answered]:
        """Those that have come, after waiting at most so many seconds for the first of them."""
        found = []
        with contextlib.suppress(Empty):
            found.append(self._done.get(timeout=max(patience, 0.0)))
            while len(found) < self.n + 1:
                found.append(self._done.get_nowait())
        return [Answered(future, self._ended(future)) for future in found]

    def _ended(self, future: Future[SendResult]) -> Claim:
        now = time.monotonic()
        took = now - self._began.pop(future)
        if took >= 0:
            usual = self._usual_seconds
            self._usual_seconds = took if math.isinf(usual) else 0.8 * usual + 0.2 * took
        for waiting, began in self._began.items():
            if math.isinf(began):
                self._began[waiting] = now
                break
        return self._under_way.pop(future)
