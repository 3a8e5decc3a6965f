"""What requests and answers about MMS look like."""

from rest_framework import serializers

from laaffic_console.api.shapes import ChangeRequest, DraftRequest
from laaffic_console.laaffic.mms import MAX_ATTACHMENTS


class MmsRequest(DraftRequest):
    application = serializers.CharField(max_length=40, help_text="appId of an SMS application")
    title = serializers.CharField(help_text="at most 80 characters, with its merge fields empty")
    random_title = serializers.BooleanField(required=False, default=False, help_text="let Laaffic vary it")
    attachments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=MAX_ATTACHMENTS,
        help_text="ids, in order",
    )


class AttachmentRequest(serializers.Serializer):
    file = serializers.FileField(help_text="a picture, sound or text of at most 50 KB")


class AttachmentChange(ChangeRequest):
    is_archived = serializers.BooleanField(required=False, help_text="no longer offered")


class Attachment(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.CharField()
    bytes = serializers.IntegerField()
    is_archived = serializers.BooleanField()
    gateway_id = serializers.CharField(allow_blank=True, help_text="while Laaffic has it")
    lapses_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
