"""What requests and answers about calls, phones and audio files look like."""

from rest_framework import serializers

from laaffic_console.api.handling.views import ListQuery
from laaffic_console.api.shapes import (
    SENT_STATES,
    ChangeRequest,
    LaafficRequest,
    seen_request,
    why_again,
)
from voice.models.calls import KIND_CHOICES, OUTCOME_CHOICES


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
