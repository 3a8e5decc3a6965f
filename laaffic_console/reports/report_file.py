"""A report as a file, by the same way as every list (laaffic_console/exporting)."""

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from laaffic_console.exporting import kinds
from laaffic_console.exporting.kinds import Kind, NotExportable, Parameters, Row
from laaffic_console.reports import asking, sheet
from laaffic_console.reports.reporting import Report

KIND = "report"
RIGHTS = ("reports.view_report", "reports.export_report")


def register() -> None:
    kinds.register(
        Kind(
            name=KIND,
            rights=RIGHTS,
            title=lambda parameters: asking.title(_asked(parameters)),
            rows=_rows,
            count=lambda parameters, user, most: min(len(_run(parameters).rows), most),
        )
    )


def _rows(parameters: Parameters, user: User | None) -> Iterator[Row]:
    return sheet.lines(_run(parameters))


def _run(parameters: Parameters) -> Report:
    try:
        return _asked(parameters).run()
    except ValidationError as problem:
        raise NotExportable(" ".join(problem.messages)) from problem


def _asked(parameters: Parameters) -> asking.Asked:
    return asking.read(str(parameters.get("query", "")))
