"""The file of an import before a row of it is imported: kept, looked at, chosen, shown, and cleared away."""

import datetime as dt
import itertools
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from laaffic_console.kit.words.not_now import NotNow
from laaffic_console.kit.words.plain_text import is_blank, keepable, without_marks
from laaffic_console.kit.words.said import gettext as _
from messaging.files import contact_files
from messaging.files.contact_headers import guess_mapping
from messaging.files.contact_rows import NO_OPTIONS, NULL_WORDS, RowError, RowOptions
from messaging.files.encodings import Reading
from messaging.files.unreadable import UnreadableFile
from messaging.files.workbook_limits import LOOK_SECONDS
from messaging.models import ContactGroup, ContactImport
from messaging.services.contacts import reading
from messaging.services.contacts.reading import path_of, problem_with_mapping
from messaging.services.imports import bad_rows, uploaded
from messaging.services.imports import forecast as import_forecast

NULL_ROWS = 5000  # that are looked at before the import
PREVIEWED = 20  # rows
UPLOADS = bad_rows.FOLDER

State = ContactImport.State
# What says how a file is read.
READING = (
    *("encoding", "delimiter", "sheet", "sheets", "readings", "headers", "mapping", "null_words", "region"),
    *(field.name for field in fields(RowOptions)),
)


def receive(
    upload: "UploadedFile[Any]", *, group: ContactGroup | None, new_group: str = "", region: str, by: User | None
) -> ContactImport:
    """Keep an uploaded file and look at how it is written; ValidationError says why it is not a list of contacts."""
    job = look_at(upload, region=region, by=by)
    try:
        return store(job, group=group, new_group=new_group)
    except BaseException:
        forget_unstored(job)
        raise


def look_at(upload: "UploadedFile[Any]", *, region: str, by: User | None) -> ContactImport:
    """The part of `receive` that may take long: the file is kept, and no row points to it yet."""
    job = ContactImport(file_name=uploaded.name_of(upload), size=upload.size or 0, region=region, created_by=by)
    uploaded.keep(job.file, upload)
    try:
        _look(job)
        job.null_words = _null_words(job)
    except BaseException as problem:
        forget_unstored(job)
        if isinstance(problem, UnreadableFile):
            raise ValidationError(str(problem)) from problem
        raise
    return job


@transaction.atomic
def store(job: ContactImport, *, group: ContactGroup | None, new_group: str = "") -> ContactImport:
    """The row of a file that was looked at; a caller that fails here calls `forget_unstored`."""
    job.group = _group_called(without_marks(new_group).strip()) or group
    job.save()
    if len(job.readings) < 2:  # otherwise a person has to choose one first
        import_forecast.want(job, job.mapping)
    return job


def forget_unstored(job: ContactImport) -> None:
    """No row will point to the file, whatever went wrong; where that was behind the commit, one does."""
    if job.file and not ContactImport.objects.filter(file=job.file.name).exists():
        job.file.delete(save=False)


def look_otherwise(
    job: ContactImport, *, encoding: str, sheet: str, options: RowOptions, region: str | None = None
) -> None:
    """Read a file as a person says; UnreadableFile if it cannot be read like that. It stores nothing (keep_reading).

    `region`: the country of numbers without a country code, "" for none; None leaves it as it was.

    In another encoding, or on another sheet, other columns stand: what they mean is guessed again. It may take long, so
    no transaction waits for it.
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


def keep_reading(job: ContactImport) -> None:
    """Store how the file is read; NotNow if the import was started or cancelled while its file was looked at."""
    chosen = {name: getattr(job, name) for name in READING}
    if not ContactImport.objects.filter(pk=job.pk, state=State.PREVIEW).update(**chosen):
        job.refresh_from_db()
        raise waits_no_more(job)


def put_into(job: ContactImport, group: ContactGroup | None, new_group: str = "") -> None:
    """Another group than was chosen with the file, of one that still waits; NotNow as in keep_reading."""
    chosen = _group_called(without_marks(new_group).strip()) or group
    if chosen != job.group and not ContactImport.objects.filter(pk=job.pk, state=State.PREVIEW).update(group=chosen):
        job.refresh_from_db()
        raise waits_no_more(job)
    job.group = chosen


def waits_no_more(job: ContactImport) -> NotNow:
    said = _("“%(name)s” is %(state)s: how it is read can be said only before it is started.")
    return NotNow(said % {"name": job.file_name, "state": job.get_state_display().lower()})


def _null_words(job: ContactImport) -> dict[str, int]:
    """How often the first rows say NULL, or another word for nothing; of a workbook what can be read in time."""
    found: Counter[str] = Counter()
    with suppress(UnreadableFile):
        for row in itertools.islice(reading.file(job, LOOK_SECONDS), NULL_ROWS):
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
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UnreadableFile(_("It is a device or a pipe. Save it as a file, and name that."))
    job = ContactImport(
        file=str(path.resolve()),
        file_name=keepable(without_marks(path.name))[:200],
        size=path.stat().st_size,
        region=region,
        encoding=encoding,
        sheet=sheet,
        **asdict(options),
    )
    _look(job)
    if sheet and not job.sheets:
        raise UnreadableFile(_("A text file has no sheets. Leave --sheet out, or choose a workbook (.xlsx)."))
    if len(job.readings) > 1:
        raise UnreadableFile(contact_files.which_encoding([Reading(**found) for found in job.readings]))
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
        _save_in_words(job)
    return job


def _save_in_words(job: ContactImport) -> None:
    """A name may be bytes that are not text: the row keeps what can be read of it, and this process reads the file."""
    there = str(job.file.name)
    job.file.name = keepable(there)[: job.file.field.max_length]
    job.save()
    job.file.name = there


def _group_called(name: str) -> ContactGroup | None:
    """The group of that name, made if there is none; ValidationError where it is one that no list of groups shows."""
    if is_blank(name):
        return None
    group, _is_new = ContactGroup.objects.get_or_create(name=name.strip()[:120])
    if group.is_ad_hoc:
        said = _(
            "The console itself has made a group “%(name)s”, for a follow-up or for one message, which no list of "
            "groups shows. Choose another name."
        )
        raise ValidationError({"new_group": said % {"name": group.name}})
    return group


def _look(job: ContactImport) -> None:
    written = contact_files.detect(path_of(job), encoding=job.encoding, sheet=job.sheet)
    job.encoding, job.delimiter = written.encoding, written.delimiter
    job.sheet, job.sheets = written.sheet, written.sheets
    job.readings = [asdict(found) for found in written.readings]
    job.headers = written.headers
    job.mapping = guess_mapping(written.headers)


def preview(job: ContactImport, mapping: dict[str, str]) -> list[dict[str, object]]:
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
            if len(shown) == PREVIEWED:
                break
    except UnreadableFile as problem:
        shown.append({"line": len(shown) + 2, "error": RowError("", "", str(problem))})
    except FileNotFoundError:
        gone = _("The file is not there any more. Cancel this import, and upload the file again.")
        shown.append({"line": len(shown) + 2, "error": RowError("", "", str(gone))})
    return shown


def sample(job: ContactImport, rows: int = 3) -> list[list[tuple[str, str]]]:
    """The first rows as they are in the file, (column, cell): from these somebody sees which column holds what."""
    try:
        first = list(itertools.islice((row for row in reading.file(job, LOOK_SECONDS) if not row.problem), rows))
    except (UnreadableFile, FileNotFoundError):
        return []
    return [list(itertools.zip_longest(job.headers, row.cells[: len(job.headers)], fillvalue="")) for row in first]


def sweep_uploads(now: dt.datetime | None = None) -> int:
    """Delete uploads to which no row points; how many they were."""
    wanted = ContactImport.objects.filter(state__in=[State.PREVIEW, State.QUEUED, State.RUNNING])
    return uploaded.sweep(wanted, UPLOADS, now, spared=lambda name: bool(bad_rows.is_kept(name, now)))
