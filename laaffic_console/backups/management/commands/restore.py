"""`manage.py restore FILE`: a backup takes the place of what is there; nothing is sent twice because of it."""

import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError

from laaffic_console.backups.services import restoring
from laaffic_console.backups.services.alone import Refused
from laaffic_console.backups.services.archives import BadBackup
from laaffic_console.backups.services.databases import CannotCopy
from laaffic_console.kit.commands import ConsoleCommand
from laaffic_console.kit.figures import number


class Command(ConsoleCommand):
    help = "Replace database and uploads by those of a backup; what may have been sent since is unknown then."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what manage.py backup has written")
        parser.add_argument("--yes", action="store_true", help="replace a database that is not empty")
        parser.add_argument("--force", action="store_true", help="although workers give signs of life")

    def handle(self, *args: Any, file: Path, yes: bool, force: bool, **options: Any) -> None:
        try:
            settled = restoring.restore(file, is_meant=yes, force=force, tell=self.stderr.write)
        except (BadBackup, CannotCopy, Refused) as problem:
            raise CommandError(str(problem)) from problem
        except FileNotFoundError as problem:
            raise CommandError(
                f"There is no file {problem.filename or file}. Name one that backup has written."
            ) from problem
        except OSError as problem:
            raise CommandError(f"{problem.filename or file}: {problem.strerror or problem}") from problem
        except DatabaseError as problem:
            why = str(problem).strip().partition("\n")[0]
            raise CommandError(f"The database: {why}. Restore it once more, or another backup.") from problem
        except sqlite3.Error as problem:
            raise CommandError(f"SQLite: {problem}. Stop every worker and web process, then try again.") from problem
        self.stdout.write(
            f"Restored. {number(settled['held'])} campaigns are held, {number(settled['unknown'])} messages and "
            f"{number(settled['requests'])} other requests are unknown: they may have left since the backup. "
            "Start a worker and web; evidence is looked for by itself. Then resume each campaign. Everybody signs in "
            f"again. {number(settled['people'])} people, {number(settled['tokens'])} API tokens and "
            f"{number(settled['links'])} links to reports count as they did at the backup: close and revoke again what "
            "was closed and revoked since."
        )
