"""When each of Laaffic's voice lists is copied: every few minutes by the sweeper, at once when somebody asks."""

from laaffic_console.gateway.models import Application, Channel
from laaffic_console.gateway.services.work import bell, sweeps
from laaffic_console.kit.words.said import gettext as _
from voice.services import called_numbers
from voice.services.asking import group_calls as group_sync
from voice.services.asking import records_pulls
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import ends as group_ends
from voice.services.group_calls import waiting as group_waiting
from voice.services.phones import sip_phones as phones
from voice.services.syncing import COPIES, SyncFailed


def names() -> list[str]:
    return [*phones.names(), *records_pulls.names(), *group_sync.names()]


def sweep() -> None:
    """Do what was left undone: old lists, calls whose process died, calls whose record is awaited."""
    sweeps.run(
        "voice",
        calls.recover,
        group_sync.recover,
        group_waiting.start_due,
        group_ends.end_due,
        _ring_due,
        group_sync.ring_if_due,
        called_numbers.forget,
    )


def _ring_due() -> None:
    COPIES.ring_due(names())
    if calls.anything_to_look_for():
        bell.ring(COPIES.job, records_pulls.SIP)


def run(name: str) -> None:
    """The job, which may be rung for twice; the list's own row says how it went."""
    try:
        if name == group_sync.NAME and not COPIES.is_asked_for(name):
            group_sync.sync_due()
        elif COPIES.is_due(name) or (name == records_pulls.SIP and calls.anything_to_look_for()):
            sync(name)
    except SyncFailed:
        return


def sync(name: str) -> int:
    """Copy the list now; SyncFailed says why not."""
    if name in records_pulls.NAMES:
        return records_pulls.sync(name)
    if name == group_sync.NAME:
        return group_sync.sync()
    for application in Application.objects.filter(channel=Channel.VOICE):
        if phones.name_of(application) == name:
            return phones.sync(application)
    raise SyncFailed(_("Unknown list “%(name)s”.") % {"name": name})
