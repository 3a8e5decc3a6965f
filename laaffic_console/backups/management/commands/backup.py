"""`manage.py backup FILE`: database and uploads in one file, while the console runs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from laaffic_console.backups.services import backing_up
from laaffic_console.backups.services.databases import CannotCopy
from laaffic_console.kit.files.exports import why_not_written
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words.figures import number


class Command(ConsoleCommand):
    help = "Write one file with the database and what people have uploaded; campaigns go on in the meantime."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the file to write, for example console.backup")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            backing_up.write(file, self.stderr.write)
        except CannotCopy as problem:
            raise CommandError(str(problem)) from problem
        except OSError as problem:
            raise CommandError(why_not_written(problem, file)) from problem
        self.stdout.write(f"{file}: {number(file.stat().st_size)} bytes. Keep .env and the keys in var/ too.")
