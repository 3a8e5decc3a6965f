"""`laaffic-console upgrade`: from the version that runs to the one whose command this is."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from laaffic_console.backups.services import upgrading
from laaffic_console.backups.services.alone import Refused
from laaffic_console.backups.services.databases import CannotCopy
from laaffic_console.checks.saying import is_web_address
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.process.interrupts import terminal_may_close
from laaffic_console.kit.words.figures import number


class Command(ConsoleCommand):
    help = "Bring the console to this version while campaigns run: stop, migrate, start, and say how long it took."
    # "" where a person stops or starts these by hand.
    may_be_empty = frozenset({"ready_web", "stop_workers", "stop_web", "start_web", "start_workers"})

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--backup", type=Path, metavar="FILE", help="write a backup first")
        parser.add_argument(
            "--ready-web",
            default="",
            metavar="COMMAND",
            help="begin the new web process beside the old one: it loads, and serves once the migrations are done",
        )
        parser.add_argument("--stop-workers", default="systemctl stop console-worker", metavar="COMMAND")
        parser.add_argument("--stop-web", default="systemctl stop console-web", metavar="COMMAND")
        parser.add_argument("--start-web", default="systemctl start console-web", metavar="COMMAND")
        parser.add_argument("--start-workers", default="systemctl start console-worker", metavar="COMMAND")
        parser.add_argument(
            "--address", default=settings.CONSOLE_URL, metavar="URL", help="where pages answer; CONSOLE_URL"
        )
        parser.add_argument("--long", action="store_true", help="although migrations go through large tables")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_web_address(options["address"]):
            raise CommandError(f"--address is “{options['address']}”. Give one such as https://console.example.com.")
        how = upgrading.How(
            stop_workers=options["stop_workers"],
            stop_web=options["stop_web"],
            start_web=options["start_web"],
            start_workers=options["start_workers"],
            address=options["address"],
            ready_web=options["ready_web"],
            backup=options["backup"],
            may_take_long=options["long"],
        )
        try:
            with terminal_may_close():
                done = upgrading.upgrade(how, self.stderr.write)
        except (Refused, CannotCopy, upgrading.Halfway) as problem:
            raise CommandError(str(problem)) from problem
        except OSError as problem:
            why = ": ".join(str(part) for part in (problem.filename, problem.strerror or problem) if part)
            raise CommandError(f"{why}. Nothing was stopped or changed.") from problem
        self.stdout.write(f"Upgraded: {number(done.migrations)} migrations. {said_of_pages(done.away)}")


def said_of_pages(away: upgrading.Away | None) -> str:
    if away is None:
        return "No page answered before, so nobody can say how long they were away."
    parts = f"stopping {away.stopping:.1f}, migrating {away.migrating:.1f}, starting {away.starting:.1f}"
    return f"Pages were away for {away.seconds:.1f} seconds: {parts}."
