"""A report as a table for a file: each currency has columns of its own, so that they can be added up."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from laaffic_console.reports.reporting import BY_CURRENCY, COLUMNS, DIMENSIONS, Report


def lines(report: Report) -> Iterator[list[Any]]:
    """The header, a line for each row, and the totals."""
    sides = ["now", "before"] if report.compared_with else ["now"]
    figures = [report.totals.figures, *([report.totals.before] if report.totals.before else [])]
    currencies = sorted({currency for one in figures for currency, micros in one.cost.items() if micros})
    header = [str(DIMENSIONS[name]) for name in report.by]
    for side in sides:
        before = _("before")
        suffix = f" ({before})" if side == "before" else ""
        for name in report.columns:
            label = str(COLUMNS[name].label)
            header += [f"{part}{suffix}" for part in _parts_of(name, label, currencies)]
    yield header
    for row in [*(report.rows if report.by else []), report.totals]:
        line: list[Any] = [value[0] for value in row.values] if row.values else _total_of(report.by)
        for one in [row.figures, *([row.before] if row.before is not None else [])]:
            for name in report.columns:
                line += _cells_of(name, COLUMNS[name].of(one), currencies)
        yield line


def _total_of(by: Sequence[str]) -> list[str]:
    return [_("Total"), *[""] * (len(by) - 1)] if by else []


def _parts_of(name: str, label: str, currencies: Sequence[str]) -> list[str]:
    return [f"{label}, {currency}" for currency in currencies] if name in BY_CURRENCY else [label]


def _cells_of(name: str, value: Any, currencies: Sequence[str]) -> list[Any]:
    if name in BY_CURRENCY:
        return [value.get(currency) for currency in currencies]
    if isinstance(value, dict):
        none = _("no reason given")
        return ["; ".join(f"{reason or none}: {n}" for reason, n in value.items())]
    return [value]
