"""A ZIP for people who help from outside: versions, settings, health, queue and errors, and nothing about a person.

What is in it is listed here, name by name: words of the console's own, figures and moments. No text that somebody has
typed, imported, received or set is copied, so a new column or setting cannot leak by being forgotten. Of an error there
is its kind and where in the code it came up; of what it said, nothing.
"""

import datetime as dt
import io
import json
import platform
import re
import shutil
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Count, Model, QuerySet
from django.utils import timezone, translation
from django_q.models import Failure

from laaffic_console.conf import PACKAGE_DIR, VAR_DIR
from laaffic_console.dashboard.health import health
from laaffic_console.exporting.models import Export
from laaffic_console.gateway.models import (
    IS_OPEN_ENTRY,
    EntryState,
    Lease,
    LedgerEntry,
    PushedBody,
    Trouble,
    WorkerHeartbeat,
)
from laaffic_console.gateway.services.account import account_hold
from laaffic_console.gateway.services.database import database_clock
from laaffic_console.kit.lists.paginator import COUNT_LIMIT, spanned
from laaffic_console.kit.registers import health_signs

LISTED = 200  # of each kind, the latest
COUNTED = 10_000  # beyond this "more than": counting on would take long

README = """\
Support bundle of the Laaffic console
=====================================

versions.json    Python, Django, packages, database, operating system
settings.json    figures and switches; of addresses, keys and tokens only whether or how many are set
checks.json      the ids of what "manage.py check --deploy" says; the sentences are in laaffic_console/checks/
health.json      database, queue, workers, the last sweep, the oldest thing due, room on the disk
queue.json       what waits: jobs, pushes, requests, batches, campaigns, imports, exports, by state
leases.json      which kinds of work are being done, until when
workers.json     heartbeats; the machines are numbered
migrations.json  which changes of the tables are not applied
errors.json      what failed lately: the kind of error and its place in the code, without what it said
tables.json      about how many rows each table has

There is no number, name, address, text, key or token in it. The log is not in it either: it goes to standard error, to
the journal under systemd, and can hold what this bundle must not.
"""

# Figures and switches; of a text that somebody sets freely there is only whether it is set.
FIGURES = (
    *("DEBUG", "SECRET_KEY_IS_OWN", "HTTPS", "USE_TZ", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"),
    *("SESSION_COOKIE_SECURE", "LAAFFIC_NUMBER_INFO_LIST", "LAAFFIC_TIMEOUTS", "LAAFFIC_LOST_AFTER_SECONDS"),
    *("LAAFFIC_CLOCK_SLACK_SECONDS", "LAAFFIC_RECIPIENTS_PER_CALL", "LAAFFIC_LEASE_SECONDS"),
    *("LAAFFIC_WORKER_STALE_SECONDS", "LAAFFIC_BALANCE_MINUTES", "PUSH_MAX_BYTES", "IMPORT_MAX_BYTES"),
    *("AUDIO_MAX_BYTES", "EXPORT_KEPT", "REPORT_WINDOW_HOURS", "LAAFFIC_CONFIRM_REPORTS", "LAAFFIC_ERROR_LIMIT"),
    *("LAAFFIC_LOST_ANSWERS", "LAAFFIC_LOST_ANSWERS_CAMPAIGNS", "LAAFFIC_LATEST_START_MINUTES"),
    *("LAAFFIC_APPROVAL_RECIPIENTS", "LAAFFIC_UNDO_SECONDS", "NUMBERS_SYNC_MINUTES", "VOICE_SYNC_MINUTES"),
    *(
        "REPLY_PULL_MINUTES",
        "OPT_OUT_EVERY_CHANNEL",
        "LAAFFIC_MARKETING_NEEDS_CONSENT",
        "LAAFFIC_DOUBLE_OPT_IN",
        "AXES_FAILURE_LIMIT",
    ),
    *(
        "SIGN_IN_ADDRESS_LIMIT",
        "AXES_COOLOFF_TIME",
        "CAN_TRY",
        "DATA_UPLOAD_MAX_MEMORY_SIZE",
        "FILE_UPLOAD_MAX_MEMORY_SIZE",
    ),
)
HOW_MANY = (
    *("ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "LAAFFIC_PUSH_TOKENS", "LAAFFIC_PUSH_SOURCES", "TRUSTED_PROXIES"),
    *(
        "LAAFFIC_PATHS",
        "OPT_OUT_WORDS",
        "OPT_IN_WORDS",
        "OPT_IN_CONFIRM_WORDS",
        "LANGUAGES",
        "INSTALLED_APPS",
        "MIDDLEWARE",
    ),
)
WHETHER_SET = (
    *("LAAFFIC_API_KEY", "LAAFFIC_API_SECRET", "LAAFFIC_BASE_URL", "LAAFFIC_BALANCE_CURRENCY", "CONSOLE_URL"),
    *("LAAFFIC_BALANCE_ALERT", "LAAFFIC_APPROVAL_COST", "REDIS_URL", "SECURE_PROXY_SSL_HEADER"),
)
QUEUE_FIGURES = ("workers", "timeout", "retry", "max_attempts", "ack_failures", "save_limit", "queue_limit", "bulk")

# How leases and troubles begin; what is behind can be anybody's.
# Beginnings of names; tests/dashboard/test_support_bundle.py finds any that is missing.
LEASES = (
    *("answers", "audio-upload", "balance", "consents", "contact names", "count", "drift", "email", "follow account"),
    *("forecast", "freeze", "hours", "import", "inbox", "long job", "mms-upload", "notices", "notices-mail"),
    *("numbers sync", "probe-account", "pull", "send", "sip-password", "sweep", "sweep rung", "swept", "undo"),
    *("voice sync", "webhooks"),
)
TROUBLES = (
    *("a row of", "budget counter", "call record", "cancelling of campaign", "canary of campaign"),
    *("deliveries of email campaign", "drift of campaign", "end of campaign", "end of email campaign"),
    *("end of group-call task", "giving back batch", "going on of campaign", "going on of email campaign"),
    *("group call", "hold of campaign", "hold of email campaign", "lost requests of campaign", "pool", "question"),
    *("replies of", "reply from", "report about", "reports of batch", "start of campaign", "start of email campaign"),
    *("start of group-call task", "the answer to batch", "webhook"),
)

_frame = re.compile(r'File "([^"\n]+)", line (\d+), in \S+')


def write(file: Any) -> None:
    """The bundle into a file that is open for bytes."""
    with translation.override("en"), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("README.txt", README)
        for name, said in parts():
            bundle.writestr(f"{name}.json", json.dumps(said, indent=1, default=_as_text))


def content() -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def name() -> str:
    return f"support-{timezone.localtime():%Y-%m-%d-%H%M}.zip"


def parts() -> Iterator[tuple[str, Any]]:
    """A part that cannot be had, because what it tells of is broken, says so and hides no other."""
    for make in (versions, settings_, checks_, health_, queue, leases, workers, migrations, errors, tables):
        try:
            said = make()
        except Exception as problem:
            said = {"failed": type(problem).__name__}
        yield make.__name__.rstrip("_"), said


def _as_text(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds")
    return value.total_seconds() if isinstance(value, dt.timedelta) else float(value)


def versions() -> dict[str, Any]:
    return {
        "made": timezone.now(),
        "python": platform.python_version(),
        "django": django.get_version(),
        "database": _database_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {
            str(package.metadata["Name"]): package.version
            for package in sorted(metadata.distributions(), key=lambda one: str(one.metadata["Name"]).lower())
        },
    }


def _database_version() -> str:
    if connection.vendor == "sqlite":
        return f"sqlite {sqlite3.sqlite_version}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')")
        return f"{connection.vendor} {int(cursor.fetchone()[0])}"


def settings_() -> dict[str, Any]:
    said: dict[str, Any] = {name: getattr(settings, name) for name in FIGURES if hasattr(settings, name)}
    said |= {f"{name}: how many": len(getattr(settings, name)) for name in HOW_MANY}
    said |= {f"{name}: set": bool(getattr(settings, name, None)) for name in WHETHER_SET}
    said |= {f"Q_CLUSTER {key}": value for key in QUEUE_FIGURES if _is_figure(value := settings.Q_CLUSTER.get(key))}
    said["TIME_ZONE: UTC"] = settings.TIME_ZONE == "UTC"
    said["LAAFFIC_BASE_URL: usual"] = settings.LAAFFIC_BASE_URL == "https://api.laaffic.com/v3"
    return said


def _is_figure(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float)


def checks_() -> list[dict[str, Any]]:
    found = checks.run_checks(include_deployment_checks=True)
    return [{"id": one.id, "level": one.level} for one in found if not one.is_silenced()]


def health_() -> dict[str, Any]:
    disk = shutil.disk_usage(VAR_DIR)
    return {
        "parts": [{"name": part.name, "is well": part.is_well, "says": part.says} for part in health.parts()],
        "disk": {"bytes free": disk.free, "bytes": disk.total},
        "the account is held": account_hold.wide_ones().exists(),
    }


def queue() -> dict[str, Any]:
    return {
        "pushes not applied": _about(PushedBody.objects.filter(applied_at=None)),
        "pushes with problems": _about(PushedBody.objects.filter(failed__gt=0)),
        "requests without an answer": _about(
            LedgerEntry.objects.filter(IS_OPEN_ENTRY.implied, state=EntryState.UNKNOWN)
        ),
        **{name: _by_state(model) for name, model in health_signs.counted().items()},
        "exports": _by_state(Export),
    }


def _about(rows: QuerySet[Any]) -> str:
    count = len(rows.order_by().values_list("pk", flat=True)[: COUNTED + 1])
    return str(count) if count <= COUNTED else f"more than {COUNTED}"


def _by_state(model: type[Model]) -> dict[str, int]:
    """The number of rows in each state of the model; all states that it does not name are counted together."""
    known = {str(value): str(value) for value, _label in model._meta.get_field("state").flatchoices}  # type: ignore[union-attr]
    counted: dict[str, int] = {}
    for state, count in model._default_manager.order_by().values_list("state").annotate(n=Count("pk")):
        key = known.get(str(state), "other")
        counted[key] = counted.get(key, 0) + count
    return counted


def leases() -> list[dict[str, Any]]:
    now = database_clock.now()
    rows = Lease.objects.order_by("-until")[:LISTED]
    return [
        {"kind": _kind(row.name, LEASES), "held": bool(row.token) and row.until >= now, "until": row.until}
        for row in rows
    ]


def _kind(name: str, known: tuple[str, ...]) -> str:
    """The longest beginning that is a word of ours."""
    starts = [one for one in known if name == one or name.startswith((f"{one}:", f"{one} "))]
    return max(starts, key=len, default="other")


def workers() -> list[dict[str, Any]]:
    rows = list(WorkerHeartbeat.objects.order_by("-started_at")[:LISTED])
    machines = {host: place for place, host in enumerate(dict.fromkeys(row.host for row in rows), 1)}
    return [
        {
            "machine": machines[row.host],
            "started": row.started_at,
            "last heartbeat": row.beat_at,
            "stopped": row.stopped_at,
            "restarts": row.restarts,
            "clock skew": row.clock_skew,
        }
        for row in rows
    ]


def migrations() -> dict[str, Any]:
    """The migrations of this version: how many of each app are applied, and which are not."""
    loader = MigrationLoader(connection)
    applied = loader.applied_migrations
    brought = sorted(loader.disk_migrations)
    return {
        "applied": {app: sum(key in applied for key in brought if key[0] == app) for app, _name in brought},
        "not applied": [".".join(key) for key in brought if key not in applied],
    }


def errors() -> dict[str, Any]:
    return {
        "troubles": [
            {
                "about": _trouble(row.name),
                "error": _kind_of_error(row.problem),
                "times": row.times,
                "first": row.first_at,
                "last": row.last_at,
            }
            for row in Trouble.objects.order_by("-last_at")[:LISTED]
        ],
        "failed jobs": [
            {"job": _job(row.func), "stopped": row.stopped, **_traceback(str(row.result or ""))}
            for row in Failure.objects.order_by("-stopped")[:LISTED]
        ],
    }


def _kind_of_error(said: str) -> str:
    """The name at its beginning, when it is that of an exception that this program knows."""
    named = re.match(r"[\w.]+", said)
    found = named[0].rpartition(".")[2] if named else ""
    return found if found in _exceptions(BaseException) else "other"


def _exceptions(of: type[BaseException]) -> set[str]:
    return {of.__name__}.union(*(_exceptions(one) for one in type.__subclasses__(of)))


def _jobs() -> dict[str, ModuleType]:
    """The modules of jobs, by their names; each has loaded what its sweeps do."""
    names = [f"{app.name}.jobs" for app in apps.get_app_configs()]
    return {name: import_module(name) for name in names if find_spec(name) is not None}


def _job(dotted: str) -> str:
    """A job that there is."""
    module, _dot, function = dotted.rpartition(".")
    return dotted if module in (jobs := _jobs()) and hasattr(jobs[module], function) else "other"


def _trouble(name: str) -> str:
    """What a trouble is about: a kind of row, or the step of a sweep that failed, by its name in code."""
    module, _dot, function = name.rpartition(".")
    is_ours = _jobs() and module.startswith(tuple(f"{app.name}." for app in apps.get_app_configs()))
    is_step = is_ours and callable(getattr(sys.modules.get(module), function, None))
    return name if is_step else _kind(name, TROUBLES)


def _traceback(said: str) -> dict[str, Any]:
    """The kind of error of the last line, and the program's and its packages' files with their lines."""
    frames = [f"{shown}:{line}" for path, line in _frame.findall(said) if (shown := _file(Path(path)))]
    lines = said.strip().splitlines() or [""]
    kinds = [kind for line in (lines[-1], lines[0]) if (kind := _kind_of_error(line)) != "other"]
    return {"error": kinds[0] if kinds else "other", "where": frames[-20:]}


def _file(path: Path) -> str:
    """The file's path below the program or its packages; "" for any other."""
    roots = [PACKAGE_DIR.parent, *(Path(one) for one in sys.path if one.endswith("site-packages"))]
    for root in sorted(roots, key=lambda one: -len(str(one))):
        if path.is_relative_to(root) and path.suffix == ".py" and path.is_file():
            return str(path.relative_to(root))
    return ""


def tables() -> dict[str, int]:
    """About how many rows each table has: PostgreSQL's estimate; on SQLite counted, or the highest row number."""
    names = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT relname, reltuples FROM pg_class WHERE relname = ANY(%s)", [names])
            return {name: max(0, int(rows)) for name, rows in sorted(cursor.fetchall())}
        found = {}
        for name in names:
            few = f'SELECT count(*) FROM (SELECT 1 FROM "{name}" LIMIT {COUNT_LIMIT + 1})'  # noqa: S608 - a model's own name
            cursor.execute(few)
            (found[name],) = cursor.fetchone()
            if found[name] > COUNT_LIMIT:
                found[name] = spanned(cursor, name)
        return found
