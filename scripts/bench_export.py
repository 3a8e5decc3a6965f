"""Exporting a campaign's recipients: seconds and peak memory, CSV and XLSX, on each database.

SQL writes a campaign of so many messages, with merge values, reports, costs, a contact each. Each export runs in a
process of its own with the same code as the worker's and the command's, and starts with empty caches.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
FORMATS = ("csv", "xlsx")
BATCH = 1000
GOAL_SECONDS = 60.0  # for a million rows

CONTACTS = """
INSERT INTO messaging_contact
  (id, number, name, email, country, language, attributes, source, validity, time_zones, created_at, updated_at)
SELECT n, CAST(919000000000 + n AS text), 'Contact ' || n, '', 'IN', 'en', '{{}}', '', 'valid', '',
  {now}, {now} FROM {series}
"""
BATCHES = """
INSERT INTO messaging_batch
  (id, campaign_id, first_message_id, last_message_id, size, state, attempt, token, claimed_at, waits_for,
   queued, suppressed, cancelled, unknown, rejected, accepted, expired, undelivered, delivered, segments, checks)
SELECT n, 1, (n - 1) * 1000 + 1, n * 1000, 1000, 'settled', 1, '', {now}, '', 0, 0, 0, 0, 0, 0, 0, 0, 1000, 1000, 0
FROM {series}
"""
MESSAGES = """
INSERT INTO messaging_message
  (id, campaign_id, batch_id, contact_id, number, country, merge_values, state, segments, attempt, gateway_id,
   settled_at, reported_at, report_source, reason, evidence, billed_segments, pay_micros, currency)
SELECT n, 1, (n - 1) / 1000 + 1, n, CAST(919000000000 + n AS text), 'IN', {values},
  CASE WHEN n % 10 = 0 THEN 60 ELSE 70 END,
  1, 1, CAST(100000000000 + n AS text), {settled}, {reported}, 'push',
  CASE WHEN n % 10 = 0 THEN 'absent subscriber' ELSE '' END,
  'settled by push: ' || n, 1, 2500 + n % 5 * 100, 'USD' FROM {series}
"""
DIALECTS = {
    "sqlite": {
        "now": "'2026-03-01 12:00:00.123456'",
        "settled": "datetime('2026-03-01 12:00:00', '+' || (n / 1000) || ' seconds')",
        "reported": "datetime('2026-03-01 12:00:00', '+' || (n * 7919 % 86400) || ' seconds')",
        "series": "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows}) SELECT n FROM s)",
        "values": """'{{"name": "Contact ' || n || '", "city": "Pune"}}'""",
    },
    "postgresql": {
        "now": "'2026-03-01 12:00:00.123456+00'::timestamptz",
        "settled": "'2026-03-01 12:00:00+00'::timestamptz + (n / 1000) * interval '1 second'",
        "reported": "'2026-03-01 12:00:00+00'::timestamptz + (n::bigint * 7919 % 86400) * interval '1 second'",
        "series": "generate_series(1, {rows}) AS s(n)",
        "values": """('{{"name": "Contact ' || n || '", "city": "Pune"}}')::jsonb""",
    },
}


def main() -> int:
    options = arguments()
    if options.fill:
        fill(options.rows)
        return 0
    if options.measure:
        print(json.dumps(measure(options.measure, options.folder)))
        return 0
    slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="bench-export-", dir=options.folder) as scratch:
        folder = Path(scratch)
        for name, url in databases(options, folder):
            child(url, folder, "--fill", "--rows", str(options.rows))
            for file_format in FORMATS:
                found = json.loads(child(url, folder, "--measure", file_format, "--folder", str(folder)))
                print(
                    f"{name:<11} {file_format:<5} {found['rows']:>9,} rows in {found['seconds']:.1f} s, "
                    f"{found['processor']:.1f} s of it on a processor; {found['size'] / 2**20:.0f} MB; memory "
                    f"{found['before']:.0f} MB before, {found['peak']:.0f} MB at most",
                    flush=True,
                )
                slowest = max(slowest, found["seconds"] * 1_000_000 / found["rows"])
    print(f"a million rows take {slowest:.0f} s at most, to stay under {GOAL_SECONDS:.0f}")
    return 0 if slowest < GOAL_SECONDS else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="a multiple of a thousand")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--postgresql", default="postgres://postgres@127.0.0.1:5432/laaffic_bench_export")
    parser.add_argument("--folder", type=Path, help="where database and files lie while it runs")
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", choices=FORMATS, help=argparse.SUPPRESS)
    return parser.parse_args()


def databases(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, str]]:
    if options.database in (None, "sqlite"):
        yield "sqlite", f"sqlite:///{folder}/bench.sqlite3"
    if options.database in (None, "postgresql"):
        import psycopg

        server, _, database = options.postgresql.rpartition("/")
        try:
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f'DROP DATABASE IF EXISTS "{database}"')
                connection.execute(f'CREATE DATABASE "{database}"')
                yield "postgresql", options.postgresql
                connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        except psycopg.OperationalError as problem:
            print(f"postgresql: not measured ({str(problem).splitlines()[0]})")


def child(url: str, folder: Path, *arguments: str) -> str:
    environment = {"DATABASE_URL": url, "CONSOLE_VAR_DIR": str(folder), "REDIS_URL": "", "LOG_LEVEL": "WARNING"}
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return done.stdout


def set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import django

    django.setup()


def fill(rows: int) -> None:
    set_up()
    from django.core.management import call_command
    from django.db import connection

    from laaffic_console.gateway.models import Application
    from messaging.models import Campaign

    call_command("migrate", verbosity=0)
    application = Application.objects.create(app_id="bench", channel="sms")
    text = "Hello {{name}} from {{city}}"
    Campaign.objects.create(pk=1, name="Bench", application=application, text=text, total=rows, state="finished")
    words = DIALECTS[connection.vendor]
    with connection.cursor() as cursor:
        for statement, count in ((CONTACTS, rows), (BATCHES, rows // BATCH), (MESSAGES, rows)):
            series = words["series"].format(rows=count)
            cursor.execute(statement.format(**(words | {"series": series, "values": words["values"].format()})))
        cursor.execute("ANALYZE")


def measure(file_format: str, folder: Path) -> dict[str, float]:
    """Measure in the child process, so that its peak of memory is its own."""
    set_up()
    from laaffic_console.exporting import kinds
    from laaffic_console.exporting.services import making

    path = folder / f"recipients.{file_format}"
    before = peak_memory()
    started, processor = time.perf_counter(), time.process_time()
    rows = making.write_to(path, kinds.named("campaign recipients"), {"campaign": 1})
    seconds = time.perf_counter() - started
    return {
        "rows": rows,
        "seconds": seconds,
        "processor": time.process_time() - processor,
        "size": path.stat().st_size,
        "before": before,
        "peak": peak_memory(),
    }


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
