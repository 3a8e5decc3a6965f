"""One synchronisation of one list at a time, and a row that says when and how it went."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.services import code_words, isolation, leases
from laaffic_console.gateway.services.account import NotConfigured
from laaffic_console.laaffic import LaafficError
from phone_numbers.models import SyncStatus

logger = logging.getLogger(__name__)

Record = TypeVar("Record")

LEASE_SECONDS = 120  # longer than one page with all its tries takes


class SyncFailed(Exception):
    """Why our copy could not be made, in a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    rows: int  # how many Laaffic has
    added: int
    gone: int
    is_complete: bool = True  # False: not all of the list was seen, so nothing was marked as gone
    unreadable: int = 0  # rows that could not be read


@dataclass(slots=True)
class Reading:
    """What a synchronisation has to know of itself."""

    began: dt.datetime
    lease: leases.HeldLease

    def go_on(self) -> None:
        """Called between pages: a slow list may take longer than a lease."""
        if not self.lease.renew():
            raise SyncFailed(_("Another worker has taken this synchronisation over."))


def run(name: str, read: Callable[[Reading], SyncResult]) -> SyncResult:
    """Do it now; SyncFailed when it cannot be done, or is being done already."""
    with leases.lease(f"numbers sync {name}", LEASE_SECONDS) as held:
        if held is None:
            raise SyncFailed(_("It is being synchronised at this moment. Look again in a minute."))
        began = timezone.now()
        SyncStatus.objects.update_or_create(
            name=name, defaults={"started_at": began, "finished_at": None, "requested_at": None}
        )
        try:
            result = read(Reading(began, held))
        except (LaafficError, NotConfigured) as problem:
            _finish(name, problem=said(problem))
            raise SyncFailed(said(problem)) from problem
        except SyncFailed as problem:
            _finish(name, problem=str(problem))
            raise
        except Exception as problem:
            if not isolation.is_passing(problem):
                _finish(name, problem=isolation.in_words(problem))
            raise
        _finish(name, rows=result.rows, added=result.added, gone=result.gone, problem=_remark(result))
        return result


def write_each(name: str, records: Sequence[Record], write: Callable[[Sequence[Record]], int]) -> int:
    """`write` a page, in a transaction; a row that cannot be kept is shown and costs the others nothing. How many are
    new."""
    added = 0

    @transaction.atomic
    def work(some: Sequence[Record]) -> None:
        nonlocal added
        added += write(some)

    def give_up(record: Record, problem: Exception) -> None:
        logger.error("a row of %s cannot be kept: %s", name, problem)
        isolation.note(f"a row of {name}", problem)

    isolation.in_pieces(records, work, give_up)
    return added


def said(problem: LaafficError | NotConfigured) -> str:
    return code_words.not_read(problem) if isinstance(problem, LaafficError) else str(problem)


def _remark(result: SyncResult) -> str:
    if result.is_complete:
        return ""
    if result.unreadable:
        said = _("%(n)d rows of Laaffic's list could not be read, so nothing that is missing was marked as gone.")
        return said % {"n": result.unreadable}
    return _("The list changed while it was read: what is missing in it was not marked as gone this time.")


def _finish(name: str, **outcome: object) -> None:
    now = timezone.now()
    if "rows" in outcome:
        outcome["succeeded_at"] = now
    problem = str(outcome.pop("problem"))[:300]
    SyncStatus.objects.filter(name=name).update(finished_at=now, problem=problem, **outcome)
