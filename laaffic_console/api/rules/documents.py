"""Templates, calendars, budgets and the other rules of campaigns, as the API shows them."""

from decimal import Decimal
from typing import Any

from laaffic_console.api.documents import moment
from laaffic_console.kit.masking.masks import in_text
from laaffic_console.kit.words.limits import in_words
from messaging.models import (
    ApplicationCalendar,
    ApprovalLimits,
    Calendar,
    FrequencyCap,
    ListPrice,
    MessageTemplate,
    TemplateVersion,
)
from messaging.services.approvals.approval_limits import now as limits_now
from messaging.services.budgets.budgets import Standing
from messaging.services.reports.prices import Price


def template(row: MessageTemplate) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "text": row.text,
        "created_at": moment(row.created_at),
        "changed_at": moment(row.changed_at),
    }


def version(row: TemplateVersion) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("number", "name", "text")}
    return {"id": row.pk, **told, "note": in_text(row.note), "at": moment(row.at)}


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
        "id": kept.pk,
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


def application_calendar(row: ApplicationCalendar) -> dict[str, Any]:
    return {
        "id": row.pk,
        "application": row.application.app_id,
        "calendar": row.calendar.name if row.calendar else None,
    }


def frequency_cap(row: FrequencyCap) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("per_day", "per_week")}
    return {"id": row.pk, "application": row.application.app_id, **told}


def price(row: ListPrice, charged: Price | None = None) -> dict[str, Any]:
    return {
        "id": row.pk,
        **{name: getattr(row, name) for name in ("channel", "country", "currency")},
        "price": _plain(row.price),
        "charged": _plain(charged.each) if charged else None,
        "charged_currency": charged.currency if charged else "",
    }


def approval_limits(row: ApprovalLimits) -> dict[str, Any]:
    now = limits_now()
    return {
        "recipients": row.recipients,
        "cost": row.cost,
        "recipients_in_force": now.recipients,
        "cost_in_force": in_words(now.cost),
    }
