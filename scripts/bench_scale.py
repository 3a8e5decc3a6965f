"""A campaign to very many people: how soon its first request leaves, and whether memory and speed stay constant.

In one run on each database: a campaign to `--few` and one to `--many` contacts, each sent by a process of its own as a
worker's job does it (launched with its audience not frozen yet, after a campaign to one number), against a sandbox that
answers after `--latency` ms. Then a sequential loop of `requests.post` against 200 ms of latency, compared with one
sender and its connections.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import bench  # noqa: E402
import goal_table  # noqa: E402

if TYPE_CHECKING:
    from laaffic_console.gateway.models import Application

# Not the number of either campaign before, and so many that one-time work of a process does not count.
SLOW_MS, SLOW_RECIPIENTS = 200, 150_000


def main() -> int:
    options = arguments()
    if options.send:
        print(json.dumps(send_in_slices(options.send)))
        return 0
    for name, url in bench.databases(options):
        report_scale(name, url, options)
        report_overlap(name, url, options)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=100_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--latency", type=int, default=50)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--postgresql", default="postgres://postgres@127.0.0.1:5432/laaffic_bench_scale")
    parser.add_argument("--send", type=int, metavar="CAMPAIGN", help=argparse.SUPPRESS)
    return parser.parse_args()


def report_scale(name: str, url: str, options: argparse.Namespace) -> None:
    with installation(url, options.latency) as prepared:
        speeds = {}
        for count in (options.few, options.many):
            sent = prepared.campaign(count)
            speeds[count] = sent["recipients"] / sent["seconds"]
            is_soon = goal_table.held(
                name, f"{count:,} recipients: launch to first request, s", [sent["first"]], 0.15, at_most=True
            )
            is_small = goal_table.held(
                name, f"{count:,} recipients: the sender's MB", [sent["peak"]], 130, at_most=True
            )
            print(
                f"{name:<11}{count:>9,} recipients: first request {sent['first']:.2f} s after the launch ({is_soon}), "
                f"{speeds[count]:,.0f} a second, {sent['before']} MB before, {sent['peak']} MB at most ({is_small})",
                flush=True,
            )
        ratio = speeds[options.many] / speeds[options.few]
        is_met = goal_table.held(name, f"{options.many:,} recipients, to the speed at {options.few:,}", [ratio], 1.0)
        print(f"{name:<11}speed at {options.many:,} / at {options.few:,}: {ratio:.2f}, {is_met}", flush=True)


def report_overlap(name: str, url: str, options: argparse.Namespace) -> None:
    with installation(url, SLOW_MS) as prepared:
        numbers = [str(919800000000 + index) for index in range(SLOW_RECIPIENTS)]
        bare = bench.bare_loop(prepared.sandbox, numbers, 1)
        bench.forget(prepared.sandbox)
        sent = prepared.campaign(SLOW_RECIPIENTS)
        speed = sent["recipients"] / sent["seconds"]
        is_met = goal_table.held(name, f"{SLOW_MS} ms: one sender, to a sequential loop", [speed / bare], 3)
        print(
            f"{name:<11}gateway at {SLOW_MS} ms: sequential loop {bare:,.0f} a second, one sender {speed:,.0f}, "
            f"ratio {speed / bare:.1f}, {is_met}",
            flush=True,
        )


class installation:
    """A database, a sandbox, and contacts made in the database itself."""

    def __init__(self, url: str, latency: int, **settings: str) -> None:
        self.environment = {
            **os.environ,
            "DATABASE_URL": url,
            "CONSOLE_VAR_DIR": tempfile.mkdtemp(prefix="bench-var-"),
            "REDIS_URL": "",
            "LAAFFIC_API_KEY": bench.KEY,
            "LAAFFIC_API_SECRET": bench.SECRET,
            "LOG_LEVEL": "WARNING",
            **settings,
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "sandbox", "--port", "0", "--latency", str(latency)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.sandbox = bench.read_address(self.process)
        self.environment["LAAFFIC_BASE_URL"] = f"{self.sandbox}/v3"

    def __enter__(self) -> Self:
        self.child("from django.core.management import call_command as c; c('migrate', verbosity=0)")
        return self

    def __exit__(self, *problem: object) -> None:
        self.process.terminate()
        self.process.wait()

    def child(self, code: str) -> str:
        set_up = "import django; django.setup(); "
        done = subprocess.run(
            [sys.executable, "-c", set_up + code],
            cwd=ROOT,
            env={**self.environment, "DJANGO_SETTINGS_MODULE": "laaffic_console.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        return done.stdout.strip()

    def campaign(self, count: int) -> dict[str, float]:
        """Launch to `count` contacts and send from a process of its own, as a worker would."""
        campaign = self.child(f"{_IMPORT}; bench_scale.prepare({count})")
        done = subprocess.run(
            [sys.executable, __file__, "--send", campaign],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
        result: dict[str, float] = json.loads(done.stdout)
        return result


_IMPORT = f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r}); import bench_scale"


def prepare(count: int) -> None:
    """Make a group of `count` new contacts, and a draft to it."""
    from django.db import connection

    from laaffic_console.gateway.models import Application
    from messaging.models import Contact, ContactGroup, GroupMembership
    from messaging.services.campaigns import drafts

    application = Application.objects.get_or_create(app_id=bench.APP_ID, defaults={"channel": "sms"})[0]
    group = ContactGroup.objects.create(name=f"{count} people")
    first = 919_000_000_000 + count * 10
    for start in range(0, count, 10_000):
        piece = range(first + start, first + min(start + 10_000, count))
        made = Contact.objects.bulk_create(Contact(number=str(number), country="IN") for number in piece)
        GroupMembership.objects.bulk_create(GroupMembership(contact=contact, group=group) for contact in made)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    campaign = drafts.create(name="scale", application=application, sender_id="S", text=bench.TEXT, groups=[group])
    print(campaign.pk)


def send_in_slices(campaign_id: int) -> dict[str, float]:
    """Launch, then run one job's slice after another until the campaign is over."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import django

    django.setup()
    from messaging.models import Campaign, CampaignState
    from messaging.services.campaigns import starting
    from messaging.services.sending import sending
    from messaging.services.tallies import counting

    send_to_one(Campaign.objects.get(pk=campaign_id).application)
    before = peak_mb()
    started = time.perf_counter()
    starting.launch(campaign_id)
    state: str = CampaignState.RUNNING
    while state == CampaignState.RUNNING:
        sending.send(campaign_id)
        state = Campaign.objects.values_list("state", flat=True).get(pk=campaign_id)
    seconds = time.perf_counter() - started
    campaign = Campaign.objects.get(pk=campaign_id)
    counts = counting.state_counts(campaign)
    assert counts["accepted"] == campaign.total, counts
    first = campaign.first_sent_at - campaign.launched_at if campaign.first_sent_at and campaign.launched_at else None
    assert first is not None
    return {
        "recipients": campaign.total,
        "seconds": seconds,
        "first": first.total_seconds(),
        "before": before,
        "peak": peak_mb(),
    }


def send_to_one(application: "Application") -> None:
    """Do the one-time work of a process, such as making its statements, which a worker has done before."""
    from messaging.services.campaigns import drafts, starting
    from messaging.services.sending import sending

    one = drafts.create(name="one", application=application, sender_id="S", text=bench.TEXT, numbers=["919999999999"])
    starting.launch(one.pk)
    sending.send(one.pk)


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
