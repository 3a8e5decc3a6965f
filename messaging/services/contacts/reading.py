"""A file of contacts as an import reads it, for preview, forecast and import: one cleaner, one set of options."""

from dataclasses import fields
from pathlib import Path

from messaging.files.cleaned_rows import Source
from messaging.files.contact_files import ContactFile, Format
from messaging.files.contact_rows import RowCleaner, RowError, RowOptions
from messaging.models import ContactImport


def path_of(job: ContactImport) -> Path:
    """An uploaded file lies in our storage; one imported from the shell lies where it was."""
    return Path(str(job.file.name)) if is_of_the_shell(job) else Path(job.file.path)


def is_of_the_shell(job: ContactImport) -> bool:
    return Path(str(job.file.name)).is_absolute()


def source(job: ContactImport, mapping: dict[str, str]) -> Source:
    written = Format(job.encoding, job.delimiter, job.headers, job.sheet)
    return Source(path_of(job), written, mapping, job.region, options_of(job))


def cleaner(job: ContactImport, mapping: dict[str, str]) -> RowCleaner:
    return source(job, mapping).cleaner()


def file(job: ContactImport, within: float | None = None) -> ContactFile:
    return ContactFile(path_of(job), source(job, {}).written, within)


def options_of(job: ContactImport) -> RowOptions:
    return RowOptions(**{field.name: getattr(job, field.name) for field in fields(RowOptions)})


def problem_with_mapping(job: ContactImport, mapping: dict[str, str]) -> str:
    """Why a file cannot be imported with its columns read like this; "" when it can."""
    try:
        cleaner(job, mapping)
    except RowError as problem:
        return problem.reason
    return ""
