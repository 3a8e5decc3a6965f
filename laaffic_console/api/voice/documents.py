"""Calls, audio files and group calls as the API shows them; numbers are masked."""

from decimal import Decimal
from typing import Any

from laaffic_console.api.documents import REQUESTS_SHOWN, moment, request
from laaffic_console.gateway.models import LedgerEntry
from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.words.said import read
from laaffic_console.laaffic import UploadedAudio
from voice.exports import task_recipient_exports
from voice.models import Announcement, AudioFile, CallRecord, GroupTask, SipCall, SipPhone
from voice.services.calls import matching as call_matching
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import callees as group_callees
from voice.services.group_calls import states as group_state
from voice.services.group_calls import tasks as group_tasks
from voice.services.spoken.options import GENDERS


def _amount(cost: Decimal | None) -> str | None:
    return None if cost is None else f"{cost:.6f}"


def phone(row: SipPhone) -> dict[str, Any]:
    return {
        "id": row.pk,
        "application": row.application.app_id,
        "account": row.account,
        "group": row.group_name,
        "name": row.name,
        "display_number": row.display_number,
        "last_seen_at": moment(row.last_seen_at),
    }


def call(row: SipCall) -> dict[str, Any]:
    return {
        "id": row.pk,
        "application": row.application.app_id,
        "account": row.account,
        "number": masked(row.callee),
        "display_number": row.display_number,
        "state": row.entry.state if row.entry else None,
        "advice": in_text(calls.advice(row)),
        "voice_id": row.voice_id,
        "record": row.record_id,
        "created_at": moment(row.created_at),
    }


def lost_call(row: SipCall) -> dict[str, Any]:
    attempts = call_matching.attempts(row).order_by("-pk")[:REQUESTS_SHOWN]
    return {
        "id": row.pk,
        "state": row.entry.state if row.entry else None,
        "advice": in_text(calls.advice(row)),
        "seen": row.entry_id or 0,
        "requests": [request(one) for one in attempts],
    }


def added_phones(entry: LedgerEntry, app_id: str) -> dict[str, Any]:
    told = {name: entry.summary.get(name) for name in ("name", "quantity")}
    return {"id": entry.pk, "application": app_id, **told, "state": entry.state}


def elsewhere(file: UploadedAudio) -> dict[str, Any]:
    told = {name: getattr(file, name) for name in ("file_id", "name", "seconds")}
    return {**told, "uploaded_at": moment(file.uploaded_at)}


def record(row: CallRecord) -> dict[str, Any]:
    return {
        "id": row.pk,
        "voice_id": row.voice_id,
        "kind": row.kind,
        "number": masked(row.callee),
        "display_number": row.display_number,
        "outcome": row.outcome,
        "seconds": row.duration,
        "billed_seconds": row.charged,
        "cost": _amount(row.cost),
        "currency": row.currency,
        "key_pressed": row.key_pressed,
        "doubtful_cost": _amount(row.doubtful_cost),
        "doubtful_currency": row.doubtful_currency,
        "cost_word": in_text(row.cost_word),
        "at": moment(row.at),
    }


def audio(row: AudioFile) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "type": row.audio_type,
        "bytes": row.size,
        "seconds": row.seconds,
        "is_archived": row.is_archived,
        "file_id": row.file_id,
        "created_at": moment(row.created_at),
    }


def group_call(row: GroupTask) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "application": row.application.app_id,
        "state": row.state,
        "hold_reason": in_text(read(row.hold_reason)),
        "hold_kind": row.hold_kind,
        "advice": in_text(group_tasks.advice(row)),
        "task_name": row.task_name,
        "numbers": row.number_count,
        "twice": row.left_twice,
        "suppressed": row.left_suppressed,
        "no_consent": row.left_no_consent,
        "capped": row.left_capped,
        "invalid": row.left_invalid,
        "calendar": row.calendar.name if row.calendar else None,
        "not_after": moment(row.latest_end),
        "purpose": row.purpose,
        **{name: getattr(row, name) for name in ("called", "connected", "failed", "sms_sent")},
        "keys": row.keys_pressed,
        "cost": _amount(row.cost),
        "currency": row.currency,
        "scheduled_at": moment(row.send_at),
        "launched_at": moment(row.launched_at),
        "finished_at": moment(row.finished_at),
        **_content(row),
        "seen": group_tasks.content_digest(row),
    }


def _content(row: GroupTask) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("is_template", "kind", "text", "language", "accent", "windows")},
        "made_from": row.parent_id,
        "audio": row.audio.name if row.audio and row.source != Announcement.TEXT else None,
        "in_request": row.source == Announcement.IN_REQUEST,
        "gender": next((name for name, value in GENDERS.items() if value == row.gender), None),
        "speed": row.speaking_rate,
        "times": row.loop_count,
        "silence_before": row.delay_play,
        "silence_after": row.delay_hangup,
        "longest_seconds": row.max_talk,
        "ring_seconds": row.max_ringing_time,
        "display_number": row.display_number,
        "sms": _sms(row) if row.hang_up_sms else None,
        "transfer": _transfer(row) if row.to_agent else None,
    }


def _sms(row: GroupTask) -> dict[str, Any]:
    return {
        "application": row.sms_application.app_id if row.sms_application else None,
        "text": row.sms_text,
        "sender_id": row.sms_sender_id,
        "on_answer_seconds": row.sms_answer_seconds if row.sms_on_answer else None,
        "on_key": row.sms_key if row.sms_on_key else None,
        "on_failure": row.sms_on_failure,
        "on_ringing": row.sms_on_ringing,
    }


def _transfer(row: GroupTask) -> dict[str, Any]:
    return {
        "agent_group": row.agent_group,
        "key": row.agent_key if row.agent_on_key else None,
        "callout_rate": row.callout_rate,
        "in_proportion": row.outbound_control,
    }


def lost_group_call(row: GroupTask) -> dict[str, Any]:
    return {
        "id": row.pk,
        "state": row.state,
        "advice": in_text(group_tasks.advice(row)),
        "seen": row.entry_id or 0,
        "looks": row.looks,
        "looked_at": moment(row.looked_at),
        "requests": [request(one) for one in group_state.requests_of(row)[:REQUESTS_SHOWN]],
    }


def callees(row: GroupTask, start: int, end: int) -> list[dict[str, Any]]:
    numbers = group_callees.of(row)[start:end]
    records = task_recipient_exports.records_of(row, numbers)
    return [
        {"position": at, "number": masked(number), "calls": [record(one) for one in records.get(number, ())]}
        for at, number in enumerate(numbers, start)
    ]
