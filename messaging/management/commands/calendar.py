"""The command `calendar`: hours in which people may be reached."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from laaffic_console.kit.process.commands import ConsoleCommand
from messaging.management.named import application_named, region_named
from messaging.models import ApplicationCalendar, Calendar
from messaging.services.campaigns import calendars


class Command(ConsoleCommand):
    help = "Make calendars that say when recipients may be reached, and list them."
    given_by = {"left_out": ["except_date"]}

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="a calendar, or a part of one that there is")
        create.add_argument("name", metavar="NAME")
        create.add_argument(
            "--hours", action="append", default=[], help="such as “mon-fri 09:00-20:00”; may be given several times"
        )
        create.add_argument(
            "--country",
            action="extend",
            nargs="+",
            default=[],
            metavar="CC",
            help="these hours and dates are for it alone",
        )
        create.add_argument("--except-date", action="extend", nargs="+", default=[], metavar="YYYY-MM-DD")
        create.add_argument("--app", metavar="APPID", help="make it the calendar of this application's campaigns")
        create.add_argument("--json", action="store_true")
        listing = verbs.add_parser("list", help="all calendars")
        listing.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        document = self.create(options) if options["verb"] == "create" else listed()
        self.stdout.write(json.dumps(document) if options["json"] else as_text(document))

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        application = application_named(options["app"]) if options["app"] else None
        try:
            calendar = calendars.add_part(
                options["name"],
                hours=options["hours"],
                countries=[region_named(code) for code in options["country"]],
                left_out=options["except_date"],
            )
        except ValidationError as problem:
            raise self.refused(problem) from problem
        if application is not None:
            calendars.give(application, calendar)
        return as_document(calendar)


def listed() -> dict[str, Any]:
    return {"calendars": [as_document(calendar) for calendar in Calendar.objects.all()]}


def as_document(calendar: Calendar) -> dict[str, Any]:
    given = ApplicationCalendar.objects.filter(calendar=calendar).order_by("application__app_id")
    return {
        "id": calendar.pk,
        "name": calendar.name,
        "hours": calendar.hours.splitlines(),
        "left_out": calendar.left_out.splitlines(),
        "applications": list(given.values_list("application__app_id", flat=True)),
    }


def as_text(document: dict[str, Any]) -> str:
    lines = []
    for calendar in document.get("calendars", [document]):
        lines.append(calendar["name"])
        lines += [f"  {line}" for line in calendar["hours"]]
        lines += [f"  not on {line}" for line in calendar["left_out"]]
    if not lines:
        return "There is no calendar. Make one: manage.py calendar create NAME --hours “mon-fri 09:00-20:00”"
    return "\n".join(lines)
