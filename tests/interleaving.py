"""Two acts at once on PostgreSQL, in every order in which their statements can meet.

For each n the first act runs its first n statements and stands still; the second runs until it ends or waits for a lock
of the first; then the first runs on to its end, and after it the second, unless the first waits for it. And the same
with the two exchanged. COMMIT counts as a statement. What must be so after each of these plays is asserted by the scene
that made the two acts.

Each play is made of rows of its own, so no table is emptied between them, and both threads keep their connections: a
play costs some milliseconds beside its statements.
"""

import itertools
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from django.db import OperationalError, connection

from tests.lock_order import LockOrder, Transaction

Act = Callable[[], Any]
PATIENCE = 20.0
# The most points at which an act is stopped; 0: at each.
SAMPLE = int(os.environ.get("INTERLEAVINGS_SAMPLE", "0"))
POLLS = 60  # statements more than an act has by itself: it asks again and again whether the other is done


@dataclass(slots=True)
class Scene:
    """Two acts on rows of their own, and what must be so when both are over."""

    one: Act
    other: Act
    check: Callable[["Ending", "Ending"], None]


@dataclass(slots=True)
class Ending:
    """What became of an act."""

    value: Any = None
    problem: Exception | None = None

    @property
    def passed(self) -> bool:
        return self.problem is None


@dataclass(eq=False)
class Actor:
    """A thread with a connection of its own, which can be stopped before any statement."""

    name: str
    order: LockOrder
    ending: Ending = field(default_factory=Ending)
    statements: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.acts: SimpleQueue[tuple[Act, int | None] | None] = SimpleQueue()
        self.stops_at: int | None = None
        self.connection: Any = None
        self.transaction = Transaction()
        self.stands = threading.Event()  # before its next statement, or at its end
        self.is_over = threading.Event()
        self.may_go_on = threading.Event()
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=self._live, name=self.name, daemon=True)
        self.thread.start()
        assert self.is_ready.wait(PATIENCE)

    def begin(self, act: Act, stops_at: int | None = None) -> None:
        self.stands.clear()
        self.is_over.clear()
        self.may_go_on.clear()
        self.ending, self.statements = Ending(), []
        self.is_ready.clear()
        self.acts.put((act, stops_at))
        assert self.is_ready.wait(PATIENCE)

    def end(self) -> None:
        assert self.is_over.wait(PATIENCE), f"{self.name} hangs after {self.statements[-3:]}"

    def leave(self) -> None:
        self.acts.put(None)
        self.thread.join(PATIENCE)

    def _live(self) -> None:
        try:
            self._connect()
            really_commit = connection._commit

            def commit() -> None:
                self._pass("COMMIT")
                really_commit()

            connection._commit = commit
            while (given := self.acts.get()) is not None:
                self._play(*given)
        finally:
            connection.close()

    def _connect(self) -> None:
        """Anew where a request has closed the connection."""
        connection.ensure_connection()
        self.connection = connection.connection
        self.is_ready.set()

    @property
    def pid(self) -> int:
        backend: int = self.connection.info.backend_pid
        return backend

    def _play(self, act: Act, stops_at: int | None) -> None:
        self.stops_at, self.transaction = stops_at, Transaction()
        self._connect()
        try:
            with connection.execute_wrapper(self._stand_still):
                self.ending.value = act()
        except Exception as problem:  # told to the scene, which knows what an act may answer
            self.ending.problem = problem
        finally:
            self.is_over.set()
            self.stands.set()

    def _stand_still(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        self._pass(sql)
        result = execute(sql, params, many, context)
        if connection.in_atomic_block and context["cursor"].rowcount != 0:  # without a row nothing is locked
            self.transaction.ran(sql)
        return result

    def _pass(self, sql: str) -> None:
        if len(self.statements) == self.stops_at:
            self.stands.set()
            assert self.may_go_on.wait(PATIENCE)
        self.statements.append(sql)
        if sql == "COMMIT":
            self._forget()

    def _forget(self) -> None:
        """What a transaction has locked, once it is over."""
        self.order.add(self.transaction)
        self.transaction = Transaction()


class Stage:
    """Two actors, and somebody who sees which of them waits for the other."""

    def __init__(self) -> None:
        self.order = LockOrder()
        self.first, self.second = Actor("first", self.order), Actor("second", self.order)

    def play(self, first: Act, second: Act, stops_at: int, usual: tuple[int, int]) -> bool:
        """False when `first` is over before it has made so many statements. `usual`: how many each has by itself."""
        self.first.begin(first, stops_at)
        assert self.first.stands.wait(PATIENCE), f"the first act hangs after {self.first.statements[-3:]}"
        was_stopped = not self.first.is_over.is_set()
        self.second.begin(second)
        while not self.second.is_over.wait(0.001):
            if self._waits(self.second, self.first, usual[1]):
                self.second.stops_at = len(self.second.statements)  # it has the lock then, and goes on after the first
                break
        self.first.may_go_on.set()
        while not self.first.is_over.wait(0.001):
            if not self.second.is_over.is_set() and self._waits(self.first, self.second, usual[0]):
                self.second.may_go_on.set()
        self.second.may_go_on.set()
        self.first.end()
        self.second.end()
        return was_stopped

    @staticmethod
    def _waits(one: Actor, other: Actor, usual: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s = ANY(pg_blocking_pids(%s))", [other.pid, one.pid])
            waits: bool = cursor.fetchone()[0]
        return waits or len(one.statements) > usual + POLLS

    def statements_of(self, act: Act) -> int:
        self.second.begin(act)
        self.second.end()
        return len(self.second.statements)

    def leave(self) -> None:
        self.first.leave()
        self.second.leave()


@contextmanager
def stage() -> Iterator[Stage]:
    made = Stage()
    try:
        yield made
    finally:
        made.leave()


def interleave(on: Stage, make: Callable[[], Scene], *, retries: Sequence[str] = ()) -> int:
    """Play a scene in every order; how many there were. A deadlock is a fault of an act that is not in `retries`."""
    alone = make()
    lengths = {"one": on.statements_of(alone.one)}
    lengths["other"] = on.statements_of(make().other)
    plays = 0
    for first, second in (("one", "other"), ("other", "one")):
        for stops_at in _points(lengths[first], f"{make.__qualname__} {first}"):
            scene = make()
            on.play(getattr(scene, first), getattr(scene, second), stops_at, (lengths[first], lengths[second]))
            endings = {first: on.first.ending, second: on.second.ending}
            try:
                for name, ending in endings.items():
                    if isinstance(ending.problem, OperationalError) and name not in retries:
                        raise ending.problem
                scene.check(endings["one"], endings["other"])
            except Exception as problem:
                problem.add_note(_where(on, first, second, stops_at))
                raise
            plays += 1
    return plays


def _points(length: int, name: str) -> list[int]:
    """Where an act of so many statements is stopped: everywhere, or at some places spread over it, always the same.

    A sample is of the places within it: at its ends the two acts merely follow each other.
    """
    every = list(range(length + 1))
    if not SAMPLE:
        return every
    within = every[1:-1] or every
    if len(within) <= SAMPLE:
        return within
    chance = random.Random(name)
    bounds = [len(within) * part // SAMPLE for part in range(SAMPLE + 1)]
    return [within[chance.randrange(start, end)] for start, end in itertools.pairwise(bounds)]


def _where(on: Stage, first: str, second: str, stops_at: int) -> str:
    before = [sql[:110] for sql in on.first.statements[max(0, stops_at - 2) : stops_at]]
    after = [sql[:110] for sql in on.first.statements[stops_at : stops_at + 2]]
    return (
        f"`{first}` stood still after {stops_at} statements while `{second}` ran.\n"
        f"  before: {before}\n  next: {after}\n"
        f"  {first}: {on.first.ending}\n  {second}: {on.second.ending}"
    )
