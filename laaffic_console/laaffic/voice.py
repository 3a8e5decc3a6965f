"""Single calls, SIP phones, audio files and call records."""

import base64
import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from laaffic_console.laaffic import pages, times
from laaffic_console.laaffic.call_records import CallRecord, from_row
from laaffic_console.laaffic.codes import SUCCESS, Family
from laaffic_console.laaffic.envelope import Envelope
from laaffic_console.laaffic.errors import InvalidRequest, OutcomeUnknown
from laaffic_console.laaffic.interfaces import (
    Interfaces,
    check_app_id,
    check_count,
    check_digits,
    check_length,
    check_range,
)
from laaffic_console.laaffic.pages import LARGEST_PAGE, MalformedRecord, Page
from laaffic_console.laaffic.reports import code, count, digits, text
from laaffic_console.laaffic.tts import Spoken

AUDIO_TYPES = ("mp3", "m4a", "wav")
MAX_AUDIO = 5 * 1024 * 1024  # bytes; no page states it (laaffic-api#ambiguities 31)
MAX_CALLED_INFO = 1000
MAX_NEW_PHONES = 50
MAX_ACCOUNT = 64  # of a SIP phone; no page states it
MAX_PLAYED_TO = 1000  # older documents: 500, 200
MAX_RECORD_DAYS = 31
RECORDS_KEPT_DAYS = 58  # "the last two months", of which February and another have 59 days


@dataclass(frozen=True, slots=True)
class SipPhone:
    """A phone that calls can start from. The vendor sends its password along, and it is dropped before this exists."""

    account: str
    group: str
    name: str
    display_number: str
    unread: frozenset[str] = frozenset()  # fields about which the row says nothing that can be read


@dataclass(frozen=True, slots=True)
class UploadedAudio:
    file_id: str
    name: str
    uploaded_at: dt.datetime | None
    seconds: int | None


@dataclass(frozen=True, slots=True)
class PlayedTo:
    """What happened to one number of a `play`: accepted, or why not. The call's own end is its record's."""

    number: str
    voice_id: str
    code: str
    reason: str

    @property
    def is_accepted(self) -> bool:
        return self.code == SUCCESS


class VoiceApi(Interfaces):
    family = Family.VOICE

    def call(self, *, app_id: str, account: str, callee: str, display_number: str = "", called_info: str = "") -> str:
        """POST /voice/sendSip: rings the SIP phone, then the callee. The voice id; "" where none is told.

        `called_info` comes back in the record: the one mark to find a call by. −68: the phone is busy.
        """
        check_app_id(app_id)
        check_length("account", account, 1, MAX_ACCOUNT)
        body = {"appId": app_id, **_callee_fields(callee, display_number), "account": account}
        return self._id(self._post("/voice/sendSip", body | _called_info(called_info)).body)

    def speak(
        self, *, app_id: str, callee: str, spoken: Spoken, display_number: str = "", called_info: str = ""
    ) -> str:
        """POST /voice/sendCode: a text spoken to one number. The voice id; "" where none is told."""
        check_app_id(app_id)
        body = {"appId": app_id, **_callee_fields(callee, display_number), **spoken.fields()}
        return self._id(self._post("/voice/sendCode", body | _called_info(called_info)).body)

    def phones(self, *, app_id: str, current: int = 1, size: int = LARGEST_PAGE) -> Page[SipPhone]:
        """POST /voice/sipQuery, which lists phones and not calls."""
        check_app_id(app_id)
        envelope = self._post_for_secret("/voice/sipQuery", pages.request(current, size, {"appId": app_id}))
        return pages.read_page(envelope, current, "voice/sipQuery", _phone)

    def add_phones(self, *, app_id: str, group: str, name: str, quantity: int = 1, display_number: str = "") -> None:
        """POST /voice/sipAdd: new phones in a group. The list tells their accounts.

        Refused with −20 where the application has a phone of that name, with −23 where it may have no more.
        """
        check_app_id(app_id)
        check_length("groupName", group, 4, 32)
        check_length("phoneName", name, 4, 32)
        check_range("quantity", quantity, 1, MAX_NEW_PHONES)
        body: dict[str, Any] = {"appId": app_id, "groupName": group, "phoneName": name, "quantity": quantity}
        if display_number:
            check_digits("displayNum", display_number, 7, 13)
            body["displayNum"] = display_number
        self._post("/voice/sipAdd", body)

    def reset_password(self, *, app_id: str, account: str) -> str:
        """POST /voice/sipReset: a SIP phone's new password; the one before is good no more."""
        check_app_id(app_id)
        check_length("account", account, 4, 32)
        data = self._post_for_secret("/voice/sipReset", {"appId": app_id, "account": account}).body.get("data")
        password = _first(data, "password", "sipPassword") if isinstance(data, dict) else text(data)
        if not password:
            raise OutcomeUnknown("the answer holds no password", interface="voice/sipReset")
        return password

    def play(
        self,
        *,
        app_id: str,
        file_id: str,
        numbers: Sequence[str],
        display_number: str = "",
        max_duration: int | None = None,
        max_ringing_time: int = 60,
        loop_count: int = 1,
        called_info: str = "",
    ) -> list[PlayedTo]:
        """POST /voice/sendGroup: an uploaded file to at most 1,000 numbers, each told apart.

        A number that the answer leaves out was not accepted, as with an SMS.
        """
        check_app_id(app_id)
        check_length("fileId", file_id, 1, 120)
        check_count("callee", len(numbers), MAX_PLAYED_TO, "numbers")
        for number in numbers:
            check_digits("callee", number)
        check_range("loopCount", loop_count, 1, 9)
        check_range("maxRingingTime", max_ringing_time, 20, 120)
        body: dict[str, Any] = {"appId": app_id, "fileId": file_id, "callee": ",".join(numbers)}
        body |= {"loopCount": loop_count, "maxRingingTime": max_ringing_time}
        if max_duration is not None:
            check_range("maxDuration", max_duration, 1, 120)
            body["maxDuration"] = max_duration
        if display_number:
            check_digits("displayNum", display_number)
            body["displayNum"] = display_number
        data = self._post("/voice/sendGroup", body | _called_info(called_info)).body.get("data")
        if not isinstance(data, list):
            raise OutcomeUnknown("the answer names no calls", interface="voice/sendGroup")
        return pages.read_rows(data, _played_to)[0]

    def upload_audio(self, *, file_name: str, data: bytes, at_most: int = MAX_AUDIO) -> str:
        """POST /voice/fileUpload: the file's id, "" where none is told.

        Names are unique in an account: −20 after an answer that was lost says that the first upload arrived.
        """
        check_audio_name(file_name)
        if not data:
            raise InvalidRequest("file", "the file is empty")
        if len(data) > at_most:
            raise InvalidRequest("file", f"{len(data):,} bytes; an audio file has at most {at_most:,}")
        body = {"fileName": file_name, "file": base64.b64encode(data).decode()}
        return self._id(self._post("/voice/fileUpload", body).body)

    def audio_files(self, *, app_id: str = "", current: int = 1) -> Page[UploadedAudio]:
        """POST /voice/fileQuery: what has been uploaded. No page shows a record: its names are tried."""
        params = {"appId": app_id} if app_id else {}
        envelope = self._post("/voice/fileQuery", pages.request(current, LARGEST_PAGE, params))
        return pages.read_page(envelope, current, "voice/fileQuery", self._audio_file)

    def every_audio_file(self, *, app_id: str = "") -> Iterator[UploadedAudio]:
        for page in pages.every_page(
            lambda current: self.audio_files(app_id=app_id, current=current), "voice/fileQuery", name_of=pages.itself
        ):
            yield from page.records

    def sip_records(self, *, start: dt.datetime, end: dt.datetime, current: int = 1) -> Page[CallRecord]:
        """POST /voice/recordSipQuery: calls from SIP phones, a hundred a page, at most 31 days."""
        return self._records("/voice/recordSipQuery", start, end, current)

    def group_records(self, *, start: dt.datetime, end: dt.datetime, current: int = 1) -> Page[CallRecord]:
        """POST /voice/recordGroupQuery: group calls and TTS messages."""
        return self._records("/voice/recordGroupQuery", start, end, current)

    def sip_record(self, voice_id: str) -> CallRecord | None:
        """GET /voice/recordSip/{voiceId}; None as long as there is none."""
        return self._record("/voice/recordSip/", voice_id)

    def group_record(self, voice_id: str) -> CallRecord | None:
        """GET /voice/recordGroup/{voiceId}: one group call or TTS message; None as long as there is none."""
        return self._record("/voice/recordGroup/", voice_id)

    def _post_for_secret(self, path: str, body: object) -> Envelope:
        """An answer that holds passwords: of what came of it, nothing is cited."""
        try:
            return self._post(path, body)
        except OutcomeUnknown as problem:
            raise OutcomeUnknown(
                problem.message, interface=problem.interface, code=problem.code, http_status=problem.http_status
            ) from None

    def _records(self, path: str, start: dt.datetime, end: dt.datetime, current: int) -> Page[CallRecord]:
        if start >= end or end - start > dt.timedelta(days=MAX_RECORD_DAYS):
            raise InvalidRequest("endTime", f"a window lasts at most {MAX_RECORD_DAYS} days and ends after it starts")
        window = {"strTime": times.for_query(start, self._zone), "endTime": times.for_query(end, self._zone)}
        envelope = self._post(path, pages.request(current, LARGEST_PAGE, window))
        return pages.read_page(envelope, current, path.strip("/"), lambda row: from_row(row, self._zone))

    def _record(self, path: str, voice_id: str) -> CallRecord | None:
        if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", voice_id):
            raise InvalidRequest("voiceId", f"{voice_id!r} is not an id of a call")
        data = self._get(path + voice_id, {}).body.get("data")
        if isinstance(data, list):
            data = data[0] if data else None
        if not isinstance(data, dict) or not data:
            return None
        return from_row({str(key).strip(): value for key, value in data.items()}, self._zone)

    def _audio_file(self, row: dict[str, Any]) -> UploadedAudio:
        file_id = _first(row, "fileId", "voiceFileId", "id")
        name = _first(row, "fileName", "voiceFileName", "name")
        if not (file_id or name):
            raise MalformedRecord("a file without id and name")
        return UploadedAudio(
            file_id=file_id,
            name=name,
            uploaded_at=times.from_text(_first(row, "createdTime", "createTime", "uploadTime"), self._zone),
            seconds=count(row.get("duration")),
        )

    def _id(self, body: dict[str, Any]) -> str:
        """`data` is the id; the sample of one document has none (laaffic-api#ambiguities 10)."""
        data = body.get("data")
        return _first(data, "voiceId", "fileId", "id") if isinstance(data, dict) else text(data)


def check_audio_name(name: str) -> None:
    """5 to 32 characters with the suffix, which is one of AUDIO_TYPES."""
    check_length("fileName", name, 5, 32)
    if name.rpartition(".")[2].lower() not in AUDIO_TYPES:
        raise InvalidRequest("fileName", f"{name!r} ends with none of .{', .'.join(AUDIO_TYPES)}")


def call_record_pages(
    ask: Callable[..., Page[CallRecord]], *, start: dt.datetime, end: dt.datetime
) -> Iterator[Page[CallRecord]]:
    """All pages of `sip_records` or `group_records` over one window; IncompleteList where some cannot have come."""
    return pages.every_page(
        lambda current: ask(start=start, end=end, current=current), "the call records", name_of=pages.itself
    )


def oldest_call_record(now: dt.datetime) -> dt.datetime:
    """The moment before which the record queries have no calls."""
    return now - dt.timedelta(days=RECORDS_KEPT_DAYS) + dt.timedelta(minutes=1)


def call_record_windows(
    start: dt.datetime, end: dt.datetime, now: dt.datetime
) -> list[tuple[dt.datetime, dt.datetime]]:
    """A period cut to what the record queries allow: not before two months ago, windows of at most 31 days."""
    cursor, end = max(start, oldest_call_record(now)), min(end, now)
    windows = []
    while cursor < end:
        stop = min(cursor + dt.timedelta(days=MAX_RECORD_DAYS), end)
        windows.append((cursor, stop))
        cursor = stop
    return windows


def _callee_fields(callee: str, display_number: str) -> dict[str, str]:
    check_digits("callee", callee)
    fields = {"callee": callee}
    if display_number:
        check_digits("displayNum", display_number)
        fields["displayNum"] = display_number
    return fields


def _called_info(given: str) -> dict[str, str]:
    check_length("calledInfo", given, 0, MAX_CALLED_INFO)
    return {"calledInfo": given} if given else {}


def _played_to(row: dict[str, Any]) -> PlayedTo:
    number = digits(row.get("callee"))
    if not number:
        raise MalformedRecord("a call without its number")
    return PlayedTo(
        number=number,
        voice_id=text(row.get("voiceId")),
        code=code(row.get("terminationCode")),
        reason=text(row.get("terminationReason")),
    )


def _phone(row: dict[str, Any]) -> SipPhone:
    account = text(row.get("account"))
    if not account:
        raise MalformedRecord("a phone without an account")
    if len(account) > MAX_ACCOUNT:
        raise MalformedRecord(f"a phone with an account of {len(account)} characters")
    return SipPhone(
        account=account,
        group=text(row.get("groupName")),
        name=text(row.get("phoneName")),
        display_number=text(row.get("displayNum")),
        unread=pages.unread(row, {"groupName": "group", "phoneName": "name", "displayNum": "display_number"}),
    )


def _first(row: dict[str, Any], *names: str) -> str:
    return next((said for name in names if (said := text(row.get(name)))), "")
