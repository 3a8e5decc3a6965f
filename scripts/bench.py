"""`make bench`: a campaign against a bare loop of `requests.post`, on each database, in one run.

The loop posts the same batches to the same sandbox over as many connections and keeps no record at all. The
campaign commits every state. Both are run in turn; the ratio of each pair is quoted with its spread,
because the machine's own speed drifts.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import goal_table  # noqa: E402

KEY, SECRET, APP_ID = "sandbox-key", "sandbox-secret", "bench"
TEXT = "Your parcel has arrived and can be collected until Friday at the counter in the market hall."
CASES = [  # latency of the gateway in ms, connections, the ratio to reach
    (50, 4, 0.97),
    (50, 8, 0.9),
    (0, 1, 0.9),
]


CARE_CASES = [(50, 4, 0.9), (0, 1, 0.9)]
SPOKEN_CASES = [(20, 4, 0.9), (20, 32, 0.9)]  # one recipient per request
SPOKEN_RECIPIENTS = 5000
SPOKEN_RATE = 1000  # calls per second, each committed before it leaves


def main() -> int:
    options = arguments()
    if options.measure:
        measure(options)
        return 0
    if options.spoken:
        options.recipients = min(options.recipients, SPOKEN_RECIPIENTS)
    print(f"{options.recipients:,} recipients, {options.pairs} pairs of runs; recipients a second")
    if options.care:
        print("“bare” is the console without calendar, budget, cap and consent, “console” the same with all of them")
    for name, url in databases(options):
        cases = CARE_CASES if options.care else SPOKEN_CASES if options.spoken else CASES
        for latency, connections, target in cases:
            pairs = in_child(name, url, latency, connections, options)
            print_case(name, latency, connections, target, pairs, what=options)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--care", action="store_true", help="calendar, budget, cap and consent on, against all off")
    parser.add_argument("--spoken", action="store_true", help="spoken messages: one recipient a request")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--postgresql", default="postgres://postgres@127.0.0.1:5432/laaffic_bench")
    parser.add_argument("--measure", metavar="SANDBOX", help=argparse.SUPPRESS)
    parser.add_argument("--connections", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args()


def databases(options: argparse.Namespace) -> list[tuple[str, str]]:
    scratch = tempfile.mkdtemp(prefix="bench-")
    both = [("sqlite", f"sqlite:///{scratch}/bench.sqlite3"), ("postgresql", options.postgresql)]
    return [(name, url) for name, url in both if options.database in (None, name) and is_there(name, url)]


def is_there(name: str, url: str) -> bool:
    """Whether the database answers; PostgreSQL's scratch database is made new."""
    if name == "sqlite":
        return True
    import psycopg

    server, _, database = url.rpartition("/")
    try:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}"')
            connection.execute(f'CREATE DATABASE "{database}"')
    except psycopg.OperationalError as problem:
        print(f"postgresql: not measured ({str(problem).splitlines()[0]})")
        return False
    return True


def in_child(
    name: str, url: str, latency: int, connections: int, options: argparse.Namespace
) -> list[tuple[float, float]]:
    """Run the sandbox and the console in their own processes; [(bare, console)] in recipients per second."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "CONSOLE_VAR_DIR": tempfile.mkdtemp(prefix="bench-var-"),
        "REDIS_URL": "",
        "LAAFFIC_API_KEY": KEY,
        "LAAFFIC_API_SECRET": SECRET,
        "LOG_LEVEL": "WARNING",
    }
    sandbox = subprocess.Popen(
        [sys.executable, "manage.py", "sandbox", "--port", "0", "--latency", str(latency)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = read_address(sandbox)
        child = subprocess.run(
            [
                *[sys.executable, __file__, "--measure", address, "--connections", str(connections)],
                *["--recipients", str(options.recipients), "--pairs", str(options.pairs)],
                *(["--care"] if options.care else []),
                *(["--spoken"] if options.spoken else []),
            ],
            env={**environment, "LAAFFIC_BASE_URL": f"{address}/v3"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        sandbox.terminate()
        sandbox.wait()
    if child.returncode:
        raise SystemExit(f"{name}: {child.stderr[-2000:]}")
    return [tuple(pair) for pair in json.loads(child.stdout)]


def read_address(sandbox: "subprocess.Popen[str]") -> str:
    assert sandbox.stdout is not None
    for line in sandbox.stdout:
        for word in line.split():
            if word.startswith("http://"):
                return word.rstrip("/.,")
    raise SystemExit("the sandbox did not start")


def measure(options: argparse.Namespace) -> None:
    """Measure in the child process: pairs of runs, alternating."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    numbers = [str(919800000000 + index) for index in range(options.recipients)]
    fill(numbers, "voice" if options.spoken else "sms")
    pairs = []
    for _ in range(options.pairs):
        forget(options.measure)
        if options.care:
            bare = with_care(numbers, options.connections, on=False)
        else:
            bare = bare_loop(options.measure, numbers, options.connections, spoken=options.spoken)
        forget(options.measure)
        run = partial(with_care, on=True) if options.care else campaign_run
        drafted: dict[str, Any] = (
            {"channel": "voice", "sender_id": "", "channel_options": {"language": "EN"}} if options.spoken else {}
        )
        pairs.append((bare, run(numbers, options.connections, **drafted)))
    print(json.dumps(pairs))


def with_care(numbers: Sequence[str], connections: int, *, on: bool) -> float:
    """A marketing campaign to people who agreed, in its hours, within cap and budget; or with no such checks."""
    from django.conf import settings
    from django.utils import timezone

    from laaffic_console.gateway.models import Application
    from messaging.models import ApplicationCalendar, Budget, Calendar, Campaign, Consent, ConsentState

    application = Application.objects.get(app_id=APP_ID)
    settings.LAAFFIC_FREQUENCY_CAP_DAY = settings.LAAFFIC_FREQUENCY_CAP_WEEK = 1000 if on else 0
    settings.LAAFFIC_MARKETING_NEEDS_CONSENT = on
    ApplicationCalendar.objects.all().delete()
    Budget.objects.all().delete()
    if on:
        calendar = Calendar.objects.get_or_create(name="always", defaults={"hours": "mon-sun 00:00-24:00"})[0]
        ApplicationCalendar.objects.create(application=application, calendar=calendar)
        Budget.objects.create(application=application, limit=10**9)
        if not Consent.objects.exists():
            agreed = {"channel": "sms", "state": ConsentState.GIVEN, "at": timezone.now()}
            Consent.objects.bulk_create((Consent(number=number, **agreed) for number in numbers), batch_size=5000)
    return campaign_run(numbers, connections, purpose=Campaign.Purpose.MARKETING)


def forget(address: str) -> None:
    """Empty the sandbox, which keeps all that it accepts, so that each run finds it empty."""
    urllib.request.urlopen(urllib.request.Request(f"{address}/sandbox/reset", method="POST"), timeout=30).close()


def fill(numbers: Sequence[str], channel: str) -> None:
    from laaffic_console.gateway.models import Application
    from messaging.models import Contact, ContactGroup, GroupMembership

    if ContactGroup.objects.exists():
        Application.objects.all()
        return
    Application.objects.create(app_id=APP_ID, channel=channel)
    group = ContactGroup.objects.create(name="everybody")
    for start in range(0, len(numbers), 5000):
        made = Contact.objects.bulk_create(
            Contact(number=number, country="IN") for number in numbers[start : start + 5000]
        )
        GroupMembership.objects.bulk_create(GroupMembership(contact=contact, group=group) for contact in made)


def campaign_run(numbers: Sequence[str], connections: int, **draft: Any) -> float:
    """Recipients per second, from the first claim to the last settled batch of a campaign with a frozen audience."""
    from django.db import connection

    from laaffic_console.gateway.models import Application
    from messaging.models import ContactGroup
    from messaging.services.audience import audience
    from messaging.services.campaigns import drafts, starting
    from messaging.services.sending import sending
    from messaging.services.tallies import counting

    application = Application.objects.get(app_id=APP_ID)
    application.connections = connections
    application.save()
    draft = {"name": "bench", "sender_id": "BENCH", "text": TEXT, **draft}
    campaign = drafts.create(application=application, groups=[ContactGroup.objects.get()], **draft)
    starting.launch(campaign.pk)
    while audience.freeze_chunk(campaign.pk):
        pass
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE messaging_message")
    started = time.perf_counter()
    sending.send(campaign.pk, slice_seconds=3600)
    seconds = time.perf_counter() - started
    campaign.refresh_from_db()
    counts = counting.state_counts(campaign)
    assert counts["queued"] == counts["claimed"] == counts["unknown"] == counts["rejected"] == 0, counts
    return len(numbers) / seconds


def message(batch: Sequence[str]) -> dict[str, str]:
    together = ",".join(batch)
    return {"appId": APP_ID, "numbers": together, "content": TEXT, "senderId": "BENCH", "orderId": together}


def call(batch: Sequence[str]) -> dict[str, str]:
    return {"appId": APP_ID, "callee": batch[0], "text": TEXT, "language": "EN", "calledInfo": batch[0]}


def bare_loop(address: str, numbers: Sequence[str], connections: int, *, spoken: bool = False) -> float:
    import requests

    path, body_of, at_once = ("voice/sendCode", call, 1) if spoken else ("sendSms", message, 1000)
    batches: SimpleQueue[Sequence[str]] = SimpleQueue()
    for start in range(0, len(numbers), at_once):
        batches.put(numbers[start : start + at_once])

    def post_all() -> None:
        session = requests.Session()
        while True:
            try:
                batch = batches.get_nowait()
            except Empty:
                return
            stamp = str(int(time.time()))
            sign = hashlib.md5(f"{KEY}{SECRET}{stamp}".encode()).hexdigest()
            headers = {"Api-Key": KEY, "Timestamp": stamp, "Sign": sign}
            answer = session.post(f"{address}/v3/{path}", json=body_of(batch), headers=headers, timeout=30)
            assert answer.json()["status"] == "0", answer.text[:200]

    threads = [threading.Thread(target=post_all) for _ in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(numbers) / (time.perf_counter() - started)


def print_case(
    name: str,
    latency: int,
    connections: int,
    target: float,
    pairs: Sequence[tuple[float, float]],
    *,
    what: argparse.Namespace,
) -> None:
    ratios = [console / bare for bare, console in pairs]
    work = "with care, to without" if what.care else "one recipient a request" if what.spoken else "sending"
    work = f"{work}: {latency} ms, {connections} connection(s)"
    is_met = goal_table.held(name, f"{work}, to the bare loop" if not what.care else work, ratios, target)
    bare, console = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"{name:<11}{latency:>3} ms, {connections} connection(s): bare {bare:>9,.0f}  console {console:>9,.0f}  "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}), {is_met}",
        flush=True,
    )
    if what.spoken and connections == max(case[1] for case in SPOKEN_CASES):
        rates = [rate for _bare, rate in pairs]
        print(
            f"{'':<11}calls a second {goal_table.held(name, f'{work}, calls a second', rates, SPOKEN_RATE)}", flush=True
        )


if __name__ == "__main__":
    sys.exit(main())
