"""Starting an import that waits, by a caller without a page, which says how to read the file."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from laaffic_console.kit.words.not_now import NotNow
from messaging.files.contact_headers import FIXED_FIELDS, IGNORED
from messaging.files.contact_rows import RowOptions
from messaging.files.unreadable import UnreadableFile
from messaging.models import ContactImport
from messaging.services.contacts import reading
from messaging.services.imports import files as import_files
from messaging.services.imports import forecast as import_forecast
from messaging.services.imports import imports
from messaging.text.merge_fields import is_name

OPTIONS = ("foreign_without_plus", "allow_unknown_ranges", "keep_null_words")


def read_otherwise(job_id: int, asked: Mapping[str, Any]) -> None:
    """`asked`: the changes of encoding, sheet, region, mapping and OPTIONS. It is counted again.

    ValidationError for what the file cannot be read by, NotNow where it waits no more.
    """
    job = ContactImport.objects.get(pk=job_id)
    if job.state != ContactImport.State.PREVIEW:
        raise import_files.waits_no_more(job)
    _require_known(job, asked)
    options = {name: asked.get(name, getattr(job, name)) for name in OPTIONS}
    try:
        import_files.look_otherwise(
            job,
            encoding=asked.get("encoding", ""),
            sheet=asked.get("sheet", ""),
            options=RowOptions(**options),
            region=asked.get("region"),
        )
    except UnreadableFile as problem:
        raise ValidationError(str(problem)) from problem
    given = asked.get("mapping", {})
    _require_columns(job, given)
    job.mapping = {**job.mapping, **given}
    if why_not := reading.problem_with_mapping(job, job.mapping):
        raise ValidationError({"mapping": why_not})
    with transaction.atomic():
        import_files.keep_reading(job)
        import_forecast.want(job, job.mapping)


@transaction.atomic
def start_as_read(job_id: int) -> None:
    """Start it as it is read; one that was started is left as it is. NotNow where that is not decided."""
    job = _locked(job_id)
    if job.state == ContactImport.State.CANCELLED:
        raise NotNow(_("“%(name)s” was cancelled. Upload it again.") % {"name": job.file_name})
    if job.state != ContactImport.State.PREVIEW:
        return
    if len(job.readings) > 1 and import_forecast.of(job) is None:
        said = _("The file's letters can be read in several ways. Say its encoding with POST …/reading: %(known)s.")
        raise NotNow(said % {"known": ", ".join(found["encoding"] for found in job.readings)})
    if problem := reading.problem_with_mapping(job, job.mapping):
        raise NotNow(problem)
    imports.start(job_id, mapping=job.mapping)


def _locked(job_id: int) -> ContactImport:
    """Nobody starts it in the meantime."""
    return ContactImport.objects.select_for_update().get(pk=job_id)


def _require_known(job: ContactImport, asked: Mapping[str, Any]) -> None:
    encodings = {found["encoding"] for found in job.readings} | {job.encoding}
    for name, known in (("encoding", encodings), ("sheet", set(job.sheets))):
        if name in asked and asked[name] not in known:
            said = _("The file has no %(name)s “%(given)s”. It has: %(known)s.")
            shown = {"name": name, "given": asked[name], "known": ", ".join(sorted(known)) or "–"}
            raise ValidationError({name: said % shown})


def _require_columns(job: ContactImport, given: Mapping[str, str]) -> None:
    for header, field in given.items():
        if header not in job.headers:
            said = _("The file has no column “%(name)s”. It has: %(known)s.")
            raise ValidationError({"mapping": said % {"name": header[:60], "known": ", ".join(job.headers[:20])}})
        prefix, _dot, name = field.partition(".")
        if field not in (*FIXED_FIELDS, IGNORED) and not (prefix == "attributes" and is_name(name)):
            said = _("A column cannot be “%(field)s”. Take one of %(known)s, attributes.NAME, or nothing.")
            raise ValidationError({"mapping": said % {"field": field, "known": ", ".join(FIXED_FIELDS)}})
