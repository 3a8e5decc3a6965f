"""What requests to everybody at once used of a budget's first period before it was set, as each app tells."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.db.models import QuerySet

from laaffic_console.gateway.models import EntryState, LedgerEntry
from messaging.models import Budget
from messaging.services.reports.prices import Cost

NEVER_LEFT = (EntryState.REFUSED, EntryState.NOT_SENT)


class Earlier(NamedTuple):
    """A request that has left, may have, or is about to; and what it takes of an application's budgets."""

    entry: LedgerEntry
    recipients: int
    cost: Cost


Source = Callable[["QuerySet[LedgerEntry]", int], Iterable[Earlier]]  # of these requests, for this application
_sources: dict[str, Source] = {}


def told_by(about_kind: str, source: Source) -> None:
    """Register, in ready(), what tells which of the given requests about this kind of thing have taken how much."""
    _sources[about_kind] = source


def of(budget: Budget, start: dt.datetime) -> list[Earlier]:
    entries = LedgerEntry.objects.filter(prepared_at__gte=start).exclude(state__in=NEVER_LEFT).order_by("pk")
    told = (source(entries.filter(about_kind=kind), budget.application_id) for kind, source in sorted(_sources.items()))
    return list(itertools.chain.from_iterable(told))
