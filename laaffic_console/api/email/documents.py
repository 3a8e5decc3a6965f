"""Email campaigns as the API shows them; addresses through the masks."""

from typing import Any

from laaffic_console.api.documents import REQUESTS_SHOWN, moment, request
from laaffic_console.api.email.shapes import DELIVERIES, SUBMISSIONS
from laaffic_console.gateway.services.ledger import ledger
from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.words.said import read
from messaging.models import EmailCampaign, EmailChoice, EmailLookup, EmailMessage
from messaging.services.email import drafts as email_drafts
from messaging.services.email import states as email_states
from messaging.services.email.states import ABOUT

SUBMISSION_NAMES = {value: name for name, value in SUBMISSIONS.items()}
DELIVERY_NAMES = {value: name for name, value in DELIVERIES.items()}
AS_THEY_ARE = ("name", "from_address", "receiver_id", "template_id", "subject", "state", "task_id")
OF_CARE = ("purpose", "consent_known_by")
OF_HOW = ("language", "ad_flag", "trigger_id", "unsubscribe")


def campaign(row: EmailCampaign) -> dict[str, Any]:
    return {
        "id": row.pk,
        "application": row.application.app_id,
        **{name: getattr(row, name) for name in (*AS_THEY_ARE, *OF_CARE, *OF_HOW)},
        "hold_reason": in_text(read(row.hold_reason)),
        "hold_kind": row.hold_kind,
        "wait_reason": in_text(read(row.wait_reason)),
        "calendar": row.calendar.name if row.calendar else None,
        "not_after": moment(row.latest_end),
        **{name: moment(getattr(row, name)) for name in ("scheduled_at", "created_at", "launched_at", "finished_at")},
        "seen": email_drafts.content_digest(row),
    }


def lost(row: EmailCampaign) -> dict[str, Any]:
    asked = ledger.requests_about(ABOUT, row.pk)[:REQUESTS_SHOWN]
    return {
        "id": row.pk,
        "state": row.state,
        "seen": row.entry_id or 0,
        "may_have_arrived": email_states.may_have_arrived(row),
        "requests": [request(one) for one in asked],
    }


def recipient(row: EmailMessage) -> dict[str, Any]:
    return {
        "id": row.pk,
        "address": masked(row.address),
        "submission": SUBMISSION_NAMES[row.submission],
        "delivery": DELIVERY_NAMES[row.delivery],
        "remark": in_text(row.remark),
        "told_at": moment(row.told_at),
        "delivered_at": moment(row.delivered_at),
    }


def lookup(row: EmailLookup) -> dict[str, Any]:
    return {
        "application": row.application.app_id,
        "kind": row.kind,
        "choices": row.choices.count(),
        "problem": in_text(read(row.problem)),
        "answered_at": moment(row.answered_at),
    }


def choice(row: EmailChoice) -> dict[str, Any]:
    return {
        "id": row.pk,
        "application": row.lookup.application.app_id,
        "kind": row.lookup.kind,
        "value": row.value,
        "name": row.name,
        "answered_at": moment(row.lookup.answered_at),
    }
