"""Templates, calendars and budgets as the API shows them."""

from decimal import Decimal
from typing import Any

from laaffic_console.api.documents import moment
from messaging.models import ApplicationCalendar, Calendar, MessageTemplate, TemplateVersion
from messaging.services.budgets.budgets import Standing


def template(row: MessageTemplate) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "text": row.text,
        "created_at": moment(row.created_at),
        "changed_at": moment(row.changed_at),
    }


def version(row: TemplateVersion) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("number", "name", "text", "note")}
    return {"id": row.pk, **told, "at": moment(row.at)}


def calendar(row: Calendar) -> dict[str, Any]:
    given: list[ApplicationCalendar] = list(row.applications.all())
    return {
        "id": row.pk,
        "name": row.name,
        "hours": row.hours.splitlines(),
        "left_out": row.left_out.splitlines(),
        "applications": sorted(one.application.app_id for one in given),
    }


def budget(standing: Standing) -> dict[str, Any]:
    kept = standing.budget
    return {
        "application": kept.application.app_id,
        "per": kept.per,
        "currency": kept.currency,
        "limit": _plain(kept.limit),
        "used": _plain(standing.used),
        "left": _plain(standing.left),
        "percent": standing.percent,
        "starts_on": standing.counter.starts_on.isoformat(),
        "is_lifted": standing.counter.lifted_at is not None,
    }


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
