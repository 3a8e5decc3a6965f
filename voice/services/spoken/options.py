"""What a spoken campaign sets for its calls, and how long they last."""

import datetime as dt
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from laaffic_console.laaffic import Spoken
from laaffic_console.laaffic.tts import FEMALE, MALE, MAX_TEXT
from messaging.models import Campaign
from messaging.text import merge_fields
from voice import spoken_length

LEAST_TALK = 120  # seconds, unless the campaign sets less

GENDERS = {"female": FEMALE, "male": MALE}  # by their names in scripts


@dataclass(frozen=True, slots=True)
class TtsOptions:
    """A campaign's `channel_options` for a TTS message: all parameters of sendCode except text and number."""

    spoken: Spoken  # its text is the campaign's
    display_number: str = ""

    @classmethod
    def of(cls, campaign: Campaign) -> "TtsOptions":
        kept: dict[str, Any] = campaign.channel_options
        known = {field.name for field in fields(Spoken)} - {"text"}
        given = {name: value for name, value in kept.items() if name in known}
        return cls(Spoken(text=campaign.text, **given), kept.get("display_number", ""))

    def as_json(self) -> dict[str, Any]:
        given = {name: value for name, value in asdict(self.spoken).items() if name != "text"}
        return {**given, "display_number": self.display_number}


def call_lasts(campaign: Campaign) -> dt.timedelta:
    """How long after its request a call and its repetitions have certainly ended: only then is a record missing."""
    spoken = TtsOptions.of(campaign).spoken
    once = spoken.max_ringing_time + (spoken.max_duration or _longest_talk(spoken))
    once += (spoken.delay_play or 0) + (spoken.delay_hangup or 0)
    again = dt.timedelta(seconds=once, minutes=spoken.recall_interval)
    return dt.timedelta(seconds=once) + spoken.recall_count * again


def _longest_talk(spoken: Spoken) -> int:
    """Seconds after which a call without a limit has hung up: it is through then, at half the pace that we expect."""
    once = spoken_length.seconds(spoken.text)
    if merge_fields.fields(spoken.text):
        once += (MAX_TEXT - min(len(spoken.text), MAX_TEXT)) * spoken_length.BLOCK  # the values may fill the rest
    return max(LEAST_TALK, math.ceil(2 * once / spoken.speaking_rate * spoken.loop_count))
