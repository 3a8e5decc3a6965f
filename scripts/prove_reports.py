"""Reports of a console that has sent much, compared with its gateway's log.

An installation of its own: web process, workers and a gateway on this machine that keeps its own log. Two SMS campaigns
to everybody, an MMS, spoken messages, a group call and an email campaign, in three currencies. When everything is
reported, each figure of `report` is compared with the same figure counted from the gateway's log (texts by channel and
country, calls and mails by channel), and `report prove` derives the days again from the ledger.

    scripts/prove_reports.py --contacts 1000000
"""

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from laaffic_console.rehearsal.carriers import attachment  # noqa: E402
from laaffic_console.rehearsal.installations import stores  # noqa: E402
from laaffic_console.rehearsal.installations.installation import FAULTS, Installation  # noqa: E402
from laaffic_console.rehearsal.wanted import Wanted  # noqa: E402

# The first digits of a contact's number, and the country that the report names for it.
PLACES = (("91987", "IN"), ("4915112", "DE"), ("447400", "GB"), ("12015", "US"), ("5511998", "BR"))
DIGITS = {"IN": 12, "DE": 13, "GB": 12, "US": 11, "BR": 13}
FIGURES = ("sent", "delivered", "failed", "segments")
QUIET = 30.0  # seconds between two looks; if three of them are equal, everything is reported
PATIENCE = 3600.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=100_000, help="how many of them get an MMS")
    parser.add_argument("--spoken", type=int, default=200, help="how many are called by campaign and by group task")
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--database", default="sqlite", help="sqlite, or postgres://user@host/ of a server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="prove-reports-") as name:
        folder = Path(name)
        with stores.database(options.database, folder, keep=False) as database:
            wanted = Wanted(
                recipients=options.contacts, kills=0, seed=1, workers=1, database=database, redis="", folder=folder,
                command="scripts/prove_reports.py", tell=lambda said: print(said, flush=True),
            )  # fmt: skip
            console = Installation(wanted, per_call=1000, restarts_database=False)
            try:
                return compare(console, send_everything(console, folder, options))
            finally:
                console.end()


def send_everything(console: Installation, folder: Path, options: argparse.Namespace) -> int:
    """Send all campaigns; how many rows the reports will count."""
    console.start_gateway(
        {
            **dict.fromkeys(FAULTS, 0),
            "callback": console.hook("sms-report"),
            "voice-callback": console.hook("voice-report"),
            "push-mode": "array",
            "push-batch": 500,
            "ring-seconds": "0.1,0.3",
            "talk-seconds": "0.1,0.3",
            "email-list-size": options.mails,
        }
    )
    console.tell(f"a database and {options.contacts:,} contacts")
    console.manage("migrate", "--verbosity", "0")
    console.start_console()
    for app, product in (("texts", "sms"), ("voices", "voice"), ("mails", "email")):
        console.manage("register_app", app, "--channel", product)
    for group, count in (("all", options.contacts), ("pictures", options.pictures), ("spoken", options.spoken)):
        listed = folder / f"{group}.csv"
        listed.write_text("phone\n" + "".join(f"+{number}\n" for number in numbers(count)))
        console.manage("contacts", "import", str(listed), "--group", group, "--json")
    console.wait_until_ready()
    console.manage("email", "lookup", "mails")
    sms = ["campaign", "create", "--app", "texts", "--group", "all", "--sender-id", "SHOP"]
    created = [
        [*sms, "--name", "One segment", "--text", "Your parcel is here."],
        [*sms, "--name", "Two segments", "--text", "Your parcel waits for you at the counter. " * 5],
        ["mms", "create", "--name", "A picture", "--app", "texts", "--group", "pictures",
         "--text", "Look", "--title", "Parcel", "--file", str(attachment(folder))],
        ["voice", "say", "--name", "Spoken", "--app", "voices", "--group", "spoken", "--text", "Hello", "--ring", "20",
         "--longest", "1"],
    ]  # fmt: skip
    console.manage("mms", "upload", str(attachment(folder)))
    campaigns = [str(console.json(*command)["id"]) for command in created]
    for campaign in campaigns:
        console.manage("campaign", "launch", campaign)
    group_call = ["voice", "group", "create", "--name", "Called", "--app", "voices", "--text", "Hello"]
    console.manage(*group_call, "--file", str(folder / "spoken.csv"), "--launch")
    told = ["--from", "test@mailpush.laaffic.cn", "--list", "1000", "--template", "1", "--subject", "Mail"]
    console.manage("email", "send", "--app", "mails", *told)
    expected: int = 2 * options.contacts + options.pictures + 2 * options.spoken + options.mails
    return expected


def numbers(count: int) -> Iterator[str]:
    for index in range(count):
        start, country = PLACES[index % len(PLACES)]
        yield f"{start}{index // len(PLACES):0{DIGITS[country] - len(start)}d}"


def compare(console: Installation, expected: int) -> bool:
    """Whether any figure differs from the gateway's own."""
    until_reported(console, expected)
    days = ["--from", str(dt.date.today() - dt.timedelta(days=1)), "--to", str(dt.date.today())]  # noqa: DTZ011
    began = time.monotonic()
    rows = console.json("report", *days, "--by", "channel,country")["rows"]
    console.tell(f"the report came in {time.monotonic() - began:.1f} s, its process with it")
    ours = {(row["channel"], row["country"]): comparable(row) for row in rows}
    theirs = at_the_gateway(console)
    console.tell(f"pushes of the gateway: {console.gateway.stats()['pushes']}")
    wrong = [
        f"{key}: reported {ours.get(key)}, gateway {theirs[key]}" for key in theirs if ours.get(key) != theirs[key]
    ]
    began = time.monotonic()
    proof = console.json("report", "prove", *days, may_fail=True)
    console.tell(f"report prove took {time.monotonic() - began:.1f} s")
    for key in sorted(ours, key=str):
        print(f"{key[0]:<12}{key[1]:<4}{ours[key]}")
    totals: Counter[str] = Counter()
    for figures in ours.values():
        totals.update(dict(figures["cost"]))
    print(f"{sum(row['sent'] or 0 for row in rows):,} sent, cost {dict(totals)}")
    print("\n".join([*wrong, *proof["disagreements"]]) or "Every figure is the gateway's own, and the ledger's.")
    return bool(wrong or proof["disagreements"])


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    cost = {currency: Decimal(amount) for currency, amount in (row["cost"] or {}).items()}
    return {**{name: row[name] for name in FIGURES}, "cost": {c: a for c, a in sorted(cost.items()) if a}}


def at_the_gateway(console: Installation) -> dict[tuple[str, str], dict[str, Any]]:
    """The same figures for SMS and MMS, from the gateway's log alone."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    cost: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    with urllib.request.urlopen(f"{console.gateway.address}/log", timeout=300) as answer:
        for line in answer:
            said = json.loads(line)
            country = next(country for start, country in PLACES if said["number"].startswith(start))
            key = ("mms" if said["files"] else "sms", country)
            found[key].update(sent=1, segments=said["segments"], **{said["state"]: 1})
            cost[key][said["currency"]] += Decimal(said["pay"])  # type: ignore[assignment]
    return {
        key: {**{name: figures[name] for name in FIGURES}, "cost": dict(sorted(cost[key].items()))}
        for key, figures in found.items()
    }


def until_reported(console: Installation, expected: int) -> None:
    give_up_at, last, seen = time.monotonic() + PATIENCE, None, 0.0
    days = ["--from", str(dt.date.today() - dt.timedelta(days=1)), "--to", str(dt.date.today())]  # noqa: DTZ011
    while time.monotonic() < give_up_at:
        totals = console.json("report", *days)["totals"]
        reported = (totals["delivered"] or 0) + (totals["failed"] or 0)
        console.tell(f"{totals['sent'] or 0:,} sent, {reported:,} reported of {expected:,}")
        if totals != last:  # a message's cost may come long after its outcome
            last, seen = totals, time.monotonic()
        elif time.monotonic() - seen > QUIET * 2:
            return
        console.sleep(QUIET)


if __name__ == "__main__":
    sys.exit(main())
