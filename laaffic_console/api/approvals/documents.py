"""Approvals as the API shows them."""

from typing import Any

from laaffic_console.api.documents import moment
from messaging.models import Approval
from messaging.services.approvals import approval_rules, approvals

KINDS = {"campaign": "campaigns", "email_campaign": "email-campaigns", "group_task": "group-calls"}


def approval(row: Approval) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": next(name for field, name in KINDS.items() if getattr(row, f"{field}_id") is not None),
        "draft": row.draft.pk,
        "name": row.draft.name,
        **{name: getattr(row, name) for name in ("outcome", "recipients", "cost", "asked_note", "note")},
        "asked_by": row.asked_by.get_username() if row.asked_by else "",
        "asked_at": moment(row.asked_at),
        "decided_by": row.decided_by.get_username() if row.decided_by else "",
        "decided_at": moment(row.decided_at),
        "seen": seen(row),
    }


def seen(row: Approval) -> str:
    return "-".join(approvals.identity(row))


def read_seen(text: str) -> tuple[str, str]:
    pk, _dash, digest = text.partition("-")
    return pk, digest


def standing(draft: Any) -> dict[str, Any]:
    found = approval_rules.standing(draft)
    latest = approval_rules.latest(draft)
    return {
        "id": draft.pk,
        "needed": found.needed if found else "",
        "missing": found.missing if found else approval_rules.missing(draft),
        "approval": approval(latest) if latest else None,
    }
