"""`manage.py support_bundle FILE`: what people who help from outside need to know, without a word about a person."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from laaffic_console.dashboard.health import support_bundle
from laaffic_console.kit.files.exports import why_not_written, write_whole
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words.figures import number


class Command(ConsoleCommand):
    help = "Write a ZIP with versions, settings without secrets, checks, health, queue and recent errors."
    runs_half_restored = True
    requires_system_checks: list[str] = []  # what is wrong is what somebody wants to show

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the ZIP to write, for example support.zip")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        pieces = [support_bundle.content()]
        try:
            write_whole(file, lambda into: into.writelines(pieces))
        except OSError as problem:
            raise CommandError(why_not_written(problem, file)) from problem
        size = number(file.stat().st_size)
        self.stdout.write(f"{file}: a ZIP of {size} bytes. There is nothing about a person in it.")
