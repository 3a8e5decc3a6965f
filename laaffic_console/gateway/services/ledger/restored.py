"""After a restore: requests that may have left since the backup was made, though the restored ledger lacks them.

Between the two moments the console went on, and what it did then is lost. So each request that had not left is unknown,
with the whole time in which it may have left: `left_at` is its end, `clock_ahead` how much earlier it may have been.
"""

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone
from django.utils.module_loading import import_string

from laaffic_console.gateway.models import EntryState, Lease, LedgerEntry, WorkerHeartbeat
from laaffic_console.gateway.services.ledger import known_by
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined

_also: list[str] = []


def with_forgotten(reason: str, has_forgotten: bool) -> str:
    """Why something is held. `has_forgotten`: who opted out since the backup may be sent to, as nothing could be read
    from the database that was replaced.
    """
    if not has_forgotten:
        return reason
    return joined([reason, _("Suppressed numbers, withdrawals and erasures since are lost: enter them first.")])


def note_all(entries: Sequence[LedgerEntry], since: dt.datetime, until: dt.datetime) -> None:
    """Write requests that the ledger lacks; without a reason, as nothing is known against the gateway."""
    evidence = known_by.restore()
    for entry in entries:
        entry.state = EntryState.UNKNOWN
        entry.evidence, entry.evidence_kind = evidence.words, evidence.kind
        entry.prepared_at = entry.left_at = until
        entry.clock_ahead = (until - since).total_seconds()
        entry.settled_at = timezone.now()
    LedgerEntry.objects.bulk_create(entries)


def lose_prepared(since: dt.datetime, until: dt.datetime) -> int:
    """Requests that were recorded and had not left when the backup was made; how many."""
    return LedgerEntry.objects.filter(state=EntryState.PREPARED).update(
        state=EntryState.UNKNOWN,
        left_at=until,
        clock_ahead=(until - since).total_seconds(),
        settled_at=timezone.now(),
        **known_by.restore().columns(),
    )


def widen(entry: LedgerEntry, until: dt.datetime) -> None:
    """A request under way or unknown at the backup: refused as too often, say, or by a person's word, it may have left
    once more until the restore. What is known to have arrived stays so: others that it carried may not have.
    """
    first = entry.left_at or entry.prepared_at
    LedgerEntry.objects.filter(pk=entry.pk).update(
        left_at=until, clock_ahead=max(0.0, (until - first).total_seconds()) + (entry.clock_ahead or 0.0)
    )
    LedgerEntry.objects.filter(pk=entry.pk).exclude(state=EntryState.ACCEPTED).update(
        state=EntryState.UNKNOWN, settled_at=timezone.now(), **known_by.restore().columns()
    )


def also(job: str) -> None:
    """Register, by its dotted name, a job that puts right what else a restore makes doubtful in an app.

    It returns how many of what count again as they did at the backup, whatever was closed or revoked since.
    """
    if job not in _also:
        _also.append(job)


def put_others_right() -> dict[str, int]:
    count_again: dict[str, int] = {}
    for job in _also:
        count_again |= import_string(job)()
    return count_again


def forget_workers() -> None:
    """Delete the backup's workers, which no longer run, and free what they held."""
    WorkerHeartbeat.objects.all().delete()
    Lease.objects.all().delete()
