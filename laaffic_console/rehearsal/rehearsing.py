"""A whole rehearsal: an installation of its own, a campaign under fire, and what gateway and ledger say afterwards."""

import json
import os
import platform
import secrets
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from laaffic_console.conf import HOME_DIR
from laaffic_console.rehearsal import outages, plan, report, verdict
from laaffic_console.rehearsal.carriers import CARRIERS
from laaffic_console.rehearsal.gateway_controls import GatewayControls
from laaffic_console.rehearsal.plan import Blow, Kind
from laaffic_console.rehearsal.processes import GATEWAY, Processes, free_port, wait_until
from laaffic_console.rehearsal.verdict import Entry

APP_ID = "rehears1"
TEXT = "Rehearsal: nothing of this reaches a phone."
CONNECT_TIMEOUT, READ_TIMEOUT = 1.0, 2.0
CLOCK_SLACK = 3.0
LEASE = 8.0
STALE = 12.0
DOWN_SECONDS = (0.5, 4.0)
START_PATIENCE = 90.0
VICTIM_PATIENCE = 30.0
STILL_FOR = 150.0  # seconds without any change after which a campaign counts as stuck
RECONCILE_FOR = 120.0
COMMAND_PATIENCE = 600.0

# Probabilities for each request that acts.
FAULTS = {
    "latency": 60,
    "latency-jitter": 300,
    "reset-before": 0.02,
    "reset-after": 0.06,
    "bad-gateway-before": 0.02,
    "bad-gateway-after": 0.04,
    "html": 0.03,
    "half-json": 0.03,
    "hang": 0.01,
    "busy": 0.04,
    "failure-before": 0.02,
    "failure-after": 0.04,
}


@dataclass(frozen=True, slots=True)
class Outage:
    """`what` is "database" or "redis"; it begins when the gateway has accepted this share of the recipients."""

    what: str
    seconds: float
    at_share: float


@dataclass(slots=True)
class Wanted:
    recipients: int
    kills: int
    seed: int
    workers: int
    database: str  # addresses, of stores that are this rehearsal's own
    redis: str
    folder: Path
    command: str
    channel: str = "sms"  # of carriers.CARRIERS
    outages: Sequence[Outage] = ()
    tell: Callable[[str], None] = field(default=lambda said: None)


class CommandFailed(Exception):
    """One of the console's own commands ended with an error; its last words."""


class Rehearsal:
    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.began = time.monotonic()
        self.carrier = CARRIERS[wanted.channel]
        self.numbers = plan.numbers(wanted.recipients)
        self.abnormal = plan.abnormal(wanted.seed, self.numbers) if self.carrier.has_abnormal else []
        self.blows = plan.blows(wanted.seed, wanted.kills)
        self.per_call = 1 if self.carrier.one_a_call else plan.recipients_per_call(wanted.recipients, len(self.blows))
        self.relays: dict[str, outages.Relay] = {}
        self.web_port, self.gateway_port = free_port(), free_port()
        self.token = secrets.token_urlsafe(16)
        self.environment = self._environment()
        self.processes = Processes(wanted.folder, self.environment)
        self.gateway = GatewayControls(self.gateway_port)
        self.struck: Counter[str] = Counter()
        self.failures: list[str] = []
        self.seconds: dict[str, float] = {}
        self.campaign = ""

    def run(self) -> dict[str, Any]:
        """The report's document (report.document)."""
        try:
            self._prepare()
            self._timed("under fire", self._under_fire)
            self._timed("until everything had left", self._let_it_send)
            self._timed("reconciliation", self._reconcile)
            return self._compare()
        finally:
            self.processes.end()
            for relay in self.relays.values():
                relay.go_down()

    def _environment(self) -> dict[str, str]:
        """Everything that could lead to the real gateway or to another database is set here, whatever `.env` says."""
        wanted = self.wanted
        database, redis = wanted.database, wanted.redis
        named = {outage.what for outage in wanted.outages}
        if "database" in named and not database.startswith("sqlite"):
            database, self.relays["database"] = outages.through(database, 5432)
        if "redis" in named and redis:
            redis, self.relays["redis"] = outages.through(redis, 6379)
        return {
            **os.environ,
            "CONSOLE_VAR_DIR": str(wanted.folder),
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "CONSOLE_URL": f"http://127.0.0.1:{self.web_port}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECRET_KEY": "",
            "DEBUG": "",
            "LOG_LEVEL": "INFO",
            "LAAFFIC_BASE_URL": f"http://127.0.0.1:{self.gateway_port}/v3",
            "LAAFFIC_PATHS": "",
            "LAAFFIC_API_KEY": "rehearsal-key",
            "LAAFFIC_API_SECRET": secrets.token_urlsafe(12),
            "LAAFFIC_PUSH_TOKENS": self.token,
            "LAAFFIC_PUSH_SOURCES": "",
            "LAAFFIC_CONNECT_TIMEOUT": str(CONNECT_TIMEOUT),
            "LAAFFIC_READ_TIMEOUT": str(READ_TIMEOUT),
            "LAAFFIC_CLOCK_SLACK_SECONDS": str(CLOCK_SLACK),
            "LAAFFIC_LEASE_SECONDS": str(LEASE),
            "LAAFFIC_WORKER_STALE_SECONDS": str(STALE),
            "LAAFFIC_RECIPIENTS_PER_CALL": str(self.per_call),
            "LAAFFIC_ERROR_LIMIT": "0",
            "PYTHONUNBUFFERED": "1",
        }

    def _prepare(self) -> None:
        """The installation, its contacts, and a campaign that runs."""
        self._tell("preparing database and contacts")
        people = self.wanted.folder / "people.csv"
        people.write_text("\n".join(["phone", *(f"+{number}" for number in self.numbers)]))
        self._start_gateway()
        self.manage("migrate", "--verbosity", "0")
        self._start_console()
        self.manage("register_app", APP_ID, "--channel", self.carrier.product, "--sender-id", "DRILL")
        self.manage("contacts", "import", str(people), "--group", "rehearsal", "--json")
        wait_until(self._is_ready, "a web process and a worker that are ready", START_PATIENCE)
        made = ["--name", "Rehearsal", "--app", APP_ID, "--text", TEXT, "--group", "rehearsal"]
        self.campaign = str(self.json(*self.carrier.create, *made)["id"])
        self.json("campaign", "launch", self.campaign)
        self.seconds["preparation"] = self._elapsed()

    def _start_gateway(self) -> None:
        options = {**FAULTS, **self.carrier.gateway, "seed": self.wanted.seed, "port": self.gateway_port}
        options[self.carrier.callback] = f"http://127.0.0.1:{self.web_port}/hooks/{self.token}/{self.carrier.hook}/"
        arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        arguments += [word for number in self.abnormal for word in ("--abnormal", number)]
        self.processes.start(GATEWAY, ["-m", "laaffic_console", "sandbox", *arguments, "--push-shuffle"])

    def _start_console(self) -> None:
        gunicorn = ["-m", "gunicorn", "laaffic_console.wsgi", "--bind", f"127.0.0.1:{self.web_port}"]
        self.processes.start("web", [*gunicorn, "--workers", "2", "--no-control-socket", "--timeout", "60"])
        for number in range(1, self.wanted.workers + 1):
            self.processes.start(f"worker-{number}", ["-m", "laaffic_console", "worker"])

    def _is_ready(self) -> bool:
        self.processes.look_after()
        address = f"http://127.0.0.1:{self.web_port}/readyz"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200) and self.gateway.is_there()
        except OSError:
            return False

    def _under_fire(self) -> None:
        """All blows and outages, each when its moment has come."""
        waiting = sorted(self.wanted.outages, key=lambda outage: outage.at_share)
        total = self.wanted.recipients
        for number, blow in enumerate(self.blows, 1):
            share = self._wait_for(blow)
            while waiting and waiting[0].at_share <= share:
                self._go_without(waiting.pop(0))
            said = self._strike(blow)
            self.struck[str(blow.kind)] += 1
            self._tell(f"{number} of {len(self.blows)} at {share * total:,.0f} accepted: {blow.kind} ({said})")
        for outage in waiting:
            self._go_without(outage)

    def _wait_for(self, blow: Blow) -> float:
        """Until its share is reached, or its seconds have passed, or nothing moves any more; the share by then."""
        accepted, moved_at, began = 0, time.monotonic(), time.monotonic()
        while True:
            self.processes.look_after()
            now, before, accepted = time.monotonic(), accepted, self.gateway.accepted_so_far()
            if accepted != before:
                moved_at = now
            share = accepted / self.wanted.recipients
            if blow.at_share is None and now - began >= blow.after_seconds:
                return share
            if blow.at_share is not None and (share >= blow.at_share or now - moved_at > 3 * STALE):
                return share
            time.sleep(0.05)

    def _strike(self, blow: Blow) -> str:
        match blow.kind:
            case Kind.CUT:
                return f"{self.gateway.cut()} connections"
            case Kind.DOWN:
                seconds = blow.length(*DOWN_SECONDS)
                self.gateway.go_down(seconds)
                time.sleep(seconds + 0.2)  # its controls are away as well
                wait_until(self.gateway.is_there, "the gateway", 10)
                return f"for {seconds:.1f} s"
        give_up_at = time.monotonic() + VICTIM_PATIENCE
        while not self.processes.can_be_struck(blow) and time.monotonic() < give_up_at:
            self.processes.look_after()
            time.sleep(0.1)
        return self.processes.strike(blow)

    def _go_without(self, outage: Outage) -> None:
        self._tell(f"without {outage.what} for {outage.seconds:g} s")
        if outage.what in self.relays:
            with outages.down(self.relays[outage.what]):
                self._sleep(outage.seconds)
        elif outage.what == "database":
            with outages.locked(self.wanted.folder / "console.sqlite3"):
                self._sleep(outage.seconds)
        self.struck[f"{outage.what} away for {outage.seconds:g} s"] += 1

    def _sleep(self, seconds: float) -> None:
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            self.processes.look_after()
            time.sleep(0.2)

    def _let_it_send(self) -> None:
        """Until nothing is queued or claimed, or nothing has changed for long.

        A campaign that the brake on lost answers holds goes on by itself; one that is held for good stands still.
        """
        said: dict[str, Any] = {}
        counts: dict[str, int] = {}
        changed_at = time.monotonic()
        while time.monotonic() - changed_at < STILL_FOR:
            self.processes.look_after()
            before, said = counts, self.json("campaign", "report", self.campaign)
            counts = said["counts"]
            if counts["queued"] + counts["claimed"] == 0 and sum(counts.values()) == self.wanted.recipients:
                return
            if counts != before:
                changed_at = time.monotonic()
            time.sleep(2)  # asking starts a process, which takes its time from the others
        stuck = {state: n for state, n in counts.items() if n}
        state = said["state"]
        self.failures.append(f"the campaign is {state} and does not go on: no change for {STILL_FOR:.0f} s, {stuck}")

    def _reconcile(self) -> None:
        """Passes of `reconcile` until nothing more can be found out."""
        give_up_at = time.monotonic() + RECONCILE_FOR + self.wanted.recipients / 1000
        while time.monotonic() < give_up_at:
            self.processes.look_after()
            self.manage("reconcile")
            counts = self.json("campaign", "report", self.campaign)["counts"]
            if counts["accepted"]:
                continue
            if not counts["unknown"] or self._says_all(self.ledger()[1]):
                return
            time.sleep(0.5)

    def _says_all(self, entries: Sequence[Entry]) -> bool:
        unknown = [entry for entry in entries if entry.state == "unknown"]
        return all(verdict.NOT_IN_RECORDS in entry.evidence for entry in unknown)

    def _compare(self) -> dict[str, Any]:
        _, reconciled = self.ledger()
        if any(entry.state == "unknown" for entry in reconciled):
            why = "rehearsed: not in the vendor's records"
            self.json("campaign", "resolve", self.campaign, "--write-off", "--reason", why)
        said, ended = self.ledger()
        judged = verdict.judge(
            recipients=self.numbers,
            abnormal=self.abnormal,
            accepted=list(self.gateway.log()),
            reconciled=reconciled,
            ended=ended,
        )
        proved = self.json("campaign", "prove", self.campaign, may_fail=True)
        end = self.json("campaign", "report", self.campaign)
        if end["state"] != "finished":
            self.failures.append(f"the campaign is {end['state']} and not finished")
        self.seconds["all"] = self._elapsed()
        return report.document(
            command=self.wanted.command,
            setting=self._setting(said["restarts"]),
            strikes=dict(sorted(self.struck.items())),
            calls=said["calls"],
            counts=end["counts"],
            settled_by=settled_by(ended),
            verdict=judged,
            proved=proved["disagreements"],
            failures=self.failures,
            seconds=self.seconds,
        )

    def _setting(self, restarts: int) -> dict[str, Any]:
        wanted = self.wanted
        return {
            "channel": wanted.channel,
            "recipients": wanted.recipients,
            "of them abnormal (−9)": len(self.abnormal),
            "seed": str(wanted.seed),
            "database": "SQLite" if wanted.database.startswith("sqlite") else "PostgreSQL",
            "queue": "Redis" if wanted.redis else "in the database",
            "workers": wanted.workers,
            "recipients a call, at most": self.per_call,
            "share of requests struck by a fault": round(1 - _share_unharmed(), 2),
            "clusters restarted by their workers": restarts,
            "Python": platform.python_version(),
        }

    def ledger(self) -> tuple[dict[str, Any], list[Entry]]:
        first, *rows = self.manage("rehearsal_ledger", self.campaign).splitlines()
        return json.loads(first), [Entry(*json.loads(row)) for row in rows]

    def json(self, *arguments: str, may_fail: bool = False) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.manage(*arguments, "--json", may_fail=may_fail))
        return document

    def manage(self, *arguments: str, may_fail: bool = False) -> str:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "laaffic_console", *arguments],
            cwd=HOME_DIR,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_PATIENCE,
            check=False,
        )
        if done.returncode and not may_fail:
            raise CommandFailed(f"manage.py {' '.join(arguments[:2])} failed: {done.stderr.strip()[-1500:]}")
        return done.stdout

    def _timed(self, what: str, do: Callable[[], None]) -> None:
        began = time.monotonic()
        do()
        self.seconds[what] = round(time.monotonic() - began, 1)

    def _elapsed(self) -> float:
        return round(time.monotonic() - self.began, 1)

    def _tell(self, said: str) -> None:
        self.wanted.tell(f"{self._elapsed():7.1f} s  {said}")


def settled_by(entries: Sequence[Entry]) -> dict[str, int]:
    """What ended the unknown: the evidence that their rows name, without the ids."""
    said = Counter(
        entry.evidence.partition(": ")[0].removeprefix("settled by ")
        for entry in entries
        if entry.evidence.startswith(("settled by", "written off"))
    )
    return dict(sorted(said.items()))


def _share_unharmed() -> float:
    share = 1.0
    for name, probability in FAULTS.items():
        if not name.startswith("latency"):
            share *= 1 - float(probability)
    return share
