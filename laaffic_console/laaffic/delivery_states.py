"""What the status of a delivery says, which depends on its source (laaffic-api#delivery-states)."""

import functools
import re
from enum import StrEnum


class DeliveryState(StrEnum):
    DELIVERED = "delivered"
    PENDING = "pending"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where a delivery report came from."""

    PUSH = "push"
    GET_REPORT = "getReport"
    GET_SENT_RCD = "getSentRcd"
    GET_SEND_EMAIL_RCD = "getSendEmailRcd"
    VOICE_PUSH = "voice push"
    VOICE_RECORD = "voice record"


# laaffic-api#delivery-states; English and Chinese pages differ about getSentRcd, so 1 and 2 are both failures.
_DELIVERY = {
    Source.GET_REPORT: {"0": DeliveryState.DELIVERED, "-1": DeliveryState.PENDING, "1": DeliveryState.FAILED},
    Source.GET_SENT_RCD: {
        "0": DeliveryState.DELIVERED,
        "-1": DeliveryState.PENDING,
        "1": DeliveryState.FAILED,
        "2": DeliveryState.FAILED,
    },
    Source.GET_SEND_EMAIL_RCD: {"0": DeliveryState.DELIVERED, "-1": DeliveryState.PENDING, "1": DeliveryState.FAILED},
}


# The words of the field (SMPP 3.4 §5.2.28, and what gateways make of them), where one does not send the documented
# numbers. Any other word says nothing.
_WORDS = {
    **dict.fromkeys(("delivrd", "delivered", "success", "successful"), DeliveryState.DELIVERED),
    **dict.fromkeys(
        ("acceptd", "accepted", "enroute", "pending", "sending", "sent", "submitted", "buffered", "scheduled"),
        DeliveryState.PENDING,
    ),
    **dict.fromkeys(
        ("undeliv", "undelivered", "undeliverable", "expired", "rejectd", "rejected", "deleted"), DeliveryState.FAILED
    ),
    **dict.fromkeys(("fail", "failed", "failure", "blocked"), DeliveryState.FAILED),
}


def delivery_state(source: Source, status: str) -> DeliveryState:
    """The state that a status means; UNKNOWN for one neither documented for its source nor a word of the field."""
    return _known_state(source, status) if len(status) < 20 else _read_state(source, status)


def _read_state(source: Source, status: str) -> DeliveryState:
    said = status.strip().lower()
    if whole := re.fullmatch(r"([+-]?[0-9]{1,9})(?:\.0*)?", said):  # "0.0" of a library that has no integers
        said = str(int(whole[1]))
        if source is Source.PUSH:  # 0 is success, every other number a failure (laaffic-api#pushed-report)
            return DeliveryState.DELIVERED if said == "0" else DeliveryState.FAILED
    return _DELIVERY.get(source, {}).get(said) or _WORDS.get(said, DeliveryState.UNKNOWN)


_known_state = functools.lru_cache(maxsize=1000)(_read_state)  # a million reports say a few words
