"""Incoming pushes: how many per second the web process takes, how many reports are applied, and whether memory grows.

In one run on each database, on the web server as deployed: POSTs of one delivery report each, alternating with POSTs to
a view that does nothing; then a campaign's reports, as bodies of `--per-body`, applied by the job that drains the
inbox; then `--pages` requests (pages and pushes), and the memory of the web processes before and after them.

    scripts/bench_pushes.py --requests 4000 --reports 200000 --pages 10000
"""

import argparse
import dataclasses
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import bench  # noqa: E402
import goal_table  # noqa: E402

from laaffic_console.rehearsal.installations.processes import Processes, free_port, wait_until  # noqa: E402

PUSH_TOKEN = "a-token-of-the-bench"
CLIENTS = 8
FLAT = 1.05  # ratio up to which memory counts as not grown
NOTHING = """
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from laaffic_console.urls import *


@csrf_exempt
def nothing(request):
    request.body  # else the server closes the connection
    return HttpResponse(status=204)


urlpatterns = [path("nothing/", nothing), *urlpatterns]
"""
SETTINGS = """
from laaffic_console.settings import *

ROOT_URLCONF = "bench_urls"
"""
PAGES = ("/admin/", "/admin/messaging/campaign/", "/admin/messaging/contact/", "/admin/messaging/message/")


def main() -> int:
    options = arguments()
    if options.apply:
        print(json.dumps(applied(options.apply, options.reports, options.per_body)))
        return 0
    for name, url in bench.databases(options):
        with tempfile.TemporaryDirectory(prefix="bench-pushes-") as folder:
            report(name, url, Path(folder), options)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--reports", type=int, default=200_000)
    parser.add_argument("--per-body", type=int, default=500)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--postgresql", default="postgres://postgres@127.0.0.1:5432/laaffic_bench")
    parser.add_argument("--apply", help=argparse.SUPPRESS)
    return parser.parse_args()


def report(name: str, url: str, folder: Path, options: argparse.Namespace) -> None:
    environment = environment_of(url, folder)
    port = int(environment["CONSOLE_BIND"].rpartition(":")[2])
    manage(environment, "migrate", "--verbosity", "0")
    processes = Processes(folder, environment)
    try:
        processes.start("web", ["-m", "laaffic_console", "web"])
        wait_until(lambda: is_up(port), "a web process", 60)
        said = intake(name, port, options)
        print(f"{name:<11}pushes taken: {said}", flush=True)
        cookie = signed_in(environment)
        print(f"{name:<11}web processes: {growth(name, port, cookie, options.pages)}", flush=True)
    finally:
        processes.end()
    [rates] = [in_process(again, options) for same, again in bench.databases(options) if same == name]
    is_met = goal_table.held(name, "reports applied a second", rates[:1], 60_000)
    floor = f"the same columns of the same rows written with nothing around it {rates[1]:,.0f}"
    print(f"{name:<11}reports applied: {rates[0]:,.0f} a second, {floor}, {is_met}", flush=True)


def environment_of(url: str, folder: Path) -> dict[str, str]:
    (folder / "bench_urls.py").write_text(NOTHING)
    (folder / "bench_settings.py").write_text(SETTINGS)
    port = free_port()
    return {
        **os.environ,
        "PYTHONPATH": f"{folder}:{ROOT}",
        "DJANGO_SETTINGS_MODULE": "bench_settings",
        "CONSOLE_VAR_DIR": str(folder),
        "DATABASE_URL": url,
        "REDIS_URL": "",
        "CONSOLE_URL": f"http://127.0.0.1:{port}",
        "CONSOLE_BIND": f"127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DEBUG": "",
        "LOG_LEVEL": "WARNING",
        "LAAFFIC_API_KEY": bench.KEY,
        "LAAFFIC_API_SECRET": bench.SECRET,
        "LAAFFIC_PUSH_TOKENS": PUSH_TOKEN,
    }


def manage(environment: dict[str, str], *words: str, told: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "laaffic_console", *words],
        env=environment,
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def is_up(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
    except OSError:
        return False
    return True


def intake(name: str, port: int, options: argparse.Namespace) -> str:
    """Median and range of the ratios, and the medians themselves."""
    push = f"/hooks/{PUSH_TOKEN}/sms-report/"
    bodies = [json.dumps(report_of(str(10**18 + n), str(919800000000 + n), "nobody")) for n in range(options.requests)]
    posted(port, push, bodies[:200]), posted(port, "/nothing/", bodies[:200])  # so that work done only once is done
    pairs = [(posted(port, "/nothing/", bodies), posted(port, push, bodies)) for _ in range(options.pairs)]
    ratios = [pushed / empty for empty, pushed in pairs]
    empty, pushed = (statistics.median(column) for column in zip(*pairs, strict=True))
    is_met = goal_table.held(name, "pushes taken, to a view that does nothing", ratios, 0.7)
    return (
        f"{pushed:,.0f} a second, a view that does nothing {empty:,.0f}, "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}), {is_met}"
    )


def posted(port: int, path: str, bodies: Sequence[str]) -> float:
    """Requests per second, over connections that stay open."""

    def post(mine: Sequence[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for body in mine:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 204), answer.status
        connection.close()

    return len(bodies) / together(post, [bodies[n::CLIENTS] for n in range(CLIENTS)])


def together(act: Callable[[Any], None], parts: Sequence[Any]) -> float:
    """Seconds for all parts, in threads."""
    began = time.perf_counter()
    with ThreadPoolExecutor(len(parts)) as pool:
        list(pool.map(act, parts))  # raises errors of the threads here
    return time.perf_counter() - began


def signed_in(environment: dict[str, str]) -> str:
    made = manage(
        environment,
        *("shell", "--no-imports"),
        told="from django.contrib.auth.models import User\n"
        "from django.test import Client\n"
        "from laaffic_console.dashboard.models import TourTaken\n"
        "ada = User.objects.create_superuser('ada')\n"
        "TourTaken.objects.create(user=ada)\n"
        "client = Client()\n"
        "client.force_login(ada)\n"
        "print('; '.join(f'{name}={one.value}' for name, one in client.cookies.items()))\n",
    )
    return made.strip().splitlines()[-1]


def growth(name: str, port: int, cookie: str, pages: int) -> str:
    def ask(mine: range) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for n in mine:
            if n % 2:
                body = json.dumps(report_of(str(2 * 10**18 + n), str(919700000000 + n), "nobody"))
                connection.request(
                    "POST", f"/hooks/{PUSH_TOKEN}/sms-report/", body, {"Content-Type": "application/json"}
                )
            else:
                connection.request("GET", PAGES[n // 2 % len(PAGES)], headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        connection.close()

    def asked(count: int) -> list[int]:
        together(ask, [range(n, count, 4) for n in range(4)])
        return resident(port)

    first, last = asked(pages // 5), asked(pages)
    work = f"a web process after {pages:,} more requests, to its memory before"
    is_flat = goal_table.held(name, work, [sum(last) / sum(first)], FLAT, at_most=True)
    return f"{first} MB after {pages // 5:,} requests, {last} MB after {pages:,} more, {is_flat}"


def resident(port: int) -> list[int]:
    """Megabytes of each process of the web server."""
    ours = f"127.0.0.1:{port}"
    web = [one for one in psutil.process_iter(["environ"]) if (one.info["environ"] or {}).get("CONSOLE_BIND") == ours]
    return sorted(one.memory_info().rss // 2**20 for one in web if "shell" not in one.cmdline())


def report_of(gateway_id: str, number: str, order_id: str) -> dict[str, Any]:
    """A report "delivered", as the gateway pushes it (laaffic-api, report pushes)."""
    return {
        "msgid": gateway_id,
        "mobile": number,
        "status": "0",
        "orderId": order_id,
        "reason": "0",
        "timestamp": int(time.time() * 1000),
        "mcc": "404",
        "mnc": "-1",
        "pricedetail": {"pay": "0.0031", "currency": "USD", "chargeCnt": 1, "price": "0.0031"},
    }


def in_process(url: str, options: argparse.Namespace) -> list[float]:
    """Run in a process of its own, which sends a campaign first, so that there are messages to report on."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "CONSOLE_VAR_DIR": tempfile.mkdtemp(prefix="bench-var-"),
        "REDIS_URL": "",
        "LAAFFIC_API_KEY": bench.KEY,
        "LAAFFIC_API_SECRET": bench.SECRET,
        "LOG_LEVEL": "WARNING",
    }
    sandbox = subprocess.Popen(
        [sys.executable, "manage.py", "sandbox", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = bench.read_address(sandbox)
        child = subprocess.run(
            [
                *[sys.executable, __file__, "--apply", address, "--reports", str(options.reports)],
                *["--per-body", str(options.per_body)],
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
        raise SystemExit(child.stderr[-2000:])
    rates: list[float] = json.loads(child.stdout.strip().splitlines()[-1])
    return rates


def applied(address: str, reports: int, per_body: int) -> list[float]:
    """Reports per second, from the first stored body to the last applied; and rows per second of the bare UPDATE."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from laaffic_console.gateway.models import PushedBody, PushKind
    from laaffic_console.gateway.services.inbox import inbox
    from laaffic_console.kit.process import garbage
    from messaging.models import Message, MessageState
    from messaging.services.batches import answers
    from messaging.services.reports import report_pushes

    call_command("migrate", verbosity=0)
    numbers = [str(919800000000 + n) for n in range(reports)]
    bench.fill(numbers, "sms")
    bench.campaign_run(numbers, 4)
    while answers.anything_waiting():
        answers.write_waiting()
    sent = Message.objects.filter(state=MessageState.ACCEPTED).order_by("pk")
    rows = [report_of(gateway_id or "", number, "") for gateway_id, number in sent.values_list("gateway_id", "number")]
    for start in range(0, len(rows), per_body):
        inbox.store(kind=PushKind.SMS_REPORT, body=json.dumps(rows[start : start + per_body]), source=None)
    inbox_of_reports = dataclasses.replace(report_pushes.INBOX, linger=0)  # else the time it lingers counts
    garbage.look_seldom()  # as a worker does
    began = time.perf_counter()
    while PushedBody.objects.filter(applied_at=None).exists():
        inbox_of_reports.catch_up(3600)
    seconds = time.perf_counter() - began
    delivered = Message.objects.filter(state=MessageState.DELIVERED).count()
    assert delivered == len(rows) == reports, (delivered, len(rows))
    return [reports / seconds, bare_updates()]


def bare_updates() -> float:
    from django.db import transaction

    from messaging.models import Message
    from messaging.services.batches.bulk_writes import ALIKE_COLUMNS, write_same_reports

    messages = list(Message.objects.values_list("pk", "reported_at").order_by("pk"))
    same = Message.objects.order_by("pk").values(*ALIKE_COLUMNS)[0] | {"reason": "bare", "state": 60}
    began = time.perf_counter()
    for start in range(0, len(messages), 4000):
        pks, moments = zip(*messages[start : start + 4000], strict=True)
        with transaction.atomic():
            write_same_reports(pks, same, moments)
    return len(messages) / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
