"""Single calls, SIP phones, audio files and records as the gateway handles them."""

import base64
import binascii
import itertools
import re
import time
from functools import partial
from typing import Any

from laaffic_console.sandbox.calls import Call, as_record, iso, made
from laaffic_console.sandbox.families import Door, FamilyOfInterfaces, Gateway, Route
from laaffic_console.sandbox.parameters import integer, moment, months_before, page_of, text
from laaffic_console.sandbox.protocol import REASONS, Refusal, check_application, success

LONGEST = 31 * 86400
MOST_PHONES = 500
MAGIC = {  # the first bytes of a file of each kind, and where
    "mp3": [(0, b"ID3"), (0, b"\xff\xfb"), (0, b"\xff\xf3"), (0, b"\xff\xf2"), (0, b"\xff\xfa")],
    "m4a": [(4, b"ftyp")],
    "wav": [(0, b"RIFF")],
}
VOICE_REASONS = REASONS | {
    "-20": "Data already exists",
    "-21": "Data verification failed",
    "-23": "The data has reached its limit",
    "-24": "Data does not exist",
    "-34": "There are no callable numbers",
    "-37": "The task status does not allow this operation",
    "-54": "Task error",
    "-68": "The SIP phone is not idle",
}


class VoiceInterfaces(FamilyOfInterfaces):
    reasons = VOICE_REASONS

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        self.log = gateway.calls
        self.forget()

    def forget(self) -> None:
        self.log.forget()
        self.files: dict[str, dict[str, Any]] = {}
        self._passwords = itertools.count(1)
        self.phones = [
            {
                "groupName": "sipGroup",
                "phoneName": f"sip-{index}",
                "account": f"test_{index:03d}",
                "password": f"pw{index:06d}",  # the vendor sends it unencrypted
                "displayNum": "861000000",
            }
            for index in range(1, self.options.sip_phones + 1)
        ]

    def routes(self) -> list[Route]:
        routes = [
            Route("POST", "/voice/sendSip", self.call, acts=True),
            Route("POST", "/voice/sipQuery", self.query_phones),
            Route("POST", "/voice/sipAdd", self.add_phones, acts=True),
            Route("POST", "/voice/sipReset", self.reset_password, acts=True),
            Route("POST", "/voice/sendGroup", self.play, acts=True),
            Route("POST", "/voice/sendCode", self.speak, acts=True),
            Route("POST", "/voice/fileUpload", self.upload, acts=True),
            Route("POST", "/voice/fileQuery", self.query_files),
            Route("POST", "/voice/recordSipQuery", lambda given, now: self.query_records(given, now, 3, 4)),
            Route("POST", "/voice/recordGroupQuery", lambda given, now: self.query_records(given, now, 1, 2)),
        ]
        for path, types in (("/voice/recordSip/{voiceId}", (3, 4)), ("/voice/recordGroup/{voiceId}", (1, 2))):
            routes.append(Route("GET", path, partial(self.one_record, types=types)))
        return routes

    def doors(self) -> list[tuple[str, str, Door]]:
        return [("GET", "/calls", self._door_calls)]

    def call(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        check_application(text(given, "appId"), "voice", self.options)
        callee, display_number = callee_of(given)
        account = text(given, "account")
        phone = next((phone for phone in self.phones if phone["account"] == account), None)
        if phone is None:
            raise Refusal("-22", "no such account")
        if account in self.options.busy_phones or any(
            call.account == account and call.ended_at > now for call in self.log.calls.values()
        ):
            raise Refusal("-68")
        made_call = self._made(
            given, callee, now, 3, longest=3600, spoken=False, display_number=display_number, account=account
        )
        made_call.phone_name = phone["phoneName"]
        return self._accepted(made_call)

    def speak(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        check_application(text(given, "appId"), "voice", self.options)
        callee, display_number = callee_of(given)
        words = text(given, "text")
        if not words or len(words) > 1000:
            raise Refusal("-22", "text has 1 to 1000 characters")
        if not re.fullmatch(r"[A-Z]{2,5}", text(given, "language")):
            raise Refusal("-22", "language is not a code")
        rate_of(given)
        integer(given, "loopCount", 1, 9, 1)
        if integer(given, "recallCount", 0, 9, 0):
            integer(given, "recallInterval", 1, 999, 5)
        longest = integer(given, "maxDuration", 1, 120, 120)
        integer(given, "maxRingingTime", 20, 120, 60)
        integer(given, "delayPlay", 0, 999, 0)
        integer(given, "delayHangup", 0, 999, 0)
        if callee in self.faults.abnormal:
            raise Refusal("-22", "callee cannot be called")
        return self._accepted(
            self._made(given, callee, now, 2, longest=longest, spoken=True, display_number=display_number)
        )

    def _made(self, given: dict[str, Any], callee: str, now: float, type_: int, **how: Any) -> Call:
        called_info = text(given, "calledInfo")
        if len(called_info) > 1000:
            raise Refusal("-22", "calledInfo has at most 1000 characters")
        if not self.store.has_funds([([callee], "a call")]):
            raise Refusal("-10")
        voice_id = self.log.next_id(now)
        return made(self.options, callee, voice_id=voice_id, type_=type_, at=now, called_info=called_info, **how)

    def _accepted(self, call: Call) -> dict[str, Any]:
        self.log.add(call)
        return success(self.options, **({} if self.options.dialect == "seed" else {"data": call.voice_id}))

    def query_phones(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        params = given.get("params")
        app_id = text(params, "appId") if isinstance(params, dict) else text(given, "appId")
        check_application(app_id, "voice", self.options)
        integer(given, "current", 1, 10**9)
        integer(given, "size", 1, 100)
        return success(self.options, data=page_of(self.phones, given))

    def add_phones(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        check_application(text(given, "appId"), "voice", self.options)
        group, name = text(given, "groupName"), text(given, "phoneName")
        if not (4 <= len(group) <= 32 and 4 <= len(name) <= 32):
            raise Refusal("-22", "groupName and phoneName have 4 to 32 characters")
        quantity = integer(given, "quantity", 1, 50)
        display_number = text(given, "displayNum")
        if display_number and not re.fullmatch(r"[0-9]{7,13}", display_number):
            raise Refusal("-22", "displayNum has 7 to 13 digits")
        names = [name] if quantity == 1 else [f"{name}-{n}" for n in range(1, quantity + 1)]
        if {phone["phoneName"] for phone in self.phones} & {name, *names}:
            raise Refusal("-20")
        if len(self.phones) + quantity > MOST_PHONES:
            raise Refusal("-23")
        for new in names:
            account = f"test_{len(self.phones) + 1:03d}"
            phone = {"groupName": group, "phoneName": new, "account": account, "password": self._password()}
            self.phones.append(phone | {"displayNum": display_number})
        return success(self.options, data=None)

    def reset_password(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        check_application(text(given, "appId"), "voice", self.options)
        account = text(given, "account")
        phone = next((phone for phone in self.phones if phone["account"] == account), None)
        if phone is None:
            raise Refusal("-24")
        phone["password"] = self._password()
        return success(self.options, data=phone["password"])

    def _password(self) -> str:
        return f"new-pw{next(self._passwords):04d}"

    def play(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        check_application(text(given, "appId"), "voice", self.options)
        numbers = text(given, "callee").split(",")
        if len(numbers) > 1000:
            raise Refusal("-22", "callee names at most 1000 numbers")
        if text(given, "fileId") not in {file["fileId"] for file in self.files.values()}:
            raise Refusal("-22", "no such fileId")
        longest = integer(given, "maxDuration", 1, 120, 120)
        integer(given, "maxRingingTime", 20, 120, 60)
        integer(given, "loopCount", 1, 9, 1)
        rows = []
        for number in numbers:
            callee, shown = callee_of(given | {"callee": number})
            if callee in self.faults.abnormal:
                told = {"voiceId": "", "terminationCode": "-9", "terminationReason": "Abnormal phone number"}
            else:
                call = self._made(given, callee, now, 1, longest=longest, spoken=True, display_number=shown)
                self.log.add(call)
                told = {"voiceId": call.voice_id, "terminationCode": "0", "terminationReason": "success"}
            rows.append({"callee": callee, **told})
        return success(self.options, data=rows)

    def upload(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        name = text(given, "fileName")
        suffix = name.rpartition(".")[2].lower()
        if not 5 <= len(name) <= 32 or suffix not in MAGIC:
            raise Refusal("-22", "fileName has 5 to 32 characters and ends with .mp3, .m4a or .wav")
        if name in self.files:
            raise Refusal("-20")
        try:
            content = base64.b64decode(text(given, "file"), validate=True)
        except (binascii.Error, ValueError):
            raise Refusal("-21") from None
        if (
            not any(content[at:].startswith(magic) for at, magic in MAGIC[suffix])
            or len(content) > self.options.audio_bytes
        ):
            raise Refusal("-21")
        file_id = f"{self.log.next_id(now)}.{suffix}"
        self.files[name] = {"fileId": file_id, "fileName": name, "size": len(content), "createdTime": iso(now)}
        return success(self.options, **({} if self.options.dialect == "seed" else {"data": file_id}))

    def query_files(self, given: dict[str, Any], now: float) -> dict[str, Any]:
        return success(self.options, data=page_of(list(self.files.values()), given))

    def query_records(self, given: dict[str, Any], now: float, *types: int) -> dict[str, Any]:
        params = given.get("params")
        if not isinstance(params, dict):
            raise Refusal("-22", "params is empty")
        start, end = moment(params, "strTime"), moment(params, "endTime")
        if end < start or end - start > LONGEST or start < months_before(now, 2):
            raise Refusal("-25")
        found = [call for call in self.log.ended(now, *types) if start <= call.started_at <= end + 1]
        page = page_of(sorted(found, key=lambda call: call.started_at), given)
        page["records"] = [as_record(call, self.options) for call in page["records"]]
        return success(self.options, data=page | {"searchCount": True})

    def one_record(self, given: dict[str, Any], now: float, *, types: tuple[int, ...]) -> dict[str, Any]:
        call = self.log.calls.get(text(given, "voiceId"))
        if call is None or call.ended_at > now or call.type not in types:
            return success(self.options, data=None)
        return success(self.options, data=as_record(call, self.options))

    def _door_calls(self, given: dict[str, Any]) -> dict[str, Any]:
        """Every call, the oldest first, ended or not."""
        now = time.time() + self.options.clock_offset
        rows = [
            as_record(call, self.options)
            | {"ended": call.ended_at <= now, "type": call.type, "accepted_at": call.started_at}
            for call in self.log.calls.values()
        ]
        return {"total": len(rows), "calls": rows}

    def received(self, now: float) -> dict[str, list[dict[str, Any]]]:
        rows = []
        for call in list(self.log.calls.values())[-100:]:
            if call.started_at > now:
                continue
            state = "ringing" if now < call.started_at + call.ring_seconds else "talking"
            ended = f"{call.reason}, {round(call.talk_seconds)} s" if call.is_answered else call.reason
            rows.append(
                {
                    "phone": "+" + call.callee,
                    "from": call.display_number or call.account,
                    "kind": {1: "group call", 2: "spoken text", 3: "SIP phone", 4: "SIP phone"}[call.type],
                    "state": ended if call.ended_at <= now else state,
                    "key": "" if call.key == "-1" else call.key,
                }
            )
        return {"Calls": rows[::-1]}


def callee_of(given: dict[str, Any]) -> tuple[str, str]:
    callee, display_number = text(given, "callee"), text(given, "displayNum")
    if not re.fullmatch(r"[0-9]{7,15}", callee):
        raise Refusal("-22", "callee has 7 to 15 digits")
    if display_number and not re.fullmatch(r"[0-9]{7,15}", display_number):
        raise Refusal("-22", "displayNum has 7 to 15 digits")
    return callee, display_number


def rate_of(given: dict[str, Any]) -> None:
    try:
        rate = float(text(given, "speakingRate") or 1)
    except ValueError:
        rate = 0.0
    if not 0.25 <= rate <= 4:
        raise Refusal("-22", "speakingRate is from 0.25 to 4")
