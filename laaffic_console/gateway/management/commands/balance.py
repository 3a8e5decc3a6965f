"""The command `balance`: what the account has, and whether its credentials count."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from laaffic_console.gateway.services import account_hold, account_watch, balance_history
from laaffic_console.gateway.services.account import NotConfigured, laaffic_client
from laaffic_console.kit.commands import ConsoleCommand
from laaffic_console.laaffic import LaafficError


class Command(ConsoleCommand):
    help = "Ask Laaffic for the balance: the cheapest check of the credentials (getBalance)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help='{"balance", "gift", "credit", "currency"}, as texts')

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            balance = laaffic_client().get_balance()
        except NotConfigured as problem:
            raise CommandError(str(problem)) from problem
        except LaafficError as problem:
            raise CommandError(account_watch.explain(problem)) from problem
        reading = balance_history.record(balance)
        account_hold.tell(balance)
        names = ("balance", "gift", "credit", "currency")
        said = {name: "" if (value := getattr(reading, name)) is None else str(value) for name in names}
        self.stdout.write(json.dumps(said) if options["json"] else "\n".join(f"{n}: {v}" for n, v in said.items() if v))
