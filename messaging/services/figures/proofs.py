"""Proving by a button, with a report that is kept: of a small campaign at once, of a large one by a worker.

What is derived is what the commands derive: each kind of campaign registers how. A worker that dies leaves its proof to
the next, which begins it again.
"""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Model, Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.services.work import long_jobs, workers
from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.said import gettext as _
from messaging.models import IS_OPEN_PROOF, Proof

logger = logging.getLogger(__name__)

JOB = "messaging.jobs.make_proofs"
TASK_SECONDS = 3600  # a task's usual two minutes are too short for millions of messages on a busy machine
AT_ONCE = 10_000  # messages that are proved while somebody waits
TRIES = 3
UNSEEN = dt.timedelta(minutes=10)  # no step of a proof takes so long: its worker has died
KEPT = 10  # reports of one campaign
SENTENCES = 200

Look = Callable[[], None]
State = Proof.State


@dataclass(frozen=True, slots=True)
class Proved:
    """A kind of campaign; `field`: of Proof that holds it. `prove` calls the look it is given between its steps."""

    field: str
    model: type[Model]
    prove: Callable[[Any, Look], dict[str, Any]]
    size: Callable[[Any], int]
    is_over: Callable[[Any], bool]


class WorkerStops(Exception):
    """The worker was told to stop: another one begins it again."""


_proved: dict[str, Proved] = {}


def register(kind: Proved) -> None:
    _proved[kind.field] = kind


def _kind_of(subject: Any) -> Proved:
    concrete = subject._meta.concrete_model
    return next(kind for kind in _proved.values() if kind.model is concrete)


def of(subject: Any) -> "QuerySet[Proof]":
    """All that are kept, the newest first."""
    return Proof.objects.filter(**{_kind_of(subject).field: subject.pk}).order_by("-pk")


def finished_of(subject: Any) -> "QuerySet[Proof]":
    return of(subject).filter(state=State.FINISHED)


DRAFT = "draft"  # of every kind of campaign


def require_launched(subject: Any) -> None:
    """NotNow for a draft: what is not sent yet has nothing to prove."""
    if subject.state == DRAFT:
        raise NotNow(_("“%(name)s” is a draft: launch it first, then prove it.") % {"name": subject.name})


def ask(subject: Any, *, by: User) -> Proof:
    """Finished, or waiting for a worker; who asks again for what is being proved is given that one."""
    kind = _kind_of(subject)
    asked = Proof(**{f"{kind.field}_id": subject.pk}, asked_by=by, asked_by_name=by.get_username())
    is_small = kind.size(subject) <= AT_ONCE
    try:
        with transaction.atomic():
            asked.save()
            if not is_small:
                long_jobs.ring(JOB)
    except IntegrityError:
        if found := of(subject).filter(state__in=Proof.OPEN).first():
            return found
        raise
    if is_small:
        _make(asked)
        asked.refresh_from_db()
    return asked


def make_next() -> None:
    """The oldest that waits."""
    with long_jobs.turn(JOB) as held:
        if held is not None and (proof := _waiting().first()) is not None:
            _make(proof)


def is_waiting() -> bool:
    return _waiting().exists()


def _waiting() -> "QuerySet[Proof]":
    forgotten = Q(state=State.RUNNING, seen_at__lt=timezone.now() - UNSEEN)
    return Proof.objects.filter(IS_OPEN_PROOF.implied, Q(state=State.WAITING) | forgotten).order_by("pk")


def _make(proof: Proof) -> None:
    taken = _waiting().filter(pk=proof.pk, tries=proof.tries)
    if not taken.update(state=State.RUNNING, seen_at=timezone.now(), tries=F("tries") + 1):
        return
    mine = Proof.objects.filter(pk=proof.pk, state=State.RUNNING, tries=proof.tries + 1)
    if proof.tries >= TRIES:
        mine.update(state=State.FAILED, finished_at=timezone.now())
        return

    def look() -> None:
        if workers.is_stopping():
            raise WorkerStops
        mine.update(seen_at=timezone.now())

    kind = next(kind for field, kind in _proved.items() if getattr(proof, f"{field}_id"))
    try:
        found = kind.prove(proof.draft, look)
    except WorkerStops:
        mine.update(state=State.WAITING, tries=F("tries") - 1)
        return
    except DatabaseError:
        mine.update(state=State.WAITING)  # it passes: the sweep rings again
        raise
    except Exception:
        mine.update(state=State.FAILED, finished_at=timezone.now())
        logger.exception("proof %s failed", proof.pk)
        return
    wrong = found["disagreements"]
    mine.update(
        state=State.FINISHED,
        finished_at=timezone.now(),
        was_over=kind.is_over(proof.draft),
        figures={name: value for name, value in found.items() if name not in ("id", "disagreements")},
        disagreements=wrong[:SENTENCES],
        wrong=len(wrong),
    )
    _forget_old(proof.draft)


def _forget_old(subject: Any) -> None:
    over = of(subject).exclude(state__in=Proof.OPEN)
    Proof.objects.filter(pk__in=list(over.values_list("pk", flat=True)[KEPT : KEPT + 100])).delete()
