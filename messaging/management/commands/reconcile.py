from typing import Any

from django.core.management.base import BaseCommand, CommandError

from laaffic_console.gateway.models import Application
from laaffic_console.gateway.services.account import NotConfigured
from laaffic_console.laaffic import LaafficError
from messaging.services import channels, email_callbacks, email_deliveries, report_pulls, report_pushes
from messaging.services.channels import SendingChannel


class Command(BaseCommand):
    help = "One pass over what is not known yet: stored pushes, and what Laaffic answers and has in its records."

    def handle(self, *args: Any, **options: Any) -> None:
        while report_pushes.INBOX.apply_some():
            pass
        while email_callbacks.INBOX.apply_some():
            pass
        try:
            report_pulls.pull_due()
            email_deliveries.pull_due()
            for application in Application.objects.order_by("pk"):
                for channel in channels.carried_by(application):
                    self.sweep(application, channel)
        except NotConfigured as problem:
            raise CommandError(str(problem)) from problem
        except LaafficError as problem:
            raise CommandError(f"Laaffic did not answer as it should: {problem}") from problem

    def sweep(self, application: Application, channel: SendingChannel) -> None:
        span = report_pulls.minutes_with_pending(application)
        if span is None:
            self.stdout.write(f"{application}: nothing is waiting for a report")
            return
        seen = channel.reconcile(application, *span)
        self.stdout.write(f"{application}: {seen} records read")
