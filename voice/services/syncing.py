"""Our copies of Laaffic's voice lists: phones, call records, group-call tasks."""

from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.lists.list_copies import (
    Copied,
    Copies,
    Reading,
    SyncFailed,
    said,
    said_at_once,
    write_each,
)
from voice.models import VoiceSync

__all__ = ["COPIES", "Copied", "Reading", "SyncFailed", "said", "said_at_once", "write_each"]

COPIES = Copies(
    VoiceSync, channel=Channel.VOICE, job="voice.jobs.sync", lease="voice sync", minutes="VOICE_SYNC_MINUTES"
)
