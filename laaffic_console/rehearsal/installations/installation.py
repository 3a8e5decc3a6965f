"""An installation of a rehearsal's own, from its database to its gateway, and everything that can strike it."""

import json
import os
import platform
import secrets
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from laaffic_console.conf import HOME_DIR
from laaffic_console.rehearsal.installations import machine, servers_away
from laaffic_console.rehearsal.installations.gateway_controls import GatewayControls
from laaffic_console.rehearsal.installations.processes import GATEWAY, Processes, free_port, wait_until
from laaffic_console.rehearsal.installations.standing import StandingShell
from laaffic_console.rehearsal.plan import Blow, Kind
from laaffic_console.rehearsal.wanted import Outage, Wanted

CONNECT_TIMEOUT, READ_TIMEOUT = 1.0, 2.0
CLOCK_SLACK = 3.0
LEASE = 8.0
STALE = 12.0
DOWN_SECONDS = (0.5, 4.0)
LATE_SECONDS = (READ_TIMEOUT + 0.2, READ_TIMEOUT + CLOCK_SLACK - 0.8)  # later than that the records prove nothing
HANG_SECONDS = (6.0, 15.0)  # three time limits and more
NAMELESS_SECONDS = (2.0, 8.0)
RESTART_SECONDS = (0.5, 3.0)
CLOCK_SECONDS = (3.0, 12.0)
CLOCK_JUMPS = (-3600.0, -300.0, -LEASE, LEASE, 300.0, 3600.0)
START_PATIENCE = 90.0
VICTIM_PATIENCE = 30.0
COMMAND_PATIENCE = 600.0
TRIES = 8

# Probabilities for each request that acts.
FAULTS: Mapping[str, float] = {
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


# The part of the caller's environment that programs need to run at all, and PGPASSWORD and its like for --database.
OF_THE_MACHINE = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV"})
OF_THE_MACHINE_AS_IN = ("LC_", "LD_", "PYTHON", "PG", "COVERAGE_")


class CommandFailed(Exception):
    """One of the console's own commands ended with an error; its last words."""


class Installation:
    def __init__(self, wanted: Wanted, *, per_call: int, restarts_database: bool) -> None:
        self.wanted = wanted
        self.began = time.monotonic()
        self.relays: dict[str, servers_away.Relay] = {}
        self.web_port, self.gateway_port = free_port(), free_port()
        self.token = secrets.token_urlsafe(16)
        self.environment = self._environment(per_call, restarts_database)
        self.processes = Processes(wanted.folder, self.environment)
        self.shell = StandingShell(self.environment)
        self.gateway = GatewayControls(self.gateway_port)
        self.struck: Counter[str] = Counter()
        self.seconds: dict[str, float] = {}

    def _environment(self, per_call: int, restarts_database: bool) -> dict[str, str]:
        """Nothing of `.env`, nor of what else is set for a console in use, reaches a rehearsal: a setting that is not
        named here, such as a mail server or a network that webhooks may reach, would lead out of it.
        """
        wanted = self.wanted
        database, redis = wanted.database, wanted.redis
        named = {outage.what for outage in wanted.outages}
        if (restarts_database or "database" in named) and not database.startswith("sqlite"):
            database, self.relays["database"] = servers_away.through(database, 5432)
        if "redis" in named and redis:
            redis, self.relays["redis"] = servers_away.through(redis, 6379)
        return {
            **of_the_machine(),
            "CONSOLE_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "laaffic_console.rehearsal.settings",
            machine.FOLDER: str(wanted.folder),
            "CONSOLE_VAR_DIR": str(wanted.folder),
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "CONSOLE_URL": f"http://127.0.0.1:{self.web_port}",
            "ALLOWED_HOSTS": "127.0.0.1",
            "SECRET_KEY": "",
            "DEBUG": "",
            "LOG_LEVEL": "INFO",
            "LAAFFIC_BASE_URL": f"http://{machine.GATEWAY_HOST}:{self.gateway_port}/v3",
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
            "LAAFFIC_RECIPIENTS_PER_CALL": str(per_call),
            "LAAFFIC_ERROR_LIMIT": "0",
            "OPT_OUT_EVERY_CHANNEL": "on",
            "LAAFFIC_FREQUENCY_CAP_DAY": "1" if wanted.cap else "0",
            "LAAFFIC_FREQUENCY_CAP_WEEK": "0",
            "PYTHONUNBUFFERED": "1",
        }

    def start_gateway(self, options: Mapping[str, Any], *flags: str) -> None:
        told = {**FAULTS, **options, "seed": self.wanted.seed, "port": self.gateway_port}
        arguments = [word for name, value in told.items() for word in (f"--{name}", str(value))]
        true_clock = {machine.FOLDER: ""}
        self.processes.start(GATEWAY, ["-m", "laaffic_console", "sandbox", *arguments, *flags], true_clock)

    def hook(self, kind: str) -> str:
        """The address of this console's inbox for such pushes."""
        return f"http://127.0.0.1:{self.web_port}/hooks/{self.token}/{kind}/"

    def start_console(self) -> None:
        self.start_web()
        self.start_workers()

    def start_web(self, name: str = "web") -> None:
        gunicorn = ["-m", "gunicorn", "laaffic_console.wsgi", "--bind", f"127.0.0.1:{self.web_port}"]
        self.processes.start(name, [*gunicorn, "--workers", "2", "--no-control-socket", "--timeout", "60"])

    def start_workers(self) -> None:
        for number in range(1, self.wanted.workers + 1):
            self.processes.start(f"worker-{number}", ["-m", "laaffic_console", "worker"])

    def run_from(self, before: Path | None) -> None:
        """From now on start everything from the version in that folder; None: from this one."""
        paths = {"PYTHONPATH": f"{before}{os.pathsep}{before / 'numbers'}"} if before else {}
        self.shell.end()
        self.processes.home = self.shell.home = before or HOME_DIR
        self.processes.environment = self.shell.environment = {**self.environment, **paths}

    def wait_until_ready(self) -> None:
        wait_until(self._is_ready, "a web process and a worker that are ready", START_PATIENCE)

    def _is_ready(self) -> bool:
        self.processes.look_after()
        address = f"http://127.0.0.1:{self.web_port}/readyz"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200) and self.gateway.is_there()
        except OSError:
            return False

    def end(self) -> None:
        self.shell.end()
        self.processes.end()
        for relay in self.relays.values():
            relay.go_down()

    # blows

    def strike(self, blow: Blow) -> str:
        """Do what the blow says; one line that tells what that was."""
        said = self._strike(blow)
        self.struck[str(blow.kind)] += 1
        return said

    def _strike(self, blow: Blow) -> str:
        match blow.kind:
            case Kind.CUT:
                return f"{self.gateway.cut()} connections"
            case Kind.DOWN:
                return self._gateway_down(blow.length(*DOWN_SECONDS))
            case Kind.HANG:
                return self._gateway_hangs(blow.length(*HANG_SECONDS))
            case Kind.LATE:
                return self._gateway_is_late(blow.length(*LATE_SECONDS))
            case Kind.NAMELESS:
                return self._without_names(blow.length(*NAMELESS_SECONDS))
            case Kind.CLOCK:
                return self._clock_jumps(CLOCK_JUMPS[blow.pick(len(CLOCK_JUMPS))], blow.length(*CLOCK_SECONDS))
            case Kind.RESTART:
                seconds = blow.length(*RESTART_SECONDS)
                self._without("database", seconds)
                return f"for {seconds:.1f} s"
        give_up_at = time.monotonic() + VICTIM_PATIENCE
        while not self.processes.can_be_struck(blow) and time.monotonic() < give_up_at:
            self.processes.look_after()
            time.sleep(0.1)
        return self.processes.strike(blow)

    def _gateway_down(self, seconds: float) -> str:
        self.gateway.go_down(seconds)
        time.sleep(seconds + 0.2)  # its controls are away as well
        wait_until(self.gateway.is_there, "the gateway", 10)
        return f"for {seconds:.1f} s"

    def _gateway_hangs(self, seconds: float) -> str:
        before = self.gateway.faults()["hang"]
        self.gateway.set_faults(hang=1.0)
        self.sleep(seconds)
        self.gateway.set_faults(hang=before)
        return f"for {seconds:.1f} s"

    def _gateway_is_late(self, seconds: float) -> str:
        """Requests that arrive in the meantime are accepted only after their senders have stopped waiting."""
        with self.processes.standing_still(GATEWAY):
            time.sleep(seconds)
        wait_until(self.gateway.is_there, "the gateway", 10)
        return f"for {seconds:.1f} s"

    def _without_names(self, seconds: float) -> str:
        machine.forget_names(self.wanted.folder, forgotten=True)
        cut = self.gateway.cut()  # who has a connection asks for no name
        self.sleep(seconds)
        machine.forget_names(self.wanted.folder, forgotten=False)
        return f"for {seconds:.1f} s, {cut} connections cut"

    def _clock_jumps(self, by: float, seconds: float) -> str:
        machine.set_clock(self.wanted.folder, by)
        self.sleep(seconds)
        machine.set_clock(self.wanted.folder, 0.0)
        return f"by {by:+.0f} s for {seconds:.1f} s"

    def go_without(self, outage: Outage) -> None:
        self.tell(f"without {outage.what} for {outage.seconds:g} s")
        self._without(outage.what, outage.seconds)
        self.struck[f"{outage.what} away for {outage.seconds:g} s"] += 1

    def _without(self, what: str, seconds: float) -> None:
        if what in self.relays:
            with servers_away.down(self.relays[what]):
                self.sleep(seconds)
        elif what == "database":
            with servers_away.locked(self.wanted.folder / "console.sqlite3"):
                self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at:
            self.processes.look_after()
            time.sleep(0.2)

    # the console's own commands

    def json(self, *arguments: str, may_fail: bool = False) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.manage(*arguments, "--json", may_fail=may_fail))
        return document

    def manage(self, *arguments: str, may_fail: bool = False) -> str:
        done = self.shell.run(arguments, COMMAND_PATIENCE)
        if done.code and not may_fail:
            raise CommandFailed(f"manage.py {' '.join(arguments[:2])} failed: {done.errors.strip()[-1500:]}")
        return done.output

    def until_it_succeeds(self, *arguments: str) -> None:
        """Run a command again until it succeeds, as a person does who met a fault; the last try raises."""
        for _ in range(TRIES - 1):
            try:
                self.manage(*arguments)
            except CommandFailed as problem:
                self.tell(str(problem).splitlines()[0])
                self.sleep(1)
            else:
                return
        self.manage(*arguments)

    # the report

    def setting(self) -> dict[str, Any]:
        wanted = self.wanted
        return {
            "channel": wanted.channel,
            "recipients": wanted.recipients,
            "seed": str(wanted.seed),
            "database": "SQLite" if wanted.database.startswith("sqlite") else "PostgreSQL",
            "queue": "Redis" if wanted.redis else "in the database",
            "workers": wanted.workers,
            "share of requests struck by a fault": round(1 - share_unharmed(), 2),
            "Python": platform.python_version(),
        }

    def timed(self, what: str, do: Callable[[], None]) -> None:
        began = time.monotonic()
        do()
        self.seconds[what] = round(time.monotonic() - began, 1)

    def elapsed(self) -> float:
        return round(time.monotonic() - self.began, 1)

    def tell(self, said: str) -> None:
        self.wanted.tell(f"{self.elapsed():7.1f} s  {said}")


def share_unharmed() -> float:
    share = 1.0
    for name, probability in FAULTS.items():
        if not name.startswith("latency"):
            share *= 1 - float(probability)
    return share


def of_the_machine() -> dict[str, str]:
    """The part of this process' environment that a rehearsal's processes get."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in OF_THE_MACHINE or name.startswith(OF_THE_MACHINE_AS_IN)
    }
