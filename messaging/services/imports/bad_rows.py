"""The rows of a file that are not contacts, kept word for word, and given back in the file's own columns.

A million of them belong into a file and not into the database. The import's row says how much of that file is
committed: the successor of a killed worker cuts off what is beyond it, so that no row is kept twice or lost.
"""

import datetime as dt
import itertools
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from laaffic_console.kit.files import exports, private_files
from laaffic_console.kit.words.said import joined, kept, read
from messaging.files.contact_files import Row
from messaging.files.contact_headers import BAD_ROW_COLUMNS, is_of_bad_rows
from messaging.files.contact_rows import RowError
from messaging.models import BadRow, ContactImport

FOLDER = "imports"
SHOWN_KEPT = 1000  # in the database, for the page and the command's document
KEPT = dt.timedelta(days=7)  # after the import has ended

_name = re.compile(r"bad-rows-(\d+)\.jsonl")


def path_of(job: ContactImport) -> Path:
    return Path(settings.MEDIA_ROOT, FOLDER, f"bad-rows-{job.pk}.jsonl")


def keep(job: ContactImport, found: Sequence[tuple[Row, RowError]], *, before: int) -> None:
    """Behind those that are committed, in the transaction that locks the import's row; sets `job.bad_bytes`.

    `before`: how many invalid rows were there already. OSError where the disk is full or the committed part has gone.
    """
    BadRow.objects.bulk_create(
        BadRow(contact_import=job, row=row.line, column=e.column[:120], value=e.value[:200], reason=e.reason)
        for row, e in found[: max(0, SHOWN_KEPT - before)]
    )
    if not found:
        return
    path = path_of(job)
    private_files.make_folder(path.parent)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, private_files.FILE), "r+b") as file:
        if file.seek(0, os.SEEK_END) < job.bad_bytes:
            raise FileNotFoundError(0, "The file of invalid rows is no longer there.")
        file.truncate(job.bad_bytes)
        file.seek(job.bad_bytes)
        for row, problem in found:
            line = [row.line, kept(_said(problem)), row.cells or [row.text]]
            file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
        file.flush()
        os.fsync(file.fileno())
        job.bad_bytes = file.tell()


def _said(problem: RowError) -> str:
    return joined([problem.column, problem.reason], ": ") if problem.column else problem.reason


def are_there(job: ContactImport) -> bool:
    """Whether the rows can be given back: they are kept for a week."""
    return bool(job.bad_bytes) and path_of(job).exists()


def kept_until(job: ContactImport) -> dt.datetime | None:
    return job.finished_at + KEPT if job.finished_at else None


def kind_of(job: ContactImport) -> str:
    """A workbook is given back as a workbook."""
    return "csv" if job.encoding else "xlsx"


def table(job: ContactImport) -> Iterator[list[str]]:
    """The header, then each row as it was read, with its line and the reason in two last columns, named for the reader.

    What a row has beyond the header's columns is behind these two: it is too wide until somebody corrects it.
    """
    headers = list(job.headers[:-2] if is_of_bad_rows(job.headers) else job.headers)
    width, before = len(headers), len(job.headers)
    head = [*headers, *(_beside(str(name), headers) for name in BAD_ROW_COLUMNS)]
    owns = ((cells[:width], [str(line), reason, *cells[before:]]) for line, reason, cells in _lines(job))
    return itertools.chain([head], ([*own, *([""] * (width - len(own))), *beside] for own, beside in owns))


def _beside(name: str, headers: Sequence[str]) -> str:
    """A name for our own column: `name`, or with a number behind it if the file has such a column."""
    names = itertools.chain([name], (f"{name} {n}" for n in itertools.count(2)))
    return next(one for one in names if one not in headers)


def _lines(job: ContactImport) -> Iterator[tuple[int, str, list[str]]]:
    """(row, reason, cells) of the bad rows that are committed; while the import runs, those up to now."""
    with path_of(job).open("rb") as file:
        left = job.bad_bytes
        for line in file:
            left -= len(line)
            if left < 0:
                return
            number, reason, cells = json.loads(line.decode("utf-8", "surrogatepass"))
            yield number, read(reason), cells


def content(job: ContactImport) -> Iterator[bytes]:
    return exports.content(table(job), kind_of(job), job.file_name)


def is_kept(name: str, now: dt.datetime | None = None) -> bool | None:
    """Whether a file of that name is still wanted; None for one that is not of ours."""
    found = _name.fullmatch(name)
    if not found:
        return None
    job = ContactImport.objects.filter(pk=int(found[1])).only("finished_at").first()
    return job is not None and (job.finished_at is None or job.finished_at > (now or timezone.now()) - KEPT)
