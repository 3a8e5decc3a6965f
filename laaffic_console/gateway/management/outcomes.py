"""How commands end whose request acts, the same for all of them (docs/commands.md)."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, NoReturn

from django.core.management.base import CommandError

from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.kit.process.commands import ConsoleCommand

UNKNOWN = 3  # exit code: the answer was lost, so nobody knows whether it was done
HELP = "Exit codes: 0 done, 1 not done, 2 wrong arguments, 3 outcome unknown: look before you repeat it."


class NotKnown(Exception):
    """The request left and its answer was lost: the document that scripts read anyway, and what to do."""

    def __init__(self, document: dict[str, Any], what_to_do: object) -> None:
        super().__init__(str(what_to_do))
        self.document = document


def add_again(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--again",
        default="",
        metavar="REASON",
        help="do it although the same is open with an unknown outcome; the reason is kept",
    )


def unknown(what_to_do: str) -> CommandError:
    return CommandError(what_to_do, returncode=UNKNOWN)


def tell_not_known(command: ConsoleCommand, problem: NotKnown, *, as_json: bool, text: str = "") -> NoReturn:
    """`text`: what people read in the document's place."""
    said = unknown(str(problem))
    command.answer(json.dumps(problem.document) if as_json else text, said)
    raise said from problem


def refused_repeat(problem: StillOpen) -> CommandError:
    return CommandError(f"{problem.sentence}\nHere: --again REASON")


def not_as_proved(disagreements: Sequence[str]) -> CommandError | None:
    """The error for `answer` where figures disagree with the ledger; what it prints names the disagreements."""
    return CommandError(f"The ledger does not bear out {len(disagreements)} of the figures.") if disagreements else None
