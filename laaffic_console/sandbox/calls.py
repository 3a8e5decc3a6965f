"""How a call goes, decided by the seed and the number, and the record that the gateway keeps of it."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from laaffic_console.sandbox.fates import country_of
from laaffic_console.sandbox.options import Options
from laaffic_console.sandbox.store import ZONE

PER_MINUTE = Decimal("0.0200")
PERIOD = 60  # seconds: the least that is billed, and the steps after it

ENDS = [  # share of the calls, termination code, reason, callStatus
    (0.68, "0", "success", 50),
    (0.84, "480", "Temporarily Unavailable", 20),
    (0.91, "486", "Busy Here", 10),
    (0.96, "0", "success", 40),
    (1.00, "404", "Not Found", 60),
]
ANSWERED, VOICEMAIL = 50, 40


@dataclass(slots=True)
class Call:
    """A call with its whole course, decided beforehand; `type` as in the push."""

    voice_id: str
    type: int
    callee: str
    display_number: str
    started_at: float
    ring_seconds: float
    talk_seconds: float
    code: str
    reason: str
    status: int
    key: str  # "-1" if none is pressed
    called_info: str = ""
    account: str = ""
    phone_name: str = ""
    task_key: int | None = None

    @property
    def is_answered(self) -> bool:
        return self.status in (ANSWERED, VOICEMAIL)

    @property
    def ended_at(self) -> float:
        return self.started_at + self.ring_seconds + self.talk_seconds

    @property
    def charged(self) -> int:
        return -(-max(1, round(self.talk_seconds)) // PERIOD) * PERIOD if self.is_answered else 0

    @property
    def cost(self) -> Decimal:
        return PER_MINUTE * self.charged / 60


def made(
    options: Options, number: str, *, voice_id: str, type_: int, at: float, longest: float, spoken: bool, **given: Any
) -> Call:
    """A call; `longest` limits the talk; a key may be pressed only if something is `spoken` to the callee."""
    digest = hashlib.blake2b(f"{options.seed}:call:{number}".encode(), digest_size=8).digest()
    luck, ring, talk, key = (int.from_bytes(digest[index : index + 2]) / 65536 for index in (0, 2, 4, 6))
    _, code, reason, status = next(end for end in ENDS if luck < end[0])
    if options.answer_rate is not None:
        _, code, reason, status = ENDS[0] if luck < options.answer_rate else ENDS[1]
    answered = status in (ANSWERED, VOICEMAIL)
    return Call(
        voice_id=voice_id,
        type=type_,
        callee=number,
        started_at=at,
        ring_seconds=between(options.ring_seconds, ring),
        talk_seconds=min(between(options.talk_seconds, talk), longest) if answered else 0.0,
        code=options.answered_code if code == "0" else code,
        reason=reason,
        status=status,
        key=str(int(key * 10)) if spoken and status == ANSWERED and key < 0.3 else "-1",
        **given,
    )


def between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * share


def as_record(call: Call, options: Options) -> dict[str, Any]:
    """The call as the record queries answer it: ISO times, none where nothing happened."""
    answered_at = call.started_at + call.ring_seconds
    row: dict[str, Any] = {
        **_common(call, options),
        "submitTime": iso(call.started_at),
        "callTime": iso(call.started_at),
        "ringingTime": iso(call.started_at + 0.3),
        "hangupTime": iso(call.ended_at),
    }
    if call.is_answered:
        row["answerTime"] = iso(answered_at)
    if call.account:
        row |= {"sipGroupName": "sipGroup", "phoneName": call.phone_name}
    return row


def as_push(call: Call, options: Options) -> dict[str, Any]:
    """The call as it is pushed: milliseconds, with the type and the task."""
    answered_at = call.started_at + call.ring_seconds
    return {
        **_common(call, options),
        "type": call.type,
        "submitTime": ms(call.started_at),
        "callTime": ms(call.started_at),
        "ringingTime": ms(call.started_at + 0.3),
        "answerTime": ms(answered_at) if call.is_answered else 0,
        "hangupTime": ms(call.ended_at),
        "ringDuration": round(call.ring_seconds),
        "outRecallCount": 0,
        "taskId": call.task_key,
    }


def as_ringing(call: Call) -> dict[str, Any]:
    """The push while a SIP phone rings: a time without its zone (laaffic-api#voice-pushes)."""
    at = dt.datetime.fromtimestamp(call.started_at, ZONE)
    return {
        "callId": call.voice_id,
        "type": 3,
        "taskId": None,
        "called": call.callee,
        "calledInfo": call.called_info,
        "seatGroupName": "sipGroup",
        "noAnswerSipList": [],
        "sipAccount": call.account,
        "callinEventTime": at.strftime("%Y-%m-%d %H:%M:%S"),
    }


def _common(call: Call, options: Options) -> dict[str, Any]:
    row: dict[str, Any] = {
        "voiceId": call.voice_id,
        "callee": call.callee,
        "displayNum": call.display_number,
        "code": f"+{country_of(call.callee).prefix or 'elsewhere'}",
        "callDuration": round(call.talk_seconds),
        "chargedDuration": call.charged,
        "terminationCode": call.code,
        "terminationReason": call.reason,
        "cost": f"{call.cost:.4f}",
        "billPeriod": f"{PERIOD}+{PERIOD}",
        "rate": f"{PER_MINUTE}",
        "baseCost": f"{call.cost:.4f}",
        "feedbackValue": call.key,
        "calledInfo": call.called_info,
        "currency": "USD",
    }
    if options.call_status:
        row["callStatus"] = call.status
    if call.type == 3 and call.is_answered:
        row["recordingFileId"] = f"{call.voice_id}.wav"
    return row


def iso(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, ZONE).isoformat(timespec="seconds")


def ms(moment: float) -> int:
    return int(moment * 1000)
