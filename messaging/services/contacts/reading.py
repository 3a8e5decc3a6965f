"""A file of contacts as an import reads it, for whoever looks at it or takes it: one cleaner, one set of options."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from messaging.contact_files import ContactFile, Format, Row
from messaging.contact_rows import CleanRow, RowCleaner, RowError, RowOptions
from messaging.models import ContactImport


def path_of(job: ContactImport) -> Path:
    """An uploaded file lies in our storage; one imported from the shell lies where it was."""
    return Path(str(job.file.name)) if is_of_the_shell(job) else Path(job.file.path)


def is_of_the_shell(job: ContactImport) -> bool:
    return Path(str(job.file.name)).is_absolute()


def cleaner(job: ContactImport, mapping: dict[str, str]) -> RowCleaner:
    return RowCleaner(job.headers, mapping, job.region, options_of(job))


def file(job: ContactImport, within: float | None = None) -> ContactFile:
    return ContactFile(path_of(job), Format(job.encoding, job.delimiter, job.headers, job.sheet), within)


def options_of(job: ContactImport) -> RowOptions:
    return RowOptions(**{field.name: getattr(job, field.name) for field in fields(RowOptions)})


def problem_with_mapping(job: ContactImport, mapping: dict[str, str]) -> str:
    """Why a file cannot be imported with its columns read like this; "" when it can."""
    try:
        cleaner(job, mapping)
    except RowError as problem:
        return problem.reason
    return ""


def clean_rows(cleaner: RowCleaner, rows: Sequence[Row]) -> tuple[list[CleanRow], list[tuple[Row, RowError]]]:
    clean, errors = [], []
    for row in rows:
        try:
            if row.problem:
                raise RowError("", "", row.problem)
            clean.append(cleaner.clean(row.cells))
        except RowError as problem:
            errors.append((row, problem))
    return clean, errors
