"""A report as one JSON document: what the command `report` prints, and the REST API answers."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from laaffic_console.reports.reporting import COLUMNS, Figures, Period, Report, Row


def days(period: Period) -> dict[str, str]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def document(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {**days(report.period), "by": list(report.by)}
    if report.compared_with:
        found["before"] = days(report.compared_with)
    found["rows"] = [{**labelled(report.by, row), **row_figures(report, row)} for row in report.rows]
    found["totals"] = row_figures(report, report.totals)
    return found


def labelled(by: Sequence[str], row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in zip(by, row.values, strict=True):
        found[name] = value[0]
        if name == "campaign":
            found |= {"campaign_kind": value[1], "campaign_id": value[2]}
        elif name == "application":
            found["app_id"] = value[1]
    return found


def row_figures(report: Report, row: Row) -> dict[str, Any]:
    found = figures(report.columns, row.figures)
    if row.before is not None:
        found["before"] = figures(report.columns, row.before)
    return found


def figures(columns: Sequence[str], of: Figures) -> dict[str, Any]:
    return {name: plain(COLUMNS[name].of(of)) for name in columns}


def plain(value: Any) -> Any:
    """Amounts as text: JSON's numbers are floats for many a reader."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return f"{value:f}" if isinstance(value, Decimal) else value
