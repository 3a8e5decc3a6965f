"""The fields that only an MMS draft has: under their names in requests, and under those of its channel."""

from collections.abc import Mapping
from typing import Any

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
