"""What every command of the console stands on."""

from django.core.management.base import BaseCommand

CHECKS = "laaffic"  # the console's own system checks (laaffic_console/checks/)


class ConsoleCommand(BaseCommand):
    """Asks the console's own checks before it runs: Django's would load every page first, and take as long again."""

    requires_system_checks = [CHECKS]
