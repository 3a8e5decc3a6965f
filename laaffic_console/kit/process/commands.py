"""What every command of the console is built on."""

import argparse
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper
from django.db import DatabaseError, InterfaceError

from laaffic_console.kit.process.interrupts import LeftUnknown
from laaffic_console.kit.sql import database_troubles, unfinished_restores

INTERRUPTED = 130  # exit code after Ctrl-C, as shells have it
CHECKS = "laaffic"  # the console's own system checks (laaffic_console/checks/)


class NotWritten(Exception):
    """Standard output takes nothing; the text says why."""


class Answer(OutputWrapper):
    """Standard output: that its reader went away, or its disk is full, is told before the command ends."""

    def write(self, *args: Any, **options: Any) -> None:  # type: ignore[override]
        try:
            super().write(*args, **options)
            self.flush()
        except OSError as problem:
            leave_to_nobody(sys.stdout)
            raise NotWritten(problem.strerror or str(problem)) from problem


class Remarks(OutputWrapper):
    """Standard error: that nobody reads it any more, or its disk is full, ends nothing and changes no exit code."""

    def write(self, *args: Any, **options: Any) -> None:  # type: ignore[override]
        try:
            super().write(*args, **options)
            self.flush()
        except (OSError, ValueError, AttributeError):  # gone, closed, or never there
            leave_to_nobody(sys.stderr)


def leave_to_nobody(stream: Any) -> None:
    """Lead the stream to /dev/null: what is left in its buffer would end the process with a code of Python's own."""
    with suppress(OSError, ValueError, AttributeError):
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, stream.fileno())
        os.close(nobody)


class _NotEmpty(argparse.Action):
    """A value that is empty, as a script's unset variable gives it, is not taken for an option that was left out: it
    would send now what was to be sent later, or to everybody what was for a few."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if isinstance(values, str) and not values.strip():
            parser.error(f"{option_string} is empty. Give a value, or leave it out.")
        super().__call__(parser, namespace, values, option_string)


class _Store(_NotEmpty, argparse._StoreAction):
    pass


class _Append(_NotEmpty, argparse._AppendAction):
    pass


NOT_EMPTY: dict[type[argparse.Action], type[argparse.Action]] = {
    argparse._StoreAction: _Store,
    argparse._AppendAction: _Append,
}
# Empty, they say that nothing is given, wherever they are taken: no reason, no sender ID, no number to show.
NOTHING_GIVEN = ("again", "sender_id", "sms_sender_id", "display_number")


def _refuse_empty(parser: argparse.ArgumentParser, but: Collection[str]) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _refuse_empty(verb, but)
        elif action.option_strings and action.dest not in but:
            action.__class__ = NOT_EMPTY.get(type(action), type(action))


class ConsoleCommand(BaseCommand):
    """Asks the console's own checks before it runs: Django's would load every page first, and take as long again."""

    requires_system_checks = [CHECKS]
    # Options whose value may be empty, by their names in code: that says something else there than leaving them out.
    may_be_empty: frozenset[str] = frozenset()
    # {field that services name in what they refuse: arguments that give it}, by their names in code, where those differ
    given_by: Mapping[str, Sequence[str]] = {}
    # Whether it may run beside a restore that was cut short: it waits by itself, or needs nothing of what is restored.
    runs_half_restored: ClassVar[bool] = False

    _parser: argparse.ArgumentParser | None = None
    _options: Mapping[str, Any] = {}

    def __init__(self, stdout: Any = None, stderr: Any = None, *args: Any, **options: Any) -> None:
        super().__init__(stdout, stderr, *args, **options)
        self.stdout, self.stderr = Answer(stdout or sys.stdout), self._remarks(stderr or sys.stderr)

    def _remarks(self, stream: Any) -> Remarks:
        remarks = Remarks(stream)
        remarks.style_func = self.style.ERROR
        return remarks

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        parser = self._parser = super().create_parser(*args, **options)
        _refuse_empty(parser, but={*NOTHING_GIVEN, *self.may_be_empty})
        return parser

    def execute(self, *args: Any, **options: Any) -> Any:
        """Without a database, or one of this version, in a sentence; what is a fault of ours keeps its trace."""
        refuse_other_encodings(options)
        self._options = options
        if stdout := options.pop("stdout", None):
            self.stdout = Answer(stdout)
        if stderr := options.pop("stderr", None):
            self.stderr = self._remarks(stderr)
        try:
            if not self.runs_half_restored:
                unfinished_restores.refuse()
            return super().execute(*args, **options)
        except NotWritten as problem:
            raise CommandError(f"{_unwritten(problem)} What the command was asked for is done.") from problem
        except LeftUnknown as stopped:
            raise CommandError(str(stopped), returncode=stopped.returncode) from stopped
        except KeyboardInterrupt as stopped:
            raise CommandError("Interrupted. What was done by then stays done.", returncode=INTERRUPTED) from stopped
        except (DatabaseError, InterfaceError) as problem:
            if said := database_troubles.sentence(problem):
                raise CommandError(said) from problem
            raise

    def answer(self, text: str, otherwise: CommandError | None = None) -> None:
        """Print what came of it, "" for nothing; then raise `otherwise`, with its exit code and its sentence, whether
        or not the answer could be written: what it is about is not done, or nobody knows whether it is."""
        try:
            if text:
                self.stdout.write(text)
        except NotWritten as problem:
            if otherwise is None:
                raise
            raise CommandError(f"{_unwritten(problem)}\n{otherwise}", returncode=otherwise.returncode) from problem
        if otherwise is not None:
            raise otherwise

    def refused(self, problem: ValidationError, **given_by: str) -> CommandError:
        """A service's refusal in the words of the command line; `given_by`: arguments of this call alone."""
        typed = typed_as(self._parser, self._options) if self._parser else {}
        for field, names in {**self.given_by, **{field: [name] for field, name in given_by.items()}}.items():
            known = [name for name in names if name in typed]
            if name := next((name for name in known if is_given(self._options, name)), (known or [""])[0]):
                typed[field] = typed[name]
        return CommandError("\n".join(said(problem, typed)))


def typed_as(parser: argparse.ArgumentParser, given: Mapping[str, Any]) -> dict[str, str]:
    """{an argument's name in code: how it is typed}, of the command's verbs that were given."""
    found: dict[str, str] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            if chosen := action.choices.get(str(given.get(action.dest))):
                found |= typed_as(chosen, given)
        elif action.option_strings:
            found[action.dest] = action.option_strings[-1]
        else:
            found[action.dest] = action.metavar if isinstance(action.metavar, str) else action.dest
    return found


def said(problem: ValidationError, typed: Mapping[str, str] | None = None) -> list[str]:
    """Each sentence, behind the field that it is about, or how that is `typed`; then the notes on it."""
    notes = getattr(problem, "__notes__", [])
    if not hasattr(problem, "error_dict"):
        return [*problem.messages, *notes]
    sentences = [
        message if field == NON_FIELD_ERRORS else f"{(typed or {}).get(field, field)}: {message}"
        for field, messages in problem.message_dict.items()
        for message in messages
    ]
    return [*sentences, *notes]


def content_of(path: Path, at_most: int) -> tuple[bytes, int]:
    """The file's content and its size in bytes; of one that is larger, or never ends, no more than shows that it is.

    CommandError where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(at_most + 1)
            return data, max(len(data), os.fstat(file.fileno()).st_size)
    except OSError as problem:
        raise CommandError(f"{path} cannot be read: {problem.strerror}.") from problem


def option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def is_given(options: Mapping[str, Any], name: str) -> bool:
    """Whether somebody has given it: 0 is a value, too."""
    return options[name] is not None and options[name] is not False and options[name] not in ("", [])


def belongs(options: Mapping[str, Any], to: str, names: Iterable[str]) -> None:
    """CommandError where one of these is given without the option that it is a part of: it would do nothing."""
    if is_given(options, to):
        return
    for name in names:
        if is_given(options, name):
            raise CommandError(f"{option(name)} belongs to {option(to)}. Give that too, or leave it out.")


def _unwritten(problem: NotWritten) -> str:
    return f"The answer cannot be written: {problem}."


def refuse_other_encodings(options: dict[str, Any]) -> None:
    """Refuse bytes that are not UTF-8: they come as half characters, which no database keeps. A Path may have them."""
    for given in options.values():
        texts: Iterable[Any] = given if isinstance(given, list | tuple) else [given]
        for text in texts:
            if isinstance(text, str) and (shown := text.encode(errors="backslashreplace").decode()) != text:
                raise CommandError(f"“{shown}” is not UTF-8. Let the terminal, or the script, write UTF-8.")
