"""The command `rehearse`: its arguments, and the verdict as it is printed."""

import argparse
import json
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError, CommandParser

from laaffic_console.kit.process.commands import ConsoleCommand
from laaffic_console.rehearsal import plan, report, upgrade_in_the_middle
from laaffic_console.rehearsal.acts import ACTS
from laaffic_console.rehearsal.acts.acting import ActsRehearsal
from laaffic_console.rehearsal.api_requests.requesting import RequestsRehearsal
from laaffic_console.rehearsal.capping import CapRehearsal
from laaffic_console.rehearsal.carriers import CARRIERS
from laaffic_console.rehearsal.installations import stores
from laaffic_console.rehearsal.installations.installation import CommandFailed
from laaffic_console.rehearsal.plan import Kind
from laaffic_console.rehearsal.rehearsing import Rehearsal
from laaffic_console.rehearsal.wanted import Outage, Wanted

API = "api"
OUTAGE_SHARES = {"database": 0.3, "redis": 0.5}


class Command(ConsoleCommand):
    help = (
        "A campaign under fire, in an installation of its own: processes are killed, connections cut, answers spoilt. "
        "Then what the gateway accepted is held against the ledger. Exit 1 where they disagree."
    )
    runs_half_restored = True
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--recipients", type=int, default=2000, metavar="N")
        parser.add_argument(
            "--channel",
            choices=sorted({*CARRIERS, *ACTS, API}),
            default="sms",
            help="a campaign of sms, mms or tts (spoken); api: what clients ask for by the REST API; "
            "of the others single acts, each a command that may be killed",
        )
        parser.add_argument("--kills", type=int, default=6, metavar="M", help="by SIGKILL; disturbances come on top")
        parser.add_argument(
            "--disturbances",
            type=disturbances,
            metavar="D|KIND,KIND",
            help=f"blows that kill nothing, so many or these: {', '.join(map(word, plan.DISTURBANCES))}; "
            "one for every few kills when not given",
        )
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="repeats plan and faults of another run")
        parser.add_argument(
            "--database",
            default="sqlite",
            metavar="sqlite|URL",
            help="sqlite, or postgres://user@host/ of a server on which a database is made and dropped; "
            "sqlite:FILE or postgres://user@host/NAME: as a copy of that one, which is migrated and empty",
        )
        parser.add_argument("--redis", default="", metavar="URL", help="an empty Redis database, for the queue")
        parser.add_argument("--workers", type=int, default=1, metavar="N", help="how many `manage.py worker`")
        parser.add_argument(
            "--outage",
            nargs=2,
            action="append",
            default=[],
            metavar=("database|redis", "SECONDS"),
            help="stop it so long in the middle of the campaign; may be given for both",
        )
        parser.add_argument(
            "--opt-outs",
            type=float,
            default=0.0,
            metavar="SHARE",
            help="of the recipients of a campaign, who say STOP in the middle of it: 0.3 for 30 %%",
        )
        parser.add_argument(
            "--canary",
            default="",
            metavar="N|N%",
            help="of the recipients of a campaign, who go first; the rest goes by what their reports say",
        )
        parser.add_argument(
            "--cap",
            action="store_true",
            help="two campaigns to the same people at once, and a frequency cap of one message a day",
        )
        parser.add_argument(
            "--upgrade-from",
            default="",
            metavar="VERSION",
            help="the version before, as git names it or the folder of its checkout: it runs until the middle of the "
            "campaign, and is brought to this one by `upgrade`",
        )
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--markdown", action="store_true")
        parser.add_argument("--keep", action="store_true", help="leave database and logs, and say where they are")

    def handle(self, *args: Any, **options: Any) -> None:
        check(options)
        folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
        keep = bool(options["keep"])
        try:
            with (
                stores.database(options["database"], folder, keep=keep) as database,
                stores.queue(options["redis"], keep=keep) as redis,
            ):
                options["upgrade_tree"] = upgrade_tree(options["upgrade_from"], folder)
                found = rehearsed(self.wanted(options, folder, database, redis))
        except stores.NotOurs as problem:
            raise CommandError(str(problem)) from problem
        except (CommandFailed, RuntimeError, TimeoutError) as problem:
            keep = True
            raise CommandError(f"The rehearsal could not be played to its end: {problem}\nLogs: {folder}") from problem
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)
        if keep:
            self.stderr.write(f"Database and logs: {folder}")
        differ = CommandError("The gateway and the ledger disagree.")
        self.answer(self.shown(found, options), None if found["agrees"] else differ)

    def wanted(self, options: dict[str, Any], folder: Path, database: str, redis: str) -> Wanted:
        return Wanted(
            recipients=options["recipients"],
            kills=options["kills"],
            seed=options["seed"],
            workers=options["workers"],
            database=database,
            redis=redis,
            folder=folder,
            command=command_line(options),
            channel=options["channel"],
            disturbances=options["disturbances"],
            outages=[Outage(what, float(seconds), OUTAGE_SHARES[what]) for what, seconds in options["outage"]],
            opt_outs=options["opt_outs"],
            canary=options["canary"],
            cap=options["cap"],
            upgrade_from=options["upgrade_tree"],
            tell=self.stderr.write,
        )

    def shown(self, found: dict[str, Any], options: dict[str, Any]) -> str:
        if options["json"]:
            return json.dumps(found)
        return report.as_markdown(found) if options["markdown"] else report.as_text(found)


def word(kind: Kind) -> str:
    return kind.name.lower().replace("_", "-")


def disturbances(given: str) -> int | list[Kind]:
    if given.isascii() and given.isdecimal():
        return int(given)
    by_word = {word(kind): kind for kind in plan.DISTURBANCES}
    if unknown := [name for name in given.split(",") if name not in by_word]:
        raise argparse.ArgumentTypeError(f"“{unknown[0]}” is neither a number nor one of {', '.join(by_word)}")
    return [by_word[name] for name in given.split(",")]


def upgrade_tree(named: str, folder: Path) -> Path | None:
    try:
        return upgrade_in_the_middle.tree(named, folder) if named else None
    except ValueError as problem:
        raise CommandError(str(problem)) from problem


def rehearsed(wanted: Wanted) -> dict[str, Any]:
    if wanted.channel in ACTS:
        return ActsRehearsal(wanted).run()
    if wanted.cap:
        return CapRehearsal(wanted).run()
    return (RequestsRehearsal if wanted.channel == API else Rehearsal)(wanted).run()


def check(options: dict[str, Any]) -> None:
    if options["channel"] in ACTS:
        if not 4 <= options["recipients"] <= 500:
            raise CommandError("--recipients: 4 to 500 acts, as each is a command of its own.")
    elif options["recipients"] < 100:
        raise CommandError("--recipients: at least 100, or there is nothing to strike.")
    if not 0 <= options["opt_outs"] <= 1 or (options["opt_outs"] and options["channel"] in {*ACTS, API}):
        raise CommandError("--opt-outs is a share from 0 to 1 of a campaign's recipients: --opt-outs 0.3")
    check_care(options)
    if options["kills"] < 0 or options["workers"] < 1:
        raise CommandError("--kills is 0 or more and --workers 1 or more.")
    if options["upgrade_from"] and (options["channel"] not in CARRIERS or begins_as_a_copy(options["database"])):
        raise CommandError("--upgrade-from needs a campaign (sms, mms or tts) and a database that is made for it.")
    for what, seconds in options["outage"]:
        if what not in OUTAGE_SHARES or not is_number(seconds):
            raise CommandError("--outage is database or redis, and seconds: --outage redis 60")
        if what == "redis" and not options["redis"]:
            raise CommandError("--outage redis needs --redis URL: without it the queue is in the database.")


def check_care(options: dict[str, Any]) -> None:
    canary, cap, asked = options["canary"], options["cap"], options["disturbances"]
    if (canary or cap) and (options["channel"] not in CARRIERS or options["upgrade_from"]):
        raise CommandError("--canary and --cap need a campaign (sms, mms or tts) of this version.")
    if cap and (canary or options["opt_outs"]):
        raise CommandError("--cap stands alone: who goes first, or says STOP, may be capped by the other campaign.")
    if canary and asked is not None and (isinstance(asked, int) or Kind.CLOCK in asked):
        raise CommandError("--canary is judged by moments: name disturbances without clock.")


def begins_as_a_copy(database: str) -> bool:
    return database.startswith("sqlite:") or bool(urlsplit(database).scheme and urlsplit(database).path.strip("/"))


def is_number(given: str) -> bool:
    try:
        return 0 < float(given) <= 3600
    except ValueError:
        return False


def command_line(options: dict[str, Any]) -> str:
    """What repeats this rehearsal, without passwords."""
    words = ["manage.py", "rehearse"]
    if options["channel"] != "sms":
        words += ["--channel", options["channel"]]
    if options["disturbances"] is not None:
        asked = options["disturbances"]
        words += ["--disturbances", str(asked) if isinstance(asked, int) else ",".join(map(word, asked))]
    for name in ("recipients", "kills", "seed", "database", "redis", "workers"):
        if options[name]:
            words += [f"--{name}", without_password(str(options[name]))]
    if options["opt_outs"]:
        words += ["--opt-outs", f"{options['opt_outs']:g}"]
    if options["canary"]:
        words += ["--canary", options["canary"]]
    if options["cap"]:
        words += ["--cap"]
    if options["upgrade_from"]:
        words += ["--upgrade-from", options["upgrade_from"]]
    for what, seconds in options["outage"]:
        words += ["--outage", what, seconds]
    return shlex.join(words)


def without_password(given: str) -> str:
    if "@" not in given or "//" not in given:
        return given
    scheme, _, rest = given.partition("//")
    credentials, _, place = rest.rpartition("@")
    return f"{scheme}//{credentials.partition(':')[0]}@{place}"
