"""The inbox: store a pushed body and answer; a job applies stored bodies in bulk (inbox#rules)."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services.database import database_clock, isolation
from laaffic_console.gateway.services.work import bell, due
from laaffic_console.kit.sql.constant_sql import Given, Insert, Select

# Which job applies each kind of push; the apps that own the rows say so when they start. A job says whether its turn
# was over before the inbox was empty.
_appliers: dict[str, str] = {}
_retried: set[str] = set()  # kinds of which reports without a message are kept and tried again

ORPHAN_KEPT = dt.timedelta(hours=24)
LONGEST_TRY = 1800  # seconds between two tries
ORPHANS_AT_ONCE = 500  # in a transaction
WAITS = [(Q(), dt.timedelta(seconds=LONGEST_TRY))]


def applied_by(kind: PushKind, job: str, *, is_retried: bool = False) -> None:
    """Register the job that applies a kind of push; `is_retried`: it tries reports again whose message nobody knew."""
    _appliers[kind] = job
    if is_retried:
        _retried.add(kind)


def apply_waiting() -> None:
    """What waits, of every kind, here and now, by the jobs that workers run, turn after turn; what a worker is at, or
    takes over between two turns, stays with it."""
    waiting = PushedBody.objects.filter(applied_at=None, kind__in=list(_appliers))
    for kind in waiting.order_by().values_list("kind", flat=True).distinct():
        apply = import_string(_appliers[kind])
        while apply():
            pass


def store(*, kind: PushKind, body: str, source: str | None, mark: str = "") -> None:
    stored = PushedBody(kind=kind, body=body, size=len(body), source=source, mark=mark, received_at=timezone.now())
    _keep([stored])
    if job := _appliers.get(kind):
        bell.ring_once_a_second(job)


_keep = Insert(PushedBody, keys=True)


def ring_for_waiting() -> None:
    """What the sweeper calls: bodies whose bell was lost, and reports without a message whose next try is due."""
    for kind, job in _appliers.items():
        if anything_waiting(PushKind(kind)) or (kind in _retried and is_any_orphan_due(PushKind(kind))):
            bell.ring(job)


def anything_waiting(kind: PushKind) -> bool:
    return bool(_first_waiting.rows(1, kind=kind.value))


def waiting(at_most: int = 1) -> tuple[int, dt.datetime | None]:
    """How many bodies of all kinds are not applied, counted to `at_most`, and when the oldest of them came.

    Of each kind apart: the index of what waits begins with it, and all that was ever pushed is passed without one.
    """
    of_kinds = [rows for kind in PushKind.values if (rows := _first_waiting.rows(at_most, kind=kind))]
    if not of_kinds:
        return 0, None
    oldest = PushedBody.objects.filter(pk=min(rows[0] for rows in of_kinds)[0])
    count = min(at_most, sum(len(rows) for rows in of_kinds))
    return count, oldest.values_list("received_at", flat=True).first()


@Select
def _first_waiting(number: int) -> "QuerySet[PushedBody, Any]":
    found = PushedBody.objects.filter(kind=Given("kind"), applied_at=None)
    return found.order_by("id").values_list("pk")[:number]


def keep_orphans(orphans: Sequence[OrphanReport]) -> None:
    OrphanReport.objects.bulk_create(orphans, ignore_conflicts=True, batch_size=500)


def retry_orphans(kind: PushKind, apply: Callable[[list[dict[str, Any]]], list[bool]]) -> int:
    """Try some reports again whose message nobody knew, the longest due first; `apply` says for each whether it is
    known now.

    One that cannot be applied is marked with its problem and not tried again by itself.
    """
    ids = _due_orphans(kind, ORPHANS_AT_ONCE)
    matched = 0

    @transaction.atomic
    def attempt(piece: Sequence[int]) -> None:
        nonlocal matched
        matched += _retry(piece, apply)

    def give_up(pk: int, problem: Exception) -> None:
        OrphanReport.objects.filter(pk=pk).update(next_try_at=None, problem=isolation.in_words(problem))

    isolation.in_pieces(ids, attempt, give_up)
    return matched


def _retry(ids: Sequence[int], apply: Callable[[list[dict[str, Any]]], list[bool]]) -> int:
    now = database_clock.now()
    waiting = list(OrphanReport.objects.select_for_update().filter(due_again(), pk__in=ids).order_by("id"))
    known = apply([orphan.report for orphan in waiting])
    for orphan, is_known in zip(waiting, known, strict=True):
        orphan.tries += 1
        orphan.matched_at = now if is_known else None
        orphan.next_try_at = None if is_known else _next_try(orphan, now)
    OrphanReport.objects.bulk_update(waiting, ["tries", "matched_at", "next_try_at"])
    return sum(known)


def _next_try(orphan: OrphanReport, now: dt.datetime) -> dt.datetime | None:
    if now - orphan.first_seen > ORPHAN_KEPT:
        return None
    return now + dt.timedelta(seconds=min(2**orphan.tries, LONGEST_TRY))


def is_any_orphan_due(kind: PushKind) -> bool:
    return bool(_due_orphans(kind, 1))


def _due_orphans(kind: PushKind, at_most: int) -> list[int]:
    """Ids of due orphans in the order of an index, which leads past all that is not tried any more; so those that a
    wrong clock has dated are asked for apart."""
    now = database_clock.now()
    of_kind = OrphanReport.objects.filter(kind=kind).order_by("next_try_at", "pk").values_list("pk", flat=True)
    found = list(of_kind.filter(next_try_at__lte=now)[:at_most])
    if len(found) < at_most:
        found += of_kind.filter(due.misdated("next_try_at", WAITS, now))[: at_most - len(found)]
    return found


def due_again() -> Q:
    """Reports whose next try has come: see `_next_try`."""
    return due.come("next_try_at", WAITS)
