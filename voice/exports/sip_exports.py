"""Calls from SIP phones as rows for a file: what was asked for, and what its record says."""

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from laaffic_console.kit.lists import walks
from laaffic_console.kit.masking.masks import Typed
from laaffic_console.kit.words.people import username
from voice.models import SipCall

CHUNK = 1000
COLUMNS = [
    "number",
    Typed("name"),
    "phone",
    "display_number",
    "asked_at",
    "asked_by",
    "request",
    "ringing_at",
    "outcome",
]
COLUMNS += ["seconds", "billed_seconds", "cost", "currency", "voice_id", "mark", "application"]
READ = ("application", "contact", "entry", "record", "requested_by")


def rows(asked: QuerySet[SipCall], *, with_names: bool = True) -> Iterator[list[Any]]:
    """The header, then a row for each call, by rising id, in chunks that an index finds."""
    yield COLUMNS
    for chunk in walks.rising(asked.select_related(*READ), CHUNK, attrgetter("pk")):
        for call in chunk:
            yield _cells(call, with_names=with_names)


def _cells(call: SipCall, *, with_names: bool) -> list[Any]:
    record = call.record
    return [
        call.callee,
        call.contact.name if with_names and call.contact else "",
        call.account,
        call.display_number,
        call.created_at,
        username(call.requested_by),
        call.entry.state if call.entry else "",
        call.ringing_at,
        record.outcome if record else "",
        record.duration if record else None,
        record.charged if record else None,
        record.cost if record else None,
        record.currency if record else "",
        call.voice_id,
        call.called_info,
        call.application.app_id,
    ]
