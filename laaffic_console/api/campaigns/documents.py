"""One campaign as the API shows it, of whichever kind; numbers are only counted."""

from collections.abc import Callable, Mapping
from typing import Any

from laaffic_console.api import documents
from laaffic_console.api.campaigns.channels import mms, spoken
from laaffic_console.api.documents import moment
from laaffic_console.gateway.models import Channel
from laaffic_console.kit.masking.masks import in_text
from messaging.models import Campaign, Message, Proof
from messaging.services.batches import unknown
from messaging.services.batches.unknown import Lost
from messaging.services.campaigns import editing, follow_ups
from messaging.services.reports import amount_words
from messaging.services.tallies import counting
from messaging.wire.incurable import is_incurable, is_not_in_use

Options = Callable[[Mapping[str, Any]], dict[str, Any]]
SHOWN: dict[str, Options] = {Channel.MMS: mms.shown, Channel.VOICE: spoken.shown}
AS_THEY_ARE = ("canary_wait", "canary_least", "canary_reports", "latest_start_minutes", "error_limit")


def whole(row: Campaign) -> dict[str, Any]:
    options = SHOWN.get(row.channel)
    return {
        **documents.campaign(row),
        **{name: [one.name for one in getattr(row, name).all()] for name in editing.CHOSEN},
        "numbers": row.paste.numbers if row.paste else len(row.extra_numbers),
        **{name: getattr(row, name) for name in AS_THEY_ARE},
        "options": options(row.channel_options) if options else {},
        "undo_until": moment(row.undo_until),
        "seen": editing.as_seen(row),
    }


def failed(row: Campaign) -> dict[str, Any]:
    reasons = [
        {
            "reason": in_text(reason),
            "messages": n,
            "is_retried": not is_incurable(reason),
            "is_not_in_use": is_not_in_use(reason),
        }
        for reason, n in follow_ups.failed_by_reason(row)
    ]
    return {"id": row.pk, "reasons": reasons}


def unknowns(row: Campaign) -> dict[str, Any]:
    newest = unknown.newest(row)  # before the rows are read, so that “seen” never covers one that is lost in between
    return {
        "id": row.pk,
        "state": row.state,
        "messages": counting.state_counts(row)["unknown"],
        "requests": [lost(one) for one in unknown.of(row)],
        "seen": None if newest == unknown.NOTHING else moment(newest),
    }


def lost(one: Lost) -> dict[str, Any]:
    return {
        "request": one.entry.pk,
        "left_at": moment(one.entry.left_at),
        "messages": one.messages,
        "evidence": in_text(one.evidence),
        "looked_for_again_at": moment(one.next_look),
    }


def amount(row: Message) -> dict[str, Any]:
    doubts = [
        {
            "event": one.event_id,
            "amount": str(one.amount),
            "currency": one.currency,
            "may_be_taken": one.may_be_taken,
        }
        for one in amount_words.open_for(row)
    ]
    shown = documents.message(row)
    return {"id": row.pk, "cost": shown["cost"], "currency": shown["currency"], "doubts": doubts}


def proof(row: Proof) -> dict[str, Any]:
    return {
        "id": row.pk,
        "state": row.state,
        "asked_by": row.asked_by_name,
        "asked_at": moment(row.asked_at),
        "finished_at": moment(row.finished_at),
        **{name: getattr(row, name) for name in ("was_over", "figures", "wrong")},
        "disagreements": [in_text(one) for one in row.disagreements],
    }
