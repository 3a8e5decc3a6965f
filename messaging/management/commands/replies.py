"""The command `replies`: those that were not pushed."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from laaffic_console.kit.process.commands import ConsoleCommand
from messaging.models import ReplyPull
from messaging.services.replies import reply_pulls


class Command(ConsoleCommand):
    help = "Ask Laaffic for the replies that were not pushed."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        pull = verbs.add_parser("pull", help="of every application that has a campaign, now")
        pull.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            new = reply_pulls.pull_all()
        except reply_pulls.BeingRead as problem:
            raise CommandError(f"Nothing was asked: {problem} Ask again in a minute.") from problem
        # The last problem of one that is not asked for any more is not news.
        stuck = ReplyPull.objects.filter(application__in=reply_pulls.heard()).exclude(problem="")
        troubles = dict(stuck.values_list("application__app_id", "problem"))
        document = {"new": new, "problems": troubles}
        unasked = "\n".join(f"{app_id}: {problem}" for app_id, problem in troubles.items())
        shown = json.dumps(document) if options["json"] else f"new: {new}"
        self.answer(shown, CommandError(unasked) if unasked else None)
