"""Which lists are copied when: every few minutes by the sweeper, and at once when somebody asks."""

import datetime as dt

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services import bell, due
from phone_numbers.models import SyncStatus
from phone_numbers.services import binding_sync, owned_sync, pool_sync
from phone_numbers.services.syncing import SyncFailed, SyncResult

JOB = "phone_numbers.jobs.sync"
ASKED_FOR = dt.timedelta(minutes=2)  # a request that no worker has taken by then is rung for again


def applications() -> list[Application]:
    return list(Application.objects.filter(channel=Channel.NUMBER, is_active=True).order_by("pk"))


def names() -> list[str]:
    """Nothing is copied where nobody uses numbers."""
    ours = applications()
    if not ours:
        return []
    return [*(binding_sync.name_of(application) for application in ours), pool_sync.NAME, owned_sync.NAME]


def request(*wanted: str) -> list[str]:
    """Have these lists copied as soon as a worker is free."""
    now = timezone.now()
    for name in wanted:
        SyncStatus.objects.update_or_create(name=name, defaults={"requested_at": now})
        bell.ring(JOB, name)
    return list(wanted)


def ring_due() -> None:
    """Rings for every list whose copy is older than the interval, or that was asked for and forgotten."""
    for name in names():
        if is_due(name, forgotten=timezone.now() - ASKED_FOR):
            bell.ring(JOB, name)


def is_old(status: SyncStatus) -> bool:
    """Several times in a row it was not read: no worker runs, or Laaffic does not answer."""
    limit = timezone.now() - 3 * dt.timedelta(minutes=settings.NUMBERS_SYNC_MINUTES)
    return status.succeeded_at is not None and status.succeeded_at < limit


def is_due(name: str, *, forgotten: dt.datetime | None = None) -> bool:
    status = SyncStatus.objects.filter(name=name).first()
    if status is None or (status.started_at is None and status.requested_at is None):
        return True
    if status.requested_at is not None:
        return forgotten is None or status.requested_at < forgotten or due.is_ahead(status.requested_at)
    old = timezone.now() - dt.timedelta(minutes=settings.NUMBERS_SYNC_MINUTES)
    return status.started_at is None or status.started_at < old or due.is_ahead(status.started_at)


def run(name: str) -> None:
    """For a job, which may be rung for twice; how it went is on the list's own row."""
    if not is_due(name):
        return
    try:
        sync(name)
    except SyncFailed:
        return


def sync(name: str) -> SyncResult:
    """Do it now; SyncFailed says why not."""
    if name == pool_sync.NAME:
        return pool_sync.sync()
    if name == owned_sync.NAME:
        return owned_sync.sync()
    for application in Application.objects.filter(channel=Channel.NUMBER):
        if binding_sync.name_of(application) == name:
            return binding_sync.sync(application)
    raise SyncFailed(_("There is no list “%(name)s”.") % {"name": name})
