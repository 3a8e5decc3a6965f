"""An uploaded list, kept where a worker finds it: of contacts, or of consents."""

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import Storage
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from laaffic_console.kit.files.uploads import FULL
from laaffic_console.kit.words.plain_text import keepable, without_marks
from laaffic_console.kit.words.said import gettext as _

ORPHAN_HOURS = 24
TASK_SECONDS = 900  # a turn passes over what is done already: on a slow machine a workbook's million rows take minutes


def name_of(upload: "UploadedFile[Any]") -> str:
    """The file's own name, cleaned and cut to 200 characters."""
    return keepable(without_marks(str(upload.name)))[:200]


def keep(file: FieldFile, upload: "UploadedFile[Any]") -> None:
    """Write the file under a name of ours, and no row yet; ValidationError where it is too large or does not fit on the
    disk, and then nothing of it stays."""
    if upload.size and upload.size > settings.IMPORT_MAX_BYTES:
        limit = settings.IMPORT_MAX_BYTES // 1024 // 1024
        raise ValidationError(
            _("The file is larger than %(limit)d MB. Split it and import the parts.") % {"limit": limit}
        )
    name = f"{timezone.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.dat"
    try:
        file.save(name, upload, save=False)
    except OSError as problem:
        file.storage.delete(file.field.generate_filename(file.instance, name))
        if problem.errno not in FULL:
            raise
        raise ValidationError(
            _("There is no room on the console's disk for this file. Make room, then upload it again.")
        ) from problem


def sweep(
    wanted: QuerySet[Any],
    folder: str,
    now: dt.datetime | None = None,
    *,
    spared: Callable[[str], bool] = lambda _name: False,
) -> int:
    """Delete files in the folder that belong to none of the `wanted` rows: what a killed process left; how many.

    `spared`: whether a file of this name is something else that is kept there.
    """
    storage = wanted.model._meta.get_field("file").storage
    if not storage.exists(folder):
        return 0
    old = (now or timezone.now()) - dt.timedelta(hours=ORPHAN_HOURS)
    kept = set(wanted.values_list("file", flat=True))
    orphans = [
        path
        for name in storage.listdir(folder)[1]
        if (path := f"{folder}/{name}") not in kept and not spared(name) and _written_before(storage, path, old)
    ]
    for path in orphans:
        storage.delete(path)
    return len(orphans)


def _written_before(storage: Storage, path: str, moment: dt.datetime) -> bool:
    """An upload of this minute has no row yet; one that another sweep has deleted is no longer there."""
    try:
        return storage.get_modified_time(path) < moment
    except FileNotFoundError:
        return False
