"""manage.py audit verify [--known POSITION:DIGEST] · manage.py audit prune [--days N]"""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from laaffic_console.audit.services import chain, retention
from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.plain_text import whole_number

NOT_COMPARED = 3  # exit code: the chain holds, and nothing shows whether it is the same one
LONGEST_DAYS = 36_500  # as LAAFFIC_AUDIT_DAYS


class Command(ConsoleCommand):
    help = "Who did what: whether the entries are as they were written, and the removal of old ones."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify", help="check the chain; exit code 1 names the first entry where it breaks")
        verify.add_argument(
            "--known",
            default="",
            metavar="POSITION:DIGEST",
            help="what an earlier verify has printed: shows a chain that was rewritten since",
        )
        verify.add_argument("--json", action="store_true", help="one document on standard output")
        prune = verbs.add_parser("prune", help="remove entries that are older than LAAFFIC_AUDIT_DAYS")
        prune.add_argument("--days", type=int, metavar="N", help="another age than LAAFFIC_AUDIT_DAYS")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "verify":
            self.verify(options["known"], as_json=options["json"])
        else:
            self.prune(options["days"])

    def verify(self, known: str, *, as_json: bool) -> None:
        found = chain.verify(parsed(known) if known else None)
        broken = CommandError(
            f"{found.problem} {number(found.checked)} entries before it are as they were written. "
            "Compare with a backup of the database from before."
        )
        whole = (
            f"{number(found.checked)} entries are as they were written.\n"
            f"The newest is {found.position}:{found.digest}. Keep this elsewhere for --known."
        )
        document = {"checked": found.checked, "position": found.position, "digest": found.digest}
        problem = found.problem or found.not_compared
        shown = json.dumps({**document, "problem": problem}) if as_json else "" if found.problem else whole
        unproved = CommandError(f"{found.not_compared} Keep the newest entry now.", returncode=NOT_COMPARED)
        self.answer(shown, broken if found.problem else unproved if problem else None)

    def prune(self, days: int | None) -> None:
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--days takes a whole number from 1 to {LONGEST_DAYS}.")
        if days is None and settings.LAAFFIC_AUDIT_DAYS <= 0:
            raise CommandError("LAAFFIC_AUDIT_DAYS is 0: nothing is removed. Give an age with --days N.")
        self.stdout.write(f"{number(retention.prune(days))} entries removed.")


def parsed(known: str) -> tuple[int, str]:
    position, _colon, digest = known.partition(":")
    if (number_of := whole_number(position)) is None or len(digest) != 64:
        raise CommandError("--known takes what verify has printed: the position, a colon and 64 letters and digits.")
    return number_of, digest
