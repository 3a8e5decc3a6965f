"""Group-call tasks as the gateway handles them: they run by the clock, inside their windows."""

import datetime as dt
import itertools
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from laaffic_console.sandbox.calls import Call, made
from laaffic_console.sandbox.families import FamilyOfInterfaces, Gateway, Route
from laaffic_console.sandbox.parameters import integer, page_of, text
from laaffic_console.sandbox.protocol import Refusal, check_application, success
from laaffic_console.sandbox.store import ZONE
from laaffic_console.sandbox.voice import VOICE_REASONS

WAITING, CALLING, FINISHED, CANCELLED = 0, 1, 2, 4
MOST_NUMBERS = 200_000

Window = tuple[int, int]  # minutes of the day


@dataclass(slots=True)
class Task:
    key: int
    name: str
    given: dict[str, Any]
    created_at: float
    calls: list[Call]
    cancelled_at: float | None = None
    counted: int = 0  # calls that have ended and were counted
    ends: Counter[str] = field(default_factory=Counter)

    def status(self, now: float) -> int:
        if self.cancelled_at is not None:
            return CANCELLED
        if not self.calls or now < self.calls[0].started_at:
            return WAITING
        return CALLING if any(call.ended_at > now for call in self.calls) else FINISHED


class GroupCallInterfaces(FamilyOfInterfaces):
    reasons = VOICE_REASONS

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.log = gateway.calls
        self.forget()

    def forget(self) -> None:
        self.tasks: dict[int, Task] = {}
        # Starts at the current time: a console keeps its old tasks when its sandbox is started again.
        self._keys = itertools.count(int(time.time()))

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/voice/group/call/send", self.send, acts=True),
            Route("POST", "/voice/group/call/update", self.update, acts=True),
            Route("POST", "/voice/group/call/resend", self.resend, acts=True),
            Route("POST", "/voice/group/call/cancel", self.cancel, acts=True),
            Route("POST", "/voice/group/call/query", self.query),
        ]

    def send(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        name = self._checked(given)
        if any(task.name == name for task in self.tasks.values()):
            raise Refusal("-20")
        task = self._begin(given, name, numbers_of(given), now)
        # An integer here; the older document has nothing at all.
        return self._sent(task.key if self.options.dialect != "seed" else None)

    def _sent(self, key: int | None) -> dict[str, Any]:
        return success(self.options, **({} if key is None else {"data": key}))

    def update(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        task = self._task(given, "keyId")
        name = self._checked(given)
        if any(other.name == name and other is not task for other in self.tasks.values()):
            raise Refusal("-20")
        if task.status(now) != WAITING:
            raise Refusal("-37")
        self.log.drop({call.voice_id for call in task.calls})
        self.tasks[task.key] = self._made(given, name, numbers_of(given), now, task.key)
        return answer(None)

    def resend(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        task = self._task(given, "keyId")
        name = text(given, "taskName")
        if any(other.name == name for other in self.tasks.values()) or not 2 <= len(name) <= 64:
            raise Refusal("-20" if name else "-22")
        if task.status(now) not in (FINISHED, CANCELLED):
            raise Refusal("-37")
        failed_only = integer(given, "resendType", 0, 1) == 1
        numbers = [call.callee for call in task.calls if not (failed_only and call.is_answered)]
        if not numbers:
            raise Refusal("-34")
        return answer(self._begin(given | {"numberList": numbers}, name, numbers, now).key)

    def cancel(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        keys = given.get("taskIdList")
        if not isinstance(keys, list) or not keys:
            raise Refusal("-22", "taskIdList is empty")
        tasks = [self.tasks.get(key) if isinstance(key, int) else None for key in keys]
        if any(task is None or task.status(now) not in (WAITING, CALLING) for task in tasks):
            raise Refusal("-54")
        for task in tasks:
            if task is not None:
                task.cancelled_at = now
                self.log.drop({call.voice_id for call in task.calls if call.started_at > now})
                task.calls = [call for call in task.calls if call.started_at <= now]
        return answer(None)

    def query(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        params = given.get("params")
        if not isinstance(params, dict):
            raise Refusal("-22", "params is empty")
        start, end = clock(params, "strTime"), clock(params, "endTime")
        search, statuses = text(params, "searchCondition"), params.get("statusList") or list(range(7))
        found = [
            task
            for task in reversed(self.tasks.values())
            if start <= task.created_at <= end + 1 and task.status(now) in statuses and search in task.name
        ]
        return answer(page_of([self._row(task, now) for task in found], given))

    def _row(self, task: Task, now: float) -> dict[str, Any]:
        self._look(task, now)
        called = sum(call.started_at <= now for call in task.calls)
        answered = task.ends["answered"]
        return {
            "jobId": task.key,
            "taskName": task.name,
            "status": task.status(now),
            "rate": f"{100 * called / max(1, len(task.calls)):.2f}",
            "numCnt": len(numbers_of(task.given)),
            "callNum": called,
            "success": answered,
            "fail": task.ends["failed"],
            "sendSmsNum": task.ends["sms"],
            "successRate": f"{100 * answered / max(1, task.counted):.2f}",
            "createdTime": dt.datetime.fromtimestamp(task.created_at, ZONE).strftime("%Y-%m-%d %H:%M:%S"),
            "sendTime": text(task.given, "sendTime"),
        }

    def _look(self, task: Task, now: float) -> None:
        """Count the calls that have ended since the last look, and send the SMS that some of them cause."""
        by_end = sorted(task.calls, key=lambda call: call.ended_at)
        while task.counted < len(by_end) and by_end[task.counted].ended_at <= now:
            call = by_end[task.counted]
            task.counted += 1
            task.ends["answered" if call.is_answered else "failed"] += 1
            if wants_sms(task.given, call):
                task.ends["sms"] += 1
                self.store.accept(
                    text(task.given, "smsAppId"),
                    [call.callee],
                    text(task.given, "smsContent"),
                    text(task.given, "senderId"),
                    [""],
                    call.ended_at,
                )

    def _begin(self, given: dict[str, Any], name: str, numbers: list[str], now: float) -> Task:
        task = self._made(given, name, numbers, now, next(self._keys))
        self.tasks[task.key] = task
        return task

    def _made(self, given: dict[str, Any], name: str, numbers: list[str], now: float, key: int) -> Task:
        begin = max(now + 0.5, clock(given, "sendTime") if text(given, "sendTime") else now)
        times = starts(len(numbers), begin, self.options.group_calls_per_second, windows_of(given))
        calls = [
            made(
                self.options,
                number,
                voice_id=self.log.next_id(now),
                type_=1,
                at=at,
                longest=integer(given, "maxCalls", 1, 999),
                spoken=True,
                display_number=text(given, "displayNum"),
                task_key=key,
            )
            for number, at in zip(numbers, times, strict=True)
        ]
        for call in calls:
            self.log.add(call)
        return Task(key, name, given, now, calls)

    def _task(self, given: dict[str, Any], name: str) -> Task:
        task = self.tasks.get(integer(given, name, 1, 10**15))
        if task is None:
            raise Refusal("-24")
        return task

    def _checked(self, given: dict[str, Any]) -> str:
        """Check what the vendor's table asks of a task; the task's name."""
        check_application(text(given, "appId"), "voice", self.options)
        name = text(given, "taskName")
        if not 2 <= len(name) <= 64:
            raise Refusal("-22", "taskName has 2 to 64 characters")
        check_numbers(numbers_of(given))
        check_announcement(given)
        integer(given, "loopCount", 1, 9)
        integer(given, "maxCalls", 1, 999)
        integer(given, "maxRingingTime", 20, 120, 60)
        windows_of(given)
        if not re.fullmatch(r"[0-9]{0,20}", text(given, "displayNum")):
            raise Refusal("-22", "displayNum has at most 20 digits")
        check_hang_up_sms(given)
        check_agent(given)
        return name


def numbers_of(given: dict[str, Any]) -> list[str]:
    """The numbers, from `numberList` or the newer pages' `numberInfoList` (laaffic-api#ambiguities 12)."""
    listed, detailed = given.get("numberList"), given.get("numberInfoList")
    if isinstance(listed, list) and listed:
        return [str(number) for number in listed]
    if isinstance(detailed, list) and all(isinstance(entry, dict) for entry in detailed):
        return [text(entry, "calleeNumber") for entry in detailed]
    return []


def check_numbers(numbers: list[str]) -> None:
    if not numbers:
        raise Refusal("-8")
    if len(numbers) > MOST_NUMBERS:
        raise Refusal("-7")
    if not all(re.fullmatch(r"[0-9]{7,15}", number) for number in numbers):
        raise Refusal("-22", "a number has 7 to 15 digits")


def check_announcement(given: dict[str, Any]) -> None:
    source = integer(given, "source", 1, 3)
    if source == 1 and not text(given, "voiceFileId"):
        raise Refusal("-22", "voiceFileId is empty")
    if source == 2 and not (5 <= len(text(given, "uploadName")) <= 32 and text(given, "baseFile")):
        raise Refusal("-22", "uploadName or baseFile is wrong")
    if source == 3 and not (1 <= len(text(given, "text")) <= 1000 and text(given, "lan")):
        raise Refusal("-22", "text has 1 to 1000 characters, in a language")


def check_hang_up_sms(given: dict[str, Any]) -> None:
    if not integer(given, "hangUpSms", 0, 1, 0):
        return
    if not text(given, "smsAppId") or not 1 <= len(text(given, "smsContent")) <= 1000:
        raise Refusal("-22", "smsAppId or smsContent is wrong")
    flags = [integer(given, name, 0, 1) for name in ("feedbackPush", "successPush", "failedPush", "ringPush")]
    if not any(flags):
        raise Refusal("-22", "hangUpSms without a trigger")
    if flags[0]:
        integer(given, "feedbackValue", 0, 9)
    if flags[1]:
        integer(given, "successPushTime", 0, 9999, 10)


def check_agent(given: dict[str, Any]) -> None:
    if not integer(given, "toSeat", 0, 1, 0):
        return
    integer(given, "sipGroupId", 1, 2**31)
    integer(given, "calloutRate", 1, 100, 1)
    if integer(given, "toSeatType", 1, 2) == 2:
        integer(given, "toSeatKey", 0, 9)


def wants_sms(given: dict[str, Any], call: Call) -> bool:
    def asks(name: str) -> bool:
        return text(given, name) == "1"

    if not asks("hangUpSms"):
        return False
    lasted = call.is_answered and call.talk_seconds >= integer(given, "successPushTime", 0, 9999, 10)
    return (
        (asks("feedbackPush") and call.key == text(given, "feedbackValue"))
        or (asks("successPush") and lasted)
        or (asks("failedPush") and not call.is_answered)
        or asks("ringPush")
    )


def windows_of(given: dict[str, Any]) -> list[Window]:
    listed = given.get("allowSendTime") or []
    if not isinstance(listed, list) or len(listed) > 3:
        raise Refusal("-22", "allowSendTime has at most 3 windows")
    windows = [(minutes(entry, "strTime"), minutes(entry, "endTime")) for entry in listed]
    if any(start >= end for start, end in windows):
        raise Refusal("-22", "a window ends before it starts")
    return sorted(windows)


def minutes(entry: Any, name: str) -> int:
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text(entry, name) if isinstance(entry, dict) else "")
    if not match:
        raise Refusal("-11")
    return int(match.group(1)) * 60 + int(match.group(2))


def starts(count: int, begin: float, per_second: float, windows: list[Window]) -> list[float]:
    """When each call starts: so many per second, and only inside the daily windows."""
    times, at = [], begin
    for _ in range(count):
        at = next_allowed(at, windows)
        times.append(at)
        at += 1 / per_second
    return times


def next_allowed(at: float, windows: list[Window]) -> float:
    if not windows:
        return at
    day = dt.datetime.fromtimestamp(at, ZONE)
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    for start, end in windows:
        if at < midnight + end * 60:
            return max(at, midnight + start * 60)
    return midnight + 86400 + windows[0][0] * 60


def clock(given: dict[str, Any], name: str) -> float:
    """The moment of a `yyyy-MM-dd HH:mm:ss` in the platform's zone."""
    try:
        return dt.datetime.strptime(text(given, name), "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE).timestamp()
    except ValueError:
        raise Refusal("-11") from None


def answer(data: Any) -> dict[str, Any]:
    """The answer of this family: `code` and `msg`, except for the sending itself (laaffic-api#answers)."""
    return {"code": 0, "msg": "success", "data": data}
