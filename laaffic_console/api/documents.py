"""Rows as the API shows them; numbers are masked as the token's user may see them."""

import datetime as dt
from typing import Any

from laaffic_console.gateway.models import AccountHold, LedgerEntry
from laaffic_console.gateway.services.account import account_hold as holds
from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.said import read
from messaging.models import Campaign, Message, MessageState, Reply


def moment(when: dt.datetime | None) -> str | None:
    return when.astimezone(dt.UTC).isoformat() if when else None


REQUESTS_SHOWN = 20  # at most, about one thing; as many as on its page


def request(row: LedgerEntry) -> dict[str, Any]:
    """A request to Laaffic, and what is known about it."""
    return {
        "id": row.pk,
        "interface": row.interface,
        "state": row.state,
        "prepared_at": moment(row.prepared_at),
        "left_at": moment(row.left_at),
        "settled_at": moment(row.settled_at),
        "reason": in_text(row.reason),
        "evidence": in_text(row.evidence),
        "evidence_kind": row.evidence_kind,
    }


def campaign(row: Campaign) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "channel": row.channel,
        "application": row.application.app_id,
        "sender_id": row.sender_id,
        "text": row.text,
        "state": row.state,
        "hold_reason": in_text(row.hold_reason),
        "hold_kind": row.hold_kind,
        "wait_reason": in_text(row.wait_reason),
        "total": row.total,
        "rate_per_second": row.rate_per_second,
        "scheduled_at": moment(row.scheduled_at),
        "local_time": row.local_time,
        "calendar": row.calendar.name if row.calendar else None,
        "not_after": moment(row.latest_end),
        "purpose": row.purpose,
        "canary": row.canary,
        "created_at": moment(row.created_at),
        "launched_at": moment(row.launched_at),
        "finished_at": moment(row.finished_at),
    }


def message(row: Message) -> dict[str, Any]:
    cost = None if row.pay_micros is None else f"{row.pay_micros / 1_000_000:.6f}"
    return {
        "id": row.pk,
        "campaign": row.campaign_id,
        "number": masked(row.number),
        "country": row.country,
        "state": MessageState(row.state).key,
        "reason": in_text(row.reason),
        "segments": row.segments,
        "cost": cost,
        "currency": row.currency,
        "settled_at": moment(row.settled_at),
        "reported_at": moment(row.reported_at),
    }


def reply(row: Reply) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": masked(row.number),
        "text": row.content,
        "sent_to": row.sent_to,
        "campaign": row.campaign_id,
        "opt_out": row.opt_out,
        "at": moment(row.at),
    }


def account_hold(row: AccountHold) -> dict[str, Any]:
    return {
        "id": row.pk,
        "application": row.application.app_id if row.application else None,
        "campaign": holds.campaign_of(row.scope),
        "code": row.code,
        "reason": in_text(read(row.sentence)),
        "placed_at": moment(row.placed_at),
        "last_answer": in_text(row.last_answer),
        "next_probe_at": moment(row.next_probe_at),
        "ended_at": moment(row.released_at),
        "ended_because": in_text(row.released_because),
        "ended_by": username(row.released_by),
    }
