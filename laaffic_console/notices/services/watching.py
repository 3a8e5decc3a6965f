"""What is not an event because it is something that does not happen: no answer, no sign of life, no callback.

Looked at once a minute, by the sweep of whichever worker comes first. A condition is told when it begins, and again
only after it has ended.
"""

import datetime as dt
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import Min

from laaffic_console.gateway.models import IS_OPEN_ENTRY, EntryState, LedgerEntry, PushedBody, WorkerHeartbeat
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.notices import subjects
from laaffic_console.notices.kinds import Notify
from laaffic_console.notices.models import Watched
from laaffic_console.notices.services import taking

EVERY = dt.timedelta(minutes=1)
UNKNOWN_FOR = dt.timedelta(hours=1)
CALLBACKS_SILENT_FOR = dt.timedelta(hours=1)
WORKER_SILENT_FOR = dt.timedelta(minutes=2)
LOOKED = "looked"  # the row that says when
LAST_ENTRIES = 2000  # before that hour
AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Condition:
    kind: Notify
    about: str
    said: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.about}"[:60]


def look_if_due() -> None:
    now = database_clock.now()
    if Watched.objects.filter(name=LOOKED, since__gt=now - EVERY, since__lte=now + EVERY).exists():
        return
    Watched.objects.bulk_create([Watched(name=LOOKED, since=now - 2 * EVERY)], ignore_conflicts=True)
    is_mine = Watched.objects.filter(name=LOOKED).exclude(since__gt=now - EVERY, since__lte=now + EVERY)
    if is_mine.update(since=now):
        look(now)


def look(now: dt.datetime) -> None:
    found = {one.name: one for one in [*_unknown(now), *_workers(now), *_callbacks(now)]}
    known = set(Watched.objects.exclude(name=LOOKED).values_list("name", flat=True))
    if over := known - found.keys():
        Watched.objects.filter(name__in=over).delete()
    for name in sorted(found.keys() - known):
        _begin(found[name], now)


@transaction.atomic
def _begin(condition: Condition, now: dt.datetime) -> None:
    _row, is_new = Watched.objects.get_or_create(name=condition.name, defaults={"since": now})
    if is_new:
        taking.tell(condition.kind, condition.about, condition.said)


def _unknown(now: dt.datetime) -> Iterator[Condition]:
    """Requests that are unknown for too long, one condition for each thing they are about; by the open rows' index."""
    of_ledger = {one.ledger: one for one in subjects.every() if one.ledger}
    open_ones = LedgerEntry.objects.filter(IS_OPEN_ENTRY.implied, state=EntryState.UNKNOWN)
    old = open_ones.filter(prepared_at__lt=now - UNKNOWN_FOR).order_by()
    grouped = old.values_list("about_kind", "about_id").annotate(entry=Min("pk")).order_by("entry")
    for kind, key, entry in grouped[:AT_MOST]:
        if key is not None and (subject := of_ledger.get(kind)):
            yield Condition(Notify.UNKNOWN, f"{subject.kind}:{key}", {"name": subject.name(f"{key}")})
        else:
            yield Condition(Notify.UNKNOWN, f"ledger:{entry}", {"name": f"{kind} {key or ''}".strip()})


def _workers(now: dt.datetime) -> Iterator[Condition]:
    """Machines whose workers have all gone silent; not workers, since a restarted one has another name."""
    silent = WorkerHeartbeat.objects.filter(stopped_at=None, beat_at__lt=now - WORKER_SILENT_FOR)
    living = WorkerHeartbeat.objects.filter(stopped_at=None, beat_at__gte=now - WORKER_SILENT_FOR)
    hosts = set(silent.values_list("host", flat=True)) - set(living.values_list("host", flat=True))
    for host in sorted(hosts)[:AT_MOST]:
        yield Condition(Notify.WORKER, f"worker:{host}"[:60], {"name": host})


def _callbacks(now: dt.datetime) -> Iterator[Condition]:
    """A condition where something that is reported on was accepted long ago, and nothing was pushed since."""
    if not settings.LAAFFIC_PUSH_TOKENS:
        return
    old = now - CALLBACKS_SILENT_FOR
    pushed_at = PushedBody.objects.order_by("-id").values_list("received_at", flat=True).first()
    if pushed_at is not None and pushed_at >= old:
        return
    reported = {one.ledger for one in subjects.every() if one.is_reported}
    # Requests that left lately are left out first: on a busy console there would be no others among those looked at.
    before = LedgerEntry.objects.filter(pk__lte=_last_prepared_before(old)).order_by("-pk")
    for kind, state, left_at in list(before.values_list("about_kind", "state", "left_at")[:LAST_ENTRIES]):
        if kind not in reported or state != EntryState.ACCEPTED or left_at is None:
            continue
        if left_at < old and (pushed_at is None or left_at > pushed_at):
            yield Condition(Notify.CALLBACKS, "callbacks:all")
            return


def _last_prepared_before(moment: dt.datetime) -> int:
    """The entry's id, less than any where there is none; by halves, since no index has the moments of all entries.

    Ids and moments rise together, but for some seconds.
    """
    ids = LedgerEntry.objects.order_by("pk")
    newest = ids.values_list("pk", flat=True).last() or 0

    def is_young(pk: int) -> bool:
        prepared_at = ids.filter(pk__gte=pk).values_list("prepared_at", flat=True).first()
        return prepared_at is None or prepared_at >= moment

    return bisect_left(range(newest + 1), True, key=is_young) - 1
