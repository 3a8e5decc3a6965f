"""Comparing our pools with Laaffic's (queryNumberPool, laaffic-api#pools): new ones, different ones, gone ones.

First, changes whose answer was lost are settled by what the list shows.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import EntryState
from laaffic_console.gateway.services.client.account import laaffic_client
from laaffic_console.gateway.services.database import isolation
from laaffic_console.gateway.services.ledger import known_by, ledger
from laaffic_console.gateway.services.ledger.known_by import Evidence
from laaffic_console.gateway.services.ledger.late_evidence import denied_lately
from laaffic_console.gateway.services.lists import whole_lists
from laaffic_console.gateway.services.work import due
from laaffic_console.laaffic import numbers as wire
from phone_numbers.models import NumberPool, PoolVersion, SyncStatus
from phone_numbers.pool_config import PoolConfig
from phone_numbers.services import pool_state, syncing
from phone_numbers.services.arrival import ARRIVES_WITHIN
from phone_numbers.services.syncing import Copied, Reading

NAME = "pools"


def names() -> list[str]:
    """The names of the copied lists; none if nobody uses the channel."""
    return [NAME] if syncing.COPIES.is_read(pool_state.ABOUT) else []


def sync() -> Copied:
    """Read all pools and compare; SyncFailed says why they cannot be read."""
    return syncing.COPIES.run(NAME, _read)


def _read(reading: Reading[SyncStatus]) -> Copied:
    client = laaffic_client()
    found: dict[str, PoolConfig] = {}
    known = NumberPool.objects.filter(gone_at=None).values_list("pool_number", flat=True)

    def take(records: Sequence[wire.NumberPool]) -> None:
        reading.go_on()
        for record in records:
            found[record.pool_number] = PoolConfig.of(
                record.pool_number, ",".join(record.whitelist), record.max_concurrency, record.numbers
            )

    told = whole_lists.read_all(
        lambda current: client.numbers.query_pools(current=current, size=whole_lists.PAGE_SIZE),
        take=take,
        name_of=lambda record: record.pool_number,
        is_missing=lambda: not set(known) <= found.keys(),
    )
    settle_unknown(found, began=reading.began, is_complete=told.is_complete)
    added = kept = 0
    for config in found.values():
        with isolation.guarded(f"pool {config.pool_number}"):
            added += compare(config, reading.began)
            kept += 1
    told = told.without(len(found) - kept)
    gone = mark_gone(reading.began) if told.is_complete else 0
    return Copied(len(found), added, gone, told.is_complete, told.unreadable)


def settle_unknown(found: dict[str, PoolConfig], *, began: dt.datetime, is_complete: bool) -> int:
    """Settle changes whose answer was lost by the list; how many were settled."""
    unknown = PoolVersion.objects.filter(entry__state=EntryState.UNKNOWN).select_related("entry", "pool").order_by("pk")
    settled = sum(_settle(version, found, began, is_complete) for version in unknown)
    denied = PoolVersion.objects.filter(denied_lately(began, "entry__"))
    return settled + sum(_show_up(version, found, began) for version in denied.select_related("pool").order_by("pk"))


@transaction.atomic
def _show_up(version: PoolVersion, found: dict[str, PoolConfig], began: dt.datetime) -> bool:
    """Correct a change that an earlier list denied, if this list shows it, unless the pool has changed since."""
    if version.pool.versions.filter(number__gt=version.number).exists():
        return False
    if not version.config.same_as(found.get(version.pool_number)):
        return False
    done = ledger.was_done_after_all(version.entry_id or 0, evidence=_as_asked_for(began))
    if done:
        pool_state.take(version, listed_at=began)
    return done


def _settle(version: PoolVersion, found: dict[str, PoolConfig], began: dt.datetime, is_complete: bool) -> bool:
    entry = version.entry
    if entry is None or entry.left_at is None or (entry.left_at > began and not due.is_ahead(entry.left_at)):
        return False  # the list may be older than the request
    there = found.get(version.pool_number)
    if version.config.same_as(there):
        with transaction.atomic():
            settled = ledger.settle_by_evidence(entry.pk, EntryState.ACCEPTED, evidence=_as_asked_for(began))
            if settled:
                pool_state.take(version, listed_at=began)
        return settled
    if began - entry.left_at < ARRIVES_WITHIN or not (is_complete or there):
        return False
    if there is None and entry.interface == pool_state.EDIT and version.pool.listed_at is None:
        return False  # a pool that Laaffic never listed: that it does not now proves nothing
    evidence = _("the list of %(when)s shows the pool otherwise: nothing was changed") % {"when": _minute(began)}
    return ledger.settle_by_evidence(entry.pk, EntryState.REFUSED, evidence=known_by.listing(evidence))


def _as_asked_for(began: dt.datetime) -> Evidence:
    return known_by.listing(_("the list of %(when)s shows the pool as asked for") % {"when": _minute(began)})


def _minute(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


@transaction.atomic
def compare(config: PoolConfig, began: dt.datetime) -> bool:
    """Store what Laaffic holds beside ours; True for a pool that is new to us."""
    is_coming = _is_asked_for(config.pool_number)  # read first: once the request is settled, the pool is ours
    pool = _ours(config.pool_number)
    if pool is None and (is_coming or _was_renamed(config.pool_number, began)):
        return False
    if pool is None:
        pool = NumberPool.objects.create(pool_number=config.pool_number)
        version = pool_state.add_version(pool, config, origin=PoolVersion.Origin.FOUND)
        pool_state.take(version, listed_at=began)
        return True
    if pool.listed_at is not None and pool.listed_at > began and not due.is_ahead(pool.listed_at):
        return False  # changed from here while the list was read
    if pool.current is None and not pool_state.is_open(pool):
        # It seemed refused or lost, and is there after all, with other settings than were requested.
        version = pool_state.add_version(pool, config, origin=PoolVersion.Origin.FOUND)
        pool_state.take(version, listed_at=began)
        return False
    pool_state.keep_listed(pool, config, listed_at=began)
    return False


def _is_asked_for(pool_number: str) -> bool:
    """Whether a change that is under way, or whose answer was lost, gives a pool this number."""
    return PoolVersion.objects.filter(pool_number=pool_number, entry__state__in=pool_state.OPEN).exists()


def _was_renamed(pool_number: str, began: dt.datetime) -> bool:
    """Whether a pool may have had this number when the list was read, and has another one now."""
    changes = PoolVersion.objects.filter(old_pool_number=pool_number).exclude(pool_number=pool_number)
    since = changes.filter(Q(entry__left_at__gte=began) | Q(entry__settled_at__gte=began))
    times = since.values_list("entry__left_at", "entry__settled_at")
    return any(at is not None and at >= began and not due.is_ahead(at) for both in times for at in both)


def _ours(pool_number: str) -> NumberPool | None:
    same = NumberPool.objects.select_for_update().filter(pool_number=pool_number)
    return same.filter(gone_at=None).first() or same.order_by("-pk").first()


def mark_gone(began: dt.datetime) -> int:
    """Mark unlisted pools as gone, after a complete reading, which has stamped every listed pool with its beginning.

    A pool whose change is under way is left out, as it may be listed under another number.
    """
    under_way = PoolVersion.objects.filter(pool=OuterRef("pk"), entry__state__in=pool_state.OPEN)
    unseen = NumberPool.objects.filter(~Exists(under_way), due.unseen("listed_at", began), gone_at=None)
    return unseen.update(gone_at=timezone.now(), drifted_at=None)
