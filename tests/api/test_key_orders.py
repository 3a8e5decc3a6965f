"""Any order of repeats, deaths, refusals and days under one Idempotency-Key: within seven days of its answer nothing is
done twice, and what has left for Laaffic is asked for once.
"""

import datetime as dt
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from laaffic_console.api.handling import idempotency
from laaffic_console.api.handling.idempotency import Answer
from laaffic_console.api.handling.problems import Problem
from laaffic_console.api.models import RepeatableRequest
from laaffic_console.gateway.services.ledger import ledger
from messaging.models import ContactGroup

pytestmark = pytest.mark.django_db

FAMILY = 1
KEYS = ("a", "b")
WEEK = 7 * 24


class Killed(BaseException):
    """The process."""


class Play:
    def __init__(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dice, self.monkeypatch = random.Random(seed), monkeypatch
        self.hours = 0
        self.done: dict[str, list[int]] = {key: [] for key in KEYS}  # when, in hours
        self.answered: dict[str, tuple[str, dict[str, Any], int]] = {}  # key: (body, answer, since when)

    def once(self) -> None:
        acts = [self.asks, self.asks, self.asks, self.dies, self.is_refused, self.waits, self.days_go_by, self.sweeps]
        self.dice.choice(acts)()

    def asks(self) -> None:
        key = self.dice.choice(KEYS)
        self.repeats(key, self.dice.choice("xxy"), lambda: self.does(key))

    def repeats(self, key: str, body: str, work: Callable[[], Answer]) -> None:
        try:
            answer = self.request(key, body, work)
        except (Problem, Killed):  # it runs, the key is another request's, or what it was told to happen
            return
        known = self.answered.get(key)
        if known is not None and self.hours - known[2] < WEEK:
            assert (body, answer.body) == known[:2], "another answer than before"
        else:
            self.answered[key] = (body, answer.body, self.hours)

    def dies(self) -> None:
        key = self.dice.choice(KEYS)
        behind = self.dice.random() < 0.5

        def killed() -> Answer:
            if behind:
                self.does(key, is_kept=self.is_kept_without_answer)
            raise Killed

        with self.monkeypatch.context() as patched:
            patched.setattr(idempotency, "_give_back", lambda *_given, **_named: None)
            self.repeats(key, "x", killed)

    def is_refused(self) -> None:
        def refuses() -> Answer:
            raise Problem(400, "no")

        self.repeats(self.dice.choice(KEYS), "x", refuses)

    def waits(self) -> None:
        """Whoever has died is given up."""
        RepeatableRequest.objects.exclude(held_until=None).update(held_until=timezone.now() - idempotency.RUNS)

    def days_go_by(self) -> None:
        hours = self.dice.choice([24, 72, WEEK - 1])
        self.hours += hours
        RepeatableRequest.objects.update(created_at=F("created_at") - dt.timedelta(hours=hours))
        self.waits()

    def sweeps(self) -> None:
        idempotency.forget_old()

    # Each kind of work

    is_kept_without_answer = False

    def request(self, key: str, body: str, work: Callable[[], Answer]) -> Answer:
        return idempotency.once(FAMILY, key, body, work)

    def does(self, key: str, *, is_kept: bool = True) -> Answer:
        made = ContactGroup.objects.create(name=f"{key} {self.hours} {self.dice.random()}")
        if is_kept:
            self.was_done(key)
        return Answer(201, {"id": made.pk})

    def was_done(self, key: str) -> None:
        before = self.done[key]
        assert not before or self.hours - before[-1] >= WEEK, "done twice"
        before.append(self.hours)

    def holds(self) -> None:
        assert ContactGroup.objects.count() == sum(map(len, self.done.values()))


class SentPlay(Play):
    """What leaves for Laaffic is committed before its answer."""

    is_kept_without_answer = True

    def request(self, key: str, body: str, work: Callable[[], Answer]) -> Answer:
        return idempotency.once_sent(FAMILY, key, body, work, status=201)

    def does(self, key: str, *, is_kept: bool = True) -> Answer:
        made = ContactGroup.objects.create(name=f"{key} {self.hours} {self.dice.random()}")
        ledger.prepare(interface="bind", application=None, about_kind="group", about_id=made.pk, summary={})
        self.was_done(key)
        return Answer(201, {"id": made.pk})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", [Play, SentPlay])
def test_any_order_does_it_once(kind: type[Play], seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    play = kind(seed, monkeypatch)
    for _ in range(30):
        play.once()
        play.holds()
