"""Importing a file of contacts as a job that can be watched, cancelled, killed and gone on with."""

import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from laaffic_console.gateway.services.work import bell, leases, turns, workers
from laaffic_console.kit.audit.acts import Act, record
from laaffic_console.kit.words.figures import number
from laaffic_console.kit.words.said import gettext as _
from laaffic_console.kit.words.said import joined, ngettext
from messaging.files import cleaned_rows
from messaging.files.cleaned_rows import Chunk
from messaging.files.contact_rows import RowError
from messaging.files.unreadable import UnreadableFile
from messaging.models import ContactImport
from messaging.services import events
from messaging.services.contacts import contact_writes, reading
from messaging.services.contacts.reading import is_of_the_shell
from messaging.services.imports import bad_rows
from messaging.services.imports import files as import_files
from messaging.services.imports import forecast as import_forecast

JOB = "messaging.jobs.run_contact_import"
CHUNKS = {"sqlite": 1000, "postgresql": 5000}  # rows a transaction: SQLite's lock must not be held for long
SLICE_SECONDS = turns.SECONDS
REST = 0.002  # seconds between two transactions
SHELL_LEASE_SECONDS = 120.0
PREVIEW_DAYS = 7
ERROR_COLUMNS = ["row", "column", "value", "reason"]

LEFT_OUT_KEPT = 20  # different languages
COUNTED = ["rows", "added", "updated", "unchanged", "invalid", "erased_before"]
COUNTED += ["left_out", "lines_done", "bytes_done", "bad_bytes"]

State = ContactImport.State
_INTERRUPTED = gettext_lazy("The command was stopped. Import the file again: what is there already is left as it is.")


def start(job_id: int, *, mapping: dict[str, str]) -> bool:
    """Confirm the mapping and ring for a worker; a second click finds it started and changes nothing."""
    with transaction.atomic():
        started = ContactImport.objects.filter(pk=job_id, state=State.PREVIEW).update(
            state=State.QUEUED, mapping=mapping, started_at=timezone.now()
        )
        if started:
            record(Act.IMPORTED, ContactImport.objects.get(pk=job_id))
            import_forecast.forget(job_id)
            bell.ring(JOB, job_id)
    return bool(started)


def cancel(job_id: int) -> bool:
    """Cancel the import; rows that are imported stay, and the counts say how many."""
    job = ContactImport.objects.filter(pk=job_id).first()
    with transaction.atomic():
        if job is None or not _end(job, State.CANCELLED, "", of=[State.PREVIEW, State.QUEUED, State.RUNNING]):
            return False
        record(Act.CHANGED, job, event=_("cancelled"))
    return True


def run(job_id: int) -> None:
    """A job's slice; the next one goes on behind the last committed chunk."""
    with leases.lease(f"import:{job_id}") as lease:
        if lease is None:
            return
        ContactImport.objects.filter(pk=job_id, state=State.QUEUED).update(state=State.RUNNING)
        job = ContactImport.objects.get(pk=job_id)
        if job.state != State.RUNNING:
            return
        turn = turns.Turn(SLICE_SECONDS)

        def goes_on() -> bool:
            turn.has_begun()
            return not turn.is_over() and lease.renew()

        with workers.beating(also=lease.renew):  # it may pass over a million rows of a workbook before the next one
            is_over = import_rows(job, goes_on=goes_on)
        if not is_over:
            bell.ring(JOB, job_id)


def import_at_once(job: ContactImport, progress: Callable[[int], object] = lambda _: None) -> None:
    """From the shell, in this process: no worker takes part, and the lease says that somebody is at it."""
    with leases.lease(f"import:{job.pk}", SHELL_LEASE_SECONDS) as lease:
        if lease is None:
            return
        record(Act.IMPORTED, job)
        try:
            import_rows(job, goes_on=lease.renew, progress=progress)
        except KeyboardInterrupt:
            _end(job, State.CANCELLED, str(_INTERRUPTED))
            raise
    job.refresh_from_db()


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
        why = problem.strerror if isinstance(problem, OSError) else str(problem)
        _end(job, State.FAILED, joined(filter(None, [why, _how_far(job)])))
        return True
    progress(job.size)
    _end(job, State.FINISHED, "")
    return True


def _how_far(job: ContactImport) -> str:
    """What an import that failed leaves, and what to do about the rest; "" where nothing was committed."""
    job.refresh_from_db(fields=["lines_done"])  # the last chunk may have been rolled back
    if not job.lines_done:
        return ""
    said = _("Rows up to %(line)s are imported, those below are not. Import the corrected list: what is there stays.")
    return said % {"line": number(job.lines_done)}


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
        job.erased_before = fresh.erased_before + written.erased_before
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
            # Not before it is committed: the successor of a process that died here finds the file, and ends it.
            transaction.on_commit(lambda: job.file.storage.delete(str(job.file.name)), robust=True)
    return bool(ended)


def result(job: ContactImport) -> dict[str, object]:
    """The document of `contacts import --json` (commands#documents)."""
    return {
        "rows": job.rows,
        "added": job.added,
        "updated": job.updated,
        "unchanged": job.unchanged,
        "invalid": job.invalid,
        "erased_before": job.erased_before,
        "errors": list(job.bad_rows.order_by("row").values(*ERROR_COLUMNS)[:100]),
    }


def note(job: ContactImport) -> str:
    """What was left out without costing a row, and who was erased before; "" where neither was."""
    return joined(filter(None, [_left_out(job), _erased_before(job)]))


def _left_out(job: ContactImport) -> str:
    if not job.left_out:
        return ""
    said = _("Unknown languages were left empty: %(words)s.")
    return said % {"words": ", ".join(f"{word} ({count})" for word, count in job.left_out.items())}


def _erased_before(job: ContactImport) -> str:
    if not job.erased_before:
        return ""
    said = ngettext(
        "%(n)s added contact is of a person who was erased before, and is known again. Erase them again where that was "
        "not meant, and take them out of the list.",
        "%(n)s added contacts are of people who were erased before, and are known again. Erase them again where that "
        "was not meant, and take them out of the list.",
        job.erased_before,
    )
    return said % {"n": number(job.erased_before)}


def sweep(now: dt.datetime | None = None) -> None:
    """Ring for imports whose worker died or whose bell was lost; end those that nobody comes back to."""
    for job in ContactImport.objects.filter(state__in=[State.QUEUED, State.RUNNING]):
        if leases.is_held(f"import:{job.pk}"):
            continue
        if is_of_the_shell(job):
            _end(job, State.CANCELLED, str(_INTERRUPTED))
        else:
            bell.ring(JOB, job.pk)
    forgotten_since = (now or timezone.now()) - dt.timedelta(days=PREVIEW_DAYS)
    for job in ContactImport.objects.filter(state=State.PREVIEW, created_at__lt=forgotten_since)[:100]:
        _end(job, State.CANCELLED, _("Nobody confirmed it."), of=[State.PREVIEW])
    import_files.sweep_uploads(now)
