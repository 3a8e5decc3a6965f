"""Clients of the REST API who lose answers, and repeat what they asked under the same key until they have one.

How an attempt is lost is the seed's choice; what was under way when a process died is the machine's business.
"""

import contextlib
import http.client
import json
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from typing import Any

from laaffic_console.rehearsal.plan import Request

AT_ONCE = 4
PATIENCE = 20.0  # seconds of a client that is patient
SHORTEST, LONGEST = 0.005, 0.15  # the patience of one that is not patient: it often ends before the answer comes
PAUSE = (0.1, 0.6)  # before it asks again
TRIES_UNHARMED = 5  # after so many a client loses no more answers by its own doing
GIVE_UP = 240.0
OUR_FAULT = 500
Answer = Mapping[str, Any]


class Loss(StrEnum):
    """What a client does to an attempt of its own."""

    NONE = "patiently"
    IMPATIENT = "with less patience than an answer takes"
    UNREAD = "connection cut before the answer was read"
    HALF = "connection cut in the middle of the body"
    TWICE = "two at the same moment"


LOSS_WEIGHTS = (50, 18, 12, 6, 14)


class Clients:
    """`begin`, and `done` is true at some time; then `ask_again`."""

    def __init__(self, address: tuple[str, int], told: Mapping[str, Any], secret: str, seed: int) -> None:
        """`told`: what every request says beyond text and numbers."""
        self.address, self.told, self.seed = address, told, seed
        self.secret = secret
        self.counted: Counter[str] = Counter()
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.problems: list[str] = []
        self.under_way = 0  # requests that were sent and not answered yet
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._pool = ThreadPoolExecutor(AT_ONCE, "client")
        self._running: list[Future[None]] = []

    def begin(self, requests: Sequence[Request], may_begin: Callable[[int], bool]) -> None:
        """Begin to ask; `may_begin` says whether the request at this place may be asked for now."""
        self._running = [
            self._pool.submit(self._ask_when_due, place, request, may_begin) for place, request in enumerate(requests)
        ]

    def ask_again(self, requests: Sequence[Request]) -> None:
        """Ask each once more, patiently: a client that was answered gets the same."""
        self._running += [self._pool.submit(self._until_answered, request, [Loss.NONE]) for request in requests]

    @property
    def done(self) -> bool:
        return all(each.done() for each in self._running)

    def end(self) -> None:
        """End all clients, and raise what went wrong in one of them."""
        self._ended.set()
        self._pool.shutdown(cancel_futures=True)
        for each in self._running:
            if each.done() and not each.cancelled():
                each.result()

    def _ask_when_due(self, place: int, request: Request, may_begin: Callable[[int], bool]) -> None:
        while not may_begin(place) and not self._ended.wait(0.05):
            pass
        chance = random.Random(f"losses {self.seed} {request.key}")  # noqa: S311 - repeatable on purpose
        self._until_answered(request, chance.choices(list(Loss), LOSS_WEIGHTS, k=TRIES_UNHARMED))

    def _until_answered(self, request: Request, losses: Sequence[Loss]) -> None:
        chance = random.Random(f"waits {self.seed} {request.key}")  # noqa: S311
        give_up_at, attempt = time.monotonic() + GIVE_UP, 0
        while time.monotonic() < give_up_at and not self._ended.is_set():
            loss = losses[attempt] if attempt < len(losses) else Loss.NONE
            attempt += 1
            wait = self._attempt(request, loss, chance)
            if wait is None:
                return
            self._ended.wait(wait or chance.uniform(*PAUSE))

    def _attempt(self, request: Request, loss: Loss, chance: random.Random) -> float | None:
        """Ask once; the seconds to wait before the next try: 0 where nobody said, None where there is an answer."""
        self._count(f"attempts, {loss}")
        patience = chance.uniform(SHORTEST, LONGEST) if loss is Loss.IMPATIENT else PATIENCE
        try:
            said = self._exchanged(request, loss, patience)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            self._count(f"no answer: {type(problem).__name__}")
            return 0.0
        waits = [self._heard(request, *each) for each in said]
        return None if None in waits else max((wait for wait in waits if wait is not None), default=0.0)

    def _exchanged(self, request: Request, loss: Loss, patience: float) -> list[tuple[int, float, Answer]]:
        """Status, Retry-After and body of each answer that was read."""
        with contextlib.ExitStack() as open_ones:
            asked = []
            for _ in range(2 if loss is Loss.TWICE else 1):
                connection = http.client.HTTPConnection(*self.address, timeout=patience)
                asked.append(open_ones.enter_context(contextlib.closing(connection)))
                self._send(connection, request, whole=loss is not Loss.HALF)
            if loss in (Loss.UNREAD, Loss.HALF):
                return []
            with self._waiting():
                return [read(connection) for connection in asked]

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        with self._lock:
            self.under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self.under_way -= 1

    def _send(self, connection: http.client.HTTPConnection, request: Request, *, whole: bool) -> None:
        body = self.body_of(request)
        connection.putrequest("POST", "/api/v1/messages")
        connection.putheader("Authorization", f"Bearer {self.secret}")
        connection.putheader("Idempotency-Key", request.key)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body if whole else body[: len(body) // 2])

    def body_of(self, request: Request) -> bytes:
        asked = {**self.told, "name": request.key, "to": [f"+{number}" for number in request.numbers]}
        return json.dumps(asked).encode()

    def _heard(self, request: Request, status: int, retry_after: float, body: Answer) -> float | None:
        self._count(f"answered {status}")
        with self._lock:
            if status == 202:
                self.answers[request.key].append(body)
                return None
            if status == OUR_FAULT or (status < OUR_FAULT and not retry_after):
                self.problems.append(f"{request.key}: answered {status}: {body.get('detail', '')}")
        return retry_after

    def _count(self, what: str) -> None:
        with self._lock:
            self.counted[what] += 1


def read(connection: http.client.HTTPConnection) -> tuple[int, float, Answer]:
    answer = connection.getresponse()
    return answer.status, float(answer.getheader("Retry-After") or 0), json.loads(answer.read())
