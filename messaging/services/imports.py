"""Importing a file of contacts as a job that can be watched, cancelled, killed and gone on with."""

import csv
import datetime as dt
import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from laaffic_console.gateway.services import bell, leases, workers
from messaging import contact_files
from messaging.contact_files import ContactFile, Format, Row, UnreadableFile
from messaging.contact_rows import CleanRow, RowCleaner, RowError, escape_formula, guess_mapping
from messaging.models import BadRow, ContactGroup, ContactImport
from messaging.services import contact_writes

CHUNK = 1000
SLICE_SECONDS = 20.0
ERROR_COLUMNS = ["row", "column", "value", "reason"]

State = ContactImport.State


def receive(upload: "UploadedFile[Any]", *, group: ContactGroup | None, region: str, by: User | None) -> ContactImport:
    """Keep an uploaded file and look at how it is written; ValidationError says why it is no list of contacts."""
    if upload.size and upload.size > settings.IMPORT_MAX_BYTES:
        limit = settings.IMPORT_MAX_BYTES // 1024 // 1024
        raise ValidationError(
            _("The file is larger than %(limit)d MB. Split it and import the parts.") % {"limit": limit}
        )
    job = ContactImport(
        file_name=str(upload.name)[:200], size=upload.size or 0, group=group, region=region, created_by=by
    )
    job.file.save(f"{timezone.now():%Y%m%d-%H%M%S}.dat", upload, save=False)
    try:
        _look(job)
    except UnreadableFile as problem:
        job.file.delete(save=False)
        raise ValidationError(str(problem)) from problem
    job.save()
    return job


def open_path(path: Path, *, group: ContactGroup | None, region: str) -> ContactImport:
    """An import of a file where it lies, for the shell."""
    job = ContactImport(
        file=str(path.resolve()), file_name=path.name[:200], size=path.stat().st_size, group=group, region=region
    )
    _look(job)
    job.state = State.RUNNING
    job.started_at = timezone.now()
    job.save()
    return job


def path_of(job: ContactImport) -> Path:
    """An uploaded file lies in our storage; one imported from the shell lies where it was."""
    name = Path(str(job.file.name))
    return name if name.is_absolute() else Path(job.file.path)


def _look(job: ContactImport) -> None:
    written = contact_files.detect(path_of(job))
    job.encoding, job.delimiter = written.encoding, written.delimiter
    job.headers = written.headers
    job.mapping = guess_mapping(written.headers)


def start(job_id: int, *, mapping: dict[str, str]) -> bool:
    """Confirm the mapping and ring for a worker; a second click finds it started and changes nothing."""
    with transaction.atomic():
        started = ContactImport.objects.filter(pk=job_id, state=State.PREVIEW).update(
            state=State.QUEUED, mapping=mapping, started_at=timezone.now()
        )
        if started:
            bell.ring("messaging.jobs.run_contact_import", job_id)
    return bool(started)


def cancel(job_id: int) -> bool:
    """What has been imported stays, and the counts say how much that is."""
    open_states = [State.PREVIEW, State.QUEUED, State.RUNNING]
    return bool(
        ContactImport.objects.filter(pk=job_id, state__in=open_states).update(
            state=State.CANCELLED, finished_at=timezone.now()
        )
    )


def run(job_id: int) -> None:
    """A job's slice; the next one goes on behind the last committed chunk."""
    with leases.lease(f"import:{job_id}") as held:
        if held is None:
            return
        ContactImport.objects.filter(pk=job_id, state=State.QUEUED).update(state=State.RUNNING)
        job = ContactImport.objects.get(pk=job_id)
        if job.state != State.RUNNING:
            return
        give_up_at = time.monotonic() + SLICE_SECONDS

        def goes_on() -> bool:
            workers.beat()
            return time.monotonic() < give_up_at and held.renew()

        if not import_rows(job, goes_on=goes_on):
            bell.ring("messaging.jobs.run_contact_import", job_id)


def import_rows(
    job: ContactImport, *, goes_on: Callable[[], bool] = lambda: True, progress: Callable[[int], None] = lambda _: None
) -> bool:
    """Import behind `job.lines_done`, chunk by chunk; False when it was told to stop before the end."""
    try:
        cleaner = RowCleaner(job.headers, job.mapping, job.region)
        file = ContactFile(path_of(job), Format(job.encoding, job.delimiter, job.headers))
        chunk: list[Row] = []
        for row in file:
            if row.line <= job.lines_done:
                continue
            chunk.append(row)
            if len(chunk) == CHUNK:
                if not _import_chunk(job, cleaner, chunk, file.bytes_read):
                    return True
                progress(file.bytes_read)
                chunk = []
                if not goes_on():
                    return False
                _breathe()
        if chunk and not _import_chunk(job, cleaner, chunk, job.size):
            return True
        progress(job.size)
    except (UnreadableFile, RowError) as problem:
        _end(job, State.FAILED, _("%(why)s What was read before it is imported.") % {"why": problem})
        return True
    _end(job, State.FINISHED, "")
    return True


def _breathe() -> None:
    """SQLite's lock is unfair: a writer that never rests starves the others."""
    if connection.vendor == "sqlite":
        time.sleep(0.002)


def _import_chunk(job: ContactImport, cleaner: RowCleaner, chunk: Sequence[Row], bytes_read: int) -> bool:
    """Rows and counts in one transaction; False when the import was cancelled."""
    clean, errors = clean_rows(cleaner, chunk)
    with transaction.atomic():
        fresh = ContactImport.objects.select_for_update().get(pk=job.pk)
        if fresh.state != State.RUNNING or fresh.lines_done >= chunk[-1].line:
            return False
        written = contact_writes.write(clean, source=job.file_name, group_id=job.group_id)
        job.rows = fresh.rows + len(chunk)
        job.added = fresh.added + written.added
        job.updated = fresh.updated + written.updated
        job.unchanged = fresh.unchanged + written.unchanged
        job.invalid = fresh.invalid + len(errors)
        job.lines_done = chunk[-1].line
        job.bytes_done = bytes_read
        job.save(update_fields=["rows", "added", "updated", "unchanged", "invalid", "lines_done", "bytes_done"])
        BadRow.objects.bulk_create(
            BadRow(contact_import=job, row=line, column=e.column[:120], value=e.value[:200], reason=e.reason[:300])
            for line, e in errors
        )
    return True


def clean_rows(cleaner: RowCleaner, rows: Sequence[Row]) -> tuple[list[CleanRow], list[tuple[int, RowError]]]:
    clean, errors = [], []
    for row in rows:
        try:
            clean.append(cleaner.clean(row.cells))
        except RowError as problem:
            errors.append((row.line, problem))
    return clean, errors


def _end(job: ContactImport, state: str, explanation: str) -> None:
    job.state, job.explanation, job.finished_at = state, explanation[:300], timezone.now()
    ContactImport.objects.filter(pk=job.pk, state=State.RUNNING).update(
        state=state, explanation=explanation[:300], finished_at=job.finished_at, bytes_done=job.size
    )


def result(job: ContactImport) -> dict[str, object]:
    """The document of `contacts import --json` (DESIGN §7)."""
    return {
        "rows": job.rows,
        "added": job.added,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "invalid": job.invalid,
        "errors": list(job.bad_rows.order_by("row").values(*ERROR_COLUMNS)[:100]),
    }


def preview(job: ContactImport, mapping: dict[str, str], rows: int = 20) -> list[dict[str, object]]:
    """The first rows as they will be stored, and the bad ones with their reason."""
    try:
        cleaner = RowCleaner(job.headers, mapping, job.region)
    except RowError as problem:
        return [{"line": 1, "error": problem}]
    shown: list[dict[str, object]] = []
    try:
        for row in ContactFile(path_of(job), Format(job.encoding, job.delimiter, job.headers)):
            try:
                shown.append({"line": row.line, "contact": cleaner.clean(row.cells)})
            except RowError as problem:
                shown.append({"line": row.line, "error": problem})
            if len(shown) == rows:
                break
    except UnreadableFile as problem:
        shown.append({"line": len(shown) + 2, "error": RowError("", "", str(problem))})
    return shown


def sweep(now: dt.datetime | None = None) -> None:
    """Ring for imports whose worker died or whose bell was lost."""
    open_imports = ContactImport.objects.filter(state__in=[State.QUEUED, State.RUNNING])
    for pk in open_imports.exclude(file__startswith="/").values_list("pk", flat=True):
        if not leases.is_held(f"import:{pk}"):
            bell.ring("messaging.jobs.run_contact_import", pk)


def bad_rows_csv(job: ContactImport) -> bytes:
    """All bad rows for a spreadsheet, which must not run what they hold."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(ERROR_COLUMNS)
    for row in job.bad_rows.order_by("row").values_list(*ERROR_COLUMNS).iterator():
        writer.writerow([escape_formula(str(cell)) for cell in row])
    return text.getvalue().encode("utf-8-sig")
