"""The command `campaign`: everything about campaigns from the shell."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from laaffic_console.gateway.management import outcomes
from laaffic_console.gateway.models import Channel
from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.kit.process import document_text
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words import limits
from messaging.management import draft_arguments
from messaging.management.written_files import written
from messaging.models import Campaign, TemplateVersion
from messaging.registered import export_kinds
from messaging.services.approvals.shown import Agreed
from messaging.services.campaigns import campaigns, drafts, launch_checks, resolving, starting, templates
from messaging.services.figures import campaign_report, proving

CHANGES = {
    "launch": starting.launch,
    "pause": campaigns.pause,
    "resume": campaigns.resume,
    "cancel": campaigns.cancel,
}

FILES = {"export": export_kinds.RECIPIENTS, "dossier": export_kinds.DOSSIER}


class Command(ConsoleCommand):
    help = "Create, launch, pause, resume, cancel, report on, export and prove campaigns."
    given_by = {**draft_arguments.GIVEN_BY, "text": ["text", "template"]}

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="a draft for a group of contacts")
        draft_arguments.add(create)
        create.add_argument("--sender-id", default="")
        create.add_argument("--text", help="or --template")
        create.add_argument("--template", metavar="NAME", help="the text of this template, as it is now")
        listing = verbs.add_parser("list", help="the latest campaigns")
        listing.add_argument("--json", action="store_true")
        resolve = verbs.add_parser("resolve", help="settle by a person's word what evidence could not")
        resolve.add_argument("id", type=int)
        word = resolve.add_mutually_exclusive_group(required=True)
        word.add_argument("--send-again", action="store_true")
        word.add_argument("--write-off", action="store_true")
        resolve.add_argument("--reason", required=True, metavar="WHY")
        resolve.add_argument("--json", action="store_true")
        writes = verbs.add_parser("export", help="each recipient with what happened to it, to a .csv or .xlsx file")
        writes.add_argument("id", type=int)
        writes.add_argument("file", type=Path, metavar="FILE")
        dossier = verbs.add_parser("dossier", help="all that is known of it, signed, to a .zip file (verify_dossier)")
        dossier.add_argument("id", type=int)
        dossier.add_argument("file", type=Path, metavar="FILE")
        for verb in [*CHANGES, "report", "prove"]:
            change = verbs.add_parser(verb)
            change.add_argument("id", type=int)
            change.add_argument("--json", action="store_true")
            if verb == "launch":
                outcomes.add_again(change)
            if verb == "resume":
                change.add_argument("--cost", type=_cost, help="the new cost that you agree to: USD 12.50, EUR 3")
                change.add_argument("--unpriced", type=int, default=0, metavar="N", help="and so many without a price")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = options["verb"]
        if verb in FILES:
            self.stdout.write(written(FILES[verb], options["id"], options["file"]))
            return
        try:
            document = self.document(verb, options)
        except StillOpen as problem:
            raise outcomes.refused_repeat(problem) from problem
        except ValidationError as problem:
            raise self.refused(problem) from problem
        except Campaign.DoesNotExist as problem:
            raise CommandError(f"There is no campaign {options['id']}.") from problem
        shown = json.dumps(document) if options["json"] else as_text(document)
        self.answer(shown, outcomes.not_as_proved(document.get("disagreements", [])))

    def document(self, verb: str, options: dict[str, Any]) -> dict[str, Any]:
        if verb == "create":
            return self.create(options)
        if verb == "list":
            latest = Campaign.objects.order_by("-pk").values("id", "name", "state", "total")[:50]
            return {"campaigns": list(latest)}
        if verb == "resolve":
            return self.resolve(options)
        if verb == "prove":
            return proving.prove(Campaign.objects.get(pk=options["id"]))
        if verb == "launch":
            return self.launch(options)
        if verb == "resume" and (options["cost"] is not None or options["unpriced"]):
            agreed = Agreed(options["cost"] or {}, options["unpriced"])
            return standing(campaigns.resume(options["id"], agreed=agreed))
        return self.change_or_report(verb, options["id"])

    def launch(self, options: dict[str, Any]) -> dict[str, Any]:
        """Launch it, and tell on standard error what a page would have asked."""
        try:
            notes = launch_checks.not_asked(options["id"])
        except DatabaseError:  # busy: what only serves a note keeps no launch back
            notes = []
        launched = standing(starting.launch(options["id"], again=options["again"]))
        for note in notes:
            self.stderr.write(f"Note: {note}")
        return launched

    def resolve(self, options: dict[str, Any]) -> dict[str, Any]:
        settle = resolving.send_again if options["send_again"] else resolving.write_off
        settled = settle(Campaign.objects.get(pk=options["id"]).pk, reason=options["reason"])
        return {"id": options["id"], "messages": settled, "state": Campaign.objects.get(pk=options["id"]).state}

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        text, version = text_of(options["text"], options["template"])
        campaign = drafts.create(
            **draft_arguments.fields_of(options, Channel.SMS),
            sender_id=options["sender_id"],
            text=text,
            template_version=version,
        )
        return {"id": campaign.pk, **draft_arguments.told_of(campaign.paste)}

    def change_or_report(self, verb: str, campaign_id: int) -> dict[str, Any]:
        if verb == "report":
            return campaign_report.document(Campaign.objects.get(pk=campaign_id))
        return standing(CHANGES[verb](campaign_id))


def _cost(given: str) -> Mapping[str, Decimal]:
    amounts = limits.read(given)
    if isinstance(amounts, Decimal):
        raise TypeError(given)
    return amounts


def standing(campaign: Campaign) -> dict[str, Any]:
    return {"id": campaign.pk, "state": campaign.state}


def text_of(text: str | None, template: str | None) -> tuple[str, TemplateVersion | None]:
    """The text to send, and the version of the template that it is from."""
    if text is not None and template is not None:
        raise CommandError("Give --text or --template, not both: a campaign has one text.")
    if template is None:
        if text is None:
            raise CommandError("Say what to send: --text TEXT, or --template NAME.")
        return text, None
    version = templates.latest_by_name(template)
    if version is None:
        raise CommandError(f"There is no template “{template}”. Templates are on the page Templates: add it there.")
    return version.text, version


def as_text(document: dict[str, Any]) -> str:
    if "campaigns" in document:
        rows = "\n".join("{id}\t{state}\t{total}\t{name}".format(**row) for row in document["campaigns"])
        make = "manage.py campaign create --name NAME --app APPID --group GROUP --text TEXT"
        return rows or f"There is no campaign. Make one: {make}"
    told = {
        name: [_told(one) for one in value] if isinstance(value, list) else value for name, value in document.items()
    }
    return "\n".join(document_text.lines(told))


def _told(entry: Any) -> Any:
    """The entries of a document that the command prints in other words than the document."""
    match entry:
        case {"n": n, "until": until, "why": why}:  # what waits
            return f"{n} until {until}: {why}" if until else f"{n}: {why}"
        case {"line": line, "value": value, "reason": reason}:  # what is wrong with a given number
            return f"line {line}, “{value}”: {reason}"
        case {"country": country, "expected": expected, "actual": actual}:
            return {country or "no country": {"expected": expected, "actual": actual}}
    return entry
