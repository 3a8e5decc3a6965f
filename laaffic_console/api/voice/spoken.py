"""What a spoken message's draft has of its own: as requests name it, and as its channel keeps it."""

from collections.abc import Mapping
from typing import Any

from voice.services.spoken.options import GENDERS

OTHER_LANGUAGE = "language_code"
NAMES = {
    OTHER_LANGUAGE: "language",
    "language": "language",
    "accent": "accent",
    "gender": "gender",
    "speed": "speaking_rate",
    "times": "loop_count",
    "ring_seconds": "max_ringing_time",
    "call_again": "recall_count",
    "call_again_minutes": "recall_interval",
    "longest_seconds": "max_duration",
    "silence_before": "delay_play",
    "silence_after": "delay_hangup",
    "display_number": "display_number",
}
FIELDS = {kept: name for name, kept in NAMES.items()}  # the channel's own, as requests name them
_WORDS: dict[Any, str] = {number: word for word, number in GENDERS.items()}


def options_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of those that a request names."""
    found = {NAMES[name]: value for name, value in asked.items() if name in NAMES}
    if OTHER_LANGUAGE in asked:
        found["language"] = asked[OTHER_LANGUAGE]
    if "gender" in found:
        found["gender"] = GENDERS.get(found["gender"])
    return found


def shown(options: Mapping[str, Any]) -> dict[str, Any]:
    """As requests name them."""
    found = {name: options.get(kept) for name, kept in NAMES.items() if name != OTHER_LANGUAGE}
    return {**found, "gender": _WORDS.get(found["gender"])}
