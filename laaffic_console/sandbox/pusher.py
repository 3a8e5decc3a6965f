"""Pushing delivery reports to the callback: late, twice, reordered and in arrays, as options say."""

import asyncio
import heapq
import random
import time
from collections.abc import Iterable
from typing import Any

import aiohttp

from laaffic_console.sandbox.courier import CONCURRENT, ended_together, post_until_acknowledged
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.store import Accepted, Store, price_detail


class Pusher:
    def __init__(self, store: Store, options: Options) -> None:
        self.store = store
        self.options = options
        self.random = random.Random(options.seed)  # noqa: S311 - repeatable on purpose
        self._due: list[tuple[float, int, Accepted]] = []
        self._count = 0
        self._free = asyncio.Semaphore(CONCURRENT)
        self._sending: set[asyncio.Task[None]] = set()

    def schedule(self, accepted: Iterable[Accepted]) -> None:
        if not self.options.callback:
            return
        for message in accepted:
            if self.random.random() < self.options.push_loss:
                continue
            due_at = self.store.due_at(message) + self.options.push_delay
            copies = 2 if self.random.random() < self.options.push_repeat else 1
            for copy in range(copies):
                self._count += 1
                heapq.heappush(self._due, (due_at + copy * self.random.random(), self._count, message))

    def forget(self) -> None:
        self._due.clear()

    async def run(self) -> None:
        patience = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=patience) as session, ended_together(self._sending):
            while True:
                batch = self._take_due()
                if not batch:
                    await asyncio.sleep(0.05)
                    continue
                for body in self._bodies(batch):
                    await self._free.acquire()
                    task = asyncio.create_task(self._push(session, body))
                    self._sending.add(task)
                    task.add_done_callback(self._sending.discard)

    def _take_due(self) -> list[Accepted]:
        now = time.time()
        batch: list[Accepted] = []
        limit = 1 if self.options.push_mode == "single" else self.options.push_batch
        while self._due and self._due[0][0] <= now and len(batch) < max(limit, 50):
            batch.append(heapq.heappop(self._due)[2])
        if self.options.push_shuffle:
            self.random.shuffle(batch)
        return batch

    def _bodies(self, batch: list[Accepted]) -> list[Any]:
        reports = [self._report(accepted) for accepted in batch]
        if self.options.push_mode == "single":
            return reports
        size = self.options.push_batch
        parts = [reports[start : start + size] for start in range(0, len(reports), size)]
        return list(parts) if self.options.push_mode == "array" else [{"array": part} for part in parts]

    def _report(self, accepted: Accepted) -> dict[str, Any]:
        fate, country = self.store.fate(accepted), accepted.country()
        report: dict[str, Any] = {
            "appId": accepted.submission.app_id,
            "msgid": accepted.msg_id,
            "mobile": accepted.number,
            "status": 0 if fate.delivered else 1,
            "reason": fate.reason,
            "timestamp": int(self.store.due_at(accepted) * 1000),
            "mcc": country.mcc,
            "mnc": "-1",
            "pricedetail": price_detail(accepted),
        }
        if self.options.push_order_id:
            report["orderId " if self.options.spaced_order_key else "orderId"] = accepted.order_id
        return report

    async def _push(self, session: aiohttp.ClientSession, body: Any) -> None:
        try:
            await post_until_acknowledged(
                session, self.options.callback, body, self.options.push_retries, self.store.pushes
            )
        finally:
            self._free.release()
