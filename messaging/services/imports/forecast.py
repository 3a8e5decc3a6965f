"""What an import would do, counted from the whole file before it is started; nobody has to wait for it.

The same cleaner as the import's reads every row. A job counts in slices and can be killed: what is counted is
committed with its place in the file, and the numbers seen so far lie in a private file beside the upload. When the
columns are read otherwise, or the import begins, it is over.
"""

import hashlib
import itertools
import json
import os
import re
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from laaffic_console.gateway.services.work import bell, leases, turns, workers
from laaffic_console.kit.files import private_files
from laaffic_console.kit.words.said import Said, kept, read
from laaffic_console.kit.words.said import gettext as _
from messaging.files.cleaned_rows import clean_rows
from messaging.files.contact_files import Row
from messaging.files.contact_rows import RowCleaner, RowError
from messaging.files.unreadable import UnreadableFile
from messaging.models import Contact, ContactImport, ImportForecast, SuppressionEntry
from messaging.services.contacts import erasures, reading
from messaging.services.imports import bad_rows
from messaging.subscribers import spellings

JOB = "messaging.jobs.forecast_contact_import"
CHUNK = 1000
SLICE_SECONDS = turns.SECONDS
MOST_NUMBERS = 1_000_000  # that are kept to find who comes twice: some 60 MB
REASONS_KEPT, REASONS_SHOWN = 100, 10

State = ImportForecast.State
_figures = re.compile(r"\d+")


def want(job: ContactImport, mapping: dict[str, str]) -> None:
    """Count with the columns read like this, and no longer as before; what is being counted so goes on."""
    if reading.problem_with_mapping(job, mapping):
        ImportForecast.objects.filter(contact_import=job).delete()
        return
    key = _key(job, mapping)
    with transaction.atomic():
        if ImportForecast.objects.select_for_update().filter(contact_import=job, key=key).exists():
            return
        ImportForecast.objects.filter(contact_import=job).delete()
        ImportForecast.objects.create(contact_import=job, key=key, mapping=mapping)
        bell.ring(JOB, job.pk)


def _key(job: ContactImport, mapping: dict[str, str]) -> str:
    read = [job.encoding, job.sheet, job.region, mapping, asdict(reading.options_of(job))]
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:32]


def of(job: ContactImport) -> ImportForecast | None:
    return ImportForecast.objects.filter(contact_import=job).first()


def seen_path(job_id: int) -> Path:
    return Path(settings.MEDIA_ROOT, bad_rows.FOLDER, f"forecast-{job_id}.numbers")


def forget(job_id: int) -> None:
    """Delete the forecast, when the import begins or is given up."""
    ImportForecast.objects.filter(contact_import=job_id).delete()
    seen_path(job_id).unlink(missing_ok=True)


def run(job_id: int) -> None:
    """A job's slice. Anyone who is counted otherwise in the meantime is counted again, by the next one."""
    with leases.lease(f"forecast:{job_id}") as lease:
        if lease is None:
            return
        turn = turns.Turn(SLICE_SECONDS)
        forecast = ImportForecast.objects.filter(contact_import=job_id, state=State.LOOKING).first()
        job = ContactImport.objects.filter(pk=job_id, state=ContactImport.State.PREVIEW).first()
        if forecast is None or job is None:
            return
        try:
            with workers.beating(also=lease.renew):  # it may pass over a million rows before the next one
                _count(job, forecast, turn, lease)
        except (UnreadableFile, RowError, OSError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else problem
            _mine(forecast).update(state=State.FAILED, explanation=str(why))
    if ImportForecast.objects.filter(contact_import=job_id, state=State.LOOKING).exists():
        bell.ring(JOB, job_id)


def _mine(forecast: ImportForecast) -> QuerySet[ImportForecast]:
    return ImportForecast.objects.filter(pk=forecast.pk, key=forecast.key, state=State.LOOKING)


def _count(job: ContactImport, forecast: ImportForecast, turn: turns.Turn, lease: leases.HeldLease) -> None:
    seen = _Seen(job.pk, forecast.numbers_kept)
    cleaner = reading.cleaner(job, forecast.mapping)
    file = reading.file(job)
    waiting = (row for row in file if row.line > forecast.lines_done)
    chunk = list(itertools.islice(waiting, CHUNK))
    turn.has_begun()
    while chunk:
        _add(forecast, cleaner, chunk, seen)
        forecast.bytes_done = file.bytes_read
        if not _write(forecast):
            return
        workers.beat()
        if turn.is_over() or not lease.renew():
            return
        chunk = list(itertools.islice(waiting, CHUNK))
    forecast.state = State.DONE
    if _write(forecast):
        seen_path(job.pk).unlink(missing_ok=True)


def _write(forecast: ImportForecast) -> bool:
    """False when it is counted otherwise by now, or the import has begun."""
    return bool(_mine(forecast).update(**{name: getattr(forecast, name) for name in COUNTED}))


COUNTED = ["state", "rows", "invalid", "twice", "known", "suppressed", "reasons", "lines_done", "bytes_done"]
COUNTED += ["erased_before", "numbers_kept"]


def _add(forecast: ImportForecast, cleaner: RowCleaner, chunk: Sequence[Row], seen: "_Seen") -> None:
    clean, errors = clean_rows(cleaner, chunk)
    fresh = seen.new([row[0] for row in clean])
    forecast.rows += len(chunk)
    forecast.invalid += len(errors)
    forecast.twice += len(clean) - len(fresh)
    known = set(Contact.objects.filter(number__in=fresh).order_by().values_list("number", flat=True))
    forecast.known += len(known)
    forecast.erased_before += erasures.count_among([number for number in fresh if number not in known])
    forecast.suppressed += _suppressed(fresh)
    forecast.reasons = _reasons(forecast.reasons, errors)
    forecast.lines_done = chunk[-1].line
    forecast.numbers_kept = seen.kept


def _suppressed(numbers: Sequence[str]) -> int:
    """How many of them are on the list, on whichever channel, by whatever spelling."""
    spelled = {other: number for number in numbers for other in spellings(number)}
    found = SuppressionEntry.objects.filter(number__in=list(spelled)).order_by().values_list("number", flat=True)
    return len({spelled[number] for number in found})


def _reasons(before: list[list[object]], errors: Sequence[tuple[Row, RowError]]) -> list[list[object]]:
    """[column, reason, how many, the first row, its own reason]: reasons that differ in their figures only are one."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], list[object]] = {}
    for column, reason, count, *of_first in before:
        counts[str(column), str(reason)] += int(str(count))
        first[str(column), str(reason)] = of_first
    for row, problem in errors:
        kind = problem.column[:120], kept(_without_figures(problem.reason))
        counts[kind] += 1
        first.setdefault(kind, [row.line, kept(problem.reason)])
    return [[*kind, count, *first[kind]] for kind, count in counts.most_common(REASONS_KEPT)]


def shown_reasons(forecast: ImportForecast) -> list[list[object]]:
    """The most frequent, in the reader's language."""
    return [
        [column, read(str(reason)), count, row]
        for column, reason, count, row, *_own in forecast.reasons[:REASONS_SHOWN]
    ]


def shown_examples(forecast: ImportForecast) -> list[list[object]]:
    """As `shown_reasons`, with the first row's own reason, its figures included."""
    return [
        [column, read(str(own[0] if own else reason)), count, row]
        for column, reason, count, row, *own in forecast.reasons[:REASONS_SHOWN]
    ]


def _without_figures(reason: str) -> str:
    return reason.without_figures() if isinstance(reason, Said) else _figures.sub("…", reason)


class _Seen:
    """The numbers of the rows before, as far as they are committed; eight bytes each in a file."""

    def __init__(self, job_id: int, kept: int) -> None:
        self.path = seen_path(job_id)
        self.kept = kept
        numbers = array("q")
        if kept:
            with self.path.open("rb") as file:
                numbers.frombytes(file.read(kept * numbers.itemsize))
        if len(numbers) != kept:
            raise FileNotFoundError(0, _("What was counted is no longer there. Press “Look again”."))
        self.numbers = set(numbers)

    def new(self, numbers: Sequence[str]) -> list[str]:
        """The numbers not seen before, each once; beyond a million every number counts as new."""
        fresh = [number for number in dict.fromkeys(numbers) if int(number) not in self.numbers]
        room = max(0, MOST_NUMBERS - len(self.numbers))
        if kept := array("q", map(int, fresh[:room])):
            private_files.make_folder(self.path.parent)
            with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, private_files.FILE), "r+b") as file:
                file.truncate(self.kept * kept.itemsize)
                file.seek(self.kept * kept.itemsize)
                file.write(kept.tobytes())
            self.numbers.update(kept)
            self.kept += len(kept)
        return fresh


def sweep() -> None:
    """Ring for those whose worker died or whose bell was lost; those of imports that have begun are forgotten."""
    for forecast in ImportForecast.objects.select_related("contact_import"):
        pk = forecast.contact_import_id
        if forecast.contact_import.state != ContactImport.State.PREVIEW:
            forget(pk)
        elif forecast.state == State.LOOKING and not leases.is_held(f"forecast:{pk}"):
            bell.ring(JOB, pk)
