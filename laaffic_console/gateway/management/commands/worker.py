from typing import Any

from django.core.management.base import BaseCommand

from laaffic_console.gateway.services.supervision import Supervisor


class Command(BaseCommand):
    help = "A worker: sends campaigns, applies reports, runs imports. Run one or more on each machine."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("worker started; Ctrl-C ends it after the jobs that run")
        Supervisor().run()
