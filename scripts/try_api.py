"""Every operation of the REST API called by schemathesis, on its own demo.

    python3 -m venv build/st && build/st/bin/pip install schemathesis        it is not part of the lock file
    .venv/bin/python scripts/try_api.py --schemathesis build/st/bin/schemathesis [--seconds 600] [--seed 1]

Requests that are meant to be valid get ids, names and files of existing things (scripts/try_api_hooks.py), so that they
are carried out and not only refused. At the end it prints the answers to each operation; it ends with 1 if a response
was a fault of ours or is not in openapi.json, or if an operation only refused.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from laaffic_console.demo import commands, filling, place, processes  # noqa: E402

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "unsupported_method",
    "allow_header_conformance",
)
DRAFTS = 12  # of each kind of campaign: a draft can be launched only once
WHOLE = ("budgets",)  # lists without pages
NUMBERS = [f"+4915112{n:06}" for n in range(200)]
SUPPRESSED = [f"+4915119{n:06}" for n in range(5)]  # not the others: nobody would be reached any more
EMAIL = {"from_address": "test@mailpush.laaffic.cn", "receiver_id": "1000", "template_id": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schemathesis", default="schemathesis", metavar="PROGRAM")
    parser.add_argument("--seconds", type=int, default=600, help="for how long it asks")
    parser.add_argument("--examples", type=int, default=30, help="of each operation, in each phase")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checks", default=",".join(CHECKS))
    parser.add_argument("--folder", help="where the demo and its logs are kept; otherwise nothing is kept")
    parser.add_argument("--only", metavar="PATTERN", help="operations whose address has this regular expression")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, processes.interrupt)
    with contextlib.ExitStack() as running:
        name = options.folder or running.enter_context(tempfile.TemporaryDirectory())
        os.environ.update({"DEMO_VAR_DIR": name, "LOG_LEVEL": "WARNING"})
        is_new = not (Path(name) / "known.json").exists()
        console = place.Demo.begun(running)
        os.environ.update(console.environment())
        filling.prepare(console)
        processes.start_all(running, console)
        if is_new:
            filling.fill(console)
        made = ["--user", filling.USER, "--rate", "1000000", "--json"]
        api = Api(console.console_url, json.loads(commands.manage("api_token", "create", "try", *made))["token"])
        known = {"url": api.url, "token": api.token, "ids": things(api), "numbers": NUMBERS, "values": values(api)}
        ended_with = ask(options, console.folder, known)
        refusing = tell(console.folder / "calls.jsonl")
        log = (console.folder / "console.log").read_text()
        print(f"faults that the console logged: {log.count('the API failed at')}")
        print(log[-6000:] if "Traceback" in log else "", end="")
    return 1 if ended_with or refusing else 0


class Api:
    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = f"{url}/api/v1", token

    def __call__(self, path: str, body: Any = None) -> Any:
        """The answer to a GET, or to a POST if there is a body; a refusal is printed, and {} returned."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{self.url}/{path}", data, headers)) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            print(f"{path}: {refused.code} {json.load(refused)['detail']}")
            return {}


def things(api: Api) -> dict[str, list[int]]:
    """Ids of things that the demo has and of things made here, by the first part of their address, or by the whole
    address for acts that need things of their own."""
    from try_api_hooks import FILES, uploaded

    for name in ("attachments", "audio-files"):
        uploaded(f"{api.url}/{name}", api.token, FILES[name])
    api("audiences", {"name": "Germans", "condition": "country = DE"})
    for n in range(3):
        api("templates", {"name": f"Template {n}", "text": "Hello {{name}}"})
        api("exports", {"kind": "contacts", "query": "country=DE"})
    for n, phone in enumerate(api("sip-phones")["items"][:2]):
        api("calls", {"account": phone["account"], "number": NUMBERS[n]})
    own = {
        **drafts(api),
        "imports/{id}/reading": [uploaded(f"{api.url}/imports", api.token, FILES["imports"])["id"] for _ in range(9)],
        "imports/{id}/start": [uploaded(f"{api.url}/imports", api.token, FILES["imports"])["id"] for _ in range(9)],
        "binding-requests": bindings(api),
    }
    names = {path.split("/")[3] for path in api("openapi.json")["paths"] if "{id}" in path} - own.keys()
    return {
        name: [one["id"] for one in api(name if name in WHOLE else f"{name}?limit=60")["items"]] for name in names
    } | own


def drafts(api: Api) -> dict[str, list[int]]:
    """Some drafts of each kind to launch, and some launched ones to pause, resume and cancel."""
    picture = api("attachments")["items"][0]["id"]
    for n in range(DRAFTS):
        one = {"name": f"Draft {n}", "text": f"Draft {n}", "to": NUMBERS[n * 10 : n * 10 + 5]}
        api("campaigns", {**one, "application": filling.APP_ID})
        api("spoken-messages", {**one, "application": filling.VOICE_APP})
        api("mms", {**one, "application": filling.APP_ID, "title": "Hello", "attachments": [picture]})
    slow = {
        "name": "Slow",
        "text": "Hello",
        "application": filling.APP_ID,
        "groups": [filling.GROUP],
        "rate_per_second": 1,
    }
    later = {"scheduled_at": "2035-01-01T09:00:00Z"}
    running: list[int] = []
    waiting: list[int] = []
    mails: list[int] = []
    calls: list[int] = []
    for n in range(3):
        running.append(api("campaigns", {**slow, "text": f"Hello {n}"})["id"])
        api(f"campaigns/{running[-1]}/launch", {"again": "to be paused"})
        waiting.append(api("campaigns", {**slow, **later, "text": f"Later {n}"})["id"])
        api(f"campaigns/{waiting[-1]}/launch", {"again": "to be taken back"})
    for n in range(DRAFTS):
        moment = later if n % 2 else {}
        mail = {**EMAIL, "application": filling.EMAIL_APP, "subject": f"Draft {n}", **moment}
        call = {
            "name": f"Draft {n}",
            "text": "Hello",
            "application": filling.VOICE_APP,
            "to": NUMBERS[n * 10 : n * 10 + 5],
        }
        for name, draft, ids in (("email-campaigns", mail, mails), ("group-calls", {**call, **moment}, calls)):
            made = api(name, draft).get("id")
            if made and moment:
                api(f"{name}/{made}/launch", {"again": "to be cancelled"})
                ids.append(made)
    return {
        "campaigns/{id}/pause": running,
        "campaigns/{id}/resume": running,
        "campaigns/{id}/pace": running,
        "campaigns/{id}/outside-hours": running,
        "campaigns/{id}/take-back": waiting,
        "email-campaigns/{id}/cancel": mails,
        "group-calls/{id}/cancel": calls,
    }


def bindings(api: Api) -> list[int]:
    """The requests that bound numbers, on a pool that is made if there is none."""
    wanted = {"pool": "918885", "whitelist": ["203.0.113.7"], "concurrency": 10, "numbers": ["918885000001"]}
    pool = next((one["pool"] for one in api("pools")["items"]), None) or api("pools", wanted)["pool"]
    pairs = [{"a": NUMBERS[n], "b": NUMBERS[n + 50], "application": filling.NUMBER_APP, "pool": pool} for n in range(5)]
    return [made["id"] for pair in pairs if (made := api("bindings", pair))]


def values(api: Api) -> dict[str, dict[str, Any]]:
    """Values for fields of requests, by the first part of the address; those under "" are for every address."""
    everywhere: dict[str, Any] = {
        "text": ["Hello", "Hello {{name}}"],
        "groups": [[], [filling.GROUP]],
        "excluded_groups": [[]],
        "audiences": [[], ["Germans"]],
        "calendar": [None, "Daytime"],
        "scheduled_at": [None, "2035-01-01T09:00:00Z"],
        "not_after": [None, "2035-01-03T09:00:00Z"],
        "condition": ["country = DE", "country in (IN, BD)"],
        "group": [filling.GROUP],
        "account": [one["account"] for one in api("sip-phones")["items"]],
        "pool": [one["pool"] for one in api("pools")["items"]],
        "attachments": [[one["id"]] for one in api("attachments")["items"]],
        "display_number": [""],
        "language": ["", "EN"],
        "whitelist": [["203.0.113.7"]],
        "number": NUMBERS,
        "a": NUMBERS[:100],
        "b": NUMBERS[100:],
        "to": [NUMBERS[:1], NUMBERS[:5]],
        **{name: [value] for name, value in EMAIL.items()},
    }
    return {
        "": everywhere,
        "messages": {"application": [filling.APP_ID], "sender_id": [""], "name": ["By the API"]},
        "campaigns": {"application": [filling.APP_ID], "sender_id": [""], "shown": [None], "again": ["once more"]},
        "mms": {"application": [filling.APP_ID]},
        "spoken-messages": {"application": [filling.VOICE_APP], "accent": [""], "language": ["EN"]},
        "group-calls": {"application": [filling.VOICE_APP], "shown": [None], "audio": [None], "language": ["EN"]},
        "email-campaigns": {
            "application": [filling.EMAIL_APP],
            "name": ["News"],
            "subject": ["News"],
            "language": [""],
            "shown": [None],
            "again": ["once more"],
        },
        "email-choices": {"application": [filling.EMAIL_APP]},
        "bindings": {"application": [filling.NUMBER_APP], "again": ["once more"]},
        "calls": {"application": [None], "again": ["once more"]},
        "pools": {"pool": [f"9190{n}" for n in range(50)], "numbers": [["918885000001"], []], "version": [None]},
        "exports": {"kind": ["contacts", "messages"], "query": [""], "id": [None], "format": ["csv"]},
        "report": {
            "first": ["2026-01-01"],
            "last": ["2026-01-31", "2027-01-31"],
            "by": ["channel", "channel,country"],
            "columns": [None],
            **{name: [None] for name in ("channel", "application", "country", "campaign", "sender", "person")},
        },
        "suppression": {"to": [SUPPRESSED[:1], SUPPRESSED[:5]]},
        "imports": {"mapping": [{"number": "number", "name": "name"}]},
    }


def ask(options: argparse.Namespace, folder: Path, known: dict[str, Any]) -> int:
    (folder / "known.json").write_text(json.dumps(known))
    told = {
        "SCHEMATHESIS_HOOKS": "try_api_hooks",
        "PYTHONPATH": str(ROOT / "scripts"),
        "TRY_API_FOLDER": str(folder),
    }
    command = [options.schemathesis, "run", f"{known['url']}/openapi.json", "--checks", options.checks, "--no-color"]
    command += ["--header", f"Authorization: Bearer {known['token']}", "--generation-allow-x00", "true"]
    command += [
        "--max-examples",
        str(options.examples),
        "--max-time",
        str(options.seconds),
        "--seed",
        str(options.seed),
    ]
    command += ["--continue-on-failure", "--no-shrink", "--request-timeout", "60", "--generation-database", "none"]
    # One: in Python 3.11 two threads that parse at the same time fail (“AST constructor recursion depth mismatch”).
    command += ["--workers", "1", "--suppress-health-check", "all"]
    if options.only:
        command += ["--include-path-regex", options.only]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **told}, check=False)
    return done.returncode


def tell(calls: Path) -> list[str]:
    """Print the answers to each operation; those that were never answered 2xx, with the reasons for refusing."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for line in calls.read_text().splitlines():
        one = json.loads(line)
        if one["status"] != 405:  # unknown methods are tried as well
            found[one["operation"]][one["status"]] += 1
            reasons[one["operation"]][one["said"]] += one["is_known"]
    for operation, statuses in sorted(found.items()):
        print(f"  {operation:<55} {' '.join(f'{status}: {n}' for status, n in sorted(statuses.items()))}")
    refusing = [one for one, statuses in found.items() if not any(200 <= status < 300 for status in statuses)]
    asked = sum(statuses.total() for statuses in found.values())
    print(f"{len(found)} operations, {asked:,} requests, {len(found) - len(refusing)} operations answered 2xx")
    for one in refusing:
        print(f"only refused: {one}", *(f"  {n} × {said}" for said, n in reasons[one].most_common(4)), sep="\n")
    return refusing


if __name__ == "__main__":
    sys.exit(main())
