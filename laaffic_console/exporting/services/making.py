"""Making the file of an export: by a worker under a lease, at once into an answer, or from the shell.

One export is made at a time, however many workers there are: the others go on sending. A file cannot be gone on with
in its middle, so the successor of a killed worker begins it again, and what the first had written is deleted.
"""

import hashlib
import json
import logging
import math
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from laaffic_console.exporting import kinds
from laaffic_console.exporting.kinds import Kind, NotExportable, Parameters, Row
from laaffic_console.exporting.models import IS_OPEN_EXPORT, Export
from laaffic_console.gateway.services.work import long_jobs, workers
from laaffic_console.gateway.services.work.leases import HeldLease
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.files import exports, private_files
from laaffic_console.kit.masking import masks
from laaffic_console.kit.words.people import username
from laaffic_console.kit.words.said import gettext as _

logger = logging.getLogger(__name__)

JOB = "laaffic_console.exporting.jobs.make_exports"
TASK_SECONDS = 3600  # a task's usual two minutes are too short for millions of rows on a busy machine
TRIES = 5
AT_ONCE = 10_000  # rows that are sent while they are read
ROWS_A_LOOK = 200
LOOK_SECONDS = 1.0
FOLDER = "exports"

State = Export.State


class Stopped(Exception):
    """Somebody cancelled it, or another worker has taken it over."""


class WorkerStops(Exception):
    """The worker was told to stop: another one begins it again."""


def folder() -> Path:
    return Path(settings.MEDIA_ROOT, FOLDER)


def ask(kind: Kind, parameters: Parameters, file_format: str, *, by: User) -> Export:
    """Have a worker make it; who asks again for what is being made is given that one."""
    export = _new(kind, parameters, file_format, by)
    waiting = Export.objects.filter(key=export.key, state__in=Export.OPEN, is_direct=False)
    if found := waiting.first():
        return found
    export.rows_expected = kind.expected(parameters)
    try:
        with transaction.atomic():
            export.save()
            exports.taken_away(kind.title(parameters), kind=file_format, n_rows=export.rows_expected)
            long_jobs.ring(JOB)
    except IntegrityError:  # two clicks in the same moment; the first may be over by now, and answers the second too
        return Export.objects.filter(key=export.key, is_direct=False).latest("pk")
    return export


def _new(kind: Kind, parameters: Parameters, file_format: str, by: User | None) -> Export:
    asked = json.dumps([kind.name, parameters, file_format, by.pk if by else None], sort_keys=True)
    return Export(
        kind=kind.name,
        parameters=parameters,
        title=kind.title(parameters),
        format=file_format,
        key=hashlib.sha256(asked.encode()).hexdigest(),
        asked_by=by,
        asked_by_name=username(by),
    )


def cancel(export_id: int) -> bool:
    """False when it was over already. Its worker sees it within a second and deletes what it has written."""
    waiting = Export.objects.filter(pk=export_id, state__in=Export.OPEN, is_direct=False)
    with transaction.atomic():
        if not waiting.update(state=State.CANCELLED, finished_at=timezone.now()):
            return False
        record(Act.CHANGED, Export.objects.get(pk=export_id), event=_("cancelled"))
    return True


def is_waiting() -> bool:
    return _waiting() is not None


def _waiting() -> Export | None:
    return Export.objects.filter(IS_OPEN_EXPORT, is_direct=False).order_by("pk").first()


def make_next() -> None:
    """The oldest that waits."""
    with long_jobs.turn(JOB) as held:
        if held is not None and (export := _waiting()) is not None:
            _make(export, held)


def _make(export: Export, held: HeldLease) -> None:
    taken = Export.objects.filter(pk=export.pk, state__in=Export.OPEN, tries=export.tries)
    if not taken.update(state=State.RUNNING, rows=0, started_at=timezone.now(), tries=F("tries") + 1):
        return
    _delete_files_of(export.pk)  # left by a killed worker; one that only lost its lease finishes nothing now
    mine = Export.objects.filter(pk=export.pk, state=State.RUNNING, tries=export.tries + 1)
    if export.tries >= TRIES:
        _fail(mine, held, _("The worker died %(n)s times while it made this file.") % {"n": TRIES})
        return
    path = folder() / f"{export.pk}-{secrets.token_hex(8)}.{export.format}"
    try:
        private_files.make_folder(folder())
        kind = _kind_allowed(export)
        export.has_whole_numbers = export.asked_by is not None and export.asked_by.has_perm(masks.SEE)
        export.has_names = kinds.may_see_contacts(export.asked_by)
        rows = _Counted(_rows(kind, export), _look(mine, held))
        _write(path, kind, export, rows)
        if not _finish(mine, export, path, rows.count):
            path.unlink(missing_ok=True)
    except Stopped:
        pass
    except WorkerStops:
        mine.update(state=State.QUEUED, tries=F("tries") - 1)
    except NotExportable as problem:
        _fail(mine, held, str(problem))
    except OSError as problem:
        _fail(mine, held, exports.why_not_written(problem, path))
    except DatabaseError:
        raise  # it passes: the sweep rings again
    except Exception as problem:
        logger.exception("export %s failed", export.pk)
        why = _("The console itself failed (%(name)s); its log says more. Tell the person who looks after it.")
        _fail(mine, held, why % {"name": type(problem).__name__})


def _kind_allowed(export: Export) -> Kind:
    """The kind, if its asker may still export it; else NotExportable. Rows are read by the rights of now."""
    kind = kinds.named(export.kind)
    asker = export.asked_by
    if asker is None or not asker.is_active or not asker.has_perms(kind.rights):
        raise NotExportable(_("The person who asked for it may no longer export this."))
    return kind


def _rows(kind: Kind, export: Export) -> Iterator[Row]:
    """The rows, masked unless the export has whole numbers: no request says here who looks."""
    rows = kind.rows(export.parameters, export.asked_by)
    return rows if export.has_whole_numbers else masks.masked_columns(rows)


def _write(path: Path, kind: Kind, export: Export, rows: "_Counted") -> None:
    if (write := kind.write) is None:
        exports.write_file(rows, path, str(export))
    else:
        exports.write_whole(
            path, lambda file: write(export.parameters, export.asked_by, cast(BinaryIO, _Watched(file, rows)), rows)
        )


def _look(mine: QuerySet[Export], held: HeldLease) -> Callable[[int], None]:
    def look(count: int) -> None:
        workers.beat()
        if workers.is_stopping():
            raise WorkerStops
        if not mine.update(rows=count) or not held.renew():
            raise Stopped

    return look


class _Counted:
    """Rows on their way into a file: how many there were, and a look at the world about once a second."""

    def __init__(self, rows: Iterator[Row], look: Callable[[int], None] = lambda count: None) -> None:
        self.rows, self.look = rows, look
        self.count = 0
        self.look_at = time.monotonic() + LOOK_SECONDS

    def __iter__(self) -> Iterator[Row]:
        for number, row in enumerate(self.rows):  # the header is 0
            yield row
            self.count = number
            if number % ROWS_A_LOOK == 0:
                self.look_when_due()

    def look_when_due(self) -> None:
        if time.monotonic() > self.look_at:
            self.look_at = math.inf  # when it says stop it says so once: an archive writes its end as it is closed
            self.look(self.count)
            self.look_at = time.monotonic() + LOOK_SECONDS


class _Watched:
    """The file of what is more than one list: its other parts are as long, and while they are written no row comes."""

    def __init__(self, file: BinaryIO, rows: _Counted) -> None:
        self.file, self.rows = file, rows

    def write(self, data: bytes) -> int:
        self.rows.look_when_due()
        return self.file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _finish(mine: QuerySet[Export], export: Export, path: Path, rows: int) -> bool:
    """False when it was cancelled, or taken over, while the last rows were written."""
    now = timezone.now()
    done = mine.update(
        state=State.FINISHED,
        rows=rows,
        size=path.stat().st_size,
        has_whole_numbers=export.has_whole_numbers,
        has_names=export.has_names,
        file_name=path.name,
        finished_at=now,
        expires_at=now + settings.EXPORT_KEPT,
    )
    return bool(done)


def _fail(mine: QuerySet[Export], held: HeldLease, problem: str) -> None:
    """Note the failure, but not where another worker has the lease by now, deletes files, and begins again."""
    if held.renew():
        mine.update(state=State.FAILED, problem=problem, finished_at=timezone.now())


def _delete_files_of(pk: int) -> None:
    for path in folder().glob(f"*{pk}-*"):
        if path.name.lstrip(".").startswith(f"{pk}-"):
            path.unlink(missing_ok=True)


# Without a worker


def direct(kind: Kind, parameters: Parameters, file_format: str, *, by: User | None) -> Iterator[Row]:
    """The rows for the waiting person, with a row that says who took what; it is written before the first of them."""
    export = _new(kind, parameters, file_format, by)
    rows = _Counted(kind.rows(parameters, by))
    _begin(export)
    return _recorded(export, rows)


def _begin(export: Export) -> None:
    export.is_direct, export.state, export.started_at = True, State.RUNNING, timezone.now()
    export.save()


def _recorded(export: Export, rows: _Counted) -> Iterator[Row]:
    with _record(export, rows):
        yield from rows


@contextmanager
def _record(export: Export, rows: _Counted) -> Iterator[None]:
    state, problem = State.CANCELLED, _("It was broken off before its end.")
    try:
        yield
        state, problem = State.FINISHED, ""
    finally:
        Export.objects.filter(pk=export.pk).update(
            state=state, problem=problem, rows=rows.count, finished_at=timezone.now()
        )


def write_to(path: Path, kind: Kind, parameters: Parameters) -> int:
    """Write the file for the shell; how many rows. OSError and NotExportable leave nothing under that name."""
    export = _new(kind, parameters, exports.format_of(path, kind.formats), None)
    rows = _Counted(kind.rows(parameters, None))
    _begin(export)
    exports.taken_away(str(path), what=kind.title(parameters), kind=export.format, n_rows=kind.expected(parameters))
    with _record(export, rows):
        _write(path, kind, export, rows)
    return rows.count
