from voice.models.audio import AudioFile, AudioType
from voice.models.calls import CallRecord, CallTally, SipCall
from voice.models.phones import SipPhone, VoiceSync

__all__ = ["AudioFile", "AudioType", "CallRecord", "CallTally", "SipCall", "SipPhone", "VoiceSync"]
