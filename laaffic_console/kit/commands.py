"""What every command of the console stands on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from laaffic_console.kit import database_troubles

CHECKS = "laaffic"  # the console's own system checks (laaffic_console/checks/)


class ConsoleCommand(BaseCommand):
    """Asks the console's own checks before it runs: Django's would load every page first, and take as long again."""

    requires_system_checks = [CHECKS]

    def execute(self, *args: Any, **options: Any) -> Any:
        """Without a database, or one of this version, in a sentence; what is a fault of ours keeps its trace."""
        try:
            return super().execute(*args, **options)
        except (DatabaseError, InterfaceError) as problem:
            if said := database_troubles.sentence(problem):
                raise CommandError(said) from problem
            raise
