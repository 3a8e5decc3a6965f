"""The command `rehearsal_acts`, which a rehearsal asks in its own installation."""

import json
from typing import Any

from django.core.management.base import CommandParser

from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.rehearsal.acts import act_ledger


class Command(ConsoleCommand):
    help = "One JSON document about a channel's single acts: what a rehearsal compares."
    runs_half_restored = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("channel", choices=sorted(act_ledger.CHANNELS))

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(act_ledger.document(options["channel"])))
