"""The lists of numbers that are copied from Laaffic, and what reads each."""

from django.utils.translation import gettext as _

from laaffic_console.gateway.models import Application, Channel
from phone_numbers.services import binding_sync, owned_sync, pool_sync
from phone_numbers.services.syncing import COPIES, Copied, SyncFailed


def names() -> list[str]:
    """The names of all copied lists; none if nobody uses numbers."""
    return [*binding_sync.names(), *pool_sync.names(), *owned_sync.names()]


def ring_due() -> None:
    COPIES.ring_due(names())


def run(name: str) -> None:
    """The job, which may be rung for twice; the list's own row says how it went."""
    if not COPIES.is_due(name):
        return
    try:
        sync(name)
    except SyncFailed:
        return


def sync(name: str) -> Copied:
    """Read the list now; SyncFailed says why not."""
    if name == pool_sync.NAME:
        return pool_sync.sync()
    if name == owned_sync.NAME:
        return owned_sync.sync()
    for application in Application.objects.filter(channel=Channel.NUMBER):
        if binding_sync.name_of(application) == name:
            return binding_sync.sync(application)
    raise SyncFailed(_("Unknown list “%(name)s”.") % {"name": name})
