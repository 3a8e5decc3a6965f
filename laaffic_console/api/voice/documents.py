"""Calls, audio files and group calls as the API shows them; numbers through the masks."""

from decimal import Decimal
from typing import Any

from laaffic_console.api.documents import moment
from laaffic_console.kit.masks import masked
from laaffic_console.kit.said import read
from voice.models import AudioFile, CallRecord, GroupTask, SipCall, SipPhone
from voice.services.calls import sip_calls as calls
from voice.services.group_calls import tasks as group_tasks


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
        "advice": str(calls.advice(row)),
        "voice_id": row.voice_id,
        "record": row.record_id,
        "created_at": moment(row.created_at),
    }


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
        "hold_reason": read(row.hold_reason),
        "advice": str(group_tasks.advice(row)),
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
    }
