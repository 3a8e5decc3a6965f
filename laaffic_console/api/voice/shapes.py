"""What requests and answers about calls, audio files, spoken messages and group calls look like."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from laaffic_console.api.shapes import (
    HOLD_KINDS,
    PURPOSES,
    CareRequest,
    ChangeRequest,
    Check,
    DraftRequest,
    LaafficRequest,
    Moment,
    Names,
    Number,
    Numbers,
    ResumeRequest,
    seen_request,
    why_again,
)
from laaffic_console.api.views import Flag, ListQuery
from laaffic_console.gateway.models import EntryState
from laaffic_console.kit.words.plain_text import capitals
from laaffic_console.laaffic.tts import BY_CODE
from voice.models import TaskKind, TaskState
from voice.models.calls import KIND_CHOICES, OUTCOME_CHOICES
from voice.services.spoken.options import GENDERS

SENT_STATES = EntryState.choices
MOST_NUMBERS = 10_000


class SpokenLanguage(serializers.CharField):
    """A code that the console knows, in small letters or capitals: another would be found out by its first call."""

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
    """What is left out stays as it is. “groups” and “to” replace all the numbers that it has."""

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
