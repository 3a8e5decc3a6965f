"""The shapes of requests and answers: they read the former and describe both (openapi.json)."""

import functools
from typing import Any

from rest_framework import serializers

from laaffic_console.gateway.models import EntryState, EvidenceKind
from messaging.models import Campaign as Row
from messaging.models import CampaignState, HoldKind, MessageState
from messaging.services.launching import undo

MOST_MESSAGES = 10_000
MOST_NAMES = 1000
FEW_FIRST = ("canary_wait", "canary_least", "canary_reports")
HOLD_KINDS = HoldKind.choices
SENT_STATES = EntryState.choices  # of a request to Laaffic
PURPOSES = [(value, label) for value, label in Row.Purpose.choices if value]


class Numbers(serializers.ListField):
    """A list of numbers as people write them; not checked here, as the console checks them one by one."""

    child = serializers.CharField(max_length=60, allow_blank=True)

    def to_internal_value(self, data: Any) -> list[str]:
        """Read without a child field: ten thousand numbers take a few milliseconds."""
        if not isinstance(data, list) or not data:
            raise serializers.ValidationError("Give a list of one number or more.")
        if len(data) > MOST_MESSAGES:
            said = f"{len(data):,} numbers are too many for a request: at most {MOST_MESSAGES:,}. Send several."
            raise serializers.ValidationError(said)
        if not all(isinstance(one, str) and len(one) <= 60 for one in data):
            raise serializers.ValidationError(
                "Each number is a text of at most 60 characters, such as “+919876543210”."
            )
        return data


class Moment(serializers.DateTimeField):
    """When something starts or ends. A date alone would mean midnight, when nobody wants to reach people."""

    def to_internal_value(self, value: Any) -> Any:
        found = super().to_internal_value(value)
        if isinstance(value, str) and ":" not in value:
            said = "A day alone leaves open when. Write the time too, such as 2040-05-01T09:00Z."
            raise serializers.ValidationError(said)
        return found


class Names(serializers.ListField):
    """Names of groups or of audiences: at most MOST_NAMES, as one statement looks them all up."""

    default_error_messages = {"max_length": "At most {max_length} can be named. Make one group or audience of them."}

    def __init__(self, **given: Any) -> None:
        super().__init__(child=serializers.CharField(max_length=120), max_length=MOST_NAMES, **given)


class Number(serializers.FloatField):
    """A number, but not true or false, which Python takes for 1.0 and 0.0."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class MessagesRequest(serializers.Serializer):
    application = serializers.CharField(max_length=40, help_text="appId of an SMS application")
    sender_id = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    text = serializers.CharField(required=False, trim_whitespace=False)
    template = serializers.CharField(required=False, trim_whitespace=False, help_text="text with {{fields}}")
    values = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False), required=False, help_text="of its fields"
    )
    to = Numbers(max_length=MOST_MESSAGES)
    purpose = serializers.ChoiceField(choices=PURPOSES, required=False, default="", allow_blank=True)
    name = serializers.CharField(max_length=120, required=False, help_text="of the campaign that is made")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if ("text" in data) == ("template" in data):
            raise serializers.ValidationError("Give either “text”, or “template” with “values”.")
        if "values" in data and "template" not in data:
            raise serializers.ValidationError("“values” belong to a “template”. Give the text as “template”.")
        return data


class MadeMessage(serializers.Serializer):
    number = serializers.CharField()
    id = serializers.IntegerField()


class InvalidNumber(serializers.Serializer):
    position = serializers.IntegerField(help_text="in “to”, from 0")
    reason = serializers.CharField()


class LeftOut(serializers.Serializer):
    suppressed = serializers.IntegerField()
    excluded = serializers.IntegerField()
    invalid = serializers.IntegerField()
    duplicates = serializers.IntegerField(help_text="Given twice, or in the audience anyway.")
    capped = serializers.IntegerField()
    no_consent = serializers.IntegerField()


class MessagesAnswer(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the request: the same as “campaign”")
    campaign = serializers.IntegerField()
    state = serializers.ChoiceField(choices=CampaignState.choices)
    messages = MadeMessage(many=True)
    left_out = LeftOut()
    invalid = InvalidNumber(many=True)
    note = serializers.CharField(required=False)


class Message(serializers.Serializer):
    id = serializers.IntegerField()
    campaign = serializers.IntegerField()
    number = serializers.CharField()
    country = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=[state.key for state in MessageState])
    reason = serializers.CharField(allow_blank=True)
    segments = serializers.IntegerField()
    cost = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    reported_at = serializers.DateTimeField(allow_null=True)


def belongs_to_canary(name: str) -> serializers.ValidationError:
    return serializers.ValidationError({name: "It belongs to “canary”. Give that too, or leave this out."})


class CareRequest(serializers.Serializer):
    """When a campaign may reach people, and what it is for."""

    calendar = serializers.CharField(
        max_length=120, required=False, allow_null=True, help_text="its name; otherwise the application's"
    )
    not_after = Moment(required=False, allow_null=True, help_text="what has not left then is held")
    purpose = serializers.ChoiceField(choices=PURPOSES, required=False, default="", allow_blank=True)


class DraftRequest(CareRequest):
    """The fields of every kind of campaign; the same that `manage.py campaign create` takes."""

    name = serializers.CharField(max_length=120)
    text = serializers.CharField(trim_whitespace=False)
    groups = Names(required=False, default=list)
    excluded_groups = Names(required=False, default=list)
    audiences = Names(required=False, default=list)
    to = Numbers(required=False, max_length=MOST_MESSAGES)
    rate_per_second = serializers.IntegerField(min_value=1, max_value=100_000, required=False, allow_null=True)
    scheduled_at = Moment(required=False, allow_null=True)
    local_time = serializers.CharField(
        max_length=16,
        required=False,
        default="",
        allow_blank=True,
        help_text="instead of scheduled_at: a time by each recipient's own clock, such as “2026-11-27 09:00”",
    )
    canary = serializers.CharField(
        max_length=8,
        required=False,
        default="",
        allow_blank=True,
        help_text="send to a few first: so many, as “500”, or a share, as “1%”; the rest by their reports",
    )
    canary_wait = serializers.IntegerField(
        min_value=1, required=False, allow_null=True, help_text="minutes to wait for their reports; otherwise 15"
    )
    canary_least = serializers.IntegerField(
        min_value=0,
        max_value=100,
        required=False,
        allow_null=True,
        help_text="percent delivered to go on; otherwise 80",
    )
    canary_reports = serializers.IntegerField(
        min_value=1,
        max_value=100,
        required=False,
        allow_null=True,
        help_text="percent of them with a report, or nothing is decided; otherwise 50",
    )
    latest_start_minutes = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        allow_null=True,
        help_text="after its time: later than that it is held; otherwise the console's own limit",
    )
    error_limit = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        allow_null=True,
        help_text="held after so many rejected recipients, 0 never; otherwise the console's own limit",
    )

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        for name in FEW_FIRST:
            if data.get(name) is not None and not data["canary"]:
                raise belongs_to_canary(name)
        return data


class CampaignRequest(DraftRequest):
    application = serializers.CharField(max_length=40, help_text="appId of an SMS application")
    sender_id = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")


class Campaign(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    channel = serializers.CharField()
    application = serializers.CharField()
    sender_id = serializers.CharField(allow_blank=True)
    text = serializers.CharField()
    state = serializers.ChoiceField(choices=CampaignState.choices)
    hold_reason = serializers.CharField(allow_blank=True)
    hold_kind = serializers.ChoiceField(choices=HOLD_KINDS, allow_blank=True)
    wait_reason = serializers.CharField(allow_blank=True)
    total = serializers.IntegerField()
    rate_per_second = serializers.IntegerField(allow_null=True)
    scheduled_at = serializers.DateTimeField(allow_null=True)
    local_time = serializers.CharField(allow_blank=True)
    calendar = serializers.CharField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)
    purpose = serializers.ChoiceField(choices=PURPOSES, allow_blank=True)
    canary = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    launched_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class Check(serializers.Serializer):
    key = serializers.CharField()
    level = serializers.CharField(help_text="stop, reason, tick or note")
    sentence = serializers.CharField()


def starts_at() -> serializers.DateTimeField:
    said = "when the first message would leave if it were launched now; null: no hour suits it, or it has no recipients"
    return serializers.DateTimeField(allow_null=True, help_text=said)


class CheckAnswer(serializers.Serializer):
    id = serializers.IntegerField()
    is_counted = serializers.BooleanField(help_text="false: ask again, the figures are of those counted so far")
    recipients = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    excluded = serializers.IntegerField()
    invalid = serializers.IntegerField()
    segments = serializers.IntegerField()
    starts_at = starts_at()
    cost = serializers.DictField(child=serializers.CharField())
    checks = Check(many=True)
    shown = serializers.CharField(help_text="send it with the launch: nothing else is launched then")


def why_again() -> serializers.CharField:
    """The reason for an act although one like it may have arrived (gateway/services/ledger/open_acts.py)."""
    return serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text="why, though the same may have arrived"
    )


class LaunchRequest(serializers.Serializer):
    shown = serializers.CharField(required=False, help_text="of “check”; without it nothing is compared")
    seen = serializers.ListField(child=serializers.CharField(max_length=120), required=False, default=list)
    reasons = serializers.DictField(child=serializers.CharField(max_length=200), required=False, default=dict)
    again = why_again()
    undo_seconds = serializers.IntegerField(
        min_value=0,
        max_value=undo.LONGEST,
        required=False,
        default=0,
        help_text="nothing leaves before; until then …/take-back makes a draft of it again",
    )


class ResumeRequest(serializers.Serializer):
    past_end = serializers.BooleanField(
        required=False, default=False, help_text="also where its latest end has passed, which does not count then"
    )


class Standing(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=CampaignState.choices)


class ChangeRequest(serializers.Serializer):
    """A field that is left out stays as it is."""

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        if not set(data) - {"seen"}:
            raise serializers.ValidationError("Nothing is to change. Name at least one field.")
        return data


class WhyRequest(serializers.Serializer):
    """An act that somebody answers for: it takes a reason."""

    reason = serializers.CharField(max_length=200, help_text="kept in its history")


def seen_request() -> serializers.IntegerField:
    """The id of the ledger's row of a request whose answer was lost, as GET showed it: the act is about this one."""
    return serializers.IntegerField(
        min_value=0, max_value=2**63 - 1, help_text="of GET: the word is about this request"
    )


class LaafficRequest(serializers.Serializer):
    """A row of the ledger."""

    id = serializers.IntegerField()
    interface = serializers.CharField()
    state = serializers.ChoiceField(choices=EntryState.choices)
    prepared_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    evidence = serializers.CharField(allow_blank=True)
    evidence_kind = serializers.ChoiceField(choices=EvidenceKind.choices, allow_blank=True)


class Report(Standing):
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    segments = serializers.IntegerField()
    cost = serializers.DictField(child=serializers.CharField())


class Reply(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    sent_to = serializers.CharField(allow_blank=True)
    campaign = serializers.IntegerField(allow_null=True)
    opt_out = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class Balance(serializers.Serializer):
    at = serializers.DateTimeField(allow_null=True)
    balance = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)


class AccountHold(serializers.Serializer):
    id = serializers.IntegerField()
    application = serializers.CharField(allow_null=True, help_text="appId; null where the whole account is held")
    campaign = serializers.IntegerField(allow_null=True, help_text="where only this campaign is held")
    code = serializers.CharField(allow_blank=True, help_text="Laaffic's code; lost where its answers do not come")
    reason = serializers.CharField()
    placed_at = serializers.DateTimeField()
    last_answer = serializers.CharField(allow_blank=True, help_text="of Laaffic, when it was asked last")
    next_probe_at = serializers.DateTimeField(allow_null=True, help_text="null: only a person can end it")
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_because = serializers.CharField(allow_blank=True)
    ended_by = serializers.CharField(allow_blank=True)


class Health(serializers.Serializer):
    status = serializers.CharField()
    parts = serializers.DictField(child=serializers.CharField())


@functools.cache
def page_of(shape: type[serializers.Serializer]) -> serializers.Serializer:
    """A page of a list."""
    made = type(
        f"{shape.__name__}Page",
        (serializers.Serializer,),
        {"items": shape(many=True), "next": serializers.CharField(allow_null=True)},
    )
    found: serializers.Serializer = made()
    return found
