"""The fields that only a spoken message's draft has: under their names in requests, and under those of its channel."""

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
FIELDS = {kept: name for name, kept in NAMES.items()}  # names in requests, by the channel's names
_WORDS: dict[Any, str] = {number: word for word, number in GENDERS.items()}


def options_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The channel's options among the fields that a request names."""
    found = {NAMES[name]: value for name, value in asked.items() if name in NAMES}
    if OTHER_LANGUAGE in asked:
        found["language"] = asked[OTHER_LANGUAGE]
    if "gender" in found:
        found["gender"] = GENDERS.get(found["gender"])
    return found


def shown(options: Mapping[str, Any]) -> dict[str, Any]:
    """The channel's options, under their names in requests."""
    found = {name: options.get(kept) for name, kept in NAMES.items() if name != OTHER_LANGUAGE}
    return {**found, "gender": _WORDS.get(found["gender"])}
