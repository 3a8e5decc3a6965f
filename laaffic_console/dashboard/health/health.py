"""Whether the parts work together: database, queue, worker, callbacks."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Min
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from laaffic_console.gateway import queue as bells
from laaffic_console.gateway.models import AccountHold, PushedBody
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.registers import health_signs
from laaffic_console.kit.sql import database_troubles
from laaffic_console.kit.words.figures import number

LABELS = {
    "database": gettext_lazy("Database"),
    "queue": gettext_lazy("Queue"),
    "worker": gettext_lazy("Workers"),
    "sweep": gettext_lazy("Last sweep"),
    "due": gettext_lazy("Oldest thing due"),
}
SWEEP_LATE = 60  # seconds; one is rung for every five
DUE_LATE = 600  # seconds that what is due may wait for a worker that is busy


@dataclass(frozen=True, slots=True)
class Part:
    name: str  # as scripts know it
    is_well: bool
    says: str

    @property
    def label(self) -> Any:
        return LABELS[self.name]

    @property
    def shown(self) -> str:
        """The words for people: scripts know the database by another name."""
        return connection.display_name if self.name == "database" and self.is_well else self.says


def parts() -> list[Part]:
    known = [database(), queue(), worker()]
    if known[0].is_well:
        try:
            known += [part for part in (sweep(), due()) if part]
        except DatabaseError as problem:  # it answers, and its tables are those of another version
            known[0] = Part("database", False, _why(problem))
    return known


def _why(problem: DatabaseError) -> str:
    """What is wrong, without the database's address and name: anyone who asks /readyz may read it."""
    return str(database_troubles.of(problem) or type(problem).__name__)


def database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as problem:
        return Part("database", False, _why(problem))
    return Part("database", True, connection.vendor)


def queue() -> Part:
    try:
        waiting = bells.ask()
    except Exception as problem:  # the broker's client decides what it raises
        return Part("queue", False, _refusal(problem))
    return Part("queue", True, _("%(n)d waiting") % {"n": waiting})


def _refusal(problem: Exception) -> str:
    """Redis says why it refuses in the first word, before what may name its host: MISCONF, READONLY, OOM."""
    first = (str(problem).split() or [""])[0]
    return f"{type(problem).__name__} ({first})" if first.isupper() and first.isalpha() else type(problem).__name__


def worker() -> Part:
    try:
        alive = workers.alive()
        if alive:
            return Part("worker", True, _("%(n)d alive") % {"n": alive})
        return Part("worker", False, _without_workers())
    except DatabaseError as problem:
        return Part("worker", False, _why(problem))


def _without_workers() -> str:
    """One that only stands still is not helped by another that is started beside it, on a machine that is full."""
    last_beat = workers.silent()
    if last_beat is None:
        return _("none: start one with manage.py worker")
    seconds = max(0, int((database_clock.now() - last_beat).total_seconds()))
    said = ngettext(
        "none has been heard of for %(n)s second: see whether it still runs, and restart it",
        "none has been heard of for %(n)s seconds: see whether it still runs, and restart it",
        seconds,
    )
    return said % {"n": number(seconds)}


def sweep() -> Part | None:
    """Whether what was forgotten is looked for; None before the first sweep of a new installation."""
    now = database_clock.now()
    swept_at = workers.last_sweep()
    if swept_at is None:
        first = workers.living().aggregate(first=Min("started_at"))["first"]
        is_new = first is None or now - first < dt.timedelta(seconds=SWEEP_LATE)
        return None if is_new else Part("sweep", False, _("none yet"))
    seconds = (now - swept_at).total_seconds()
    said = _("%(n)s s ago") % {"n": number(int(seconds))} if seconds >= 1 else _("just now")
    return Part("sweep", abs(seconds) <= SWEEP_LATE, said)


def due() -> Part | None:
    """What has been due for longest; None when nothing is."""
    now = database_clock.now()
    oldest = min(((at, what) for what, at in _waiting(now) if at is not None and at <= now), default=None)
    if oldest is None:
        return None
    at, what = oldest
    seconds = int((now - at).total_seconds())
    said = ngettext("%(what)s, for %(n)d second", "%(what)s, for %(n)d seconds", seconds)
    return Part("due", seconds <= DUE_LATE, said % {"what": what, "n": seconds})


def _waiting(now: dt.datetime) -> Iterator[tuple[str, dt.datetime | None]]:
    """The kinds of work, each as (its name, since when its oldest piece has waited)."""
    yield _("a pushed body"), inbox.waiting()[1]
    probes = AccountHold.objects.filter(released_at=None, next_probe_at__lte=now).order_by("next_probe_at")
    yield _("the probe of a hold"), probes.values_list("next_probe_at", flat=True).first()
    yield from health_signs.waiting(now)


def last_push_at() -> dt.datetime | None:
    """When the gateway last pushed something; None when it never did."""
    return PushedBody.objects.order_by("-id").values_list("received_at", flat=True).first()
