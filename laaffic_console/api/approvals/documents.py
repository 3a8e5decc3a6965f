"""Approvals as the API shows them."""

from typing import Any

from laaffic_console.api.documents import moment
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.people import username
from messaging.models import Approval
from messaging.services.approvals import approval_rules, approvals
from messaging.services.approvals.approvable import DRAFT

# The part of the draft's address, by the word that webhooks and other answers use for its kind.
KINDS = {"campaign": "campaigns", "email_campaign": "email-campaigns", "group_task": "group-calls"}


def approval(row: Approval) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": KINDS[row.draft_kind],
        "draft_kind": row.draft_kind,
        "draft": row.draft.pk,
        "name": row.draft.name,
        **{name: getattr(row, name) for name in ("outcome", "recipients", "cost")},
        **{name: in_text(getattr(row, name)) for name in ("asked_note", "note")},
        "asked_by": username(row.asked_by),
        "asked_at": moment(row.asked_at),
        "decided_by": username(row.decided_by),
        "decided_at": moment(row.decided_at),
        "seen": seen(row),
    }


def seen(row: Approval) -> str:
    return "-".join(approvals.identity(row))


def read_seen(text: str) -> tuple[str, str]:
    pk, _dash, digest = text.partition("-")
    return pk, digest


def standing(draft: Any) -> dict[str, Any]:
    """Whether the draft needs an approval; once it was launched, only what was said about it."""
    is_draft, latest = draft.state == DRAFT, approval_rules.latest(draft)
    found = approval_rules.standing(draft) if is_draft else None
    missing = found.missing if found else approval_rules.missing(draft) if is_draft else ""
    return {
        "id": draft.pk,
        "needed": found.needed if found else "",
        "missing": missing,
        "approval": approval(latest) if latest else None,
    }
