"""Group-call tasks: one announcement to up to 200,000 numbers.

The task's name must be unique at Laaffic. It is the one idempotency key of the whole API: after an answer that was lost
the name tells whether the task is there.
"""

import base64
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Any
from zoneinfo import ZoneInfo

from laaffic_console.laaffic import pages, times
from laaffic_console.laaffic.codes import Family
from laaffic_console.laaffic.errors import InvalidRequest
from laaffic_console.laaffic.interfaces import (
    Interfaces,
    check_app_id,
    check_count,
    check_digits,
    check_length,
    check_range,
    check_words,
)
from laaffic_console.laaffic.pages import LARGEST_PAGE, MalformedRecord, Page
from laaffic_console.laaffic.reports import code, count, money, text
from laaffic_console.laaffic.transport import Transport
from laaffic_console.laaffic.tts import FEMALE, MALE, as_number, check_language, check_rate, delays
from laaffic_console.laaffic.voice import MAX_AUDIO, check_audio_name

MAX_NUMBERS = 200_000
MAX_TEXT = 1000
MAX_SMS = 1000
MAX_WINDOWS = 3
HIGHEST_KEY = 2**63 - 1  # a long of Java
MAX_TALK = 999  # seconds; `maxCalls`, whatever its name says

Window = tuple[dt.time, dt.time]


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """source 1: a file that was uploaded before."""

    file_id: str

    def fields(self) -> dict[str, Any]:
        check_length("voiceFileId", self.file_id, 1, 128)
        return {"source": 1, "text": "", "lan": "", "voiceFileId": self.file_id}


@dataclass(frozen=True, slots=True)
class FileInRequest:
    """source 2: a file that travels with the task."""

    name: str
    data: bytes
    at_most: int = MAX_AUDIO  # bytes

    def fields(self) -> dict[str, Any]:
        check_audio_name(self.name)
        if not 0 < len(self.data) <= self.at_most:
            raise InvalidRequest("baseFile", f"{len(self.data):,} bytes; an audio file has 1 to {self.at_most:,}")
        encoded = base64.b64encode(self.data).decode()
        return {"source": 2, "text": "", "lan": "", "uploadName": self.name, "baseFile": encoded}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenText:
    """source 3: text to speech; the languages are those of `tts.LANGUAGES`."""

    text: str
    language: str
    accent: str = ""
    gender: int | None = None
    speaking_rate: float | None = None

    def fields(self) -> dict[str, Any]:
        check_words("text", self.text, MAX_TEXT)
        check_language("lan", self.language)
        fields: dict[str, Any] = {"source": 3, "text": self.text, "lan": self.language}
        if self.accent:
            fields["accent"] = self.accent
        if self.gender is not None:
            if self.gender not in (MALE, FEMALE):
                raise InvalidRequest("ssmlGender", f"{self.gender} is neither 1, male, nor 2, female")
            fields["ssmlGender"] = self.gender
        if self.speaking_rate is not None:
            check_rate(self.speaking_rate)
            fields["speakingRate"] = as_number(self.speaking_rate)
        return fields


Announcement = UploadedFile | FileInRequest | SpokenText


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUpSms:
    """An SMS after the call, on one or several occasions: the vendor's "push flags" are these, and no webhooks."""

    app_id: str
    content: str
    sender_id: str = ""
    on_key: int | None = None  # this key was pressed
    on_answer_after: int | None = None  # answered for so many seconds
    on_failure: bool = False
    on_ringing: bool = False

    def fields(self) -> dict[str, Any]:
        check_length("smsAppId", self.app_id, 1, 64)
        check_length("smsContent", self.content, 1, MAX_SMS)
        check_length("senderId", self.sender_id, 0, 32)
        if not self.sender_id.isprintable():
            raise InvalidRequest("senderId", "it holds a line break, or a mark that nobody sees: type it again")
        if self.on_key is not None:
            check_range("feedbackValue", self.on_key, 0, 9)
        if self.on_answer_after is not None:
            check_range("successPushTime", self.on_answer_after, 0, 9999)
        triggers = {
            "feedbackPush": int(self.on_key is not None),
            "successPush": int(self.on_answer_after is not None),
            "failedPush": int(self.on_failure),
            "ringPush": int(self.on_ringing),
        }
        if not any(triggers.values()):
            raise InvalidRequest("hangUpSms", "say when the SMS goes: on a key, an answer, a failure or ringing")
        return {
            "hangUpSms": 1,
            "smsAppId": self.app_id,
            "senderId": self.sender_id,
            "smsContent": self.content,
            "feedbackValue": self.on_key or 0,
            "successPushTime": 10 if self.on_answer_after is None else self.on_answer_after,
            **triggers,
        }


NO_SMS = {
    "hangUpSms": 0,
    "smsAppId": "",
    "senderId": "",
    "smsContent": "",
    "feedbackValue": 0,
    "successPushTime": 10,
    "feedbackPush": 0,
    "successPush": 0,
    "failedPush": 0,
    "ringPush": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAgent:
    """Handing an answered call to an agent's phone: after the announcement, or when a key is pressed."""

    group_id: int
    key: int | None = None  # None: after the announcement
    outbound_control: int = 1  # 1: as many calls as `callout_rate` says for each free agent
    callout_rate: int = 1

    def fields(self) -> dict[str, Any]:
        check_range("sipGroupId", self.group_id, 1, 2**31 - 1)
        if self.key is not None:
            check_range("toSeatKey", self.key, 0, 9)
        check_range("outboundControl", self.outbound_control, 0, 1)
        check_range("calloutRate", self.callout_rate, 1, 100)
        return {
            "toSeat": 1,
            "sipGroupId": self.group_id,
            "outboundControl": self.outbound_control,
            "calloutRate": self.callout_rate,
            "toSeatKey": self.key or 0,
            "toSeatType": 1 if self.key is None else 2,
        }


NO_AGENT = {
    "toSeat": 0,
    "sipGroupId": 0,
    "outboundControl": 0,
    "calloutRate": 0,
    "toSeatKey": 0,
    "toSeatType": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCall:
    """What group/call/send takes. `send_at` is aware, None for now; windows are times of day in the vendor's zone."""

    app_id: str
    task_name: str  # 2 to 64 characters, never used before
    announcement: Announcement
    numbers: Sequence[str]
    max_talk: int  # seconds after the answer (`maxCalls`)
    loop_count: int = 1
    max_ringing_time: int = 60
    display_number: str = ""
    send_at: dt.datetime | None = None
    windows: Sequence[Window] = ()
    hang_up_sms: HangUpSms | None = None
    to_agent: ToAgent | None = None
    delay_play: int | None = None
    delay_hangup: int | None = None

    def fields(self, zone: Any = times.DEFAULT_ZONE) -> dict[str, Any]:
        """The fields in the documented order. InvalidRequest names the parameter whose limit is broken."""
        check_app_id(self.app_id)
        check_length("taskName", self.task_name, 2, 64)
        check_count("numberList", len(self.numbers), MAX_NUMBERS, "numbers")
        for number in self.numbers:
            check_digits("numberList", number)
        check_range("loopCount", self.loop_count, 1, 9)
        check_range("maxCalls", self.max_talk, 1, MAX_TALK)
        check_range("maxRingingTime", self.max_ringing_time, 20, 120)
        if self.display_number:
            check_digits("displayNum", self.display_number, 1, 20)
        spoken = self.announcement.fields()
        sms = self.hang_up_sms.fields() if self.hang_up_sms else NO_SMS
        agent = self.to_agent.fields() if self.to_agent else NO_AGENT
        fields = {
            "appId": self.app_id,
            "taskName": self.task_name,
            "source": spoken.pop("source"),
            "loopCount": self.loop_count,
            "maxCalls": self.max_talk,
            "hangUpSms": sms["hangUpSms"],
            **agent,
            "numberList": list(self.numbers),
            "sendTime": self.send_at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") if self.send_at else None,
            "text": spoken.pop("text"),
            **{name: value for name, value in sms.items() if name != "hangUpSms"},
            "lan": spoken.pop("lan"),
            "displayNum": self.display_number,
            "maxRingingTime": self.max_ringing_time,
            "allowSendTime": _windows(self.windows),
        }
        return fields | spoken | delays(self.delay_play, self.delay_hangup)


class TaskStatus(IntEnum):
    WAITING = 0
    CALLING = 1
    FINISHED = 2
    FAILED = 3
    CANCELLED = 4
    PAUSED = 5
    SUBMITTING = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTask:
    """A task as the vendor sees it; None where nothing was said."""

    key: str
    name: str
    status: TaskStatus | None
    raw_status: str
    total: int | None
    called: int | None
    succeeded: int | None
    failed: int | None
    sms_sent: int | None
    cost: Decimal | None
    created_at: dt.datetime | None
    send_at: dt.datetime | None


class GroupCallApi(Interfaces):
    family = Family.VOICE

    def __init__(
        self, transport: Transport, zone: ZoneInfo = times.DEFAULT_ZONE, *, number_info_list: bool = False
    ) -> None:
        super().__init__(transport, zone)
        self._number_info_list = number_info_list  # instead of numberList (laaffic-api#ambiguities 12)

    def send(self, task: GroupCall) -> str:
        """POST /voice/group/call/send: the new task's key; "" where none is told.

        −20: a task of this name exists; after an answer that was lost it says that the first request arrived.
        """
        return text(self._post("/voice/group/call/send", self._fields(task)).body.get("data"))

    def update(self, key: str, task: GroupCall) -> None:
        """POST /voice/group/call/update: another task in its place, as long as it has not begun."""
        self._post("/voice/group/call/update", {"keyId": _key(key), **self._fields(task)})

    def resend(self, key: str, task: GroupCall, *, failed_only: bool) -> str:
        """POST /voice/group/call/resend: a new task for everybody of a finished one, or the failed. Its key."""
        body = {"keyId": _key(key), "resendType": int(failed_only), **self._fields(task)}
        return text(self._post("/voice/group/call/resend", body).body.get("data"))

    def _fields(self, task: GroupCall) -> dict[str, Any]:
        fields = task.fields(self._zone)
        if self._number_info_list:
            fields["numberInfoList"] = [{"calleeNumber": number} for number in fields.pop("numberList")]
        return fields

    def cancel(self, keys: Sequence[str]) -> None:
        """POST /voice/group/call/cancel: −54 where a task is not of this kind."""
        check_count("taskIdList", len(keys), 100, "tasks")
        self._post("/voice/group/call/cancel", {"taskIdList": [_key(key) for key in keys]})

    def tasks(
        self,
        *,
        start: dt.datetime,
        end: dt.datetime,
        search: str = "",
        statuses: Sequence[TaskStatus] = (),
        current: int = 1,
    ) -> Page[GroupTask]:
        """POST /voice/group/call/query: tasks made in a period; `search` finds a part of a name."""
        params: dict[str, Any] = {
            "strTime": start.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S"),
            "endTime": end.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S"),
        }
        if statuses:
            params["statusList"] = [int(status) for status in statuses]
        if search:
            params["searchCondition"] = search
        envelope = self._post("/voice/group/call/query", pages.request(current, LARGEST_PAGE, params))
        return pages.read_page(envelope, current, "voice/group/call/query", self._task)

    def every_task(self, *, start: dt.datetime, end: dt.datetime, search: str = "") -> Iterator[GroupTask]:
        for page in pages.every_page(
            lambda current: self.tasks(start=start, end=end, search=search, current=current),
            "voice/group/call/query",
            name_of=lambda task: task.key or task.name,
        ):
            yield from page.records

    def find(self, name: str, *, start: dt.datetime, end: dt.datetime) -> GroupTask | None:
        """The task of exactly this name, or None: the query finds parts of names."""
        found = self.every_task(start=start, end=end, search=name)
        return next((task for task in found if task.name == name), None)

    def _task(self, row: dict[str, Any]) -> GroupTask:
        key, name = text(row.get("jobId")) or text(row.get("taskId")), text(row.get("taskName"))
        if not (key or name):
            raise MalformedRecord("a task without jobId and taskName")
        raw = code(row.get("status"))
        return GroupTask(
            key=key,
            name=name,
            status=TaskStatus(int(raw)) if raw in {str(int(status)) for status in TaskStatus} else None,
            raw_status=raw,
            total=count(row.get("numCnt")),
            called=count(row.get("callNum")),
            succeeded=count(row.get("success")),
            failed=count(row.get("fail")),
            sms_sent=count(row.get("sendSmsNum")),
            cost=money(row.get("cost")),
            created_at=times.from_text(row.get("createdTime"), self._zone),
            send_at=times.from_text(row.get("sendTime"), self._zone),
        )


def _windows(windows: Sequence[Window]) -> list[dict[str, str]]:
    if len(windows) > MAX_WINDOWS:
        raise InvalidRequest("allowSendTime", f"{len(windows)} windows; at most {MAX_WINDOWS}")
    for start, end in windows:
        if start >= end:
            raise InvalidRequest("allowSendTime", f"a window from {start:%H:%M} to {end:%H:%M} ends before it starts")
    return [{"strTime": f"{start:%H:%M}", "endTime": f"{end:%H:%M}"} for start, end in windows]


def _key(key: str) -> int:
    if not (key.isascii() and key.isdecimal() and len(key) <= 19 and int(key) <= HIGHEST_KEY):
        raise InvalidRequest("keyId", f"{key!r} is not a key of a task")
    return int(key)
