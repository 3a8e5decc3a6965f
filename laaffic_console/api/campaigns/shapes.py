"""What requests and answers about one campaign look like, of whichever kind it is."""

import copy
from typing import Any

from rest_framework import serializers

from laaffic_console.api.campaigns.channels.mms import MmsRequest
from laaffic_console.api.campaigns.channels.spoken import SpokenRequest
from laaffic_console.api.shapes import Campaign, CampaignRequest, Numbers, ResumeRequest, Standing, why_again
from messaging.models import Proof as ProofRow


class NumbersOrNone(Numbers):
    """The numbers of a draft that is edited: an empty list takes out those that it has."""

    def to_internal_value(self, data: Any) -> list[str]:
        return [] if data == [] else super().to_internal_value(data)


def _to_leave_out(field: serializers.Field) -> serializers.Field:
    """The same field, optional and without a default: a change leaves out what stays."""
    given = {name: copy.deepcopy(value) for name, value in field._kwargs.items() if name != "default"}
    return type(field)(*field._args, **{**given, "required": False})


class CampaignChange(serializers.Serializer):
    """A field that is left out stays as it is."""

    seen = serializers.CharField(max_length=64, help_text="of the draft's GET")
    application = serializers.CharField(max_length=40, required=False, help_text="appId, of the draft's kind")
    to = NumbersOrNone(required=False, help_text="instead of those that it has; [] takes them out")

    def get_fields(self) -> dict[str, serializers.Field]:
        """The fields of a change, with all those of requests for a new draft of any kind."""
        found: dict[str, serializers.Field] = {}
        for shape in (SpokenRequest, MmsRequest, CampaignRequest):
            found |= {name: _to_leave_out(field) for name, field in shape().fields.items()}
        return {**found, **super().get_fields()}


class WholeCampaign(Campaign):
    groups = serializers.ListField(child=serializers.CharField())
    excluded_groups = serializers.ListField(child=serializers.CharField())
    audiences = serializers.ListField(child=serializers.CharField())
    numbers = serializers.IntegerField(help_text="how many were given in “to”, or pasted")
    canary_wait = serializers.IntegerField()
    canary_least = serializers.IntegerField()
    canary_reports = serializers.IntegerField()
    latest_start_minutes = serializers.IntegerField(allow_null=True)
    error_limit = serializers.IntegerField(allow_null=True)
    options = serializers.DictField(help_text="what its kind has of its own, as the draft's request names it")
    undo_until = serializers.DateTimeField(allow_null=True, help_text="nothing leaves before; …/take-back until then")
    seen = serializers.CharField(help_text="send it with a PATCH")


class ResumeCampaignRequest(ResumeRequest):
    cost = serializers.DictField(
        child=serializers.DecimalField(max_digits=20, decimal_places=6, min_value=0),
        required=False,
        help_text="{currency: amount} that you agree to, where it costs something else than was shown at its launch",
    )
    unpriced = serializers.IntegerField(
        min_value=0, required=False, default=0, help_text="recipients without a price that you agree to"
    )


class PaceRequest(serializers.Serializer):
    rate_per_second = serializers.IntegerField(
        min_value=1, max_value=100_000, allow_null=True, help_text="null: as fast as the application allows"
    )


class Pace(Standing):
    rate_per_second = serializers.IntegerField(allow_null=True)


class GoOnRequest(serializers.Serializer):
    reason = serializers.CharField(max_length=150, help_text="kept in the campaign's history")


class OutsideHoursRequest(serializers.Serializer):
    reason = serializers.CharField(max_length=200, help_text="kept in the campaign's history")


class TestMessageRequest(serializers.Serializer):
    number = serializers.CharField(max_length=60)
    again = why_again()


class TestSent(Standing):
    note = serializers.CharField(required=False)


class FailedReason(serializers.Serializer):
    reason = serializers.CharField(allow_blank=True, help_text="send it in “reasons”")
    messages = serializers.IntegerField()
    is_retried = serializers.BooleanField(help_text="where “reasons” is left out")
    is_not_in_use = serializers.BooleanField(help_text="the carrier says that nobody has these numbers")


class Failed(serializers.Serializer):
    id = serializers.IntegerField()
    reasons = FailedReason(many=True)


class RetryRequest(serializers.Serializer):
    reasons = serializers.ListField(
        child=serializers.CharField(max_length=200, allow_blank=True, trim_whitespace=False),
        min_length=1,
        max_length=1000,
        required=False,
        help_text="of GET; otherwise all that another try can cure",
    )


class SuppressNotInUseRequest(serializers.Serializer):
    but = serializers.ListField(
        child=serializers.CharField(max_length=200, allow_blank=True, trim_whitespace=False),
        max_length=1000,
        required=False,
        default=list,
        help_text="reasons for which they get another try",
    )


class SuppressedNotInUse(serializers.Serializer):
    added = serializers.IntegerField()
    already_there = serializers.IntegerField()


class LostRequest(serializers.Serializer):
    request = serializers.IntegerField(help_text="of the ledger")
    left_at = serializers.DateTimeField(allow_null=True)
    messages = serializers.IntegerField()
    evidence = serializers.CharField(allow_blank=True, help_text="what is known")
    looked_for_again_at = serializers.DateTimeField(allow_null=True, help_text="null: decide yourself")


class Unknown(Standing):
    messages = serializers.IntegerField(help_text="whose answer was lost")
    requests = LostRequest(many=True, help_text="the first fifty")
    seen = serializers.DateTimeField(allow_null=True, help_text="send it with your word; null: nothing is unknown")


SEND_AGAIN, WRITE_OFF = "send_again", "write_off"


class SettleRequest(serializers.Serializer):
    word = serializers.ChoiceField(
        choices=[SEND_AGAIN, WRITE_OFF], help_text="send_again: who got the first one gets a second, and you pay both"
    )
    reason = serializers.CharField(max_length=150, help_text="kept with each message")
    seen = serializers.DateTimeField(help_text="of GET: answers that were lost later are not meant")


class Settled(Standing):
    settled = serializers.IntegerField(help_text="messages, by this request")
    unknown = serializers.IntegerField(help_text="messages that are unknown still")


class Doubt(serializers.Serializer):
    event = serializers.IntegerField(help_text="of the message's history; send it with your word")
    amount = serializers.CharField()
    currency = serializers.CharField(allow_blank=True)
    may_be_taken = serializers.BooleanField(help_text="no message costs less than nothing")


class Amount(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the message")
    cost = serializers.CharField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    doubts = Doubt(many=True, help_text="amounts that cannot be right, and on which nobody has decided")


TAKE, LEAVE_OUT = "take", "leave_out"


class AmountRequest(serializers.Serializer):
    event = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="of GET")
    word = serializers.ChoiceField(choices=[TAKE, LEAVE_OUT], help_text="take: it is counted all the same")
    why = serializers.CharField(max_length=150, help_text="how you know it: kept with the message")


class Proof(serializers.Serializer):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=ProofRow.State.choices)
    asked_by = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    was_over = serializers.BooleanField(
        help_text="whether the campaign was over: the figures of one that goes on move while they are derived"
    )
    figures = serializers.DictField(help_text="as `manage.py campaign prove --json` derives them")
    disagreements = serializers.ListField(child=serializers.CharField(), help_text="the first of them")
    wrong = serializers.IntegerField(help_text="how many figures disagree")
