"""Posting to callbacks when they are due, and a few more times if nobody acknowledges them."""

import asyncio
import contextlib
import heapq
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from laaffic_console.sandbox.options import Options

CONCURRENT = 4


class Courier:
    """Posts callbacks where a call or an option said; `counts[kind]` tells what happened to them."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.counts: dict[str, Counter[str]] = {}
        self._due: list[tuple[float, int, str, str, Any]] = []
        self._numbers = itertools.count()
        self._free = asyncio.Semaphore(CONCURRENT)
        self._posting: set[asyncio.Task[None]] = set()

    def post_at(self, due: float, kind: str, url: str, body: Any) -> None:
        """Post at that time. `body` may be a function that makes it then; None from it posts nothing."""
        heapq.heappush(self._due, (due, next(self._numbers), kind, url, body))

    def forget(self) -> None:
        self._due.clear()
        self.counts.clear()

    async def run(self) -> None:
        patience = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=patience) as session, ended_together(self._posting):
            while True:
                if not self._due or self._due[0][0] > time.time():
                    await asyncio.sleep(0.05)
                    continue
                _, _, kind, url, body = heapq.heappop(self._due)
                if callable(body) and (body := body()) is None:
                    continue
                await self._free.acquire()
                task = asyncio.create_task(self._post(session, kind, url, body))
                self._posting.add(task)
                task.add_done_callback(self._posting.discard)

    async def _post(self, session: aiohttp.ClientSession, kind: str, url: str, body: Any) -> None:
        try:
            counts = self.counts.setdefault(kind, Counter())
            await post_until_acknowledged(session, url, body, self.options.push_retries, counts)
        finally:
            self._free.release()


@contextlib.asynccontextmanager
async def ended_together(tasks: set[asyncio.Task[None]]) -> AsyncIterator[None]:
    """Cancel these tasks at the end: stopping ends what is still being posted."""
    try:
        yield
    finally:
        ending = list(tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def post_until_acknowledged(
    session: aiohttp.ClientSession, url: str, body: Any, retries: int, counts: Counter[str]
) -> None:
    """Post until it is answered with 200, a few times, later each time: the vendor documents no rule."""
    for attempt in range(retries + 1):
        counts["sent"] += 1
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
            async with session.post(url, json=body) as answer:
                if answer.status == 200:
                    counts["acknowledged"] += 1
                    return
        await asyncio.sleep(min(0.2 * 2**attempt, 5.0))
    counts["given up"] += 1
