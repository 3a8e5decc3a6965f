"""The inbox: store a pushed body and answer; a job applies stored bodies in bulk (DESIGN §5)."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from laaffic_console.gateway.models import OrphanReport, PushedBody, PushKind
from laaffic_console.gateway.services import bell

# Which job applies each kind of push; the apps that own the rows say so when they start.
_appliers: dict[str, str] = {}

ORPHAN_KEPT = dt.timedelta(hours=24)


def applied_by(kind: PushKind, job: str) -> None:
    _appliers[kind] = job


def store(*, kind: PushKind, body: str, source: str | None, mark: str = "") -> None:
    PushedBody.objects.create(kind=kind, body=body, source=source, mark=mark, received_at=timezone.now())
    if job := _appliers.get(kind):
        bell.ring_once_a_second(job)


def ring_for_waiting() -> None:
    """What the sweeper calls: bodies whose bell was lost, and reports without a message whose next try is due."""
    now = timezone.now()
    for kind, job in _appliers.items():
        waiting = PushedBody.objects.filter(kind=kind, applied_at=None)
        if waiting.exists() or OrphanReport.objects.filter(kind=kind, next_try_at__lte=now).exists():
            bell.ring(job)


def take_waiting(kind: PushKind, limit: int) -> list[PushedBody]:
    """The next bodies to apply, locked until the caller's transaction ends."""
    waiting = PushedBody.objects.filter(kind=kind, applied_at=None).order_by("id")
    if connection.features.has_select_for_update_skip_locked:
        waiting = waiting.select_for_update(skip_locked=True)
    return list(waiting[:limit])


def mark_applied(bodies: Sequence[PushedBody], *, entries: dict[int, int], problems: dict[int, list[str]]) -> None:
    now = timezone.now()
    clean = [body.pk for body in bodies if not problems.get(body.pk)]
    by_count: dict[int, list[int]] = {}
    for pk in clean:
        by_count.setdefault(entries.get(pk, 0), []).append(pk)
    for count, pks in by_count.items():
        PushedBody.objects.filter(pk__in=pks).update(applied_at=now, entries=count)
    for body in bodies:
        if found := problems.get(body.pk):
            PushedBody.objects.filter(pk=body.pk).update(
                applied_at=now, entries=entries.get(body.pk, 0), problems=found[:20]
            )


def keep_orphans(orphans: Sequence[OrphanReport]) -> None:
    OrphanReport.objects.bulk_create(orphans, ignore_conflicts=True, batch_size=500)


def retry_orphans(kind: PushKind, apply: Callable[[list[dict[str, Any]]], list[bool]], limit: int = 500) -> int:
    """Try reports again whose message nobody knew; `apply` says for each whether it is known now."""
    now = timezone.now()
    with transaction.atomic():
        due = list(
            OrphanReport.objects.select_for_update().filter(kind=kind, next_try_at__lte=now).order_by("id")[:limit]
        )
        known = apply([orphan.report for orphan in due])
        for orphan, is_known in zip(due, known, strict=True):
            orphan.tries += 1
            orphan.matched_at = now if is_known else None
            orphan.next_try_at = None if is_known else _next_try(orphan, now)
        OrphanReport.objects.bulk_update(due, ["tries", "matched_at", "next_try_at"])
    return sum(known)


def _next_try(orphan: OrphanReport, now: dt.datetime) -> dt.datetime | None:
    if now - orphan.first_seen > ORPHAN_KEPT:
        return None
    return now + dt.timedelta(seconds=min(2**orphan.tries, 1800))
