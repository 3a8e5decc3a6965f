"""Our copies of Laaffic's lists of numbers: bindings, pools, owned numbers."""

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.lists.list_copies import Copied, Copies, Reading, SyncFailed, write_each
from phone_numbers.models import SyncStatus

__all__ = ["COPIES", "Copied", "Reading", "SyncFailed", "write_each"]

COPIES = Copies(
    SyncStatus,
    channel=Channel.NUMBER,
    job="phone_numbers.jobs.sync",
    lease="numbers sync",
    minutes="NUMBERS_SYNC_MINUTES",
)
