"""The command `audience`: conditions under a name."""

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from laaffic_console.kit.pages import own_page
from laaffic_console.kit.process.commands import ConsoleCommand
from messaging.conditions import conditions
from messaging.management.commands.campaign import as_text
from messaging.management.named import audience_named
from messaging.models import Audience
from messaging.services.saved_audiences import audiences


class Command(ConsoleCommand):
    help = "Save audiences by condition, and count who is in them."
    given_by = {"condition": ["where"]}

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="save a condition under a name")
        create.add_argument("name", metavar="NAME")
        create.add_argument("--where", required=True, metavar="CONDITION", help="such as: country in (IN, BD)")
        create.add_argument("--json", action="store_true")
        count = verbs.add_parser("count", help="how many contacts meet its condition now")
        count.add_argument("name", metavar="NAME")
        count.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            document = self.create(options) if options["verb"] == "create" else counted(audience_named(options["name"]))
        except ValidationError as problem:
            raise self.refused(problem) from problem
        self.stdout.write(json.dumps(document) if options["json"] else as_text(document))

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        if existing := Audience.objects.filter(name=options["name"].strip()).first():
            raise CommandError(
                f"There is an audience “{existing}” already: manage.py audience count “{existing}” shows it. "
                f"Change it on its page, or choose another name: {settings.CONSOLE_URL}{own_page(existing)}"
            )
        audience = audiences.create(name=options["name"], condition=options["where"])
        return {"id": audience.pk, "name": audience.name, "condition": audience.condition}


def counted(audience: Audience) -> dict[str, Any]:
    meant = audiences.rules([conditions.from_json(audience.tree)])
    contacts = audiences.count(meant, seconds=None).contacts
    return {"id": audience.pk, "name": audience.name, "condition": audience.condition, "contacts": contacts}
