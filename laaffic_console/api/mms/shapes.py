"""What requests and answers about attachments of MMS look like."""

from rest_framework import serializers

from laaffic_console.api.shapes import ChangeRequest


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
