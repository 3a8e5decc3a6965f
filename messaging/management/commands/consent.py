"""The command `consent`: consents from a file, and a person's."""

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words.figures import number
from laaffic_console.laaffic.reports import digits
from messaging import msisdn
from messaging.files.unreadable import UnreadableFile
from messaging.management.named import region_named
from messaging.models import ConsentEvent
from messaging.services.contacts import consent_files, consents
from messaging.services.contacts.consent_files import Options
from messaging.subscribers import subscriber


class Command(ConsoleCommand):
    help = "Import consents that were given elsewhere, and show a person's."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        reads = verbs.add_parser("import", help="a CSV or XLSX file: number, consent, date, channel, source, words")
        reads.add_argument("file", type=Path)
        reads.add_argument(
            "--channel", choices=[one.value for one in consents.CHANNELS], default="sms", help="of rows that name none"
        )
        reads.add_argument("--date", default="", metavar="YYYY-MM-DD", help="when it was said, of rows without a date")
        reads.add_argument("--source", default="", help="where it was said, such as “web form”")
        reads.add_argument("--region", default="", metavar="CC", help="country of national numbers, such as IN")
        reads.add_argument("--encoding", default="", help="of a text file whose letters can be read in several ways")
        reads.add_argument("--json", action="store_true")
        shows = verbs.add_parser("show", help="what a person has said, and what holds now")
        shows.add_argument("number", help="digits with the country code")
        shows.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        document = self.read(options) if options["verb"] == "import" else shown(options["number"])
        self.stdout.write(json.dumps(document) if options["json"] else as_text(document))

    def read(self, options: dict[str, Any]) -> dict[str, Any]:
        path: Path = options["file"]
        region = region_named(options["region"])
        wanted = Options(options["channel"], options["date"], options["source"], region, options["encoding"])
        try:
            return consent_files.take(path, wanted).document()
        except ValidationError as problem:
            raise self.refused(problem) from problem
        except (OSError, UnreadableFile) as problem:
            why = problem.strerror if isinstance(problem, OSError) else problem
            raise CommandError(f"{path}: {why}") from problem


def shown(written: str) -> dict[str, Any]:
    try:
        number = digits(msisdn.from_spreadsheet(written.strip(), written[:40]))
    except msisdn.InvalidNumber as problem:
        raise CommandError(str(problem)) from problem
    if not (number.isascii() and number.isdigit()):
        raise CommandError(f"“{number}” is not a phone number. Give its digits with the country code.")
    said = ConsentEvent.objects.filter(subscriber=subscriber(number)).order_by("-at", "-pk")[:100]
    return {
        "number": number,
        "consents": {one.channel: one.state for one in consents.of_person(number)},
        "said": [
            {
                "channel": one.channel,
                "consent": one.state,
                "date": one.at.isoformat(),
                "source": one.source,
                "words": one.words,
            }
            for one in said
        ],
    }


def as_text(document: dict[str, Any]) -> str:
    if "consents" in document:
        lines = [f"{channel}: {state}" for channel, state in document["consents"].items()]
        line = "  {date}  {channel} {consent}  {source}  {words}"
        return "\n".join([*lines, *(line.format(**one).rstrip() for one in document["said"])])
    lines = [f"{name}: {number(document[name])}" for name in ("rows", "kept", "known", "invalid")]
    return "\n".join([*lines, *map(_invalid_row, document["errors"])])


def _invalid_row(told: dict[str, Any]) -> str:
    column = f", {told['column']}" if told["column"] else ""  # none where its cells cannot be told apart
    return f"  row {told['row']}{column} “{told['value']}”: {told['reason']}"
