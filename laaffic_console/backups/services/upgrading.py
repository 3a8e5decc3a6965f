"""Upgrade from the version before, while campaigns run: pages are away for as long as the migrations take.

This version lies beside the running one, whose processes go on until everything has been looked at. The worker ends
first: what it has in hand is finished or left to its lease. Between the last old process and the first new one nothing
runs, so no code ever meets a database of another version. What takes long is done before: models are made, and the new
web process is loaded and waits (web_turn).
"""

import contextlib
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from laaffic_console.backups.services import alone, backing_up, migration_locks, ready_migrations, web_turn
from laaffic_console.backups.services.alone import Refused
from laaffic_console.backups.services.databases import CannotCopy
from laaffic_console.backups.services.ready_migrations import ReadyMigrations
from laaffic_console.gateway.services.work import workers
from laaffic_console.kit.files import exports
from laaffic_console.kit.words.figures import number

WORKERS_PATIENCE = workers.STALE_AFTER.total_seconds() + 15  # one that was killed says nothing, and goes stale
PAGES_PATIENCE = 90.0
ASK_EVERY = 0.1

_START_ALL = gettext_noop("The database is up to date: start web and workers of this version.")
_NOTHING_CHANGED = gettext_noop("The database is as it was: start the version before again.")

Tell = Callable[[str], None]
SYSTEMD = Path("/run/systemd/system")  # there where it runs, as sd_booted(3) says


@dataclass(frozen=True, slots=True)
class How:
    """Commands for a shell, "" where there is nothing to do; `address` is where pages are asked for."""

    stop_workers: str
    stop_web: str
    start_web: str
    start_workers: str
    address: str
    ready_web: str = ""  # begins a web process of this version beside the old one, where it waits
    backup: Path | None = None
    may_take_long: bool = False


@dataclass(frozen=True, slots=True)
class Away:
    """The seconds without pages, by their cause."""

    stopping: float
    migrating: float
    starting: float

    @property
    def seconds(self) -> float:
        return self.stopping + self.migrating + self.starting


@dataclass(frozen=True, slots=True)
class Upgraded:
    """`away` is None where pages did not answer before either."""

    migrations: int
    away: Away | None


class Halfway(Exception):
    """Something failed after web and workers were stopped: a sentence with what to do."""


def upgrade(how: How, tell: Tell) -> Upgraded:
    """Refused, CannotCopy or OSError: the database is as it was. Halfway: nothing runs; a sentence says what now.

    `tell` must not raise: from `stop_web` on nobody else would start what was stopped.
    """
    with alone.on_all_machines():
        tell(_("checking …"))
        _look_for_systemd(how)
        ready = _made_ready(may_take_long=how.may_take_long)
        if how.backup:
            tell(_("backup …"))
            _back_up(how.backup, tell)
        with ExitStack() as kept_waiting:
            kept_waiting.enter_context(web_turn.not_yet())
            if how.ready_web:
                tell(_("the new web process loads …"))
                _run(how.ready_web, Refused, _NOTHING_CHANGED)
                _wait_for_ready_web()
            tell(_("workers finish what they have in hand …"))
            with _told_as(Refused, _NOTHING_CHANGED):
                _run(how.stop_workers, Refused, _NOTHING_CHANGED)
                _wait_for_workers()
            return _change_over(how, ready, kept_waiting.close, tell)


def _look_for_systemd(how: How) -> None:
    """Refuse, before anything is stopped, where there is no systemd: the usual commands would fail one by one."""
    commands = (how.ready_web, how.stop_workers, how.stop_web, how.start_web, how.start_workers)
    if SYSTEMD.is_dir() or not any(command.startswith("systemctl ") for command in commands):
        return
    raise Refused(
        _(
            "systemd does not run on this machine. Say how its processes are stopped and started: --stop-workers, "
            '--stop-web, --start-web and --start-workers, each with a command, or with "" where you do it yourself. '
            "Nothing was stopped or changed."
        )
    )


def _back_up(path: Path, tell: Tell) -> None:
    try:
        backing_up.write(path, tell)
    except OSError as problem:
        raise CannotCopy(exports.why_not_written(problem, path)) from problem


def _change_over(how: How, ready: ReadyMigrations, let_web_begin: Callable[[], None], tell: Tell) -> Upgraded:
    with _told_as(Refused, _NOTHING_CHANGED):
        were_there = _answers(how.address)
        began = time.monotonic()
        _run(how.stop_web, Refused, _NOTHING_CHANGED)
        steps = len(ready.plan)
        tell(ngettext("%(n)s migration …", "%(n)s migrations …", steps) % {"n": number(steps)})
        stopped = time.monotonic()
    _migrate(ready)
    with _told_as(Halfway, _START_ALL):
        migrated = time.monotonic()
        tell(_("starting …"))
        let_web_begin()
        _run(how.start_web, Halfway, _START_ALL)
        are_there = not were_there or _come_back(how.address)
        came = time.monotonic()
        _run(how.start_workers, Halfway, _START_ALL)  # after the web process, which has the machine to itself to load
    if not are_there:
        said = _("The database is up to date, but %(address)s does not answer: look at the log of the web process.")
        raise Halfway(said % {"address": how.address})
    away = Away(stopped - began, migrated - stopped, came - migrated) if were_there else None
    return Upgraded(len(ready.plan), away)


def _come_back(address: str) -> bool:
    give_up_at = time.monotonic() + PAGES_PATIENCE
    while not _answers(address):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(ASK_EVERY)
    return True


def _made_ready(*, may_take_long: bool) -> ReadyMigrations:
    executor = MigrationExecutor(connection)
    ours = {config.label for config in apps.get_app_configs()}
    known = executor.loader.disk_migrations
    if strange := [key for key in executor.loader.applied_migrations if key[0] in ours and key not in known]:
        said = _("The database is of a newer version: it has %(migration)s. Install that version, or restore a backup.")
        raise Refused(said % {"migration": ".".join(strange[0])})
    pending = [migration for migration, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if not may_take_long and (long := migration_locks.in_pending(executor, pending)):
        said = _("These migrations go through large tables, and no page answers while they run: %(which)s. Add --long.")
        raise Refused(said % {"which": "; ".join(map(str, long))})
    return ready_migrations.made_ready(executor, pending)


def _wait_for_ready_web() -> None:
    give_up_at = time.monotonic() + PAGES_PATIENCE
    while not web_turn.somebody_waits():
        if time.monotonic() > give_up_at:
            said = _("The new web process does not say that it waits: look at its log. Nothing was stopped or changed.")
            raise Refused(said)
        time.sleep(ASK_EVERY)


def _wait_for_workers() -> None:
    give_up_at = time.monotonic() + WORKERS_PATIENCE
    while alive := list(workers.living().values_list("worker", flat=True)):
        if time.monotonic() > give_up_at:
            said = _("A worker still runs: %(workers)s. Stop it, then try again. Nothing has changed in the database.")
            raise Refused(said % {"workers": ", ".join(alive)})
        time.sleep(ASK_EVERY)


def _migrate(ready: ReadyMigrations) -> None:
    try:
        with web_turn.only_behind_this():
            ready.apply()
    # Whatever a migration meets, Ctrl-C too: web and workers are stopped, and somebody must be told.
    except (Exception, KeyboardInterrupt) as problem:
        said = _(
            "A migration failed: %(why)s. Web and workers are stopped. Fix that and run the upgrade again, which goes "
            "on there; or restore the backup with the version before."
        )
        raise Halfway(said % {"why": _why(problem)}) from problem


@contextlib.contextmanager
def _told_as(failed: type[Refused] | type[Halfway], then: str) -> Iterator[None]:
    """Raise whatever ends the upgrade here, Ctrl-C too, as `failed` with what to do: processes are stopped by now."""
    try:
        yield
    except (OSError, KeyboardInterrupt, Error) as problem:  # Error: of the database
        said = _("The upgrade has stopped: %(why)s.") % {"why": _why(problem)}
        raise failed(f"{said} {_(then)}") from problem


def _why(problem: BaseException) -> str:
    if isinstance(problem, KeyboardInterrupt):
        return _("it was interrupted")
    if isinstance(problem, Error):  # the database's words have several lines and a full stop
        return next(iter(str(problem).strip().splitlines()), type(problem).__name__).rstrip(".")
    return str(getattr(problem, "strerror", None) or problem)


def _run(command: str, failed: type[Refused] | type[Halfway], then: str) -> None:
    if not command:
        return
    done = subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - typed here
    if done.returncode:
        said = _("“%(command)s” ended with %(code)s.") % {"command": command, "code": done.returncode}
        raise failed(f"{said} {_(then)}")


def _answers(address: str) -> bool:
    """Whether a page of this console answers there."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/healthz", timeout=2) as answer:  # noqa: S310 - the operator's
            said: Any = answer.status
    except (OSError, ValueError):
        return False
    return bool(said == 200)
