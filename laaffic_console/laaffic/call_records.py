"""What happened to a call: records asked for and records pushed, in one shape and in plain words."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import times
from laaffic_console.laaffic.pages import MalformedRecord, read_rows
from laaffic_console.laaffic.pushes import entries_of
from laaffic_console.laaffic.reports import code, count, currency, digits, money, text

ESTABLISHED = frozenset({"0", "200"})  # English pages: 0; Chinese: SIP's 200 (laaffic-api#delivery-states)
NO_KEY = "-1"


class CallKind(IntEnum):
    """`type` of a pushed record."""

    GROUP = 1
    TTS = 2
    SIP = 3
    SIP_DIRECT = 4


class RingingKind(IntEnum):
    """`type` of a ringing event: which numbers mean something else than in a record."""

    TO_AGENT = 1
    CALL_CENTER = 2
    SIP = 3


class CallOutcome(StrEnum):
    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    NO_ANSWER = "no answer"
    DECLINED = "declined"
    NO_SUCH_NUMBER = "no such number"
    FAILED = "failed"


# laaffic-api#voice-pushes; null for calls before 2025-12-10
_BY_STATUS = {
    10: CallOutcome.BUSY,
    20: CallOutcome.NO_ANSWER,
    30: CallOutcome.FAILED,
    40: CallOutcome.VOICEMAIL,
    50: CallOutcome.ANSWERED,
    60: CallOutcome.FAILED,
}
# SIP's final answers (RFC 3261), for records that say no callStatus.
_BY_SIP_CODE = {
    "404": CallOutcome.NO_SUCH_NUMBER,
    "408": CallOutcome.NO_ANSWER,
    "410": CallOutcome.NO_SUCH_NUMBER,
    "480": CallOutcome.NO_ANSWER,
    "484": CallOutcome.NO_SUCH_NUMBER,
    "486": CallOutcome.BUSY,
    "487": CallOutcome.NO_ANSWER,
    "600": CallOutcome.BUSY,
    "603": CallOutcome.DECLINED,
    "604": CallOutcome.NO_SUCH_NUMBER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call that has ended. Moments are aware and UTC, None where nothing was said; durations are seconds."""

    voice_id: str
    kind: CallKind | None
    callee: str
    display_number: str
    operator: str  # "India(Karnataka)"
    submitted_at: dt.datetime | None
    called_at: dt.datetime | None
    ringing_at: dt.datetime | None
    answered_at: dt.datetime | None
    hung_up_at: dt.datetime | None
    duration: int | None
    charged: int | None
    termination_code: str
    termination_reason: str
    call_status: int | None
    cost: Decimal | None
    currency: str
    bill_period: str  # "60+60": the first seconds that are billed, and the steps after them
    key_pressed: str  # "" where none was
    called_info: str  # what the caller gave along
    phone_group: str
    phone_name: str
    voice_file_id: str
    recording_id: str
    recall_count: int | None
    task_id: str

    @property
    def outcome(self) -> CallOutcome:
        return outcome_of(self.termination_code, self.call_status, answered=bool(self.answered_at))


@dataclass(frozen=True, slots=True)
class RingingEvent:
    """An agent's phone rings; the time is the vendor's own zone's."""

    call_id: str
    kind: RingingKind | None
    called: str
    called_info: str
    task_id: str
    sip_account: str
    agent_group: str
    unanswered: list[str]  # SIP accounts that rang before and did not take it up
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ParsedCalls:
    calls: list[CallRecord]
    problems: list[str]  # entries that are not records, in words; they never cost the others


@dataclass(frozen=True, slots=True)
class ParsedRinging:
    events: list[RingingEvent]
    problems: list[str]


def outcome_of(termination_code: str, call_status: int | None, *, answered: bool) -> CallOutcome:
    """`callStatus` knows best; else the code, which says "0" or "200" for a call that was established."""
    if call_status in _BY_STATUS:
        return _BY_STATUS[call_status]
    if termination_code in ESTABLISHED or (answered and not termination_code):
        return CallOutcome.ANSWERED
    return _BY_SIP_CODE.get(termination_code, CallOutcome.FAILED)


def parse_voice_reports(body: object, zone: ZoneInfo = times.DEFAULT_ZONE) -> ParsedCalls:
    """Pushed records: one object, a list, or `{"array": […]}`."""
    return ParsedCalls(*read_rows(entries_of(body), lambda row: from_row(row, zone)))


def is_ringing(entry: object) -> bool:
    """Told from a record by its id: both kinds of push may be sent to one address."""
    keys = {str(key).strip() for key in entry} if isinstance(entry, dict) else set()
    return "callId" in keys and "voiceId" not in keys


def parse_ringing(body: object, zone: ZoneInfo = times.DEFAULT_ZONE) -> ParsedRinging:
    return ParsedRinging(*read_rows(entries_of(body), lambda row: _ringing(row, zone)))


def from_row(row: dict[str, Any], zone: ZoneInfo = times.DEFAULT_ZONE) -> CallRecord:
    """A record that was asked for (ISO times) or pushed (epoch milliseconds); keys that are missing say nothing."""
    voice_id = text(row.get("voiceId"))
    if not voice_id:
        raise MalformedRecord("a call without voiceId")
    cost = money(row.get("cost"))
    return CallRecord(
        voice_id=voice_id,
        kind=_kind(row.get("type")),
        callee=digits(row.get("callee")),
        display_number=text(row.get("displayNum")),
        operator=text(row.get("code")),
        submitted_at=_moment(row, "submitTime", zone),
        called_at=_moment(row, "callTime", zone),
        ringing_at=_moment(row, "ringingTime", zone),
        answered_at=_moment(row, "answerTime", zone),
        hung_up_at=_moment(row, "hangupTime", zone),
        duration=count(row.get("callDuration")),
        charged=count(row.get("chargedDuration")),
        termination_code=code(row.get("terminationCode")),
        termination_reason=text(row.get("terminationReason")),
        call_status=count(row.get("callStatus")),
        cost=money(row.get("costEur")) if cost is None else cost,
        currency=_currency(row, cost),
        bill_period=text(row.get("billPeriod")),
        key_pressed=_key(row.get("feedbackValue")),
        called_info=text(row.get("calledInfo")),
        phone_group=text(row.get("sipGroupName")),
        phone_name=text(row.get("phoneName")),
        voice_file_id=text(row.get("voiceFileId")),
        recording_id=text(row.get("recordingFileId")),
        recall_count=count(row.get("outRecallCount")),
        task_id=text(row.get("taskId")),
    )


def _currency(row: dict[str, Any], cost: Decimal | None) -> str:
    """`costEur` is in euros; a record says its currency only where the quote is not in dollars."""
    if said := currency(row.get("currency"), row.get("cost")):
        return said
    if cost is None:
        return "EUR" if money(row.get("costEur")) is not None else ""
    return "USD"


def _kind(value: object) -> CallKind | None:
    number = count(value)
    return CallKind(number) if number in set(CallKind) else None


def _key(value: object) -> str:
    said = code(value)
    return "" if said in ("", NO_KEY) else said[:8]


def _moment(row: dict[str, Any], name: str, zone: ZoneInfo) -> dt.datetime | None:
    """Milliseconds, ISO 8601, or the fourteen digits `yyyyMMddHHmmss` of one page."""
    said = text(row.get(name))
    return None if said in ("", "0") else times.of_event(times.from_text(said, zone))


def _ringing(row: dict[str, Any], zone: ZoneInfo) -> RingingEvent:
    call_id = text(row.get("callId"))
    if not call_id:
        raise MalformedRecord("a ringing event without callId")
    return RingingEvent(
        call_id=call_id,
        kind=RingingKind(kind) if (kind := count(row.get("type"))) in set(RingingKind) else None,
        called=digits(row.get("called")),
        called_info=text(row.get("calledInfo")),
        task_id=text(row.get("taskId")),
        sip_account=text(row.get("sipAccount")),
        agent_group=text(row.get("seatGroupName")),
        unanswered=_accounts(row.get("noAnswerSipList")),
        at=times.of_event(times.from_text(row.get("callinEventTime"), zone)),
    )


def _accounts(value: object) -> list[str]:
    """A list, or the same as one text with commas."""
    entries = value if isinstance(value, list) else text(value).split(",")
    return [account for account in map(text, entries) if account]
