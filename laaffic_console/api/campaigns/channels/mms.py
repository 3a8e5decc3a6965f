"""What only an MMS draft has: its fields in requests, and their names in its channel's options."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from laaffic_console.api.shapes import DraftRequest
from laaffic_console.laaffic.mms import MAX_ATTACHMENTS
from messaging.services.mms.mms_channel import GIVEN_TITLE, RANDOM_TITLE

NAMES = {"title": "title", "random_title": "mms_type", "attachments": "attachments"}
FIELDS = {kept: name for name, kept in NAMES.items()}  # names in requests, by the channel's names


def options_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The channel's options among the fields that a request names."""
    found = {NAMES[name]: value for name, value in asked.items() if name in NAMES}
    if "mms_type" in found:
        found["mms_type"] = RANDOM_TITLE if found["mms_type"] else GIVEN_TITLE
    return found


def shown(options: Mapping[str, Any]) -> dict[str, Any]:
    """The channel's options, under their names in requests."""
    return {
        "title": options.get("title", ""),
        "random_title": options.get("mms_type", GIVEN_TITLE) == RANDOM_TITLE,
        "attachments": options.get("attachments", []),
    }


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
