"""The command `worker`: it runs jobs until it is stopped."""

import os
from contextlib import suppress
from typing import Any

from laaffic_console.gateway.services.work.supervision import Supervisor
from laaffic_console.kit.process.commands import ConsoleCommand, NotWritten

GIVES_WAY = 5  # to web processes where cores are few: pages and the API answer while a campaign runs


class Command(ConsoleCommand):
    help = "A worker: sends campaigns, applies reports, runs imports. Run one or more on each machine."
    runs_half_restored = True

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(GIVES_WAY)
        with suppress(NotWritten):  # a log on a full disk keeps nothing from being sent
            self.stdout.write("worker started; Ctrl-C ends it after the jobs that run")
        Supervisor().run()
