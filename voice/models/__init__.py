"""The models of voice, to be imported from here."""

from voice.models.audio import AudioFile, AudioType
from voice.models.calls import CallRecord, CallTally, Ringing, SipCall
from voice.models.group_tasks import (
    Announcement,
    CalledNumber,
    GroupTask,
    GroupTaskEvent,
    TaskKind,
    TaskNumbers,
    TaskState,
)
from voice.models.phones import SipPhone, VoiceSync
from voice.models.spoken import SpokenCampaign

__all__ = [
    "Announcement",
    "AudioFile",
    "AudioType",
    "CallRecord",
    "CallTally",
    "CalledNumber",
    "GroupTask",
    "GroupTaskEvent",
    "Ringing",
    "SipCall",
    "SipPhone",
    "SpokenCampaign",
    "TaskKind",
    "TaskNumbers",
    "TaskState",
    "VoiceSync",
]
