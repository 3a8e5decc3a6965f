"""Writing to a pool what is known about it. Called inside a transaction."""

import datetime as dt

from django.contrib.auth.models import User
from django.db.models import Max
from django.utils import timezone

from laaffic_console.gateway.models import EntryState
from phone_numbers.models import NumberPool, PoolVersion
from phone_numbers.pool_config import PoolConfig

ABOUT = "number pool"
EDIT = "editNumberPool"
OPEN = (EntryState.PREPARED, EntryState.IN_FLIGHT, EntryState.UNKNOWN)


def open_version(pool: NumberPool) -> PoolVersion | None:
    """The change whose outcome is unknown so far: until it is known, nothing else is sent for this pool."""
    return pool.versions.filter(entry__state__in=OPEN).select_related("entry").first()


def is_open(pool: NumberPool) -> bool:
    return open_version(pool) is not None


def add_version(
    pool: NumberPool,
    config: PoolConfig,
    *,
    origin: str,
    again: int | None = None,
    old_pool_number: str = "",
    by: User | None = None,
) -> PoolVersion:
    last = pool.versions.aggregate(last=Max("number"))["last"] or 0
    return PoolVersion.objects.create(
        pool=pool,
        number=last + 1,
        origin=origin,
        again=again,
        pool_number=config.pool_number,
        old_pool_number=old_pool_number,
        addresses=config.whitelist,
        max_concurrency=config.max_concurrency,
        numbers=list(config.numbers),
        created_by=by,
    )


def is_followed(version: PoolVersion) -> bool:
    """Whether a newer change was, or may have been, made at Laaffic: then only its list shows what it holds."""
    not_done = (EntryState.REFUSED, EntryState.NOT_SENT)
    return version.pool.versions.filter(number__gt=version.number).exclude(entry__state__in=not_done).exists()


def take(version: PoolVersion, *, listed_at: dt.datetime) -> None:
    """Note that Laaffic holds this version, which becomes ours."""
    NumberPool.objects.filter(pk=version.pool_id).update(
        pool_number=version.pool_number,
        current=version,
        listed_addresses=version.addresses,
        listed_concurrency=version.max_concurrency,
        listed_numbers=version.numbers,
        listed_at=listed_at,
        drifted_at=None,
        gone_at=None,
    )


def keep_listed(pool: NumberPool, config: PoolConfig, *, listed_at: dt.datetime) -> None:
    """Note what Laaffic holds. If that differs from ours the pool has drifted, since this was first seen."""
    differs = pool.current is not None and not config.same_as(pool.current.config)
    pool.listed_addresses = config.whitelist
    pool.listed_concurrency = config.max_concurrency
    pool.listed_numbers = list(config.numbers)
    pool.listed_at = listed_at
    pool.gone_at = None
    pool.drifted_at = (pool.drifted_at or timezone.now()) if differs else None
    pool.save(
        update_fields=["listed_addresses", "listed_concurrency", "listed_numbers", "listed_at", "gone_at", "drifted_at"]
    )
