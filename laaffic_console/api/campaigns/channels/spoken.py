"""What only a spoken message's draft has: its fields in requests, and their names in its channel's options."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from laaffic_console.api.shapes import DraftRequest, Number
from laaffic_console.kit.words.plain_text import capitals
from laaffic_console.laaffic.tts import BY_CODE
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


class SpokenLanguage(serializers.CharField):
    """A language code that the console knows, in either case: an unknown one would only fail with its first call."""

    def __init__(self, **given: Any) -> None:
        super().__init__(help_text=f"one of {', '.join(BY_CODE)}", **given)

    def to_internal_value(self, data: Any) -> str:
        written = super().to_internal_value(data)
        if capitals(written) not in BY_CODE:
            said = _(
                "“%(said)s” is not a language of spoken texts. Choose from: %(known)s. If Laaffic has given you "
                "another code, send it as “language_code”."
            )
            raise serializers.ValidationError(said % {"said": written[:40], "known": ", ".join(BY_CODE)})
        return capitals(written)


class OtherLanguage(serializers.RegexField):
    def to_internal_value(self, data: Any) -> str:
        return capitals(super().to_internal_value(data))


def other_language() -> OtherLanguage:
    said = "instead of “language”: a code that Laaffic has given you and the console does not know"
    wrong = {"invalid": "A code has 2 to 5 letters."}
    return OtherLanguage(r"^[A-Za-z]{2,5}\Z", required=False, help_text=said, error_messages=wrong)


class SpokenRequest(DraftRequest):
    application = serializers.CharField(max_length=40, help_text="appId of a voice application")
    language = SpokenLanguage(required=False, default="EN")
    language_code = other_language()
    accent = serializers.CharField(max_length=5, required=False, default="", allow_blank=True, help_text="such as 91")
    gender = serializers.ChoiceField(choices=list(GENDERS), required=False, allow_null=True)
    speed = Number(min_value=0.25, max_value=4, required=False, default=1.0)
    times = serializers.IntegerField(min_value=1, max_value=9, required=False, default=1, help_text="in one call")
    ring_seconds = serializers.IntegerField(min_value=20, max_value=120, required=False, default=60)
    call_again = serializers.IntegerField(min_value=0, max_value=9, required=False, default=0, help_text="so often")
    call_again_minutes = serializers.IntegerField(min_value=1, max_value=999, required=False, default=5)
    longest_seconds = serializers.IntegerField(min_value=1, max_value=120, required=False, allow_null=True)
    silence_before = serializers.IntegerField(min_value=0, max_value=999, required=False, allow_null=True)
    silence_after = serializers.IntegerField(min_value=0, max_value=999, required=False, allow_null=True)
    display_number = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
