"""The command `report`: figures of some days, as the page of reports has them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_date

from laaffic_console.gateway.management import outcomes
from laaffic_console.kit.files import exports
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words.figures import number
from laaffic_console.reports import report_keys, reporting, sheet
from laaffic_console.reports.documents import days, document
from laaffic_console.reports.reporting import COLUMNS, DIMENSIONS, Period, Report, Row

SHOWN = ("sent", "delivered", "delivered_percent", "failed", "unknown", "segments", "cost", "replies", "opt_outs")

# What the page of reports filters by; a report by person is one by who launched.
FILTERS = {name: f"--{name}" for name in ("channel", "application", "country", "campaign", "sender")}
FILTERS["person"] = "--by-person"
FILTER_HELP = {
    "channel": "only this channel, as sms; several: the option again",
    "application": "only this application, by its appId",
    "country": "only this country, as IN",
    "campaign": "only this campaign, by its id; email:ID and group:ID for email campaigns and group calls",
    "sender": "only this sender ID",
    "person": "only what this person launched, by user name; - in any of these: what has none",
}


class Command(ConsoleCommand):
    help = (
        "What was sent in some days, what happened to it and what it cost. Days are days of the console's time zone "
        "(TIME_ZONE), both ends included."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", required=True, metavar="DATE", help="the first day, as 2026-03-01")
        parser.add_argument("--to", dest="last", required=True, metavar="DATE", help="the last day, included")
        parser.add_argument("--by", default="", metavar="NAMES", help=f"comma between: {', '.join(DIMENSIONS)}")
        parser.add_argument("--columns", default="", metavar="NAMES", help=f"comma between: {', '.join(COLUMNS)}")
        for name, option in FILTERS.items():
            parser.add_argument(option, action="append", dest=f"only_{name}", metavar="VALUE", help=FILTER_HELP[name])
        parser.add_argument("--compare", action="store_true", help="with as many days before")
        parser.add_argument("--json", action="store_true", help="one document on standard output")
        # All positional words, wherever they stand: argparse loses an optional one that comes after options.
        parser.add_argument(
            "what", nargs="*", metavar="prove|FILE", help="derive the period again; or a .csv or .xlsx to write"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        is_proof, path = wanted(options["what"], as_json=options["json"])
        try:
            period = reporting.period(day(options["first"]), day(options["last"]))
            only = limits(options)
            if is_proof:
                refuse_limits(only)
                refuse_shape(options)
                self.prove(period, as_json=options["json"])
                return
            report = reporting.run(
                period, names(options["by"]), columns=names(options["columns"]), compare=options["compare"], only=only
            )
        except ValidationError as problem:
            raise CommandError("\n".join(problem.messages)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(document(report)))
        elif path:
            self.stdout.write(written(report, path))
        elif not report.rows:
            self.stdout.write(f"Nothing was sent from {period.first} to {period.last}.")
        else:
            chosen = report.columns if options["columns"] else reporting.with_missing_prices(SHOWN, report.totals)
            self.stdout.write(table(report, chosen))

    def prove(self, period: Period, *, as_json: bool) -> None:
        """Exit code 1 where a figure disagrees."""
        found, missing = list(reporting.prove(period)), reporting.price_not_told(period)
        lines = found or ["Every figure of these days is what the ledger says."]
        if missing:
            lines = [*lines, f"Price not reported for {number(missing)} of what was sent: no cost has them."]
        document = {**days(period), "price_not_told": missing, "disagreements": found}
        self.answer(json.dumps(document) if as_json else "\n".join(lines), outcomes.not_as_proved(found))


def wanted(what: Sequence[str], *, as_json: bool) -> tuple[bool, Path | None]:
    """(whether to prove, the file to write); CommandError for more than one of them."""
    if list(what) == ["prove"]:
        return True, None
    if len(what) + as_json > 1:
        raise CommandError("A report goes to one place: give --json, or one FILE, or neither for a table.")
    return False, Path(what[0]) if what else None


def day(text: str) -> Any:
    """CommandError for an invalid date."""
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(f"{text} is not a date. Write it as year, month and day, like 2026-03-01.")
    return found


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def limits(options: dict[str, Any]) -> dict[str, list[str]]:
    """{dimension: keys}, as `reporting.run` takes them."""
    given = {name: options.get(f"only_{name}") or [] for name in FILTERS}
    return {name: report_keys.keys_of(name, typed) for name, typed in given.items() if typed}


def refuse_limits(only: dict[str, list[str]]) -> None:
    if only:
        raise CommandError(f"A proof is of all that was sent: leave out {FILTERS[next(iter(only))]}.")


def refuse_shape(options: dict[str, Any]) -> None:
    if given := next((name for name in ("by", "columns", "compare") if options[name]), ""):
        raise CommandError(f"A proof derives every figure of these days: leave out --{given}.")


def written(report: Report, path: Path) -> str:
    """CommandError where the file's kind is unknown, or it cannot be written."""
    try:
        exports.write_file(sheet.lines(report), path, "Report")
    except OSError as problem:
        raise CommandError(exports.why_not_written(problem, path)) from problem
    except ValueError as problem:
        raise CommandError(str(problem)) from problem
    return f"{number(len(report.rows))} rows in {path}"


def table(report: Report, columns: Sequence[str]) -> str:
    """The report as text for a terminal; the totals at the end."""
    lines = [[str(DIMENSIONS[name]) for name in report.by] + [str(COLUMNS[name].label) for name in columns]]
    for row in report.rows if report.by else []:
        lines.append([str(value[0]) or "–" for value in row.values] + cells(columns, row))
    total = ["Total", *[""] * (len(report.by) - 1)] if report.by else []
    lines.append(total + cells(columns, report.totals))
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    text = [
        "  ".join(
            cell.ljust(width) if place < len(report.by) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    said = f"{report.period.first} to {report.period.last}"
    if report.compared_with:
        said += f"; in brackets {report.compared_with.first} to {report.compared_with.last}"
    return "\n".join([said, *text])


def cells(columns: Sequence[str], row: Row) -> list[str]:
    found = []
    for name in columns:
        shown = cell(COLUMNS[name].of(row.figures))
        found.append(shown if row.before is None else f"{shown} ({cell(COLUMNS[name].of(row.before))})")
    return found


def cell(value: Any) -> str:
    if value is None or value == {}:
        return "–"
    if isinstance(value, dict):
        parts = (
            f"{amount.normalize():f} {key}" if isinstance(amount, Decimal) else f"{key or 'no reason'}: {amount}"
            for key, amount in value.items()
        )
        return "; ".join(parts)
    return number(value)
