"""MMS attachments as the API shows them."""

from typing import Any

from laaffic_console.api.documents import moment
from messaging.models import MmsAttachment


def attachment(row: MmsAttachment) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "type": row.file_type,
        "bytes": row.size,
        "is_archived": row.is_archived,
        "gateway_id": row.gateway_id if row.is_live else "",
        "lapses_at": moment(row.lapses_at),
        "created_at": moment(row.created_at),
    }
