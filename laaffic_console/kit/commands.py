"""What every command of the console stands on."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import DatabaseError, InterfaceError

from laaffic_console.kit import database_troubles

CHECKS = "laaffic"  # the console's own system checks (laaffic_console/checks/)


class Answer(OutputWrapper):
    """Standard output: of a reader that went away, or a full disk, it is told before the command ends."""

    def write(self, *args: Any, **options: Any) -> None:  # type: ignore[override]
        try:
            super().write(*args, **options)
            self.flush()
        except OSError as problem:
            with suppress(OSError):  # what is left in its buffer would end the process with a code of Python's own
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            why = problem.strerror or str(problem)
            raise CommandError(
                f"The answer cannot be written: {why}. What the command was asked for is done."
            ) from problem


class ConsoleCommand(BaseCommand):
    """Asks the console's own checks before it runs: Django's would load every page first, and take as long again."""

    requires_system_checks = [CHECKS]

    def __init__(self, stdout: Any = None, *args: Any, **options: Any) -> None:
        super().__init__(stdout, *args, **options)
        self.stdout = Answer(stdout or sys.stdout)

    def execute(self, *args: Any, **options: Any) -> Any:
        """Without a database, or one of this version, in a sentence; what is a fault of ours keeps its trace."""
        refuse_other_encodings(options)
        try:
            return super().execute(*args, **options)
        except (DatabaseError, InterfaceError) as problem:
            if said := database_troubles.sentence(problem):
                raise CommandError(said) from problem
            raise


def refuse_other_encodings(options: dict[str, Any]) -> None:
    """Bytes that are no UTF-8 come as halves of characters, which no database keeps. A Path may have them."""
    for given in options.values():
        texts: Iterable[Any] = given if isinstance(given, list | tuple) else [given]
        for text in texts:
            if isinstance(text, str) and (shown := text.encode(errors="backslashreplace").decode()) != text:
                raise CommandError(f"“{shown}” is not UTF-8. Let the terminal, or the script, write UTF-8.")
