"""What requests and answers about approvals look like."""

from rest_framework import serializers

from laaffic_console.api.handling.views import ListQuery
from messaging.models import Approval as Row


class ApprovalQuery(ListQuery):
    outcome = serializers.ChoiceField(choices=Row.Outcome.choices, required=False)
    waits_for_me = serializers.BooleanField(
        required=False, default=False, help_text="only what the token's user may decide"
    )


class Approval(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.CharField(help_text="campaigns, email-campaigns or group-calls, as in its address")
    draft_kind = serializers.CharField(help_text="campaign, email_campaign or group_task, as in webhooks")
    draft = serializers.IntegerField(help_text="its id")
    name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Row.Outcome.choices)
    recipients = serializers.IntegerField(allow_null=True, help_text="null: it is not known")
    cost = serializers.CharField(allow_blank=True, help_text="as it was expected when it was asked for")
    asked_by = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    asked_note = serializers.CharField(allow_blank=True)
    decided_by = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField(allow_blank=True)
    seen = serializers.CharField(help_text="send it with the word: nothing else is approved or refused then")


class ApprovalStanding(serializers.Serializer):
    id = serializers.IntegerField(help_text="of the draft")
    needed = serializers.CharField(
        allow_blank=True, help_text="why a second person has to approve it; empty: one is enough"
    )
    missing = serializers.CharField(allow_blank=True, help_text="what the launch checks find; empty: nothing")
    approval = Approval(allow_null=True, help_text="the latest")


class AskRequest(serializers.Serializer):
    note = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text="for the person who decides"
    )


class ApproveRequest(serializers.Serializer):
    seen = serializers.CharField(max_length=200, help_text="of what is approved")
    note = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class WithdrawRequest(serializers.Serializer):
    seen = serializers.CharField(
        max_length=200, required=False, help_text="of what is withdrawn: nothing else is then; left out: the latest"
    )


class RefuseRequest(serializers.Serializer):
    seen = serializers.CharField(max_length=200, help_text="of what is refused")
    note = serializers.CharField(max_length=300, help_text="why: the person who asked will read it")
