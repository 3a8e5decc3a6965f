"""What requests and answers about calls, audio files, spoken messages and group calls look like."""

from typing import Any

from rest_framework import serializers

from laaffic_console.api.shapes import PURPOSES, CareRequest, Check, DraftRequest, Number, Numbers, why_again
from laaffic_console.api.views import ListQuery
from laaffic_console.gateway.models import EntryState
from voice.models import TaskState
from voice.models.calls import KIND_CHOICES, OUTCOME_CHOICES
from voice.services.spoken.options import GENDERS

SENT_STATES = EntryState.choices
MOST_NUMBERS = 10_000


class SpokenRequest(DraftRequest):
    application = serializers.CharField(max_length=40, help_text="appId of a voice application")
    language = serializers.CharField(max_length=5, required=False, default="EN")
    accent = serializers.CharField(max_length=5, required=False, default="", allow_blank=True, help_text="such as 91")
    gender = serializers.ChoiceField(choices=list(GENDERS), required=False, allow_null=True)
    speed = Number(min_value=0.25, max_value=4, required=False, default=1.0)
    times = serializers.IntegerField(min_value=1, max_value=9, required=False, default=1, help_text="said in one call")
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
    at = serializers.DateTimeField()


class AudioRequest(serializers.Serializer):
    file = serializers.FileField(help_text="mp3, wav or m4a")
    name = serializers.CharField(max_length=32, required=False, help_text="5 to 32 characters; else the file's own")


class Audio(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.CharField(allow_blank=True)
    bytes = serializers.IntegerField()
    seconds = serializers.FloatField()
    is_archived = serializers.BooleanField()
    file_id = serializers.CharField(allow_blank=True, help_text="at Laaffic")
    created_at = serializers.DateTimeField()


class SmsAfter(serializers.Serializer):
    application = serializers.CharField(max_length=40, help_text="appId of an SMS application")
    text = serializers.CharField(max_length=1000)
    sender_id = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    on_answer_seconds = serializers.IntegerField(min_value=0, max_value=9999, required=False)
    on_key = serializers.IntegerField(min_value=0, max_value=9, required=False)
    on_failure = serializers.BooleanField(required=False, default=False)
    on_ringing = serializers.BooleanField(required=False, default=False)


class Window(serializers.ListField):
    child = serializers.RegexField(r"^\d\d:\d\d\Z")


class Transfer(serializers.Serializer):
    agent_group = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    key = serializers.IntegerField(min_value=0, max_value=9, required=False, help_text="only on this key")
    callout_rate = serializers.IntegerField(min_value=1, max_value=100, required=False, default=1)


class GroupCallRequest(CareRequest):
    name = serializers.CharField(max_length=80)
    application = serializers.CharField(max_length=40, help_text="appId of a voice application")
    text = serializers.CharField(max_length=1000, required=False, help_text="spoken")
    audio = serializers.CharField(max_length=32, required=False, help_text="name of a file of the library")
    in_request = serializers.BooleanField(required=False, default=False, help_text="the file travels with the task")
    language = serializers.CharField(max_length=5, required=False, default="EN")
    speed = Number(min_value=0.25, max_value=4, required=False, default=1.0)
    times = serializers.IntegerField(min_value=1, max_value=9, required=False, default=1)
    longest_seconds = serializers.IntegerField(min_value=1, max_value=999, required=False, default=60)
    ring_seconds = serializers.IntegerField(min_value=20, max_value=120, required=False, default=60)
    display_number = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    scheduled_at = serializers.DateTimeField(required=False, allow_null=True)
    windows = serializers.ListField(
        child=Window(min_length=2, max_length=2), max_length=3, required=False, help_text='[["09:00", "12:00"]]'
    )
    groups = serializers.ListField(child=serializers.CharField(max_length=120), required=False, default=list)
    to = Numbers(required=False, max_length=MOST_NUMBERS)
    skip_invalid = serializers.BooleanField(required=False, default=False)
    sms = SmsAfter(required=False, help_text="an SMS after the call")
    transfer = Transfer(required=False, help_text="of answered calls to agents")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("text" in data) == ("audio" in data):
            raise serializers.ValidationError("Give either “text”, which is spoken, or “audio”, which is played.")
        if not data["groups"] and "to" not in data:
            raise serializers.ValidationError("Say whom to call: “groups”, “to” or both.")
        return data


class GroupCallQuery(ListQuery):
    state = serializers.ChoiceField(choices=TaskState.choices, required=False)


class GroupCall(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    application = serializers.CharField()
    state = serializers.ChoiceField(choices=TaskState.choices)
    hold_reason = serializers.CharField(allow_blank=True)
    advice = serializers.CharField(allow_blank=True)
    task_name = serializers.CharField(allow_blank=True, help_text="at Laaffic")
    numbers = serializers.IntegerField()
    twice = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    no_consent = serializers.IntegerField()
    capped = serializers.IntegerField(help_text="had as many calls or SMS as the frequency caps allow")
    invalid = serializers.IntegerField()
    calendar = serializers.CharField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)
    purpose = serializers.ChoiceField(choices=PURPOSES, allow_blank=True)
    called = serializers.IntegerField(allow_null=True)
    connected = serializers.IntegerField(allow_null=True)
    failed = serializers.IntegerField(allow_null=True)
    sms_sent = serializers.IntegerField(allow_null=True)
    keys = serializers.DictField(child=serializers.IntegerField())
    cost = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    scheduled_at = serializers.DateTimeField(allow_null=True)
    launched_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class GroupCallStanding(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=TaskState.choices)


class GroupCallCheckAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    recipients = serializers.IntegerField(help_text="phones that will ring")
    suppressed = serializers.IntegerField(help_text="since it was written")
    no_consent = serializers.IntegerField(help_text="left out of marketing")
    capped = serializers.IntegerField(help_text="left out: had as many calls or SMS as the frequency caps allow")
    starts_at = serializers.DateTimeField()
    cost = serializers.DictField(child=serializers.CharField())
    checks = Check(many=True)
    shown = serializers.CharField(help_text="send it with the launch: nothing else is launched then")
