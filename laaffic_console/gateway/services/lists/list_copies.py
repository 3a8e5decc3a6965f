"""Copying a list that Laaffic keeps: one reading of it at a time, every few minutes, and at once when somebody asks."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from laaffic_console.gateway.models import IS_OPEN_ENTRY, Application, Channel, EntryState, LedgerEntry
from laaffic_console.gateway.models.list_copies import ListCopy
from laaffic_console.gateway.services.client import code_words
from laaffic_console.gateway.services.client.account import NotConfigured
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.work import bell, due, leases, workers
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import ngettext
from laaffic_console.laaffic import LaafficError

logger = logging.getLogger(__name__)

Copy = TypeVar("Copy", bound=ListCopy)
Record = TypeVar("Record")

LEASE_SECONDS = 120  # longer than one page with all its tries takes
TASK_SECONDS = 3600  # a task's usual two minutes are too short for a list of many pages: it is whole or tells nothing
ASKED_FOR = dt.timedelta(minutes=2)  # a request that no worker has taken by then is rung for again


class SyncFailed(Exception):
    """Why our copy could not be made, in a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What one reading of a list found and changed."""

    rows: int  # how many were read
    added: int = 0
    gone: int = 0
    is_complete: bool = True  # False: not all of the list was seen, so nothing was marked as gone
    unreadable: int = 0  # rows that could not be read


@dataclass(frozen=True, slots=True)
class Kept(Generic[Record]):
    """What came of a page's rows."""

    added: int
    lost: list[Record]  # could not be kept: as the list has them, they count as unreadable


@dataclass(slots=True)
class Reading(Generic[Copy]):
    """When a synchronisation began, its lease, and the copy that it fills."""

    began: dt.datetime
    lease: leases.HeldLease
    copy: Copy

    def go_on(self) -> None:
        """Called between pages: a slow list may take longer than a lease."""
        workers.beat_through_request()
        if not self.lease.renew():
            raise SyncFailed(_("Another worker has taken this synchronisation over."))


@dataclass(frozen=True, slots=True)
class Copies(Generic[Copy]):
    """The lists of one app."""

    model: type[Copy]
    channel: Channel  # nothing is copied where nobody has an application of it
    job: str  # what reads a list, by its name
    lease: str  # what the leases begin with
    minutes: str  # the setting that says how often

    def may_take_long(self) -> None:
        """Called from the app's ready()."""
        bell.may_take(self.job, TASK_SECONDS)

    def applications(self) -> list[Application]:
        return list(Application.objects.filter(channel=self.channel, is_active=True).order_by("pk"))

    def applications_with(self, about: str) -> list[Application]:
        """Also those that are switched off while a request about this is unknown: only their list tells its outcome,
        and reading it sends nothing."""
        is_read = Q(is_active=True) | Q(pk__in=_unknown(about).values("application"))
        return list(Application.objects.filter(is_read, channel=self.channel).order_by("pk"))

    def is_read(self, about: str) -> bool:
        """Whether a list of the whole account is read: somebody uses it, or a request about it is unknown."""
        return bool(self.applications()) or _unknown(about).exists()

    def named(self, names: Iterable[str]) -> list[Copy]:
        return list(self.model._default_manager.filter(name__in=list(names)).order_by("name"))

    def request(self, *names: str) -> list[str]:
        """Have these lists copied as soon as a worker is free."""
        now = timezone.now()
        for name in names:
            self.model._default_manager.update_or_create(name=name, defaults={"requested_at": now})
            bell.ring(self.job, name)
        return list(names)

    def is_asked_for(self, name: str) -> bool:
        return self.model._default_manager.filter(name=name, requested_at__isnull=False).exists()

    def is_due(self, name: str, *, forgotten: dt.datetime | None = None) -> bool:
        """Never copied, asked for (and not since `forgotten`), or copied longer ago than the interval."""
        copy = self.model._default_manager.filter(name=name).first()
        if copy is None:
            return True
        if copy.requested_at is not None:
            return forgotten is None or copy.requested_at < forgotten or due.is_ahead(copy.requested_at)
        old = timezone.now() - self._interval()
        return copy.started_at is None or copy.started_at < old or due.is_ahead(copy.started_at)

    def is_old(self, copy: Copy) -> bool:
        """Whether it was not read several times in a row: no worker runs, or Laaffic does not answer."""
        return copy.succeeded_at is not None and copy.succeeded_at < timezone.now() - 3 * self._interval()

    def ring_due(self, names: Iterable[str]) -> None:
        """Rings for every list whose copy is older than the interval, or that was asked for and forgotten."""
        for name in names:
            if self.is_due(name, forgotten=timezone.now() - ASKED_FOR):
                bell.ring(self.job, name)

    def run(self, name: str, read: Callable[[Reading[Copy]], Copied]) -> Copied:
        """Do it now; SyncFailed when it cannot be done, or is being done already."""
        with leases.lease(f"{self.lease} {name}"[:80], LEASE_SECONDS) as lease:
            if lease is None:
                raise SyncFailed(_("It is being synchronised right now. Look again in a minute."))
            began = timezone.now()
            copy, _made = self.model._default_manager.update_or_create(
                name=name, defaults={"started_at": began, "finished_at": None, "requested_at": None}
            )
            workers.beat_through_request()
            try:
                copied = read(Reading(began, lease, copy))
            except (LaafficError, NotConfigured, SyncFailed) as problem:
                self._failed(name, said(problem))
                raise SyncFailed(said(problem)) from problem
            except Exception as problem:
                if not isolation.is_passing(problem):
                    self._failed(name, isolation.in_words(problem))
                raise
            except BaseException:  # the queue ends its process after TASK_SECONDS, or somebody pressed Ctrl-C
                with suppress(DatabaseError):
                    self._failed(name, _("It was ended before everything was read: it took too long, or was stopped."))
                raise
            self._succeeded(name, copied)
            return copied

    def _interval(self) -> dt.timedelta:
        return dt.timedelta(minutes=getattr(settings, self.minutes))

    def _failed(self, name: str, problem: str) -> None:
        self.model._default_manager.filter(name=name).update(finished_at=timezone.now(), problem=problem)

    def _succeeded(self, name: str, copied: Copied) -> None:
        now = timezone.now()
        counts = {field: getattr(copied, field) for field in self.model.counted}
        self.model._default_manager.filter(name=name).update(
            finished_at=now, succeeded_at=now, problem=_remark(copied), **counts
        )


def _unknown(about: str) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(IS_OPEN_ENTRY.implied, state=EntryState.UNKNOWN, about_kind=about).order_by()


def said(problem: LaafficError | NotConfigured | SyncFailed) -> str:
    return code_words.not_read(problem) if isinstance(problem, LaafficError) else str(problem)


def said_at_once(problem: LaafficError | NotConfigured | SyncFailed) -> str:
    """The sentence for code that needs the list for an act of its own: no synchronisation tries again for it."""
    cause = problem.__cause__ if isinstance(problem, SyncFailed) else problem
    return code_words.not_answered(cause) if isinstance(cause, LaafficError) else str(problem)


def write_each(name: str, records: Sequence[Record], write: Callable[[Sequence[Record]], int]) -> Kept[Record]:
    """`write` a page, in a transaction; a row that cannot be kept is shown and costs the others nothing."""
    added = 0
    lost: list[Record] = []

    @transaction.atomic
    def work(some: Sequence[Record]) -> None:
        nonlocal added
        added += write(some)

    def give_up(record: Record, problem: Exception) -> None:
        lost.append(record)
        logger.error("a row of %s cannot be kept: %s", name, problem)
        isolation.note(f"a row of {name}", problem)

    isolation.in_pieces(records, work, give_up)
    return Kept(added, lost)


def _remark(copied: Copied) -> str:
    if copied.is_complete and copied.unreadable:
        return _("Rows of Laaffic's list that could not be read: %(n)d.") % {"n": copied.unreadable}
    if copied.is_complete:
        return ""
    if copied.unreadable:
        said = ngettext(
            "%(n)d row of Laaffic's list could not be read, so nothing that is missing was marked as gone.",
            "%(n)d rows of Laaffic's list could not be read, so nothing that is missing was marked as gone.",
            copied.unreadable,
        )
        return said % {"n": copied.unreadable}
    return _("The list changed while it was read: what is missing in it was not marked as gone this time.")
