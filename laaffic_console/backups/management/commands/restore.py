"""`manage.py restore FILE`: a backup takes the place of what is there; nothing is sent twice because of it."""

import sqlite3
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from laaffic_console.backups.services import restoring
from laaffic_console.backups.services.alone import Refused
from laaffic_console.backups.services.archives import BadBackup
from laaffic_console.backups.services.databases import CannotCopy
from laaffic_console.kit.files.uploads import FULL
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.process.interrupts import terminal_may_close
from laaffic_console.kit.sql import database_troubles
from laaffic_console.kit.sql.database_troubles import FULL_WORDS, Trouble
from laaffic_console.kit.words.figures import number
from messaging.services.contacts.lasting_words import Written


class Command(ConsoleCommand):
    help = "Replace database and uploads by those of a backup; what may have been sent since is unknown then."
    runs_half_restored = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what manage.py backup has written")
        parser.add_argument("--yes", action="store_true", help="replace a database that is not empty")
        parser.add_argument("--force", action="store_true", help="although workers give signs of life")

    def handle(self, *args: Any, file: Path, yes: bool, force: bool, **options: Any) -> None:
        try:
            with terminal_may_close():
                done = restoring.restore(file, is_meant=yes, force=force, tell=self.stderr.write)
        except (BadBackup, CannotCopy, Refused) as problem:
            raise CommandError(str(problem)) from problem
        except (OSError, DatabaseError, sqlite3.Error) as problem:
            raise CommandError(_why(problem, file)) from problem
        self.stdout.write(" ".join(_of_counts(done.counts)))
        self.stdout.write(_of_words(done.words, was_empty=done.was_empty))


def _of_counts(counts: Mapping[str, int]) -> Iterator[str]:
    """Sentences on what was restored that people have to know; none on what there is none of."""
    yield "Restored."
    if counts["held"]:
        yield f"Held: {_n(counts['held'], 'campaign')}."
    if unknown := _those((counts["unknown"], "message", ""), (counts["requests"], "other request", "")):
        yield f"Unknown, as they may have left since the backup: {unknown}."
    if counts["drafts"]:
        yield f"May have been launched since, so a launch asks why: {_n(counts['drafts'], 'draft')}."
    if unknown or counts["held"]:
        yield "Start a worker and web; evidence is looked for by itself. Then resume each campaign."
    else:
        yield "Nothing was under way in it. Start a worker and web."
    yield "Everybody signs in again."
    if again := _those(
        (counts["people"], "person", "people"),
        (counts["tokens"], "API token", ""),
        (counts["links"], "link to a report", "links to reports"),
    ):
        yield f"As they were at the backup: {again}; close and revoke again what was closed and revoked since."
    if counts["webhooks"]:
        yield f"Paused, to be resumed where they are still meant: {_n(counts['webhooks'], 'webhook')}."


def _those(*counted: tuple[int, str, str]) -> str:
    """ "1 person, 2 API tokens and 1 link"; "" where all are none."""
    *before, last = ["", *(_n(n, one, many) for n, one, many in counted if n)]
    return " and ".join(filter(None, [", ".join(filter(None, before)), last]))


def _why(problem: Exception, file: Path) -> str:
    """What is in the way, and what to do."""
    words = str(problem).strip().partition("\n")[0]
    is_full = any(full in words.lower() for full in FULL_WORDS) or database_troubles.of(problem) == Trouble.FULL
    if is_full or getattr(problem, "errno", None) in FULL:
        return (
            f"There is no room on the disk: of the database, or of {settings.VAR_DIR}. Make room, then restore {file} "
            "once more."
        )
    if isinstance(problem, FileNotFoundError):
        return f"There is no file {problem.filename or file}. Name one that backup has written."
    if isinstance(problem, OSError):
        return f"{problem.filename or file}: {problem.strerror or problem}"
    if isinstance(problem, sqlite3.Error):
        return f"SQLite: {problem}. Stop every worker and web process, then try again."
    return f"The database: {words}. Restore it once more, or another backup."


def _n(n: int, one: str, many: str = "") -> str:
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def _of_words(words: Written | None, *, was_empty: bool) -> str:
    """What happened to suppressions, withdrawn consents and erasures since the backup: what was kept, or is lost."""
    if words is None:
        why = (
            "There was no database here. If the console went on elsewhere after this backup, this is LOST: numbers"
            if was_empty
            else "LOST, as the database that was replaced is of another version or cannot be read: numbers"
        )
        return (
            f"{why} that were suppressed, consents that were withdrawn and people who were erased since the backup. "
            "Enter them again before you resume anything. Replies are read again by themselves."
        )
    taken = _those((words.suppressed, "suppressed number", ""), (words.withdrawn, "withdrawn consent", ""))
    said = []
    if taken:
        said.append(f"Taken over from the database that was replaced, as since the backup: {taken}.")
    if words.suppressed:
        said.append("Who was allowed again since is suppressed.")
    if words.erased:
        said.append(f"Erased again: {_n(words.erased, 'person', 'people')}.")
    if words.not_erased:
        said.append(
            "Not erased again, since a message or a group call may still reach them: "
            f"{_n(len(words.not_erased), 'person', 'people')}. Settle it, then erase {', '.join(words.not_erased)}."
        )
    return " ".join(said) or "Nobody was suppressed, withdrew a consent or was erased since the backup."
