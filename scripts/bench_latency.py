"""How long an act takes to have an effect: from the act, or its due moment, to the first request at the gateway.

On each database, with the real worker (`manage.py worker`), console and sandbox in processes of their own, each act is
done several times, one after the other. With SQLite the queue is in the database, with PostgreSQL it is in Redis.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import secrets
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import bench  # noqa: E402
import bench_scale  # noqa: E402
import goal_table  # noqa: E402

from laaffic_console.demo import place, processes  # noqa: E402

TARGET = 1.0  # seconds
PATIENCE = 40.0
LOOK_EVERY = 0.01
AHEAD = dt.timedelta(seconds=4)  # from the launch to a scheduled time
GATEWAY_MS = 20
IDLE_SECONDS = 20.0
SETTLED_AFTER = 6.0  # seconds after a worker has started or was busy

THEIR_ZONE = ZoneInfo("Asia/Kolkata")
numbers = count(919_800_000_000)  # in that zone's country


def main() -> int:
    options = arguments()
    if options.measure:
        measure(options)
        return 0
    print(f"{options.times} times each; seconds to the first request at the gateway: median (least–most)")
    for name, url in bench.databases(options):
        with Served(url, redis=options.redis if name == "postgresql" else "") as served:
            print(f"\n{name}: an idle worker takes {served.idle_percent():.1f}% of a core")
            for act, seconds in served.measured(options):
                report(name, act, seconds)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--act", action="append", choices=list(ACTS), help="only these")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--postgresql", default="postgres://postgres@127.0.0.1:5432/laaffic_bench_latency")
    parser.add_argument("--redis", default="redis://127.0.0.1:6379/9", help="the queue beside PostgreSQL")
    parser.add_argument("--measure", metavar="SANDBOX", help=argparse.SUPPRESS)
    parser.add_argument("--hooks", help=argparse.SUPPRESS)
    return parser.parse_args()


class Served(bench_scale.installation):
    """An installation with a console that takes pushes, and a worker."""

    def __init__(self, url: str, *, redis: str) -> None:
        token = secrets.token_urlsafe(24)
        super().__init__(url, GATEWAY_MS, REDIS_URL=redis, LAAFFIC_PUSH_TOKENS=token, ALLOWED_HOSTS="127.0.0.1")
        self.token = token
        self.started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        super().__enter__()
        listener = place.own_port(8000)
        console = place.url_of(listener)
        self.hooks = f"{console}/hooks/{self.token}"
        self._start(
            "-m", "gunicorn", "laaffic_console.wsgi", "--bind", f"fd://{listener.fileno()}", fd=listener.fileno()
        )
        listener.close()
        self.worker = self._start("manage.py", "worker")
        processes.wait_for(f"{console}/readyz", "the worker")
        return self

    def __exit__(self, *problem: object) -> None:
        for process in reversed(self.started):
            processes.stop(process)
        super().__exit__(*problem)

    def _start(self, *command: str, fd: int | None = None) -> "subprocess.Popen[bytes]":
        log = open(Path(self.environment["CONSOLE_VAR_DIR"]) / "processes.log", "ab")  # noqa: SIM115 - the child's
        handed = [] if fd is None else [fd]
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=handed,
        )
        log.close()
        self.started.append(process)
        return process

    def idle_percent(self) -> float:
        """Use of one core, by the worker and all its processes together."""
        time.sleep(SETTLED_AFTER)
        before = cpu_seconds(self.worker.pid)
        time.sleep(IDLE_SECONDS)
        return 100 * (cpu_seconds(self.worker.pid) - before) / IDLE_SECONDS

    def measured(self, options: argparse.Namespace) -> Iterator[tuple[str, list[float]]]:
        """Each act with its seconds, once all its repetitions are done."""
        chosen = [word for act in options.act or ACTS for word in ("--act", act)]
        command = [sys.executable, __file__, "--measure", self.sandbox, "--hooks", self.hooks, *chosen]
        child = subprocess.Popen(
            [*command, "--times", str(options.times)], env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for line in child.stdout:
            act, seconds = json.loads(line)
            yield act, seconds
        if child.wait():
            raise SystemExit("the acts could not be measured")


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process and all its descendants, including ended ones."""
    ticks: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        ticks[int(path.parent.name)] = (int(fields[1]), sum(int(value) for value in fields[11:15]))
    family = {pid}
    while more := {child for child, (parent, _ticks) in ticks.items() if parent in family} - family:
        family |= more
    return sum(ticks[each][1] for each in family if each in ticks) / os.sysconf("SC_CLK_TCK")


def report(name: str, act: str, seconds: Sequence[float]) -> None:
    middle = statistics.median(seconds)
    met = "met each time" if max(seconds) <= TARGET else "met at the median" if middle <= TARGET else "NOT MET"
    goal_table.held(name, f"{act}: to its first request, s", seconds, TARGET, at_most=True)
    spread = f"({min(seconds):.2f}–{max(seconds):.2f})"
    print(f"  {act:<30}{middle:>7.2f}  {spread:<15} to reach {TARGET:.0f}: {met}", flush=True)


# In the child process: acts of an operator, done with the services that pages and commands call.


def measure(options: argparse.Namespace) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import django

    django.setup()
    gateway = Gateway(options.measure, options.hooks)
    for act in options.act:
        print(json.dumps([act, [timed(ACTS[act], gateway) for _ in range(options.times)]]), flush=True)


def timed(act: "Act", gateway: "Gateway") -> float:
    seconds = act(gateway)
    end_all()
    return round(seconds, 3)


class Gateway:
    """The sandbox's view: when a campaign's messages arrived."""

    def __init__(self, address: str, hooks: str) -> None:
        self.address, self.hooks = address, hooks

    def came(self, campaign: Any) -> list[float]:
        """Moments of arrival, the earliest first."""
        return sorted(message["accepted_at"] for message in self.messages(campaign))

    def messages(self, campaign: Any) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.address}/sandbox/messages?limit=1000", timeout=30) as answer:
            found = json.load(answer)["messages"]
        return [message for message in found if message["content"].endswith(f" {campaign.name}.")]

    def first_after(self, campaign: Any, moment: float) -> float:
        """Seconds from a moment to the first message that arrived after it."""
        seconds: float = until(lambda: next((at - moment for at in self.came(campaign) if at >= moment), None))
        return seconds

    def push(self, message: dict[str, Any]) -> None:
        report = {"msgId": message["msg_id"], "phone": message["number"], "orderId": message["order_id"], "status": "0"}
        body = json.dumps({"array": [report]}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{self.hooks}/sms-report/", body, headers), timeout=30).close()


Act = Callable[[Gateway], float]


def until(found: Callable[[], Any]) -> Any:
    """The result of `found`, called often until there is one."""
    deadline = time.monotonic() + PATIENCE
    while (value := found()) is None or value is False:
        if time.monotonic() > deadline:
            return PATIENCE
        time.sleep(LOOK_EVERY)
    return value


def drafted(recipients: int = 3, **draft: Any) -> Any:
    from laaffic_console.gateway.models import Application
    from messaging.services.campaigns import drafts

    application, _is_new = Application.objects.get_or_create(app_id=bench.APP_ID, defaults={"channel": "sms"})
    name = f"campaign {next(numbers)}"
    given = [str(next(numbers)) for _ in range(recipients)]
    text = f"{bench.TEXT} {name}."
    return drafts.create(name=name, application=application, sender_id="BENCH", text=text, numbers=given, **draft)


def launched(recipients: int = 3, *, undo_seconds: float = 0, **draft: Any) -> Any:
    from messaging.services.campaigns import starting

    return starting.launch(drafted(recipients, **draft).pk, undo_seconds=undo_seconds)


def state_of(campaign: Any) -> str:
    campaign.refresh_from_db()
    return str(campaign.state)


def end_all() -> None:
    """End all campaigns, so that no act affects the next."""
    from laaffic_console.kit.words.not_now import NotNow
    from messaging.models import Campaign, CampaignState
    from messaging.services.campaigns import campaigns

    over = [CampaignState.FINISHED, CampaignState.CANCELLED, CampaignState.DRAFT]
    for pk in Campaign.objects.exclude(state__in=over).values_list("pk", flat=True):
        with contextlib.suppress(NotNow):  # it has just ended by itself
            campaigns.cancel(pk)
    time.sleep(1.5)


def launch(gateway: Gateway) -> float:
    began = time.time()
    return gateway.first_after(launched(), began)


def launch_beside_two(gateway: Gateway) -> float:
    for _ in range(2):
        gateway.first_after(launched(400, rate_per_second=10), 0)
    return launch(gateway)


def next_when_one_ends(gateway: Gateway) -> float:
    """Launch a campaign just when the last message of another has left."""
    first = launched(30, rate_per_second=10)
    until(lambda: len(gateway.came(first)) == 30)
    return launch(gateway)


def resume(gateway: Gateway) -> float:
    return _resumed_after(gateway, 3.0)


def resume_at_once(gateway: Gateway) -> float:
    return _resumed_after(gateway, 0.1)


def _resumed_after(gateway: Gateway, pause: float) -> float:
    from messaging.services.campaigns import campaigns

    campaign = launched(400, rate_per_second=10)
    gateway.first_after(campaign, 0)
    campaigns.pause(campaign.pk)
    time.sleep(pause)
    began = time.time()
    campaigns.resume(campaign.pk)
    return gateway.first_after(campaign, began)


def undo_window(gateway: Gateway) -> float:
    campaign = launched(undo_seconds=3)
    return gateway.first_after(campaign, campaign.undo_until.timestamp())


def scheduled(gateway: Gateway) -> float:
    from django.utils import timezone

    campaign = launched(scheduled_at=timezone.now() + AHEAD)
    return gateway.first_after(campaign, campaign.scheduled_at.timestamp())


def canary_goes_on(gateway: Gateway) -> float:
    from messaging.models import Canary
    from messaging.services.campaigns import canaries

    campaign = launched(10, canary="2", canary_wait=30)
    until(lambda: len(gateway.came(campaign)) == 2)
    until(lambda: Canary.objects.filter(pk=campaign.pk, sent_at__isnull=False).exists())
    began = time.time()
    canaries.go_on(campaign.pk, reason="seen", by=None)
    return gateway.first_after(campaign, began)


def hold_ends(gateway: Gateway) -> float:
    from laaffic_console.gateway.models import AccountHold
    from laaffic_console.gateway.services.account import account_hold

    campaign = launched(400, rate_per_second=10)
    gateway.first_after(campaign, 0)
    account_hold.place_because("Stopped for this measurement.")
    until(lambda: state_of(campaign) == "held")
    time.sleep(1.5)
    hold = AccountHold.objects.filter(released_at=None).first()
    began = time.time()
    if hold is not None:
        account_hold.release(hold.pk, because="Measured.")
    return gateway.first_after(campaign, began)


def hours_open(gateway: Gateway) -> float:
    """Hours that open at a full minute far enough away for the sender to be asleep."""
    from django.utils import timezone

    from messaging.models import Batch, Calendar
    from messaging.services.campaigns import calendars

    opens = (timezone.localtime(timezone=THEIR_ZONE) + dt.timedelta(seconds=84)).replace(second=0, microsecond=0)
    shuts = opens + dt.timedelta(hours=1)
    hours = f"mon-sun {opens:%H:%M}-{shuts:%H:%M}"
    calendar = calendars.save(Calendar(name=f"hours {next(numbers)}", hours=hours))
    campaign = launched(calendar=calendar)
    until(lambda: Batch.objects.filter(campaign=campaign, not_before__isnull=False).exists())
    time.sleep(max(0.0, (opens - timezone.now()).total_seconds()))
    return gateway.first_after(campaign, opens.timestamp())


def report_shown(gateway: Gateway) -> float:
    """Seconds from the push to the figures on the campaign's page."""
    from messaging.services.tallies import counting

    campaign = launched()
    gateway.first_after(campaign, 0)
    until(lambda: state_of(campaign) == "finished")
    time.sleep(SETTLED_AFTER)
    began = time.time()
    gateway.push(gateway.messages(campaign)[0])
    until(lambda: counting.state_counts(campaign)["delivered"] == 1)
    return time.time() - began


ACTS: dict[str, Act] = {
    "launch": launch,
    "launch beside two that run": launch_beside_two,
    "next campaign when one ends": next_when_one_ends,
    "resume": resume,
    "resume right after a pause": resume_at_once,
    "end of the undo window": undo_window,
    "scheduled moment": scheduled,
    "canary: go on now": canary_goes_on,
    "hold ended by a person": hold_ends,
    "sending hours open": hours_open,
    "push to report shown": report_shown,
}


if __name__ == "__main__":
    sys.exit(main())
