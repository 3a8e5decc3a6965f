"""Importing contacts: the console's own route against a default `ModelResource`, on each database, in one run.

Both read the same kind of file: numbers of 40 countries, a sixth of them with spaces, 2 % that are none, 1 % twice.
The default resource checks no number and is measured on fewer rows, because its rate does not depend on their count;
its file stays in memory. “Without validation” is the console's own way, second process and all, with rows that are
taken as they are: no number is read and nothing is looked at, so countries and time zones stay empty. Each measurement
is a process of its own with an empty database; the two are run in turn and the ratio of each pair is quoted with its
spread, because the machine's own speed drifts.
"""

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import goal_table  # noqa: E402

TARGET = 60  # times the default resource
AT_LEAST = 20  # a lower ratio means that something is broken
RATE, AGAIN, UNCHECKED, MEMORY = 45_000, 1.5, 0.9, 130  # rows per second; of the first time; of no validation; MB
COUNTRIES = (
    "IN US GB DE FR ES IT PT NL BE CH AT PL CZ SE NO DK FI IE GR TR RU UA BR MX CO PE CL ZA NG KE EG MA PK BD ID VN TH "
    "MY PH"
)
HEADER = ["number", "name", "email", "language", "city", "company"]


def main() -> int:
    options = arguments()
    if options.measure == "clean without validation":
        clean_without_validation()
        return 0
    if options.measure:
        print(json.dumps(measure(options)))
        return 0
    with tempfile.TemporaryDirectory(prefix="bench-import-") as scratch:
        folder = Path(scratch)
        few = write_file(folder / "few.csv", options.default_rows)
        many = write_file(folder / "many.csv", options.rows)
        million = write_file(folder / "million.csv", options.memory_rows) if options.memory_rows else None
        print(f"default ModelResource on {options.default_rows:,} rows, the console on {options.rows:,}; rows a second")
        ratios = [compare(name, url, few, many, million, options) for name, url in databases(options, folder)]
    return 0 if all(ratio >= AT_LEAST for ratio in ratios) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--default-rows", type=int, default=5_000)
    parser.add_argument("--memory-rows", type=int, default=1_000_000, help="0: leave the big file out")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one")
    parser.add_argument("--postgresql", default="postgres://postgres@127.0.0.1:5432/laaffic_bench_import")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def databases(options: argparse.Namespace, folder: Path) -> Iterator[tuple[str, str]]:
    if options.database in (None, "sqlite"):
        yield "sqlite", f"sqlite:///{folder}/bench.sqlite3"
    if options.database in (None, "postgresql"):
        if problem := why_not(options.postgresql):
            print(f"postgresql: not measured ({problem})")
        else:
            yield "postgresql", options.postgresql


def why_not(url: str) -> str:
    import psycopg

    try:
        psycopg.connect(url.rpartition("/")[0] + "/postgres").close()
    except psycopg.OperationalError as problem:
        return str(problem).splitlines()[0]
    return ""


def compare(name: str, url: str, few: Path, many: Path, million: Path | None, options: argparse.Namespace) -> float:
    pairs = []
    for _ in range(options.pairs):
        default = in_child("default", name, url, few)
        pairs.append((default["rate"], in_child("console", name, url, many)["rate"]))
    ratios = [console / default for default, console in pairs]
    default_rate, console_rate = (statistics.median(column) for column in zip(*pairs, strict=True))
    is_met = goal_table.held(name, "import, to a default ModelResource", ratios, TARGET)
    print(
        f"{name:<11} default {default_rate:>8,.0f}  console {console_rate:>8,.0f}  ratio "
        f"{statistics.median(ratios):.1f} ({min(ratios):.1f}–{max(ratios):.1f}), {is_met}",
        flush=True,
    )
    print_unchecked(name, url, many, options.pairs)
    print_memory(name, url, many, million)
    return statistics.median(ratios)


def print_unchecked(name: str, url: str, many: Path, pairs: int) -> None:
    found = [
        (in_child("console", name, url, many)["rate"], in_child("unchecked", name, url, many)["rate"])
        for _ in range(pairs)
    ]
    checked, unchecked = (statistics.median(column) for column in zip(*found, strict=True))
    ratios = [one / other for one, other in found]
    is_fast = goal_table.held(name, "import, rows a second", [one for one, _other in found], RATE)
    is_met = goal_table.held(name, "import, to the same without validation", ratios, UNCHECKED)
    print(
        f"{name:<11} console {checked:>8,.0f} ({is_fast})  without validation {unchecked:>8,.0f}  ratio "
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}), {is_met}",
        flush=True,
    )


def print_memory(name: str, url: str, many: Path, million: Path | None) -> None:
    first = in_child("console", name, url, many)
    sizes, again = [(many, first)], in_child("again", name, url, many)
    if million is not None:
        sizes.append((million, in_child("console", name, url, million)))
    for _, found in sizes:
        is_met = goal_table.held(name, f"import of {found['rows']:,} rows, MB", [found["peak"]], MEMORY, at_most=True)
        print(
            f"{name:<11} {found['rows']:>9,} rows at {found['rate']:>8,.0f} a second: "
            f"{found['before']:.0f} MB before, {found['peak']:.0f} MB at most ({is_met}), the second process "
            f"{found['beside']:.0f} MB; CPU a row {found['cpu']:.1f} and {found['cpu_beside']:.1f} µs",
            flush=True,
        )
    is_met = goal_table.held(
        name, "import of the same file again, to the first time", [again["rate"] / first["rate"]], AGAIN
    )
    print(
        f"{name:<11} the same file again: {again['rate']:,.0f} a second, {again['unchanged']:,} unchanged; "
        f"{again['rate'] / first['rate']:.2f} times the first, {is_met}"
    )


def in_child(what: str, name: str, url: str, file: Path) -> dict[str, float]:
    if what not in ("again", "migrate"):
        make_empty(name, url)
        in_child("migrate", name, url, file)  # in a process of its own, as its memory is not the import's
    child = subprocess.run(
        [sys.executable, __file__, "--measure", what, "--file", str(file)],
        env={
            **os.environ,
            "DATABASE_URL": url,
            "CONSOLE_VAR_DIR": str(file.parent),
            "REDIS_URL": "",
            "LOG_LEVEL": "WARNING",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        raise SystemExit(f"{what} on {name}: {child.stderr[-2000:]}")
    found: dict[str, float] = json.loads(child.stdout)
    return found


def make_empty(name: str, url: str) -> None:
    if name == "sqlite":
        for ending in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + ending).unlink(missing_ok=True)
        return
    import psycopg

    server, _, database = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{database}"')
        connection.execute(f'CREATE DATABASE "{database}"')


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Measure in the child process, so that its peak of memory is its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "laaffic_console.settings")
    import django

    django.setup()
    from django.core.management import call_command

    if options.measure == "migrate":
        call_command("migrate", verbosity=0)
        return {}
    if options.measure == "unchecked":
        without_validation()
    before, cpu, started = peak_memory(), spent(), time.perf_counter()
    found = default_route(options.file) if options.measure == "default" else console_route(options.file)
    seconds, cpu_after = time.perf_counter() - started, spent()
    own, beside = ((after - at) * 1e6 / found["rows"] for at, after in zip(cpu, cpu_after, strict=True))
    return {
        **found,
        "before": before,
        "peak": peak_memory(),
        "rate": found["rows"] / seconds,
        "cpu": own,
        "cpu_beside": beside,
    }


def without_validation() -> None:
    """Take rows as they are in the file, unchecked, here and in the second process."""
    from messaging.files import cleaned_rows
    from messaging.files.contact_rows import CleanRow, RowCleaner

    def taken(self: RowCleaner, cells: Sequence[str]) -> CleanRow:
        number, name, email, language, city, company = cells
        return CleanRow(number[:15], "valid", name, email, "", "", language, {"city": city, "company": company})

    RowCleaner.clean = taken  # type: ignore[method-assign]
    cleaned_rows.PROCESS = (__file__, "--measure", "clean without validation")


def clean_without_validation() -> None:
    from messaging.files import cleaning_process

    without_validation()
    cleaning_process.main()


def spent() -> tuple[float, float]:
    """CPU seconds: of this process, and of its child processes that have ended."""
    found = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return found[0].ru_utime + found[0].ru_stime, found[1].ru_utime + found[1].ru_stime


def default_route(file: Path) -> dict[str, float]:
    from import_export.resources import ModelResource
    from tablib import Dataset

    from messaging.models import Contact

    class DefaultResource(ModelResource):
        class Meta:
            model = Contact
            import_id_fields = ["number"]

    dataset = Dataset().load(file.read_text(encoding="utf-8"), format="csv")
    DefaultResource().import_data(dataset)
    return {"rows": len(dataset)}


def console_route(file: Path) -> dict[str, float]:
    from messaging.services.imports import files as import_files
    from messaging.services.imports import imports

    beside = [0.0]
    job = import_files.open_path(file)
    imports.import_at_once(job, lambda _bytes: beside.append(memory_beside()))
    return {"rows": job.rows, "unchanged": job.unchanged, "beside": max(beside)}


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_beside() -> float:
    """The peak memory so far of the second process; after it has ended the system reports its parent's."""
    found = 0
    for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split():
        status = Path(f"/proc/{child}/status").read_text(encoding="ascii")
        found = max([found, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))])
    return found / 1024


def write_file(path: Path, rows: int) -> Path:
    chance = random.Random(rows)
    plans = number_plans()
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(HEADER)
        for index in range(rows):
            number = written_number(chance, plans, index if chance.random() >= 0.01 else chance.randrange(index + 1))
            person = f"Contact {index}"
            writer.writerow([number, person, f"contact{index}@example.com", "en", "Springfield", "Northwind Foods"])
    return path


def number_plans() -> list[tuple[str, int]]:
    """(first digits, how many digits follow) for the mobile numbers of forty countries."""
    import phonenumbers

    plans = []
    for region in COUNTRIES.split():
        found = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        assert found is not None
        digits = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)[1:]
        plans.append((digits[:-6], 6))
    return plans


def written_number(chance: random.Random, plans: list[tuple[str, int]], index: int) -> str:
    if chance.random() < 0.02:
        return chance.choice(["n/a", "12345", "9.19877E+11", "call the office"])
    beginning, tail = plans[index % len(plans)]
    number = beginning + str(index // len(plans)).zfill(tail)
    if chance.random() < 0.17:
        return f"+{number[:2]} {number[2:7]}-{number[7:]}"
    return number


if __name__ == "__main__":
    sys.exit(main())
