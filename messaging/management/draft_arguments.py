"""What commands that write a campaign take, whatever its channel: its name, to whom, when, how fast, a few first."""

import shutil
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from messaging.files import contact_files
from messaging.files.unreadable import UnreadableFile
from messaging.management import sending_arguments
from messaging.management.named import application_named, audience_named, group_named, in_use
from messaging.management.sending_arguments import add_canary, add_hours, add_purpose, canary_of, hours_of, purpose_of
from messaging.models import Paste
from messaging.services.channels import channels
from messaging.services.contacts import pastes

GIVEN_BY = {
    **sending_arguments.GIVEN_BY,
    "rate_per_second": ["rate"],
    "groups": ["group"],
    "audiences": ["audience"],
    "excluded_groups": ["exclude_group"],
    "paste": ["to"],
}


def add(create: ArgumentParser) -> None:
    create.add_argument("--name", required=True)
    create.add_argument("--app", required=True, metavar="APPID")
    create.add_argument("--group", action="append", default=[], help="may be given several times")
    create.add_argument("--audience", action="append", default=[], metavar="NAME", help="who meets its condition")
    create.add_argument("--to", metavar="FILE", help="numbers, one a line or CSV; - reads standard input")
    create.add_argument("--exclude-group", action="append", default=[])
    create.add_argument("--rate", type=int, metavar="PER_SECOND")
    add_hours(create)
    create.add_argument("--local-time", default="", metavar="YYYY-MM-DD HH:MM", help="by each recipient's own clock")
    add_purpose(create)
    add_canary(create)
    create.add_argument("--json", action="store_true")


def fields_of(options: dict[str, Any], channel: str) -> dict[str, Any]:
    """The arguments as fields for `drafts.create`; CommandError says what is missing or does not exist."""
    if not options["group"] and not options["audience"] and not options["to"]:
        raise CommandError("Say to whom: --group NAME, --audience NAME or --to FILE.")
    return {
        "name": options["name"],
        "application": in_use(application_named(options["app"], channels.named(channel).application_channel)),
        "groups": [group_named(name) for name in options["group"]],
        "audiences": [audience_named(name) for name in options["audience"]],
        "excluded_groups": [group_named(name) for name in options["exclude_group"]],
        "paste": _pasted(options["to"]) if options["to"] else None,
        "rate_per_second": options["rate"],
        **hours_of(options),
        "local_time": options["local_time"],
        "purpose": purpose_of(options),
        **canary_of(options),
        "channel": channel,
    }


def told_of(paste: Paste | None) -> dict[str, Any]:
    """What happened to the numbers of a file, where one was given."""
    if paste is None:
        return {}
    errors = [{"line": line, "value": text, "reason": why} for line, text, why in paste.problems]
    return {"numbers": paste.numbers, "duplicates": paste.duplicates, "invalid": paste.invalid, "errors": errors}


def _pasted(name: str) -> Paste:
    """The numbers of a file; those that are invalid are told, and left out."""
    try:
        with _at_hand(name) as path, contact_files.opened(path) as lines:
            paste = pastes.from_lines(lines)
    except OSError as problem:
        raise CommandError(f"{name}: {problem.strerror}") from problem
    except UnreadableFile as problem:
        raise CommandError(f"{name}: {problem}") from problem
    if not paste.numbers:
        first = "".join(f" {said}" for said in pastes.in_words(paste.problems, paste.invalid, 5))
        raise CommandError(f"There is no valid number in {name}.{first}")
    return paste


@contextmanager
def _at_hand(name: str) -> Iterator[Path]:
    """The file; what comes on standard input as one, since how it is written shows only when it is all there."""
    if name != "-":
        yield Path(name)
        return
    if sys.stdin is None:
        raise CommandError("-: standard input is closed. Give a file, or numbers on standard input.")
    with tempfile.NamedTemporaryFile(suffix=".txt") as kept:
        if hasattr(sys.stdin, "buffer"):
            shutil.copyfileobj(sys.stdin.buffer, kept)
        else:  # text, of a caller in Python
            kept.write(sys.stdin.read().encode())
        kept.flush()
        yield Path(kept.name)
