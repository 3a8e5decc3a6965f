"""The command `reconcile`: what a worker finds out by and by, at once."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.core.management.base import CommandError

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.client.account import NotConfigured
from laaffic_console.gateway.services.inbox import inbox
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.laaffic import IncompleteList, LaafficError
from messaging.services.channels import channels
from messaging.services.channels.channels import SendingChannel
from messaging.services.email import callbacks as email_callbacks
from messaging.services.email import deliveries as email_deliveries
from messaging.services.replies import reply_pushes
from messaging.services.reports import report_pulls, report_pushes


class Command(ConsoleCommand):
    help = "One pass over what is not known yet: stored pushes, and what Laaffic answers and has in its records."

    def handle(self, *args: Any, **options: Any) -> None:
        for pushes in (reply_pushes.INBOX, report_pushes.INBOX, email_callbacks.INBOX):
            while pushes.apply_some():
                pass
        inbox.apply_waiting()  # what other apps take, such as the ends of calls
        self.told: list[str] = []
        problems = [problem for do in self.steps() if (problem := self.tried(do))]
        # When all is done: an answer that cannot be written keeps nobody from being asked.
        self.answer("\n".join(self.told), CommandError("\n".join(dict.fromkeys(problems))) if problems else None)

    def steps(self) -> Iterator[Callable[[], object]]:
        yield report_pulls.pull_due
        yield email_deliveries.pull_due
        for application in Application.objects.order_by("pk"):
            for channel in channels.carried_by(application):
                yield partial(self.sweep, application, channel)

    def tried(self, do: Callable[[], object]) -> str:
        """What went wrong; "" where nothing did. One application that cannot be asked keeps nobody from the others."""
        try:
            do()
        except NotConfigured as problem:
            return str(problem)
        except IncompleteList as problem:
            self.stderr.write(f"Laaffic's list changed while it was read; the next pass reads it again: {problem}")
        except LaafficError as problem:
            return f"Laaffic did not answer as it should: {problem}"
        return ""

    def sweep(self, application: Application, channel: SendingChannel) -> None:
        span = report_pulls.minutes_with_pending(application)
        if span is None:
            said = f"{application}: nothing is waiting for a report"
            self.told += [said] if said not in self.told else []  # once for all channels that it sends on
            return
        seen = channel.reconcile(application, *span)
        self.told.append(f"{application}: {seen} records read")
