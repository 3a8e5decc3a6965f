"""A report as its page shows it: each figure with the way to what is behind it."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.models import Channel
from laaffic_console.kit.masking.masks import is_masked
from laaffic_console.kit.words import countries, dates
from laaffic_console.kit.words.figures import in_percent, money, number, share
from laaffic_console.kit.words.stored_words import reason_in_words
from laaffic_console.reports import links, reporting
from laaffic_console.reports.asking import Asked
from laaffic_console.reports.links import Reader
from laaffic_console.reports.reporting import BY_CURRENCY, COLUMNS, DIMENSIONS, Figures, Report, Row, Value

ROWS_A_PAGE = 100
CHARTED = 12  # the largest of what is not a time; one more bar has the rest together
CHARTED_TIMES = 400
REASONS_SHOWN = 50
NONE_OF = {  # what a row is about that has no value of a dimension
    "application": gettext_lazy("no application"),
    "country": gettext_lazy("no country"),
    "network": gettext_lazy("network not reported"),
    "campaign": gettext_lazy("no campaign"),
    "sender": gettext_lazy("no sender"),
    "person": gettext_lazy("no known person"),
}


@dataclass(frozen=True, slots=True)
class Head:
    label: str
    link: str  # sorts by it, the other way round where it is sorted by it already
    sorted: str  # ascending, descending or ""
    is_number: bool
    column: str = ""  # of `reporting.COLUMNS`, whose meaning is beside it

    @property
    def arrow(self) -> str:
        return {"ascending": " ↑", "descending": " ↓"}.get(self.sorted, "")


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    before: str | None = None
    link: str = ""
    page: str = ""  # of a campaign


@dataclass(frozen=True, slots=True)
class Line:
    values: list[Cell]
    cells: list[Cell]


def shown(name: str, value: Value) -> str:
    """A value of a dimension in words."""
    text = str(value[0])
    if not text:
        return str(NONE_OF.get(name, "–"))
    if name == "channel" and text in Channel.values:
        return str(Channel(text).label)
    if name in reporting.OF_TIME:
        return dates.day(dt.date.fromisoformat(text)) if name == "day" else dates.month(_first_of(text))
    return countries.name_of(text) if name == "country" else text


def _first_of(month: str) -> dt.date:
    """The first day of a month as exports write it, 2026-11."""
    year, number = month.split("-")
    return dt.date(int(year), int(number), 1)


class Table:
    def __init__(self, report: Report, asked: Asked, reader: Reader) -> None:
        self.report, self.asked, self.reader = report, asked, reader
        self.currencies = _currencies(report)
        self.columns: list[tuple[str, str]] = []  # (column, currency or "")
        for name in report.columns:
            self.columns += [(name, currency) for currency in (self.currencies if name in BY_CURRENCY else [""])]

    def heads(self) -> list[Head]:
        by = [self._head(name, str(DIMENSIONS[name]), is_number=False) for name in self.report.by]
        return by + [
            self._head(f"{name}:{currency}" if currency else name, _label(name, currency), is_number=True)
            for name, currency in self.columns
        ]

    def _head(self, key: str, label: str, *, is_number: bool) -> Head:
        is_up, is_down = self.asked.sort == key, self.asked.sort == f"-{key}"
        upwards = is_down or (not is_up and not is_number)
        link = address(self.asked, sort=key if upwards else f"-{key}")
        direction = "ascending" if is_up else "descending" if is_down else ""
        return Head(label, link, direction, is_number, key.partition(":")[0] if is_number else "")

    def lines(self, rows: Sequence[Row]) -> list[Line]:
        return [self._line(row) for row in rows]

    @property
    def has_no_country(self) -> bool:
        """Whether some row has no country, so that the page says what that is."""
        place = self.report.by.index("country") if "country" in self.report.by else None
        return place is not None and any(not row.values[place][0] for row in self.report.rows)

    @property
    def never_sent(self) -> int:
        """How many of the failed are in no *Sent*, for the page to say; 0 where no column has them."""
        return self.report.totals.figures.counts["rejected"] if "failed" in self.report.columns else 0

    def total(self) -> Line:
        values = [Cell(_("Total")), *(Cell("") for _name in self.report.by[1:])] if self.report.by else []
        return Line(values, self._cells(self.report.totals, {}))

    def _line(self, row: Row) -> Line:
        keys = {name: reporting.key_of(name, value) for name, value in zip(self.report.by, row.values, strict=True)}
        values = [self._value(name, value, keys[name]) for name, value in zip(self.report.by, row.values, strict=True)]
        return Line(values, self._cells(row, keys))

    def _value(self, name: str, value: Value, key: str) -> Cell:
        """A cell that narrows the report to its value; a campaign's also leads to its page."""
        if name in ("day", "month", "network"):
            return Cell(shown(name, value))
        page = links.campaign_page(key, self.reader) if name == "campaign" else ""
        return Cell(shown(name, value), link=address(self.asked.narrowed({name: key})), page=page)

    def _cells(self, row: Row, keys: dict[str, str]) -> list[Cell]:
        campaign = keys.get("campaign") or _single(self.asked, "campaign")
        found = []
        for name, currency in self.columns:
            text = _text(name, currency, row.figures)
            link = self._behind(name, campaign, keys) if text not in ("–", "0") else ""
            found.append(Cell(text, None if row.before is None else _text(name, currency, row.before), link))
        return found

    def _behind(self, name: str, campaign: str, keys: dict[str, str]) -> str:
        if name not in ("failed", "reasons"):
            return links.recipients(campaign, name, self.reader) if campaign else ""
        limits = {name: key for name, key in keys.items() if name not in reporting.OF_TIME}
        return f"{address(self.asked.narrowed(limits)) if limits else ''}#reasons"

    def reasons(self) -> list[dict[str, Any]]:
        """Why it failed, all that is in the report: how often, which share of it, and the list where there is one."""
        found = COLUMNS["reasons"].of(self.report.totals.figures)
        rejections = self.report.totals.figures.rejections
        failed = sum(found.values())
        campaign = _single(self.asked, "campaign")
        return [
            {
                "reason": reason_in_words(reason) or _("no reason given"),
                "n": n,
                "share": share(n, failed),
                "link": self._refused_for(reason, campaign, "rejected" if rejections[reason] else "undelivered"),
            }
            for reason, n in list(found.items())[:REASONS_SHOWN]
        ]

    def _refused_for(self, reason: str, campaign: str, state: str) -> str:
        """No list has the reason of several numbers in one that is masked."""
        return "" if is_masked(reason) else links.recipients(campaign, state, self.reader, reason=reason)

    def chart(self) -> str:
        """What happened to the messages, by the first thing that the report is by; "" where nothing is to be drawn."""
        if not self.report.by or not self.report.rows:
            return ""
        first = self.report.by[0]
        bars: dict[Value, Figures] = {}
        for row in self.report.rows:
            bars.setdefault(row.values[0], Figures()).add(row.figures)
        most = CHARTED_TIMES if first in reporting.OF_TIME else CHARTED
        largest = set(sorted(bars, key=lambda value: -bars[value].counts["sent"])[:most])
        drawn = [(shown(first, value), figures) for value, figures in bars.items() if value in largest]
        if rest := [figures for value, figures in bars.items() if value not in largest]:
            together = Figures()
            for figures in rest:
                together.add(figures)
            drawn.append((_("%(n)s more") % {"n": number(len(rest))}, together))
        parts = [
            (_("Delivered"), ("delivered",), "#16a34a"),
            (_("Failed"), ("undelivered", "rejected"), "#dc2626"),
            (_("No report"), ("expired",), "#9ca3af"),
            (_("Report awaited"), ("awaited",), "#2563eb"),
            (_("Unknown"), ("unknown",), "#d97706"),
        ]
        datasets = [
            {
                "label": name,
                "data": [sum(figures.counts[word] for word in words) for _label, figures in drawn],
                "backgroundColor": colour,
            }
            for name, words, colour in parts
        ]
        used = [dataset for dataset in datasets if any(dataset["data"])]
        return json.dumps({"labels": [label for label, _figures in drawn], "datasets": used})


def address(asked: Asked, **changed: Any) -> str:
    return f"{reverse('admin:reports_report_show')}?{asked.query(**changed)}"


def _single(asked: Asked, name: str) -> str:
    keys = asked.only.get(name, ())
    return keys[0] if len(keys) == 1 else ""


def _label(name: str, currency: str) -> str:
    label = str(COLUMNS[name].label)
    return f"{label}, {currency}" if currency else label


def _text(name: str, currency: str, figures: Figures) -> str:
    value = COLUMNS[name].of(figures)
    if name in BY_CURRENCY:
        value = value.get(currency)
    return in_reader_words(name, value)


def in_reader_words(name: str, value: Any) -> str:
    if value is None or value == {}:
        return "–"
    if isinstance(value, dict):
        none = _("no reason given")
        return "; ".join(f"{reason_in_words(reason) or none}: {number(n)}" for reason, n in value.items())
    if isinstance(value, Decimal):
        return money(value)
    return in_percent(value) if name.endswith("percent") else number(value)


def _currencies(report: Report) -> list[str]:
    """The currencies of the costs, those of the period before included where the two are compared."""
    figures = [report.totals.figures, *([report.totals.before] if report.totals.before else [])]
    return sorted({currency for one in figures for currency, micros in one.cost.items() if micros})


def as_text(report: Report, most: int) -> list[str]:
    """The lines of an email: the totals, with those of the period before in brackets; then the first rows."""
    currencies = _currencies(report)
    columns: list[tuple[str, str]] = []
    for name in report.columns:
        columns += [(name, currency) for currency in (currencies if name in BY_CURRENCY else [""])]
    lines = []
    for name, currency in columns:
        text = _text(name, currency, report.totals.figures)
        before = f" ({_text(name, currency, report.totals.before)})" if report.totals.before else ""
        lines.append(f"{_label(name, currency)}: {text}{before}")
    if not report.by:
        return lines
    lines += ["", ", ".join(str(DIMENSIONS[name]) for name in report.by)]
    for row in report.rows[:most]:
        named = " / ".join(shown(name, value) for name, value in zip(report.by, row.values, strict=True))
        told = [(_label(*column), _text(*column, row.figures)) for column in columns]
        lines.append(f"- {named}: " + "; ".join(f"{label} {text}" for label, text in told if text != "–"))
    if len(report.rows) > most:
        lines.append(_("… and %(n)s more in the file.") % {"n": number(len(report.rows) - most)})
    return lines
