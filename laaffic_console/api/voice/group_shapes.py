"""What requests and answers about group calls look like."""

from typing import Any

from rest_framework import serializers

from laaffic_console.api.campaigns.channels.spoken import SpokenLanguage, other_language
from laaffic_console.api.handling.views import Flag, ListQuery
from laaffic_console.api.shapes import (
    HOLD_KINDS,
    PURPOSES,
    CareRequest,
    ChangeRequest,
    Check,
    LaafficRequest,
    Moment,
    Names,
    Number,
    Numbers,
    ResumeRequest,
    seen_request,
    why_again,
)
from laaffic_console.api.voice.shapes import Record
from voice.models import TaskKind, TaskState
from voice.services.spoken.options import GENDERS

MOST_NUMBERS = 10_000


class SmsAfter(serializers.Serializer):
    application = serializers.CharField(max_length=40, help_text="appId of an SMS application")
    text = serializers.CharField(max_length=1000)
    sender_id = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    on_answer_seconds = serializers.IntegerField(min_value=0, max_value=9999, required=False)
    on_key = serializers.IntegerField(min_value=0, max_value=9, required=False)
    on_failure = serializers.BooleanField(required=False, default=False)
    on_ringing = serializers.BooleanField(required=False, default=False)


class Window(serializers.ListField):
    child = serializers.RegexField(r"^\d\d:\d\d\Z", error_messages={"invalid": "Write a time of day, such as 09:00."})


class Transfer(serializers.Serializer):
    agent_group = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    key = serializers.IntegerField(min_value=0, max_value=9, required=False, help_text="only on this key")
    callout_rate = serializers.IntegerField(min_value=1, max_value=100, required=False, default=1)
    in_proportion = serializers.BooleanField(required=False, default=True, help_text="to the agents who are free")


def accent() -> serializers.RegexField:
    said = "a calling code such as 91"
    wrong = {"invalid": f"Give {said}, or nothing."}
    return serializers.RegexField(
        r"^[0-9]{0,4}\Z", required=False, allow_blank=True, help_text=said, error_messages=wrong
    )


def seconds_of_silence() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=999, required=False, allow_null=True)


class GroupCallRequest(CareRequest):
    name = serializers.CharField(max_length=80)
    application = serializers.CharField(max_length=40, help_text="appId of a voice application")
    text = serializers.CharField(max_length=1000, required=False, help_text="spoken")
    audio = serializers.CharField(max_length=32, required=False, help_text="name of a file of the library")
    in_request = serializers.BooleanField(required=False, default=False, help_text="the file travels with the task")
    language = SpokenLanguage(required=False, default="EN")
    language_code = other_language()
    accent = accent()
    gender = serializers.ChoiceField(choices=list(GENDERS), required=False, allow_null=True)
    speed = Number(min_value=0.25, max_value=4, required=False, default=1.0)
    times = serializers.IntegerField(min_value=1, max_value=9, required=False, default=1)
    silence_before = seconds_of_silence()
    silence_after = seconds_of_silence()
    longest_seconds = serializers.IntegerField(min_value=1, max_value=999, required=False, default=60)
    ring_seconds = serializers.IntegerField(min_value=20, max_value=120, required=False, default=60)
    display_number = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    scheduled_at = Moment(required=False, allow_null=True)
    windows = serializers.ListField(
        child=Window(min_length=2, max_length=2), max_length=3, required=False, help_text='[["09:00", "12:00"]]'
    )
    groups = Names(required=False, default=list)
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


class GroupCallChange(ChangeRequest):
    """A field that is left out stays as it is. “groups” and “to” replace all the numbers that the task has."""

    name = serializers.CharField(max_length=80, required=False)
    application = serializers.CharField(max_length=40, required=False, help_text="appId of a voice application")
    text = serializers.CharField(max_length=1000, required=False, help_text="spoken")
    audio = serializers.CharField(max_length=32, required=False, help_text="name of a file of the library")
    in_request = serializers.BooleanField(required=False, help_text="the file travels with the task")
    language = SpokenLanguage(required=False)
    language_code = other_language()
    accent = accent()
    gender = serializers.ChoiceField(choices=list(GENDERS), required=False, allow_null=True)
    speed = Number(min_value=0.25, max_value=4, required=False)
    times = serializers.IntegerField(min_value=1, max_value=9, required=False)
    silence_before = seconds_of_silence()
    silence_after = seconds_of_silence()
    longest_seconds = serializers.IntegerField(min_value=1, max_value=999, required=False)
    ring_seconds = serializers.IntegerField(min_value=20, max_value=120, required=False)
    display_number = serializers.CharField(max_length=20, required=False, allow_blank=True)
    scheduled_at = Moment(required=False, allow_null=True)
    windows = serializers.ListField(child=Window(min_length=2, max_length=2), max_length=3, required=False)
    groups = Names(required=False)
    to = Numbers(required=False, max_length=MOST_NUMBERS)
    skip_invalid = serializers.BooleanField(required=False)
    sms = SmsAfter(required=False, allow_null=True, help_text="an SMS after the call; null: none")
    transfer = Transfer(required=False, allow_null=True, help_text="of answered calls to agents; null: none")
    calendar = serializers.CharField(max_length=120, required=False, allow_null=True, help_text="its name")
    not_after = Moment(required=False, allow_null=True)
    purpose = serializers.ChoiceField(choices=PURPOSES, required=False, allow_blank=True)
    seen = serializers.CharField(max_length=64, help_text="of GET: nothing else is changed")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if "text" in data and "audio" in data:
            raise serializers.ValidationError("Give either “text”, which is spoken, or “audio”, which is played.")
        if not data.get("groups", True) and "to" not in data:
            raise serializers.ValidationError({"groups": "Name a group, or give numbers in “to”."})
        for name, of in (("in_request", ["audio"]), ("skip_invalid", ["groups", "to"])):
            if name in data and not any(one in data for one in of):
                said = f"It belongs to “{'” or “'.join(of)}”. Give that too, or leave this out."
                raise serializers.ValidationError({name: said})
        return super().validate(data)


class CopyRequest(serializers.Serializer):
    unreached = serializers.BooleanField(required=False, default=False, help_text="only the numbers not reached")


class RepeatRequest(serializers.Serializer):
    unreached = serializers.BooleanField(required=False, default=False, help_text="only the numbers not reached")


class ResumeGroupCallRequest(ResumeRequest):
    again = why_again()


class LostGroupCall(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=TaskState.choices)
    advice = serializers.CharField(allow_blank=True)
    seen = serializers.IntegerField(help_text="of the request that a word is about: send it with the word")
    looks = serializers.IntegerField(help_text="how often Laaffic's list was read to its end and did not have it")
    looked_at = serializers.DateTimeField(allow_null=True)
    requests = LaafficRequest(many=True, help_text="to Laaffic, the newest first")


class GroupCallWordRequest(serializers.Serializer):
    word = serializers.ChoiceField(choices=["not_there", "over"])
    reason = serializers.CharField(max_length=120, help_text="how you know it: kept with the task")
    seen = seen_request()


class Callee(serializers.Serializer):
    position = serializers.IntegerField(help_text="among its numbers, from 0")
    number = serializers.CharField()
    calls = Record(many=True, help_text="as they were recorded; none: no call to it is known")


class GroupCallQuery(ListQuery):
    state = serializers.ChoiceField(choices=TaskState.choices, required=False)
    is_template = Flag(default=False)


class PlayedSms(serializers.Serializer):
    application = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_blank=True)
    sender_id = serializers.CharField(allow_blank=True)
    on_answer_seconds = serializers.IntegerField(allow_null=True)
    on_key = serializers.IntegerField(allow_null=True)
    on_failure = serializers.BooleanField()
    on_ringing = serializers.BooleanField()


class TransferTo(serializers.Serializer):
    agent_group = serializers.IntegerField(allow_null=True)
    key = serializers.IntegerField(allow_null=True)
    callout_rate = serializers.IntegerField()
    in_proportion = serializers.BooleanField()


class GroupCall(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    application = serializers.CharField()
    state = serializers.ChoiceField(choices=TaskState.choices)
    hold_reason = serializers.CharField(allow_blank=True)
    hold_kind = serializers.ChoiceField(choices=HOLD_KINDS, allow_blank=True)
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
    is_template = serializers.BooleanField()
    kind = serializers.ChoiceField(choices=TaskKind.choices)
    made_from = serializers.IntegerField(allow_null=True, help_text="which it repeats, or takes the place of")
    text = serializers.CharField(allow_blank=True)
    audio = serializers.CharField(allow_null=True)
    in_request = serializers.BooleanField()
    language = serializers.CharField(allow_blank=True)
    accent = serializers.CharField(allow_blank=True)
    gender = serializers.ChoiceField(choices=list(GENDERS), allow_null=True)
    speed = serializers.FloatField()
    times = serializers.IntegerField()
    silence_before = serializers.IntegerField(allow_null=True)
    silence_after = serializers.IntegerField(allow_null=True)
    longest_seconds = serializers.IntegerField()
    ring_seconds = serializers.IntegerField()
    display_number = serializers.CharField(allow_blank=True)
    windows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    sms = PlayedSms(allow_null=True)
    transfer = TransferTo(allow_null=True)
    seen = serializers.CharField(help_text="send it with a change")


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
