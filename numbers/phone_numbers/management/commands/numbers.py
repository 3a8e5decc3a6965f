"""The command `numbers`: bindings, pools and owned numbers from the shell."""

import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from laaffic_console.gateway.management import outcomes, switched_off
from laaffic_console.gateway.models import Application, Channel, EntryState
from laaffic_console.gateway.services.ledger.open_acts import StillOpen
from laaffic_console.kit.process import document_text
from laaffic_console.kit.process.commands import ConsoleCommand, content_of, is_given, option
from laaffic_console.laaffic import VoicemailFile
from laaffic_console.laaffic.numbers import MAX_VOICEMAIL
from laaffic_console.laaffic.reports import digits
from phone_numbers import number_lists
from phone_numbers.models import Binding, BindingKind, BindingRequest, NumberPool, OwnedNumber, PoolVersion
from phone_numbers.pool_config import PoolDifference, difference
from phone_numbers.services import binding_changes, binding_sync, owned_changes, pool_changes, scheduling
from phone_numbers.services.syncing import SyncFailed

LISTS = ("bindings", "pools", "owned")
WRITTEN = ("whitelist", "concurrency", "numbers", "file")
# The options that each verb of a pool reads.
READ: dict[str, tuple[str, ...]] = {
    "list": (),
    "show": (),
    "create": (*WRITTEN, "at_laaffic", "confirm"),
    "edit": (*WRITTEN, "rename", "confirm", "seen"),
    "apply": ("version_number", "confirm", "seen"),
    "adopt": ("confirm", "seen"),
}
KINDS = {"axb": BindingKind.AXB, "axxb": BindingKind.AXXB}


class Command(ConsoleCommand):
    help = (
        "AXB bindings, number pools and owned numbers: copy them from Laaffic, bind, unbind, change pools. "
        f"{outcomes.HELP}"
    )
    given_by = {
        "phone_a": ["a"],
        "phone_b": ["b"],
        "max_concurrency": ["concurrency"],
        "pool_number": ["number", "pool"],
        "application": ["app"],
    }

    # An owned number's remark and addresses, and the addresses that a pool takes calls from, are taken away so.
    may_be_empty = frozenset({"remark", "inbound_prefix", "in_addresses", "out_addresses", "whitelist"})

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        sync = verbs.add_parser("sync", help="copy Laaffic's lists now")
        sync.add_argument("lists", nargs="*", metavar="|".join(LISTS), help="all three when none is named")
        bind = verbs.add_parser("bind", help="let A and B talk through a middle number")
        bind.add_argument("a")
        bind.add_argument("b")
        bind.add_argument("--pool", required=True, metavar="POOLNUMBER")
        bind.add_argument("--seconds", type=int, default=3600, help="how long: 1 to 259200 (3 days); default 3600")
        bind.add_argument("--kind", choices=sorted(KINDS), default="axb")
        unbind = verbs.add_parser("unbind", help="end a binding")
        unbind.add_argument("bind_id", metavar="BINDID")
        unbind.add_argument(
            "--seen", metavar="MARK", help="only if it still joins the two of this mark, which bind tells"
        )
        for verb in (bind, unbind):
            verb.add_argument("--app", metavar="APPID", help="may be left out where there is only one")
            outcomes.add_again(verb)
        self.add_pool_arguments(verbs.add_parser("pool", help="show, create, edit, apply or adopt a pool"))
        self.add_owned_arguments(verbs.add_parser("owned", help="show an owned number, or change it at Laaffic"))
        for verb in verbs.choices.values():
            verb.add_argument("--json", action="store_true")

    def add_owned_arguments(self, owned: CommandParser) -> None:
        owned.add_argument("number")
        for name, meaning in (
            ("remark", "at most 50 characters"),
            ("app-id", "the application that it belongs to"),
            ("inbound-prefix", "at most 32 characters"),
            ("in-addresses", "IP addresses, with commas between"),
            ("out-addresses", "IP addresses, with commas between"),
        ):
            owned.add_argument(f"--{name}", metavar="TEXT", help=f'{meaning}; "" for none')
        owned.add_argument("--voicemail", choices=["on", "off"])
        owned.add_argument("--voicemail-seconds", type=int, metavar="N", help="1 to 999")
        owned.add_argument("--voicemail-file", type=Path, metavar="FILE", help="mp3, wav or m4a, at most 5 MB")

    def add_pool_arguments(self, pool: CommandParser) -> None:
        pool.add_argument("action", choices=["list", "show", "create", "edit", "apply", "adopt"])
        pool.add_argument("number", nargs="?", metavar="POOLNUMBER")
        pool.add_argument("--rename", metavar="POOLNUMBER", help="edit: the number it has from now on")
        pool.add_argument("--whitelist", metavar="ADDRESSES", help="all addresses, with commas between")
        pool.add_argument("--concurrency", type=int, metavar="N")
        pool.add_argument("--numbers", metavar="NUMBERS", help="all numbers, with commas between")
        pool.add_argument("--file", type=Path, help="all numbers, from a CSV file")
        pool.add_argument("--version-number", type=int, metavar="N", help="apply: which; the current one by default")
        pool.add_argument(
            "--at-laaffic",
            action="store_true",
            help="create: Laaffic has it, and does not list it; all its settings are replaced by these",
        )
        pool.add_argument("--confirm", default="", metavar="POOLNUMBER", help="without it only the difference is shown")
        pool.add_argument("--seen", metavar="MARK", help="apply only if Laaffic holds what was shown with this mark")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            document = getattr(self, options["verb"])(options)
        except StillOpen as problem:
            raise outcomes.refused_repeat(problem) from problem
        except ValidationError as problem:
            raise self.refused(problem) from problem
        except SyncFailed as problem:
            raise CommandError(str(problem)) from problem
        self.answer(json.dumps(document) if options["json"] else as_text(document), not_done(document, options))

    def sync(self, options: dict[str, Any]) -> dict[str, Any]:
        wanted = options["lists"] or LISTS
        if unknown := sorted(set(wanted) - set(LISTS)):
            raise CommandError(f"Unknown list {', '.join(unknown)}. There are: {', '.join(LISTS)}.")
        names = [name for kind in wanted for name in names_of(kind)]
        return {"lists": [self.one(name) for name in names]}

    def one(self, name: str) -> dict[str, Any]:
        """Read one list; an error is part of the answer, so that the other lists are still read."""
        try:
            result = scheduling.sync(name)
        except SyncFailed as problem:
            return {"list": name, "problem": str(problem)}
        return {
            "list": name,
            "rows": result.rows,
            "added": result.added,
            "gone": result.gone,
            "complete": result.is_complete,
        }

    def bind(self, options: dict[str, Any]) -> dict[str, Any]:
        asked = binding_changes.bind(
            application=application_named(options["app"]),
            phone_a=options["a"],
            phone_b=options["b"],
            pool_number=options["pool"],
            seconds=options["seconds"],
            kind=KINDS[options["kind"]],
            again=options["again"],
        )
        return of_request(asked)

    def unbind(self, options: dict[str, Any]) -> dict[str, Any]:
        binding = binding_named(options["bind_id"], options["app"])
        return of_request(binding_changes.unbind(binding, seen=options["seen"], again=options["again"]))

    def owned(self, options: dict[str, Any]) -> dict[str, Any]:
        """Edit the number with the given options; without any, show it. Other fields stay as they are."""
        number = OwnedNumber.objects.filter(number=digits(options["number"])).first()
        if number is None:
            raise CommandError(f"Unknown number {options['number']}. Run: manage.py numbers sync owned")
        given = {name: options[name] for name in owned_changes.FIELDS if options[name] is not None}
        if "voicemail" in given:
            given["voicemail"] = given["voicemail"] == "on"
        path: Path | None = options["voicemail_file"]
        file = VoicemailFile(path.name, content_of(path, MAX_VOICEMAIL)[0]) if path else None
        if not given and file is None:
            return of_owned(number)
        entry = owned_changes.edit(number, given, file=file)
        number.refresh_from_db()
        return of_owned(number) | {"state": entry.state, "call": entry.pk}

    def pool(self, options: dict[str, Any]) -> dict[str, Any]:
        action = options["action"]
        refuse_unread(action, options)
        if action == "list":
            return {"pools": [of_pool(pool) for pool in NumberPool.objects.select_related("current")]}
        if not options["number"]:
            raise CommandError("Name the pool: manage.py numbers pool " + action + " POOLNUMBER")
        if action == "create":
            return self.create_pool(options)
        pool = pool_named(options["number"])
        if action == "show":
            return of_pool(pool) | {"versions": [of_version(version) for version in pool.versions.all()]}
        if action == "adopt":
            return of_version(pool_changes.adopt(pool, seen_listed=options["seen"]))
        return self.edit_pool(pool, options) if action == "edit" else self.apply_version(pool, options)

    def create_pool(self, options: dict[str, Any]) -> dict[str, Any]:
        config = self.read(options, None, options["number"]).config
        if not options["confirm"]:
            return shown_only(None, difference(None, config))
        about = {"typed": options["confirm"], "is_at_laaffic": options["at_laaffic"]}
        return of_version(pool_changes.create(config, **about))

    def edit_pool(self, pool: NumberPool, options: dict[str, Any]) -> dict[str, Any]:
        proposal = self.read(options, pool, options["rename"] or pool.pool_number)
        changed = pool_changes.difference_to_held(pool, proposal.config)
        if not options["confirm"]:
            return shown_only(pool, changed)
        ours = pool_changes.version_as_shown(pool)  # the version whose unnamed fields are kept
        about = {"seen_version": ours, "seen_listed": options["seen"]}
        return of_version(pool_changes.apply(pool, proposal.config, typed=options["confirm"], **about))

    def apply_version(self, pool: NumberPool, options: dict[str, Any]) -> dict[str, Any]:
        wanted = options["version_number"] or (pool.current.number if pool.current else 0)
        version = pool.versions.filter(number=wanted).first()
        if version is None:
            raise CommandError(f"Pool {pool} has no version {wanted}. Run: manage.py numbers pool show {pool}")
        if not options["confirm"]:
            return shown_only(pool, pool_changes.difference_to_held(pool, version.config))
        return of_version(pool_changes.apply_version(version, typed=options["confirm"], seen_listed=options["seen"]))

    def read(self, options: dict[str, Any], pool: NumberPool | None, number: str) -> pool_changes.Proposal:
        """The pool's settings with the given options; the others stay as in our version."""
        ours = pool.current.config if pool and pool.current else None
        file = options["file"]
        numbers = options["numbers"]
        if numbers is None:
            numbers = ",".join(ours.numbers) if ours and not file else ""
        whitelist, concurrency = options["whitelist"], options["concurrency"]
        if ours is not None:
            whitelist = ours.whitelist if whitelist is None else whitelist
            concurrency = ours.max_concurrency if concurrency is None else concurrency
        return pool_changes.read(
            pool_number=number,
            whitelist=whitelist or "",
            max_concurrency=concurrency,
            numbers=numbers,
            file=content_of(file, number_lists.MAX_FILE)[0] if file else None,
            pool=pool,
        )


def refuse_unread(action: str, options: dict[str, Any]) -> None:
    """Refuse options that the verb does not read: an old version would go to Laaffic instead of the change."""
    for name in dict.fromkeys(name for names in READ.values() for name in names):
        if name not in READ[action] and is_given(options, name):
            verbs = " or ".join(f"“pool {verb}”" for verb, names in READ.items() if name in names)
            raise CommandError(f"“pool {action}” does not take {option(name)}. Leave it out, or use {verbs}.")


def not_done(document: dict[str, Any], options: dict[str, Any]) -> CommandError | None:
    """The error for lists that could not be read or a request whose outcome is unknown; None if there is none."""
    if failed := [row for row in document.get("lists", []) if "problem" in row]:
        return CommandError("\n".join(f"{row['list']}: {row['problem']}" for row in failed))
    if document.get("state") == EntryState.UNKNOWN:
        which = {"pool": "pools", "owned": "owned"}.get(options["verb"], "bindings")
        return outcomes.unknown(
            "Laaffic's answer was lost: whether it was done is not known, and it is not sent again. "
            f"Laaffic's list will show it: manage.py numbers sync {which}"
        )
    return None


def names_of(kind: str) -> list[str]:
    if kind != "bindings":
        return [kind]
    names = binding_sync.names()
    if not names:
        raise switched_off.why(Channel.NUMBER) or CommandError(
            "Register an application for numbers first: manage.py register_app APPID --channel number"
        )
    return names


def application_named(app_id: str | None) -> Application:
    usable = Application.objects.filter(channel=Channel.NUMBER, is_active=True)
    found = list((usable.filter(app_id=app_id) if app_id else usable)[:2])
    if not found:
        raise switched_off.why(Channel.NUMBER, app_id) or CommandError(
            f"The console knows no such application for numbers. Register it: "
            f"manage.py register_app {app_id or 'APPID'} --channel number"
        )
    if len(found) > 1:
        raise CommandError("There are several applications for numbers. Name one: --app APPID")
    return found[0]


def binding_named(bind_id: str, app_id: str | None) -> Binding:
    """The binding with this bindId; it takes an application if two of them have the same id for different pairs."""
    found = Binding.objects.select_related("application").filter(bind_id=bind_id)
    if app_id:
        ours = Application.objects.filter(
            channel=Channel.NUMBER, app_id=app_id
        ).first()  # also one that is switched off
        found = found.filter(application=ours or application_named(app_id))
    live = list(found.filter(ended_at=None).order_by("application__app_id")[:10])
    if len(live) > 1:
        names = ", ".join(binding.application.app_id for binding in live)
        raise CommandError(f"There is a binding {bind_id} in several applications. Name one: --app APPID ({names})")
    binding = live[0] if live else found.order_by("-pk").first()
    if binding is None:
        raise CommandError(f"There is no binding {bind_id} here. Run: manage.py numbers sync bindings")
    return binding


def pool_named(number: str) -> NumberPool:
    same = NumberPool.objects.select_related("current").filter(pool_number=number)
    pool = same.filter(gone_at=None).first() or same.order_by("-pk").first()
    if pool is None:
        raise CommandError(
            f"There is no pool {number} here. Run: manage.py numbers sync pools\n"
            f"If Laaffic has it and does not list it: manage.py numbers pool create {number} --at-laaffic"
        )
    return pool


def of_request(asked: BindingRequest) -> dict[str, Any]:
    """A request as JSON; `state` is its ledger row's: accepted, or unknown if the answer was lost."""
    binding = asked.binding
    return {
        "request": asked.pk,
        "state": asked.entry.state if asked.entry else "",
        "call": asked.entry_id,
        "bind_id": binding.bind_id if binding else None,
        "a_sees": binding.pns_number_a if binding else None,
        "b_sees": binding.pns_number_b if binding else None,
        "seen": binding_changes.pair_as_shown(binding) if binding else None,
    }


def of_pool(pool: NumberPool) -> dict[str, Any]:
    held = pool.listed
    return {
        "pool": pool.pool_number,
        "version": pool.current.number if pool.current else None,
        "drifted": pool.drifted_at is not None,
        "gone": pool.gone_at is not None,
        "addresses": list(held.addresses) if held else [],
        "concurrency": held.max_concurrency if held else None,
        "numbers": list(held.numbers) if held else [],
        "difference": difference(pool.current.config, held).told() if held and pool.current else {},
        "seen": pool_changes.listed_as_shown(pool),
    }


def of_owned(number: OwnedNumber) -> dict[str, Any]:
    shown = {name: getattr(number, name) for name in (*owned_changes.FIELDS, "voicemail_file")}
    return {"number": number.number, **shown}


def of_version(version: PoolVersion) -> dict[str, Any]:
    return {
        "pool": version.pool_number,
        "version": version.number,
        "origin": version.origin,
        "state": version.entry.state if version.entry else "",
        "call": version.entry_id,
    }


def shown_only(pool: NumberPool | None, changed: PoolDifference) -> dict[str, Any]:
    return {"applied": False, "difference": changed.told(), "seen": pool_changes.listed_as_shown(pool)}


def as_text(document: dict[str, Any]) -> str:
    rows = document.get("lists", document.get("pools"))
    if rows == []:
        return "There is no pool. Read Laaffic's list: manage.py numbers sync"
    if rows is not None:
        return "\n".join(
            "\t".join(f"{name}: {document_text.line(value)}" for name, value in row.items()) for row in rows
        )
    lines = list(document_text.lines(document))
    if document.get("applied") is False:
        lines.append(
            f"Nothing was sent. Say --confirm POOLNUMBER --seen {document['seen']} to apply exactly this; "
            "without --seen, what Laaffic holds by then is replaced unseen."
        )
    return "\n".join(lines)
