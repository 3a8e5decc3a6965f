"""What a rehearsal sends, and on which channel: everything else of it is the same, as the door out is (DESIGN §4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PUSHES: dict[str, Any] = {"push-mode": "array", "push-repeat": 0.3, "push-loss": 0.1}


@dataclass(frozen=True, slots=True)
class Carrier:
    """`create` is the console's command for a draft; `callback` the sandbox's option, `hook` where it pushes to."""

    product: str
    create: Sequence[str]
    callback: str
    hook: str
    gateway: Mapping[str, Any]
    one_a_call: bool = False
    has_abnormal: bool = True  # whether the gateway refuses single numbers (−9)


CARRIERS = {
    "sms": Carrier(
        product="sms",
        create=("campaign", "create"),
        callback="callback",
        hook="sms-report",
        gateway={**PUSHES, "push-batch": 50, "delivery-delay": "0.2,5"},
    ),
    # The shortest calls that Laaffic takes: only when one must have ended, the records can be said to lack it.
    "tts": Carrier(
        product="voice",
        create=("voice", "say", "--ring", "20", "--longest", "1"),
        callback="voice-callback",
        hook="voice-report",
        gateway={**PUSHES, "ring-seconds": "0.1,2", "talk-seconds": "0.1,1"},
        one_a_call=True,
        has_abnormal=False,
    ),
}
