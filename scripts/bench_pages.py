"""Time and queries of every page and list of a console with much history, compared with one that has little.

Two consoles on each database, a small one and a large one (scripts/fill.py, fill_rest.py), each behind Django's test
client in a process of its own; every address that the resolver knows is requested from both, alternating, as an
administrator: each list with its second page, filters, orders and search, each object's page, and the parts that load
separately. New pages are included automatically. Goals: at most 1.2 times the small one's time, under 100 ms, the same
number of queries.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

SMALL = (10_000, 10_000)  # messages, contacts
CAMPAIGNS = 100
RATIO, LIMIT = 1.2, 100.0  # large to small; ms
NOISE = 4.0  # ms that two runs of one page differ by
STATEMENT = 400  # shown characters of the slowest statement
# Files, actions, and the standard page of changes made by hand.
NO_PAGES = (
    "export/",
    "recipients/",
    "file/",
    "bad-rows",
    "dossier",
    "bundle",
    "/content/",
    "/hooks/",
    "/api/",
    "logout",
    "login",
    "/history/",
)


def main() -> int:
    options = arguments()
    if options.serve:
        return serve(options)
    missed = 0
    for database in [options.database] if options.database else ["sqlite", "postgresql"]:
        missed += measure(database, options)
    return 1 if missed and options.strict else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--contacts", type=int, default=2_000_000)
    parser.add_argument("--pairs", type=int, default=5, help="times that a page which misses is asked of both")
    parser.add_argument("--only", default="", help="addresses with this in them")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--postgresql", default="postgres://postgres@127.0.0.1:5432/laaffic_bench_pages")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="fill them once, and use them again the next time")
    parser.add_argument("--strict", action="store_true", help="exit 1 where a page misses its goal")
    parser.add_argument("--all", action="store_true", help="print every page, not the thirty worst")
    parser.add_argument("--serve", metavar="SIZE", help=argparse.SUPPRESS)
    return parser.parse_args()


# One console


class Console:
    """A process with a database of its own, asked through a pipe."""

    def __init__(self, size: str, url: str, options: argparse.Namespace) -> None:
        messages, contacts = (options.messages, options.contacts) if size == "large" else SMALL
        self.var = str(options.keep / f"var-{size}") if options.keep else tempfile.mkdtemp(prefix="bench-var-")
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", size, f"--messages={messages}", f"--contacts={contacts}"],
            env={**os.environ, "DATABASE_URL": url, "CONSOLE_VAR_DIR": self.var, "REDIS_URL": "", "LOG_LEVEL": "ERROR"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def told(self) -> Any:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("="):
                return json.loads(line[1:])
            print(line, end="", flush=True)
        raise SystemExit("The console that was measured ended.")

    def ask(self, address: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(address + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = self.told()
        return answer


def serve(options: argparse.Namespace) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)  # about refused and missing pages
    made = filled(options)
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(raise_request_exception=False)
    client.force_login(User.objects.filter(is_superuser=True)[0])
    tell(list(addresses(client, made)))
    for line in sys.stdin:
        tell(asked(client, line.strip()))
    return 0


def tell(what: Any) -> None:
    print("=" + json.dumps(what), flush=True)


def filled(options: argparse.Namespace) -> dict[str, Any]:
    """The rows whose pages are requested, by label; an empty database is filled first."""
    import fill
    import fill_rest
    from django.apps import apps
    from django.conf import settings
    from django.contrib import admin
    from django.core.management import call_command

    from messaging.models import Contact
    from messaging.services.contacts import name_index

    admin.autodiscover()
    settings.ALLOWED_HOSTS = ["*"]
    kept = Path(settings.VAR_DIR) / "made.json"
    call_command("migrate", verbosity=0)
    if Contact.objects.exists():
        if not kept.exists():
            raise SystemExit(
                f"Filling {settings.DATABASES['default']['NAME']} was broken off: remove it and {kept.parent}."
            )
        pks = json.loads(kept.read_text())
        return {label: apps.get_model(label)._base_manager.get(pk=pk) for label, pk in pks.items()}
    began = time.monotonic()
    size = max(1, options.messages // CAMPAIGNS)
    fill.fill(options.messages, options.contacts, min(size, options.contacts))
    made = fill_rest.fill_rest(options.messages)
    while name_index.is_waiting():
        name_index.index_waiting()
    kept.write_text(json.dumps({label: row.pk for label, row in made.items()}))
    seconds = time.monotonic() - began
    print(f"{options.messages:,} messages, {options.contacts:,} contacts and the rest in {seconds:.0f} s", flush=True)
    return made


def asked(client: Any, address: str) -> dict[str, Any]:
    """The server's time for one page, its queries, and the slowest of them.

    The time is this process's own, plus its waits for a database in another process: other work of the machine makes a
    page slower by the clock, which says nothing about the page.
    """
    from django.db import connection

    statements: list[tuple[float, str]] = []
    waited = 0.0

    def seen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal waited
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            took, spent = time.perf_counter() - wall, time.process_time() - cpu
            statements.append(((took if is_away else spent) * 1000, sql))
            waited += max(0.0, took - spent) * is_away

    is_away = connection.vendor != "sqlite"
    cpu = time.process_time()
    with connection.execute_wrapper(seen):
        response = client.get(address)
        _body = b"".join(response.streaming_content) if response.streaming else response.content
    slowest = max(statements, default=(0.0, ""))
    return {
        "ms": (time.process_time() - cpu + waited) * 1000,
        "queries": len(statements),
        "status": response.status_code,
        "slowest": [round(slowest[0], 1), slowest[1]],
    }


# The requested addresses


def addresses(client: Any, made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, address): names are the same in each console, though the ids in the addresses differ."""
    import fill_rest
    from django.contrib import admin

    doors = fill_rest.all_doors()
    for route in doors.routes():
        for address in doors.addresses(route, made):
            if not any(part in f"/{address}" for part in NO_PAGES):
                yield f"/{route}" + (f" {address}" if route in doors.CHOICES else ""), f"/{address}"
    for name, address in drafts():
        yield name, address
    for typed in ("9198000", "0012", "Contact 12", "ontact", "nobody at all", "person@"):
        yield f"/admin/search/ {typed!r}", f"/admin/search/?q={typed}"
    for model, model_admin in admin.site._registry.items():
        yield from list_addresses(client, model, model_admin, made)


def drafts() -> Iterator[tuple[str, str]]:
    """The pages before a launch to everyone."""
    from laaffic_console.gateway.models import Application
    from messaging.models import Campaign, CampaignState, ContactGroup
    from messaging.services.campaigns import drafts

    draft = Campaign.objects.filter(state=CampaignState.DRAFT, name="To everyone").first() or drafts.create(
        name="To everyone",
        application=Application.objects.get(app_id="filled"),
        sender_id="SHOP",
        text="Your parcel has arrived.",
        groups=[ContactGroup.objects.get(name="everyone")],
    )
    for part in ("review/", "change/"):
        yield f"/admin/messaging/campaign/<draft>/{part}", f"/admin/messaging/campaign/{draft.pk}/{part}"


def list_addresses(client: Any, model: Any, model_admin: Any, made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Addresses of a list: its second page, each order, each filter's first and last choice, searches."""
    from laaffic_console.kit.lists.changelists import changelist_of

    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    response = client.get(base)
    changelist = changelist_of(response)
    if changelist is None:
        return
    columns = enumerate(changelist.list_display)
    variants = ["p=2", *(f"o={at}" for at, column in columns if changelist.get_ordering_field(column))]
    for spec in changelist.filter_specs:
        queries = [choice.get("query_string", "") for choice in spec.choices(changelist)]
        variants += [query.lstrip("?") for query in dict.fromkeys(queries[1:2] + queries[-1:]) if query.strip("?")]
    if changelist.search_fields:
        variants += ["q=9198000", "q=zzzq", "q=" + str(searched(model_admin, made.get(model._meta.label_lower)))]
    for variant in dict.fromkeys(variants):
        yield f"{base}?{variant}", f"{base}?{variant}"


def searched(model_admin: Any, row: Any) -> object:
    """The value of the first column that is searched."""
    found = row
    for part in model_admin.search_fields[0].lstrip("=^@").split("__"):
        found = getattr(found, part, "")
    return found


# Both consoles


@dataclass
class Page:
    name: str
    small: list[float] = field(default_factory=list)
    large: list[float] = field(default_factory=list)
    queries: tuple[int, int] = (0, 0)
    slowest: tuple[float, str] = (0.0, "")

    @property
    def ratio(self) -> float:
        """Ratio of the best times: other work of the machine makes a page slower, never faster."""
        return min(self.large) / min(self.small)

    @property
    def grows(self) -> bool:
        return self.ratio > RATIO and min(self.large) - min(self.small) > NOISE

    @property
    def misses(self) -> list[str]:
        found = ["slower"] if self.grows else []
        if min(self.large) > LIMIT:
            found.append("over 100 ms" if min(self.small) < LIMIT else "over 100 ms, small too")
        if self.queries[1] > self.queries[0]:
            found.append("more queries")
        return found

    @property
    def badness(self) -> float:
        return max(self.ratio / RATIO, min(self.large) / LIMIT) + 10 * bool(self.misses)


def measure(database: str, options: argparse.Namespace) -> int:
    consoles = [Console(size, url, options) for size, url in urls(database, options)]
    (small, large), (names, others) = consoles, [dict(console.told()) for console in consoles]
    pages = []
    for name in [name for name in names if name in others and options.only in name]:
        page = compared(name, (small, names[name]), (large, others[name]), options.pairs)
        if page is None:
            continue
        pages.append(page)
        if page.misses:
            print(line(page), flush=True)
    for console in consoles:
        console.process.terminate()
    return report(database, pages, options)


def urls(database: str, options: argparse.Namespace) -> list[tuple[str, str]]:
    folder = options.keep or Path(tempfile.mkdtemp(prefix="bench-pages-"))
    folder.mkdir(parents=True, exist_ok=True)
    if database == "sqlite":
        return [(size, f"sqlite:///{folder.absolute()}/{size}.sqlite3") for size in ("small", "large")]
    import psycopg

    server, name = options.postgresql.rsplit("/", 1)
    found = [(size, f"{server}/{name}_{size}") for size in ("small", "large")]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        for size, _url in found:
            if not options.keep:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}_{size}"')
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [f"{name}_{size}"]).fetchone()
            if row is None:
                connection.execute(f'CREATE DATABASE "{name}_{size}"')
    return found


def sizes(options: argparse.Namespace) -> list[tuple[int, int]]:
    return [(options.messages, options.contacts), SMALL]


def compared(name: str, small: tuple[Console, str], large: tuple[Console, str], pairs: int) -> Page | None:
    """The comparison, None if there is no page; repeated if the large one seems slower, as that may be chance."""
    page = Page(name)
    while not page.small or (page.grows and len(page.small) < pairs):
        little, much = small[0].ask(small[1]), large[0].ask(large[1])
        if (little["status"], much["status"]) != (200, 200):
            if 500 in (little["status"], much["status"]):
                print(f"{name}: {little['status']}, {much['status']}", flush=True)
            return None
        page.small.append(little["ms"])
        page.large.append(much["ms"])
        page.queries = (little["queries"], much["queries"])
        page.slowest = (much["slowest"][0], much["slowest"][1])
    return page


def report(database: str, pages: list[Page], options: argparse.Namespace) -> int:
    missed = [page for page in pages if page.misses]
    large, small = (f"{messages:,} messages, {contacts:,} contacts" for messages, contacts in sizes(options))
    print(f"\n{database}: {large}; small: {small}")
    print(f"{'small':>8} {'large':>8} {'ratio':>6}  queries  page (medians in ms; the ratio is of the best)")
    for page in sorted(pages, key=lambda page: -page.badness)[: None if options.all else max(30, len(missed))]:
        print(line(page))
    print(f"{len(pages)} pages, {len(missed)} miss a goal", flush=True)
    return len(missed)


def line(page: Page) -> str:
    median = statistics.median
    said = (
        f"{median(page.small):>8.1f} {median(page.large):>8.1f} {page.ratio:>6.2f}"
        f"  {page.queries[0]:>3} {page.queries[1]:>3}  {page.name}  {', '.join(page.misses)}"
    )
    if page.misses and page.slowest[0] > NOISE:
        said += f"\n{'':>36}{page.slowest[0]} ms: {page.slowest[1][:STATEMENT]}"
    return said


if __name__ == "__main__":
    sys.exit(main())
