"""Our copy of an application's AXB bindings (pns/queryBindPage, laaffic-api#querybindpage).

A binding that is no longer listed is kept, with the time of its end. Requests whose answer was lost are settled by what
the list shows.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.lists import whole_lists
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import numbers as wire
from phone_numbers.models import Binding, SyncStatus
from phone_numbers.services import binding_evidence, syncing
from phone_numbers.services.syncing import Copied, Reading

COPIED = ("phone_a", "phone_b", "pns_number_a", "pns_number_b", "expires_at")
CLOCKS_APART = dt.timedelta(minutes=1)  # a binding that ended at about its time has expired, whichever clock is right


def names() -> list[str]:
    """The names of the copied lists."""
    return [name_of(application) for application in syncing.COPIES.applications_with(binding_evidence.ABOUT)]


def name_of(application: Application) -> str:
    return f"bindings {application.app_id}"


def sync(application: Application) -> Copied:
    """Read the whole list; SyncFailed says why it cannot be read."""
    return syncing.COPIES.run(name_of(application), lambda reading: _read(application, reading))


def _read(application: Application, reading: Reading[SyncStatus]) -> Copied:
    client = laaffic_client()
    seen: set[str] = set()
    added = 0
    lost: set[str] = set()
    is_telling = True  # a binding without its numbers may be any request's

    def take(records: Sequence[wire.Binding]) -> None:
        nonlocal added, is_telling
        reading.go_on()
        kept = syncing.write_each(
            name_of(application), records, lambda some: write(application, some, began=reading.began)
        )
        added += kept.added
        lost.update(record.bind_id for record in kept.lost)
        seen.update(record.bind_id for record in records)
        is_telling = is_telling and all(record.phone_a and record.phone_b for record in records)

    told = whole_lists.read_all(
        lambda current: client.numbers.query_bindings(
            app_id=application.app_id, current=current, size=whole_lists.PAGE_SIZE
        ),
        take=take,
        name_of=lambda record: record.bind_id,
        is_missing=lambda: _unseen(application, reading.began).exclude(_has_run_out()).exists(),
    ).without(len(lost))
    gone = mark_ended(application, reading.began) if told.is_complete else 0
    binding_evidence.settle(application, began=reading.began, is_complete=told.is_complete and is_telling)
    return Copied(len(seen), added, gone, told.is_complete, told.unreadable)


@transaction.atomic
def write(application: Application, records: Sequence[wire.Binding], *, began: dt.datetime) -> int:
    """Store one page in one statement; how many bindings are new. One that had gone and is listed again is live again.

    One that was ended from here since the reading began stays ended: the page may be older.
    """
    found = {record.bind_id: record for record in records}
    ours = Binding.objects.select_for_update().filter(application=application, bind_id__in=list(found)).order_by("pk")
    known = {row.bind_id: row for row in ours}
    for bind_id, row in known.items():
        if row.ended_at is not None and row.ended_at >= began:
            del found[bind_id]
    if not found:
        return 0
    now = timezone.now()
    rows = [
        Binding(
            application=application,
            bind_id=record.bind_id,
            **_said(record, known.get(record.bind_id)),
            first_seen_at=now,
            last_seen_at=began,
            ended_at=None,
            ending="",
        )
        for record in found.values()
    ]
    Binding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["application", "bind_id"],
        update_fields=[*COPIED, "last_seen_at", "ended_at", "ending"],
    )
    return len(found.keys() - known.keys())


def _said(record: wire.Binding, known: Binding | None) -> dict[str, Any]:
    """What the row says of a binding. What it does not say, or not legibly, stays as it is known."""
    said = {
        "phone_a": record.phone_a[:40],
        "phone_b": record.phone_b[:40],
        "pns_number_a": record.pns_number_a[:40],
        "pns_number_b": record.pns_number_b[:40],
        "expires_at": record.expires_at,
    }
    return {column: value or getattr(known, column, value) for column, value in said.items()}


def mark_ended(application: Application, began: dt.datetime) -> int:
    """Mark unlisted bindings as ended, after a complete reading; one that has run out ended at its time."""
    now = timezone.now()
    run_out = _has_run_out()
    return _unseen(application, began).update(
        ending=Case(When(run_out, then=Value(Binding.Ending.EXPIRED)), default=Value(Binding.Ending.VANISHED)),
        ended_at=Case(When(run_out, then=F("expires_at")), default=Value(now)),
    )


def _unseen(application: Application, began: dt.datetime) -> QuerySet[Binding]:
    return Binding.objects.live().filter(due.unseen("last_seen_at", began), application=application)


def _has_run_out() -> Q:
    return Q(expires_at__lte=timezone.now() + CLOCKS_APART)
