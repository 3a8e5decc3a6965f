"""The command `verify_dossier`, beside the module of that name."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from laaffic_console import verify_dossier
from laaffic_console.kit.process.commands import ConsoleCommand


class Command(ConsoleCommand):
    """From the shell `__main__` runs it before any setting is read; here it is for `help` and for callers."""

    help = "Check that the dossier of a campaign is as it was signed; needs no database and no settings."
    runs_half_restored = True
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verify_dossier.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if why := verify_dossier.run(options["file"], options["key"], self.stdout.write):
            raise CommandError(why)
