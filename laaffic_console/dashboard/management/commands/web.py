"""`manage.py web`: gunicorn, as web_server.py says."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from laaffic_console.kit.process.commands import ConsoleCommand


class Command(ConsoleCommand):
    help = "Serve the console. CONSOLE_BIND, WEB_CONCURRENCY and CONSOLE_THREADS say where and how wide."
    runs_half_restored = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", metavar="ADDRESS", help="host:port or unix:/path; else CONSOLE_BIND")

    def handle(self, *args: Any, bind: str | None, **options: Any) -> None:
        if bind:
            os.environ["CONSOLE_BIND"] = bind  # looked at as if it were given there
        from laaffic_console import web_server  # noqa: F401 - gunicorn reads WEB_CONCURRENCY before, and makes a trace

        gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:laaffic_console.web_server"]
        os.execv(sys.executable, gunicorn)  # noqa: S606 - in its place
