"""Exports as the API shows them."""

from typing import Any

from laaffic_console.api.documents import moment
from laaffic_console.exporting.models import Export
from laaffic_console.exporting.services import keeping
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.said import read


def export(row: Export) -> dict[str, Any]:
    return {
        "id": row.pk,
        "title": str(row),
        **{name: getattr(row, name) for name in ("format", "state", "rows", "rows_expected", "size")},
        "problem": in_text(read(row.problem)),
        "asked_by": row.asked_by_name,
        **{name: moment(getattr(row, name)) for name in ("asked_at", "finished_at", "expires_at")},
        "is_there": keeping.is_there(row),
    }
