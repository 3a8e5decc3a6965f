"""Contacts, audiences, imports, suppression and consent as the API shows them."""

from typing import Any

from laaffic_console.api.documents import moment
from laaffic_console.kit.masking import masks
from laaffic_console.kit.masking.masks import in_text, masked
from laaffic_console.kit.words.said import read, read_all
from messaging.models import (
    Audience,
    BadRow,
    Consent,
    ConsentEvent,
    ConsentImport,
    Contact,
    ContactGroup,
    ContactImport,
    ImportForecast,
    ImportUndo,
    SuppressionEntry,
)
from messaging.services.contacts import reading
from messaging.services.imports import forecast as import_forecast
from messaging.services.imports import undo as undos

COUNTS = ("rows", "added", "updated", "unchanged", "invalid", "erased_before")
FORECAST = ("rows", "new", "known", "twice", "invalid", "suppressed", "erased_before")


def whole_contact(row: Contact) -> dict[str, Any]:
    """A contact with its groups, as its own address shows it; ad hoc groups are left out."""
    named = row.groups.filter(is_ad_hoc=False).order_by("name")
    return {**contact(row), "groups": list(named.values_list("name", flat=True))}


def contact(row: Contact) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": masked(row.number),
        "name": in_text(row.name),
        "email": masked(row.email),
        "country": row.country,
        "language": row.language,
        "attributes": {name: in_text(value) for name, value in row.attributes.items()},
        "created_at": moment(row.created_at),
    }


def group(row: ContactGroup) -> dict[str, Any]:
    return {"id": row.pk, "name": row.name, "description": row.description}


def suppressed(row: SuppressionEntry) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": masked(row.number),
        "channel": row.channel,
        "reason": row.reason,
        "note": in_text(row.note),
        "created_at": moment(row.created_at),
    }


def audience(row: Audience) -> dict[str, Any]:
    return {"id": row.pk, "name": row.name, "condition": in_text(row.condition), "created_at": moment(row.created_at)}


def listed_import(row: ContactImport) -> dict[str, Any]:
    return {
        "id": row.pk,
        "file_name": row.file_name,
        "state": row.state,
        **{name: getattr(row, name) for name in COUNTS},
        "created_at": moment(row.created_at),
    }


def contact_import(row: ContactImport) -> dict[str, Any]:
    counted = import_forecast.of(row)
    waits = row.state == ContactImport.State.PREVIEW
    return {
        "id": row.pk,
        "file_name": row.file_name,
        "size": row.size,
        "state": row.state,
        "explanation": in_text(read(row.explanation)),
        "group": row.group.name if row.group else None,
        **{name: getattr(row, name) for name in ("region", "encoding", "sheet", "sheets", "headers")},
        "readings": [{**one, "words": [in_text(word) for word in one["words"]]} for one in row.readings],
        "mapping": row.mapping,
        "problem": reading.problem_with_mapping(row, row.mapping) if waits else "",
        "forecast": forecast(counted) if counted else None,
        **{name: getattr(row, name) for name in COUNTS},
        "percent": _percent(row),
        "created_at": moment(row.created_at),
        "started_at": moment(row.started_at),
        "finished_at": moment(row.finished_at),
    }


def _percent(row: ContactImport) -> int:
    """The share that was read; 100 only when all of it was."""
    if row.state in (ContactImport.State.FINISHED, ContactImport.State.UNDONE):
        return 100
    return min(99, 100 * row.bytes_done // max(1, row.size))


def forecast(counted: ImportForecast) -> dict[str, Any]:
    names = ("column", "reason", "rows", "first_row")
    return {
        "state": counted.state,
        **{name: getattr(counted, name) for name in FORECAST},
        "reasons": [
            dict(zip(names, (column, masks.in_text(reason), *counts), strict=True))
            for column, reason, *counts in import_forecast.shown_reasons(counted)
        ],
        "explanation": in_text(read(counted.explanation)),
    }


def import_undo(undo: ImportUndo) -> dict[str, Any]:
    names = ("goes", "memberships", "restores", "overtaken")
    return {
        "id": undo.pk,
        "state": undo.state,
        "explanation": in_text(read(undo.explanation)),
        **{name: getattr(undo, name) for name in names},
        "stays": sum(undo.stays.values()),
        "reasons": [{"reason": reason, "contacts": n} for reason, n in undos.reasons(undo)],
        "asked_at": moment(undo.asked_at),
        "finished_at": moment(undo.finished_at),
    }


def bad_row(row: BadRow) -> dict[str, Any]:
    named = {name: getattr(row, name) for name in ("row", "column", "value")}
    return {"id": row.pk, **named, "reason": read(row.reason)}


def listed_consent_import(row: ConsentImport) -> dict[str, Any]:
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in ("file_name", "state", "rows", "kept", "known", "invalid")},
        "explanation": in_text(row.explanation),
        "created_at": moment(row.created_at),
        "finished_at": moment(row.finished_at),
    }


def consent_import(row: ConsentImport) -> dict[str, Any]:
    return {**listed_consent_import(row), "errors": read_all(row.errors)}


def consent(row: Consent) -> dict[str, Any]:
    return _consent(row, row.number)


def said(row: ConsentEvent) -> dict[str, Any]:
    return _consent(row, row.subscriber)


def _consent(row: Consent | ConsentEvent, number: str) -> dict[str, Any]:
    return {
        "id": row.pk,
        "number": masked(number),
        **{name: getattr(row, name) for name in ("channel", "state")},
        **{name: in_text(getattr(row, name)) for name in ("source", "words")},
        "at": moment(row.at),
    }
