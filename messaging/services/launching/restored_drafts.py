"""Drafts that a restore has brought back: each may have been launched since the backup, so a launch needs a reason.

Such a draft is marked in the column for a hold's reason; the first launch clears that, and so ends it.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from laaffic_console.gateway.services.ledger.open_acts import LONGEST_REASON, MayHaveLeftBefore
from laaffic_console.kit.words.plain_text import is_blank
from messaging.models import HoldKind
from messaging.models.campaign_bases import Launched
from messaging.services.launching.checks import Check, Level

KEY = "restored"


def mark(drafts: "QuerySet[Any]", said: str) -> None:
    """`said`: that it may have been launched, and since when."""
    drafts.update(hold_reason=said, hold_kind=HoldKind.RESTORED)


def kept_mark(launched: Launched) -> dict[str, Any]:
    """The columns of what a restore marked or held, for one that becomes a draft again; {} for any other."""
    if launched.hold_kind != HoldKind.RESTORED or not launched.hold_reason:
        return {}
    return {"hold_reason": launched.hold_reason, "hold_kind": HoldKind.RESTORED}


def is_one(draft: Launched) -> bool:
    return draft.state == "draft" and draft.hold_kind == HoldKind.RESTORED and bool(draft.hold_reason)


def reason_for(draft: Launched, again: str) -> str:
    """Why it is launched all the same, as somebody has said; "" for any other draft. StillOpen where it is missing."""
    if not is_one(draft):
        return ""
    if is_blank(again):
        raise MayHaveLeftBefore(draft.hold_reason)
    return again.strip()[:LONGEST_REASON]


def check(draft: Launched) -> Iterator[Check]:
    """The check that asks a reason for launching a draft that a restore brought back."""
    if is_one(draft):
        yield Check(KEY, Level.REASON, draft.hold_reason)
