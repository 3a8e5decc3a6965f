"""What an MMS draft has of its own: as requests name it, and as its channel keeps it."""

from collections.abc import Mapping
from typing import Any

from messaging.services.mms.mms_channel import GIVEN_TITLE, RANDOM_TITLE

NAMES = {"title": "title", "random_title": "mms_type", "attachments": "attachments"}
FIELDS = {kept: name for name, kept in NAMES.items()}  # the channel's own, as requests name them


def options_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Of those that a request names."""
    found = {NAMES[name]: value for name, value in asked.items() if name in NAMES}
    if "mms_type" in found:
        found["mms_type"] = RANDOM_TITLE if found["mms_type"] else GIVEN_TITLE
    return found


def shown(options: Mapping[str, Any]) -> dict[str, Any]:
    """As requests name them."""
    return {
        "title": options.get("title", ""),
        "random_title": options.get("mms_type", GIVEN_TITLE) == RANDOM_TITLE,
        "attachments": options.get("attachments", []),
    }
