"""Conversations as the API shows them."""

from typing import Any

from laaffic_console.api.documents import moment
from laaffic_console.kit.masking.masks import in_text, masked
from messaging.models import Conversation, ConversationNote, SavedAnswer
from messaging.services.campaigns import answering


def listed(row: Conversation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": masked(row.number),
        "state": row.state,
        "unread": row.unread,
        "assigned_to": row.assigned_to.get_username() if row.assigned_to else None,
        "sent_to": row.sent_to,
        "last_at": moment(row.last_at),
        "last_said": row.last_said,
    }


def conversation(row: Conversation) -> dict[str, Any]:
    way = answering.usual_way(row)
    return {
        **listed(row),
        "application": way.application.app_id if way else None,
        "sender_id": way.sender_id if way else "",
        "stopped": in_text(answering.suppressed(row)),
    }


def note(row: ConversationNote) -> dict[str, Any]:
    return {
        "id": row.pk,
        "note": in_text(row.text),
        "by": row.by.get_username() if row.by else None,
        "at": moment(row.at),
    }


def saved(row: SavedAnswer) -> dict[str, Any]:
    return {"id": row.pk, "title": row.title, "text": row.text}
