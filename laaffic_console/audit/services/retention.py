"""Entries have an age at which they are removed. What is left still verifies, and the removal is an entry itself."""

import datetime as dt
import math

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from laaffic_console.audit.services import chain
from laaffic_console.kit.audit import acts

AT_ONCE = 5000
PIECES = 4  # for one sweep


def prune(days: int | None = None, *, pieces: float = math.inf) -> int:
    """Remove the oldest entries, up to the first that is younger than so many days; how many. 0 days: none.

    Each piece is committed with an entry of its own: what was removed is told, wherever this is broken off.
    """
    days = settings.LAAFFIC_AUDIT_DAYS if days is None else days
    if days <= 0:
        return 0
    chain.seal()
    removed = n = 0
    while n < pieces and (some := _prune_some(days)):
        removed, n = removed + some, n + 1
    return removed


def prune_if_due() -> int:
    """For the sweep: prune a day's entries at once, or each minute would leave an entry about a pruned one."""
    oldest = chain.entries().exclude(position=None).order_by("position").first()
    days = settings.LAAFFIC_AUDIT_DAYS
    is_due = days > 0 and oldest is not None and oldest.at < timezone.now() - dt.timedelta(days=days + 1)
    return prune(pieces=PIECES) if is_due else 0


@transaction.atomic
def _prune_some(days: int) -> int:
    before = timezone.now() - dt.timedelta(days=days)
    head = chain.locked_head()
    found = chain.entries().filter(position__gt=head.first_position).order_by("position")[:AT_ONCE]
    last, digest = head.first_position, head.first_digest
    for entry in found:
        if entry.at >= before:
            break
        last, digest = entry.position or 0, entry.digest
    removed, _by_model = chain.entries().filter(position__lte=last).delete()
    head.first_position, head.first_digest = last, digest
    head.save(update_fields=["first_position", "first_digest"])
    if removed:
        acts.record(acts.Act.PRUNED, by=acts.actor() or acts.CONSOLE, entries=removed, older_than_days=days)
    return removed
