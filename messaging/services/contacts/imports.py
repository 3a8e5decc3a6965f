"""Importing a file of contacts as a job that can be watched, cancelled, killed and gone on with."""

import contextlib
import datetime as dt
import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.storage import Storage
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.services import bell, leases, turns, workers
from laaffic_console.kit.acts import Act, record
from laaffic_console.kit.plain_text import without_marks
from laaffic_console.kit.said import gettext as _
from laaffic_console.kit.uploads import FULL
from messaging import cleaned_rows, contact_files
from messaging.cleaned_rows import Chunk
from messaging.contact_headers import guess_mapping
from messaging.contact_rows import NO_OPTIONS, NULL_WORDS, RowError, RowOptions
from messaging.models import ContactGroup, ContactImport
from messaging.services import events
from messaging.services.contacts import bad_rows, contact_writes, import_forecast, reading
from messaging.services.contacts.reading import is_of_the_shell, path_of, problem_with_mapping
from messaging.unreadable import UnreadableFile
from messaging.workbook_limits import LOOK_SECONDS

CHUNKS = {"sqlite": 1000, "postgresql": 5000}  # rows a transaction: SQLite's lock must not be held for long
SLICE_SECONDS = turns.SECONDS
REST = 0.002  # seconds between two transactions
SHELL_LEASE_SECONDS = 120.0
PREVIEW_DAYS = 7
NULL_ROWS = 5000  # that are looked at before the import
ORPHAN_HOURS = 24
UPLOADS = bad_rows.FOLDER
ERROR_COLUMNS = ["row", "column", "value", "reason"]

LEFT_OUT_KEPT = 20  # different languages
COUNTED = ["rows", "added", "updated", "unchanged", "invalid", "left_out", "lines_done", "bytes_done", "bad_bytes"]

State = ContactImport.State
_INTERRUPTED = gettext_lazy("The command was stopped. Import the file again: what is there already is left as it is.")


def receive(
    upload: "UploadedFile[Any]", *, group: ContactGroup | None, new_group: str = "", region: str, by: User | None
) -> ContactImport:
    """Keep an uploaded file and look at how it is written; ValidationError says why it is not a list of contacts."""
    if upload.size and upload.size > settings.IMPORT_MAX_BYTES:
        limit = settings.IMPORT_MAX_BYTES // 1024 // 1024
        raise ValidationError(
            _("The file is larger than %(limit)d MB. Split it and import the parts.") % {"limit": limit}
        )
    job = ContactImport(
        file_name=without_marks(str(upload.name))[:200], size=upload.size or 0, region=region, created_by=by
    )
    _keep(job, upload)
    try:
        _look(job)
        job.null_words = _null_words(job)
        with transaction.atomic():
            job.group = _group_called(without_marks(new_group).strip()) or group
            job.save()
            if len(job.readings) < 2:  # otherwise a person has to choose one first
                import_forecast.want(job, job.mapping)
    except BaseException as problem:  # no row will point to the file, whatever went wrong
        job.file.delete(save=False)
        if isinstance(problem, UnreadableFile):
            raise ValidationError(str(problem)) from problem
        raise
    return job


def _keep(job: ContactImport, upload: "UploadedFile[Any]") -> None:
    """Write the file; of one that does not fit on the disk nothing stays."""
    name = f"{timezone.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.dat"
    try:
        job.file.save(name, upload, save=False)
    except OSError as problem:
        job.file.storage.delete(job.file.field.generate_filename(job, name))
        if problem.errno not in FULL:
            raise
        raise ValidationError(
            _("There is no room on the console's disk for this file. Make room, then upload it again.")
        ) from problem


def choose(job: ContactImport, *, encoding: str, sheet: str, options: RowOptions, region: str | None = None) -> None:
    """What a person says about a file before it is imported; UnreadableFile if it cannot be read like that.

    `region`: the country of numbers without a country code, "" for none; None leaves it as it was.

    In another encoding, or on another sheet, other columns stand: what they mean is guessed anew.
    """
    if (encoding or job.encoding, sheet or job.sheet) != (job.encoding, job.sheet):
        before = job.readings, job.sheets
        job.encoding, job.sheet = encoding or job.encoding, sheet or job.sheet
        _look(job)
        job.readings, job.sheets = before
        job.null_words = _null_words(job)
    job.region = job.region if region is None else region
    for name, value in asdict(options).items():
        setattr(job, name, value)
    job.save()


def _null_words(job: ContactImport) -> dict[str, int]:
    """How often the first rows say NULL, or another word for nothing."""
    found: Counter[str] = Counter()
    for row in itertools.islice(reading.file(job), NULL_ROWS):
        if not NULL_WORDS.isdisjoint(row.cells):
            found.update(cell for cell in row.cells if cell in NULL_WORDS)
    return dict(found.most_common(10))


def open_path(
    path: Path,
    *,
    group: str = "",
    region: str = "",
    encoding: str = "",
    sheet: str = "",
    options: RowOptions = NO_OPTIONS,
) -> ContactImport:
    """An import of a file where it lies, for the shell; UnreadableFile and OSError leave nothing behind."""
    job = ContactImport(
        file=str(path.resolve()),
        file_name=without_marks(path.name)[:200],
        size=path.stat().st_size,
        region=region,
        encoding=encoding,
        sheet=sheet,
        **asdict(options),
    )
    _look(job)
    if len(job.readings) > 1:
        raise UnreadableFile(_which_encoding(job))
    if "number" not in job.mapping.values():
        columns = ", ".join(job.headers[:12])
        raise UnreadableFile(
            _("No column looks like a phone number (%(columns)s). Call the one that is it “number”.")
            % {"columns": columns}
        )
    with transaction.atomic():
        job.group = _group_called(group)
        job.state = State.RUNNING
        job.started_at = timezone.now()
        job.save()
    return job


def _which_encoding(job: ContactImport) -> str:
    shown = "; ".join(f"{found['encoding']}: {', '.join(found['words'])}" for found in job.readings)
    said = _(
        "The file's letters can be read in several ways. Say its encoding, for example with --encoding %(one)s: %(all)s"
    )
    return said % {"one": job.readings[0]["encoding"], "all": shown}


def _group_called(name: str) -> ContactGroup | None:
    return ContactGroup.objects.get_or_create(name=name.strip()[:120])[0] if name.strip() else None


def _look(job: ContactImport) -> None:
    written = contact_files.detect(path_of(job), encoding=job.encoding, sheet=job.sheet)
    job.encoding, job.delimiter = written.encoding, written.delimiter
    job.sheet, job.sheets = written.sheet, written.sheets
    job.readings = [asdict(found) for found in written.readings]
    job.headers = written.headers
    job.mapping = guess_mapping(written.headers)


def start(job_id: int, *, mapping: dict[str, str]) -> bool:
    """Confirm the mapping and ring for a worker; a second click finds it started and changes nothing."""
    with transaction.atomic():
        started = ContactImport.objects.filter(pk=job_id, state=State.PREVIEW).update(
            state=State.QUEUED, mapping=mapping, started_at=timezone.now()
        )
        if started:
            record(Act.IMPORTED, ContactImport.objects.get(pk=job_id))
            import_forecast.forget(job_id)
            bell.ring("messaging.jobs.run_contact_import", job_id)
    return bool(started)


def cancel(job_id: int) -> bool:
    """What has been imported stays, and the counts say how much that is."""
    job = ContactImport.objects.filter(pk=job_id).first()
    return job is not None and _end(job, State.CANCELLED, "", of=[State.PREVIEW, State.QUEUED, State.RUNNING])


def run(job_id: int) -> None:
    """A job's slice; the next one goes on behind the last committed chunk."""
    with leases.lease(f"import:{job_id}") as lease:
        if lease is None:
            return
        ContactImport.objects.filter(pk=job_id, state=State.QUEUED).update(state=State.RUNNING)
        job = ContactImport.objects.get(pk=job_id)
        if job.state != State.RUNNING:
            return
        turn, chunks = turns.Turn(SLICE_SECONDS), itertools.count()

        def goes_on() -> bool:
            if next(chunks) == 0:
                turn.has_begun()
            workers.beat()
            return not turn.is_over() and lease.renew()

        if not import_rows(job, goes_on=goes_on):
            bell.ring("messaging.jobs.run_contact_import", job_id)


def import_at_once(job: ContactImport, progress: Callable[[int], object] = lambda _: None) -> None:
    """From the shell, in this process: no worker takes part, and the lease says that somebody is at it."""
    with leases.lease(f"import:{job.pk}", SHELL_LEASE_SECONDS) as lease:
        if lease is None:
            return
        try:
            import_rows(job, goes_on=lease.renew, progress=progress)
        except KeyboardInterrupt:
            _end(job, State.CANCELLED, str(_INTERRUPTED))
            raise
    job.refresh_from_db()
    record(Act.IMPORTED, job)


def import_rows(
    job: ContactImport,
    *,
    goes_on: Callable[[], bool] = lambda: True,
    progress: Callable[[int], object] = lambda _: None,
) -> bool:
    """Import behind `job.lines_done`, chunk by chunk; False when it was told to stop before the end."""
    try:
        with contextlib.closing(_chunks(job)) as found:
            for chunk in _with_rests(found):
                if not _import_chunk(job, chunk):
                    return True
                progress(chunk.bytes_read)
                if not goes_on():
                    return False
    except (UnreadableFile, RowError, OSError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else problem
        read = _("Rows up to %(line)d are imported.") % {"line": job.lines_done} if job.lines_done else ""
        _end(job, State.FAILED, f"{why} {read}".strip())
        return True
    progress(job.size)
    _end(job, State.FINISHED, "")
    return True


def _chunks(job: ContactImport) -> Generator[Chunk]:
    """Rows behind the last committed one."""
    size, bytes_left = CHUNKS[connection.vendor], job.size - job.bytes_done
    source = reading.source(job, job.mapping)
    yield from cleaned_rows.chunks(source, size, behind=job.lines_done, bytes_left=bytes_left)


def _with_rests(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    written = 0.0
    for chunk in chunks:
        if written:
            _let_others_write(written)
        yield chunk
        written = time.monotonic()


def _let_others_write(written: float) -> None:
    """SQLite's lock is unfair: a writer that never rests starves the others. To wait for rows is to rest, too."""
    if connection.vendor == "sqlite":
        time.sleep(max(0.0, written + REST - time.monotonic()))


def _import_chunk(job: ContactImport, chunk: Chunk) -> bool:
    """Rows and counts in one transaction; False when the import was cancelled."""
    with transaction.atomic():
        fresh = ContactImport.objects.select_for_update().get(pk=job.pk)
        if fresh.state != State.RUNNING or fresh.lines_done >= chunk.first_line:
            return False
        written = contact_writes.write(chunk.ready, source=job.file_name, group_id=job.group_id, import_id=job.pk)
        job.rows = fresh.rows + chunk.row_count
        job.added = fresh.added + written.added
        job.updated = fresh.updated + written.updated
        job.unchanged = fresh.unchanged + written.unchanged
        job.invalid = fresh.invalid + len(chunk.errors)
        job.left_out = dict((Counter(fresh.left_out) + Counter(chunk.unknown_languages)).most_common(LEFT_OUT_KEPT))
        job.lines_done = chunk.last_line
        job.bytes_done = chunk.bytes_read
        job.bad_bytes = fresh.bad_bytes
        bad_rows.keep(job, chunk.errors, before=fresh.invalid)
        job.save(update_fields=COUNTED)
    return True


@transaction.atomic
def _end(job: ContactImport, state: str, explanation: str, of: Sequence[str] = (State.RUNNING,)) -> bool:
    """Once; an uploaded list of people is not kept longer than it is needed."""
    ended = ContactImport.objects.filter(pk=job.pk, state__in=of).update(
        state=state, explanation=explanation, finished_at=timezone.now()
    )
    if ended:
        job.refresh_from_db()
        if job.rows or state != State.CANCELLED:  # not what was never begun
            events.import_ended(job)
        import_forecast.forget(job.pk)
        if not is_of_the_shell(job):
            job.file.storage.delete(str(job.file.name))
    return bool(ended)


def result(job: ContactImport) -> dict[str, object]:
    """The document of `contacts import --json` (commands#documents)."""
    return {
        "rows": job.rows,
        "added": job.added,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "invalid": job.invalid,
        "errors": list(job.bad_rows.order_by("row").values(*ERROR_COLUMNS)[:100]),
    }


def note(job: ContactImport) -> str:
    """What was left out without costing a row; "" where nothing was."""
    if not job.left_out:
        return ""
    said = _("Languages that nobody knows were left empty: %(words)s.")
    return said % {"words": ", ".join(f"{word} ({count})" for word, count in job.left_out.items())}


def preview(job: ContactImport, mapping: dict[str, str], rows: int = 20) -> list[dict[str, object]]:
    """The first rows as they will be stored, and the bad ones with their reason."""
    if problem_with_mapping(job, mapping):
        return []
    cleaner = reading.cleaner(job, mapping)
    shown: list[dict[str, object]] = []
    try:
        for row in reading.file(job, LOOK_SECONDS):
            try:
                if row.problem:
                    raise RowError("", "", row.problem)
                shown.append({"line": row.line, "contact": cleaner.clean(row.cells)})
            except RowError as problem:
                shown.append({"line": row.line, "error": problem})
            if len(shown) == rows:
                break
    except UnreadableFile as problem:
        shown.append({"line": len(shown) + 2, "error": RowError("", "", str(problem))})
    return shown


def sweep(now: dt.datetime | None = None) -> None:
    """Ring for imports whose worker died or whose bell was lost; end those that nobody comes back to."""
    for job in ContactImport.objects.filter(state__in=[State.QUEUED, State.RUNNING]):
        if leases.is_held(f"import:{job.pk}"):
            continue
        if is_of_the_shell(job):
            _end(job, State.CANCELLED, str(_INTERRUPTED))
        else:
            bell.ring("messaging.jobs.run_contact_import", job.pk)
    forgotten_since = (now or timezone.now()) - dt.timedelta(days=PREVIEW_DAYS)
    for job in ContactImport.objects.filter(state=State.PREVIEW, created_at__lt=forgotten_since)[:100]:
        _end(job, State.CANCELLED, _("Nobody confirmed it."), of=[State.PREVIEW])
    sweep_uploads(now)


def sweep_uploads(now: dt.datetime | None = None) -> int:
    """Delete uploads to which no row points: what a killed process left; how many they were."""
    storage = ContactImport._meta.get_field("file").storage
    if not storage.exists(UPLOADS):
        return 0
    old = (now or timezone.now()) - dt.timedelta(hours=ORPHAN_HOURS)
    names = [f"{UPLOADS}/{name}" for name in storage.listdir(UPLOADS)[1]]
    kept = set(
        ContactImport.objects.filter(state__in=[State.PREVIEW, State.QUEUED, State.RUNNING]).values_list(
            "file", flat=True
        )
    )
    orphans = [
        name
        for name in names
        if name not in kept
        and not bad_rows.is_kept(name.removeprefix(f"{UPLOADS}/"), now)
        and _written_before(storage, name, old)
    ]
    for name in orphans:
        storage.delete(name)
    return len(orphans)


def _written_before(storage: Storage, name: str, moment: dt.datetime) -> bool:
    """An upload of this minute has no row yet; one that another sweep has deleted is no longer there."""
    try:
        return storage.get_modified_time(name) < moment
    except FileNotFoundError:
        return False
