"""What requests and answers about calls, phones, audio files and spoken messages look like."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from laaffic_console.api.handling.views import ListQuery
from laaffic_console.api.shapes import (
    ChangeRequest,
    DraftRequest,
    LaafficRequest,
    Number,
    seen_request,
    why_again,
)
from laaffic_console.gateway.models import EntryState
from laaffic_console.kit.words.plain_text import capitals
from laaffic_console.laaffic.tts import BY_CODE
from voice.models.calls import KIND_CHOICES, OUTCOME_CHOICES
from voice.services.spoken.options import GENDERS

SENT_STATES = EntryState.choices


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


class Phone(serializers.Serializer):
    id = serializers.IntegerField()
    application = serializers.CharField()
    account = serializers.CharField()
    group = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    display_number = serializers.CharField(allow_blank=True)
    last_seen_at = serializers.DateTimeField()


class CallRequest(serializers.Serializer):
    account = serializers.CharField(max_length=64, help_text="of a SIP phone")
    application = serializers.CharField(max_length=40, required=False, help_text="where two have that account")
    number = serializers.CharField(max_length=60)
    display_number = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    again = why_again()


class TryAgainRequest(serializers.Serializer):
    again = why_again()


class LostCall(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=SENT_STATES, allow_null=True)
    advice = serializers.CharField(allow_blank=True)
    seen = serializers.IntegerField(help_text="of the attempt that a word is about: send it with the word")
    requests = LaafficRequest(many=True, help_text="its attempts, the newest first")


class CallWordRequest(serializers.Serializer):
    word = serializers.ChoiceField(choices=["rang", "did_not_ring"])
    reason = serializers.CharField(max_length=150, help_text="how you know it: kept with the request")
    seen = seen_request()


class CostRequest(serializers.Serializer):
    take = serializers.BooleanField(help_text="false: it is left out of all totals")
    reason = serializers.CharField(max_length=150, help_text="how you know it: kept with the record")


class PhonesRequest(serializers.Serializer):
    application = serializers.CharField(max_length=40, help_text="appId of a voice application")
    group = serializers.CharField(min_length=4, max_length=32)
    name = serializers.CharField(min_length=4, max_length=32, help_text="in this application not used yet")
    quantity = serializers.IntegerField(min_value=1, max_value=50, required=False, default=1)
    display_number = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", help_text="what callees see: 7 to 13 digits"
    )


class PhonesAsked(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the request")
    application = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    state = serializers.ChoiceField(
        choices=SENT_STATES, help_text="unknown: the list will show whether they were added"
    )


class NewPassword(serializers.Serializer):
    id = serializers.IntegerField()
    account = serializers.CharField()
    password = serializers.CharField(help_text="told once, and kept nowhere")


class CallQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60)


class Call(serializers.Serializer):
    id = serializers.IntegerField()
    application = serializers.CharField()
    account = serializers.CharField()
    number = serializers.CharField()
    display_number = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=SENT_STATES, allow_null=True, help_text="of the request to Laaffic")
    advice = serializers.CharField(allow_blank=True, help_text="what to do where it was not made for certain")
    voice_id = serializers.CharField(allow_blank=True)
    record = serializers.IntegerField(allow_null=True, help_text="of /call-records")
    created_at = serializers.DateTimeField()


class RecordQuery(ListQuery):
    number = serializers.CharField(required=False, max_length=60)
    outcome = serializers.ChoiceField(choices=OUTCOME_CHOICES, required=False)
    kind = serializers.ChoiceField(choices=KIND_CHOICES, required=False)
    group_call = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False, help_text="its id")


class Record(serializers.Serializer):
    id = serializers.IntegerField()
    voice_id = serializers.CharField()
    kind = serializers.IntegerField(allow_null=True)
    number = serializers.CharField(allow_blank=True)
    display_number = serializers.CharField(allow_blank=True)
    outcome = serializers.ChoiceField(choices=OUTCOME_CHOICES)
    seconds = serializers.IntegerField(allow_null=True)
    billed_seconds = serializers.IntegerField(allow_null=True)
    cost = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    key_pressed = serializers.CharField(allow_blank=True)
    doubtful_cost = serializers.CharField(allow_null=True, help_text="cannot be right: …/cost decides on it")
    doubtful_currency = serializers.CharField(allow_blank=True)
    cost_word = serializers.CharField(allow_blank=True, help_text="what somebody has decided on it, and why")
    at = serializers.DateTimeField()


class AudioRequest(serializers.Serializer):
    file = serializers.FileField(help_text="mp3, wav or m4a")
    name = serializers.CharField(max_length=32, required=False, help_text="5 to 32 characters; else the file's own")


class AudioChange(ChangeRequest):
    name = serializers.CharField(max_length=32, required=False, help_text="while Laaffic cannot have it yet")
    is_archived = serializers.BooleanField(required=False, help_text="no longer offered")


class TakeRequest(serializers.Serializer):
    file_id = serializers.CharField(max_length=200, help_text="at Laaffic")


class FileElsewhere(serializers.Serializer):
    file_id = serializers.CharField()
    name = serializers.CharField()
    seconds = serializers.FloatField(allow_null=True)
    uploaded_at = serializers.DateTimeField(allow_null=True)


class Elsewhere(serializers.Serializer):
    files = FileElsewhere(many=True, help_text="at most 1,000")


class Audio(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.CharField(allow_blank=True)
    bytes = serializers.IntegerField()
    seconds = serializers.FloatField()
    is_archived = serializers.BooleanField()
    file_id = serializers.CharField(allow_blank=True, help_text="at Laaffic")
    created_at = serializers.DateTimeField()
