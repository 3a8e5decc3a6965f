"""What somebody asks of a report, as an address says it: a link is a report, and so is what is kept under a name.

Periods are kept as a word as long as possible: "last month" is another month whenever it is asked.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from laaffic_console.kit.forms.typed_dates import DATE
from laaffic_console.kit.words.plain_text import capitals
from laaffic_console.reports import reporting
from laaffic_console.reports.reporting import BY_CURRENCY, COLUMNS, DIMENSIONS, Period, Report

PERIODS: dict[str, Any] = {
    "this_month": gettext_lazy("This month, until today"),
    "last_month": gettext_lazy("Last month"),
    "7_days": gettext_lazy("The last 7 days"),
    "30_days": gettext_lazy("The last 30 days"),
    "custom": gettext_lazy("From … to …"),
}
UNTIL_TODAY = ("this_month", "7_days", "30_days")
WORDS = ("period", "from", "to", "by", "columns", "compare", "sort")
FILTERS = ("channel", "application", "country", "campaign", "sender", "person")
MOST_BY = 3
MOST_VALUES = 50
LONGEST_VALUE = 200
AS_KEPT = {"country": capitals, "channel": str.lower}
NONE = "-"  # in an address: what has no country, no sender …
USUAL_BY = ("country",)
USUAL_COLUMNS = (
    *("sent", "delivered", "delivered_percent", "failed", "unknown", "segments", "cost", "cost_per_delivered"),
    *("replies", "opt_outs"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    period: str = "this_month"
    first: str = ""  # as typed; for "custom" alone
    last: str = ""
    by: tuple[str, ...] = USUAL_BY
    columns: tuple[str, ...] = USUAL_COLUMNS
    compare: bool = False
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # {dimension: keys}; "" is "none of it"
    sort: str = ""  # a dimension or a column, with ":USD" for one currency's; a minus before it: downwards

    def query(self, **changed: Any) -> str:
        """The address's part behind the question mark; what is usual is not said."""
        asked = replace(self, **changed) if changed else self
        said = QueryDict(mutable=True)
        said["period"] = asked.period
        if asked.period == "custom":
            said["from"], said["to"] = asked.first, asked.last
        said.setlist("by", list(asked.by) or [""])
        if asked.columns != USUAL_COLUMNS:
            said.setlist("columns", list(asked.columns))
        if asked.compare:
            said["compare"] = "on"
        for name in FILTERS:
            if keys := asked.only.get(name):
                said.setlist(name, [key or NONE for key in keys])
        if asked.sort:
            said["sort"] = asked.sort
        return said.urlencode()

    def narrowed(self, limits: Mapping[str, str]) -> "Asked":
        """The same question, limited to some values of dimensions, and then grouped by what one asks next."""
        only = {**self.only, **{name: (key,) for name, key in limits.items() if name in FILTERS}}
        by = tuple(name for name in self.by if name not in limits)
        if not by and "campaign" not in only:
            by = ("campaign",)
        return replace(self, only=only, by=by, sort="")

    def days(self, today: dt.date | None = None) -> Period:
        """ValidationError for a word that is none, and days that make no period."""
        today = today or timezone.localdate()
        if self.period == "this_month":
            return reporting.period(today.replace(day=1), today)
        if self.period == "last_month":
            last = today.replace(day=1) - dt.timedelta(days=1)
            return reporting.period(last.replace(day=1), last)
        if self.period in ("7_days", "30_days"):
            return reporting.period(today - dt.timedelta(days=int(self.period.partition("_")[0]) - 1), today)
        if self.period != "custom":
            raise ValidationError(
                _("There is no period “%(name)s”. Choose one of: %(known)s.")
                % {"name": self.period, "known": ", ".join(PERIODS)}
            )
        return reporting.period(_day(self.first), _day(self.last))

    def last_whole_day(self, today: dt.date) -> dt.date:
        """The day to ask on, so that the period has no day that goes on.

        Mails that come every week or month would each leave out the rest of the day on which they leave. On the first
        of a month, “this month” is the one that is over.
        """
        return today - dt.timedelta(days=1) if self.period in UNTIL_TODAY else today

    def run(self, today: dt.date | None = None) -> Report:
        """The report in the order that is asked for. ValidationError with a sentence for what makes no sense."""
        if len(self.by) > MOST_BY:
            raise ValidationError(_("A report can be grouped by at most three things. Remove one."))
        for name, keys in self.only.items():
            if len(keys) > MOST_VALUES:  # left out in silence, what is beyond would be missing from the figures
                said = _("A report can be limited to at most %(limit)d values of “%(name)s”. Remove %(n)d.")
                values = {"limit": MOST_VALUES, "name": DIMENSIONS[name], "n": len(keys) - MOST_VALUES}
                raise ValidationError(said % values)
        for name in filter(None, self.only.get("person", ())):
            known_person(name)
        report = reporting.run(self.days(today), self.by, columns=self.columns, compare=self.compare, only=self.only)
        return ordered(report, self.sort)


def read(query: str | QueryDict) -> Asked:
    """The report that an address asks for; what it leaves out is as usual, and `run` reports what is wrong."""
    given = QueryDict(query) if isinstance(query, str) else query
    only = {
        name: tuple(dict.fromkeys(_key(name, key) for key in keys))
        for name in FILTERS
        if (keys := [key.strip() for key in given.getlist(name) if key.strip()])
    }
    columns = tuple(dict.fromkeys(name for name in given.getlist("columns") if name))
    return Asked(
        period=given.get("period") or "this_month",
        first=given.get("from", "")[:30],
        last=given.get("to", "")[:30],
        by=tuple(dict.fromkeys(name for name in given.getlist("by") if name)) if "by" in given else USUAL_BY,
        columns=columns or USUAL_COLUMNS,
        compare=given.get("compare") == "on",
        only=only,
        sort=given.get("sort", "")[:60],
    )


def require_known(query: str) -> None:
    """ValidationError for a word that no report reads, and for a filter without a value.

    A script that misspelt a filter, or whose variable was empty, would get everything.
    """
    given = QueryDict(query)
    if unknown := sorted(set(given) - {*WORDS, *FILTERS}):
        said = _("A report does not know “%(name)s”. Choose from: %(known)s.")
        raise ValidationError({"query": said % {"name": unknown[0][:60], "known": ", ".join((*WORDS, *FILTERS))}})
    if empty := [name for name in FILTERS if not all(key.strip() for key in given.getlist(name))]:
        said = _("“%(name)s” has no value. Write one, or - for what has none, or leave it out.")
        raise ValidationError({"query": said % {"name": empty[0]}})


def known_person(typed: str) -> str:
    """ValidationError for a name that nobody has: an empty report would say that nothing was sent."""
    if not User.objects.filter(username=typed).exists():
        said = _("The console does not know the user name “%(name)s”. Look it up under Users, or write - for nobody.")
        raise ValidationError(said % {"name": typed})
    return typed


def _key(name: str, typed: str) -> str:
    """The typed value as the tallies have it: people type codes in small letters, and channels in capitals."""
    if typed == NONE:
        return ""
    return AS_KEPT.get(name, str)(typed[:LONGEST_VALUE])


def _day(text: str) -> dt.date:
    try:
        found = parse_date(text.strip())
    except ValueError:
        found = None
    if found is None:
        raise ValidationError(DATE)
    return found


def ordered(report: Report, sort: str) -> Report:
    """Sort rows by a dimension or a column; those without such a figure come last. An unknown word changes nothing."""
    name, _colon, currency = sort.removeprefix("-").partition(":")
    is_down = sort.startswith("-")
    if name in report.by:
        report.rows.sort(key=lambda row: str(row.values[report.by.index(name)][0]).casefold(), reverse=is_down)
    elif name in COLUMNS:
        if name in BY_CURRENCY and not currency:  # amounts of several cannot be compared: by the first that is shown
            currency = min((one for row in report.rows for one in COLUMNS[name].of(row.figures)), default="")
        valued = [(_sortable(COLUMNS[name].of(row.figures), currency), row) for row in report.rows]
        known = [entry for entry in valued if entry[0] is not None]
        known.sort(key=lambda entry: entry[0], reverse=is_down)
        report.rows = [row for _value, row in known] + [row for value, row in valued if value is None]
    return report


def _sortable(value: Any, currency: str) -> Any:
    if isinstance(value, dict):
        return value.get(currency) if currency else sum(value.values()) or None
    return value


def title(asked: Asked) -> str:
    """Report by country, campaign."""
    if not asked.by:
        return _("Report")
    return _("Report by %(names)s") % {
        "names": ", ".join(str(DIMENSIONS[name]).lower() for name in asked.by if name in DIMENSIONS)
    }
